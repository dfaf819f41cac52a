package keystore

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	java "github.com/pavlo-v-chernykh/keystore-go/v4"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pfx"
)

// jks writes a Java key store as another program would.
func jks(t *testing.T, path, storeWord, keyWord string, leaves ...*pkitest.Leaf) {
	t.Helper()
	store := java.New(java.WithMinPasswordLen(0))
	for i, leaf := range leaves {
		der, err := algid.MarshalPrivateKey(leaf.Key)
		if err != nil {
			t.Fatal(err)
		}
		entry := java.PrivateKeyEntry{CreationTime: time.Unix(0, 0), PrivateKey: der, CertificateChain: []java.Certificate{{Type: "X509", Content: leaf.Certificate.Raw}}}
		if err := store.SetPrivateKeyEntry(string(rune('a'+i)), entry, []byte(keyWord)); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := store.Store(&b, []byte(storeWord)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestJavaKeyStore(t *testing.T) {
	dir, authority := t.TempDir(), pkitest.New(t)
	leaf := authority.Individual()
	older := authority.Issue(pkitest.Spec{Holder: pkitest.Person(), NotBefore: authority.Now.AddDate(-1, 0, 0), NotAfter: authority.Now.AddDate(0, 0, 1)})
	jks(t, filepath.Join(dir, "GOST512_a.jks"), password, password, older, leaf)
	jks(t, filepath.Join(dir, "other.jks"), password, "Another1", leaf)
	jks(t, filepath.Join(dir, "empty.jks"), password, password)
	if err := os.WriteFile(filepath.Join(dir, "broken.jks"), append(bytes.Clone(jksMagic), 0, 0, 0, 2, 0xff), 0o600); err != nil {
		t.Fatal(err)
	}
	found := map[string]File{}
	for _, f := range Scan([]string{dir}) {
		found[f.Name] = f
	}
	if len(found) != 5 || found["GOST512_a.jks · a"].Kind != Combined || found["GOST512_a.jks · a"].ID == found["GOST512_a.jks · b"].ID {
		t.Fatalf("found %v", found)
	}
	key, err := Unlock(found["GOST512_a.jks · b"], password)
	if err != nil || key.Alias != "b" || len(key.Beside) != 2 || !bytes.Equal(key.Certificate.Raw, leaf.Certificate.Raw) {
		t.Fatalf("one of two keys: %v", err)
	}
	if key, err := Unlock(found["GOST512_a.jks · a"], password); err != nil || !bytes.Equal(key.Certificate.Raw, older.Certificate.Raw) {
		t.Fatalf("the other: %v", err)
	}
	algorithm, err := algid.SignatureFor(leaf.Certificate.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := algorithm.Sign(nil, key.Signer, []byte("x"))
	if err == nil {
		err = algorithm.Verify(leaf.Certificate.PublicKey, []byte("x"), signature)
	}
	if err != nil {
		t.Error(err)
	}
	for _, name := range []string{"GOST512_a.jks · a", "other.jks"} {
		word := map[string]string{"GOST512_a.jks · a": "wrong", "other.jks": password}[name]
		if _, err := Unlock(found[name], word); !errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"empty.jks", "broken.jks"} {
		if _, err := Unlock(found[name], password); err == nil || errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestJavaKeyStorePassword changes the password of a store: every key in it, the names, the certificates of others
// stay; what Java wrote, Java's own tool opens again.
func TestJavaKeyStorePassword(t *testing.T) {
	dir, authority := t.TempDir(), pkitest.New(t)
	path := filepath.Join(dir, "two.jks")
	jks(t, path, password, password, authority.Individual(), authority.Head())
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		old, new string
		want     error
	}{{"wrong", "Another12", ErrPassword}, {password, password, ErrSamePassword}, {password, "12345678", pfx.ErrPasswordDefault}} {
		if err := ChangePassword(path, c.old, c.new); !errors.Is(err, c.want) {
			t.Errorf("%s to %s: %v", c.old, c.new, err)
		}
	}
	if err := ChangePassword(path, password, "Another12"); err != nil {
		t.Fatal(err)
	}
	was, err := entries(before, password)
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !isJKS(after) {
		t.Fatal(err, "or another form")
	}
	is, err := entries(after, "Another12")
	if err != nil || len(is) != 2 || !reflect.DeepEqual(is, was) {
		t.Errorf("%d entries, %v", len(is), err)
	}
	if _, err := entries(after, password); !errors.Is(err, pfx.ErrPassword) {
		t.Errorf("the old password: %v", err)
	}
	if kept, err := os.ReadFile(OldName(path)); err != nil || !bytes.Equal(kept, before) {
		t.Errorf("the old file is not kept: %v", err)
	}
	if err := ChangePassword(path, password, "Another12"); err != nil {
		t.Errorf("the same change again: %v", err)
	}
	if err := ChangePassword(path, password, "Another13"); !errors.Is(err, ErrPassword) {
		t.Errorf("another one: %v", err)
	}

	other := filepath.Join(dir, "other.jks")
	jks(t, other, password, "OfItsOwn1", authority.Individual())
	if err := ChangePassword(other, password, "Another12"); !errors.Is(err, ErrSeveralPasswords) {
		t.Errorf("a key with a password of its own: %v", err)
	}
	twice := bytes.Clone(before) // both keys are called a
	twice = bytes.Replace(twice, []byte{0, 0, 0, 1, 0, 1, 'b'}, []byte{0, 0, 0, 1, 0, 1, 'a'}, 1)
	twice = sealed(twice[:len(twice)-20], password)
	if _, _, err := rewriteJKS(twice, password, "Another12"); err == nil || errors.Is(err, pfx.ErrPassword) {
		t.Errorf("a key would be lost: %v", err)
	}

	tool, err := exec.LookPath("keytool")
	if err != nil {
		t.Skip("there is no keytool: Java is not installed")
	}
	java := func(word string, args ...string) []byte {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), tool, append(args, "-storetype", "JKS", "-keystore", filepath.Join(dir, "java.jks"), "-storepass", word)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return out
	}
	java(password, "-genkeypair", "-keypass", password, "-alias", "one", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=ONE, C=KZ")
	java(password, "-genkeypair", "-keypass", password, "-alias", "two", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=TWO, C=KZ")
	if err := ChangePassword(filepath.Join(dir, "java.jks"), password, "Another12"); err != nil {
		t.Fatal(err)
	}
	for _, alias := range []string{"one", "two"} { // a request is signed with the key itself
		if out := java("Another12", "-certreq", "-keypass", "Another12", "-alias", alias); !bytes.Contains(out, []byte("CERTIFICATE REQUEST")) {
			t.Errorf("%s: %s", alias, out)
		}
	}
}

// TestJavaKeyStoreOfJava opens what Java's own tool wrote.
func TestJavaKeyStoreOfJava(t *testing.T) {
	tool, err := exec.LookPath("keytool")
	if err != nil {
		t.Skip("there is no keytool: Java is not installed")
	}
	path := filepath.Join(t.TempDir(), "RSA256_java.jks")
	out, err := exec.CommandContext(t.Context(), tool, "-genkeypair", "-storetype", "JKS", "-keystore", path, "-storepass", password, "-keypass", password,
		"-alias", "key", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=TEST, C=KZ").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	files := Scan([]string{filepath.Dir(path)})
	if len(files) != 1 {
		t.Fatal(files)
	}
	if _, err := Unlock(files[0], "wrong"); !errors.Is(err, ErrPassword) {
		t.Errorf("wrong password: %v", err)
	}
	if key, err := Unlock(files[0], password); err != nil || key.Certificate.Subject.String() == "" {
		t.Error(err)
	}
}

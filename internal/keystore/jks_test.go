package keystore

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	java "github.com/pavlo-v-chernykh/keystore-go/v4"

	"senim/algid"
	"senim/internal/pkitest"
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
	if len(found) != 4 || found["GOST512_a.jks"].Kind != Combined {
		t.Fatalf("found %v", found)
	}
	key, err := Unlock(found["GOST512_a.jks"], password)
	if err != nil || !bytes.Equal(key.Certificate.Raw, leaf.Certificate.Raw) {
		t.Fatalf("the key that ends last: %v", err)
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
	for _, name := range []string{"GOST512_a.jks", "other.jks"} {
		word := map[string]string{"GOST512_a.jks": "wrong", "other.jks": password}[name]
		if _, err := Unlock(found[name], word); !errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"empty.jks", "broken.jks"} {
		if _, err := Unlock(found[name], password); err == nil || errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := ChangePassword(filepath.Join(dir, "GOST512_a.jks"), password, "Another1"); err == nil {
		t.Error("changed the password of a Java key store")
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

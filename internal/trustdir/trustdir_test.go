package trustdir

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"senim/internal/pkitest"
)

func put(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoadTrustsWhatIsInTheFolder(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Individual()
	dir := t.TempDir()
	put(t, dir, "root.cer", a.Root.Raw)
	put(t, dir, "issuing.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.CA.Raw}))
	put(t, dir, "README.txt", []byte("not a certificate, and not read"))
	trust, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(trust.Authorities) != 2 || !trust.Authorities[0].IsCA {
		t.Fatalf("%d authorities", len(trust.Authorities))
	}
	if _, err := trust.Pool.Chain(leaf.Certificate, leaf.Certificate.NotBefore.Add(time.Hour)); err != nil {
		t.Errorf("a certificate of the folder's authority: %v", err)
	}
	if _, err := trust.Pool.Chain(pkitest.New(t).Individual().Certificate, time.Now()); err == nil {
		t.Error("a certificate of another authority is trusted")
	}
}

func TestLoadRefusesAFolderWithAMistake(t *testing.T) {
	a := pkitest.New(t)
	for name, data := range map[string][]byte{"leaf.cer": a.Individual().Certificate.Raw, "junk.pem": []byte("junk"), "empty.cer": nil} {
		dir := t.TempDir()
		put(t, dir, "root.cer", a.Root.Raw)
		put(t, dir, name, data)
		if _, err := Load(dir); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there was taken")
	}
}

// Certificates trusted one by one are those of the folder, or of the one file, and of nothing else: a file of the same
// name in the directory the process runs in is not looked at.
func TestCertificatesAreOfTheFolder(t *testing.T) {
	a := pkitest.New(t)
	signer, second := a.Individual().Certificate, a.Head().Certificate
	dir := t.TempDir()
	put(t, dir, "a.cer", signer.Raw)
	put(t, dir, "b.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: second.Raw}))
	put(t, dir, "README.txt", []byte("not a certificate, and not read"))
	elsewhere := t.TempDir()
	put(t, elsewhere, "a.cer", pkitest.New(t).Individual().Certificate.Raw)
	t.Chdir(elsewhere)
	all, err := Certificates(dir)
	if err != nil || len(all) != 2 || !bytes.Equal(all[0].Raw, signer.Raw) || !bytes.Equal(all[1].Raw, second.Raw) {
		t.Fatalf("of the folder: %d, %v", len(all), err)
	}
	if all, err = Certificates(filepath.Join(dir, "b.pem")); err != nil || len(all) != 1 || !bytes.Equal(all[0].Raw, second.Raw) {
		t.Errorf("of the file: %d, %v", len(all), err)
	}
}

func TestCertificatesRefuses(t *testing.T) {
	none, junk := t.TempDir(), t.TempDir()
	put(t, none, "README.txt", []byte("no certificate"))
	put(t, junk, "good.cer", pkitest.New(t).Individual().Certificate.Raw)
	put(t, junk, "junk.pem", []byte("junk"))
	for name, path := range map[string]string{
		"nothing named": "", "no such folder": filepath.Join(none, "none"), "a folder without certificates": none,
		"a folder with a mistake in it": junk, "a file that is no certificate": filepath.Join(none, "README.txt"),
	} {
		if all, err := Certificates(path); err == nil {
			t.Errorf("%s: %d certificates", name, len(all))
		}
	}
}

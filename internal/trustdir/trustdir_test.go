package trustdir

import (
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

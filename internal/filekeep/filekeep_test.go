package filekeep

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"
)

type key struct{ cipher.AEAD }

func (k key) Seal(place string, b []byte) ([]byte, error) {
	return k.AEAD.Seal(nil, nil, b, []byte(place)), nil
}
func (k key) Open(place string, b []byte) ([]byte, error) {
	return k.AEAD.Open(nil, nil, b, []byte(place))
}

func newKey(t *testing.T) key {
	t.Helper()
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	a, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return key{a}
}

// L8: what was read is kept sealed, comes back to the byte, and goes after its time.
func TestKeep(t *testing.T) {
	now := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	k := New(dir, newKey(t), func() time.Time { return now })
	big := make([]byte, 5*sealPiece+7)
	r := rand.NewChaCha8([32]byte{})
	if _, err := r.Read(big); err != nil {
		t.Fatal(err)
	}
	text := append([]byte("123456789021;ТЕСТ"), big...)
	files, done, err := k.Keep("1", fstest.MapFS{"a.csv": {Data: text}, "b.csv": {Data: nil}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.csv", "b.csv"} {
		f, err := files.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := done(true); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"a.csv": text, "b.csv": nil} {
		var got bytes.Buffer
		if err := k.Restore("1", name, &got); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: %d bytes, %v", name, got.Len(), err)
		}
	}
	sealed, err := os.ReadFile(filepath.Join(dir, "1", "a.csv"))
	if err != nil || bytes.Contains(sealed, []byte("123456789021")) {
		t.Errorf("kept unsealed: %v", err)
	}
	for name, b := range map[string][]byte{"cut": sealed[:len(sealed)-100], "without its end": sealed[:4*(sealPiece/4)], "changed": append([]byte{0, 0, 0, 9}, sealed...)} {
		if err := os.WriteFile(filepath.Join(dir, "1", "c.csv"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := k.Restore("1", "c.csv", io.Discard); err == nil {
			t.Errorf("%s: given back", name)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "1", "b.csv"), sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := k.Restore("1", "b.csv", io.Discard); err == nil {
		t.Error("given back under another name")
	}
	if err := os.Chtimes(filepath.Join(dir, "1"), now, now); err != nil { // this test wrote into it
		t.Fatal(err)
	}
	now = now.AddDate(0, 0, 89)
	if err := k.Sweep(90 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "1")); err != nil {
		t.Error(err)
	}
	now = now.AddDate(0, 0, 2)
	if err := k.Sweep(90 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "1")); err == nil {
		t.Error("kept too long")
	}
	if err := New(filepath.Join(dir, "none"), newKey(t), nil).Sweep(time.Hour); err != nil {
		t.Error(err)
	}
}

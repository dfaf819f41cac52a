package gost_test

import (
	"crypto/rand"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"senim/gost"
)

// TestOpenSSL lets an independent implementation, the gost engine of OpenSSL, verify our signatures.
// It knows the same curves under Russian identifiers, and wants the signature reversed (RFC 9215).
func TestOpenSSL(t *testing.T) {
	if out, err := exec.Command("openssl", "engine", "-t", "gost").CombinedOutput(); err != nil || !strings.Contains(string(out), "[ available ]") {
		t.Skip("no OpenSSL with the gost engine on this machine (Debian: libengine-gost-openssl): nobody to verify")
	}
	for _, v := range []struct {
		curve  func() *gost.Curve
		prefix string // of the SubjectPublicKeyInfo, up to the coordinates
	}{
		{gost.TC26_512A, "3081a0301706082a85030701010102300b06092a8503070102010201" + "03818400048180"},
		{gost.TC26_256A, "305e301706082a85030701010101300b06092a8503070102010101" + "0343000440"},
		{gost.CryptoProA, "3063301c06062a8503020213301206072a85030202230106072a850302021e01" + "0343000440"},
	} {
		c := v.curve()
		t.Run(c.String(), func(t *testing.T) {
			for range 3 {
				key, err := gost.GenerateKey(c, nil)
				if err != nil {
					t.Fatal(err)
				}
				digest := make([]byte, c.Size())
				rand.Read(digest)
				sig, err := key.Sign(nil, digest, nil)
				if err != nil {
					t.Fatal(err)
				}
				spki := append(unhex(t, v.prefix), key.PublicKey().Bytes()...)
				if !opensslVerifies(t, spki, digest, reversed(sig)) {
					t.Error("OpenSSL refuses our signature")
				}
				sig[0] ^= 1
				if opensslVerifies(t, spki, digest, reversed(sig)) {
					t.Error("OpenSSL takes a changed signature: the test proves nothing")
				}
			}
		})
	}
}

func opensslVerifies(t *testing.T, spki, digest, sig []byte) bool {
	t.Helper()
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := file("key", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
	out, err := exec.Command("openssl", "pkeyutl", "-verify", "-engine", "gost", "-pubin", "-inkey", key,
		"-in", file("digest", digest), "-sigfile", file("sig", sig)).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "Verification Failure") {
		t.Fatalf("openssl: %v: %s", err, out)
	}
	return err == nil
}

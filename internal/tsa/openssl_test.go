package tsa_test

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// OpenSSL's client asks, and its verifier accepts what comes back, of the RSA key.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	w, dir := newWorld(t), t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(path(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), openssl, args...).CombinedOutput()
		return string(out), err
	}
	write("data", []byte("document"))
	write("other", []byte("Document"))
	write("tsa.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.signers.rsa.Certificate.Raw}))
	for name, extra := range map[string][]string{"with a nonce and the certificate": {"-cert"}, "without a nonce": {"-no_nonce", "-cert"}, "without the certificate": nil} {
		t.Run(name, func(t *testing.T) {
			if out, err := run(append([]string{"ts", "-query", "-data", path("data"), "-sha256", "-out", path("q")}, extra...)...); err != nil {
				t.Fatal(out)
			}
			q, err := os.ReadFile(path("q"))
			if err != nil {
				t.Fatal(err)
			}
			write("r", w.Answer(t.Context(), q))
			verify := []string{"ts", "-verify", "-in", path("r"), "-CAfile", path("tsa.pem"), "-untrusted", path("tsa.pem")}
			if out, err := run(append(verify, "-queryfile", path("q"))...); err != nil || !strings.Contains(out, "Verification: OK") {
				t.Errorf("openssl: %s", out)
			}
			if out, err := run(append(verify, "-data", path("data"))...); err != nil {
				t.Errorf("openssl: %s", out)
			}
			if out, err := run(append(verify, "-data", path("other"))...); err == nil {
				t.Errorf("openssl accepts it for another document: %s", out)
			}
		})
	}
}

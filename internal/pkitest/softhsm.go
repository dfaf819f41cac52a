package pkitest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// SoftHSM is SoftHSM2 with one empty token, in place of the tokens people have.
type SoftHSM struct {
	Module string // the path of its driver
	Label  string
	PIN    string
}

// NewSoftHSM makes the token in a folder, or skips the test where there is no SoftHSM2 or no C compiler for
// the program that loads its driver.
func NewSoftHSM(t *testing.T, dir, label string) SoftHSM {
	t.Helper()
	h := SoftHSM{Label: label, PIN: "2468-user"}
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			h.Module = path
		}
	}
	if _, err := exec.LookPath("softhsm2-util"); err != nil || h.Module == "" {
		t.Skip("SoftHSM2 is not installed")
	}
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("there is no C compiler: the driver needs cgo")
	}
	t.Setenv("SOFTHSM2_CONF", SoftHSMConf(t, dir))
	h.Util(t, "--init-token", "--free", "--label", label, "--pin", h.PIN, "--so-pin", "1357-officer")
	return h
}

// SoftHSMConf makes the folder of a machine's tokens, without any, and gives the path of the configuration that
// SOFTHSM2_CONF is to name.
func SoftHSMConf(t *testing.T, dir string) string {
	t.Helper()
	tokens, conf := filepath.Join(dir, "tokens"), filepath.Join(dir, "softhsm2.conf")
	if err := os.MkdirAll(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+tokens+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return conf
}

// Util runs softhsm2-util.
func (SoftHSM) Util(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "softhsm2-util", args...).CombinedOutput(); err != nil { //nolint:gosec // a test's own arguments
		t.Fatalf("softhsm2-util %s: %s", args[0], out)
	}
}

// TokenProgram builds senim-token with its driver into a folder.
func TokenProgram(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(dir, "senim-token")
	c := exec.CommandContext(t.Context(), "go", "build", "-tags", "pkcs11", "-o", program, "senim/cmd/senim-token") //nolint:gosec // our own program
	c.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	return program
}

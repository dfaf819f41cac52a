package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"senim/cms"
	"senim/internal/pkitest"
	"senim/internal/robot"
	"senim/pfx"
)

// TestInstalled signs with the agent that a package has put on this system, as a site asks it, on the port that sites know.
// `make install-test` runs it on a clean system, as a person there.
func TestInstalled(t *testing.T) {
	program := os.Getenv("SENIM_INSTALLED")
	if program == "" {
		t.Skip("on a clean system: make install-test")
	}
	const password = "Qwerty12"
	authority := pkitest.New(t)
	leaf := authority.Individual()
	file, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, password, pfx.NCA)
	if err != nil {
		t.Fatal(err)
	}
	keys, trusted, name := t.TempDir(), t.TempDir(), "GOST512_0000000000000000000000000000000000000000.p12"
	for path, content := range map[string][]byte{
		filepath.Join(keys, name): file, filepath.Join(trusted, "root.cer"): authority.Root.Raw, filepath.Join(trusted, "ca.cer"): authority.CA.Raw,
		filepath.Join(trusted, "ca.crl"): authority.List(),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	agent := exec.CommandContext(t.Context(), program, "--headless", "--browser", "none", "--data", t.TempDir(), "--keys", keys, "--trust", trusted)
	out, err := agent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "listening "+defaultListen {
		t.Fatalf("it says %q", lines.Text())
	}
	windows := make(chan string, 1)
	go func() {
		for lines.Scan() {
			if address, ok := strings.CutPrefix(lines.Text(), "window "); ok {
				windows <- address
			}
		}
	}()
	result, err := robot.NewAgent("ws://"+defaultListen, windows).Ask(t.Context(), "https://portal.example.kz",
		`{"module":"kz.gov.pki.knca.basics","method":"sign","args":{"format":"cms","data":"MTEK","signingParams":{"decode":true,"encapsulate":true},"signerParams":{"extKeyUsageOids":[]},"locale":"ru"}}`,
		robot.Choice{Key: name, Password: password}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	if err := json.Unmarshal([]byte(result), &made); err != nil || len(made) != 1 {
		t.Fatalf("%s %v", result, err)
	}
	der, err := cms.Decode([]byte(made[0]))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	verdicts, err := signed.Verify([]byte("11\n"))
	if err != nil || len(verdicts) != 1 || verdicts[0].Err != nil {
		t.Errorf("%v %v", verdicts, err)
	}
	if err := agent.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := agent.Wait(); err != nil {
		t.Error(err)
	}
}

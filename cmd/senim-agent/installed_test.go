package main

import (
	"bufio"
	"cmp"
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
	"senim/internal/token"
	"senim/pfx"
)

// TestInstalled signs with the agent that a package has put on this system, as a site asks it, on the port that sites know.
// `make install-test` runs it on a clean system, as a person there.
func TestInstalled(t *testing.T) {
	program := installed(t)
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
	signsWith(t, []string{program, "--keys", keys, "--trust", trusted}, robot.Choice{Key: name, Password: password})
}

// TestInstalledTokens signs with a key on a SoftHSM2 token, by the senim-token that a package has put beside the agent: nothing
// says where it is. `tools/dist` runs it over what is in its packages.
func TestInstalledTokens(t *testing.T) {
	program := installed(t)
	h := pkitest.NewSoftHSM(t, t.TempDir(), "KAZTOKEN 1")
	tok, err := token.Open(token.Config{Program: filepath.Join(filepath.Dir(program), "senim-token"), Module: h.Module, Label: h.Label, PIN: []byte(h.PIN)})
	if err != nil {
		t.Fatal(err)
	}
	key, err := tok.Generate(t.Context(), "rsa", 2048)
	if err != nil {
		t.Fatal(err)
	}
	authority := pkitest.New(t)
	if _, err := tok.Certify(t.Context(), "rsa", authority.Issue(pkitest.Spec{Key: key, Holder: pkitest.Person()}).Certificate.Raw); err != nil {
		t.Fatal(err)
	}
	if err := tok.Close(); err != nil {
		t.Fatal(err)
	}
	trusted := t.TempDir()
	for name, content := range map[string][]byte{"root.cer": authority.Root.Raw, "ca.cer": authority.CA.Raw, "ca.crl": authority.List()} {
		if err := os.WriteFile(filepath.Join(trusted, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	signsWith(t, []string{program, "--keys", t.TempDir(), "--trust", trusted, "--token", "AKKaztokenStore=" + h.Module}, robot.Choice{Key: h.Label, Password: h.PIN})
}

// installed is the agent that a package has put somewhere.
func installed(t *testing.T) string {
	t.Helper()
	program := os.Getenv("SENIM_INSTALLED")
	if program == "" {
		t.Skip("with what is in a package: make install-test, and the tests of tools/dist")
	}
	return program
}

// signsWith starts an agent on the port that sites know, or that SENIM_INSTALLED_LISTEN names, has it sign as a site asks, and ends it.
func signsWith(t *testing.T, command []string, c robot.Choice) {
	t.Helper()
	listen := cmp.Or(os.Getenv("SENIM_INSTALLED_LISTEN"), defaultListen)
	agent := exec.CommandContext(t.Context(), command[0], append(command[1:], "--headless", "--browser", "none", "--keychain=false", "--data", t.TempDir(), "--listen", listen)...)
	agent.Stderr = t.Output()
	out, err := agent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("it says nothing")
	}
	address, ok := strings.CutPrefix(lines.Text(), "listening ")
	if !ok || !strings.HasSuffix(listen, ":0") && address != listen {
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
	result, err := robot.NewAgent("ws://"+address, windows).Ask(t.Context(), "https://portal.example.kz",
		`{"module":"kz.gov.pki.knca.basics","method":"sign","args":{"format":"cms","data":"MTEK","signingParams":{"decode":true,"encapsulate":true},"signerParams":{"extKeyUsageOids":[]},"locale":"ru"}}`, c, nil)
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

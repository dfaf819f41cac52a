package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"senim/internal/agent"
	"senim/internal/pkitest"
)

// TestLinks: on a citizen's machine there is no database driver and no authority.
func TestLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("what the program links is looked at where it is built")
	}
	out, err := exec.Command("go", "list", "-deps", "senim/cmd/senim-agent").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.Fields(string(out)) {
		for _, bad := range []string{"database/sql", "modernc.org/", "github.com/jackc/", "github.com/riverqueue/", "senim/internal/ca", "senim/internal/store", "senim/internal/ra", "senim/internal/web", "testing"} {
			if p == bad || strings.HasPrefix(p, bad+"/") || strings.HasSuffix(bad, "/") && strings.HasPrefix(p, bad) {
				t.Errorf("the agent links %s", p)
			}
		}
	}
}

// TestRun starts the program as a person would and speaks to it.
func TestRun(t *testing.T) {
	trusted := t.TempDir()
	authority := pkitest.New(t)
	if err := os.WriteFile(filepath.Join(trusted, "root.cer"), authority.Root.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"--listen", "127.0.0.1:0", "--data", t.TempDir(), "--keys", t.TempDir(), "--trust", trusted, "--browser", "none", "--remember", "--headless", "--keychain=false"}, in, io.Discard)
	}()
	lines := bufio.NewScanner(out)
	next := func(want string) string {
		if !lines.Scan() {
			t.Fatal("the program says nothing")
		}
		rest, ok := strings.CutPrefix(lines.Text(), want+" ")
		if !ok {
			t.Fatalf("%q, want %s", lines.Text(), want)
		}
		return rest
	}
	c, _, err := websocket.Dial(ctx, "ws://"+next("listening"), nil) //nolint:bodyclose // the package closes it
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if _, greeting, err := c.Read(ctx); err != nil || string(greeting) != `{"result":{"version":"1.4"}}` {
		t.Fatalf("%s %v", greeting, err)
	}
	if err := c.Write(ctx, websocket.MessageText, []byte(`{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["PKCS12"]}`)); err != nil {
		t.Fatal(err)
	}
	if url := next("window"); !strings.HasPrefix(url, "http://127.0.0.1:") || !strings.Contains(url, "/#") {
		t.Errorf("%s", url)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestArguments(t *testing.T) {
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "broken.cer"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--nonsense"}, {"surplus"}, {"--trust", "/no/such/folder"}, {"--trust", broken}, {"--ocsp", "x"}, {"--tsp", "http://tsp.example.kz"}, {"--tsp", "foo=bar"}, {"--tsp", "0a=bar"}, {"--tsp", "foo=http://tsp.example.kz"}, {"--ocsp", "0a=ftp://x"},
		{"--crl", broken + "x"}, {"--crl", filepath.Join(broken, "broken.cer")}, {"--browser", "/no/such/browser"}, {"--browser", "nosuchbrowser --app"}, {"--lang", "xx"}, {"--lang", "KZ"},
		{"doctor", "--lang", "de"}, {"renew", "--lang", "kz"}, {"help", "--lang", "kz"}, {"install", "--yes", "--", "--tsp", "foo=bar"}, {"install", "--yes", "--", "--browser", "nosuchbrowser"}, {"open", "--browser", "nosuchbrowser"},
		{"--cabinet", "javascript:1"}, {"--cabinet", "http://cabinet.example.kz"}, {"--cabinet", "https://cabinet.example.kz/keys"}, {"--cabinet", "https://cabinet.example.kz?x"}, {"--cabinet", "cabinet.example.kz"},
		{"--listen", "0.0.0.0:0", "--browser", "none", "--data", t.TempDir()}} {
		if err := run(context.Background(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
	var out strings.Builder
	if err := run(context.Background(), []string{"version"}, &out, io.Discard); err != nil || strings.TrimSpace(out.String()) != version {
		t.Errorf("%q %v", out.String(), err)
	}
	out.Reset()
	never, data := filepath.Join(broken, "never"), t.TempDir()
	if err := run(context.Background(), []string{"trust", "--print", "--data", never, "--lang", "en"}, &out, io.Discard); err == nil || !strings.Contains(err.Error(), never) || out.Len() > 0 {
		t.Errorf("%q %v", out.String(), err)
	}
	if _, err := os.Stat(never); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("only printing made a folder: %v", err)
	}
	if _, err := agent.EnsureAuthority(data); err != nil {
		t.Fatal(err)
	}
	if err := run(context.Background(), []string{"trust", "--print", "--data", data}, &out, io.Discard); err != nil || !strings.HasPrefix(out.String(), "-----BEGIN CERTIFICATE-----") {
		t.Errorf("%q %v", out.String(), err)
	}
}

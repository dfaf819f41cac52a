package agent

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSec8LogsOfFailures: also what cannot be written or read leaves no path in the log.
func TestSec8LogsOfFailures(t *testing.T) {
	data := filepath.Join(t.TempDir(), "person")
	if err := os.MkdirAll(TrustFolder(data), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(TrustFolder(data), "broken.cer"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := bring(t, func(c *Config) { c.Data, c.Remember = data, true })
	for _, name := range []string{"settings.json", "catalogue.json", "remembered.json"} { // what stands there cannot be replaced
		if err := errors.Join(os.RemoveAll(filepath.Join(data, name)), os.MkdirAll(filepath.Join(data, name, "x"), 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	b.sign(s, basicsCall("cms", `"MTEK"`, `{}`, anyKey), "")
	own := b.home()
	own.post("/site", map[string]any{"origin": page, "permission": "blocked"}, nil)
	own.post("/folder", map[string]any{"folder": t.TempDir()}, nil)
	s.send(keysCall("generate", generateArgs))
	h := b.window()
	gone := filepath.Join(t.TempDir(), "folder-of-a-person")
	h.post("/decide", Decision{Folder: gone}, nil)
	h.cancel()
	for _, want := range []string{"settings", "was not written", "cannot be read"} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("nothing failed as it should: no %q in the log", want)
		}
	}
	for _, no := range []string{data, b.folder, "settings.json", "catalogue.json", gone, "GOST512_a"} {
		if strings.Contains(b.log.String(), no) {
			t.Errorf("the log holds %q:\n%s", no, b.log)
		}
	}
}

// TestDiscreetLog: wherever a path stands in what is logged, it is left out, and the rest is said.
func TestDiscreetLog(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(Discreet(slog.NewTextHandler(&out, nil), "/data/of/agent"))
	_, open := os.Open("/no/such/person/key.p12")
	link := &os.LinkError{Op: "rename", Old: "/one/person", New: "/two/person", Err: os.ErrPermission}
	bus := &net.OpError{Op: "dial", Net: "unix", Addr: &net.UnixAddr{Name: "/run/of/person/bus", Net: "unix"}, Err: os.ErrPermission}
	all := fmt.Errorf("write the settings: %w", errors.Join(open, link, bus))
	log.With("before", all).WithGroup("in").Error("failed", "err", all, slog.Group("more", "err", open), "where", "/data/of/agent/x.json")
	text := out.String()
	for _, no := range []string{"/no/such", "person", "/data/of/agent"} {
		if strings.Contains(text, no) {
			t.Errorf("%q in %s", no, text)
		}
	}
	for _, want := range []string{"write the settings: open …: ", "rename … …: permission denied", "in.more.err", "in.where=…/x.json"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

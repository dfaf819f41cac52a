//go:build unix

package agent

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"senim/internal/lang"
)

// TestNURSignFullDisk: a file that is there and cannot be copied, as on a full disk, is not called missing: the person
// reads what is wrong, the page gets the code of a failure here.
func TestNURSignFullDisk(t *testing.T) {
	const within = "SENIM_TEST_FULL_DISK"
	if os.Getenv(within) == "" { // the bound is of a whole process, so it is another one
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNURSignFullDisk$", "-test.v")
		c.Env = append(os.Environ(), within+"=1")
		out, err := c.CombinedOutput()
		switch {
		case err != nil:
			t.Fatalf("%v\n%s", err, out)
		case strings.Contains(string(out), "--- SKIP"):
			t.Skipf("%s", out)
		case !strings.Contains(string(out), "--- PASS: TestNURSignFullDisk"):
			t.Errorf("nothing was tried:\n%s", out)
		}
		return
	}
	b := bring(t)
	doc := blank(t, filepath.Join(b.folder, "offer.bin"), 2<<20)
	s := b.dial(page)
	s.send(`{"module":"NURSign","type":"file","data":{"token":"x","url_upload":"` + page + `/up"}}`)
	h := b.window()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	full := was
	full.Cur = 1 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Skip("files cannot be bounded here:", err)
	}
	h.decide(Decision{File: doc})
	h = b.window()
	if want := lang.RU.Text("agent.refused.file-not-copied", "path", doc); h.view.Kind != "refused" || h.view.Refusal != want {
		t.Errorf("%s: %q", h.view.Kind, h.view.Refusal)
	}
	h.decide(Decision{})
	if got := s.read(); got != `{"errorCode":999}` {
		t.Error(got)
	}
	if !strings.Contains(b.log.String(), "not copied") || strings.Contains(b.log.String(), doc) {
		t.Error(b.log.String())
	}
}

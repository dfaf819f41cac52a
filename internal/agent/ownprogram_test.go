package agent

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"senim/internal/lang"
)

// asksFor is the variable by which a copy of this test knows that it is the other program, and which agent it asks.
const asksFor = "SENIM_TEST_ASKS"

// TestOwnActOfAnotherProgram: an act of the agent's own that any other program asks for names that program, never the
// person, and can be put off as every program can.
func TestOwnActOfAnotherProgram(t *testing.T) {
	if listen := os.Getenv(asksFor); listen != "" {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			_, ok, err := AskRunning(t.Context(), listen, Act(lines.Text()), lang.RU)
			_, _ = os.Stdout.WriteString(map[bool]string{true: "answered\n", false: "closed\n"}[ok || err != nil])
		}
		return
	}
	other := filepath.Join(t.TempDir(), "other-program")
	if runtime.GOOS == "windows" {
		other += ".exe"
	}
	copyProgram(t, other)
	b := bring(t, func(c *Config) { c.Cabinet = "https://cabinet.example.kz" })
	b.key("GOST512_a.p12", b.authority.Individual())
	c := exec.Command(other, "-test.run=^TestOwnActOfAnotherProgram$")
	c.Env = append(os.Environ(), asksFor+"="+b.agent.Addr())
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = c.Wait() }()
	said := bufio.NewReader(out)
	ask := func(act Act) {
		if _, err := io.WriteString(in, string(act)+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	closed := func() {
		t.Helper()
		if line, err := said.ReadString('\n'); err != nil || line != "closed\n" {
			t.Fatalf("%q %v", line, err)
		}
	}
	for i, act := range []Act{ActPassword, ActBackup, ActRenew, ActCompare} {
		ask(act)
		h := b.window()
		if s := h.view.Site; s.Class != "program" || s.Origin != other || s.Explain != lang.RU.Text("agent.site.program") {
			t.Errorf("%s: the window names %+v", act, s)
		}
		if offered := h.view.Block != ""; offered != (i >= 3) {
			t.Errorf("%s: after %d cancels the block is offered: %v", act, i, offered)
		}
		if status := h.post("/cancel", map[string]any{"block": i == 3}, nil); status != 200 {
			t.Errorf("cancel: %d", status)
		}
		closed()
	}
	ask(ActPassword)
	closed()
	b.noWindow()
	b.wait(11 * time.Minute)
	ask(ActPassword)
	b.window().cancel()
	closed()
}

// TestOwnActOfOwnProgram: of the agent's own program the window is the person's.
func TestOwnActOfOwnProgram(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	for range 4 {
		done := make(chan error, 1)
		go func() {
			_, _, err := AskRunning(t.Context(), b.agent.Addr(), ActBackup, lang.RU)
			done <- err
		}()
		h := b.window()
		if s := h.view.Site; s.Class != "own" || h.view.Block != "" {
			t.Errorf("%+v %q", s, h.view.Block)
		}
		h.cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// copyProgram lays a copy of this test program.
func copyProgram(t *testing.T, path string) {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(own)
	if err == nil {
		err = os.WriteFile(path, content, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
}

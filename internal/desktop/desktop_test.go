package desktop

import (
	"bytes"
	"errors"
	"image/png"
	"runtime"
	"testing"
)

// TestNoSession: without a desktop nothing is shown, and nothing is started for it.
func TestNoSession(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only a Unix without a bus has no session")
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if err := Notify("title", "text"); !errors.Is(err, ErrNoSession) {
		t.Errorf("%v", err)
	}
	tray := ShowTray(Labels{})
	if tray != nil {
		t.Error("a tray without a session")
	}
	tray.Warn("text")
	tray.Calm()
	tray.Stop()
}

// TestMark: the mark is a picture with a hole and without background; Windows gets it in its container.
func TestMark(t *testing.T) {
	b := mark(calm)
	if runtime.GOOS == "windows" {
		b = b[22:]
	}
	picture, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[[2]int]bool{{0, 0}: false, {32, 26}: false, {32, 44}: false, {10, 32}: true, {54, 32}: true} {
		if _, _, _, alpha := picture.At(at[0], at[1]).RGBA(); alpha > 0 != want {
			t.Errorf("at %v: %v", at, alpha)
		}
	}
	if i := ico([]byte("12345"), 64); len(i) != 27 || i[6] != 64 || i[14] != 5 || i[18] != 22 {
		t.Errorf("% x", i)
	}
}

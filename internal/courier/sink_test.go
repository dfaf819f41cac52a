package courier

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSink(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sms")
	s, err := NewSink(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, o := s.Send(t.Context(), message); o.State != Accepted {
		t.Fatalf("%+v", o)
	}
	path := filepath.Join(dir, message.Ref+".txt")
	b, err := os.ReadFile(path)
	if err != nil || string(b) != "To: +77011234567\nParts: 1\nData-Coding: 8\n\nЭЦҚ кілті\n" {
		t.Errorf("%q %v", b, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if _, o := s.Send(t.Context(), message); o.State != Failed {
		t.Errorf("twice: %+v", o)
	}
	m := message
	m.Ref = "../../../../etc/passwd"
	if _, o := s.Send(t.Context(), m); o.State != Failed {
		t.Errorf("a path as name: %+v", o)
	}
	m = message
	m.Text = strings.Repeat("ә", 135)
	if _, o := s.Send(t.Context(), m); o.State != Failed {
		t.Errorf("too long: %+v", o)
	}
	if _, err := NewSink(filepath.Join(path, "no")); err == nil {
		t.Error("a folder inside a file is made")
	}
}

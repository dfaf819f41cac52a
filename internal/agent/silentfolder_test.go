package agent

import (
	"os"
	"testing"
	"time"
)

// TestSilentFolder: a watched folder whose disk does not answer holds up no signature: the window comes with the other
// keys and says which folder is missing, the person can cancel meanwhile, and when the disk answers its keys are there.
func TestSilentFolder(t *testing.T) {
	away := t.TempDir()
	answers := make(chan struct{})
	b := bring(t, func(c *Config) {
		c.Folders = append([]string{away}, c.Folders...)
		c.openFolder = func(folder string) (*os.File, error) {
			if folder == away {
				<-answers
			}
			return os.Open(folder)
		}
	})
	b.key("GOST512_a.p12", b.authority.Individual())
	home := b.folder
	b.folder = away
	b.key("GOST512_b.p12", b.authority.Individual())
	b.folder = home
	said := func(v View) bool {
		for _, r := range v.Warnings {
			if r.Code == "folder-away" {
				return true
			}
		}
		return false
	}
	s := b.dial(page)
	for range 2 {
		s.send(commonCall("signXml", `"PKCS12","SIGNATURE","<a/>","",""`))
		begin := time.Now()
		h := b.window()
		if took := time.Since(begin); took > 6*time.Second {
			t.Errorf("the window took %v", took)
		}
		if len(h.view.Keys) != 1 || !said(h.view) {
			t.Errorf("%d keys, %+v", len(h.view.Keys), h.view.Warnings)
		}
		h.decide(Decision{Key: h.unlock("GOST512_a.p12")})
		object[string](t, s.read())
	}
	own := b.home()
	for _, f := range own.view.Folders {
		if f.There != (f.Path != away) {
			t.Errorf("%+v", f)
		}
	}
	s.send(commonCall("signXml", `"PKCS12","SIGNATURE","<a/>","",""`))
	h := b.window()
	close(answers)
	becomes(t, func() bool {
		var now struct{ Changed bool }
		h.post("/alive", map[string]any{}, &now)
		return now.Changed
	})
	if h.look(); len(h.view.Keys) != 2 || said(h.view) {
		t.Errorf("%d keys, %+v", len(h.view.Keys), h.view.Warnings)
	}
	h.cancel()
}

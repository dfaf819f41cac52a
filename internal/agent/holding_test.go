package agent

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"senim/internal/keystore"
	"senim/internal/lang"
)

// TestOneAgentOneFolder: a second agent never touches the folder of a first, whether it is a whole agent or
// the window of one act; and has it when the first has ended.
func TestOneAgentOneFolder(t *testing.T) {
	c := Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Browser: func(string) (func(), error) { return nil, errors.New("no window") }}
	made := func() *Agent {
		a, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	first, second := made(), made()
	if err := first.Listen(); err != nil {
		t.Fatal(err)
	}
	if err := second.Listen(); !errors.Is(err, keystore.ErrInUse) || second.Addr() != "" {
		t.Fatalf("a second agent: %v, bound %q", err, second.Addr())
	}
	if _, _, err := second.Do(t.Context(), ActBackup, lang.RU); !errors.Is(err, keystore.ErrInUse) {
		t.Errorf("an act beside an agent: %v", err)
	}
	if _, _, err := first.Do(t.Context(), ActBackup, lang.RU); err != nil { // its window could not be shown, and that is said in the log
		t.Errorf("an act of the agent itself: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := first.Serve(ctx); err != nil {
		t.Fatal(err)
	}
	if _, _, err := second.Do(t.Context(), ActBackup, lang.RU); err != nil { // its window could not be shown, and that is said in the log
		t.Errorf("an act after the agent: %v", err)
	}
	if err := second.Listen(); err != nil { // the act has let go
		t.Fatal(err)
	}
	if err := second.Serve(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestSecondStartTouchesNothing: what the first agent is just making is not taken for what a kill left.
func TestSecondStartTouchesNothing(t *testing.T) {
	b := bring(t)
	folder := t.TempDir()
	file := filepath.Join(folder, "PENDING_GOST512_x.p8")
	notes, err := json.Marshal([]keystore.Note{{KeyID: "x", Folder: folder, File: filepath.Base(file), State: keystore.Making}})
	if err != nil {
		t.Fatal(err)
	}
	data := b.agent.config.Data
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.WriteFile(filepath.Join(pendingIn(data), "pending.json"), notes, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, listen := range []string{b.agent.Addr(), "127.0.0.1:0"} {
		second, err := New(Config{Listen: listen, Data: data, Browser: b.agent.config.Browser})
		if err == nil {
			err = second.Listen()
		}
		if err == nil {
			t.Error("a second agent listens")
		}
		if _, err := os.Stat(file); err != nil {
			t.Errorf("the key that is being made: %v", err)
		}
	}
}

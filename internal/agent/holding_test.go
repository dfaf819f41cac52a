package agent

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

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

// TestConfigStaysTheCallers: the agent writes into no slice of who started it.
func TestConfigStaysTheCallers(t *testing.T) {
	given := make([]string, 1, 8)
	given[0] = t.TempDir()
	b := bring(t, func(c *Config) { c.Folders = given })
	if _, err := b.agent.keeper.Generate(keystore.Order{Origin: page, RequestID: "1", Folder: b.folder,
		Profiles: []keystore.Profile{{Algorithm: "GOST512", Usage: "SIGNATURE"}}, Subject: b.authority.Individual().Certificate.Holder()}); err != nil {
		t.Fatal(err)
	}
	data := b.agent.config.Data
	bring(t, func(c *Config) { c.Data, c.Folders = data, given })
	if rest := given[1:8]; rest[0] != "" {
		t.Errorf("the agent wrote %q behind the folders it was given", rest)
	}
}

// dozing is a keychain that is locked, and is asked anew for as long as the person takes.
type dozing struct {
	chest
	armed       atomic.Bool
	asked, wake chan struct{}
}

func (d *dozing) Get(name string) (string, error) {
	s, err := d.chest.Get(name)
	if d.armed.CompareAndSwap(true, false) {
		d.asked <- struct{}{}
		<-d.wake
	}
	return s, err
}

// TestEndWaitsForKeychain: the agent has let its folder go when it ends, also when the keychain was just asked.
func TestEndWaitsForKeychain(t *testing.T) {
	d := &dozing{asked: make(chan struct{}, 1), wake: make(chan struct{})}
	d.lock(true)
	b := bring(t, func(c *Config) { c.Keychain = d })
	b.home() // the keychain is found locked
	d.armed.Store(true)
	becomes(t, func() bool {
		b.agent.wake(true)
		select {
		case <-d.asked:
			return true
		default:
			return false
		}
	})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop, _ := served.LoadAndDelete(b.agent.config.Data)
		stop.(func())()
	}()
	select {
	case <-stopped:
		t.Error("the agent ended while it asked the keychain")
	case <-time.After(300 * time.Millisecond):
	}
	close(d.wake)
	<-stopped
	letGo, err := keystore.Lock(b.agent.config.Data)
	if err != nil {
		t.Fatalf("the folder is held by an agent that ended: %v", err)
	}
	letGo()
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

package keystore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"senim/internal/pkitest"
	"senim/pfx"
)

// TestManyYearsOfKeys: when there are more notes than are kept the oldest finished ones go, and never one of a key that waits.
func TestManyYearsOfKeys(t *testing.T) {
	for _, finished := range []int{maxNotes - 1, maxNotes, maxNotes + 40} {
		keys, dir := t.TempDir(), t.TempDir()
		k, err := Open(Config{Dir: dir, Form: pfx.NCA})
		if err != nil {
			t.Fatal(err)
		}
		for i := range finished {
			k.notes = append(k.notes, Note{KeyID: fmt.Sprintf("%06d", i), RequestID: fmt.Sprint("old", i), State: Finished, Folder: keys})
		}
		o := order(keys)
		notes, err := k.Generate(o)
		if err != nil || len(notes) != len(o.Profiles) {
			t.Fatalf("%d notes, %v", len(notes), err)
		}
		if k, err = Open(Config{Dir: dir, Form: pfx.NCA}); err != nil { // a start
			t.Fatal(err)
		}
		if n := len(k.notes); n > maxNotes {
			t.Errorf("%d notes are kept", n)
		}
		again, err := k.Made(o)
		if err != nil || len(again) != len(notes) {
			t.Fatalf("after %d finished keys: %d of %d keys are known, %v", finished, len(again), len(notes), err)
		}
		for i, n := range again {
			if n.KeyID != notes[i].KeyID || n.State != Pending {
				t.Errorf("key %d: %s %s, was %s", i, n.KeyID, n.State, notes[i].KeyID)
			}
		}
		if installed, err := k.Install(certify(t, pkitest.New(t), notes), password); err != nil || len(installed) != len(notes) {
			t.Errorf("%d of them are finished, %v", len(installed), err)
		}
	}
}

// TestInstallLeavesForeignFiles: files that somebody else put where the finished ones should be, at the worst moment, stay as they are.
func TestInstallLeavesForeignFiles(t *testing.T) {
	keys := t.TempDir()
	var k *Keeper
	foreign := map[string]string{}
	k, err := Open(Config{Dir: t.TempDir(), Form: pfx.NCA, fault: func(s string) {
		if s != "install noted" {
			return
		}
		for _, n := range k.notes {
			path := filepath.Join(keys, n.FinalName)
			foreign[path] = "somebody's " + n.KeyID
			if err := os.WriteFile(path, []byte(foreign[path]), 0o600); err != nil {
				t.Error(err)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	notes, err := k.Generate(order(keys))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Install(certify(t, pkitest.New(t), notes), password); reason(err) != "file_exists" {
		t.Errorf("%v", err)
	}
	if len(foreign) != len(notes) || len(notes) < 2 {
		t.Fatalf("%d files of %d", len(foreign), len(notes))
	}
	for path, content := range foreign {
		if now, err := os.ReadFile(path); err != nil || string(now) != content {
			t.Errorf("%s: %q, %v", filepath.Base(path), now, err)
		}
	}
	for _, n := range notes {
		if _, err := os.Stat(filepath.Join(keys, n.File)); errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is gone", n.File)
		}
	}
}

package archive

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/audit"
	"senim/internal/pkitest"
	"senim/internal/store"
	"senim/internal/store/storetest"
)

// chain is a store with n records and their checkpoints, ten records each.
func chain(t *testing.T, n int) (*store.Store, *audit.Keeper, []byte) {
	t.Helper()
	s := storetest.SQLite(t)
	key := pkitest.NewKey(t, algid.GOST512)
	k, err := audit.NewKeeper(audit.KeeperConfig{Chain: s, Node: "test", Key: key, Rand: rand.Reader, Now: time.Now, Records: 10})
	if err != nil {
		t.Fatal(err)
	}
	public, err := audit.EncodePublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	more(t, s, k, n)
	return s, k, public
}

func more(t *testing.T, s *store.Store, k *audit.Keeper, n int) {
	t.Helper()
	for range n {
		if err := s.Record(t.Context(), audit.Event{Action: "test.act"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Keep(t.Context(), true); err != nil {
		t.Fatal(err)
	}
}

// whole reads an exported folder and gives how many records are good.
func whole(t *testing.T, dir string) int64 {
	t.Helper()
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	key, err := f.Key("test")
	if err != nil {
		t.Fatal(err)
	}
	trail, err := audit.NewTrail("test", key)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range f.Segments("test") {
		p, err := f.Read("test", n, trail.Add)
		if err == nil {
			err = trail.Mark(p)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return trail.Records()
}

func TestShipToAFolder(t *testing.T) {
	t.Parallel()
	s, k, public := chain(t, 25)
	dir := t.TempDir()
	sink, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ship := &Shipper{Source: s, Sink: sink, Node: "test", Key: public}
	if sent, err := ship.Ship(t.Context()); err != nil || sent != 3 {
		t.Fatalf("%d sent, %v", sent, err)
	}
	if sent, err := ship.Ship(t.Context()); err != nil || sent != 0 {
		t.Errorf("again: %d sent, %v", sent, err)
	}
	more(t, s, k, 4)
	if sent, err := (&Shipper{Source: s, Sink: sink, Node: "test", Key: public}).Ship(t.Context()); err != nil || sent != 1 {
		t.Errorf("after a restart: %d sent, %v", sent, err)
	}
	if n := whole(t, dir); n != 29 {
		t.Errorf("%d records", n)
	}
	if info, err := os.Stat(filepath.Join(dir, "test-000000000001.jsonl")); err != nil || info.Mode().Perm() != 0o444 {
		t.Errorf("%v %v", info, err)
	}
}

// What is there is never written over, and the order is kept.
func TestNothingIsWrittenOver(t *testing.T) {
	t.Parallel()
	s, _, public := chain(t, 25)
	dir := t.TempDir()
	taken := filepath.Join(dir, "test-000000000002.jsonl")
	if err := os.WriteFile(taken, []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	sink, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ship := &Shipper{Source: s, Sink: sink, Node: "test", Key: public}
	if sent, err := ship.Ship(t.Context()); !errors.Is(err, errDiffers) || sent != 1 {
		t.Fatalf("%d sent, %v", sent, err)
	}
	if b, _ := os.ReadFile(taken); string(b) != "somebody's" {
		t.Error("it was written over")
	}
	if err := os.Remove(taken); err != nil {
		t.Fatal(err)
	}
	if sent, err := ship.Ship(t.Context()); err != nil || sent != 2 {
		t.Errorf("then: %d sent, %v", sent, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".new-*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// far is a server on another machine that may fail.
type far struct {
	mu     sync.Mutex
	files  map[string][]byte
	order  []string
	status int  // instead of taking a file
	lose   bool // take the file and fail all the same
}

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	had, taken := f.files[r.URL.Path]
	switch {
	case r.Method == http.MethodGet && taken:
		_, _ = w.Write(had)
	case f.status != 0:
		w.WriteHeader(f.status)
	case taken && r.Header.Get("If-None-Match") == "*":
		w.WriteHeader(http.StatusPreconditionFailed)
	default:
		b, _ := io.ReadAll(r.Body)
		f.files[r.URL.Path], f.order = b, append(f.order, r.URL.Path)
		if f.lose {
			w.WriteHeader(http.StatusBadGateway)
		}
	}
}

func TestShipByHTTP(t *testing.T) {
	t.Parallel()
	s, k, public := chain(t, 25)
	f := &far{files: map[string][]byte{}, status: http.StatusServiceUnavailable}
	server := httptest.NewServer(f)
	defer server.Close()
	sink, err := Open(server.URL + "/audit")
	if err != nil {
		t.Fatal(err)
	}
	ship := &Shipper{Source: s, Sink: sink, Node: "test", Key: public}
	set := func(status int, lose bool) { f.mu.Lock(); f.status, f.lose = status, lose; f.mu.Unlock() }
	if sent, err := ship.Ship(t.Context()); err == nil || sent != 0 {
		t.Fatalf("%d sent to a server that is down", sent)
	}
	if behind, err := ship.Behind(t.Context(), time.Now().Add(time.Hour)); err != nil || behind < time.Hour {
		t.Errorf("behind %v, %v", behind, err)
	}
	set(0, true) // the answer is lost after the effect
	for range 4 {
		if _, err := ship.Ship(t.Context()); err == nil {
			t.Fatal("a lost answer counted as kept")
		}
	}
	set(0, false)
	if _, err := ship.Ship(t.Context()); err != nil {
		t.Fatal(err)
	}
	if behind, err := ship.Behind(t.Context(), time.Now().Add(time.Hour)); err != nil || behind != 0 {
		t.Errorf("behind %v, %v", behind, err)
	}
	want := "/audit/test.pub /audit/test-000000000001.jsonl /audit/test-000000000002.jsonl /audit/test-000000000003.jsonl"
	if got := strings.Join(f.order, " "); got != want {
		t.Errorf("order %s", got)
	}
	more(t, s, k, 1)
	f.mu.Lock()
	f.files["/audit/test-000000000004.jsonl"] = []byte("somebody's")
	f.mu.Unlock()
	if _, err := ship.Ship(t.Context()); !errors.Is(err, errDiffers) {
		t.Errorf("another file under the name: %v", err)
	}
}

func TestShipToAProgram(t *testing.T) {
	t.Parallel()
	s, _, public := chain(t, 5)
	dir := t.TempDir()
	script := filepath.Join(dir, "print")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ncat > \"$1/$2\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	sink, err := Open("exec:" + script + " " + dir)
	if err != nil {
		t.Fatal(err)
	}
	if sent, err := (&Shipper{Source: s, Sink: sink, Node: "test", Key: public}).Ship(t.Context()); err != nil || sent != 1 {
		t.Fatalf("%d sent, %v", sent, err)
	}
	if n := whole(t, dir); n != 5 {
		t.Errorf("%d records", n)
	}
	broken, err := Open("exec:/bin/false")
	if err != nil {
		t.Fatal(err)
	}
	if err := broken.Put(t.Context(), "x", nil); err == nil {
		t.Error("a program that fails counted as done")
	}
}

func TestTargetsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"", filepath.Join(t.TempDir(), "not-mounted"), file, "exec:", "exec: ", "https://"} {
		if _, err := Open(target); err == nil {
			t.Errorf("%q was taken", target)
		}
	}
	sink, err := Open("http://user:secret@127.0.0.1:1/")
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Put(t.Context(), "x", nil); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}

func TestSegmentsRefused(t *testing.T) {
	t.Parallel()
	s, _, _ := chain(t, 3)
	points, err := s.Checkpoints(t.Context(), "test", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	good, err := Segment(t.Context(), s, points[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(good, []byte("\n"))
	for name, data := range map[string][]byte{
		"no checkpoint": bytes.Join(lines[:3], nil), "more after it": append(bytes.Clone(good), lines[0]...), "cut off": good[:len(good)-1], "nothing": nil,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "test-000000000001.jsonl"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Read("test", 1, func(audit.Record) error { return nil }); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	if _, err := Segment(context.Background(), s, audit.Statement{Checkpoint: audit.Checkpoint{Node: "test", Size: 9}}, 0); err == nil {
		t.Error("a segment of records that are not there")
	}
}

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/archive"
	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/store"
)

// during serves until everything answers, then as long as during takes.
func during(t *testing.T, s *server, during func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.serve(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
		during()
	case err := <-done:
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func actions(t *testing.T, dir, prefix string) (all []audit.Record, text string) {
	t.Helper()
	s, err := store.OpenAudit(t.Context(), filepath.Join(dir, "senim.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if all, err = s.FindAudit(t.Context(), store.AuditQuery{Action: prefix, Limit: 1000}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all {
		names = append(names, strings.TrimPrefix(r.Action, prefix))
	}
	return all, strings.Join(names, " ")
}

// An orderly stop, a kill, and what the next start says of it; the copy off the host has everything.
func TestSec6StartAndStopAreRecorded(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	s := mustOpen(t, dir, "-cast=false", "-node", "n1", "-audit.export", out)
	during(t, s, func() {
		s.auditor.ocsp = func() ca.Counts { return ca.Counts{Kept: 1, Good: 2} }
		if err := s.auditor.health(t.Context()); err != nil {
			t.Errorf("health: %v", err)
		}
	})
	s.close()
	killed := mustOpen(t, dir, "-cast=false", "-node", "n1", "-audit.export", out)
	if err := killed.auditor.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	killed.auditor.started = false // it never gets to its end
	killed.close()
	third := mustOpen(t, dir, "-cast=false", "-node", "n1", "-audit.export", out)
	during(t, third, func() {})
	third.close()

	records, text := actions(t, dir, "server.")
	if text != "started stopped started crashed started stopped" {
		t.Fatalf("recorded: %s", text)
	}
	if d := records[0].Detail; d["version"] == "" || d["go"] == "" || !strings.HasPrefix(d["config"], "h:") || d["config"] == records[2].Detail["config"] {
		t.Errorf("start: %v, then %v (ports differ)", d, records[2].Detail)
	}
	if answered, _ := actions(t, dir, "ocsp."); len(answered) != 1 || answered[0].Detail["count"] != "3" {
		t.Errorf("answers: %v", answered)
	}
	if _, text := actions(t, dir, "clock."); text != "checked checked checked" {
		t.Errorf("clock: %s", text)
	}
	f, err := archive.OpenFolder(out)
	if err != nil {
		t.Fatal(err)
	}
	key, err := f.Key("n1")
	if err != nil {
		t.Fatal(err)
	}
	trail, err := audit.NewTrail("n1", key)
	if err != nil {
		t.Fatal(err)
	}
	var last string
	for _, n := range f.Segments("n1") {
		p, err := f.Read("n1", n, func(r audit.Record) error { last = r.Action; return trail.Add(r) })
		if err == nil {
			err = trail.Mark(p)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if last != "server.stopped" {
		t.Errorf("the copy ends with %q", last)
	}
}

// A server whose export fails says so in its health, and is well again when it caught up.
func TestSec6ExportBehindIsSeen(t *testing.T) {
	t.Parallel()
	down := true
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer far.Close()
	s := mustOpen(t, t.TempDir(), "-cast=false", "-audit.export", far.URL, "-audit.alarm", "10m")
	defer s.close()
	a := s.auditor
	if err := a.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.turn(t.Context(), false)
	if err := a.health(t.Context()); err != nil {
		t.Errorf("at once: %v", err)
	}
	now := a.now
	a.now = func() time.Time { return now().Add(11 * time.Minute) }
	if err := a.health(t.Context()); err == nil {
		t.Error("nothing left the machine for eleven minutes, and all is well")
	}
	down = false
	a.turn(t.Context(), false)
	if err := a.health(t.Context()); err != nil {
		t.Errorf("caught up: %v", err)
	}
}

// A lost key of the audit is not replaced by another.
func TestSec6ALostAuditKeyIsNotReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir, "-cast=false", "-node", "n1")
	if err := s.auditor.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.close()
	key := filepath.Join(dir, "vault", "audit.key")
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	if s, err := try(t, dir, "-cast=false", "-node", "n1"); err == nil {
		s.close()
		t.Error("another key was made")
	}
	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir, "-cast=false", "-node", "n1").close()
}

// What commands of a restore recorded, in a chain of its own, is signed at the next start.
func TestSec6ChainsOfARestoreAreSigned(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	mustOpen(t, dir, "-cast=false", "-node", "n1").close()
	command := store.ConsoleNode() + "-rescue-20261127T120000.000"
	s := mustOpen(t, dir, "-cast=false", "-node", "n1") // opens the database with the installation's key
	s.store.UseNode(command)
	if err := s.store.Record(t.Context(), audit.Event{Action: "server.started", Actor: "console", Result: "ok"}); err != nil {
		t.Fatal(err)
	}
	s.close()
	next := mustOpen(t, dir, "-cast=false", "-node", "n1", "-audit.export", out)
	during(t, next, func() {})
	p, err := next.store.LastCheckpoint(t.Context(), command)
	next.close()
	if err != nil || p.Number != 1 || p.Size != 1 {
		t.Errorf("checkpoint %+v: %v", p, err)
	}
	f, err := archive.OpenFolder(out)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Segments(command)) != 1 {
		t.Error("it did not leave the machine")
	}
}

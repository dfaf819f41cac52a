package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/ca"
	"senim/internal/feed"
	"senim/internal/mailbox"
	"senim/internal/tlog"
	"senim/pki"
)

// Whoever has the authority issue, past the cabinet too: the holder is told by letter, once, and can prove
// that the certificate stands in the public log. Nobody is told of the keys the demo begins with.
func TestEveryIssueIsToldAndLogged(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir(), "-log.origin", "test.example/log")
	defer s.close()
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.serve(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	who := cast()[1]
	had, err := s.ca.ByHolder(ctx, who.iin, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.seedKey(ctx, who, who.keys[0], "insider-k0", filepath.Join(t.TempDir(), "k"), time.Now()); err != nil {
		t.Fatal(err)
	}
	all, err := s.ca.ByHolder(ctx, who.iin, "")
	if err != nil || len(all) != len(had)+1 {
		t.Fatalf("%d certificates, %v", len(all), err)
	}
	serial := newest(had, all)
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	told := 0
	if _, err := s.mail.Wait(wait, func(l mailbox.Letter) bool {
		if strings.Contains(l.Subject, "На ваше имя выпущен") {
			told++
		}
		return strings.Contains(l.Text, "…"+serial[36:]) && strings.Contains(l.Subject, "На ваше имя выпущен")
	}); err != nil || told != 1 {
		t.Errorf("%d letters about certificates issued, %v", told, err)
	}
	receipt, err := s.issueLog.Receipt(wait, serial)
	for errors.Is(err, feed.ErrNotFound) && wait.Err() == nil {
		<-time.After(20 * time.Millisecond)
		receipt, err = s.issueLog.Receipt(wait, serial)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.issueLog.Key(ctx)
	if err != nil {
		t.Fatal(err)
	}
	key, err := tlog.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.ca.Certificate(ctx, serial)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := pki.ParseCertificate(info.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if at, err := receipt.Check(key, cert); err != nil || key.Origin() != "test.example/log" {
		t.Errorf("%+v, %v", at, err)
	}
	for path, want := range map[string]int{"/log/checkpoint": 200, "/log/key": 200, "/log/health": 200, "/log/.writer": 404, "/": 200} {
		w := httptest.NewRecorder()
		for _, one := range s.sites {
			if one.name == "responder" {
				one.handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
			}
		}
		if w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if other, err := try(t, s.c.data, "-log.origin", "other.example/log"); err == nil {
		other.close()
		t.Error("the log got another name")
	}
}

// newest is the serial that was not there before.
func newest(had, all []ca.Info) string {
	for _, i := range all {
		if !slices.ContainsFunc(had, func(h ca.Info) bool { return h.Serial == i.Serial }) {
			return i.Serial
		}
	}
	return ""
}

package main

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"senim/internal/mailbox"
)

// With smtp.url set letters go to that server, and the built-in mail box takes and shows none.
func TestLettersGoToTheConfiguredServer(t *testing.T) {
	t.Parallel()
	theirs := mailbox.New(nil)
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- theirs.Serve(ctx, ln) }()
	s := mustOpen(t, t.TempDir(), "-smtp.url", "smtp://"+ln.Addr().String()+"?tls=none")
	defer s.close()
	if s.mail != nil {
		t.Error("the built-in mail box is open too")
	}
	go func() { done <- s.serve(ctx, func() {}) }()
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if _, err := theirs.Wait(wait, func(l mailbox.Letter) bool { return strings.Contains(l.Text, s.c.cabinet.origin) }); err != nil {
		t.Errorf("the reminder of an expiring key did not come: %v", err)
	}
	stop()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

package freeport

import (
	"net"
	"testing"
)

// TestHold: a port is held by one, is none that the system gives away by itself, and is free when let go.
func TestHold(t *testing.T) {
	held := map[string]bool{}
	for range 50 {
		l, err := Hold(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() //nolint:revive // a test's
		a := l.Addr().(*net.TCPAddr)
		if held[a.String()] || a.Port >= 32768 || !a.IP.IsLoopback() {
			t.Errorf("%v", a)
		}
		held[a.String()] = true
	}
	l, err := Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := net.Listen("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

package agent

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/windows"
)

// TestPortIsNotShared: a program that asks Windows to share the agent's address does not get it.
func TestPortIsNotShared(t *testing.T) {
	b := bring(t)
	share := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(socket uintptr) {
			set = windows.SetsockoptInt(windows.Handle(socket), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
		})
		return errors.Join(err, set)
	}}
	l, err := share.Listen(t.Context(), "tcp", b.agent.Addr())
	if err == nil {
		_ = l.Close()
		t.Fatal("another program shares the agent's port")
	}
	if !errors.Is(err, windows.WSAEACCES) && !errors.Is(err, windows.WSAEADDRINUSE) {
		t.Error(err)
	}
}

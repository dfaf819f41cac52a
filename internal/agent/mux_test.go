package agent

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// ill is a listener that fails until a moment, then takes one connection.
type ill struct {
	net.Listener // nil: not used
	err          error
	until        time.Time
	asked        atomic.Int64
	conn, end    chan net.Conn
}

func (l *ill) Accept() (net.Conn, error) {
	l.asked.Add(1)
	if time.Now().Before(l.until) {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", l.err)}
	}
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.end:
		return nil, net.ErrClosed
	}
}

// TestAcceptGoesOn: a machine without descriptors is waited for, with pauses that grow, and it is said at once and each
// minute; a listener that is broken for good ends, and that is said too.
func TestAcceptGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		passes bool
	}{
		"no descriptors":             {syscall.EMFILE, true},
		"none in the whole system":   {syscall.ENFILE, true},
		"the peer went":              {syscall.ECONNABORTED, true},
		"Windows has no sockets":     {syscall.Errno(10024), true},
		"it is no socket any more":   {syscall.EBADF, false},
		"it is not open for anybody": {syscall.EINVAL, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &buffer{}
				ctx, cancel := context.WithCancel(t.Context())
				l := &ill{err: c.err, until: time.Now().Add(150 * time.Second), conn: make(chan net.Conn, 1), end: make(chan net.Conn)}
				m := newMux(ctx, mux{Listener: l, log: slog.New(slog.NewTextHandler(log, nil)), most: 1})
				defer synctest.Wait()
				defer cancel()
				defer close(l.end)
				ours, theirs := net.Pipe()
				defer func() { _ = ours.Close() }()
				l.conn <- theirs
				go func() { _, _ = ours.Write([]byte("G")) }()
				got, err := m.Accept()
				said, asked := strings.Count(log.String(), "\n"), l.asked.Load()
				if !c.passes {
					if !errors.Is(err, c.err) || asked != 1 || said != 1 {
						t.Errorf("%v after %d tries, said %d times", err, asked, said)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				_ = got.Close()
				if asked < 100 || asked > 200 || said != 3 {
					t.Errorf("%d tries in 150 seconds, said %d times:\n%s", asked, said, log)
				}
			})
		})
	}
}

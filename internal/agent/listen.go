package agent

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Listen binds the socket, on 127.0.0.1 and, where the machine has it, on ::1 with the same port, and then takes
// the data folder ([keystore.ErrInUse] when another agent has it). After an error nothing is bound or held.
func (a *Agent) Listen() (err error) {
	defer func() {
		if err != nil {
			a.unlisten()
		}
	}()
	host, port, err := net.SplitHostPort(a.config.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("listen: %s is not a loopback address", host)
	}
	first, err := listenConfig().Listen(context.Background(), "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	a.listeners = []net.Listener{first}
	_, a.port, _ = net.SplitHostPort(first.Addr().String())
	if host == "127.0.0.1" {
		second, err := listenConfig().Listen(context.Background(), "tcp6", net.JoinHostPort("::1", a.port))
		switch {
		case err == nil:
			a.listeners = append(a.listeners, second)
		case Taken(err):
			a.log.Warn("another program has [::1] with our port: pages that write localhost may reach it; senim-agent doctor says more")
		}
	}
	if a.release, err = a.hold(); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	a.wishLarge()
	return nil
}

// unlisten gives back what [Agent.Listen] took.
func (a *Agent) unlisten() {
	for _, l := range a.listeners {
		_ = l.Close()
	}
	a.listeners, a.port = nil, ""
	a.endLarge()
	if a.release != nil {
		a.release()
		a.release = nil
	}
}

// What Windows says of a port that is taken: WSAEADDRINUSE, and of one that is taken for its holder alone, by another user or
// by the system, WSAEACCES.
const inUseOnWindows, heldOnWindows = syscall.Errno(10048), syscall.Errno(10013)

// Taken tells whether an error of [Agent.Listen] is that another program has the port.
func Taken(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, inUseOnWindows) || errors.Is(err, heldOnWindows)
}

// Addr is the address of the socket, host and port; "" before [Agent.Listen].
func (a *Agent) Addr() string {
	if len(a.listeners) == 0 {
		return ""
	}
	return a.listeners[0].Addr().String()
}

// serve answers until ctx ends, or a listener does; cancel ends ctx.
func (a *Agent) serve(ctx context.Context, cancel context.CancelFunc) error {
	server := &http.Server{
		Handler: http.HandlerFunc(a.answer), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if t, ok := c.(*tls.Conn); ok {
				c = t.NetConn()
			}
			return context.WithValue(ctx, wireKey{}, c)
		},
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug), // handshakes that browsers retry
		Protocols: func() *http.Protocols {
			p := new(http.Protocols)
			p.SetHTTP1(true) // HTTP/2 has another way to open a WebSocket, which no client here uses
			return p
		}(),
	}
	done := make(chan error, len(a.listeners))
	for _, l := range a.listeners {
		go func() {
			done <- server.Serve(newMux(ctx, mux{Listener: l, log: a.log, config: a.authority.config(), most: maxOpen}))
		}()
	}
	var err error
	waiting := len(a.listeners)
	select {
	case <-ctx.Done():
	case err = <-done:
		waiting--
		if ctx.Err() != nil { // it ended because we do
			err = nil
		}
	}
	cancel()
	_ = server.Close()
	a.endLarge()
	a.notices.withdraw()
	for range waiting {
		<-done
	}
	a.crew.end()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// wireKey finds the connection under a request.
type wireKey struct{}

// wire is an accepted connection whose first byte was looked at. While corked, writes are kept and
// leave together: the greeting goes out in one piece with the answer to the upgrade.
type wire struct {
	net.Conn
	in    *bufio.Reader
	leave func() // the listener counts it no more; once

	mu     sync.Mutex
	corked bool
	kept   []byte
}

func (w *wire) Close() error {
	w.leave()
	return w.Conn.Close()
}

func (w *wire) Read(b []byte) (int, error) { return w.in.Read(b) }

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.corked {
		w.kept = append(w.kept, b...)
		return len(b), nil
	}
	return w.Conn.Write(b)
}

func (w *wire) cork() {
	w.mu.Lock()
	w.corked = true
	w.mu.Unlock()
}

func (w *wire) uncork() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.corked = false
	kept := w.kept
	w.kept = nil
	if len(kept) == 0 {
		return nil
	}
	_, err := w.Conn.Write(kept)
	return err
}

// mux tells TLS from plain HTTP on one port by the first byte: 0x16 begins a TLS handshake. The
// look happens outside Accept, so a silent peer holds nobody up.
type mux struct {
	net.Listener
	log     *slog.Logger
	config  *tls.Config
	most    int                  // connections at once
	welcome func(net.Conn) error // nil: everybody is, until he asks

	ctx    context.Context //nolint:containedctx // of who serves: it has no end but that
	ready  chan net.Conn
	failed chan error
}

// maxOpen bounds the connections of a listener, sockets or not.
const maxOpen = 512

// newMux begins to accept, until ctx ends.
func newMux(ctx context.Context, m mux) *mux {
	m.ctx, m.ready, m.failed = ctx, make(chan net.Conn), make(chan error, 1)
	go m.accept()
	return &m
}

// Pauses after connections could not be accepted, which double, and how often that is said.
const (
	firstPause = 5 * time.Millisecond
	mostPause  = time.Second
	sayIll     = time.Minute
)

func (m *mux) accept() {
	slots := make(chan struct{}, m.most)
	var pause time.Duration
	var said time.Time
	for {
		c, err := m.Listener.Accept()
		if err != nil {
			ending := m.ctx.Err() != nil || errors.Is(err, net.ErrClosed)
			if !ending && passing(err) {
				if now := time.Now(); said.IsZero() || now.Sub(said) >= sayIll {
					m.log.Warn("connections cannot be accepted just now", "err", err)
					said = now
				}
				pause = min(max(2*pause, firstPause), mostPause)
				select {
				case <-time.After(pause):
					continue
				case <-m.ctx.Done():
				}
			} else if !ending {
				m.log.Error("connections are not accepted any more", "err", err)
			}
			m.failed <- err
			return
		}
		pause = 0
		select {
		case slots <- struct{}{}:
		default:
			_ = c.Close()
			continue
		}
		go m.look(&wire{Conn: c, in: bufio.NewReader(c), leave: sync.OnceFunc(func() { <-slots })})
	}
}

// passing tells whether an error of accepting is none of the listener's: no descriptors or no memory are left, a peer is gone.
func passing(err error) bool {
	return slices.ContainsFunc(passingErrors, func(e syscall.Errno) bool { return errors.Is(err, e) })
}

// passingErrors are such errors, those of Windows by their numbers: WSAEMFILE, WSAECONNABORTED, WSAECONNRESET, WSAENOBUFS.
var passingErrors = []syscall.Errno{
	syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EINTR, syscall.ECONNABORTED, syscall.ECONNRESET,
	10024, 10053, 10054, 10055,
}

func (m *mux) look(c *wire) {
	if m.welcome != nil && m.welcome(c.Conn) != nil {
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	first, err := c.in.Peek(1)
	if err != nil {
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	var out net.Conn = c
	if first[0] == 0x16 {
		out = tls.Server(c, m.config)
	}
	select {
	case m.ready <- out:
	case <-m.ctx.Done():
		_ = c.Close()
	}
}

// Accept implements [net.Listener].
func (m *mux) Accept() (net.Conn, error) {
	select {
	case c := <-m.ready:
		return c, nil
	case err := <-m.failed:
		return nil, err
	case <-m.ctx.Done():
		return nil, net.ErrClosed
	}
}

package portal

import (
	"bytes"
	"log/slog"
	"sync"
)

// alerts is a log that is asked whether it holds an alert.
type alerts struct {
	mu  sync.Mutex
	log bytes.Buffer // under mu
}

func (a *alerts) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.Write(p)
}

func (a *alerts) logger() *slog.Logger { return slog.New(slog.NewTextHandler(a, nil)) }

func (a *alerts) raised() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return bytes.Contains(a.log.Bytes(), []byte("ALERT"))
}

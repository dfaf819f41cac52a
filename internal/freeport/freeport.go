// Package freeport finds ports for programs that must be told theirs before they run.
package freeport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Systems give away ports from 32768 (Linux) or 49152 up to everybody who asks for port 0 or connects
// somewhere: one from there may be gone by the time the program listens.
const first, count, tries = 20000, 12000, 100

// Hold listens on a free loopback port that nobody is given by chance. The caller closes it just before
// the program starts that is to have it.
func Hold(ctx context.Context) (net.Listener, error) {
	var err error
	for range tries {
		var l net.Listener
		port := first + rand.IntN(count) //nolint:gosec // a port is no secret
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return l, nil
		}
	}
	return nil, fmt.Errorf("find a free port: %w", err)
}

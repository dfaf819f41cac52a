package main

import (
	"context"
	"crypto/sha1" //nolint:gosec // serials of program serve are made of it
	"errors"
	"fmt"
	"math/big"
	"sync"

	"senim/algid"
	"senim/ocsp"
)

// memory asks a responder for a million certificates, each once, from several sides, and
// returns the most memory it had, in MiB.
func memory(ctx context.Context, r *runner, path string, all int) (float64, error) {
	s, err := startOurs(ctx, r, path, "-what", "million")
	if err != nil {
		return 0, err
	}
	defer s.stop()
	failed := make([]error, askers)
	var group sync.WaitGroup
	for i := range askers {
		group.Go(func() {
			a := asker{address: s.address}
			defer a.close()
			for n := i + 1; n <= all && failed[i] == nil; n += askers {
				der, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{{Hash: algid.SHA256, NameHash: s.name, KeyHash: s.key, Serial: serial(int64(n))}}})
				if err == nil {
					err = a.ask(ctx, fmt.Appendf(nil, "POST /ocsp/ HTTP/1.1\r\nHost: bench\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n%s", len(der), der))
				}
				failed[i] = err
			}
		})
	}
	group.Wait()
	if err := errors.Join(failed...); err != nil {
		return 0, fmt.Errorf("million: %w", err)
	}
	size, err := mostMemory(s.cmd.Process.Pid)
	if err != nil {
		return 0, fmt.Errorf("million: %w", err)
	}
	return size, nil
}

// serial is the one of program serve.
func serial(i int64) *big.Int {
	sum := sha1.Sum(big.NewInt(i).Bytes()) //nolint:gosec // spread, not secret
	sum[0] = sum[0]&0x7f | 0x10
	return new(big.Int).SetBytes(sum[:])
}

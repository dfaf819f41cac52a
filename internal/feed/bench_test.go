package feed_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/feed"
	"senim/internal/logdir"
	"senim/internal/pkitest"
	"senim/internal/store"
)

// BenchmarkLog brings certificates from the audit chain into the log, everything included.
func BenchmarkLog(b *testing.B) {
	s, err := store.Open(b.Context(), store.Config{URL: filepath.Join(b.TempDir(), "senim.db"), Node: "n"})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	dir, a, ctx := filepath.Join(b.TempDir(), "log"), pkitest.New(b), b.Context()
	const n = 5000
	leaf := a.Individual()
	err = s.CA().Update(ctx, func(tx ca.Tx) error {
		for range n {
			c := a.Issue(pkitest.Spec{Key: leaf.Key}).Certificate
			sum := sha256.Sum256(c.Raw)
			h := hex.EncodeToString(sum[:])
			r := ca.Record{CA: "gost", Serial: c.SerialHex(), Order: h, Key: h, Profile: "individual", State: ca.Reserved, IIN: h[:12], Created: a.Now}
			done := r
			done.State, done.Raw = ca.Done, c.Raw
			event := audit.Event{Action: "ca.issued", Actor: "test", Object: r.Serial, Result: "ok", Detail: map[string]string{"sha256": h}}
			step := audit.Event{Action: "ca.will_sign", Actor: "test", Object: r.Serial, Result: "ok"}
			if err := errors.Join(tx.Reserve(ctx, r), tx.Advance(ctx, done), tx.Audit(ctx, step), tx.Audit(ctx, event)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	l, err := feed.OpenLog(ctx, feed.LogConfig{Store: s.Feed(), Fetch: logdir.Fetch(dir), Origin: "bench.example/log", Poll: time.Millisecond,
		Open: func(ctx context.Context, secret string) (feed.Folder, error) { return logdir.Open(ctx, dir, secret) }})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	b.ResetTimer()
	begin := time.Now()
	go func() { done <- l.Run(ctx) }()
	for l.Health().Size != n {
		<-time.After(time.Millisecond)
	}
	b.ReportMetric(n/time.Since(begin).Seconds(), "certificates/s")
	b.StopTimer()
	stop()
	if err := <-done; err != nil {
		b.Error(err)
	}
}

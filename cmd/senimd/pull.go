package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"senim/internal/fetch"
	"senim/internal/job"
	"senim/internal/registry"
)

// openPulls makes what fetches batches at the calendar's hours.
func (s *server) openPulls() (*registry.Puller, error) {
	c := s.c.registry
	var bounds fetch.Config
	if c.roots != "" {
		b, err := os.ReadFile(c.roots)
		if err != nil {
			return nil, fmt.Errorf("-registry.pull_roots: %w", err)
		}
		bounds.Roots = x509.NewCertPool()
		if !bounds.Roots.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("-registry.pull_roots: %s: no certificates", c.roots)
		}
	}
	if len(c.pull) > 0 && len(c.signers) == 0 {
		return nil, errors.New("-registry.pull: batches that are fetched are signed, and nobody may sign: -registry.trusted_signers")
	}
	origins := map[string]registry.Origin{}
	for source, place := range c.pull {
		origin, err := fetch.New(place, bounds)
		if err != nil {
			return nil, fmt.Errorf("-registry.pull %s: %w", source, err)
		}
		origins[source] = origin
	}
	p, err := registry.NewPuller(s.imports, origins)
	if err != nil {
		return nil, fmt.Errorf("-registry.pull: %w", err)
	}
	return p, nil
}

const (
	// pullEvery is how often it is looked whether the calendar expects a batch.
	pullEvery = time.Minute
	// pullBound is how long fetching a batch and taking it in may take. A node that dies meanwhile keeps others from
	// fetching for as long.
	pullBound = time.Hour
)

// handlePulls joins the jobs that fetch batches.
func (s *server) handlePulls() {
	s.store.HandleLong(registry.KindPull, pullBound, task(func(ctx context.Context, j registry.PullJob) error { return s.pulls.Try(ctx, j.Source) }))
	for source := range s.c.registry.pull {
		s.store.Every(pullEvery, job.Job{Kind: registry.KindPull, Payload: registry.PullJob{Source: source}, Unique: source})
	}
}

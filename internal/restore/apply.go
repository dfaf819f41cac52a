package restore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/ca"
	"senim/internal/ra"
	"senim/internal/store"
)

// Done is what [Found.Apply] did.
type Done struct {
	*ca.Difference
	Work ra.Reapplied
	// Letters are messages that were waiting when the copy was made. They may have gone out since, and an
	// operator decides about them.
	Letters int64
	// Records of the audit of so many nodes were put back.
	Records int64
	Nodes   int
}

// Apply brings in what the database lacks, and keeps what an older copy has in hand from being done a
// second time. The audit comes last: see the package comment.
func (f *Found) Apply(ctx context.Context, s *store.Store, service *ca.Service, by string) (done Done, err error) {
	if done.Difference, err = service.Reconcile(ctx, f.Evidence, by); err != nil {
		return done, err
	}
	if err := s.SkipStamps(ctx); err != nil {
		return done, err
	}
	if err := s.SkipInstances(ctx); err != nil {
		return done, err
	}
	if done.Work, err = ra.Reapply(ctx, s.RA(), f.Work, holders(service), by); err != nil {
		return done, fmt.Errorf("applications: %w", err)
	}
	if done.Letters, err = s.HoldOutbox(ctx, f.newest()); err != nil {
		return done, err
	}
	done.Records, done.Nodes, err = f.Import(ctx, s)
	return done, err
}

// newest is up to when is known what the installation did; zero when no audit says so.
func (f *Found) newest() (at time.Time) {
	for _, c := range f.Chains {
		if c.last.After(at) {
			at = c.last
		}
	}
	return at
}

func holders(service *ca.Service) ra.Holders {
	return func(ctx context.Context, serial string) (iin, bin, name string, err error) {
		i, err := service.Certificate(ctx, serial)
		if errors.Is(err, ca.ErrNotFound) {
			return "", "", "", ra.ErrNoKey
		}
		if err != nil {
			return "", "", "", err
		}
		return i.IIN, i.BIN, i.Name, nil
	}
}

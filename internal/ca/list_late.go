package ca

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Unlisted is a list that does not know a revocation yet, or a change of one.
type Unlisted struct {
	// CA and Shard name the list; Shard is "" for the one of all certificates.
	CA, Shard string
	// Since is when the first of them was made.
	Since time.Time
}

// Unlisted tells which lists, of authorities that are alive, do not know all revocations. New ones are on their way
// within seconds; what stays here for long could not be published.
func (s *Service) Unlisted(ctx context.Context) ([]Unlisted, error) {
	var out []Unlisted
	for _, name := range s.order {
		a := s.authorities[name]
		if !a.works() || !s.now().Before(a.cert.NotAfter) {
			continue
		}
		var of []Unlisted
		err := s.store.View(ctx, func(tx Tx) (err error) {
			of, err = unlisted(ctx, tx, a)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("look for late lists of %s: %w", name, err)
		}
		out = append(out, of...)
	}
	return out, nil
}

func unlisted(ctx context.Context, tx Tx, a *authority) (out []Unlisted, err error) {
	late, err := behind(ctx, tx, a.name, append(a.shards(), ""))
	if err != nil || len(late) == 0 {
		return nil, err
	}
	heads, err := tx.Heads(ctx, a.name)
	if err != nil {
		return nil, err
	}
	for _, shard := range late {
		known := int64(0) // a list that was never made knows nothing
		for i, h := range heads {
			if h.Shard == shard && (known == 0 || h.Epoch < known) {
				known = heads[i].Epoch
			}
		}
		since, err := tx.Unlisted(ctx, a.name, shard, known)
		if errors.Is(err, ErrNotFound) {
			continue // it is missing, and nothing is
		}
		if err != nil {
			return nil, err
		}
		out = append(out, Unlisted{CA: a.name, Shard: shard, Since: since})
	}
	return out, nil
}

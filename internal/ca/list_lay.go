package ca

import (
	"context"
	"errors"
	"sync"
)

// laying takes stored lists to where they are read from, each once.
type laying struct {
	put func(ctx context.Context, name string, delta bool, l *List) error

	mu   sync.Mutex
	done map[listKey]int64 // the number of the list that was taken there last
}

// lay tells of the lists of an authority that nobody was told of. What was told stays told when another
// fails.
func (s *Service) lay(ctx context.Context, a *authority) error {
	if s.laying.put == nil {
		return nil
	}
	s.laying.mu.Lock()
	defer s.laying.mu.Unlock()
	var failed []error
	for _, shard := range append(a.shards(), "") {
		name := a.name
		if shard != "" {
			name += "/" + shard
		}
		for _, delta := range []bool{false, true} {
			key := listKey{a.name, shard, delta}
			l, err := s.CRL(ctx, name, delta)
			if errors.Is(err, ErrNotFound) || err == nil && s.laying.done[key] == l.Number {
				continue
			}
			if err == nil {
				err = s.laying.put(ctx, name, delta, l)
			}
			if err != nil {
				failed = append(failed, err)
				continue
			}
			if s.laying.done == nil {
				s.laying.done = map[listKey]int64{}
			}
			s.laying.done[key] = l.Number
		}
	}
	return errors.Join(failed...)
}

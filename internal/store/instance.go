package store

import (
	"context"
	"errors"
	"fmt"
)

// Instance is the byte that tells this node's random serials from those of the others that share the
// database (security.md §4): the same at every start, until [Store.SkipInstances]. Ceremonies and commands
// of the console, which no node is, have 0.
func (s *Store) Instance(ctx context.Context) (byte, error) {
	var number int64
	err := s.update(ctx, func(t *tx) (err error) {
		number, err = one(ctx, t, errNoRow, value[int64], `select number from ca_instances where node = $1`, s.node)
		if errors.Is(err, errNoRow) {
			number, err = one(ctx, t, nil, value[int64],
				`insert into ca_instances (node, number) select $1, coalesce(max(number), 0) + 1 from ca_instances where true returning number`, s.node)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("number of the node: %w", err)
	}
	return byte(1 + (number-1)%255), nil
}

// instanceLeap is more nodes than join between a copy of the database and its loss.
const instanceLeap = 16

// SkipInstances makes every node take another number at its next start: an older copy of the database
// does not know which were given since.
func (s *Store) SkipInstances(ctx context.Context) error {
	err := s.update(ctx, func(t *tx) error {
		last, err := one(ctx, t, nil, value[int64], `select coalesce(max(number), 0) from ca_instances`)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `delete from ca_instances`); err != nil {
			return err
		}
		_, err = t.exec(ctx, `insert into ca_instances (node, number) values ('', $1)`, last+instanceLeap)
		return err
	})
	if err != nil {
		return fmt.Errorf("skip numbers of nodes: %w", err)
	}
	return nil
}

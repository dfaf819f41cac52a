package feed

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/tlog"
)

// recover makes folder and database agree before anything is added: what was given a place and does not
// stand there is written; what stands there and is unknown to an older database gets its place. A folder
// that is not the log of this database is refused.
func (l *Log) recover(ctx context.Context, folder Folder) error {
	var s State
	err := l.c.Store.View(ctx, func(tx Tx) (err error) {
		s, err = tx.State(ctx)
		return err
	})
	if err != nil {
		return err
	}
	size, err := folder.Size()
	if err != nil {
		return err
	}
	files := tlog.NewLog(l.key, l.c.Fetch)
	if size < s.Written {
		return fmt.Errorf("the folder has %d entries of a log that had %d: it is an older copy, or another log; nothing is written", size, s.Written)
	}
	root, err := files.Root(s.Written)
	if err != nil {
		return err
	}
	if s.Written > 0 && root != s.Root {
		return fmt.Errorf("the first %d entries of the folder are not those of this log; nothing is written", s.Written)
	}
	if err := l.compare(ctx, files, size, s.Written, min(size, s.Planned)); err != nil {
		return err
	}
	if size > s.Planned {
		err = l.adopt(ctx, files, s.Planned, size)
	} else {
		err = l.finish(ctx, folder, size, s.Planned)
	}
	if err == nil {
		l.writing(max(size, s.Planned))
	}
	return err
}

// compare wants the entries [from, to) of the folder to be those that were given these places.
func (l *Log) compare(ctx context.Context, files *tlog.Log, size, from, to int64) error {
	for from < to {
		places, err := l.places(ctx, from, to)
		if err != nil {
			return err
		}
		raw, err := files.Raw(size, from, from+int64(len(places)))
		if err != nil {
			return err
		}
		for i, p := range places {
			if tlog.Leaf(raw[i]) != p.Leaf {
				return fmt.Errorf("entry %d of the folder is not what was written down for it; nothing is written", p.Position)
			}
		}
		from += int64(len(places))
	}
	return nil
}

// places reads places [from, to), at most a piece of them, without a gap.
func (l *Log) places(ctx context.Context, from, to int64) (all []Place, err error) {
	err = l.c.Store.View(ctx, func(tx Tx) error {
		all, err = tx.Places(ctx, from, int(min(to-from, piece)))
		return err
	})
	for i, p := range all {
		if p.Position != from+int64(i) {
			return nil, fmt.Errorf("place %d of the log is not in the database", from+int64(i))
		}
	}
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("place %d of the log is not in the database", from)
	}
	return all, err
}

// adopt gives places to entries that an older database, put back from a backup, does not know. The
// certificates themselves it does not know either: that is for `senim log verify` and the operator.
func (l *Log) adopt(ctx context.Context, files *tlog.Log, from, to int64) error {
	l.c.Log.ErrorContext(ctx, "the public log knows certificates this database does not: it was put back from a backup; "+
		"reconcile before issuing", "first", from, "entries", to-from)
	for from < to {
		end := min(from+piece, to)
		raw, err := files.Raw(to, from, end)
		if err != nil {
			return err
		}
		places := make([]Place, len(raw))
		for i, r := range raw {
			e, err := tlog.Parse(r)
			if err != nil {
				return fmt.Errorf("entry %d of the folder: %w", from+int64(i), err)
			}
			places[i] = Place{from + int64(i), e.SerialHex(), tlog.Leaf(r)}
		}
		_, err = l.hold(ctx, func(tx Tx, s *State) error {
			if s.Planned != from {
				return errLost
			}
			s.Planned = end
			return tx.AddPlaces(ctx, places)
		})
		if errors.Is(err, ErrExists) {
			return fmt.Errorf("entries %d and following of the folder stand elsewhere in the database; nothing is written", from)
		}
		if err != nil {
			return err
		}
		from = end
	}
	return nil
}

// finish writes what was given places [from, to) before a crash: the same entries, to the same places.
func (l *Log) finish(ctx context.Context, folder Folder, from, to int64) error {
	for from < to {
		places, err := l.places(ctx, from, to)
		if err != nil {
			return err
		}
		issued := make([]Issued, len(places))
		err = l.c.Store.View(ctx, func(tx Tx) (err error) {
			for i, p := range places {
				if issued[i], err = tx.Certificate(ctx, p.Serial); err != nil {
					return fmt.Errorf("certificate %s: %w", p.Serial, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		entries, err := l.entries(ctx, issued)
		if err != nil {
			return err
		}
		for i, p := range places {
			if tlog.Leaf(entries[i]) != p.Leaf {
				return fmt.Errorf("certificate %s does not give the entry that was written down for it; nothing is written", p.Serial)
			}
		}
		s, err := l.hold(ctx, func(Tx, *State) error { return nil })
		if err != nil {
			return err
		}
		if err := l.append(ctx, folder, s, from, entries); err != nil {
			return err
		}
		from += int64(len(places))
	}
	return nil
}

package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"senim/internal/feed"
)

// Feed is the store of those who follow what was issued.
func (s *Store) Feed() feed.Store {
	return domain[feed.Tx]{s, func(t *tx) feed.Tx { return feedTx{t} }}
}

type feedTx struct{ *tx }

// Nodes walks from one node to the next, so that the length of the chains does not matter.
func (t feedTx) Nodes(ctx context.Context) (all []string, err error) {
	for last := ""; ; {
		node, err := one(ctx, t.tx, errNoRow, value[string], `select node from audit where node > $1 order by node limit 1`, last)
		if errors.Is(err, errNoRow) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all, last = append(all, node), node
	}
}

func (t feedTx) Tail(ctx context.Context, node string) (int64, error) {
	return one(ctx, t.tx, nil, value[int64], `select coalesce(max(seq), 0) from audit where node = $1`, node)
}

func (t feedTx) Issued(ctx context.Context, node string, after int64, limit int) (all []feed.Issued, last int64, err error) {
	last = after
	_, err = list(ctx, t.tx, func(r row) (struct{}, error) {
		i := feed.Issued{Node: node}
		var when int64
		var action, detail string
		err := r.Scan(&i.Seq, &when, &action, &i.Actor, &i.Serial, &detail, &i.Raw, &i.IIN, &i.BIN, &i.CA, &i.Profile)
		if err != nil {
			return struct{}{}, err
		}
		last = i.Seq
		if action != issuedAction {
			return struct{}{}, nil
		}
		var facts map[string]string
		if err := fromText(detail, &facts); err != nil {
			return struct{}{}, err
		}
		i.At, i.Sum = at(when), facts["sha256"]
		all = append(all, i)
		return struct{}{}, nil
	}, `select a.seq, a.at, a.action, a.actor, a.object, a.detail, c.raw,
			coalesce(c.iin, ''), coalesce(c.bin, ''), coalesce(c.ca, ''), coalesce(c.profile, '')
		from audit a left join ca_certificates c on a.action = '`+issuedAction+`' and c.serial = a.object and c.state = 'issued'
		where a.node = $1 and a.seq > $2 order by a.seq limit $3`, node, after, limit)
	return all, last, err
}

// issuedAction is what the authority's audit records of certificates issued are called.
const issuedAction = "ca.issued"

func (t feedTx) Cursor(ctx context.Context, name, node string) (int64, error) {
	return one(ctx, t.tx, nil, value[int64], `select seq from feed_cursors where feed = $1 and node = $2`, name, node)
}

func (t feedTx) SetCursor(ctx context.Context, name, node string, seq int64) error {
	_, err := t.exec(ctx, `insert into feed_cursors (feed, node, seq) values ($1, $2, $3)
		on conflict (feed, node) do update set seq = excluded.seq`, name, node, seq)
	return err
}

func (t feedTx) Begun(ctx context.Context, name string) (bool, error) {
	n, err := one(ctx, t.tx, nil, value[int64], `select count(*) from feed_cursors where feed = $1`, name)
	return n > 0, err
}

func (t feedTx) State(ctx context.Context) (feed.State, error) {
	return one(ctx, t.tx, feed.ErrNotFound, func(r row) (s feed.State, err error) {
		var until int64
		var sealed, root []byte
		if err := r.Scan(&s.Origin, &s.Key, &sealed, &s.Writer, &until, &s.Planned, &s.Written, &root); err != nil {
			return s, err
		}
		s.Until = at(until)
		copy(s.Root[:], root)
		s.Secret, err = t.s.open("log-key", sealed)
		return s, err
	}, `select origin, public_key, private_key, writer, until, planned, written, root from log_state where id = 1`)
}

func (t feedTx) SaveState(ctx context.Context, s feed.State) error {
	sealed, err := t.s.seal("log-key", s.Secret)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into log_state (id, origin, public_key, private_key, writer, until, planned, written, root)
		values (1, $1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do update set writer = excluded.writer, until = excluded.until,
		planned = excluded.planned, written = excluded.written, root = excluded.root`,
		s.Origin, s.Key, sealed, s.Writer, ms(s.Until), s.Planned, s.Written, s.Root[:])
	return err
}

// holder is how a number is kept beside its salt.
func (t feedTx) holder(number string) string { return fmt.Sprintf("%x", t.s.mac("log-holder", number)) }

func (t feedTx) Salts(ctx context.Context, holders []string) (map[string][]byte, error) {
	numbers, keys := map[string]string{}, make([]any, len(holders))
	for i, n := range holders {
		h := t.holder(n)
		numbers[h], keys[i] = n, h
	}
	salts := map[string][]byte{}
	err := t.among(keys, func(places string, keys []any) error {
		_, err := list(ctx, t.tx, func(r row) (struct{}, error) {
			var h string
			var sealed []byte
			if err := r.Scan(&h, &sealed); err != nil {
				return struct{}{}, err
			}
			salt, err := t.s.open("log-salt/"+h, sealed)
			salts[numbers[h]] = salt
			return struct{}{}, err
		}, `select holder, sealed from log_salts where holder in (`+places+`)`, keys...)
		return err
	})
	return salts, err
}

// among calls f with placeholders and values of a list, a few hundred at a time.
func (t feedTx) among(all []any, f func(places string, values []any) error) error {
	const most = 500
	for len(all) > 0 {
		some := all[:min(len(all), most)]
		all = all[len(some):]
		if err := f(placeholders(1, len(some)), some); err != nil {
			return err
		}
	}
	return nil
}

// placeholders are n of them, from a number on, with commas.
func placeholders(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(from+i))
	}
	return b.String()
}

func (t feedTx) AddSalt(ctx context.Context, number string, salt []byte) error {
	h := t.holder(number)
	sealed, err := t.s.seal("log-salt/"+h, salt)
	if err != nil {
		return err
	}
	return changed(feed.ErrExists)(t.exec(ctx, `insert into log_salts (holder, sealed, created) values ($1, $2, $3)
		on conflict do nothing`, h, sealed, ms(t.now())))
}

func (t feedTx) AddPlaces(ctx context.Context, all []feed.Place) error {
	const most = 200
	for len(all) > 0 {
		some := all[:min(len(all), most)]
		all = all[len(some):]
		var rows []string
		var args []any
		for i, p := range some {
			rows = append(rows, "("+placeholders(3*i+1, 3)+")")
			args = append(args, p.Position, p.Serial, p.Leaf[:])
		}
		n, err := t.exec(ctx, `insert into log_entries (position, serial, leaf) values `+strings.Join(rows, ", ")+` on conflict do nothing`, args...)
		if err != nil {
			return err
		}
		if n != int64(len(some)) {
			return feed.ErrExists
		}
	}
	return nil
}

func scanPlace(r row) (p feed.Place, err error) {
	var leaf []byte
	err = r.Scan(&p.Position, &p.Serial, &leaf)
	copy(p.Leaf[:], leaf)
	return p, err
}

func (t feedTx) Place(ctx context.Context, serial string) (feed.Place, error) {
	return one(ctx, t.tx, feed.ErrNotFound, scanPlace, `select position, serial, leaf from log_entries where serial = $1`, serial)
}

func (t feedTx) Places(ctx context.Context, from int64, limit int) ([]feed.Place, error) {
	return list(ctx, t.tx, scanPlace, `select position, serial, leaf from log_entries where position >= $1 order by position limit $2`, from, limit)
}

func (t feedTx) Placed(ctx context.Context, serials []string) (map[string]bool, error) {
	keys := make([]any, len(serials))
	for i, s := range serials {
		keys[i] = s
	}
	placed := map[string]bool{}
	err := t.among(keys, func(places string, keys []any) error {
		found, err := list(ctx, t.tx, value[string], `select serial from log_entries where serial in (`+places+`)`, keys...)
		for _, s := range found {
			placed[s] = true
		}
		return err
	})
	return placed, err
}

func (t feedTx) Certificate(ctx context.Context, serial string) (feed.Issued, error) {
	return one(ctx, t.tx, feed.ErrNotFound, func(r row) (i feed.Issued, err error) {
		err = r.Scan(&i.Serial, &i.Raw, &i.IIN, &i.BIN, &i.CA, &i.Profile)
		return i, err
	}, `select serial, raw, iin, bin, ca, profile from ca_certificates where serial = $1 and state = 'issued'`, serial)
}

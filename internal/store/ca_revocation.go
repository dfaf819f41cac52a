package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"senim/internal/ca"
)

// counter moves one of the two counters of an authority and returns both.
func (t caTx) counter(ctx context.Context, authority string, epochs, numbers int64) (epoch, number int64, err error) {
	err = t.queryRow(ctx, `insert into ca_counters (ca, epoch, list_number) values ($1, $2, $3)
		on conflict (ca) do update set epoch = ca_counters.epoch + $2, list_number = ca_counters.list_number + $3
		returning epoch, list_number`, authority, epochs, numbers).Scan(&epoch, &number)
	return epoch, number, err
}

func (t caTx) AddRevocation(ctx context.Context, authority, serial string, r ca.Revocation) error {
	epoch, _, err := t.counter(ctx, authority, 1, 0)
	if err != nil {
		return err
	}
	return t.insert(ctx, `insert into ca_revoked (serial, ca, shard, epoch, revoked_at, recorded, reason, invalidity, revoked_by, kept)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
			coalesce((select case when not_after > $6 then not_after else $6 end
				from ca_certificates where serial = $1 and not_after > 0), 253402300799000))
		on conflict (serial) do update set shard = $3, epoch = $4, revoked_at = $5, recorded = $6, reason = $7,
			invalidity = $8, revoked_by = $9, kept = excluded.kept
		where ca_revoked.reason = 8`,
		serial, authority, r.Shard, epoch, ms(r.At), ms(r.Recorded), int64(r.Reason), ms(r.Invalidity), r.By)
}

func (t caTx) ChangeRevocation(ctx context.Context, authority, serial string, at time.Time, r ca.Revocation) error {
	epoch, _, err := t.counter(ctx, authority, 1, 0)
	if err != nil {
		return err
	}
	err = changed(ca.ErrNotFound)(t.exec(ctx, `update ca_revoked set reason = $1, invalidity = $2, revoked_by = $3, epoch = $4,
		kept = case when kept < $5 then $5 else kept end where ca = $6 and serial = $7`,
		int64(r.Reason), ms(r.Invalidity), r.By, epoch, ms(at), authority, serial))
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into ca_changes (serial, moment) values ($1, $2) on conflict (serial) do update set moment = $2`, serial, ms(at))
	return err
}

// revokedSince reads from the table alone, and all of a row as one text: with a million rows, each
// further look or column costs a good part of a second.
const revokedSince = `select serial || ' ' || epoch || ' ' || revoked_at || ' ' || reason || ' ' || invalidity
	from ca_revoked where ca = $1 and epoch > $2 and kept >= $3`

func (t caTx) EachRevoked(ctx context.Context, authority, shard string, since int64, kept time.Time, f func(ca.RevokedRecord) error) error {
	query, args := revokedSince, []any{authority, since, ms(kept)}
	if shard != "" {
		query, args = query+` and shard = $4`, append(args, shard)
	}
	rows, err := t.query(ctx, query+` order by epoch`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	// Read here, used there: with a million rows each of the two is a good part of a second.
	lines, stop := make(chan []string, 4), make(chan struct{})
	var reading sync.WaitGroup
	defer reading.Wait()
	defer close(stop)
	var failed error
	reading.Go(func() {
		defer close(lines)
		failed = revokedLines(rows, func(some []string) bool {
			select {
			case lines <- some:
				return true
			case <-stop:
				return false
			}
		})
	})
	for some := range lines {
		for _, line := range some {
			e, err := revokedLine(line)
			if err != nil {
				return err
			}
			if err := f(e); err != nil {
				return err
			}
		}
	}
	return t.note(failed)
}

// revokedLines hands the rows over, some at a time, until they end or nobody wants more.
func revokedLines(rows rows, hand func([]string) bool) error {
	const most = 1024
	some := make([]string, 0, most)
	for rows.Next() {
		some = append(some, "")
		if err := rows.Scan(&some[len(some)-1]); err != nil {
			return err
		}
		if len(some) == most {
			if !hand(some) {
				return nil
			}
			some = make([]string, 0, most)
		}
	}
	hand(some)
	return rows.Err()
}

// revokedLine reads the text of a row.
func revokedLine(line string) (e ca.RevokedRecord, err error) {
	var rest string
	e.Serial, rest, _ = strings.Cut(line, " ")
	var n [4]int64
	for i := range n {
		var field string
		field, rest, _ = strings.Cut(rest, " ")
		if n[i], err = strconv.ParseInt(field, 10, 64); err != nil {
			return e, fmt.Errorf("read revocation %s: %w", e.Serial, err)
		}
	}
	e.Epoch, e.At, e.Reason, e.Invalidity = n[0], at(n[1]), ca.Reason(n[2]), at(n[3])
	return e, nil
}

// Grouped by what is no column, since SQLite would walk every revocation by the index of shards.
func (t caTx) RevokedShards(ctx context.Context, authority string, since int64) (map[string]int64, error) {
	type newest struct {
		shard string
		epoch int64
	}
	all, err := list(ctx, t.tx, func(r row) (n newest, err error) { return n, r.Scan(&n.shard, &n.epoch) },
		`select shard || '', max(epoch) from ca_revoked where ca = $1 and epoch > $2 and shard <> '' group by shard || ''`, authority, since)
	out := make(map[string]int64, len(all))
	for _, n := range all {
		out[n.shard] = n.epoch
	}
	return out, err
}

func (t caTx) Unlisted(ctx context.Context, authority, shard string, since int64) (time.Time, error) {
	query, args := `select case when c.moment > r.recorded then c.moment else r.recorded end
		from ca_revoked r left join ca_changes c on c.serial = r.serial where r.ca = $1 and r.epoch > $2`, []any{authority, since}
	if shard != "" {
		query, args = query+` and r.shard = $3`, append(args, shard)
	}
	when, err := one(ctx, t.tx, ca.ErrNotFound, value[int64], query+` order by r.epoch limit 1`, args...)
	return at(when), err
}

func (t caTx) Epoch(ctx context.Context, authority string) (int64, error) {
	return one(ctx, t.tx, nil, value[int64], `select epoch from ca_counters where ca = $1`, authority)
}

func (t caTx) Changed(ctx context.Context, authority string, since int64, limit int) (epoch int64, serials []string, err error) {
	epoch, err = one(ctx, t.tx, errNoRow, value[int64], `select epoch from ca_counters where ca = $1`, authority)
	if errors.Is(err, errNoRow) {
		return 0, nil, nil
	}
	if err != nil || epoch <= since || limit == 0 {
		return epoch, nil, err
	}
	serials, err = list(ctx, t.tx, value[string], `select serial from ca_revoked where ca = $1 and epoch > $2 order by epoch limit $3`,
		authority, since, limit)
	return epoch, serials, err
}

func (t caTx) NextListNumber(ctx context.Context, authority string) (number, epoch int64, err error) {
	epoch, number, err = t.counter(ctx, authority, 0, 1)
	return number, epoch, err
}

func (t caTx) LastListNumber(ctx context.Context, authority string) (int64, error) {
	n, err := one(ctx, t.tx, ca.ErrNotFound, value[int64], `select list_number from ca_counters where ca = $1`, authority)
	if errors.Is(err, ca.ErrNotFound) {
		return 0, nil
	}
	return n, err
}

func (t caTx) RaiseListNumber(ctx context.Context, authority string, n int64) error {
	_, err := t.exec(ctx, `insert into ca_counters (ca, epoch, list_number) values ($1, 0, $2)
		on conflict (ca) do update set list_number = $2 where ca_counters.list_number < $2`, authority, n)
	return err
}

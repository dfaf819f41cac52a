package store

import (
	"context"
	"time"

	"senim/internal/notice"
)

// ExamineAll notes a stage of many certificates.
func (t noticeTx) ExamineAll(ctx context.Context, stage string, serials []string, when time.Time) (map[string]bool, error) {
	fresh, err := many(ctx, t.tx, serials, value[string], examineAll, stage, ms(when))
	return set(fresh), err
}

var examineAll = `insert into reminder (stage, examined, key_set) values ` + places(3, `($1, $2, ?)`) + `
	on conflict (key_set, stage) do nothing returning key_set`

// Examined lists the certificates whose stage was looked at.
func (t noticeTx) Examined(ctx context.Context, stage string, serials []string) (map[string]bool, error) {
	known, err := many(ctx, t.tx, serials, value[string], examined, stage)
	return set(known), err
}

var examined = `select key_set from reminder where stage = $1 and key_set in (` + places(2, `?`) + `)`

// Ending walks the index of ends, and leaves out what was looked at without reading more of it.
func (t noticeTx) Ending(ctx context.Context, w notice.Window, after notice.Place, limit int) ([]notice.Place, error) {
	from := after.NotAfter
	if from.IsZero() {
		from = w.From
	}
	return list(ctx, t.tx, func(r row) (p notice.Place, err error) {
		var end int64
		err = r.Scan(&p.Serial, &end, &p.IIN)
		p.NotAfter = at(end)
		return p, err
	}, `select c.serial, c.not_after, c.iin from ca_certificates c
		where (c.not_after, c.serial) > ($1, $2) and c.not_after < $3 and coalesce(c.state, '') = 'issued' and c.iin <> ''
		and (case when c.bin = '' then 0 else 1 end) = $4
		and not exists (select 1 from reminder m where m.key_set = c.serial and m.stage = $5)
		order by c.not_after, c.serial limit $6`, ms(from), after.Serial, ms(w.To), bit(w.Legal), w.Stage, limit)
}

package store

import (
	"context"
	"fmt"
	"strings"

	"senim/internal/ca"
)

// Search builds its conditions from what the query chooses; values are always parameters.
func (t caTx) Search(ctx context.Context, q ca.Query) ([]ca.Record, error) {
	where, args := []string{`c.state = 'issued'`}, []any{}
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, condition)
	}
	if q.IIN != "" {
		add(`c.iin = ?`, q.IIN)
	}
	if q.BIN != "" {
		add(`c.bin = ?`, q.BIN)
	}
	if len(q.Profiles) > 0 {
		values := make([]any, len(q.Profiles))
		for i, p := range q.Profiles {
			values[i] = p
		}
		add(`c.profile in (?`+strings.Repeat(`, ?`, len(values)-1)+`)`, values...)
	}
	if !q.IssuedFrom.IsZero() {
		add(`c.created >= ?`, ms(q.IssuedFrom))
	}
	if !q.IssuedTo.IsZero() {
		add(`c.created < ?`, ms(q.IssuedTo))
	}
	if !q.EndsFrom.IsZero() {
		add(`c.not_after >= ?`, ms(q.EndsFrom))
	}
	if !q.EndsTo.IsZero() {
		add(`c.not_after < ?`, ms(q.EndsTo))
	}
	if !q.Before.IsZero() {
		add(`(c.created < ? or (c.created = ? and c.serial < ?))`, ms(q.Before), ms(q.Before), q.BeforeSerial)
	}
	switch q.State {
	case ca.StateValid:
		add(`r.serial is null and c.not_after >= ?`, ms(q.Now))
	case ca.StateExpired:
		add(`r.serial is null and c.not_after < ?`, ms(q.Now))
	case ca.StateHold:
		add(`r.reason = ?`, int64(ca.CertificateHold))
	case ca.StateRevoked:
		add(`r.serial is not null and r.reason <> ?`, int64(ca.CertificateHold))
	}
	args = append(args, int64(q.Limit))
	return list(ctx, t.tx, scanRecord, caSelect+`where `+strings.Join(where, " and ")+
		fmt.Sprintf(` order by c.created desc, c.serial desc limit $%d`, len(args)), args...)
}

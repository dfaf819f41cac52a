package store

import (
	"context"
	"time"

	"senim/internal/ca"
)

// Living lists issued certificates of many persons. What nobody asks of them, tbs and followers, is left out.
func (t caTx) Living(ctx context.Context, iins []string, from time.Time) ([]ca.Record, error) {
	return many(ctx, t.tx, iins, scanLiving, living, ms(from))
}

var living = `select c.serial, c.ca, c.order_id, c.profile, c.raw, c.iin, c.bin, c.name, c.replaces, c.not_before, c.not_after, c.created,
	coalesce(r.revoked_at, 0), coalesce(r.recorded, 0), coalesce(r.reason, -1)
	from ca_certificates c left join ca_revoked r on r.serial = c.serial and r.reason <> 8
	where c.not_after >= $1 and coalesce(c.state, '') = 'issued' and c.iin in (` + places(2, `?`) + `)`

func scanLiving(r row) (c ca.Record, err error) {
	var notBefore, notAfter, created, revokedAt, recorded, reason int64
	err = r.Scan(&c.Serial, &c.CA, &c.Order, &c.Profile, &c.Raw, &c.IIN, &c.BIN, &c.Name, &c.Replaces, &notBefore, &notAfter, &created,
		&revokedAt, &recorded, &reason)
	c.State, c.NotBefore, c.NotAfter, c.Created = ca.Done, at(notBefore), at(notAfter), at(created)
	if reason >= 0 {
		c.Revoked = &ca.Revocation{At: at(revokedAt), Recorded: at(recorded), Reason: ca.Reason(reason)}
	}
	return c, err
}

// Companies lists organisations with certificates that end soon.
func (t caTx) Companies(ctx context.Context, from, to time.Time, after string, limit int) ([]string, error) {
	return list(ctx, t.tx, value[string], `select distinct c.bin from ca_certificates c left join ca_revoked r on r.serial = c.serial and r.reason <> 8
		where c.not_after >= $1 and c.not_after < $2 and c.bin > $3 and coalesce(c.state, '') = 'issued' and r.serial is null
		order by c.bin limit $4`, ms(from), ms(to), after, limit)
}

package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"senim/internal/notice"
	"senim/internal/ra"
	"senim/pki"
)

func (t raTx) PutConsent(ctx context.Context, c ra.Consent) error {
	body, err := text(c)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into ra_consents (hash, iin, created, body) values ($1, $2, $3, $4)
		on conflict (hash) do update set body = excluded.body`, c.Hash, c.IIN, ms(c.Created), body)
	return err
}

func consent(r row) (c ra.Consent, err error) {
	var body string
	if err = r.Scan(&body); err != nil {
		return c, err
	}
	return c, fromText(body, &c)
}

func (t raTx) Consent(ctx context.Context, hash string) (ra.Consent, error) {
	return one(ctx, t.tx, ra.ErrNotFound, consent, `select body from ra_consents where hash = $1`, hash)
}

func (t raTx) Consents(ctx context.Context, iin string) ([]ra.Consent, error) {
	return list(ctx, t.tx, consent, `select body from ra_consents where iin = $1 order by created desc, hash`, iin)
}

func (t raTx) PutReport(ctx context.Context, r ra.Report) error {
	content := r.Content
	r.Content = nil
	body, err := text(r)
	if err != nil {
		return err
	}
	sealed := []byte{}
	if content != nil {
		if sealed, err = t.s.seal("report/"+r.ID, content); err != nil {
			return fmt.Errorf("keep a report: %w", err)
		}
	}
	_, err = t.exec(ctx, `insert into ra_reports (id, iin, created, body, sealed) values ($1, $2, $3, $4, $5)
		on conflict (id) do update set body = excluded.body, sealed = excluded.sealed`, r.ID, r.IIN, ms(r.Created), body, sealed)
	return err
}

func (t raTx) Report(ctx context.Context, id string) (ra.Report, error) {
	return one(ctx, t.tx, ra.ErrNotFound, func(row row) (r ra.Report, err error) {
		var body string
		var sealed []byte
		if err = row.Scan(&body, &sealed); err != nil {
			return r, err
		}
		if err = fromText(body, &r); err != nil || len(sealed) == 0 {
			return r, err
		}
		r.Content, err = t.s.open("report/"+r.ID, sealed)
		return r, err
	}, `select body, sealed from ra_reports where id = $1`, id)
}

func (t raTx) Reports(ctx context.Context, iin string, since time.Time) ([]ra.Report, error) {
	return list(ctx, t.tx, func(row row) (r ra.Report, err error) {
		var body string
		if err = row.Scan(&body); err != nil {
			return r, err
		}
		return r, fromText(body, &r)
	}, `select body from ra_reports where iin = $1 and created >= $2 order by created desc, id`, iin, ms(since))
}

func (t raTx) Reminded(ctx context.Context, serial string) (time.Time, error) {
	done, err := one(ctx, t.tx, ra.ErrNotFound, value[int64], `select coalesce(max(done), 0) from outbox where about = $1 and state = $2`,
		"keyset:"+serial, string(notice.Sent))
	return at(done), err
}

// keyID notes the subject key identifier of a certificate that was issued, so that it can be looked up.
func (t caTx) keyID(ctx context.Context, serial string, raw []byte) error {
	c, err := pki.ParseCertificate(raw)
	if err != nil || len(c.SubjectKeyID) == 0 {
		return nil //nolint:nilerr // what has no identifier cannot be looked up by it
	}
	_, err = t.exec(ctx, `insert into ca_key_ids (key_id, serial) values ($1, $2) on conflict (key_id, serial) do nothing`, hex.EncodeToString(c.SubjectKeyID), serial)
	return err
}

// SerialOf gives the serial of the newest certificate with a subject key identifier (lower hex);
// [ra.ErrNoKey] when none was issued.
func (s *Store) SerialOf(ctx context.Context, keyID string) (serial string, err error) {
	err = s.view(ctx, func(t *tx) error {
		serial, err = one(ctx, t, ra.ErrNoKey, value[string], `select c.serial from ca_key_ids k join ca_certificates c on c.serial = k.serial
			where k.key_id = $1 and c.state = 'issued' order by c.created desc, c.serial limit 1`, keyID)
		return err
	})
	return serial, err
}

// keyIDsNoted names the setting that says how far the certificates of before have their key identifiers
// noted: the last serial looked at, or keyIDsDone.
const (
	keyIDsNoted = "ca-key-ids"
	keyIDsDone  = "done"
)

// FillKeyIDs notes the key identifiers of certificates issued before they were noted. It does so once in the
// life of a database, in pages, and goes on where it was interrupted.
func (s *Store) FillKeyIDs(ctx context.Context) error {
	for done := false; !done; {
		err := s.update(ctx, func(t *tx) (err error) {
			done, err = t.fillKeyIDs(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("note key identifiers: %w", err)
		}
	}
	return nil
}

// fillKeyIDs notes one page.
func (t *tx) fillKeyIDs(ctx context.Context) (done bool, err error) {
	const page = 500
	after, err := one(ctx, t, errNoRow, value[[]byte], `select value from setting where name = $1`, keyIDsNoted)
	if err != nil && !errors.Is(err, errNoRow) || string(after) == keyIDsDone {
		return true, err
	}
	type issued struct {
		serial string
		raw    []byte
	}
	some, err := list(ctx, t, func(r row) (i issued, err error) { return i, r.Scan(&i.serial, &i.raw) },
		`select serial, raw from ca_certificates where serial > $1 and state = 'issued' order by serial limit $2`, string(after), int64(page))
	if err != nil {
		return false, err
	}
	next := keyIDsDone
	for _, i := range some {
		if err := (caTx{t}).keyID(ctx, i.serial, i.raw); err != nil {
			return false, err
		}
	}
	if len(some) == page {
		next = some[page-1].serial
	}
	_, err = t.exec(ctx, `insert into setting (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value`, keyIDsNoted, []byte(next))
	return next == keyIDsDone, err
}

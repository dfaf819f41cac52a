package store

import (
	"context"

	"senim/internal/ra"
)

func (t raTx) AwaitFirst(ctx context.Context, serial, number string) error {
	_, err := t.exec(ctx, `insert into ra_first_signatures (serial, number, signed, purpose, challenge, about) values ($1, $2, 0, '', '', '')
		on conflict (serial) do nothing`, serial, number)
	return err
}

func (t raTx) AwaitsFirst(ctx context.Context, serial string) (string, error) {
	return one(ctx, t.tx, ra.ErrNotFound, value[string], `select number from ra_first_signatures where serial = $1 and signed = 0`, serial)
}

func (t raTx) PutFirst(ctx context.Context, f ra.FirstSignature) (bool, error) {
	n, err := t.exec(ctx, `insert into ra_first_signatures (serial, number, signed, purpose, challenge, about, signature, checks)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (serial) do update set signed = excluded.signed, purpose = excluded.purpose, challenge = excluded.challenge,
			about = excluded.about, signature = excluded.signature, checks = excluded.checks where ra_first_signatures.signed = 0`,
		f.Serial, f.Number, ms(f.At), f.Purpose, f.Challenge, f.About, f.Signature, f.Checks)
	return n > 0, err
}

const firsts = `select serial, number, signed, purpose, challenge, about, signature, checks from ra_first_signatures where signed <> 0 and `

func firstSignature(r row) (f ra.FirstSignature, err error) {
	var when int64
	err = r.Scan(&f.Serial, &f.Number, &when, &f.Purpose, &f.Challenge, &f.About, &f.Signature, &f.Checks)
	f.At = at(when)
	return f, err
}

func (t raTx) Firsts(ctx context.Context, number string) ([]ra.FirstSignature, error) {
	return list(ctx, t.tx, firstSignature, firsts+`number = $1 order by serial`, number)
}

func (t raTx) First(ctx context.Context, serial string) (ra.FirstSignature, error) {
	return one(ctx, t.tx, ra.ErrNotFound, firstSignature, firsts+`serial = $1`, serial)
}

func (t raTx) PutFirstProofs(ctx context.Context, serial string, all []ra.Proof) error {
	if _, err := t.exec(ctx, `delete from ra_first_proofs where serial = $1`, serial); err != nil {
		return err
	}
	for i, p := range all {
		if _, err := t.exec(ctx, `insert into ra_first_proofs (serial, seq, kind, body) values ($1, $2, $3, $4)`, serial, int64(i), p.Kind, p.Body); err != nil {
			return err
		}
	}
	return nil
}

func (t raTx) FirstProofs(ctx context.Context, serial string) ([]ra.Proof, error) {
	return list(ctx, t.tx, func(r row) (p ra.Proof, err error) {
		err = r.Scan(&p.Kind, &p.Body)
		return p, err
	}, `select kind, body from ra_first_proofs where serial = $1 order by seq`, serial)
}

package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"senim/internal/participant"
)

// AddProofs appends proof; a body that is kept already is kept once.
func (t participantTx) AddProofs(ctx context.Context, of string, all []participant.Proof) error {
	for _, p := range all {
		sum := sha256.Sum256(p.Body)
		name := hex.EncodeToString(sum[:])
		if _, err := t.exec(ctx, `insert into participant_proof_bodies (sha256, body) values ($1, $2) on conflict (sha256) do nothing`, name, p.Body); err != nil {
			return err
		}
		_, err := t.exec(ctx, `insert into participant_proofs (signature, seq, kind, sha256, made, ends, covered)
			values ($1, (select coalesce(max(seq), 0) + 1 from participant_proofs where signature = $1), $2, $3, $4, $5, $6)`,
			of, string(p.Kind), name, ms(p.Made), ms(p.Ends), bit(p.Covered))
		if err != nil {
			return err
		}
	}
	return nil
}

// Proofs reads them in the order they were added.
func (t participantTx) Proofs(ctx context.Context, of string) ([]participant.Proof, error) {
	return list(ctx, t.tx, func(r row) (p participant.Proof, err error) {
		var made, ends, covered int64
		err = r.Scan(&p.Kind, &p.Body, &made, &ends, &covered)
		p.Made, p.Ends, p.Covered = at(made), at(ends), covered != 0
		return p, err
	}, `select p.kind, b.body, p.made, p.ends, p.covered from participant_proofs p join participant_proof_bodies b on b.sha256 = p.sha256
		where p.signature = $1 order by p.seq`, of)
}

// CoverProofs marks the first n.
func (t participantTx) CoverProofs(ctx context.Context, of string, n int) error {
	_, err := t.exec(ctx, `update participant_proofs set covered = 1 where signature = $1 and seq <= $2`, of, int64(n))
	return err
}

// EndingProofs lists signatures whose proof ends.
func (t participantTx) EndingProofs(ctx context.Context, before time.Time, after string, limit int) ([]string, error) {
	return list(ctx, t.tx, value[string], `select distinct signature from participant_proofs
		where covered = 0 and ends <> 0 and ends < $1 and signature > $2 order by signature limit $3`, ms(before), after, int64(limit))
}

package participant

import (
	"context"
	"time"

	"senim/internal/ident"
	"senim/internal/registry"
	"senim/internal/trust"
	"senim/pki"
)

// gateLife is how old the gate's answers may be when the transaction acts on them. The registries are asked before
// it: a state service may take seconds, and nobody may hold the enterprise's row that long.
const gateLife = time.Minute

// FactsTx is the part of [Tx] for facts of others that a transaction acts on.
type FactsTx interface {
	// Loads are the records of registries as this transaction sees them.
	Loads() registry.Tx
	// Revoked says whether our own authority has revoked the certificate or put it on hold, and when. An authority that
	// is not ours has told what it knows through the gate.
	Revoked(ctx context.Context, cert *pki.Certificate) (at time.Time, yes bool, err error)
}

// shut is a check of the gate that passed before the transaction and does not inside it.
type shut struct{ Check }

func (s *shut) Error() string { return "the gate closed: " + s.Code }

// standing is what the records say of whom a certificate speaks for.
func (o *Office) standing(ctx context.Context, tx Tx, c Category, cert *pki.Certificate) (string, error) {
	h := cert.Holder()
	if c.Enterprise() {
		return o.c.Registry.Standing(ctx, tx.Loads(), ident.BIN(h.BIN))
	}
	return o.c.Registry.PersonStanding(ctx, tx.Loads(), ident.IIN(h.IIN))
}

// still looks once more, inside the transaction that acts on the gate's answers, at what may have changed since:
// a revocation is a [*shut] gate; another load is [ErrRace], since only the gate may judge by it.
func (o *Office) still(ctx context.Context, tx Tx, c Category, cert *pki.Certificate, e Evidence) error {
	if o.now().Sub(e.At) > gateLife {
		return ErrRace // the transaction waited too long: what the gate found may not be so any more
	}
	at, revoked, err := tx.Revoked(ctx, cert)
	if err != nil {
		return err
	}
	if revoked {
		return &shut{Check{Rule: "G3", Name: trust.CheckRevocation, Verdict: trust.Bad, Code: trust.CodeRevoked,
			Evidence: map[string]string{"revokedAt": stamp(at)}}}
	}
	now, err := o.standing(ctx, tx, c, cert)
	if err != nil {
		return err
	}
	if now != e.Standing {
		return ErrRace
	}
	return nil
}

// with is the evidence with a check in the place of the one of the same rule that passed.
func (e Evidence) with(c Check) Evidence {
	checks := make([]Check, 0, len(e.Checks)+1)
	for _, k := range e.Checks {
		if k.Rule != c.Rule || k.Name != c.Name {
			checks = append(checks, k)
		}
	}
	e.Checks = append(checks, c)
	return e
}

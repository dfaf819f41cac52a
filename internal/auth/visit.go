package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"senim/internal/audit"
	"senim/pki"
)

// Visit is the desk for one visitor: the records of what he does say from which network he comes.
type Visit struct {
	d       *Desk
	network string
}

// From is the desk for a visitor from a network, a shortened address; "" when it is not known.
func (d *Desk) From(network string) Visit { return Visit{d, network} }

// detail is what every record of a challenge says.
func (v Visit) detail(purpose string, c *Challenge) map[string]string {
	e := map[string]string{"site": v.d.c.Site, "purpose": purpose}
	if v.network != "" {
		e["network"] = v.network
	}
	if c != nil {
		e["challenge"] = c.digest()
	}
	return e
}

// digest names a challenge in records: from it nobody learns the text.
func (c Challenge) digest() string {
	sum := sha256.Sum256([]byte(c.Text()))
	return hex.EncodeToString(sum[:])
}

// issued keeps a challenge and records it, where the site does.
func (v Visit) issued(ctx context.Context, tx Tx, hash string, c Challenge) error {
	if err := tx.PutChallenge(ctx, hash, c); err != nil || !v.d.c.Challenges {
		return err
	}
	return tx.Audit(ctx, audit.Event{Action: "challenge.issued", Result: "ok", Detail: v.detail(c.Purpose, &c)})
}

// audit writes an event of sign-in on its own; a log that cannot be written stops the act.
func (d *Desk) audit(ctx context.Context, cert *pki.Certificate, e audit.Event) error {
	return d.c.Store.Update(ctx, func(tx Tx) error {
		if cert != nil {
			e.Object = cert.SerialHex()
			if iin := cert.Holder().IIN; iin != "" {
				e.Actor = tx.Hash(iin)
			}
		}
		return tx.Audit(ctx, e)
	})
}

package store

import (
	"context"
	"time"

	"senim/internal/registry"
	"senim/pki"
)

// Loads are the records of registries in this very transaction.
func (t participantTx) Loads() registry.Tx { return registryTx(t) }

// Revoked compares the certificate itself: another authority may have given the same number. Reason 8 is a hold that
// was lifted.
func (t participantTx) Revoked(ctx context.Context, cert *pki.Certificate) (time.Time, bool, error) {
	all, err := list(ctx, t.tx, value[int64], `select r.revoked_at from ca_revoked r join ca_certificates c on c.serial = r.serial
		where r.serial = $1 and c.raw = $2 and r.reason <> 8`, cert.SerialHex(), cert.Raw)
	if err != nil || len(all) == 0 {
		return time.Time{}, false, err
	}
	return at(all[0]), true, nil
}

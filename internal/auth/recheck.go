package auth

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/audit"
	"senim/internal/trust"
	"senim/pki"
)

// Recheck judges the certificate of a session again. When it is bad, every session on this site that
// was opened with it ends, before the report is given.
func (d *Desk) Recheck(ctx context.Context, sid string, cert *pki.Certificate) (trust.Report, error) {
	if d.c.Judge == nil {
		return nil, errors.New("check a session: no judge of certificates")
	}
	report := d.c.Judge.Certificate(ctx, cert, trust.Any)
	first, failed := report.First()
	if !failed || report.Verdict() != trust.Bad {
		return report, nil
	}
	err := d.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.DeleteSession(ctx, hashID(sid), ByCertificate); err != nil {
			return err
		}
		if _, err := tx.DeleteSessions(ctx, Filter{Site: d.c.Site, Serial: cert.SerialHex(), Fingerprint: fmt.Sprintf("%x", cert.Fingerprint())}, ByCertificate); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "session.closed", Object: cert.SerialHex(), Result: first.Code, Detail: map[string]string{"site": d.c.Site, "reason": string(ByCertificate)}})
	})
	if err != nil {
		return nil, fmt.Errorf("end the sessions of a certificate: %w", err)
	}
	return report, nil
}

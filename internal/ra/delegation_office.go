package ra

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/pki"
)

// DelegationForm is what a head types.
type DelegationForm struct {
	IIN    string
	Powers []string
	// From and Until are days; the last one is whole.
	From, Until time.Time
}

// ProposeDelegation makes a delegation for the head to sign; nothing is written yet. The employee
// must hold a valid key with the right to sign of the same organisation (C-14).
func (o *Office) ProposeDelegation(ctx context.Context, by pki.Holder, f DelegationForm) (Delegation, error) {
	head, err := o.asHead(ctx, by)
	if err != nil {
		return Delegation{}, err
	}
	iin, err := o.c.Identities.AdmitIIN(f.IIN)
	if err != nil {
		return Delegation{}, refuse("IIN_INVALID")
	}
	now := o.c.Now()
	day := func(t time.Time, plus int) time.Time {
		y, m, d := t.In(lang.Astana).Date()
		return time.Date(y, m, d+plus, 0, 0, 0, 0, lang.Astana).UTC()
	}
	d := Delegation{ID: newID(), BIN: by.BIN, Organization: head.Organization, Head: by.IIN, IIN: string(iin), Powers: f.Powers,
		From: day(f.From, 0), Until: day(f.Until, 1), Made: now.UTC().Truncate(time.Second)}
	if err := d.Check(now); err != nil {
		return Delegation{}, err
	}
	d.Name, err = o.delegate(ctx, d, now)
	return d, err
}

// delegate checks that a person may be a delegate, and gives the name in his certificate.
func (o *Office) delegate(ctx context.Context, d Delegation, now time.Time) (string, error) {
	keys, err := o.c.Keys.Of(ctx, d.IIN)
	if err != nil {
		return "", fmt.Errorf("find a delegate's key: %w", err)
	}
	at := d.heldAt(keys, now)
	if at < 0 {
		return "", refuse("DELEGATE_KEY_NEEDED", "template", "web.role.sign-right")
	}
	if err := o.notDismissed(ctx, Subject{BIN: d.BIN, IIN: d.IIN}, RoleSignRight); err != nil {
		return "", err
	}
	c, err := pki.ParseCertificate(keys[at].Raw)
	if err != nil {
		return "", fmt.Errorf("read a delegate's certificate: %w", err)
	}
	return c.Holder().CommonName, nil
}

// Delegate writes a delegation its head has signed; delegate and head are told (N-26). Sent twice it
// is one delegation.
func (o *Office) Delegate(ctx context.Context, under Fresh, d Delegation, signed []byte) error {
	cert, err := o.goodSignature(ctx, under, d.Document("give", o.c.Origin), signed)
	if err != nil {
		return err
	}
	by := cert.Holder()
	if _, err := o.asHead(ctx, by); err != nil {
		return err
	}
	if by.IIN != d.Head || by.BIN != d.BIN {
		return refuse("CERT_OTHER_PERSON")
	}
	now := o.c.Now()
	if err := d.Check(now); err != nil {
		return err
	}
	if _, err := o.delegate(ctx, d, now); err != nil {
		return err
	}
	d.Signed, d.Serial = signed, cert.SerialHex()
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		switch _, err := tx.Delegation(ctx, d.ID); {
		case err == nil:
			return nil
		case !errors.Is(err, ErrNotFound):
			return err
		}
		if err := o.needFactor(ctx, tx, by.IIN, d.FactorAbout(false)); err != nil {
			return err
		}
		if err := tx.PutDelegation(ctx, d); err != nil {
			return err
		}
		if err := o.tellDelegation(ctx, tx, d); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "delegation.made", Actor: tx.Hash(by.IIN), Object: "delegation " + d.ID, Result: "ok",
			Detail: map[string]string{"signer": d.Serial, "delegate": tx.Hash(d.IIN), "organization": tx.Hash(d.BIN), "hash": hexSum(signed),
				"powers": strings.Join(d.Powers, " "), "from": d.From.Format(time.RFC3339), "until": d.Until.Format(time.RFC3339)}})
	})
	if err != nil {
		return fmt.Errorf("delegate: %w", err)
	}
	return nil
}

// Delegations lists what the head of an organisation has given, latest first.
func (o *Office) Delegations(ctx context.Context, by pki.Holder) (all []Delegation, err error) {
	if _, err := o.asHead(ctx, by); err != nil {
		return nil, err
	}
	err = o.c.Store.View(ctx, func(tx Tx) error {
		all, err = tx.DelegationsOf(ctx, by.BIN)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list delegations: %w", err)
	}
	return all, nil
}

// Delegation reads one for the head of its organisation; another's is answered like none.
func (o *Office) Delegation(ctx context.Context, by pki.Holder, id string) (Delegation, error) {
	if _, err := o.asHead(ctx, by); err != nil {
		return Delegation{}, err
	}
	var d Delegation
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		d, err = tx.Delegation(ctx, id)
		return err
	})
	if errors.Is(err, ErrNotFound) || (err == nil && d.BIN != by.BIN) {
		return Delegation{}, refuse("DELEGATION_UNKNOWN")
	}
	return d, err
}

// EndDocument is the XML a head signs to end a delegation.
func (o *Office) EndDocument(d Delegation) string { return d.Document("end", o.c.Origin) }

// DelegationDocument is the XML a head signs to give one.
func (o *Office) DelegationDocument(d Delegation) string { return d.Document("give", o.c.Origin) }

// EndDelegation ends one at its head's signed wish.
func (o *Office) EndDelegation(ctx context.Context, under Fresh, by pki.Holder, id string, signed []byte) error {
	d, err := o.Delegation(ctx, by, id)
	if err != nil {
		return err
	}
	cert, err := o.goodSignature(ctx, under, o.EndDocument(d), signed)
	if err != nil {
		return err
	}
	if h := cert.Holder(); h.IIN != by.IIN || h.BIN != by.BIN {
		return refuse("CERT_OTHER_PERSON")
	}
	if _, err := o.asHead(ctx, cert.Holder()); err != nil {
		return err
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		d, err := tx.Delegation(ctx, id)
		if err != nil {
			return err
		}
		if err := o.needFactor(ctx, tx, by.IIN, d.FactorAbout(true)); err != nil {
			return err
		}
		d.EndSigned = signed
		return o.endDelegation(ctx, tx, d, EndWithdrawn, tx.Hash(by.IIN))
	})
	if err != nil {
		return fmt.Errorf("end a delegation: %w", err)
	}
	return nil
}

// endDelegation ends one inside a transaction, with its record and letters.
func (o *Office) endDelegation(ctx context.Context, tx Tx, d Delegation, why Ending, actor string) error {
	if err := d.End(why, o.c.Now()); err != nil {
		return err
	}
	if err := tx.PutDelegation(ctx, d); err != nil {
		return err
	}
	if err := o.tellDelegation(ctx, tx, d); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Event{Action: "delegation.ended", Actor: actor, Object: "delegation " + d.ID, Result: "ok",
		Detail: map[string]string{"reason": string(why), "delegate": tx.Hash(d.IIN), "organization": tx.Hash(d.BIN)}})
}

// tellDelegation writes to the head who gave it and to the delegate (N-26).
func (o *Office) tellDelegation(ctx context.Context, tx Tx, d Delegation) error {
	n := "N-26"
	if d.Ended != "" {
		n = "N-26.ended"
	}
	for _, iin := range []string{d.Head, d.IIN} {
		err := o.tellPerson(ctx, tx, iin, n, d.ID, string(d.Ended), func(t lang.Tag) map[string]string {
			words := make([]string, len(d.Powers))
			for i, p := range d.Powers {
				words[i] = t.Text("delegation.power." + p)
			}
			return map[string]string{"name": d.Name, "org": d.Organization, "powers": strings.Join(words, ", "), "from": notice.Day(d.From),
				"to": notice.Day(d.Until.Add(-time.Second)), "time": notice.Moment(d.EndedAt)}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// endDelegationsTo ends the delegations to a person that have lost what they stood on.
func (o *Office) endDelegationsTo(ctx context.Context, iin string) error {
	keys, err := o.c.Keys.Of(ctx, iin)
	if err != nil {
		return fmt.Errorf("find a delegate's key: %w", err)
	}
	return o.c.Store.Update(ctx, func(tx Tx) error {
		open, err := tx.OpenDelegationsTo(ctx, iin)
		if err != nil {
			return err
		}
		for _, d := range open {
			if why := d.due(keys, o.c.Now()); why != "" {
				if err := o.endDelegation(ctx, tx, d, why, "system"); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// sweepDelegations ends what ran out, or whose holder's key did.
func (o *Office) sweepDelegations(ctx context.Context) error {
	after := ""
	for {
		var some []Delegation
		err := o.c.Store.View(ctx, func(tx Tx) (err error) {
			some, err = tx.OpenDelegations(ctx, after, 500)
			return err
		})
		if err != nil {
			return fmt.Errorf("find delegations: %w", err)
		}
		if len(some) == 0 {
			return nil
		}
		for _, d := range some {
			after = d.ID
			if err := o.endDelegationsTo(ctx, d.IIN); err != nil {
				return fmt.Errorf("end delegations: %w", err)
			}
		}
	}
}

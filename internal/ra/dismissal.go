package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/pki"
)

// JobRevoke revokes the keys an act has named, until every one of them is; the handler calls
// [Office.RevokeAll].
const JobRevoke = "ra.revoke"

// RevokeTask is the payload of [JobRevoke].
type RevokeTask struct {
	Serials []string `json:"serials"`
	Reason  string   `json:"reason"`
	// By is the audit actor.
	By string `json:"by"`
}

// Dismissal marks that a person does not work for an organisation any more, as its head signed it: the
// keys named in it are revoked, no key of the organisation is issued to him, no reminder sent.
type Dismissal struct {
	ID                string
	BIN, Organization string
	IIN, Name         string
	// Head signed it, and the lifting when he was hired again; Serials are the keys it revokes.
	Head    string
	Serials []string
	At      time.Time
	Signed  []byte
	// LiftedAt is when the person was hired again; zero while he is dismissed.
	LiftedAt   time.Time
	LiftSigned []byte
}

// Document is the XML the head signs: act is "dismiss" or "return".
func (d Dismissal) Document(act, origin string) string {
	var b strings.Builder
	b.WriteString(`<employment version="1" act="` + escape(act) + `">`)
	for _, f := range [][2]string{{"id", d.ID}, {"bin", d.BIN}, {"organization", d.Organization}, {"head", d.Head}, {"iin", d.IIN}, {"name", d.Name},
		{"time", d.At.UTC().Format(time.RFC3339)}} {
		element(&b, f[0], f[1])
	}
	b.WriteString("<revoke>")
	if act == "dismiss" {
		for _, s := range d.Serials {
			element(&b, "serial", s)
		}
	}
	b.WriteString("</revoke>")
	element(&b, "origin", origin)
	b.WriteString("</employment>")
	return b.String()
}

// DismissalDocument and ReturnDocument are what a head signs.
func (o *Office) DismissalDocument(d Dismissal) string { return d.Document("dismiss", o.c.Origin) }

// ReturnDocument is the XML that lifts the mark.
func (o *Office) ReturnDocument(d Dismissal) string { return d.Document("return", o.c.Origin) }

// ProposeDismissal makes the dismissal of the holder of a key, for the head to sign, and lists the keys
// it will revoke; nothing is written yet.
func (o *Office) ProposeDismissal(ctx context.Context, by pki.Holder, serial string) (Dismissal, []Key, error) {
	head, err := o.asHead(ctx, by)
	if err != nil {
		return Dismissal{}, nil, err
	}
	k, err := o.c.Keys.Key(ctx, serial)
	switch {
	case errors.Is(err, ErrNoKey) || err == nil && (k.BIN != by.BIN || k.IIN == ""):
		return Dismissal{}, nil, refuse("KEY_UNKNOWN")
	case err != nil:
		return Dismissal{}, nil, err
	case k.IIN == by.IIN:
		return Dismissal{}, nil, refuse("DISMISS_SELF")
	}
	if gone, err := o.Dismissed(ctx, by.BIN, k.IIN); err != nil {
		return Dismissal{}, nil, err
	} else if gone {
		return Dismissal{}, nil, refuse("ALREADY_DISMISSED")
	}
	c, err := pki.ParseCertificate(k.Raw)
	if err != nil {
		return Dismissal{}, nil, fmt.Errorf("read a certificate: %w", err)
	}
	all, err := o.c.Keys.Of(ctx, k.IIN)
	if err != nil {
		return Dismissal{}, nil, fmt.Errorf("list keys: %w", err)
	}
	now := o.c.Now()
	all = slices.DeleteFunc(all, func(k Key) bool { return k.BIN != by.BIN || !k.Revocable(now) })
	d := Dismissal{ID: newID(), BIN: by.BIN, Organization: head.Organization, IIN: k.IIN, Name: c.Holder().CommonName, Head: by.IIN,
		At: now.UTC().Truncate(time.Second)}
	for _, k := range all {
		d.Serials = append(d.Serials, k.Serial)
	}
	return d, all, nil
}

// Dismiss marks a person as dismissed: what waits for him is rejected, delegations to him end, and the
// keys named are revoked, all by one signature of the head.
func (o *Office) Dismiss(ctx context.Context, under Fresh, d Dismissal, signed []byte) error {
	cert, err := o.goodSignature(ctx, under, o.DismissalDocument(d), signed)
	if err != nil {
		return err
	}
	if err := o.headSigned(ctx, cert, d); err != nil {
		return err
	}
	d.Signed = signed
	task := RevokeTask{Serials: d.Serials, Reason: "affiliationChanged", By: "cert:" + cert.SerialHex()}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		was, err := tx.Dismissal(ctx, d.BIN, d.IIN)
		switch {
		case err == nil && was.ID == d.ID:
			return nil
		case err == nil && was.LiftedAt.IsZero():
			return refuse("ALREADY_DISMISSED")
		case err != nil && !errors.Is(err, ErrNotFound):
			return err
		}
		if err := o.needFactor(ctx, tx, d.Head, d.FactorAbout()); err != nil {
			return err
		}
		if err := tx.PutDismissal(ctx, d); err != nil {
			return err
		}
		actor := tx.Hash(d.Head)
		err = tx.Audit(ctx, audit.Event{Action: "employee.dismissed", Actor: actor, Object: "employment " + d.ID, Result: "ok",
			Detail: map[string]string{"signer": cert.SerialHex(), "person": tx.Hash(d.IIN), "organization": tx.Hash(d.BIN), "hash": hexSum(signed), "keys": itoa(len(d.Serials))}})
		if err != nil {
			return err
		}
		if err := askRevocations(ctx, tx, task, actor, cert.SerialHex()); err != nil {
			return err
		}
		if err := o.rejectWaiting(ctx, tx, d.BIN, Reason{Code: "NOT_EMPLOYED"}, func(a Application) bool { return a.Subject.IIN == d.IIN }); err != nil {
			return err
		}
		open, err := tx.OpenDelegationsTo(ctx, d.IIN)
		if err != nil {
			return err
		}
		for _, one := range open {
			if one.BIN == d.BIN {
				if err := o.endDelegation(ctx, tx, one, EndDismissed, actor); err != nil {
					return err
				}
			}
		}
		return tx.Enqueue(ctx, job.Job{Kind: JobRevoke, Payload: task, Unique: d.ID})
	})
	if err != nil {
		return fmt.Errorf("dismiss: %w", err)
	}
	return o.RevokeAll(ctx, task) // at once; the job is for what a stop in between would leave
}

// headSigned refuses a signature that is not by the present head named in the document, and a person
// who became head himself.
func (o *Office) headSigned(ctx context.Context, cert *pki.Certificate, d Dismissal) error {
	by := cert.Holder()
	if _, err := o.asHead(ctx, by); err != nil {
		return err
	}
	if by.IIN != d.Head || by.BIN != d.BIN {
		return refuse("CERT_OTHER_PERSON")
	}
	if d.IIN == by.IIN {
		return refuse("DISMISS_SELF")
	}
	return nil
}

// askRevocations records who asked for what, before it is done.
func askRevocations(ctx context.Context, tx Tx, t RevokeTask, actor, signer string) error {
	for _, serial := range t.Serials {
		err := tx.Audit(ctx, audit.Event{Action: "cert.revocation.asked", Actor: actor, Object: serial, Result: "ok",
			Detail: map[string]string{"reason": t.Reason, "signer": signer}})
		if err != nil {
			return err
		}
	}
	return nil
}

// RevokeAll revokes the keys of a task: the handler of [JobRevoke]. What is revoked already keeps its
// first date. One that fails does not stop the others.
func (o *Office) RevokeAll(ctx context.Context, t RevokeTask) error {
	var errs []error
	for _, serial := range t.Serials {
		errs = append(errs, o.revokeOne(ctx, serial, t))
	}
	return errors.Join(errs...)
}

func (o *Office) revokeOne(ctx context.Context, serial string, t RevokeTask) error {
	k, err := o.c.Keys.Key(ctx, serial)
	if err != nil {
		return fmt.Errorf("revoke %s: %w", serial, err)
	}
	if !k.Revocable(o.c.Now()) {
		return nil
	}
	at, err := o.c.Revoker.Revoke(ctx, serial, t.Reason, time.Time{}, t.By)
	if err != nil {
		return fmt.Errorf("revoke %s: %w", serial, err)
	}
	return o.revocationDone(ctx, k, t.Reason, at, "")
}

// ProposeReturn makes the lifting of the mark, for the head to sign.
func (o *Office) ProposeReturn(ctx context.Context, by pki.Holder, id string) (Dismissal, error) {
	if _, err := o.asHead(ctx, by); err != nil {
		return Dismissal{}, err
	}
	var all []Dismissal
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		all, err = tx.DismissalsOf(ctx, by.BIN)
		return err
	})
	if err != nil {
		return Dismissal{}, fmt.Errorf("list dismissals: %w", err)
	}
	i := slices.IndexFunc(all, func(d Dismissal) bool { return d.ID == id })
	if i < 0 {
		return Dismissal{}, refuse("DISMISSAL_UNKNOWN")
	}
	return all[i], nil
}

// Return lifts the mark: the person works there again and may apply for keys. What was revoked stays
// revoked.
func (o *Office) Return(ctx context.Context, under Fresh, by pki.Holder, id string, signed []byte) error {
	d, err := o.ProposeReturn(ctx, by, id)
	if err != nil {
		return err
	}
	cert, err := o.goodSignature(ctx, under, o.ReturnDocument(d), signed)
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
		now, err := tx.Dismissal(ctx, d.BIN, d.IIN)
		if err != nil {
			return err
		}
		if now.ID != d.ID || !now.LiftedAt.IsZero() {
			return refuse("DISMISSAL_UNKNOWN")
		}
		now.LiftedAt, now.LiftSigned = o.c.Now(), signed
		if err := tx.PutDismissal(ctx, now); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "employee.returned", Actor: tx.Hash(by.IIN), Object: "employment " + d.ID, Result: "ok",
			Detail: map[string]string{"signer": cert.SerialHex(), "person": tx.Hash(d.IIN), "organization": tx.Hash(d.BIN), "hash": hexSum(signed)}})
	})
	if err != nil {
		return fmt.Errorf("lift a dismissal: %w", err)
	}
	return nil
}

// rejectWaiting ends what waits in an organisation for a cause of the system; the applicants are told.
func (o *Office) rejectWaiting(ctx context.Context, tx Tx, bin string, why Reason, which func(Application) bool) error {
	waiting, err := tx.WaitingOfCompany(ctx, bin)
	if err != nil {
		return err
	}
	for _, a := range waiting {
		if a.IssueBegun || !which(a) {
			continue
		}
		if err := o.rejectFor(ctx, tx, &a, why); err != nil {
			return err
		}
	}
	return nil
}

// rejectFor ends one application for a cause of the system, and tells its applicant.
func (o *Office) rejectFor(ctx context.Context, tx Tx, a *Application, why Reason) error {
	if err := a.RejectBy(why, o.c.Now()); err != nil {
		return err
	}
	if err := o.save(ctx, tx, a, "application.rejected"); err != nil {
		return err
	}
	return o.tell(ctx, tx, a, "N-11")
}

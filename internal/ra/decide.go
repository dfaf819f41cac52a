package ra

import (
	"context"
	"errors"
	"fmt"

	"senim/dsig"
	"senim/internal/audit"
	"senim/internal/trust"
	"senim/pki"
)

// Outcome is what became of one application of a decision: Code is empty when it was done. Name is the
// applicant's, where the confirmer may know it.
type Outcome struct {
	Number   string            `json:"number"`
	Name     string            `json:"name,omitempty"`
	Act      Act               `json:"act"`
	Code     string            `json:"code,omitempty"`
	Evidence map[string]string `json:"evidence,omitempty"`
}

// Decide takes a decision signed under a challenge: our own document, with one signature by a certificate of the
// signed-in person (or of the applicant himself, who is told SELF_CONFIRM) that is good for signing
// now. Each application is decided in a transaction of its own, so that one refused does not keep
// the others; every refusal is recorded too. An error in the middle leaves done what was done:
// signing again changes nothing there.
func (o *Office) Decide(ctx context.Context, under Fresh, who Viewer, signed []byte) ([]Outcome, error) {
	v, d, err := o.readSigned(under, signed)
	if err != nil {
		return nil, err
	}
	if iin := v.Certificate.Holder().IIN; iin != who.IIN || d.IIN != who.IIN {
		own, err := o.allOf(ctx, iin, d)
		if err != nil {
			return nil, err
		}
		if !own {
			return nil, o.refusedAll(ctx, v, d, refuse("CERT_OTHER_PERSON"))
		}
	}
	if report := o.c.Judge.Certificate(ctx, v.Certificate, trust.Signing); report.Verdict() != trust.Good {
		return nil, o.refusedAll(ctx, v, d, fromReport(report, v.Certificate))
	}
	confirmer, err := o.deciding(ctx, v.Certificate)
	if err != nil {
		return nil, o.refusedAll(ctx, v, d, err)
	}
	evidence := SignedDecision{Hash: hexSum(signed), Serial: confirmer.Serial, At: o.c.Now(), Document: signed}
	out := make([]Outcome, 0, len(d.Choices))
	for _, c := range d.Choices {
		name, err := o.decideOne(ctx, confirmer, d, c, evidence)
		no, refused := errors.AsType[*Refusal](err)
		if err != nil && !refused {
			return out, fmt.Errorf("decide %s: %w", FormatNumber(c.Number), err)
		}
		one := Outcome{Number: c.Number, Name: name, Act: d.Act}
		if refused {
			one.Code, one.Evidence = no.Code, no.Evidence
			if err := o.refused(ctx, confirmer, d, c, no.Code); err != nil {
				return out, err
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// readSigned verifies the one signature over a fresh decision of this site.
func (o *Office) readSigned(under Fresh, signed []byte) (*dsig.Verified, Decision, error) {
	v, err := oneSignature(signed)
	if err != nil {
		return nil, Decision{}, err
	}
	if under == nil {
		return nil, Decision{}, refuse("CHALLENGE_STALE")
	}
	d, err := readDecision(under, v.Signed, o.c.Origin)
	if err != nil {
		return nil, Decision{}, &Refusal{Code: "SIGNATURE_INVALID", Err: err}
	}
	if !under.About(d.document(o.c.Origin)) {
		return nil, Decision{}, refuse("CHALLENGE_STALE")
	}
	if err := d.check(); err != nil {
		return nil, Decision{}, err
	}
	if now := o.c.Now(); d.At.After(now.Add(skew)) || now.Sub(d.At) > DecisionTTL {
		return nil, Decision{}, refuse("DECISION_STALE")
	}
	return v, d, nil
}

// allOf reports that the signer is the applicant of everything decided.
func (o *Office) allOf(ctx context.Context, iin string, d Decision) (bool, error) {
	for _, c := range d.Choices {
		a, err := o.load(ctx, c.Number)
		if errors.Is(err, ErrNotFound) || (err == nil && (iin == "" || a.Subject.IIN != iin)) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("decide: %w", err)
		}
	}
	return true, nil
}

// decideOne is one transaction: read, look up the delegation, move, write, audit, tell, enqueue. It
// gives the applicant's name once it is sure that the confirmer may decide about him.
func (o *Office) decideOne(ctx context.Context, by Confirmer, d Decision, c Choice, evidence SignedDecision) (name string, err error) {
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		a, err := tx.Application(ctx, c.Number)
		if errors.Is(err, ErrNotFound) {
			return refuse("NOT_YOUR_APPLICATION")
		}
		if err != nil {
			return err
		}
		by, err := o.may(ctx, tx, by, &a)
		if err != nil {
			return err
		}
		if a.mayDecide(by) == nil {
			name = a.Subject.CommonName
		}
		var action string
		switch now := o.c.Now(); d.Act {
		case ActConfirm:
			action = "application.confirmed"
			err = a.Confirm(by, c.Revision, c.Hash, evidence.Hash, now)
		case ActReject:
			action = "application.rejected"
			err = a.Reject(by, c.Revision, c.Hash, evidence.Hash, d.Reason, now)
		default:
			err = refuse("NOTHING_CHOSEN")
		}
		if err != nil {
			return err
		}
		more := map[string]string{"state": string(a.State), "evidence": evidence.Hash}
		if err := errors.Join(tx.PutDecision(ctx, evidence), tx.Put(ctx, a), tx.Audit(ctx, o.decisionEvent(tx, action, "ok", by, c, more))); err != nil {
			return err
		}
		if a.State == Rejected {
			return o.tell(ctx, tx, &a, "N-11")
		}
		return o.follow(ctx, tx, &a)
	})
	return name, err
}

// decisionEvent says who decided about which text of an application, by which key and delegation.
func (o *Office) decisionEvent(tx Tx, action, result string, by Confirmer, c Choice, more map[string]string) audit.Event {
	e := audit.Event{Action: action, Actor: tx.Hash(by.IIN), Object: "application " + FormatNumber(c.Number), Result: result,
		Detail: map[string]string{"revision": itoa(c.Revision), "signer": by.Serial, "hash": c.Hash, "delegation": by.Delegation}}
	for k, v := range more {
		e.Detail[k] = v
	}
	return e
}

// refused records a decision that was not taken.
func (o *Office) refused(ctx context.Context, by Confirmer, d Decision, c Choice, code string) error {
	action := "application.confirmed"
	if d.Act == ActReject {
		action = "application.rejected"
	}
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, o.decisionEvent(tx, action, "refused", by, c, map[string]string{"code": code}))
	})
	if err != nil {
		return fmt.Errorf("record a refusal: %w", err)
	}
	return nil
}

// refusedAll records that nothing of a decision was taken because of its signer, and gives the cause.
func (o *Office) refusedAll(ctx context.Context, v *dsig.Verified, d Decision, cause error) error {
	no, ok := errors.AsType[*Refusal](cause)
	if !ok {
		return cause
	}
	by := Confirmer{IIN: v.Certificate.Holder().IIN, Serial: v.Certificate.SerialHex()}
	for _, c := range d.Choices {
		if err := o.refused(ctx, by, d, c, no.Code); err != nil {
			return err
		}
	}
	return cause
}

// Inbox lists what waits for a confirmer, by the certificate he signed in with: never his own, for a
// delegate never another delegate's. More is true when not all are shown. Who may decide about
// nothing is refused.
func (o *Office) Inbox(ctx context.Context, cert *pki.Certificate) (all []Application, more bool, err error) {
	by, err := o.deciding(ctx, cert)
	if err != nil {
		return nil, false, err
	}
	if by.BIN == "" {
		return nil, false, refuse("COMPANY_KEY_NEEDED")
	}
	err = o.c.Store.View(ctx, func(tx Tx) error {
		self, err := o.empowered(ctx, tx, by)
		if err != nil {
			return err
		}
		if err := (&Application{Subject: Subject{BIN: by.BIN}}).mayDecide(self); err != nil {
			return err
		}
		waiting, err := tx.Awaiting(ctx, by.BIN, 4*MaxDecided)
		if err != nil {
			return err
		}
		for _, a := range waiting {
			one, err := o.beside(ctx, tx, self, &a)
			if err != nil {
				return err
			}
			if a.mayDecide(one) == nil && o.c.Now().Sub(a.SignedAt) <= o.c.Terms.Confirm {
				all = append(all, a)
			}
		}
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("list what waits for a confirmation: %w", err)
	}
	if len(all) > MaxDecided {
		return all[:MaxDecided], true, nil
	}
	return all, false, nil
}

// MayDecide reports whether the holder of a certificate could decide about an application now. It
// answers false when that could not be found out: the page then offers nothing.
func (o *Office) MayDecide(ctx context.Context, cert *pki.Certificate, a Application) bool {
	by, err := o.deciding(ctx, cert)
	if err != nil || a.State != AwaitingDirector {
		return false
	}
	err = o.c.Store.View(ctx, func(tx Tx) error {
		one, err := o.may(ctx, tx, by, &a)
		if err != nil {
			return err
		}
		return a.mayDecide(one)
	})
	return err == nil
}

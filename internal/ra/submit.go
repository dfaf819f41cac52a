package ra

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/trust"
)

// maxDocument bounds a signed application.
const maxDocument = 64 << 10

// Requests takes the certificate requests the agent made for a draft, in the order of the key set,
// and writes the document to be signed.
func (o *Office) Requests(ctx context.Context, iin, number string, csrs [][]byte) (Application, error) {
	old, err := o.c.Keys.Of(ctx, iin)
	if err != nil {
		return Application{}, fmt.Errorf("take requests: %w", err)
	}
	return o.change(ctx, iin, number, "application.requests", func(tx Tx, a *Application) error {
		if a.State != Draft {
			return refuse("APPLICATION_STATE", "state", string(a.State))
		}
		return o.takeRequests(ctx, tx, a, csrs, old)
	})
}

// takeRequests puts the requests of a draft into it, with the document to be signed. old are the
// person's keys, none of which may come again.
func (o *Office) takeRequests(ctx context.Context, tx Tx, a *Application, csrs [][]byte, old []Key) error {
	requests, err := o.claim(ctx, tx, a, csrs, old)
	if err != nil {
		return err
	}
	a.Requests, a.Changed = requests, o.c.Now()
	a.Document = a.document(o.c.Origin, a.Changed)
	return nil
}

// claim checks requests, in the order of the key set, and notes that this revision asks for their keys.
func (o *Office) claim(ctx context.Context, tx Tx, a *Application, csrs [][]byte, old []Key) ([]Request, error) {
	set := o.KeySet(*a)
	if len(csrs) != len(set) {
		return nil, refuse("REQUEST_INVALID")
	}
	requests := make([]Request, len(csrs))
	for i, der := range csrs {
		r, err := a.readRequest(der, set[i], old)
		if err != nil {
			return nil, err
		}
		mine, err := tx.ClaimKey(ctx, r.KeyHash, a.ID())
		if err != nil {
			return nil, err
		}
		if !mine {
			return nil, refuse("KEY_REUSED")
		}
		requests[i] = r
	}
	return requests, nil
}

// KeySet is the set of keys an application asks for.
func (o *Office) KeySet(a Application) []KeySpec { return KeySet(a.Role, o.c.Classic) }

// Submit takes the signed document: exactly ours, with one signature, by the certificate the
// application names, good at this moment (R2). Then the application is routed.
func (o *Office) Submit(ctx context.Context, iin, number string, signed []byte) (Application, error) {
	a, err := o.mine(ctx, iin, number)
	if err != nil {
		return Application{}, err
	}
	if a.State != Draft || a.Document == "" {
		return Application{}, refuse("APPLICATION_STATE", "state", string(a.State))
	}
	if err := o.verify(ctx, a, signed); err != nil {
		return Application{}, err
	}
	if err := o.notDismissed(ctx, a.Subject, a.Role); err != nil {
		return Application{}, err
	}
	document := a.Document
	head := o.answers(ctx, a)
	return o.change(ctx, iin, number, "application.signed", func(tx Tx, a *Application) error {
		if a.Document != document {
			return refuse("REVISION_CHANGED", "n", itoa(a.Revision))
		}
		if err := o.needFactor(ctx, tx, iin, a.FactorAbout()); err != nil {
			return err
		}
		if waits, err := openFor(ctx, tx, *a, State.waits); err != nil { // asked where it is written, so that of two one is taken
			return err
		} else if waits && a.Kind == Reissue {
			return refuse("APPLICATION_OPEN")
		}
		return o.takeSignature(ctx, tx, a, signed, head)
	})
}

// takeSignature fixes a draft whose signed document was verified, and routes it.
func (o *Office) takeSignature(ctx context.Context, tx Tx, a *Application, signed []byte, head HeadAnswer) error {
	now := o.c.Now()
	if err := a.Sign(signed, hexSum(signed), now); err != nil {
		return err
	}
	if err := o.route(a, head, now); err != nil {
		return err
	}
	if err := o.follow(ctx, tx, a); err != nil {
		return err
	}
	if err := o.askConfirmers(ctx, tx, a, head); err != nil {
		return err
	}
	if a.State == Rejected {
		return o.tell(ctx, tx, a, "N-11")
	}
	return o.tell(ctx, tx, a, "N-09")
}

// verify checks the signature on an application's document.
func (o *Office) verify(ctx context.Context, a Application, signed []byte) error {
	cert, err := signatureOn(a.Document, signed)
	if err != nil {
		return err
	}
	if cert.SerialHex() != a.SignerSerial {
		return refuse("WRONG_KEY", "serial", a.SignerSerial)
	}
	if cert.Holder().IIN != a.Subject.IIN {
		return refuse("CERT_OTHER_PERSON")
	}
	if report := o.c.Judge.Certificate(ctx, cert, trust.Signing); report.Verdict() != trust.Good {
		return fromReport(report, cert)
	}
	return nil
}

// mover is whose act brought an application where it is: who confirmed it, who approved it at a desk, or who applied. What
// registries are asked about it then is his question.
func (a *Application) mover() string {
	switch n := len(a.Approvals); {
	case n > 0:
		return a.Approvals[n-1].IIN
	case a.Visit.Second.Done():
		return a.Visit.Second.IIN
	}
	return a.Subject.IIN
}

// head asks the registry about an application's organisation; the zero answer for individuals.
func (o *Office) head(ctx context.Context, by string, a Application) HeadAnswer {
	if a.Subject.BIN == "" {
		return HeadAnswer{}
	}
	return o.c.Registry.Head(ctx, by, ident.BIN(a.Subject.BIN))
}

// follow asks for the job an application's state calls for, now that it has come to it.
func (o *Office) follow(ctx context.Context, tx Tx, a *Application) error {
	if a.State == Approved {
		err := tx.Audit(ctx, audit.Event{Action: "application.approved", Actor: "system", Object: "application " + FormatNumber(a.Number), Result: "ok",
			Detail: map[string]string{"revision": itoa(a.Revision), "signer": a.SignerSerial, "hash": a.SignedHash}})
		if err != nil {
			return err
		}
	}
	return o.owe(ctx, tx, a)
}

// owe asks for the job alone.
func (o *Office) owe(ctx context.Context, tx Tx, a *Application) error {
	switch a.State {
	case Signed:
		return a.enqueue(ctx, tx, JobRoute, o.c.Now().Add(o.c.RetryRegistry))
	case Approved:
		return a.enqueue(ctx, tx, JobIssue, o.c.Now())
	case Draft, AwaitingDirector, AwaitingDesk, Issued, Installed, Rejected, Expired, Withdrawn:
	}
	return nil
}

// route sends a signed application on, as the rules and the settings say.
func (o *Office) route(a *Application, head HeadAnswer, at time.Time) error {
	if err := a.Route(head, at); err != nil {
		return err
	}
	if o.c.HeadAtDesk && a.Kind == FirstHead && a.State == Approved {
		a.State, a.Reason = AwaitingDesk, Reason{Code: "HEAD_AT_DESK"}
	}
	return nil
}

// Reroute asks the registry again for an application that waits for it. The registry's further
// silence is an error, so that the job is tried again.
func (o *Office) Reroute(ctx context.Context, t Task) error {
	a, err := o.load(ctx, t.Number)
	if err != nil {
		return err
	}
	if a.State != Signed || a.Revision != t.Revision {
		return nil
	}
	head := o.answers(ctx, a)
	_, err = o.change(ctx, a.Subject.IIN, t.Number, "application.routed", func(tx Tx, a *Application) error {
		if a.State != Signed || a.Revision != t.Revision {
			return nil
		}
		if err := o.route(a, head, o.c.Now()); err != nil || a.State == Signed {
			return err
		}
		if a.State == Rejected {
			return o.tell(ctx, tx, a, "N-11")
		}
		if err := o.askConfirmers(ctx, tx, a, head); err != nil {
			return err
		}
		return o.follow(ctx, tx, a)
	})
	if err == nil && head.unknown() {
		return fmt.Errorf("route %s: the registry does not answer", FormatNumber(t.Number))
	}
	return err
}

// change runs f on a person's application in one transaction and writes it with an audit event.
func (o *Office) change(ctx context.Context, iin, number, action string, f func(Tx, *Application) error) (Application, error) {
	return o.changeIn(ctx, "", iin, number, action, f)
}

// changeIn is change for the drafts of a batch; "" is none.
func (o *Office) changeIn(ctx context.Context, batch, iin, number, action string, f func(Tx, *Application) error) (Application, error) {
	var a Application
	err := o.c.Store.Update(ctx, func(tx Tx) (err error) {
		a, err = tx.Application(ctx, number)
		if errors.Is(err, ErrNotFound) || (err == nil && (a.Subject.IIN != iin || a.hidden(batch))) {
			return refuse("NOT_YOUR_APPLICATION")
		}
		if err != nil {
			return err
		}
		if err := f(tx, &a); err != nil {
			return err
		}
		return o.save(ctx, tx, &a, action)
	})
	if err != nil {
		return Application{}, fmt.Errorf("%s %s: %w", action, FormatNumber(number), err)
	}
	return a, nil
}

func (o *Office) load(ctx context.Context, number string) (a Application, err error) {
	err = o.c.Store.View(ctx, func(tx Tx) error {
		a, err = tx.Application(ctx, number)
		return err
	})
	return a, err
}

// mine reads a person's application; another's is answered like one that does not exist (C-12).
func (o *Office) mine(ctx context.Context, iin, number string) (Application, error) {
	a, err := o.load(ctx, number)
	if errors.Is(err, ErrNotFound) || (err == nil && (a.Subject.IIN != iin || a.hidden(""))) {
		return Application{}, refuse("NOT_YOUR_APPLICATION")
	}
	return a, err
}

package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
)

// Case reads an application for an operator. Drafts are their applicants' own.
func (o *Office) Case(ctx context.Context, number string) (Application, error) {
	a, err := o.load(ctx, number)
	if errors.Is(err, ErrNotFound) || (err == nil && a.State == Draft) {
		return Application{}, refuse("NOT_YOUR_APPLICATION")
	}
	return a, err
}

// Examine keeps what the first operator found: the papers, and the scan with its type sniffed; without
// a new scan the one before stays. The registries are asked now.
func (o *Office) Examine(ctx context.Context, by Operator, number string, f Finding, scan []byte) (Application, error) {
	a, err := o.Case(ctx, number)
	if err != nil {
		return Application{}, err
	}
	f.Number = strings.Join(strings.Fields(f.Number), " ")
	if err := f.check(o.c.Identities, a.Subject.IIN, o.c.Now()); err != nil {
		return Application{}, o.deskRefused(ctx, by, "application "+FormatNumber(number), err)
	}
	var s Scan
	if len(scan) > 0 {
		if s, err = readScan(scan); err != nil {
			return Application{}, o.deskRefused(ctx, by, "application "+FormatNumber(number), err)
		}
	}
	person, head := o.c.People.Person(ctx, by.IIN, ident.IIN(a.Subject.IIN)), o.head(ctx, by.IIN, a)
	return o.atDesk(ctx, by, number, "desk.examined", func(tx Tx, a *Application) error {
		kept := s
		if kept.Hash == "" {
			kept = a.Visit.Scan
		}
		if err := a.Examine(by, f, kept, person, head, o.c.Now()); err != nil {
			return err
		}
		if s.Hash == "" {
			return nil
		}
		return tx.PutScan(ctx, number, s, scan)
	})
}

// DeskRequests takes requests the agent on the desk's machine made for the person.
func (o *Office) DeskRequests(ctx context.Context, by Operator, number string, csrs [][]byte) (Application, error) {
	a, err := o.Case(ctx, number)
	if err != nil {
		return Application{}, err
	}
	old, err := o.c.Keys.Of(ctx, a.Subject.IIN)
	if err != nil {
		return Application{}, fmt.Errorf("take requests at the desk: %w", err)
	}
	return o.atDesk(ctx, by, number, "desk.requests", func(tx Tx, a *Application) error {
		if err := a.DeskRequests(by, nil, o.c.Now()); err != nil {
			return err
		}
		requests, err := o.claim(ctx, tx, a, csrs, old)
		if err != nil {
			return err
		}
		return a.DeskRequests(by, requests, o.c.Now())
	})
}

// Identify keeps the first operator's signature over [Application.DeskDocument] "identify", which the
// caller has verified as being by by; document is the text that was signed.
func (o *Office) Identify(ctx context.Context, by Operator, number, document string, signed []byte) (Application, error) {
	return o.atDesk(ctx, by, number, "desk.identified", func(_ Tx, a *Application) error {
		if err := a.Identify(by, signed, o.c.Now()); err != nil {
			return err
		}
		return a.signedAs(document, "identify", by, "")
	})
}

// signedAs refuses a signature over an older text: the application changed while it was signed.
func (a *Application) signedAs(document, act string, by Operator, override string) error {
	text, err := a.DeskDocument(act, by, override)
	if err != nil {
		return err
	}
	if text != document {
		return refuse("REVISION_CHANGED", "n", itoa(a.Revision))
	}
	return nil
}

// MayApprove asks the registries again and tells whether the operator may approve: a nil error, or the
// refusal. A [Refusal] for which the comparison is overridable asks for his reason.
func (o *Office) MayApprove(ctx context.Context, by Operator, a Application, override string) (Comparison, error) {
	c := a.compare(a.Visit.Finding, o.c.People.Person(ctx, by.IIN, ident.IIN(a.Subject.IIN)), o.head(ctx, by.IIN, a))
	return c, a.mayApprove(by, c, override, o.c.Now())
}

// Approve keeps the second operator's signature over [Application.DeskDocument] "approve" and sends the
// application on: to issuing, or for staff to the head.
func (o *Office) Approve(ctx context.Context, by Operator, number, override, document string, signed []byte) (Application, error) {
	a, err := o.Case(ctx, number)
	if err != nil {
		return Application{}, err
	}
	c, _ := o.MayApprove(ctx, by, a, override)
	head := o.head(ctx, by.IIN, a)
	action := "desk.approved"
	if override != "" {
		action = "desk.override"
	}
	return o.atDesk(ctx, by, number, action, func(tx Tx, a *Application) error {
		if err := a.mayApprove(by, c, override, o.c.Now()); err != nil {
			return err
		}
		if err := a.signedAs(document, "approve", by, override); err != nil {
			return err
		}
		if err := a.Approve(by, c, override, signed, o.c.Now()); err != nil {
			return err
		}
		if err := o.follow(ctx, tx, a); err != nil {
			return err
		}
		return o.askConfirmers(ctx, tx, a, head)
	})
}

// Refuse ends a waiting application at the desk; the person is told (N-11).
func (o *Office) Refuse(ctx context.Context, by Operator, number, text string) (Application, error) {
	return o.atDesk(ctx, by, number, "application.rejected", func(tx Tx, a *Application) error {
		if err := a.Refuse(by, text, o.c.Now()); err != nil {
			return err
		}
		return o.tell(ctx, tx, a, "N-11")
	})
}

// Change takes another address or storage for a waiting application.
func (o *Office) Change(ctx context.Context, by Operator, number, email string, storage Storage) (Application, error) {
	email, _, err := cleanContact(email, "")
	if err == nil && !slices.Contains(DeskStorages(), storage) {
		err = refuse("STORAGE_INVALID")
	}
	if err != nil {
		return Application{}, err
	}
	return o.atDesk(ctx, by, number, "application.edited", func(_ Tx, a *Application) error {
		return a.Change(by, email, storage, o.c.Now())
	})
}

// InstalledAtDesk records that the keys were written on the desk's machine, for the person before it.
func (o *Office) InstalledAtDesk(ctx context.Context, by Operator, number string, serials []string, signed ...KeySignature) (Application, error) {
	waits, err := o.Case(ctx, number)
	if err != nil {
		return Application{}, err
	}
	kept, without, err := o.first(ctx, waits, signed)
	if err != nil {
		return Application{}, o.notInstalled(ctx, by.IIN, number, err)
	}
	phone := o.c.People.Phone(ctx, by.IIN, ident.IIN(waits.Subject.IIN))
	a, err := o.atDesk(ctx, by, number, "application.installed", func(tx Tx, a *Application) error {
		if err := a.serve(by); err != nil {
			return err
		}
		if err := o.install(ctx, tx, a, serials, phone); err != nil {
			return err
		}
		return o.keepFirst(ctx, tx, a, kept, without)
	})
	if err != nil {
		return Application{}, o.notInstalled(ctx, by.IIN, number, err)
	}
	return a, nil
}

// TellContact keeps the address a person told an operator. It counts for nothing until he opens the
// link in the letter that goes there, or reads the operator the code that goes there too
// ([Office.ConfirmContact]).
func (o *Office) TellContact(ctx context.Context, by Operator, number, email string, t lang.Tag) error {
	a, err := o.Case(ctx, number)
	if err != nil {
		return err
	}
	if err := a.serve(by); err != nil {
		return o.deskRefused(ctx, by, "application "+FormatNumber(number), err)
	}
	if _, err := ident.ParseEmail(email); err != nil {
		return refuse("EMAIL_INVALID")
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "desk.contact", Actor: tx.Hash(by.IIN), Object: "application " + FormatNumber(number), Result: "ok",
			Detail: map[string]string{"person": tx.Hash(a.Subject.IIN), "address": tx.Hash(email)}})
	})
	if err != nil {
		return fmt.Errorf("note an address: %w", err)
	}
	account, err := o.Register(ctx, a.Subject.IIN, email, a.City, t)
	if err != nil {
		return err
	}
	return o.sendContactCode(ctx, a, account)
}

// Scanned reads the scan of an application for an operator, which is recorded; SCAN_GONE when its time was over.
func (o *Office) Scanned(ctx context.Context, by Operator, a Application) (body []byte, err error) {
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		body, err = tx.ScanBody(ctx, a.Number, a.Visit.Scan.Hash)
		if errors.Is(err, ErrNotFound) {
			return refuse("SCAN_GONE")
		}
		if err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "desk.scan_read", Actor: tx.Hash(by.IIN), Object: "application " + FormatNumber(a.Number), Result: "ok",
			Detail: map[string]string{"scan": a.Visit.Scan.Hash, "signer": by.Serial}})
	})
	if err != nil {
		return nil, fmt.Errorf("read a scan: %w", err)
	}
	return body, nil
}

package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/trust"
	"senim/pki"
)

// DeskForm is what an operator types to make an application for a person without keys.
type DeskForm struct {
	IIN, BIN, Role            string
	Surname, Name, Patronymic string // from his papers, where the registry does not answer
	Email, City               string
	Storage                   Storage
	Lang                      lang.Tag
}

// clean is what [Form.clean] is at the desk, where every storage can be written.
func (f DeskForm) clean(rules ident.Rules) (DeskForm, error) {
	iin, err := rules.AdmitIIN(f.IIN)
	if err != nil {
		return f, refuse("IIN_INVALID")
	}
	f.IIN = string(iin)
	if !slices.Contains(DeskRoles(), f.Role) {
		return f, refuse("ROLE_INVALID")
	}
	if f.Role == RoleIndividual {
		f.BIN = ""
	} else if bin, err := rules.AdmitBIN(f.BIN); err != nil {
		return f, refuse("BIN_INVALID")
	} else {
		f.BIN = string(bin)
	}
	f.Email, f.City, err = cleanContact(f.Email, f.City)
	if err == nil && !slices.Contains(DeskStorages(), f.Storage) {
		err = refuse("STORAGE_INVALID")
	}
	return f, err
}

// cleanContact checks the address that goes into certificates, and the city.
func cleanContact(email, city string) (string, string, error) {
	address, err := ident.ParseEmail(email)
	if err != nil {
		return "", "", refuse("EMAIL_INVALID")
	}
	if city = strings.TrimSpace(city); len([]rune(city)) > 100 {
		return "", "", refuse("CITY_INVALID")
	}
	return string(address), city, nil
}

// Take makes an application for a person who stands at the desk. A waiting one of the same kind is
// given instead of a second.
func (o *Office) Take(ctx context.Context, by Operator, f DeskForm) (Application, error) {
	f, err := f.clean(o.c.Identities)
	if err != nil {
		return Application{}, err
	}
	a := Application{Subject: Subject{IIN: f.IIN, BIN: f.BIN, Surname: tidy(f.Surname), Patronymic: tidy(f.Patronymic),
		CommonName: strings.TrimSpace(tidy(f.Surname) + " " + tidy(f.Name))}, Role: f.Role, Email: f.Email, City: f.City, Storage: f.Storage, Lang: f.Lang}
	if err := a.serve(by); err != nil {
		return Application{}, o.deskRefused(ctx, by, "person", err)
	}
	switch p := o.c.People.Person(ctx, by.IIN, ident.IIN(f.IIN)); {
	case p.Verdict == trust.Good:
		a.Subject.Surname, a.Subject.Patronymic = tidy(p.Surname), tidy(p.Patronymic)
		a.Subject.CommonName = strings.TrimSpace(a.Subject.Surname + " " + tidy(p.Name))
	case a.Subject.CommonName == "":
		return Application{}, refuse("NAME_INVALID")
	}
	if f.BIN != "" {
		a.Subject.Organization = o.c.Registry.Head(ctx, by.IIN, ident.BIN(f.BIN)).Organization
	}
	return o.await(ctx, by.IIN, a)
}

// Await makes an application that waits for a visit, for the holder of cert, who has just proved that
// his key is there: one that has expired, or his personal one when he asks as head of the BIN. The
// data of his old certificate and account are kept.
func (o *Office) Await(ctx context.Context, cert *pki.Certificate, bin string, t lang.Tag) (Application, error) {
	h := cert.Holder()
	a := Application{Role: RoleOf(h), Storage: PKCS12, Lang: t,
		Subject: Subject{CommonName: h.CommonName, Surname: h.Surname, Patronymic: h.Given, IIN: h.IIN, BIN: h.BIN, Organization: h.Organization}}
	if h.IIN == "" || a.Role == "" {
		return Application{}, refuse("NOT_A_PERSON")
	}
	now := o.c.Now()
	if bin == "" {
		k, err := o.c.Keys.Key(ctx, cert.SerialHex())
		switch {
		case err != nil && !errors.Is(err, ErrNoKey):
			return Application{}, fmt.Errorf("await a visit: %w", err)
		case err != nil || string(k.Raw) != string(cert.Raw):
			return Application{}, refuse("NOT_OUR_KEY", "issuer", cert.Issuer.String())
		case !now.After(cert.NotAfter):
			return Application{}, refuse("KEY_NOT_EXPIRED")
		case !k.RevokedAt.IsZero():
			return Application{}, refuse(trust.CodeRevoked, "date", k.RevokedAt.UTC().Format(time.RFC3339))
		}
		a.Reason = Reason{Code: "KEY_EXPIRED_NO_RENEWAL", Evidence: map[string]string{"date": cert.NotAfter.UTC().Format(time.RFC3339)}}
	} else {
		if h.BIN != "" {
			return Application{}, refuse("PERSONAL_KEY_NEEDED")
		}
		admitted, err := o.c.Identities.AdmitBIN(bin)
		if err != nil {
			return Application{}, refuse("BIN_INVALID")
		}
		head := o.c.Registry.Head(ctx, h.IIN, admitted)
		a.Role, a.Subject.BIN, a.Subject.Organization = RoleHead, string(admitted), head.Organization
		switch {
		case head.unknown():
			return Application{}, &Refusal{Code: trust.CodeUnavailable, Evidence: withWhat(head.evidence())}
		case head.bad():
			return Application{}, &Refusal{Code: head.code(), Evidence: head.evidence()}
		case head.IIN != h.IIN:
			a.Reason = Reason{Code: "HEAD_NOT_IN_REGISTRY", Evidence: head.evidence()}
		}
	}
	if len(cert.Emails) > 0 {
		a.Email = cert.Emails[0]
	}
	account, err := o.Account(ctx, h.IIN)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Application{}, err
	}
	if account.Email != "" {
		a.Email = account.Email
	}
	a.City = account.City
	return o.await(ctx, h.IIN, a)
}

// await numbers and keeps an application that waits for a desk.
func (o *Office) await(ctx context.Context, actor string, a Application) (Application, error) {
	now := o.c.Now()
	a.Kind, a.State, a.Revision, a.Created, a.Changed, a.SignedAt = Issuance, AwaitingDesk, 1, now, now, now
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		mine, err := tx.OfPerson(ctx, a.Subject.IIN)
		if err != nil {
			return err
		}
		same := func(b Application) bool {
			return b.Kind == Issuance && b.State == AwaitingDesk && b.Role == a.Role && b.Subject.BIN == a.Subject.BIN
		}
		if i := slices.IndexFunc(mine, same); i >= 0 {
			a = mine[i]
			return nil
		}
		if err := o.bounds(mine, now); err != nil {
			return err
		}
		if err := a.number(ctx, tx); err != nil {
			return err
		}
		if err := o.saveAtDesk(ctx, tx, &a, "application.awaiting_desk", actor); err != nil {
			return err
		}
		return o.tell(ctx, tx, &a, "N-09")
	})
	if err != nil {
		return Application{}, fmt.Errorf("await a visit: %w", err)
	}
	return a, nil
}

// saveAtDesk writes an application with an audit event in the name of who acted.
func (o *Office) saveAtDesk(ctx context.Context, tx Tx, a *Application, action, actor string) error {
	if err := tx.Put(ctx, *a); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Event{Action: action, Actor: tx.Hash(actor), Object: "application " + FormatNumber(a.Number), Result: "ok",
		Detail: map[string]string{"revision": itoa(a.Revision), "state": string(a.State), "person": tx.Hash(a.Subject.IIN), "code": a.Visit.Registry.Code,
			"scan": a.Visit.Scan.Hash, "first": a.Visit.First.Hash, "second": a.Visit.Second.Hash}})
}

// atDesk runs f on an application for an operator, in one transaction; what is refused is written down.
func (o *Office) atDesk(ctx context.Context, by Operator, number, action string, f func(Tx, *Application) error) (Application, error) {
	var a Application
	err := o.c.Store.Update(ctx, func(tx Tx) (err error) {
		a, err = tx.Application(ctx, number)
		if errors.Is(err, ErrNotFound) || (err == nil && a.State == Draft) {
			return refuse("NOT_YOUR_APPLICATION")
		}
		if err != nil {
			return err
		}
		if a.State == AwaitingDesk && action != "application.rejected" && o.c.Now().After(a.Deadline(o.c.Terms.Confirm)) {
			return refuse("APPLICATION_STATE", "state", string(Expired))
		}
		if err := f(tx, &a); err != nil {
			return err
		}
		return o.saveAtDesk(ctx, tx, &a, action, by.IIN)
	})
	if err != nil {
		return Application{}, o.deskRefused(ctx, by, "application "+FormatNumber(number), err)
	}
	return a, nil
}

// deskRefused writes down that an operator's act was refused, and gives the error back.
func (o *Office) deskRefused(ctx context.Context, by Operator, object string, err error) error {
	var no *Refusal
	if !errors.As(err, &no) {
		return fmt.Errorf("at the desk: %w", err)
	}
	return errors.Join(err, o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "desk.refused", Actor: tx.Hash(by.IIN), Object: object, Result: no.Code, Detail: map[string]string{"signer": by.Serial}})
	}))
}

// DeskRefused writes down a refusal of an operator's signature, which the pages check.
func (o *Office) DeskRefused(ctx context.Context, by Operator, object, code string) error {
	return o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "desk.refused", Actor: tx.Hash(by.IIN), Object: object, Result: code, Detail: map[string]string{"signer": by.Serial}})
	})
}

// identity is how certificates say that the person was identified.
func (o *Office) identity(a Application) string {
	if o.c.IdentityOID && a.Visit.Second.Done() {
		return "desk"
	}
	return ""
}

package ra

import (
	"strings"
	"time"
	"unicode"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/trust"
)

// serve refuses an operator who would serve himself, in person or as a representative (C-37).
func (a *Application) serve(by Operator) error {
	if by.IIN == "" || by.IIN == a.Subject.IIN || (a.Visit.Attorney != nil && a.Visit.Attorney.IIN == by.IIN) {
		return refuse("OPERATOR_SELF")
	}
	return nil
}

// atDesk refuses what is not for a desk to decide, or not any more.
func (a *Application) atDesk(by Operator, at time.Time) error {
	if err := a.serve(by); err != nil {
		return err
	}
	if a.State != AwaitingDesk {
		return refuse("APPLICATION_STATE", "state", string(a.State))
	}
	if a.paper() && at.After(a.Deadline(0)) { // what was signed has the office's own time
		return refuse("APPLICATION_STATE", "state", string(Expired))
	}
	return nil
}

// check refuses papers that are incomplete or out of date at a moment.
func (f Finding) check(rules ident.Rules, applicant string, at time.Time) error {
	today := at.In(lang.Astana).Format(time.DateOnly)
	day, err := time.Parse(time.DateOnly, f.Expires)
	switch {
	case !documentNumber(f.Number):
		return refuse("DOCUMENT_INVALID")
	case err != nil || day.Year() > at.Year()+50:
		return refuse("DOCUMENT_DATE")
	case f.Expires < today:
		return refuse("DOCUMENT_EXPIRED", "date", day.Format(time.RFC3339))
	case tidy(f.Surname) == "" && tidy(f.Name) == "", longest(f.Surname, f.Name, f.Patronymic) > 100:
		return refuse("NAME_INVALID")
	case f.Attorney == nil:
		return nil
	}
	p := *f.Attorney
	given, err := time.Parse(time.DateOnly, p.Date)
	switch {
	case tidy(p.Name) == "" || p.Number == "" || p.Notary == "", longest(p.Name, p.Number, p.Notary) > 200:
		return refuse("ATTORNEY_INVALID")
	case err != nil || given.Format(time.DateOnly) > today:
		return refuse("ATTORNEY_DATE")
	}
	if iin, err := rules.AdmitIIN(p.IIN); err != nil || string(iin) == applicant {
		return refuse("ATTORNEY_INVALID")
	}
	return nil
}

// documentNumber admits what identity documents have: letters and digits, with spaces or dashes.
func documentNumber(s string) bool {
	return len(s) >= 5 && len(s) <= 30 && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != ' ' && r != '-'
	})
}

func longest(all ...string) (n int) {
	for _, s := range all {
		n = max(n, len([]rune(s)))
	}
	return n
}

// Examine takes what the first operator found. It cancels what was signed at the desk before.
func (a *Application) Examine(by Operator, f Finding, s Scan, p PersonAnswer, h HeadAnswer, at time.Time) error {
	if err := a.atDesk(by, at); err != nil {
		return err
	}
	if f.Attorney != nil && f.Attorney.IIN == by.IIN {
		return refuse("OPERATOR_SELF")
	}
	if a.Kind == Issuance { // R4: the registry names the person; the papers only when it cannot
		name := f
		if p.Verdict == trust.Good {
			name.Surname, name.Name, name.Patronymic = p.Surname, p.Name, p.Patronymic
		}
		a.Subject.Surname, a.Subject.Patronymic = tidy(name.Surname), tidy(name.Patronymic)
		a.Subject.CommonName = strings.TrimSpace(a.Subject.Surname + " " + tidy(name.Name))
		if a.Subject.Organization == "" {
			a.Subject.Organization = h.Organization
		}
	}
	a.Visit = Visit{Finding: f, By: by.IIN, Scan: s, Registry: a.compare(f, p, h)}
	a.Changed = at
	return nil
}

// DeskRequests takes requests made on the desk's machine, before anybody signed.
func (a *Application) DeskRequests(by Operator, all []Request, at time.Time) error {
	if err := a.atDesk(by, at); err != nil {
		return err
	}
	if a.Kind != Issuance || a.Visit.By == "" || a.Visit.First.Done() {
		return refuse("APPLICATION_STATE", "state", string(a.State))
	}
	a.Requests, a.Changed = all, at
	return nil
}

// ready refuses to let a visit be signed that lacks something, or that a registry forbids.
func (a *Application) ready(c Comparison, at time.Time) error {
	switch {
	case a.Visit.By == "":
		return refuse("NOT_EXAMINED")
	case a.Visit.Scan.Hash == "":
		return refuse("SCAN_MISSING")
	case len(a.Requests) == 0:
		return refuse("KEYS_MISSING")
	case a.Visit.Expires < at.In(lang.Astana).Format(time.DateOnly):
		return refuse("DOCUMENT_EXPIRED", "date", a.Visit.Expires+"T00:00:00Z")
	case c.Verdict == trust.Good, c.Overridable():
		return nil
	}
	return &Refusal{Code: c.Code, Evidence: c.evidence()}
}

// Identify records that the operator who examined the papers signed what he found. A mismatch with
// a registry stays in sight: the second operator decides about it.
func (a *Application) Identify(by Operator, signed []byte, at time.Time) error {
	if err := a.atDesk(by, at); err != nil {
		return err
	}
	if a.Visit.By != by.IIN {
		return refuse("NOT_EXAMINED")
	}
	if a.Visit.First.Done() {
		return refuse("ALREADY_IDENTIFIED")
	}
	if err := a.ready(a.Visit.Registry, at); err != nil {
		return err
	}
	a.Visit.First, a.Changed = Mark{by, at, signed, hexSum(signed)}, at
	return nil
}

// mayApprove checks everything about a second operator's approval but his signature.
func (a *Application) mayApprove(by Operator, c Comparison, override string, at time.Time) error {
	if err := a.atDesk(by, at); err != nil {
		return err
	}
	switch {
	case !a.Visit.First.Done():
		return refuse("NOT_IDENTIFIED")
	case a.Visit.First.IIN == by.IIN:
		return refuse("SAME_OPERATOR")
	}
	if err := a.ready(c, at); err != nil {
		return err
	}
	switch {
	case c.Verdict != trust.Good && override == "":
		return &Refusal{Code: c.Code, Evidence: c.evidence()}
	case c.Verdict == trust.Good && override != "":
		return refuse("NOTHING_TO_OVERRIDE")
	case longest(override) > MaxReason:
		return refuse("REASON_LONG")
	}
	return nil
}

// Approve records another operator's decision. The keys of staff then wait for their head, as those
// asked for in the cabinet do; the others are issued. c is what the registries say now.
func (a *Application) Approve(by Operator, c Comparison, override string, signed []byte, at time.Time) error {
	if err := a.mayApprove(by, c, override, at); err != nil {
		return err
	}
	a.Visit.Registry, a.Visit.Override = c, override
	a.Visit.Second = Mark{by, at, signed, hexSum(signed)}
	a.Reason = Reason{}
	if a.Subject.BIN == "" || a.Role == RoleHead {
		return a.move(Approved, at, AwaitingDesk)
	}
	if a.paper() { // what the head confirms
		a.SignedDocument, a.SignedHash, a.SignedAt = signed, hexSum(signed), at
	}
	return a.move(AwaitingDirector, at, AwaitingDesk)
}

// overridden reports that two operators passed over what the registries say of the head. Passing over
// a mismatch of the person says nothing about him.
func (a *Application) overridden() bool {
	return a.Visit.Second.Done() && a.Visit.Override != "" && a.Visit.Registry.Head
}

// passedOver is overridden for the person himself.
func (a *Application) passedOver() bool {
	return a.Visit.Second.Done() && a.Visit.Override != "" && !a.Visit.Registry.Head
}

// Refuse ends an application at the desk; a reason is required.
func (a *Application) Refuse(by Operator, text string, at time.Time) error {
	if err := a.serve(by); err != nil {
		return err
	}
	if text == "" || longest(text) > 500 {
		return refuse("REASON_REQUIRED")
	}
	if err := a.move(Rejected, at, AwaitingDesk); err != nil {
		return err
	}
	a.Reason = Reason{Code: "REJECTED_AT_DESK", Text: text}
	return nil
}

// Change takes another address or storage at the desk: they are inside the requests, so keys and
// signatures are made anew. One signed in the cabinet is changed there.
func (a *Application) Change(by Operator, email string, storage Storage, at time.Time) error {
	if err := a.atDesk(by, at); err != nil {
		return err
	}
	if a.Kind != Issuance {
		return refuse("APPLICATION_STATE", "state", string(a.State))
	}
	if a.Email == email && a.Storage == storage {
		return nil
	}
	a.Email, a.Storage, a.Changed = email, storage, at
	a.Revision++
	a.Requests = nil
	a.Visit.First, a.Visit.Second, a.Visit.Override = Mark{}, Mark{}, ""
	return nil
}

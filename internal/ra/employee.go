package ra

import (
	"context"
	"fmt"
	"slices"

	"senim/internal/ident"
	"senim/internal/trust"
	"senim/pki"
)

// EmployeeRoles are the templates an employee may ask for.
func EmployeeRoles() []string { return []string{RoleSignRight, RoleFinance, RoleHR, RoleEmployee} }

// gateEmployee checks an employee's application: his personal key or one of this organisation, a
// known organisation that another person heads, a role there is, and that the register of persons
// does not say no. A silent registry is no verdict: the application is kept and routed when it
// answers.
func (o *Office) gateEmployee(ctx context.Context, s Subject, h pki.Holder, f Form) (Subject, string, error) {
	s, _, err := o.employer(ctx, s, h, f.BIN)
	if err != nil {
		return Subject{}, "", err
	}
	if !slices.Contains(EmployeeRoles(), f.Role) {
		return Subject{}, "", refuse("ROLE_INVALID")
	}
	return s, f.Role, o.notDismissed(ctx, s, f.Role)
}

// employer is the part of the gate that does not depend on the role. The registries' answers are good or unknown.
func (o *Office) employer(ctx context.Context, s Subject, h pki.Holder, bin string) (Subject, Employer, error) {
	admitted, err := o.c.Identities.AdmitBIN(bin)
	if err != nil {
		return Subject{}, Employer{}, refuse("BIN_INVALID")
	}
	if h.BIN != "" && h.BIN != string(admitted) {
		return Subject{}, Employer{}, refuse("KEY_OF_OTHER_COMPANY")
	}
	e := Employer{Head: o.c.Registry.Head(ctx, h.IIN, admitted), Person: o.owner(ctx, s.IIN, s)}
	s.BIN, s.Organization = string(admitted), e.Head.Organization
	switch {
	case e.Head.bad():
		return Subject{}, Employer{}, &Refusal{Code: e.Head.code(), Evidence: e.Head.evidence()}
	case e.Person.Verdict == trust.Bad:
		return Subject{}, Employer{}, &Refusal{Code: e.Person.Code, Evidence: e.Person.evidence()}
	case e.Head.unknown():
		s.Organization = h.Organization // of his present key; else asked for again when the application is routed
	case e.Head.IIN == s.IIN:
		return Subject{}, Employer{}, refuse("HEAD_APPLIES_AS_HEAD")
	}
	return s, e, nil
}

// Employer is what the registries say of an organisation and of who asks for keys of its employee.
type Employer struct {
	Head   HeadAnswer
	Person PersonAnswer
}

// livingPerson refuses what the register of persons says no to (R4). Its silence is no verdict: the application is
// kept, and waits when it is routed.
func (o *Office) livingPerson(ctx context.Context, s Subject) error {
	if p := o.owner(ctx, s.IIN, s); p.Verdict == trust.Bad {
		return &Refusal{Code: p.Code, Evidence: p.evidence()}
	}
	return nil
}

// Employer checks a BIN and the applicant for keys of an employee: what the registry calls the
// organisation, and what both registries say. Their verdicts are good or unknown; a bad one is refused.
func (o *Office) Employer(ctx context.Context, signer *pki.Certificate, bin string) (Subject, Employer, error) {
	if report := o.c.Judge.Certificate(ctx, signer, trust.Signing); report.Verdict() != trust.Good {
		return Subject{}, Employer{}, fromReport(report, signer)
	}
	h := signer.Holder()
	if h.IIN == "" {
		return Subject{}, Employer{}, refuse("NOT_A_PERSON")
	}
	return o.employer(ctx, Subject{CommonName: h.CommonName, Surname: h.Surname, Patronymic: h.Given, IIN: h.IIN}, h, bin)
}

// owner asks the register of persons who owns the applicant's IIN. Another name than the certificate's
// is a no: new keys would carry it on.
func (o *Office) owner(ctx context.Context, by string, s Subject) PersonAnswer {
	p := o.c.People.Person(ctx, by, ident.IIN(s.IIN))
	switch {
	case p.Verdict == trust.Bad && p.Code == "":
		p.Code = "PERSON_UNKNOWN"
	case p.Verdict == trust.Good && !sameName(s.CommonName, p.Surname+" "+p.Name):
		p.Verdict, p.Code = trust.Bad, "PERSON_NAME_DIFFERS"
	case p.Verdict != trust.Good && p.Verdict != trust.Bad:
		p.Verdict = trust.Unknown
	}
	return p
}

func (p PersonAnswer) evidence() map[string]string {
	return HeadAnswer{AsOf: p.AsOf, Source: p.Source, Load: p.Load}.evidence()
}

// answers is what routing an application needs of the registries: who heads the organisation, and that the
// applicant's IIN is his. One that is silent makes the whole answer unknown. For a person's own keys it is the
// register of persons alone.
func (o *Office) answers(ctx context.Context, a Application) HeadAnswer {
	head := HeadAnswer{Verdict: trust.Good}
	if a.Subject.BIN != "" {
		head = o.head(ctx, a.mover(), a)
	}
	if a.Kind == Issuance || head.bad() || head.unknown() { // begun at a desk: operators held him against the register
		return head
	}
	switch p := o.owner(ctx, a.mover(), a.Subject); p.Verdict {
	case trust.Good:
		return head
	case trust.Bad:
		return HeadAnswer{Verdict: trust.Bad, Code: p.Code, AsOf: p.AsOf, Source: p.Source, Load: p.Load}
	default:
		return HeadAnswer{Verdict: trust.Unknown, Code: p.Code, AsOf: p.AsOf, Source: p.Source, Load: p.Load}
	}
}

// gone asks once more, before the authority is asked, whether the register of persons says no. What two operators
// passed over at a desk is passed over here, but for a person who is not there any more.
func (o *Office) gone(ctx context.Context, a Application) (why Reason, gone bool, err error) {
	p := o.owner(ctx, a.mover(), a.Subject)
	switch {
	case p.Verdict == trust.Unknown:
		return Reason{}, false, fmt.Errorf("issue %s: the register of persons does not answer", FormatNumber(a.Number))
	case p.Verdict == trust.Bad && (!a.passedOver() || !(Comparison{Verdict: trust.Bad, Code: p.Code}).Overridable()):
		return Reason{Code: p.Code, Evidence: p.evidence()}, true, nil
	}
	return Reason{}, false, nil
}

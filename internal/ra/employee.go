package ra

import (
	"context"
	"slices"

	"senim/internal/ident"
	"senim/internal/trust"
	"senim/pki"
)

// EmployeeRoles are the templates an employee may ask for.
func EmployeeRoles() []string { return []string{RoleSignRight, RoleFinance, RoleHR, RoleEmployee} }

// gateEmployee checks an employee's application: his personal key or one of this organisation, a
// known organisation that another person heads, a role there is, and that the register of persons
// does not say no. A silent register is no verdict: the application is kept and routed when it
// answers.
func (o *Office) gateEmployee(ctx context.Context, s Subject, h pki.Holder, f Form) (Subject, string, error) {
	s, err := o.employer(ctx, s, h, f.BIN)
	if err != nil {
		return Subject{}, "", err
	}
	if !slices.Contains(EmployeeRoles(), f.Role) {
		return Subject{}, "", refuse("ROLE_INVALID")
	}
	return s, f.Role, o.notDismissed(ctx, s, f.Role)
}

// employer is the part of the gate that does not depend on the role.
func (o *Office) employer(ctx context.Context, s Subject, h pki.Holder, bin string) (Subject, error) {
	admitted, err := o.c.Identities.AdmitBIN(bin)
	if err != nil {
		return Subject{}, refuse("BIN_INVALID")
	}
	if h.BIN != "" && h.BIN != string(admitted) {
		return Subject{}, refuse("KEY_OF_OTHER_COMPANY")
	}
	head, err := o.headOf(ctx, admitted)
	if err != nil {
		return Subject{}, err
	}
	if head.IIN == s.IIN {
		return Subject{}, refuse("HEAD_APPLIES_AS_HEAD")
	}
	if p := o.owner(ctx, s); p.Verdict == trust.Bad {
		return Subject{}, &Refusal{Code: p.Code, Evidence: p.evidence()}
	}
	s.BIN, s.Organization = string(admitted), head.Organization
	return s, nil
}

// Employer checks a BIN and the applicant for keys of an employee: what the registry calls the
// organisation, and what the register of persons says of him. Its verdict is good or unknown; a bad
// one is refused.
func (o *Office) Employer(ctx context.Context, signer *pki.Certificate, bin string) (Subject, PersonAnswer, error) {
	if report := o.c.Judge.Certificate(ctx, signer, trust.Signing); report.Verdict() != trust.Good {
		return Subject{}, PersonAnswer{}, fromReport(report, signer)
	}
	h := signer.Holder()
	if h.IIN == "" {
		return Subject{}, PersonAnswer{}, refuse("NOT_A_PERSON")
	}
	s, err := o.employer(ctx, Subject{CommonName: h.CommonName, Surname: h.Surname, Patronymic: h.Given, IIN: h.IIN}, h, bin)
	if err != nil {
		return Subject{}, PersonAnswer{}, err
	}
	return s, o.owner(ctx, s), nil
}

// owner asks the register of persons who owns the applicant's IIN. Another name than the certificate's
// is a no: new keys would carry it on.
func (o *Office) owner(ctx context.Context, s Subject) PersonAnswer {
	p := o.c.People.Person(ctx, ident.IIN(s.IIN))
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

// answers is what routing an application needs of the registries: who heads the organisation, and for
// an employee's first keys that his IIN is his. One that is silent makes the whole answer unknown.
func (o *Office) answers(ctx context.Context, a Application) HeadAnswer {
	head := o.head(ctx, a)
	if a.Kind != Employee || head.bad() || head.unknown() {
		return head
	}
	switch p := o.owner(ctx, a.Subject); p.Verdict {
	case trust.Good:
		return head
	case trust.Bad:
		return HeadAnswer{Verdict: trust.Bad, Code: p.Code, AsOf: p.AsOf, Source: p.Source, Load: p.Load}
	default:
		return HeadAnswer{Verdict: trust.Unknown, AsOf: p.AsOf, Source: p.Source, Load: p.Load}
	}
}

package cabinet

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"senim/internal/ra"
	"senim/internal/trust"
	"senim/internal/web"
)

func (s *cabinet) employeeRoutes(at routes) {
	at.own("GET /apply/legal/employee", s.askEmployer)
	at.own("POST /apply/legal/employee", s.checkEmployer)
	at.own("GET /apply/legal/employee/data", s.askEmployee)
	at.own("POST /apply/legal/employee/data", s.applyEmployee)
}

// employer is the organisation and the applicant as the registries know them.
type employer struct {
	ra.Subject
	ra.Employer
}

// Found reports that the registry of companies answered.
func (e employer) Found() bool { return e.Head.Verdict == trust.Good }

// Known reports that the register of persons answered.
func (e employer) Known() bool { return e.Person.Verdict == trust.Good }

// askEmployer asks for the BIN; the IIN is that of the certificate.
func (s *cabinet) askEmployer(w http.ResponseWriter, r *web.Request) error {
	return r.OK(w, employerPage(r, r.Session().BIN, nil))
}

// checkEmployer asks both registries and goes on.
func (s *cabinet) checkEmployer(w http.ResponseWriter, r *web.Request) error {
	bin := r.Field("bin")
	_, err := s.employer(r, bin)
	var no *ra.Refusal
	if errors.As(err, &no) && no.Code == "BIN_INVALID" {
		return r.Invalid(w, employerPage(r, bin, web.Errors{{Field: "bin", Text: r.T("cabinet.code.BIN_INVALID")}}))
	}
	if err != nil {
		return employeeRefusal(err)
	}
	return r.Redirect("/apply/legal/employee/data?bin=" + url.QueryEscape(bin))
}

func (s *cabinet) employer(r *web.Request, bin string) (employer, error) {
	if err := s.asks(r, bin); err != nil {
		return employer{}, err
	}
	cert, err := r.Certificate()
	if err != nil {
		return employer{}, err
	}
	subject, told, err := s.c.Office.Employer(r.Context(), cert, bin)
	return employer{subject, told}, err
}

// employeeRefusal gives the head of the organisation the way to his own application.
func employeeRefusal(err error) error {
	var no *ra.Refusal
	if !errors.As(err, &no) || no.Code != "HEAD_APPLIES_AS_HEAD" {
		return err
	}
	return web.Refusal{Code: no.Code, Next: []web.Link{{Text: "cabinet.start.head_link", Href: "/apply/legal"}}}
}

// askEmployee shows what the registries say, and the form.
func (s *cabinet) askEmployee(w http.ResponseWriter, r *web.Request) error {
	f, err := s.proposed(r)
	if err != nil {
		return err
	}
	f.BIN = r.URL.Query().Get("bin")
	e, err := s.employer(r, f.BIN)
	if err != nil {
		return employeeRefusal(err)
	}
	return r.OK(w, employeePage(r, e, f, nil))
}

// applyEmployee saves the draft, which gets its number.
func (s *cabinet) applyEmployee(w http.ResponseWriter, r *web.Request) error {
	f := form(r)
	f.BIN, f.Role = r.Field("bin"), r.Field("role")
	e, err := s.employer(r, f.BIN)
	if err != nil {
		return employeeRefusal(err)
	}
	var errs web.Errors
	if !slices.Contains(ra.EmployeeRoles(), f.Role) {
		errs.Add("role", r.T("confirm.employee.error.role"))
	}
	if errs = append(errs, formErrors(r, f)...); len(errs) > 0 {
		return r.Invalid(w, employeePage(r, e, f, errs))
	}
	cert, err := r.Certificate()
	if err != nil {
		return err
	}
	a, err := s.c.Office.Draft(r.Context(), ra.Ask{Kind: ra.Employee, Signer: cert, Form: f})
	if err != nil {
		return err
	}
	return r.Redirect("/applications/" + a.Number)
}

// employeeRoles are the templates in plain words.
func employeeRoles(r *web.Request) []web.Option {
	var all []web.Option
	for _, role := range ra.EmployeeRoles() {
		all = append(all, web.Option{Value: role, Text: r.T("web.role." + role), Hint: r.T("confirm.employee.role." + role)})
	}
	return all
}

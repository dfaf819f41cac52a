package portal

import (
	"errors"
	"net/http"
	"slices"

	"senim/internal/participant"
	"senim/internal/web"
)

// dataPage is step 2, «Регистрационные данные».
func (s *site) dataPage(w http.ResponseWriter, r *web.Request) error {
	reg, _, err := s.draft(r)
	if err != nil {
		return err
	}
	if reg.State.Step() < 2 {
		return r.Redirect(step(reg, 1))
	}
	return s.showData(w, r, http.StatusOK, reg, nil)
}

// dataGiven takes the form. Mistakes come back all at once, with everything typed but passwords.
func (s *site) dataGiven(w http.ResponseWriter, r *web.Request) error {
	reg, secret, err := s.draft(r)
	if err != nil {
		return err
	}
	f := participant.Form{Entered: participant.Entered{Email: r.Field("email"), EmailAgain: r.Field("email2"), Phone: r.Field("phone"),
		DocNumber: r.Field("docnumber"), DocDate: r.Field("docdate"), DocIssuer: r.Field("docissuer")},
		Password: r.PostFormValue("password"), PasswordAgain: r.PostFormValue("password2"), Current: r.PostFormValue("current"), Lang: r.Lang()}
	reg, err = s.office.Data(r.Context(), reg.ID, secret, f)
	var wrong participant.FieldErrors
	var d *participant.Denied
	switch {
	case errors.As(err, &wrong):
		return s.showData(w, r, http.StatusUnprocessableEntity, reg, dataErrors(r, wrong))
	case errors.As(err, &d) && slices.Contains([]string{"LETTER_TOO_SOON", "TOO_MANY_LETTERS", "LETTERS_TODAY"}, d.Code):
		var errs web.Errors
		errs.Add("email", describe(r, "", d.Code, false, d.Evidence).What)
		return s.showData(w, r, http.StatusUnprocessableEntity, reg, errs)
	case err != nil:
		return &stopped{err: err, retry: "/register/" + r.PathValue("id")}
	}
	return r.Redirect(step(reg, reg.State.Step()))
}

func (s *site) showData(w http.ResponseWriter, r *web.Request, status int, reg participant.Registration, errs web.Errors) error {
	known, err := s.office.Known(r.Context(), reg)
	if err != nil {
		return err
	}
	return r.Render(w, status, dataView(r, reg, known, errs))
}

// dataErrors are the mistakes of the form in words, in its order.
func dataErrors(r *web.Request, wrong participant.FieldErrors) web.Errors {
	var errs web.Errors
	for _, field := range []string{"current", "email", "email2", "phone", "docnumber", "docdate", "docissuer", "password", "password2"} {
		switch code := wrong[field]; code {
		case "":
		case "FIELD_EMPTY": // the summary names the field
			errs.Add(field, r.T("portal.data.empty", "field", r.T("portal.data."+field)))
		default:
			errs.Add(field, r.T("codes."+code))
		}
	}
	return errs
}

// registryRows are the organisation's data, with their provenance (section 16). Nobody edits them
// here (R5).
func registryRows(r *web.Request, reg participant.Registration) []web.Row {
	label := r.T("portal.iin")
	if reg.Category.Enterprise() {
		label = r.T("portal.bin")
	}
	return append([]web.Row{{Label: label, Value: grouped(reg.TIN)}}, subjectRows(r, reg.Subject)...)
}

// subjectRows are what a registry says; what it does not say has no row, but for the tax, whose absence
// means something.
func subjectRows(r *web.Request, s participant.Subject) []web.Row {
	name, address := s.Name, s.Address
	if r.Lang() == "kk" {
		name, address = first(s.NameKK, name), first(s.AddressKK, address)
	}
	var rows []web.Row
	for _, row := range []web.Row{{Label: r.T("portal.data.name"), Value: name}, {Label: r.T("portal.data.address"), Value: address}} {
		if row.Value != "" {
			rows = append(rows, row)
		}
	}
	if s.Practice != "" {
		rows = append(rows, web.Row{Label: r.T("portal.data.practice"), Value: r.T("portal.type." + string(s.Practice))})
	}
	if s.VAT != "" {
		rows = append(rows, web.Row{Label: r.T("portal.data.vat"), Value: r.T("portal.data.vat." + s.VAT)})
	}
	if s.HeadOffice != "" {
		rows = append(rows, web.Row{Label: r.T("portal.data.head_office"), Value: grouped(s.HeadOffice)})
	}
	return rows
}

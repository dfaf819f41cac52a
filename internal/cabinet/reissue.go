package cabinet

import (
	"errors"
	"net/http"

	"senim/internal/ident"
	"senim/internal/ra"
	"senim/internal/web"
	"senim/pki"
)

// form reads what every application asks: where to write, where one lives, where the keys go.
func form(r *web.Request) ra.Form {
	return ra.Form{Email: r.Field("email"), City: r.Field("city"), Storage: ra.Storage(r.Field("storage")), Lang: r.Lang()}
}

// formErrors are the mistakes in it.
func formErrors(r *web.Request, f ra.Form) (errs web.Errors) {
	if _, err := ident.ParseEmail(f.Email); err != nil {
		errs.Add("email", r.T("cabinet.error.email"))
	}
	if f.City == "" || len([]rune(f.City)) > 100 {
		errs.Add("city", r.T("cabinet.error.city"))
	}
	switch f.Storage {
	case ra.PKCS12:
	case ra.IDCard:
		errs.Add("storage", r.T("codes.IDCARD_DESK_ONLY"))
	default:
		errs.Add("storage", r.T("cabinet.error.storage"))
	}
	return errs
}

// storages are the choices of the form; those written only at the desk say so when chosen.
func storages(r *web.Request) []web.Option {
	return []web.Option{
		{Value: string(ra.PKCS12), Text: r.T("cabinet.storage.PKCS12"), Hint: r.T("cabinet.storage.PKCS12_hint")},
		{Value: string(ra.IDCard), Text: r.T("cabinet.storage.AKKZIDCardStore"), Hint: r.T("cabinet.storage.AKKZIDCardStore_hint")},
	}
}

// proposed is the form as known from the account and the certificate.
func (s *cabinet) proposed(r *web.Request) (ra.Form, error) {
	f := ra.Form{Storage: ra.PKCS12}
	a, err := s.c.Office.Account(r.Context(), r.Session().IIN)
	if err != nil && !errors.Is(err, ra.ErrNotFound) {
		return f, err
	}
	f.Email, f.City = a.Email, a.City
	if f.Email == "" {
		f.Email = emailOf(r)
	}
	return f, nil
}

// askReissue shows the key to be renewed and the form, after the gate R1–R5.
func (s *cabinet) askReissue(w http.ResponseWriter, r *web.Request) error {
	f, err := s.proposed(r)
	if err != nil {
		return err
	}
	c, err := s.renewable(r, f)
	if err != nil {
		return err
	}
	return r.OK(w, reissuePage(r, cardOf(r, c, s.c.Now()), f, nil))
}

// renewable is the certificate of the session, when it may be renewed.
func (s *cabinet) renewable(r *web.Request, f ra.Form) (*pki.Certificate, error) {
	c, err := r.Certificate()
	if err != nil {
		return nil, err
	}
	_, _, err = s.c.Office.Gate(r.Context(), ra.Ask{Kind: ra.Reissue, Signer: c, Form: f})
	return c, err
}

// reissue saves the draft, which gets its number.
func (s *cabinet) reissue(w http.ResponseWriter, r *web.Request) error {
	f := form(r)
	c, err := s.renewable(r, f)
	if err != nil {
		return err
	}
	if errs := formErrors(r, f); len(errs) > 0 {
		return r.Invalid(w, reissuePage(r, cardOf(r, c, s.c.Now()), f, errs))
	}
	a, err := s.c.Office.Draft(r.Context(), ra.Ask{Kind: ra.Reissue, Signer: c, Form: f})
	if err != nil {
		return err
	}
	return r.Redirect("/applications/" + a.Number)
}

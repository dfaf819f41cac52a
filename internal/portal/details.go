package portal

import (
	"errors"
	"net/http"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/web"
)

// person is who is signed in, for the pages of «Мои реквизиты».
func person(h func(http.ResponseWriter, *web.Request, ident.IIN) error) web.Handler {
	return func(w http.ResponseWriter, r *web.Request) error {
		if !r.Session().SignedIn() || r.Session().IIN == "" {
			return web.ErrSignIn
		}
		return h(w, r, ident.IIN(r.Session().IIN))
	}
}

func (s *site) mePassword(w http.ResponseWriter, r *web.Request, _ ident.IIN) error {
	return r.OK(w, mePasswordView(r, nil))
}

func (s *site) mePasswordGiven(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	err := s.office.AskPassword(r.Context(), r.SID(), participant.From{Network: r.Network(), Serial: r.Session().Serial}, iin, r.PostFormValue("current"), r.PostFormValue("password"), r.PostFormValue("password2"))
	var wrong participant.FieldErrors
	switch {
	case errors.As(err, &wrong):
		return r.Invalid(w, mePasswordView(r, wrongFields(r, wrong, "current", "password", "password2")))
	case err != nil:
		return &stopped{err: err, retry: "/me/password"}
	}
	return r.Redirect("/me/password/sign")
}

func (s *site) mePasswordSign(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	return s.showAct(w, r, participant.ActPassword, func(participant.Act) actData {
		return actData{key: "portal.me.password", action: "/me/password/sign", back: "/me/password", signer: web.Signer{IIN: string(iin)}}
	})
}

// mePasswordSigned sets the password; this session ends with the others.
func (s *site) mePasswordSigned(_ http.ResponseWriter, r *web.Request, _ ident.IIN) error {
	signed, err := s.proveAct(r, participant.ActPassword)
	if err == nil {
		err = s.office.ChangePassword(r.Context(), r.SID(), signed)
	}
	if err != nil {
		return &stopped{err: err, retry: "/me/password/sign"}
	}
	return r.Redirect("/login/reset-password/done")
}

func (s *site) meDetails(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	d, err := s.office.Details(r.Context(), iin)
	if err != nil {
		return err
	}
	return r.OK(w, meDetailsView(r, d, nil))
}

func (s *site) meDetailsGiven(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	err := s.office.AskDetails(r.Context(), r.SID(), iin, participant.Details{Lang: lang.Tag(r.Field("lang")), Phone: r.Field("phone"),
		Document: participant.Document{Number: r.Field("docnumber"), Issued: r.Field("docdate"), Issuer: r.Field("docissuer")}})
	var wrong participant.FieldErrors
	switch {
	case errors.As(err, &wrong):
		d, err := s.office.Details(r.Context(), iin)
		if err != nil {
			return err
		}
		return r.Invalid(w, meDetailsView(r, d, wrongFields(r, wrong, "lang", "phone", "docnumber", "docdate", "docissuer")))
	case err != nil:
		return &stopped{err: err, retry: "/me/details"}
	}
	return r.Redirect("/me/details/sign")
}

func (s *site) meDetailsSign(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	act, err := s.office.Act(r.Context(), r.SID(), participant.ActDetails)
	if err != nil {
		return &stopped{err: err, retry: "/me/details"}
	}
	changes, err := act.Changes()
	if err != nil {
		return err
	}
	return r.OK(w, meDetailsSignView(r, changes, act.Details, web.Signer{IIN: string(iin)}))
}

// changeRows are the changes in words: what was, and what will be.
func changeRows(r *web.Request, changes []participant.Changed) []web.Row {
	var rows []web.Row
	for _, c := range changes {
		label := r.T(fieldLabel(c.Field))
		if c.Field == "lang" {
			label, c.Old, c.New = r.T("portal.me.lang"), langName(lang.Tag(c.Old)), langName(lang.Tag(c.New))
		}
		rows = append(rows, web.Row{Label: label, Value: first(c.Old, "—") + " → " + first(c.New, "—")})
	}
	return rows
}

func (s *site) meDetailsSigned(_ http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	signed, err := web.SignedXML(r.Field("answer"))
	if err == nil {
		err = s.office.ChangeDetails(r.Context(), r.SID(), iin, signed)
	}
	if err != nil {
		return &stopped{err: err, retry: "/me/details"}
	}
	return r.Redirect("/me")
}

// ended says that the registry names the enterprise as one that is no more.
func ended(r *web.Request, f participant.Facts) string {
	if f.EndedOn == "" {
		return r.T("portal.me.ended")
	}
	return r.T("portal.me.ended_on", "date", r.Date(f.EndedOn.Time()))
}

// factRows are what the registries say of the profile's tin.
func factRows(r *web.Request, f participant.Facts) []web.Row {
	rows := subjectRows(r, f.Subject)
	if !f.LoadedAt.IsZero() {
		rows = append(rows, web.Row{Label: r.T("portal.fact.lastLoad"), Value: r.DateTime(f.LoadedAt)}, web.Row{Label: r.T("portal.fact.nextLoad"), Value: r.DateTime(f.NextLoad)})
	}
	return rows
}

func (s *site) meEntries(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	list, err := s.signIns(r, iin)
	if err != nil {
		return err
	}
	return r.OK(w, entriesView(r, list))
}

// meEnd ends the sessions of one sign-in, or, when none is named, all of them.
func (s *site) meEnd(_ http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	if entry := r.Field("entry"); entry != "" {
		if err := s.office.EndSession(r.Context(), iin, entry); err != nil {
			return err
		}
		if entry == r.Value(participant.EntryValue) {
			return r.Redirect("/login")
		}
		return r.Redirect("/me/entries")
	}
	if err := s.office.EndSessions(r.Context(), iin); err != nil {
		return err
	}
	return r.Redirect("/login")
}

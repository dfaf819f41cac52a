package portal

import (
	"errors"
	"net/http"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/web"
)

// keyExpired is in a session whose person gave a right password that is too old: it opens the pages here
// and nothing else, until the proof of the key ends.
const keyExpired = "key.expired"

// expired gives who may set a new password in place of one that is too old.
func expired(r *web.Request) (ident.IIN, error) {
	iin, err := proved(r)
	if err == nil && (r.Value(keyExpired) == "" || r.Value(keyExpired) != r.Value(keyUntil)) {
		err = &stopped{err: &participant.Denied{Code: "SIGNIN_STALE"}, retry: "/login"}
	}
	return iin, err
}

// expiredPage says that the password is too old, and asks for a new one.
func (s *site) expiredPage(w http.ResponseWriter, r *web.Request) error {
	if _, err := expired(r); err != nil {
		return err
	}
	return r.OK(w, expiredView(r, nil))
}

func (s *site) expiredGiven(w http.ResponseWriter, r *web.Request) error {
	iin, err := expired(r)
	if err != nil {
		return err
	}
	err = s.office.RenewPassword(r.Context(), r.SID(), iin, r.Value(keyStamp), r.PostFormValue("password"), r.PostFormValue("password2"))
	var wrong participant.FieldErrors
	switch {
	case errors.As(err, &wrong):
		return r.Invalid(w, expiredView(r, wrongFields(r, wrong, "password", "password2")))
	case err != nil:
		return &stopped{err: err, retry: "/login"}
	}
	return r.Redirect("/login/expired/sign")
}

func (s *site) expiredSign(w http.ResponseWriter, r *web.Request) error {
	iin, err := expired(r)
	if err != nil {
		return err
	}
	return s.showAct(w, r, participant.ActPassword, func(participant.Act) actData {
		return actData{key: "portal.me.password", action: "/login/expired/sign", back: "/login/expired", signer: web.Signer{IIN: string(iin)}}
	})
}

// expiredSigned sets the password; one signs in with it.
func (s *site) expiredSigned(_ http.ResponseWriter, r *web.Request) error {
	if _, err := expired(r); err != nil {
		return err
	}
	signed, err := s.proveAct(r, participant.ActPassword)
	if err == nil {
		err = s.office.ChangePassword(r.Context(), r.SID(), signed)
	}
	if err != nil {
		return &stopped{err: err, retry: "/login/expired/sign"}
	}
	if err := r.Set(map[string]string{keyExpired: "", keyUntil: ""}); err != nil {
		return err
	}
	return r.Redirect("/login/reset-password/done")
}

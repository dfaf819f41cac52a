package portal

import (
	"errors"
	"net/http"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/passkey"
	"senim/internal/web"
)

// What the session keeps between a question to an authenticator and its answer.
const (
	passkeyAsked = "passkey.asked" // at sign-in
	passkeyNew   = "passkey.new"   // of a new one
	passkeyName  = "passkey.name"
)

// holder is the person as authenticators know him, with his passkeys.
func (s *site) holder(r *web.Request, iin ident.IIN) (passkey.Person, []participant.Passkey, error) {
	all, err := s.office.Passkeys(r.Context(), iin)
	if err != nil {
		return passkey.Person{}, nil, err
	}
	handle, err := s.office.Handle(r.Context(), iin)
	if err != nil {
		return passkey.Person{}, nil, err
	}
	p := passkey.Person{Handle: handle, Name: r.Session().Name}
	if p.Name == "" {
		p.Name = r.Value(keyName)
	}
	for _, k := range all {
		p.Credentials = append(p.Credentials, k.Credential)
	}
	return p, all, nil
}

// askPasskey gives the question for the page of the password; "" when the person has no passkey.
func (s *site) askPasskey(r *web.Request, iin ident.IIN) (string, error) {
	if s.passkeys == nil {
		return "", nil
	}
	p, all, err := s.holder(r, iin)
	if err != nil || len(all) == 0 {
		return "", err
	}
	options, keep, err := s.passkeys.Ask(p)
	if err != nil {
		return "", err
	}
	return options, r.Set(map[string]string{passkeyAsked: keep})
}

// passkeyGiven signs in by a passkey in place of the password. The question is taken out first.
func (s *site) passkeyGiven(_ http.ResponseWriter, r *web.Request) error {
	iin, err := proved(r)
	if err != nil {
		return err
	}
	if s.passkeys == nil {
		return web.ErrNotFound
	}
	keep, err := r.Take(passkeyAsked)
	if err != nil {
		return err
	}
	p, all, err := s.holder(r, iin)
	if err != nil {
		return err
	}
	which, credential, err := s.passkeys.Answered(p, keep, r.Field("answer"))
	if errors.Is(err, passkey.ErrRefused) {
		err = s.office.PasskeyRefused(r.Context(), tried(r), iin)
	}
	if err != nil {
		return &stopped{err: err, retry: "/login/password"}
	}
	a, err := s.office.SignInByPasskey(r.Context(), tried(r), iin, all[which].ID, credential)
	if err != nil {
		return &stopped{err: err, retry: "/login/password"}
	}
	return s.passed(r, a, participant.WayPasskey)
}

// mePasskeys lists the person's passkeys, and asks for the name of a new one.
func (s *site) mePasskeys(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	return s.showPasskeys(w, r, iin, nil)
}

func (s *site) showPasskeys(w http.ResponseWriter, r *web.Request, iin ident.IIN, errs web.Errors) error {
	if s.passkeys == nil {
		return web.ErrNotFound
	}
	all, err := s.office.Passkeys(r.Context(), iin)
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return r.Invalid(w, passkeysView(r, all, errs))
	}
	return r.OK(w, passkeysView(r, all, nil))
}

// mePasskeyNamed takes the name; the authenticator is asked on the next page.
func (s *site) mePasskeyNamed(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	name, err := s.office.PasskeyName(r.Context(), iin, r.Field("name"))
	var wrong participant.FieldErrors
	switch {
	case errors.As(err, &wrong):
		return s.showPasskeys(w, r, iin, passkeyErrors(r, wrong))
	case err != nil:
		return &stopped{err: err, retry: "/me/passkeys"}
	}
	if err := r.Set(map[string]string{passkeyName: name}); err != nil {
		return err
	}
	return r.Redirect("/me/passkeys/new")
}

func passkeyErrors(r *web.Request, wrong participant.FieldErrors) web.Errors {
	var errs web.Errors
	switch code := wrong["name"]; code {
	case "":
	case "FIELD_EMPTY":
		errs.Add("name", r.T("portal.data.empty", "field", r.T("signin.passkeys.name")))
	default:
		errs.Add("name", r.T("codes."+code))
	}
	return errs
}

// mePasskeyAsk asks the authenticator for a new credential.
func (s *site) mePasskeyAsk(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	if s.passkeys == nil {
		return web.ErrNotFound
	}
	if r.Value(passkeyName) == "" {
		return r.Redirect("/me/passkeys")
	}
	p, _, err := s.holder(r, iin)
	if err != nil {
		return err
	}
	options, keep, err := s.passkeys.Create(p)
	if err != nil {
		return err
	}
	if err := r.Set(map[string]string{passkeyNew: keep}); err != nil {
		return err
	}
	return r.OK(w, passkeyNewView(r, options))
}

// mePasskeyMade takes the new credential; it opens nothing until the person has signed for it.
func (s *site) mePasskeyMade(_ http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	if s.passkeys == nil {
		return web.ErrNotFound
	}
	keep, err := r.Take(passkeyNew)
	if err != nil {
		return err
	}
	p, _, err := s.holder(r, iin)
	if err != nil {
		return err
	}
	credential, err := s.passkeys.Created(p, keep, r.Field("answer"))
	if errors.Is(err, passkey.ErrRefused) {
		err = &participant.Denied{Code: "PASSKEY_NOT_MADE"}
	}
	if err == nil {
		err = s.office.AskPasskey(r.Context(), r.SID(), iin, r.Value(passkeyName), credential)
	}
	if err != nil {
		return &stopped{err: err, retry: "/me/passkeys/new"}
	}
	return r.Redirect("/me/passkeys/sign")
}

func (s *site) mePasskeySign(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	return s.showAct(w, r, participant.ActPasskey, func(participant.Act) actData {
		return actData{key: "signin.passkeys", action: "/me/passkeys/sign", back: "/me/passkeys", signer: web.Signer{IIN: string(iin)},
			rows: []web.Row{{Label: r.T("signin.passkeys.name"), Value: r.Value(passkeyName)}}}
	})
}

func (s *site) mePasskeySigned(_ http.ResponseWriter, r *web.Request, _ ident.IIN) error {
	signed, err := s.proveAct(r, participant.ActPasskey)
	if err == nil {
		err = s.office.AddPasskey(r.Context(), r.SID(), signed)
	}
	if err != nil {
		return &stopped{err: err, retry: "/me/passkeys/sign"}
	}
	return r.Redirect("/me/passkeys")
}

func (s *site) mePasskeyRemoved(_ http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	if err := s.office.RemovePasskey(r.Context(), iin, r.Field("passkey")); err != nil {
		return err
	}
	return r.Redirect("/me/passkeys")
}

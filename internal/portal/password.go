package portal

import (
	"errors"
	"net/http"
	"time"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/web"
)

// proved gives the IIN whose key was proved in this session and is still fresh.
func proved(r *web.Request) (ident.IIN, error) {
	until, err := time.Parse(time.RFC3339, r.Value(keyUntil))
	if err != nil || r.Value(keyIIN) == "" || r.Now().After(until) {
		return "", &stopped{err: &participant.Denied{Code: "SIGNIN_STALE"}, retry: "/login"}
	}
	return ident.IIN(r.Value(keyIIN)), nil
}

// passwordPage shows whose key it is and asks for the password (section 7, step 2).
func (s *site) passwordPage(w http.ResponseWriter, r *web.Request) error {
	iin, err := proved(r)
	if err != nil {
		return err
	}
	if _, err := s.office.Admit(r.Context(), iin); err != nil {
		return &stopped{err: err, retry: "/login"}
	}
	return r.OK(w, passwordView(r, nil))
}

// passwordGiven checks the password; with a link it finishes the registration, then chooses the
// profile.
func (s *site) passwordGiven(w http.ResponseWriter, r *web.Request) error {
	iin, err := proved(r)
	if err != nil {
		return err
	}
	// Untrimmed: spaces are characters of a password.
	_, err = s.office.SignIn(r.Context(), iin, r.PostFormValue("password"))
	var d *participant.Denied
	if errors.As(err, &d) && d.Code == "PASSWORD_WRONG" {
		var errs web.Errors
		errs.Add("password", describe(r, "", d.Code, false, d.Evidence).What)
		return r.Invalid(w, passwordView(r, errs))
	}
	if err != nil {
		return &stopped{err: err, retry: "/login"}
	}
	finished := ""
	if link := r.Value(keyLink); link != "" {
		reg, err := s.office.Complete(r.Context(), participant.LinkKey(link), iin)
		if err != nil {
			return &stopped{err: err, retry: retryOfLink(err)}
		}
		finished = reg.TIN
	}
	return s.enter(r, iin, finished)
}

// retryOfLink: after a check that could not be made the same sign-in may be tried again.
func retryOfLink(err error) string {
	var gate *participant.GateClosed
	if errors.As(err, &gate) && len(gate.Evidence.Failed()) > 0 && gate.Evidence.Verdict() != "bad" {
		return "/login/password"
	}
	return ""
}

// enter begins the session of the person. One usable profile is entered at once; the one of a
// registration just finished goes first. Who came by an invitation sees it before anything else.
func (s *site) enter(r *web.Request, iin ident.IIN, finished string) error {
	all, err := s.office.Profiles(r.Context(), iin)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return &stopped{err: &participant.Denied{Code: "REGISTRATION_WAITS"}}
	}
	session := auth.Session{IIN: string(iin), Serial: r.Value(keySerial), Fingerprint: r.Value(keyPrint), Name: r.Value(keyName),
		Values: map[string]string{keyBIN: r.Value(keyBIN)}}
	invited := r.Value(keyInvite)
	if invited != "" {
		session.Values[keyInvite] = invited
	}
	if err := r.SignIn(session); err != nil {
		return err
	}
	if err := s.office.Enter(r.Context(), iin, r.Session().Serial, network(r)); err != nil {
		return err
	}
	if invited != "" {
		return r.Redirect("/invite/accept")
	}
	var usable []participant.Profile
	for _, p := range all {
		if p.Allowed(r.Value(keyBIN), r.Now()) == "" {
			usable = append(usable, p)
			if p.TIN == finished {
				return s.act(r, p, "/me?done=1")
			}
		}
	}
	if len(usable) == 1 {
		return s.act(r, usable[0], "/me")
	}
	if finished != "" {
		return r.Redirect("/login/profile?done=1")
	}
	return r.Redirect("/login/profile")
}

// act makes the session act for a profile, under a new id. The session's BIN is the profile's tin, so
// that a change of head, or a block, ends exactly the sessions that act for it.
func (s *site) act(r *web.Request, p participant.Profile, to string) error {
	was := r.Session()
	next := auth.Session{IIN: was.IIN, Serial: was.Serial, Fingerprint: was.Fingerprint, Name: was.Name,
		Values: map[string]string{keyBIN: was.Values[keyBIN], profileID: p.ID, profileType: string(p.Type)}}
	next.BIN = p.TIN
	if err := r.SignIn(next); err != nil {
		return err
	}
	if err := s.office.Chosen(r.Context(), p, was.Serial); err != nil {
		return err
	}
	return s.onward(r, to)
}

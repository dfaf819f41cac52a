package portal

import (
	"errors"
	"net/http"
	"time"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/trust"
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

// passwordPage shows whose key it is and asks for the password (section 7, step 2), or for a passkey.
func (s *site) passwordPage(w http.ResponseWriter, r *web.Request) error {
	iin, err := proved(r)
	if err != nil {
		return err
	}
	if _, err := s.office.Admit(r.Context(), iin); err != nil {
		return &stopped{err: err, retry: "/login"}
	}
	return s.showPassword(w, r, iin, nil)
}

// showPassword shows the page, again with what was wrong.
func (s *site) showPassword(w http.ResponseWriter, r *web.Request, iin ident.IIN, errs web.Errors) error {
	options, err := s.askPasskey(r, iin)
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return r.Invalid(w, passwordView(r, options, errs))
	}
	return r.OK(w, passwordView(r, options, nil))
}

// tried is where an attempt to sign in comes from.
func tried(r *web.Request) participant.From {
	return participant.From{Network: r.Network(), Serial: r.Value(keySerial)}
}

// passwordGiven checks the password.
func (s *site) passwordGiven(w http.ResponseWriter, r *web.Request) error {
	iin, err := proved(r)
	if err != nil {
		return err
	}
	if r.Field("act") == "recheck" {
		return s.linkAgain(r, iin)
	}
	// Untrimmed: spaces are characters of a password.
	a, err := s.office.SignInByLink(r.Context(), tried(r), iin, participant.LinkKey(r.Value(keyLink)), r.PostFormValue("password"))
	var d *participant.Denied
	if errors.As(err, &d) && d.Code == "PASSWORD_WRONG" {
		var errs web.Errors
		errs.Add("password", describe(r, "", d.Code, false, d.Evidence).What)
		return s.showPassword(w, r, iin, errs)
	}
	if err != nil {
		return &stopped{err: err, retry: "/login"}
	}
	return s.passed(r, a, participant.WayPassword)
}

// passed goes on with who has proved to be the person of the key: a password that is too old is renewed
// first, with a link the registration is finished, then the profile is chosen.
func (s *site) passed(r *web.Request, a participant.Account, way string) error {
	if s.office.PasswordExpired(a) {
		if err := r.Set(map[string]string{keyExpired: r.Value(keyUntil), keyStamp: a.Stamp()}); err != nil {
			return err
		}
		return r.Redirect("/login/expired")
	}
	var finished *participant.Registration
	if link := r.Value(keyLink); link != "" {
		reg, err := s.office.Complete(r.Context(), participant.LinkKey(link), a.IIN)
		if unchecked(err) {
			if err := r.Set(map[string]string{keyPassed: r.Value(keyUntil), keyStamp: a.Stamp(), keyWay: way}); err != nil {
				return err
			}
			return &stopped{err: err, again: "/login/password"}
		}
		if err != nil {
			return &stopped{err: err}
		}
		finished = &reg
	}
	return s.enter(r, a, way, finished)
}

// keyPassed is in a session whose person gave a right password, or used a passkey, when the gate could not check his
// registration: until the proof of the key ends it may be checked again without another.
const keyPassed = "key.passed"

// unchecked reports whether a gate could not say yes or no: only then the same may be tried again.
func unchecked(err error) bool {
	var gate *participant.GateClosed
	return errors.As(err, &gate) && gate.Evidence.Verdict() == trust.Unknown
}

// linkAgain finishes a registration that could not be checked a moment ago: «Повторить проверку».
func (s *site) linkAgain(r *web.Request, iin ident.IIN) error {
	a, err := s.office.Admit(r.Context(), iin)
	if err != nil {
		return &stopped{err: err, retry: "/login"}
	}
	if r.Value(keyPassed) == "" || r.Value(keyPassed) != r.Value(keyUntil) || r.Value(keyStamp) != a.Stamp() {
		return r.Redirect("/login/password")
	}
	return s.passed(r, a, r.Value(keyWay))
}

// enter begins the session of the person. One usable profile is entered at once; the one of a
// registration just finished goes first. Who came by an invitation sees it before anything else. The
// sign-in is written down before there is a session.
func (s *site) enter(r *web.Request, a participant.Account, way string, finished *participant.Registration) error {
	iin := a.IIN
	all, err := s.office.Profiles(r.Context(), iin)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return &stopped{err: &participant.Denied{Code: "REGISTRATION_WAITS"}}
	}
	invited := r.Value(keyInvite)
	profile := s.only(r, all, finished)
	if invited != "" {
		profile = nil
	}
	machine, err := s.machine(r)
	if err != nil {
		return err
	}
	entry, err := s.office.Enter(r.Context(), participant.Entering{IIN: iin, Serial: r.Value(keySerial), Network: r.Network(), Browser: browserName(r.UserAgent()),
		Machine: machine, First: finished != nil, Way: way, Profile: profile})
	if err != nil {
		return err
	}
	session := auth.Session{IIN: string(iin), Serial: r.Value(keySerial), Fingerprint: r.Value(keyPrint), Name: r.Value(keyName),
		Values: map[string]string{keyBIN: r.Value(keyBIN), keyStamp: a.Stamp(), participant.EntryValue: entry, keyWay: way}}
	to := "/login/profile"
	if profile == nil {
		r.KeepBack(session.Values)
	}
	switch {
	case invited != "":
		session.Values[keyInvite] = invited
		to = "/invite/accept"
	case profile != nil:
		to = r.Back("/me")
		if finished != nil {
			if to, err = s.first(r, *profile); err != nil {
				return err
			}
		}
		acting(&session, *profile)
	}
	if finished != nil && invited == "" {
		to += "?done=1"
	}
	if err := r.SignIn(session); err != nil {
		return err
	}
	if profile == nil {
		return r.Redirect(to)
	}
	return s.resign(r, *profile, to)
}

// first is the page of who has just completed a registration: a new head sees at once the users who wait for his word
// (section 8.3).
func (s *site) first(r *web.Request, p participant.Profile) (string, error) {
	waiting, err := s.usersWait(r, p)
	if waiting {
		return "/org/users", err
	}
	return "/me", err
}

// only is the profile that is entered without a choice: the one just finished, or the only usable one.
func (s *site) only(r *web.Request, all []participant.Profile, finished *participant.Registration) *participant.Profile {
	var usable []participant.Profile
	for _, p := range all {
		if s.office.Allowed(p, r.Value(keyBIN)) != "" {
			continue
		}
		if finished != nil && p.TIN == finished.TIN && p.Type == finished.ProfileType() {
			return &p
		}
		usable = append(usable, p)
	}
	if len(usable) == 1 {
		return &usable[0]
	}
	return nil
}

// acting makes a session act for a profile, so that a change of head, or a block, ends exactly the sessions that do.
// The session's BIN is the profile's tin.
func acting(session *auth.Session, p participant.Profile) {
	session.Values[profileID], session.Values[profileType] = p.ID, string(p.Type)
	session.BIN = p.TIN
}

// act makes the session act for another profile (S6), under a new id; it lives no longer for that.
func (s *site) act(r *web.Request, p participant.Profile, to string) error {
	was := r.Session()
	next := auth.Session{IIN: was.IIN, Serial: was.Serial, Fingerprint: was.Fingerprint, Name: was.Name, Created: was.Created,
		Values: map[string]string{keyBIN: was.Values[keyBIN], keyStamp: was.Values[keyStamp], participant.EntryValue: was.Values[participant.EntryValue],
			keyWay: was.Values[keyWay]}}
	acting(&next, p)
	if err := s.office.Chosen(r.Context(), p, was.Serial); err != nil {
		return err
	}
	if err := r.SignIn(next); err != nil {
		return err
	}
	return s.resign(r, p, to)
}

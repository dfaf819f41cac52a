package portal

import (
	"net/http"
	"strings"
	"time"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/web"
)

// keyStamp is the value of a session that says with which password of the account it began.
const keyStamp = "account.stamp"

// overNow ends a session that may not go on, and says why.
func (s *site) overNow(w http.ResponseWriter, r *web.Request, p participant.Profile, code string) error {
	why, said := auth.ByProfile, describe(r, "", code, false, told(p, code))
	switch code {
	case "ACCOUNT_BLOCKED":
		why = auth.ByBlock
	case "SIGNIN_STALE":
		why = auth.ByPassword
		said = closedFailure(r, auth.Closed{Reason: why, At: r.Now()})
	}
	if err := s.office.SessionOver(r.Context(), ident.IIN(r.Session().IIN), p, code, string(why)); err != nil {
		return err
	}
	if err := r.EndSession(why); err != nil {
		return err
	}
	return s.closedView(w, r, said)
}

// guarded looks at every request whether the session may go on: one whose account or profile was closed, or whose
// password is another by now, ends here, with the reason (S5). That holds for one begun while sessions were being ended, too.
func (s *site) guarded(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *web.Request) error {
		if !r.Session().SignedIn() {
			return h(w, r)
		}
		iin := ident.IIN(r.Session().IIN)
		p, code, err := s.office.Acting(r.Context(), iin, r.Value(keyStamp), r.Value(profileID), r.Value(keyBIN))
		if err != nil {
			return err
		}
		switch code {
		case "PROFILE_BLOCKED", "ACCOUNT_BLOCKED", "ENTERPRISE_BLOCKED", "SIGNIN_STALE":
			return s.overNow(w, r, p, code)
		}
		if p.ID == "" {
			return h(w, r)
		}
		if to, err := s.mustResign(r, iin, p); err != nil || to != "" {
			if err != nil {
				return err
			}
			return r.Redirect(to)
		}
		return h(w, r)
	}
}

// toResign says by when the profile has to sign the agreement again; ok false when it has not.
func (s *site) toResign(r *web.Request, iin ident.IIN, profile string) (by time.Time, ok bool, err error) {
	all, err := s.office.ToResign(r.Context(), iin)
	for _, one := range all {
		if one.Profile.ID == profile {
			return one.By, true, err
		}
	}
	return time.Time{}, false, err
}

// resignPath is where a profile signs the agreement again.
func resignPath(profile string) string { return "/me/agreements/sign/" + profile }

// resign asks a profile that was just entered for the signature on a new version of the agreement (section
// 14), or goes on.
func (s *site) resign(r *web.Request, p participant.Profile, to string) error {
	_, open, err := s.toResign(r, p.IIN, p.ID)
	if err != nil {
		return err
	}
	if !open {
		return s.onward(r, to)
	}
	return r.Redirect(resignPath(p.ID))
}

// mustResign gives the one page that a profile opens whose agreement had to be signed by now; "" when any
// page may be opened. It is looked up at every request: a session may be older than the new version.
func (s *site) mustResign(r *web.Request, iin ident.IIN, p participant.Profile) (string, error) {
	for _, open := range []string{resignPath(p.ID), "/login", "/me/agreements"} {
		if r.URL.Path == open || strings.HasPrefix(r.URL.Path, open+"/") {
			return "", nil
		}
	}
	by, open, err := s.toResign(r, iin, p.ID)
	if err != nil || !open || r.Now().Before(by) {
		return "", err
	}
	return resignPath(p.ID), nil
}

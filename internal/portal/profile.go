package portal

import (
	"net/http"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/web"
)

// choice is one profile in the list: usable, or greyed with the reason (S3).
type choice struct {
	participant.Profile
	Usable, Current bool
	Why             string // why it cannot be entered, in words
	Code            string // and the code of it
}

// choices lists a person's profiles for the certificate of the session.
func (s *site) choices(r *web.Request) ([]choice, error) {
	all, err := s.office.Profiles(r.Context(), ident.IIN(r.Session().IIN))
	if err != nil {
		return nil, err
	}
	list := make([]choice, len(all))
	for i, p := range all {
		code := s.office.Allowed(p, r.Value(keyBIN))
		list[i] = choice{Profile: p, Usable: code == "", Current: p.ID == r.Value(profileID), Why: whyNot(r, p, code), Code: code}
	}
	return list, nil
}

// whyNot says why a profile cannot be entered: its status with reason and date, or the key.
func whyNot(r *web.Request, p participant.Profile, code string) string {
	switch code {
	case "":
		return ""
	case "CERT_NOT_OF_ENTERPRISE":
		return r.T("portal.profile.other_key")
	case "PROXY_NOT_YET", "PERMISSIONS_EXPIRED":
		return describe(r, "", code, false, told(p, code)).What
	}
	reason := first(p.Note, p.Reason)
	if lang.Has("portal.reason." + reason) {
		reason = r.T("portal.reason." + reason)
	}
	return r.T("portal.profile.blocked", "status", statusText(r, p), "reason", reason, "date", r.DateTime(p.Since))
}

// told is what a refusal to enter a profile rests on.
func told(p participant.Profile, code string) map[string]string {
	pairs, e := p.Told(code), map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		e[pairs[i]] = pairs[i+1]
	}
	return e
}

// profilePage is «Выбор профиля».
func (s *site) profilePage(w http.ResponseWriter, r *web.Request) error {
	if !r.Session().SignedIn() {
		return web.ErrSignIn
	}
	list, err := s.choices(r)
	if err != nil {
		return err
	}
	return r.OK(w, profileView(r, list, r.URL.Query().Get("done") == "1", nil))
}

// profileChosen enters a profile.
func (s *site) profileChosen(w http.ResponseWriter, r *web.Request) error {
	if !r.Session().SignedIn() {
		return web.ErrSignIn
	}
	if r.Field("profile") == "" {
		list, err := s.choices(r)
		if err != nil {
			return err
		}
		var errs web.Errors
		errs.Add("profile", r.T("portal.profile.none"))
		return r.Invalid(w, profileView(r, list, false, errs))
	}
	p, err := s.office.Choose(r.Context(), ident.IIN(r.Session().IIN), r.Field("profile"), r.Value(keyBIN))
	if err != nil {
		return &stopped{err: err, retry: "/login/profile"}
	}
	return s.act(r, p, r.Back("/me"))
}

// cause says why none of the profiles can be entered: first the closed profile of the very company
// whose key was used.
func cause(r *web.Request, list []choice) failure {
	for _, c := range list {
		if c.TIN == r.Value(keyBIN) && (c.Status != participant.Active || c.Code == "PROXY_NOT_YET" || c.Code == "PERMISSIONS_EXPIRED") {
			return describe(r, "", c.Code, false, told(c.Profile, c.Code))
		}
	}
	if anyActive(list) {
		return describe(r, "", "CERT_NOT_OF_ENTERPRISE", false, nil)
	}
	return describe(r, "", "NO_ACTIVE_PROFILE", false, nil)
}

// anyUsable and anyActive steer the texts of the page.
func anyUsable(list []choice) bool {
	for _, c := range list {
		if c.Usable {
			return true
		}
	}
	return false
}

func anyActive(list []choice) bool {
	for _, c := range list {
		if c.Status == participant.Active {
			return true
		}
	}
	return false
}

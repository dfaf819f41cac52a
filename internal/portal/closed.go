package portal

import (
	"fmt"
	"net/http"
	"time"

	"senim/internal/auth"
	"senim/internal/web"
)

// signInFirst answers a page that needs a session where there is none: to who had one it says why it is over, with
// the sign-in (P-02), others it sends there. A session that goes on under another id was renewed by another request
// of the same browser, whose new cookie must not be replaced.
func (s *site) signInFirst(w http.ResponseWriter, r *web.Request) error {
	over, ok := r.Ended()
	if !ok || over.Reason == auth.ByRenewal {
		return r.Redirect("/login")
	}
	return s.closedView(w, r, closedFailure(r, over))
}

// closedView is the window of sign-in with why the session is over, and status 401; it keeps the way back.
func (s *site) closedView(w http.ResponseWriter, r *web.Request, why failure) error {
	over, _ := r.Ended()
	c, err := r.Ask(signInPurpose, "")
	if err != nil {
		return err
	}
	if err := r.KeepEnded(over); err != nil {
		return err
	}
	w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Cookie realm=%q, form-action="/login"`, r.Site().Name))
	return r.Render(w, http.StatusUnauthorized, loginView(r, "/login", "", &why, c))
}

// closedFailure says in words why a session is over, and when that was.
func closedFailure(r *web.Request, over auth.Closed) failure {
	e := map[string]string{}
	if !over.At.IsZero() {
		e["date"] = over.At.UTC().Format(time.RFC3339)
	}
	return describe(r, "", over.Reason.Code(), false, e)
}

package web

import (
	"errors"
	"net/http"
	"time"

	"senim/internal/auth"
)

// ErrSignIn makes a page send the person to sign in; a site may answer it with a page of its own.
var ErrSignIn = errors.New("nobody is signed in")

// Names of what a new pre-session keeps of the session before it.
const (
	endedValue   = "ended"    // why it ended
	endedAtValue = "ended.at" // and when
	backValue    = "back"     // the page that was asked for
)

// Ended says why this browser's session is over, also to the pages after the first that is told so, until
// somebody signs in.
func (r *Request) Ended() (auth.Closed, bool) {
	if r.ended != nil {
		return *r.ended, true
	}
	if r.session.SignedIn() || r.Value(endedValue) == "" {
		return auth.Closed{}, false
	}
	at, err := time.Parse(time.RFC3339, r.Value(endedAtValue))
	if err != nil {
		at = time.Time{}
	}
	return auth.Closed{Reason: auth.Reason(r.Value(endedValue)), At: at}, true
}

// KeepEnded keeps for the pages that follow why the session ended, and the way back to this one.
func (r *Request) KeepEnded(c auth.Closed) error {
	values := map[string]string{endedValue: string(c.Reason), backValue: r.back()}
	if !c.At.IsZero() {
		values[endedAtValue] = c.At.UTC().Format(time.RFC3339)
	}
	return r.Set(values)
}

// back is the page to come back to: this one, or of a form the page that shows it; "" when there is none.
func (r *Request) back() string {
	to := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		to = r.URL.EscapedPath()
		if !r.shell.pages[http.MethodGet+" "+patternPath(r.Pattern)] {
			return ""
		}
	}
	if !local(to) {
		return ""
	}
	return to
}

// Back is the page that [Request.KeepEnded] kept, or what there is instead.
func (r *Request) Back(instead string) string {
	if to := r.Value(backValue); local(to) {
		return to
	}
	return instead
}

// KeepBack carries the way back over to the values of another session.
func (r *Request) KeepBack(values map[string]string) { values[backValue] = r.Value(backValue) }

// closedSession is the refusal of an address that belongs to a session that is over.
func (r *Request) closedSession(otherwise error) error {
	c, ok := r.Ended()
	if !ok {
		return otherwise
	}
	f := Refusal{Code: c.Reason.Code(), Status: http.StatusUnauthorized, Retry: r.shell.c.SignIn, Evidence: map[string]string{"date": "—"}}
	if !c.At.IsZero() {
		f.Evidence["date"] = c.At.UTC().Format(time.RFC3339)
	}
	return f
}

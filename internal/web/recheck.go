package web

import (
	"net/http"
	"time"

	"senim/internal/auth"
	"senim/internal/trust"
)

// checkedValue is the value of a session that says when its certificate was last checked.
const checkedValue = "checked"

// recheck asks again about the certificate a session was opened with, every quarter of an hour by default. One
// that is no longer good ends the session; while it cannot be checked, pages wait and the session stays.
func (r *Request) recheck() error {
	if !r.session.SignedIn() || r.URL.Path == r.shell.c.SignOut {
		return nil
	}
	last := r.session.Created
	if t, err := time.Parse(time.RFC3339, r.Value(checkedValue)); err == nil {
		last = t
	}
	cert, err := r.Certificate()
	if err != nil || r.Now().Sub(last) < r.shell.c.Site.Limits.Recheck {
		return nil // sessions without a certificate of their own are ended by whoever revokes
	}
	report, err := r.shell.c.Auth.Recheck(r.Context(), r.sid, cert)
	if err != nil {
		return err
	}
	first, _ := report.First()
	switch report.Verdict() {
	case trust.Good:
		return r.Set(map[string]string{checkedValue: r.Now().UTC().Format(time.RFC3339)})
	case trust.Bad:
		r.sid, r.session, r.ended = "", auth.Session{}, &auth.Closed{Reason: auth.ByCertificate, At: r.Now()}
		return Refusal{Code: first.Code, Evidence: evidenceOf(first.Code, first.Evidence, cert), Report: report, Status: http.StatusUnauthorized, Retry: r.shell.c.SignIn}
	case trust.Unknown:
	}
	return Refusal{Code: trust.CodeUnavailable, Report: report, Status: http.StatusServiceUnavailable, Unknown: true, Retry: r.shell.c.SignIn}
}

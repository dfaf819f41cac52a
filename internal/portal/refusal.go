package portal

import (
	"errors"
	"net/http"

	"senim/internal/auth"
	"senim/internal/participant"
	"senim/internal/trust"
	"senim/internal/web"
)

// stopped is an error with the ways out of it, for the page that says it.
type stopped struct {
	err   error
	title string // key of the heading; chosen by the failure when empty
	retry string // a path of this site
	again string // where «Повторить проверку» is posted
	next  []web.Link
}

func (s *stopped) Error() string { return s.err.Error() }

func (s *stopped) Unwrap() error { return s.err }

// failure is one failed check in words: what, why, what to do, and the evidence.
type failure struct {
	Code            string
	What, Why, Todo string
	Unknown         bool // could not be checked, which is not "no"
	Consent         bool // for want of the person's consent
	Facts           []web.Row
}

// answered turns refusals of the work layer into their page; other errors pass on.
func (s *site) answered(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *web.Request) error {
		err := h(w, r)
		if err == nil {
			return nil
		}
		if errors.Is(err, web.ErrSignIn) {
			return s.signInFirst(w, r)
		}
		all := failures(r, err)
		if len(all) == 0 {
			if errors.Is(err, participant.ErrNotFound) {
				return web.ErrNotFound
			}
			return err
		}
		st := &stopped{}
		errors.As(err, &st)
		return r.Invalid(w, refusalPage(r, refusalTitle(r, st, all), all, gateOf(err), st, append(s.ways(r, all), st.next...)))
	}
}

// gateOf is the gate's run behind a refusal; the zero one when it was no gate.
func gateOf(err error) participant.Evidence {
	if gate, ok := errors.AsType[*participant.GateClosed](err); ok {
		return gate.Evidence
	}
	return participant.Evidence{}
}

// failures says an error in words; none when it is not a refusal.
func failures(r *web.Request, err error) []failure {
	var gate *participant.GateClosed
	if errors.As(err, &gate) {
		return gateFailures(r, gate.Evidence)
	}
	var d *participant.Denied
	if errors.As(err, &d) {
		return []failure{describe(r, "", d.Code, d.Code == trust.CodeUnavailable, d.Evidence)}
	}
	var a *auth.Refusal
	if errors.As(err, &a) {
		return authFailures(r, a)
	}
	if errors.Is(err, web.ErrAnswer) {
		return []failure{describe(r, "", "AGENT_ANSWER", false, nil)}
	}
	return nil
}

// authFailures lists every check of a certificate that did not pass at sign-in.
func authFailures(r *web.Request, a *auth.Refusal) []failure {
	var all []failure
	for _, c := range a.Report {
		if c.Verdict == trust.Good {
			continue
		}
		evidence := map[string]string{}
		for k, v := range c.Evidence {
			evidence[k] = v
		}
		if a.Certificate != nil && evidence["issuer"] == "" {
			evidence["issuer"] = a.Certificate.Issuer.String()
		}
		code := c.Code
		if code == "" {
			code = trust.CodeUnavailable
		}
		all = append(all, describe(r, c.Name, code, c.Verdict != trust.Bad, evidence))
	}
	if len(all) == 0 {
		all = append(all, describe(r, "", a.Code, a.Code == trust.CodeUnavailable, a.Evidence))
	}
	return once(all)
}

// gateFailures lists every check of the gate that did not pass, the known ones before those that
// could not be made.
func gateFailures(r *web.Request, e participant.Evidence) []failure {
	var all []failure
	for _, c := range e.Failed() {
		all = append(all, describe(r, c.Name, c.Code, c.Verdict != trust.Bad, c.Evidence))
	}
	return once(all)
}

// ways are the ways out that the codes themselves call for.
func (s *site) ways(r *web.Request, all []failure) []web.Link {
	var links []web.Link
	seen := map[string]bool{}
	add := func(key, href string) {
		if href != "" && !seen[href] {
			seen[href] = true
			links = append(links, web.Link{Text: r.T(key), Href: href})
		}
	}
	for _, f := range all {
		switch f.Code {
		case "ALREADY_SAME_HEAD", "ALREADY_REGISTERED":
			add("portal.next.login", "/login")
			add("portal.next.recover", "/login/recover")
		case "REGISTRATION_OVER", "SUPERSEDED_BY_OTHER":
			add("portal.next.login", "/login")
		case "AGREEMENT_TO_SIGN":
			add("agreement.mine", "/me/agreements")
		case "REGISTRY_OTHER_HEAD", "CERT_PREVIOUS_HEAD", "REGISTRY_NO_HEAD", "REGISTRY_HEAD_FUTURE":
			add("portal.next.order", "/")
		case "ACCOUNT_LOCKED", "ACT_STALE", "EMAIL_SAME":
			add("portal.next.recover", "/login/recover")
		case "LINK_STALE":
			add("portal.next.login", "/login")
			add("portal.next.register", "/register")
			add("portal.next.recover", "/login/recover")
		case "NOT_REGISTERED", "DRAFT_STALE", "DRAFT_OTHER_BROWSER", "ENTERPRISE_IS_UNIT", "ENTERPRISE_NOT_UNIT", "CERT_NOT_PERSONAL", "NO_ACTIVE_PROFILE":
			add("portal.next.register", "/register")
		case trust.CodeExpired, trust.CodeRevoked, trust.CodeUntrusted, "CERT_NO_HEAD_ROLE":
			add("portal.next.cabinet", s.cabinet)
		}
	}
	return links
}

func refusalTitle(r *web.Request, st *stopped, all []failure) string {
	if st.title != "" {
		return r.T(st.title)
	}
	for _, f := range all {
		if !f.Unknown {
			return r.T("portal.refusal.title")
		}
	}
	return r.T("portal.refusal.unknown")
}

package portal

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"senim/internal/auth"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/trust"
	"senim/internal/web"
)

// stopped is an error with the ways out of it, for the page that says it.
type stopped struct {
	err   error
	title string // key of the heading; chosen by the failure when empty
	retry string // a path of this site
	next  []web.Link
}

func (s *stopped) Error() string { return s.err.Error() }
func (s *stopped) Unwrap() error { return s.err }

// failure is one failed check in words: what, why, what to do, and the evidence.
type failure struct {
	Code            string
	What, Why, Todo string
	Unknown         bool // could not be checked, which is not "no"
	Facts           []web.Row
}

// answered turns refusals of the work layer into their page; other errors pass on.
func (s *site) answered(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *web.Request) error {
		err := h(w, r)
		if err == nil {
			return nil
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
		return r.Invalid(w, refusalPage(r, refusalTitle(r, st, all), all, st.retry, append(s.ways(r, all), st.next...)))
	}
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

// once drops a failure that would say the same words again.
func once(all []failure) []failure {
	seen := map[string]bool{}
	var out []failure
	for _, f := range all {
		if !seen[f.What] {
			seen[f.What] = true
			out = append(out, f)
		}
	}
	return out
}

// describe says a code in the reader's language.
func describe(r *web.Request, check, code string, unknown bool, evidence map[string]string) failure {
	said := code
	if code == "ENTERPRISE_UNKNOWN" && evidence["missing"] == "head-office" {
		said = "HEAD_OFFICE_UNKNOWN"
	}
	f := failure{Code: code, Unknown: unknown}
	v := vars(r, check, code, evidence)
	f.What = code
	if lang.Has("codes." + said) {
		f.What = r.T("codes."+said, v...)
	}
	if lang.Has("codes." + said + ".why") {
		f.Why = r.T("codes."+said+".why", v...)
	}
	if lang.Has("codes." + said + ".todo") {
		f.Todo = r.T("codes."+said+".todo", v...)
	}
	if code != "PROFILE_BLOCKED" { // its text has said all of it
		f.Facts = facts(r, evidence)
	}
	return f
}

// vars fills the names of a code's text from its evidence.
func vars(r *web.Request, check, code string, e map[string]string) []any {
	date, d := e["date"], e["asOf"]
	switch code {
	case trust.CodeExpired:
		date = first(e["notAfter"], date)
	case trust.CodeNotYetValid:
		date = first(e["notBefore"], date)
	case trust.CodeRevoked:
		date = first(e["revokedAt"], date)
	case "ENTERPRISE_LIQUIDATED":
		d = e["ended"]
	case "PROFILE_BLOCKED":
		date = e["since"]
	}
	reason := e["reason"]
	if reason == "" {
		reason = r.T("portal.reason.unsaid")
	} else if lang.Has("portal.reason." + reason) {
		reason = r.T("portal.reason." + reason)
	}
	what := r.T("portal.check.other")
	if lang.Has("portal.check." + check) {
		what = r.T("portal.check." + check)
	}
	return []any{"date", moment(r, date), "d", moment(r, d), "d1", moment(r, first(e["d1"], e["asOf"])), "d2", moment(r, first(e["d2"], e["nextLoad"])),
		"a", first(e["a"], "—"), "b", first(e["b"], "—"), "issuer", first(e["issuer"], "—"), "reason", reason, "what", what,
		"until", moment(r, e["until"]), "name", first(e["name"], "—"), "left", e["left"], "service", what, "t", moment(r, e["asOf"])}
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// moment writes a time of the evidence as people do: a midnight of Astana is a day.
func moment(r *web.Request, s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return "—"
	}
	if local := t.In(lang.Astana); local.Hour() == 0 && local.Minute() == 0 {
		return r.Date(t)
	}
	return r.DateTime(t)
}

// facts are the pieces of evidence people understand, in a fixed order.
func facts(r *web.Request, e map[string]string) []web.Row {
	var rows []web.Row
	for _, k := range []string{"notBefore", "notAfter", "revokedAt", "reason", "source", "producedAt", "thisUpdate", "nextUpdate",
		"certificate", "appointed", "lastLoad", "nextLoad"} {
		v := e[k]
		if v == "" {
			continue
		}
		switch {
		case lang.Has("web.reason." + v):
			v = r.T("web.reason." + v)
		case lang.Has("portal.reason." + v):
			v = r.T("portal.reason." + v)
		case lang.Has("portal.source." + v):
			v = r.T("portal.source." + v)
		case strings.Contains(v, "T"):
			if _, err := time.Parse(time.RFC3339, v); err == nil {
				v = moment(r, v)
			}
		}
		rows = append(rows, web.Row{Label: r.T("portal.fact." + k), Value: v})
	}
	return rows
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
		case "ALREADY_SAME_HEAD", "ALREADY_REGISTERED", "REGISTRATION_OVER", "SUPERSEDED_BY_OTHER":
			add("portal.next.login", "/login")
		case "LINK_STALE":
			add("portal.next.login", "/login")
			add("portal.next.register", "/register")
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

package portal

import (
	"strings"
	"time"

	"senim/internal/lang"
	"senim/internal/registry"
	"senim/internal/trust"
	"senim/internal/web"
)

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
	if kind := evidence["kind"]; code == "LINK_STALE" && kind != "" {
		said += "_" + strings.ToUpper(kind)
	}
	if act := evidence["act"]; act != "" {
		if own := code + "_" + strings.ToUpper(act); lang.Has("codes." + own) {
			said = own
		} else if code == "CERT_OTHER_PERSON" {
			said += "_ACT"
		}
	}
	f := failure{Code: code, Unknown: unknown, Consent: evidence["cause"] == registry.ConsentNeeded}
	v := vars(r, check, code, evidence)
	f.What = code
	if lang.Has("codes." + said) {
		f.What = r.T("codes."+said, v...)
	}
	if cause := "registry.cause." + evidence["cause"]; unknown && code == trust.CodeUnavailable && lang.Has(cause) {
		f.What = r.T(cause, v...)
	}
	if office := evidence["headOffice"]; office != "" && said == "HEAD_OFFICE_UNKNOWN" {
		f.What = r.T("registry.office.missing", "bin", grouped(office))
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
		"a", web.SourceName(r, first(e["a"], "—")), "b", web.SourceName(r, first(e["b"], "—")), "source", first(web.SourceName(r, e["source"]), what), "issuer", first(e["issuer"], "—"), "reason", reason, "what", what,
		"until", moment(r, e["until"]), "name", first(e["name"], "—"), "left", e["left"], "service", what, "t", moment(r, first(e["t"], e["asOf"]))}
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
		case k == "source" && lang.Has("registry.source."+v):
			v = web.SourceName(r, v)
		case lang.Has("portal.source." + v):
			v = r.T("portal.source." + v)
		case k == "lastLoad", k == "nextLoad":
			if t, err := time.Parse(time.RFC3339, v); err == nil {
				v = web.Slot(r, t)
			}
		case strings.Contains(v, "T"):
			if _, err := time.Parse(time.RFC3339, v); err == nil {
				v = moment(r, v)
			}
		}
		rows = append(rows, web.Row{Label: r.T("portal.fact." + k), Value: v})
	}
	return rows
}

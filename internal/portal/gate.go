package portal

import (
	"strings"

	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/trust"
	"senim/internal/web"
)

// verdict is the word of a check's outcome.
func verdict(c participant.Check) string {
	switch c.Verdict {
	case trust.Good, trust.Bad:
		return string(c.Verdict)
	case trust.Unknown:
	}
	return string(trust.Unknown)
}

func verdictKind(c participant.Check) string {
	switch c.Verdict {
	case trust.Good:
		return "good"
	case trust.Bad:
		return "stop"
	case trust.Unknown:
	}
	return "soon"
}

// checkWord names a check for people.
func checkWord(r *web.Request, c participant.Check) string {
	if lang.Has("portal.check." + c.Name) {
		return r.T("portal.check." + c.Name)
	}
	return r.T("portal.check.other")
}

// evidenceRows are the facts of a check, those people understand before those only a specialist does.
func evidenceRows(r *web.Request, c participant.Check) []web.Row {
	rows := facts(r, c.Evidence)
	for _, k := range []string{"issuer", "anchor", "keyUsage", "extKeyUsage", "roles", "url", "responder", "list", "number", "sha256", "delta.list", "delta.thisUpdate", "delta.nextUpdate", "delta.number", "delta.sha256", "asOf", "load", "record", "warning"} {
		v := c.Evidence[k]
		if v == "" {
			continue
		}
		switch {
		case k == "asOf", k == "delta.thisUpdate", k == "delta.nextUpdate":
			v = moment(r, v)
		case k == "warning" && lang.Has("portal.warning."+v):
			v = r.T("portal.warning." + v)
		}
		rows = append(rows, web.Row{Label: r.T("portal.fact." + k), Value: v, Mono: strings.HasSuffix(k, "sha256") || k == "extKeyUsage" || k == "roles"})
	}
	return rows
}

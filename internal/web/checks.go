package web

import (
	"senim/internal/lang"
	"senim/internal/trust"
)

func checkName(r *Request, c trust.Check) string {
	if lang.Has("web.check." + c.Name) {
		return r.T("web.check." + c.Name)
	}
	return c.Name
}

func verdictWord(v trust.Verdict) string {
	switch v {
	case trust.Good, trust.Bad:
		return string(v)
	case trust.Unknown:
	}
	return string(trust.Unknown)
}

func verdictKind(v trust.Verdict) string {
	switch v {
	case trust.Good:
		return "good"
	case trust.Bad:
		return "stop"
	case trust.Unknown:
	}
	return "soon"
}

// evidenceShown are the facts of a check that people understand, in the order shown.
var evidenceShown = [...]string{"notBefore", "notAfter", "at", "revokedAt", "reason", "source", "thisUpdate", "nextUpdate"}

// checkText is the evidence of a check in a line.
func checkText(r *Request, c trust.Check) string {
	text := ""
	for _, k := range evidenceShown {
		v := c.Evidence[k]
		if v == "" {
			continue
		}
		if k == "reason" && lang.Has("web.reason."+v) {
			v = "web.reason." + v
		}
		if k == "source" && lang.Has("check.source."+v) {
			v = "check.source." + v
		}
		if text != "" {
			text += " · "
		}
		text += r.T("web.evidence."+k) + ": " + r.words(v)
	}
	return text
}

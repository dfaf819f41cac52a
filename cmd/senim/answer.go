package main

import (
	"strings"
	"time"

	"senim/internal/trust"
)

// print writes a report for people: a sentence, then every subject with its checks in columns, then
// what to do about those that failed.
func (r *report) print(p *program, at time.Time) {
	p.line("%s", r.sentence())
	p.line("Judged as of %s.", r.At)
	hints := map[string]bool{}
	for _, s := range r.Subjects {
		p.line("")
		if s.Signer != nil {
			s.Signer.print(p, at)
		}
		s.proof.print(p)
		for _, c := range s.Checks {
			p.line("  %-11s %s %s", c.Name, p.verdict(c.Verdict), explain(c))
			if h := advice(c); h != "" && !hints[h] {
				hints[h] = true
			}
		}
	}
	for _, h := range order {
		if hints[h] {
			p.line("hint: %s", h)
		}
	}
}

// sentence is the answer in one line.
func (r *report) sentence() string {
	what := map[string]string{kindCMS: "signature", kindXML: "signature", kindPDF: "signature", kindCertificate: "certificate", kindRequest: "request", kindToken: "token", kindList: "revocation list"}[r.Kind]
	is := "is"
	if n := len(r.Subjects); n > 1 {
		what, is = count(n, what), "are"
	}
	said := map[trust.Verdict]string{
		trust.Good: " valid.", trust.Bad: " not valid.", trust.Unknown: " neither proved nor disproved: not everything could be checked.",
	}[r.Verdict]
	if r.changed() {
		return r.File + ": the document was changed after it was signed."
	}
	if r.Verdict == trust.Bad && is == "are" {
		return r.File + ": not all of the " + what + " are valid."
	}
	if is == "is" {
		what = "the " + what
	}
	return r.File + ": " + what + " " + is + said
}

// explain says in words what a check found.
func explain(c trust.Check) string {
	e := c.Evidence
	if e["error"] != "" && c.Verdict != trust.Good {
		return e["error"]
	}
	switch c.Name {
	case "signature":
		return joined(", ", joined(" ", e["method"], e["key"], prefixed("over ", e["hash"])), prefixed("covers ", e["covers"]),
			prefixed("signer says at ", e["signingTime"]), prefixed("weak hash ", e["weak"]), prefixed("warning: ", e["warnings"]))
	case checkDates:
		return explainDates(e)
	case checkTime:
		return joined(" ", e["proved"], prefixed("by ", e["authority"]))
	case checkDocument:
		return e["found"]
	case trust.CheckChain:
		return prefixed("up to ", e["anchor"])
	case trust.CheckValidity:
		switch c.Code {
		case trust.CodeExpired:
			return "expired at " + e["notAfter"]
		case trust.CodeNotYetValid:
			return "not before " + e["notBefore"]
		case codeStale:
			return "list of " + e["thisUpdate"] + joined("", prefixed(", superseded from ", e["nextUpdate"]))
		}
		return joined(" … ", e["notBefore"]+e["thisUpdate"], e["notAfter"]+e["nextUpdate"])
	case trust.CheckRevocation:
		if c.Verdict == trust.Bad {
			return joined(", ", "revoked at "+e["revokedAt"], prefixed("reason ", e["reason"]), prefixed("by ", e["revokedAuthority"]))
		}
		return joined(", ", prefixed("not in ", e["list"]), prefixed("good by ", e["answer"]), prefixed("made ", e["thisUpdate"]), prefixed("revoked only at ", e["revokedLater"]))
	case trust.CheckPurpose:
		if c.Verdict == trust.Bad {
			if usages := strings.TrimSpace(e["keyUsage"] + " " + e["extKeyUsage"]); usages != "" {
				return "it is only for " + usages
			}
			return "it says no usage"
		}
		return e["keyUsage"]
	}
	return ""
}

// Advice for checks that failed, in the order it is given.
const (
	hintTrust   = "--trust DIR names the directory with the authorities you trust"
	hintList    = "--crl FILE gives the revocation list of the authority, --no-revocation leaves the check out"
	hintExpired = "--at TIME judges as of another moment, for example that of signing if you can prove it"
	hintSigner  = "--certificate must name who signed the token, and the token must be whole"
	hintContent = "the document must be the very bytes that were signed; a saved-again copy differs"
)

var order = []string{hintContent, hintChanged, hintSigner, hintTrust, hintList, hintExpired}

func advice(c trust.Check) string {
	switch {
	case c.Evidence["error"] == noSigner:
		return ""
	case c.Code == trust.CodeUnavailable && c.Name == trust.CheckChain, c.Code == trust.CodeUntrusted:
		return hintTrust
	case c.Code == trust.CodeUnavailable && c.Name == trust.CheckRevocation:
		return hintList
	case c.Code == trust.CodeExpired, c.Code == codeStale, c.Code == codePast:
		return hintExpired
	case c.Code == codeSignature && c.Evidence["token"] != "":
		return hintSigner
	case c.Code == codeSignature:
		return hintContent
	case c.Code == codeChanged:
		return hintChanged
	}
	return ""
}

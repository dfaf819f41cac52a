package web

import (
	"errors"
	"maps"
	"net/http"
	"sort"
	"time"

	"senim/internal/audit"
	"senim/internal/auth"
	"senim/internal/lang"
	"senim/internal/trust"
	"senim/pki"
)

// Refusal is an error that becomes a page: what was checked and failed, why it matters, what to do.
type Refusal struct {
	// Code names the texts, each looked for in the catalogue of the site, of the codes, of the shell:
	// what failed (SITE.code.CODE, codes.CODE, web.code.CODE), why it matters (SITE.why.CODE,
	// codes.CODE.why, web.why.CODE), what to do (SITE.do.CODE, codes.CODE.todo, web.do.CODE).
	Code string
	// Evidence fills the {names} of the text and is shown below it. Moments in RFC 3339 are
	// written as people do.
	Evidence map[string]string
	// Report lists every check that was made, when certificates were checked.
	Report trust.Report
	// Next are ways out. A Text that is a key of the catalogue is translated.
	Next []Link
	// Retry, when not empty, is a path of this site the page offers to go back to.
	Retry string
	// Status of the answer; 422 by default.
	Status int
	// Unknown marks a refusal that means "could not check", which looks different from "no".
	Unknown bool
}

func (f Refusal) Error() string { return "refused: " + f.Code }

func (f Refusal) status() int {
	if f.Status != 0 {
		return f.Status
	}
	return http.StatusUnprocessableEntity
}

// RefusalOf turns a refusal of sign-in into a page's, with a way back. Other errors pass unchanged.
func RefusalOf(err error, retry string) error {
	var r *auth.Refusal
	if !errors.As(err, &r) {
		return err
	}
	return Refusal{Code: r.Code, Evidence: evidenceOf(r.Code, r.Evidence, r.Certificate), Report: r.Report, Retry: retry}
}

// evidenceOf is the evidence of a refused certificate, which is nil until its key was proved.
func evidenceOf(code string, had map[string]string, cert *pki.Certificate) map[string]string {
	evidence := map[string]string{}
	maps.Copy(evidence, had)
	if cert == nil {
		return evidence
	}
	evidence["issuer"] = cert.Issuer.String()
	switch code {
	case trust.CodeExpired:
		evidence["date"] = cert.NotAfter.UTC().Format(time.RFC3339)
	case trust.CodeNotYetValid:
		evidence["date"] = cert.NotBefore.UTC().Format(time.RFC3339)
	case trust.CodeRevoked:
		evidence["date"] = evidence["revokedAt"]
	}
	return evidence
}

func asRefusal(err error) (Refusal, bool) {
	if f, ok := errors.AsType[Refusal](err); ok {
		return f.complete(), true
	}
	if f, ok := errors.AsType[*Refusal](err); ok {
		return f.complete(), true
	}
	var r *auth.Refusal
	if errors.As(err, &r) {
		f, _ := errors.AsType[Refusal](RefusalOf(err, ""))
		return f.complete(), true
	}
	if errors.Is(err, audit.ErrUnwritten) {
		return Refusal{Code: codeNotRecorded, Status: http.StatusServiceUnavailable, Unknown: true}, true
	}
	return Refusal{}, false
}

// codeNotRecorded says that nothing can be done because nothing can be recorded (security.md §6).
const codeNotRecorded = "NOT_RECORDED"

func (f Refusal) complete() Refusal {
	if f.Code == trust.CodeUnavailable {
		f.Unknown = true
		if f.Evidence["what"] == "" {
			with := map[string]string{}
			for k, v := range f.Evidence {
				with[k] = v
			}
			with["what"] = "web.check.revocation"
			if c, ok := f.Report.First(); ok && lang.Has("web.check."+c.Name) {
				with["what"] = "web.check." + c.Name
			}
			f.Evidence = with
		}
	}
	return f
}

// what, why and do are the three lines of the page, in the reader's language.
func (f Refusal) what(r *Request) string {
	if cause := "registry.cause." + f.Evidence["cause"]; f.Code == trust.CodeUnavailable && lang.Has(cause) {
		e := map[string]string{"source": r.T("web.check.registry"), "d": "—", "t": "—"}
		for k, v := range f.Evidence {
			if k != "source" {
				e[k] = v
			}
		}
		if v := f.Evidence["source"]; v != "" {
			e["source"] = SourceName(r, v)
		}
		f.Evidence = e
		return r.T(cause, f.vars(r)...)
	}
	if t := f.text(r, r.Site().Name+".code."+f.Code, "codes."+f.Code, "web.code."+f.Code); t != "" {
		return t
	}
	return r.T("web.code.OTHER", "code", f.Code)
}

// Silence is a registry that could not be asked, in one sentence with its cause.
func Silence(r *Request, evidence map[string]string) string {
	return Refusal{Code: trust.CodeUnavailable, Evidence: evidence}.complete().what(r)
}

func (f Refusal) why(r *Request) string {
	return f.text(r, r.Site().Name+".why."+f.Code, "codes."+f.Code+".why", "web.why."+f.Code)
}

func (f Refusal) do(r *Request) string {
	return f.text(r, r.Site().Name+".do."+f.Code, "codes."+f.Code+".todo", "web.do."+f.Code)
}

// text is the first of the keys that the catalogue has; empty when it has none.
func (f Refusal) text(r *Request, keys ...string) string {
	for _, key := range keys {
		if lang.Has(key) {
			return r.T(key, f.vars(r)...)
		}
	}
	return ""
}

// vars are the evidence as names and words for people.
func (f Refusal) vars(r *Request) []any {
	vars := make([]any, 0, 2*len(f.Evidence))
	for _, k := range sortedKeys(f.Evidence) {
		vars = append(vars, k, r.words(f.Evidence[k]))
	}
	return vars
}

// words writes a piece of evidence: moments as dates, keys of the catalogue as their texts.
func (r *Request) words(v string) string {
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return r.DateTime(t)
	}
	if lang.Has(v) {
		return r.T(v)
	}
	return v
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

package cabinet

import (
	"context"
	"errors"
	"net/http"
	"time"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/limit"
	"senim/internal/ra"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// Judge decides about certificates, now and at moments that have passed; [trust.Judge] is the real one.
type Judge interface {
	auth.Judge
	CertificateAt(ctx context.Context, cert *pki.Certificate, p trust.Purpose, at time.Time) trust.Report
	// Path is the way to a trusted root at a moment; nil when there is none.
	Path(cert *pki.Certificate, at time.Time) []*pki.Certificate
	// Forged: the authority the certificate names is trusted and has not signed it.
	Forged(cert *pki.Certificate) bool
}

// KeyIDs finds a certificate by its subject key identifier.
type KeyIDs interface {
	// SerialOf gives the newest serial of a key; [ra.ErrNoKey] when there is none. Both are 40 lower hex digits.
	SerialOf(ctx context.Context, keyID string) (string, error)
}

// checkPatience bounds the looking at one document, however many signed it. What is not checked by
// then could not be checked.
const checkPatience = 20 * time.Second

// askCheck shows the form of the public check page.
func (s *cabinet) askCheck(w http.ResponseWriter, r *web.Request) error {
	return r.OK(w, checkPage(r, nil))
}

// checked is the answer about one certificate.
type checked struct {
	// Word is the verdict: "valid", "expired", "not_yet", "revoked", "hold", "unknown", "never". Kind is its colour.
	Word, Kind string
	// Text says it in a sentence.
	Text string
	Date string
	// Sign is how the signature stands to the document; empty for a bare certificate.
	Sign string
	// Signed is when the signer says he signed.
	Signed time.Time
	Key    web.Key
	Issuer string
	// Source and Asked: who told of the revocation, and when.
	Source, Asked string
	// Reasons why it could not be checked.
	Reasons []string
	// Chain goes from the certificate to the root.
	Chain  []string
	Report trust.Report
}

// answer is the whole answer of the page.
type answer struct {
	Document bool
	// At is the moment asked about; zero is now.
	At  time.Time
	All []checked
}

// check looks at a certificate, by its number or from a file, now or at a past moment.
func (s *cabinet) check(w http.ResponseWriter, r *web.Request) error {
	at, wrong := momentOf(r.Field("date"), r.Field("time"), s.c.Now())
	if wrong != "" {
		return r.Invalid(w, checkPage(r, web.Errors{{Field: "date", Text: r.T(wrong)}}))
	}
	ctx, cancel := context.WithTimeout(r.Context(), checkPatience)
	defer cancel()
	data, err := upload(r)
	if err != nil {
		return web.Refusal{Code: "BAD_REQUEST", Status: http.StatusBadRequest, Retry: "/check"}
	}
	a := answer{At: at}
	kind := "number"
	if len(data) == 0 {
		number, ok := numberOf(r.Field("serial"))
		if !ok {
			return r.Invalid(w, checkPage(r, web.Errors{{Field: "serial", Text: r.T("cabinet.check.bad_serial")}}))
		}
		a.All = []checked{s.byNumber(ctx, r, number, at)}
	} else {
		sub, err := subjectOf(data)
		switch {
		case errors.Is(err, errTooDeep):
			return r.Invalid(w, checkPage(r, web.Errors{{Field: "file", Text: r.T("check.error.too_deep")}}))
		case len(sub.Signs) == 0:
			return r.Invalid(w, checkPage(r, web.Errors{{Field: "file", Text: r.T("cabinet.check.no_certificate")}}))
		case sub.Kind == "certificate" && sub.Signs[0].Cert.IsCA:
			return r.Invalid(w, checkPage(r, web.Errors{{Field: "file", Text: r.T("check.error.authority")}}))
		}
		kind, a.Document = sub.Kind, sub.Kind == "document"
		for _, one := range sub.Signs {
			v := s.verdict(ctx, r, one.Cert, at)
			v.Sign, v.Signed = one.Word, one.At
			a.All = append(a.All, v)
		}
	}
	if err := s.c.Office.Checked(r.Context(), kind, words(a.All)); err != nil {
		return err
	}
	return r.OK(w, checkedPage(r, a))
}

func words(all []checked) []string {
	words := make([]string, len(all))
	for i, v := range all {
		words[i] = v.Word
	}
	return words
}

// byNumber looks a serial number up, and then a key identifier: both have 40 digits.
func (s *cabinet) byNumber(ctx context.Context, r *web.Request, number string, at time.Time) checked {
	k, err := s.c.Keys.Key(ctx, number)
	if errors.Is(err, ra.ErrNoKey) && s.c.KeyIDs != nil {
		var serial string
		if serial, err = s.c.KeyIDs.SerialOf(ctx, number); err == nil {
			k, err = s.c.Keys.Key(ctx, serial)
		}
	}
	if errors.Is(err, ra.ErrNoKey) && s.c.KeyIDs == nil { // it may be the identifier of a key we did certify
		return checked{Word: "unknown", Kind: "soon", Text: r.T("cabinet.verdict_text.unknown"), Reasons: []string{r.T("check.why.key_id")}}
	}
	if errors.Is(err, ra.ErrNoKey) {
		return checked{Word: "never", Kind: "stop", Text: r.T("cabinet.verdict_text.never")}
	}
	var cert *pki.Certificate
	if err == nil {
		cert, err = pki.ParseCertificate(k.Raw)
	}
	if err != nil {
		s.c.Log.ErrorContext(ctx, "a number could not be checked", "err", err)
		return checked{Word: "unknown", Kind: "soon", Text: r.T("cabinet.verdict_text.unknown"), Reasons: []string{r.T("check.why.authority")}}
	}
	return s.verdict(ctx, r, cert, at)
}

// verdict judges a certificate, nil when the file does not hold it.
func (s *cabinet) verdict(ctx context.Context, r *web.Request, cert *pki.Certificate, at time.Time) checked {
	if cert == nil {
		return checked{Word: "unknown", Kind: "soon", Text: r.T("cabinet.verdict_text.unknown"), Reasons: []string{r.T("check.why.no_certificate")}}
	}
	var report trust.Report
	asked := at
	if at.IsZero() {
		asked = s.c.Now()
		report = s.c.Judge.Certificate(ctx, cert, trust.Any)
	} else {
		report = s.c.Judge.CertificateAt(ctx, cert, trust.Any, at)
	}
	v := checked{Key: s.shown(r, cert), Issuer: cert.Issuer.String(), Report: report}
	v.Word, v.Date = wordOf(report, cert, s.c.Judge.Forged(cert))
	v.Kind = map[string]string{"valid": "good", "not_yet": "soon", "hold": "soon", "unknown": "soon"}[v.Word]
	if v.Kind == "" {
		v.Kind = "stop"
	}
	text := "cabinet.verdict_text." + v.Word
	if !at.IsZero() {
		text = "check.then." + v.Word
	}
	v.Text = r.T(text, "date", moment(r, v.Date), "at", r.DateTime(asked))
	v.Key.State, v.Key.Kind = r.T("cabinet.verdict."+v.Word), v.Kind
	for _, c := range s.c.Judge.Path(cert, asked) {
		v.Chain = append(v.Chain, nameOf(c))
	}
	s.sources(r, &v)
	return v
}

// wordOf is the one verdict of a report. A revocation counts for more than the end of the dates, since what
// was signed between the two has no force either; what nobody vouches for is never more than "could not check".
func wordOf(report trust.Report, cert *pki.Certificate, forged bool) (word, date string) {
	revocation, _ := report.Find(trust.CheckRevocation)
	chain, _ := report.Find(trust.CheckChain)
	validity, _ := report.Find(trust.CheckValidity)
	switch {
	case forged, revocation.Evidence["cause"] != "": // our name or our number, and not our certificate
		return "never", ""
	case chain.Verdict != trust.Good:
		return "unknown", ""
	case revocation.Verdict == trust.Bad && revocation.Evidence["reason"] != "certificateHold":
		return "revoked", revocation.Evidence["revokedAt"]
	case validity.Code == trust.CodeExpired:
		return "expired", cert.NotAfter.UTC().Format(time.RFC3339)
	case validity.Code == trust.CodeNotYetValid:
		return "not_yet", cert.NotBefore.UTC().Format(time.RFC3339)
	case revocation.Verdict == trust.Bad:
		return "hold", revocation.Evidence["revokedAt"]
	case report.Verdict() == trust.Good:
		return "valid", ""
	}
	return "unknown", ""
}

// sources says who told of the revocation and when, or why nobody did.
func (s *cabinet) sources(r *web.Request, v *checked) {
	chain, _ := v.Report.Find(trust.CheckChain)
	c, _ := v.Report.Find(trust.CheckRevocation)
	if chain.Verdict != trust.Good {
		v.Reasons = []string{r.T("check.why.untrusted")}
		if v.Word == "never" {
			v.Text, v.Reasons = r.T("check.forged"), nil
		}
		return
	}
	if c.Evidence["cause"] != "" {
		v.Text = r.T("check.forged")
		return
	}
	if c.Verdict == trust.Good || c.Verdict == trust.Bad {
		if c.Evidence["source"] != "" {
			v.Source = r.T("check.source." + c.Evidence["source"])
		}
		for _, k := range []string{"thisUpdate", "producedAt", "checkedAt"} {
			if v.Asked == "" && c.Evidence[k] != "" {
				v.Asked = moment(r, c.Evidence[k])
			}
		}
		return
	}
	if why := c.Evidence["ocspWhy"]; why != "" {
		v.Reasons = append(v.Reasons, r.T("check.why.ocsp."+why))
	}
	if why := c.Evidence["crlWhy"]; why != "" {
		v.Reasons = append(v.Reasons, r.T("check.why.crl."+why, "date", moment(r, c.Evidence["crlEnded"])))
	}
	if len(v.Reasons) == 0 {
		v.Reasons = []string{r.T("check.why.authority")}
		if c.Evidence["source"] == "ocsp" {
			v.Reasons = []string{r.T("check.why.ocsp.unknown")}
		}
	}
}

// shown is the card of a certificate for whoever looks: numbers whole for its owner, the head of its
// organisation and operators, masked for everybody else.
func (s *cabinet) shown(r *web.Request, cert *pki.Certificate) web.Key {
	k := cardOf(r, cert, s.c.Now())
	if !s.sees(r, k) {
		if k.IIN != "" {
			k.IIN = ident.MaskNumber(k.IIN)
		}
		if k.BIN != "" {
			k.BIN = ident.MaskNumber(k.BIN)
		}
	}
	return k
}

// sees reports whether the visitor may see the numbers of a key whole.
func (s *cabinet) sees(r *web.Request, k web.Key) bool {
	me := r.Session()
	if !me.SignedIn() {
		return false
	}
	return me.IIN != "" && me.IIN == k.IIN || k.BIN != "" && me.BIN == k.BIN && s.c.Office.Heads(r.Context(), me.IIN, me.BIN) || s.operator(r)
}

// operator reports a visitor who signed in with the key of an operator of the authority, and comes from
// where its desks are.
func (s *cabinet) operator(r *web.Request) bool {
	if !r.Session().SignedIn() || s.c.OperatorBIN == "" {
		return false
	}
	c, err := r.Certificate()
	if err != nil || !c.Holder().Has(pki.RoleOperator) || c.Holder().BIN != string(s.c.OperatorBIN) {
		return false
	}
	return len(s.c.DeskNetworks) == 0 || limit.Within(s.c.DeskNetworks, limit.Address(r.Request, s.c.Proxies))
}

func nameOf(c *pki.Certificate) string {
	if cn := c.Subject.Get(pki.OIDCommonName); cn != "" {
		return cn
	}
	return c.Subject.String()
}

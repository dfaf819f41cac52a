package agent

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"senim/algid"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/trust"
	"senim/pki"
)

// wish is which keys a request takes.
type wish struct {
	files        bool     // key files are among the allowed storages
	others       []string // further storages that are: JKS, names of token drivers, * for any
	keyType      string
	eku          []string
	iin, bin     string
	serial       string
	chain        *pki.Pool // build to these; nil: no path is demanded
	allowExpired bool
	allowRevoked bool
	digest       int  // bytes of a digest to sign, 0 when the content is there
	stamp        bool // the signature gets a time-stamp
}

// Remark is one sentence about a key or a request.
type Remark struct {
	Code  string `json:"code"`
	Level string `json:"level"` // red, amber or info
	Text  string `json:"text"`
}

// fitness is what is said about one key. It may be chosen when Reasons is empty.
type fitness struct{ Reasons, Remarks []Remark }

func (f *fitness) no(tag lang.Tag, code string, vars ...any) {
	f.Reasons = append(f.Reasons, Remark{code, "red", tag.Text("agent.reason."+code, vars...)})
}

func (f *fitness) say(tag lang.Tag, level, code string, vars ...any) {
	f.Remarks = append(f.Remarks, Remark{code, level, tag.Text("agent.reason."+code, vars...)})
}

// of is the wish as it meets a key of this storage.
func (w wish) of(storage string) wish {
	if storage != keystore.PKCS12 && storage != "" {
		w.files = slices.ContainsFunc(w.others, func(o string) bool { return o == "*" || keystore.SameStorage(o, storage) })
	}
	return w
}

// fit judges one certificate: the filters of the page, the purpose of the key, dates, path, revocation.
func (a *Agent) fit(cert *pki.Certificate, w wish, tag lang.Tag) fitness {
	var f fitness
	w.filters(cert, tag, &f)
	w.digests(cert, tag, &f)
	now := a.now()
	switch {
	case now.Before(cert.NotBefore):
		f.no(tag, "not-yet", "date", tag.Date(cert.NotBefore))
	case now.After(cert.NotAfter) && w.allowExpired:
		f.say(tag, "red", "expired-allowed", "date", tag.Date(cert.NotAfter))
	case now.After(cert.NotAfter):
		f.no(tag, "expired", "date", tag.Date(cert.NotAfter))
	}
	if w.chain != nil {
		if _, err := w.chain.Chain(cert, trust.Within(cert, now)); err != nil {
			f.no(tag, "untrusted", "issuer", issuerName(cert))
		}
	}
	if _, err := a.trust.pool().Chain(cert, trust.Within(cert, now)); err != nil {
		f.say(tag, "amber", "unknown-issuer", "issuer", issuerName(cert))
	}
	a.revoked(cert, w, tag, &f)
	if w.stamp && a.stampAddress(cert) == "" {
		f.say(tag, "red", "no-stamp", "issuer", issuerName(cert))
	}
	return f
}

func issuerName(cert *pki.Certificate) string {
	if cn := cert.Issuer.Get(pki.OIDCommonName); cn != "" {
		return cn
	}
	return cert.Issuer.String()
}

func (w wish) filters(cert *pki.Certificate, tag lang.Tag, f *fitness) {
	if !w.files {
		f.no(tag, "storage")
	}
	holder := cert.Holder()
	signs, signsIn := cert.HasUsage(pki.EmailProtection), cert.HasUsage(pki.ClientAuth)
	switch w.keyType { // any other word is no filter
	case "SIGNATURE":
		if !signs {
			f.no(tag, "not-signing")
		}
	case "AUTHENTICATION":
		// A combined key of the national policy signs in too, though its usage does not say so.
		if !signsIn && !cert.HasPolicy(pki.PolicyNCA) {
			f.no(tag, "not-sign-in")
		}
	}
	for _, oid := range w.eku {
		if !usage(cert, oid) {
			if oid == pki.ClientAuth.String() && cert.HasPolicy(pki.PolicyNCA) {
				f.Reasons = append(f.Reasons, Remark{"usage", "red", tag.Text("agent.reason.usage-combined")})
				continue
			}
			f.no(tag, "usage", "usage", usageName(oid, tag))
		}
	}
	if w.iin != "" && holder.IIN != strings.TrimPrefix(w.iin, "IIN") {
		f.no(tag, "iin")
	}
	if w.bin != "" && holder.BIN != strings.TrimPrefix(w.bin, "BIN") {
		f.no(tag, "bin")
	}
	if w.serial != "" && strings.TrimLeft(w.serial, "0") != strings.TrimLeft(cert.SerialHex(), "0") {
		f.no(tag, "serial")
	}
}

func usage(cert *pki.Certificate, oid string) bool {
	for _, u := range cert.ExtKeyUsage {
		if u.String() == oid {
			return true
		}
	}
	return false
}

// usageName says in words what a key lacks; an OID without words stays an OID.
func usageName(oid string, tag lang.Tag) string {
	if key := "agent.usage." + oid; lang.Has(key) {
		return tag.Text(key)
	}
	return oid
}

// digests holds the rules for signing what cannot be shown: never with a sign-in key, only of the
// key's own length, and with a combined key under a red warning.
func (w wish) digests(cert *pki.Certificate, tag lang.Tag, f *fitness) {
	if w.digest == 0 {
		return
	}
	signsIn := cert.HasUsage(pki.ClientAuth)
	switch {
	case signsIn && !cert.HasUsage(pki.EmailProtection):
		f.no(tag, "auth-digest")
	default:
		f.say(tag, "red", "combined-digest")
	}
	if s, err := algid.SignatureFor(cert.PublicKey); err != nil || s.Hash().Size() != w.digest {
		f.no(tag, "digest-length")
	}
}

func (a *Agent) revoked(cert *pki.Certificate, w wish, tag lang.Tag, f *fitness) {
	s, asked := a.known.checked(cert)
	switch {
	case !asked || s.State == trust.StateUnknown || s.State == "":
		f.say(tag, "amber", "unchecked")
	case s.State == trust.StateRevoked && w.allowRevoked:
		f.say(tag, "red", "revoked-allowed", "date", tag.Date(s.RevokedAt))
	case s.State == trust.StateRevoked:
		f.no(tag, "revoked", "date", tag.Date(s.RevokedAt))
	default:
		f.say(tag, "info", "not-revoked", "date", tag.DateTime(s.asked))
	}
}

// How long a person waits for the status of a key: a responder that says nothing has its few seconds, a list of megabytes
// its own. Where an issuer's services were silent a moment ago, less: keys are opened by the dozen.
const (
	statusTime   = 30 * time.Second
	statusSilent = 6 * time.Second
	silentFor    = 2 * time.Minute
)

// silence remembers which issuers' services could not be had.
type silence struct {
	mu    sync.Mutex
	until map[string]time.Time // under mu, by the issuer's name
}

// patience is how long the services of an issuer are waited for.
func (s *silence) patience(issuer *pki.Certificate) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.until[string(issuer.RawSubject)]) {
		return statusSilent
	}
	return statusTime
}

// told notes whether they could be had.
func (s *silence) told(issuer *pki.Certificate, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil || len(s.until) > 100 {
		s.until = map[string]time.Time{}
	}
	if known {
		delete(s.until, string(issuer.RawSubject))
		return
	}
	s.until[string(issuer.RawSubject)] = time.Now().Add(silentFor)
}

// ask looks the status of a certificate up, with the issuer its own path gives. Only authorities known here give a path:
// one that a page vouches for would have us ask where the page wishes, and believe what it answers. Without a path there is
// nobody to ask: the status stays unknown.
func (a *Agent) ask(ctx context.Context, cert *pki.Certificate) {
	now := a.now()
	answer := trust.Status{State: trust.StateUnknown, Err: "no source"}
	if path, err := a.trust.pool().Chain(cert, trust.Within(cert, now)); err == nil && len(path) > 1 && a.config.Revocation != nil {
		within, cancel := context.WithTimeout(ctx, a.silence.patience(path[1]))
		answer = a.config.Revocation.Status(within, cert, path[1], now)
		cancel()
		if ctx.Err() != nil { // the person went: nothing was found out
			return
		}
		a.silence.told(path[1], answer.State == trust.StateGood || answer.State == trust.StateRevoked)
	}
	a.known.note(cert, status{answer, now})
}

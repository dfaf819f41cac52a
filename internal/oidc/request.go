package oidc

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ory/fosite"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/relying"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// keyPurpose is the purpose of challenges signed for a service.
const keyPurpose = "service"

// waiting reads the request of the page. For any other browser, and after its time, it is over.
func (p *Provider) waiting(r *web.Request) (relying.Request, wish, error) {
	req, err := p.keeper.Request(r.Context(), r.PathValue("id"), p.browser(r))
	if errors.Is(err, relying.ErrNotFound) {
		return req, wish{}, over()
	}
	if err != nil {
		return req, wish{}, err
	}
	wished, err := p.understand(r.Context(), req.Query)
	if err != nil { // the operator changed the client meanwhile
		return req, wished, over()
	}
	return req, wished, nil
}

func over() error {
	return web.Refusal{Code: "SERVICE_REQUEST_OVER", Status: http.StatusNotFound, Next: []web.Link{{Text: "web.next.start", Href: "/"}}}
}

// who is the person as far as the request is concerned; false when he has to sign in for it.
func (p *Provider) who(r *web.Request, req relying.Request, wished wish) (Person, bool, error) {
	if wished.level == relying.Account {
		who, ok := p.c.Person(r)
		return who, ok && wished.fresh(who.SignedAt, req.Made), nil
	}
	if !req.HasProof(p.c.Now()) {
		return Person{}, false, nil
	}
	cert, err := pki.ParseCertificate(req.Certificate)
	if err != nil {
		return Person{}, false, err
	}
	h := cert.Holder()
	return Person{IIN: ident.IIN(h.IIN), KeyBIN: h.BIN, BIN: h.BIN, Certificate: cert, SignedAt: req.Proved}, true, nil
}

// request is the one page a person sees: who asks; then what will be given.
func (p *Provider) request(w http.ResponseWriter, r *web.Request) error {
	req, wished, err := p.waiting(r)
	if err != nil {
		return err
	}
	who, ready, err := p.who(r, req, wished)
	switch {
	case err != nil:
		return err
	case !ready && wished.level == relying.Certificate:
		c, err := r.Ask(keyPurpose, digest(req, wished))
		if err != nil {
			return err
		}
		return r.OK(w, keyView(r, p.shown(r, req, wished, nil), c))
	case !ready:
		return r.OK(w, signInView(r, p.shown(r, req, wished, nil)))
	}
	s, err := p.newSession(r.Context(), wished, req.Made, who)
	if err != nil {
		return err
	}
	facts, err := p.facts(r.Context(), s)
	if errors.As(err, new(errGone)) {
		return r.OK(w, signInView(r, p.shown(r, req, wished, nil)))
	}
	if err != nil {
		return err
	}
	return r.OK(w, consentView(r, p.shown(r, req, wished, given(r, wished, facts))))
}

// digest binds a signature to the service and the request it is made for.
func digest(req relying.Request, wished wish) string {
	sum := sha256.Sum256([]byte("senim service 1\nclient: " + req.Client + "\nreturn: " + wished.request.GetRedirectURI().String() + "\nrequest: " + req.ID + "\n"))
	return hex.EncodeToString(sum[:])
}

// answer takes what the person decided, or the signed challenge.
func (p *Provider) answer(w http.ResponseWriter, r *web.Request) error {
	req, wished, err := p.waiting(r)
	if err != nil {
		return err
	}
	who, ready, err := p.who(r, req, wished)
	if err != nil {
		return err
	}
	switch r.Field("act") {
	case "decline":
		return p.decline(w, r, req, wished, who.IIN)
	case "allow":
		if !ready {
			return r.Redirect(pathRequest + req.ID)
		}
		to, err := p.give(r, p.browser(r), req, wished, who, true)
		if errors.Is(err, relying.ErrNotFound) {
			return over()
		}
		if err != nil {
			return err
		}
		return p.back(w, r, wished.client.Title(r.Lang()), to)
	case "key":
		if wished.level == relying.Certificate {
			return p.prove(r, req, wished)
		}
	}
	return r.Redirect(pathRequest + req.ID)
}

func (p *Provider) decline(w http.ResponseWriter, r *web.Request, req relying.Request, wished wish, iin ident.IIN) error {
	err := p.keeper.Decline(r.Context(), req.ID, p.browser(r), iin)
	if errors.Is(err, relying.ErrNotFound) {
		return over()
	}
	if err != nil {
		return err
	}
	to, err := p.told(r, wished, fosite.ErrAccessDenied)
	if err != nil {
		return err
	}
	return p.back(w, r, wished.client.Title(r.Lang()), to)
}

// prove notes that the person holds a good key, for this request alone: no session of the portal
// begins.
func (p *Provider) prove(r *web.Request, req relying.Request, wished wish) error {
	der, err := web.Signature(r.Field("answer"))
	if err != nil {
		return err
	}
	proof, err := p.c.Desk.From(r.Network()).Prove(r.Context(), r.SID(), keyPurpose, der, trust.SignIn)
	if err != nil {
		return web.RefusalOf(err, pathRequest+req.ID)
	}
	sum := proof.Certificate.Fingerprint()
	if key := hex.EncodeToString(sum[:]); key != r.Session().Fingerprint { // who is signed in with it was counted when he asked
		if err := r.CountCertificate(key); err != nil {
			return err
		}
	}
	if proof.Challenge.Digest != digest(req, wished) {
		return web.Refusal{Code: "CHALLENGE_STALE", Retry: pathRequest + req.ID}
	}
	if proof.Holder.IIN == "" {
		return web.Refusal{Code: "CERT_NO_IIN", Retry: pathRequest + req.ID}
	}
	if err := p.keeper.Prove(r.Context(), req.ID, p.browser(r), proof.Certificate.Raw); err != nil {
		if errors.Is(err, relying.ErrNotFound) {
			return over()
		}
		return err
	}
	return r.Redirect(pathRequest + req.ID)
}

// back shows a page that leads to the service at once. A redirect would do, but browsers hold the
// whole way after a form to the form's own site (form-action).
func (p *Provider) back(w http.ResponseWriter, r *web.Request, name, to string) error {
	w.Header().Set("Refresh", "0; url="+to)
	return r.OK(w, backView(r, name, to))
}

// view is what the pages of a request show.
type view struct {
	path, name, host string
	given            []web.Row
	offline          bool
}

func (p *Provider) shown(r *web.Request, req relying.Request, wished wish, rows []web.Row) view {
	v := view{path: pathRequest + req.ID, name: wished.client.Title(r.Lang()), host: place(r, wished.request.GetRedirectURI()), given: rows}
	for _, s := range wished.scopes {
		v.offline = v.offline || s == relying.ScopeOffline
	}
	return v
}

// place is where the person will be sent, in words people can judge.
func place(r *web.Request, to *url.URL) string {
	if to.Scheme == "http" { // only the loopback is registered so
		return r.T("oidc.host.own", "host", to.Host)
	}
	return to.Host
}

// given says in words what the service will get, with the values themselves.
func given(r *web.Request, wished wish, f relying.Facts) []web.Row {
	var rows []web.Row
	add := func(key, value string) {
		if value == "" {
			value = r.T("oidc.nothing")
		}
		rows = append(rows, web.Row{Label: r.T(key), Value: value})
	}
	for _, s := range wished.scopes {
		switch s {
		case relying.ScopeProfile:
			add("oidc.given.name", f.Name)
		case relying.ScopeEmail:
			add("oidc.given.email", f.Email)
		case relying.ScopeIIN:
			add("oidc.given.iin", ident.FormatIIN(f.IIN))
		case relying.ScopeOrganization:
			role := ""
			if lang.Has("portal.type." + f.Role) {
				role = r.T("portal.type." + f.Role)
			} else if lang.Has("web.role." + f.Role) {
				role = r.T("web.role." + f.Role)
			}
			add("oidc.given.organization", strings.Join(nonEmpty(f.Organization, f.BIN, role), ", "))
		case relying.ScopeCertificate:
			add("oidc.given.certificate", r.T("oidc.given.certificate.value", "serial", f.Serial, "date", r.Date(f.NotAfter)))
		}
	}
	return rows
}

func nonEmpty(all ...string) []string {
	var kept []string
	for _, s := range all {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return kept
}

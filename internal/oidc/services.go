package oidc

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"senim/internal/ident"
	"senim/internal/relying"
	"senim/internal/web"
)

// allowed is a consent in words.
type allowed struct {
	client, name, hosts, what string
	since, used               string
}

// services lists which services a person let know what.
func (p *Provider) services(w http.ResponseWriter, r *web.Request) error {
	if !r.Session().SignedIn() || r.Session().IIN == "" {
		return web.ErrSignIn
	}
	all, err := p.keeper.Consents(r.Context(), ident.IIN(r.Session().IIN))
	if err != nil {
		return err
	}
	var list []allowed
	for _, c := range all {
		list = append(list, p.allowed(r, c))
	}
	return r.OK(w, servicesView(r, list, r.URL.Query().Get("done") == "1"))
}

func (p *Provider) allowed(r *web.Request, c relying.Consent) allowed {
	a := allowed{client: c.Client, name: c.Client, since: r.DateTime(c.Made), used: r.DateTime(c.Used)}
	if known, ok := p.clients[c.Client]; ok { // the operator may have taken it out since
		a.name, a.hosts = known.Title(r.Lang()), hosts(known.Redirects)
	}
	var words []string
	for _, s := range c.Scopes {
		if s != relying.ScopeOpenID {
			words = append(words, r.T("oidc.scope."+s))
		}
	}
	if a.what = strings.Join(words, ", "); a.what == "" {
		a.what = r.T("oidc.scope.openid")
	}
	return a
}

// hosts are those of some addresses, each once.
func hosts(addresses []string) string {
	var all []string
	for _, a := range addresses {
		_, rest, _ := strings.Cut(a, "://")
		host, _, _ := strings.Cut(rest, "/")
		all = append(all, host)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// withdraw ends a consent; the service's tokens end with it.
func (p *Provider) withdraw(_ http.ResponseWriter, r *web.Request) error {
	if !r.Session().SignedIn() || r.Session().IIN == "" {
		return web.ErrSignIn
	}
	err := p.keeper.Withdraw(r.Context(), ident.IIN(r.Session().IIN), r.Field("client"))
	if errors.Is(err, relying.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	return r.Redirect(PathServices + "?done=1")
}

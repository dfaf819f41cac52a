package portal

import (
	"net/http"
	"strings"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/oidc"
	"senim/internal/web"
)

// provider makes the OpenID Connect provider of the portal; nil when the configuration has none.
func provider(c Config, desk *auth.Desk) (*oidc.Provider, error) {
	o := c.Services
	if o.Store == nil {
		return nil, nil //nolint:nilnil // no provider is a configuration, not an error
	}
	o.Origin, o.Office, o.Judge, o.Desk, o.Person, o.Proxies, o.Log, o.Now = c.Site.Origin, c.Office, c.Auth.Judge, desk, actingPerson, c.Site.Proxies, c.Log, c.Now
	return oidc.New(o)
}

// actingPerson is who is signed in and has chosen a profile.
func actingPerson(r *web.Request) (oidc.Person, bool) {
	at := r.Session()
	cert, err := r.Certificate()
	if !at.SignedIn() || at.IIN == "" || r.Value(profileID) == "" || err != nil {
		return oidc.Person{}, false
	}
	return oidc.Person{IIN: ident.IIN(at.IIN), Profile: r.Value(profileID), KeyBIN: r.Value(keyBIN), BIN: at.BIN, Certificate: cert, SignedAt: r.SignedAt(), Way: r.Value(keyWay)}, true
}

// serveServices adds the provider's pages, in our shell, and its addresses for programs.
func (s *site) serveServices(mux *http.ServeMux) {
	if s.services == nil {
		return
	}
	for pattern, h := range s.services.Pages() {
		s.shell.Handle(mux, pattern, s.answered(s.guarded(h)))
	}
	s.services.Mount(mux)
}

// onward ends a sign-in: at the service that asked for it, else at the path.
func (s *site) onward(r *web.Request, to string) error {
	to, err := s.ahead(r, to)
	if err != nil {
		return err
	}
	return r.Redirect(to)
}

// ahead is where a sign-in ends.
func (s *site) ahead(r *web.Request, to string) (string, error) {
	if s.services == nil {
		return to, nil
	}
	return s.services.Onward(r, to)
}

// menuWith is the menu; on a person's own pages it has that of services, where there are any.
func menuWith(services *oidc.Provider) func(*web.Request) []web.Link {
	return func(r *web.Request) []web.Link {
		links := menu(r)
		if services != nil && r.Session().SignedIn() && (r.URL.Path == "/me" || strings.HasPrefix(r.URL.Path, "/me/")) {
			links = append(links, web.Link{Text: r.T("oidc.services.title"), Href: oidc.PathServices, Current: r.URL.Path == oidc.PathServices})
		}
		return links
	}
}

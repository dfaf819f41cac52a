// Package oidc makes the portal an OpenID Connect provider: other services let people sign in here
// with their keys, and get what the person allowed and the operator registered, nothing more.
//
// [New] gives a [Provider]; the portal serves its pages ([Provider.Pages]) among its own and its
// machine's addresses ([Provider.Mount]) beside them. The protocol is fosite's; what is remembered is
// the relying package's; here are the way of a person through a request, the pages, and the claims.
//
// It refuses everything but the authorization code with PKCE (S256) to a registered address, spelled
// as registered: no implicit or password grants, no request objects. A service that cannot be sent
// back to safely gets a page for the person, never a redirect.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/openid"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/limit"
	"senim/internal/participant"
	"senim/internal/relying"
	"senim/internal/web"
	"senim/pki"
)

// Person is who is signed in to the portal, acting for a profile.
type Person struct {
	IIN         ident.IIN
	Profile     string // its id
	KeyBIN      string // of the certificate
	BIN         string // of whom the session acts for
	Certificate *pki.Certificate
	SignedAt    time.Time
	Way         string // what followed the key: [participant.WayPassword] or [participant.WayPasskey]
}

// second is the method beside the key.
func (p Person) second() string {
	switch p.Way {
	case participant.WayPassword:
		return relying.ByPassword
	case participant.WayPasskey:
		return relying.ByPasskey
	}
	return ""
}

// Config makes a [Provider]. The zero Config, in the portal's, means that there is none.
type Config struct {
	// Clients are the relying parties. Store keeps the rest; without it there is no provider.
	Clients []relying.Client
	Store   relying.Store

	// The portal fills in what follows.

	// Origin is the portal's, and the issuer's name.
	Origin string
	Office *participant.Office
	Judge  auth.Judge
	// Desk proves keys of people who sign in without an account.
	Desk *auth.Desk
	// Person tells who is signed in; false when nobody is, or acts for no profile yet.
	Person func(*web.Request) (Person, bool)
	// Proxies name visitors, see [limit.Visitor].
	Proxies []netip.Prefix
	Log     *slog.Logger
	Now     func() time.Time
}

// Provider is the OpenID Connect provider. It is safe for concurrent use.
type Provider struct {
	c       Config
	keeper  *relying.Keeper
	clients map[string]client
	lib     fosite.OAuth2Provider
	keys    *keys
	visits  *limit.Limiter
}

// Lives of what is given. A session of the portal ends sooner than a refresh token; a refresh token
// ends with the certificate, the account, the profile or the consent, whichever is first.
const (
	codeLife    = time.Minute
	accessLife  = 10 * time.Minute
	refreshLife = 30 * 24 * time.Hour
	// grantLife bounds an authorization however often it is refreshed.
	grantLife = 180 * 24 * time.Hour
)

// New checks the configuration and makes a provider.
func New(c Config) (*Provider, error) {
	switch {
	case c.Office == nil, c.Judge == nil, c.Desk == nil, c.Person == nil, c.Origin == "":
		return nil, errors.New("make the OpenID provider: office, judge, desk, person and origin are needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	keeper, err := relying.New(relying.Config{Store: c.Store, Now: c.Now})
	if err != nil {
		return nil, fmt.Errorf("make the OpenID provider: %w", err)
	}
	p := &Provider{c: c, keeper: keeper, clients: map[string]client{}, keys: &keys{keeper: keeper, now: c.Now},
		visits: limit.New(c.Now, limit.Rate{Acts: 60, In: time.Minute}, limit.Rate{Acts: 600, In: time.Hour})}
	for _, one := range c.Clients {
		if p.clients[one.ID], err = newClient(one); err != nil {
			return nil, fmt.Errorf("make the OpenID provider: %w", err)
		}
	}
	secret, err := keeper.Secret(context.Background(), "oidc-tokens", "")
	if err != nil {
		return nil, fmt.Errorf("make the OpenID provider: %w", err)
	}
	config := &fosite.Config{
		GlobalSecret: secret, IDTokenIssuer: c.Origin, TokenURL: c.Origin + pathToken,
		AuthorizeCodeLifespan: codeLife, AccessTokenLifespan: accessLife, IDTokenLifespan: accessLife, RefreshTokenLifespan: refreshLife,
		EnforcePKCE: true, EnforcePKCEForPublicClients: true, MinParameterEntropy: 8,
		ScopeStrategy: fosite.ExactScopeStrategy, RefreshTokenScopes: []string{relying.ScopeOffline},
		AllowedPromptValues: prompts(), ClientSecretsHasher: secrets{}, RedirectSecureChecker: fosite.IsRedirectURISecureStrict,
	}
	p.lib = compose.Compose(config, &storage{p}, &compose.CommonStrategy{
		CoreStrategy:               compose.NewOAuth2HMACStrategy(config),
		OpenIDConnectTokenStrategy: &openid.DefaultStrategy{Signer: p.keys, Config: config},
		Signer:                     p.keys,
	}, compose.OAuth2AuthorizeExplicitFactory, compose.OAuth2RefreshTokenGrantFactory, compose.OpenIDConnectExplicitFactory,
		compose.OpenIDConnectRefreshFactory, compose.OAuth2TokenRevocationFactory, compose.OAuth2TokenIntrospectionFactory, compose.OAuth2PKCEFactory)
	return p, nil
}

func prompts() []string { return []string{"none", "login", "consent"} }

// The addresses.
const (
	pathAuthorize = "/oidc/authorize"
	pathRequest   = "/oidc/request/"
	pathEnd       = "/oidc/end"
	pathToken     = "/oidc/token"
	pathUserinfo  = "/oidc/userinfo"
	pathRevoke    = "/oidc/revoke"
	pathKeys      = "/oidc/keys"
	// PathServices is the page of consents.
	PathServices = "/me/services"
)

// Pages are those of people, by pattern; the portal serves them in its shell.
func (p *Provider) Pages() map[string]web.Handler {
	return map[string]web.Handler{
		"GET /oidc/authorize":     p.authorize,
		"GET /oidc/request/{id}":  p.request,
		"POST /oidc/request/{id}": p.answer,
		"GET /oidc/end":           p.endPage,
		"POST /oidc/end":          p.end,
		"GET /me/services":        p.services,
		"POST /me/services":       p.withdraw,
	}
}

// Mount adds the addresses of programs.
func (p *Provider) Mount(mux *http.ServeMux) {
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /.well-known/openid-configuration": p.discovery,
		"GET /oidc/keys":                        p.published,
		"POST /oidc/token":                      p.token,
		"GET /oidc/userinfo":                    p.userinfo,
		"POST /oidc/userinfo":                   p.userinfo,
		"POST /oidc/revoke":                     p.revoke,
	} {
		mux.HandleFunc(pattern, h)
	}
}

// Onward is where a person goes after signing in: back to the service that asked, else to the path.
func (p *Provider) Onward(r *web.Request, to string) (string, error) {
	req, err := p.keeper.Waiting(r.Context(), p.browser(r))
	if errors.Is(err, relying.ErrNotFound) {
		return to, nil
	}
	if err != nil {
		return "", err
	}
	return pathRequest + req.ID, nil
}

// cookieName names the cookie that binds requests to a browser.
func (p *Provider) cookieName() string {
	if p.secure() {
		return "__Host-senim-services"
	}
	return "senim-services"
}

func (p *Provider) secure() bool { return strings.HasPrefix(p.c.Origin, "https://") }

// browser is the secret of this browser; empty when it has none.
func (p *Provider) browser(r *web.Request) string {
	c, err := r.Cookie(p.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

// remembered gives this browser its secret.
func (p *Provider) remembered(w http.ResponseWriter, r *web.Request) (string, error) {
	if had := p.browser(r); len(had) == 43 { // 32 bytes in base64url; anything else is not ours
		return had, nil
	}
	secret, err := p.keeper.NewBrowser()
	if err != nil {
		return "", err
	}
	http.SetCookie(w, &http.Cookie{Name: p.cookieName(), Value: secret, Path: "/", HttpOnly: true, Secure: p.secure(), SameSite: http.SameSiteLaxMode}) //nolint:gosec // Secure wherever the origin is https
	return secret, nil
}

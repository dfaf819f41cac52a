// Package desk is where clerks of the authority keep the registry when there is no access to the
// state's own: one clerk records a change of head and signs it, another confirms it and signs.
//
// [New] gives the pages below /desk as an http.Handler. They share the cabinet's origin, cookie and
// sessions: the wire sends /desk/ here and everything else to the cabinet. The rules live in package
// registry; a page here checks who signs, and that what he signed is exactly what is kept.
//
// It refuses people without the operator's role of the authority's own organisation, signatures by
// another key holder than the one signed in, and whatever the registry's rules refuse.
package desk

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/registry"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// Config says what the desk works with.
type Config struct {
	// Site is the cabinet's: the same Name and Origin, so that the cookie is the same. Brand may
	// be the desk's own; "desk.brand" when empty.
	Site web.Site
	// Auth keeps the cabinet's sessions. Required.
	Auth *auth.Desk
	// Judge decides about certificates. Required.
	Judge auth.Judge
	// Book is the registry. Required.
	Book *registry.Book
	// BIN is the organisation whose operators work here, the authority's own. Required, except
	// where Site.TestMode is on: then operators of every organisation are let in when it is empty.
	BIN ident.BIN
	Now func() time.Time
	Log *slog.Logger
}

type desk struct{ c Config }

// New checks the configuration and makes the pages.
func New(c Config) (http.Handler, error) {
	if c.Auth == nil || c.Judge == nil || c.Book == nil {
		return nil, errors.New("make the desk: sign-in, judge and registry are required")
	}
	if c.BIN == "" && !c.Site.TestMode {
		return nil, errors.New("make the desk: whose operators work here is not said")
	}
	if c.Site.Brand == "" {
		c.Site.Brand = "desk.brand"
	}
	shell, err := web.New(web.Config{Site: c.Site, Auth: c.Auth, Log: c.Log, Now: c.Now, Menu: menu, SignIn: "/desk/signin"})
	if err != nil {
		return nil, err
	}
	d := &desk{c}
	mux := http.NewServeMux()
	own := func(pattern string, h web.Handler) { shell.Handle(mux, pattern, d.clerks(h)) }
	shell.Handle(mux, "GET /desk/signin", d.askSignIn)
	shell.Handle(mux, "POST /desk/signin", d.signIn)
	own("GET /desk/{$}", func(_ http.ResponseWriter, r *web.Request) error { return r.Redirect("/desk/registry") })
	own("GET /desk/registry", d.list)
	own("GET /desk/registry/new", d.askNew)
	own("POST /desk/registry/new", d.takeNew)
	own("GET /desk/registry/{id}", d.change)
	own("POST /desk/registry/{id}", d.act)
	return shell.Handler(mux), nil
}

func menu(r *web.Request) []web.Link {
	if !r.Session().SignedIn() {
		return nil
	}
	return []web.Link{{Text: r.T("desk.menu.registry"), Href: "/desk/registry", Current: r.URL.Path == "/desk/registry"},
		{Text: r.T("desk.menu.new"), Href: "/desk/registry/new", Current: r.URL.Path == "/desk/registry/new"}}
}

// clerks lets in whoever signed in with an operator's certificate, and says what the rules refuse.
func (d *desk) clerks(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *web.Request) error {
		if !r.Session().SignedIn() {
			return r.Redirect("/desk/signin?next=" + url.QueryEscape(r.URL.Path))
		}
		cert, err := r.Certificate()
		if err != nil || !d.operator(cert.Holder()) {
			return r.Render(w, http.StatusForbidden, refusedPage(r, "NOT_A_CLERK", "/desk/signin"))
		}
		err = h(w, r)
		if errors.Is(err, registry.ErrNotFound) {
			return web.ErrNotFound
		}
		if no, ok := errors.AsType[*registry.Refusal](err); ok {
			return r.Render(w, http.StatusUnprocessableEntity, refusedPage(r, no.Code, "/desk/registry"))
		}
		return err
	}
}

// operator reports whether a holder may work here.
func (d *desk) operator(h pki.Holder) bool {
	return h.Has(pki.RoleOperator) && h.IIN != "" && (d.c.BIN == "" || h.BIN == string(d.c.BIN))
}

// clerk is who is signed in.
func clerk(r *web.Request) registry.Clerk {
	return registry.Clerk{IIN: ident.IIN(r.Session().IIN), Serial: r.Session().Serial}
}

const purposeSignIn = "sign-in"

func (d *desk) askSignIn(w http.ResponseWriter, r *web.Request) error {
	c, err := r.Ask(purposeSignIn, "")
	if err != nil {
		return err
	}
	return r.OK(w, signInPage(r, c))
}

func (d *desk) signIn(w http.ResponseWriter, r *web.Request) error {
	answer, err := web.Signature(r.Field("answer"))
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: "/desk/signin"}
	}
	proof, err := d.c.Auth.Prove(r.Context(), r.SID(), purposeSignIn, answer, trust.SignIn)
	if err != nil {
		return web.RefusalOf(err, "/desk/signin")
	}
	if !d.operator(proof.Holder) {
		return r.Render(w, http.StatusForbidden, refusedPage(r, "NOT_A_CLERK", "/desk/signin"))
	}
	if err := r.SignInWith(proof); err != nil {
		return err
	}
	return r.Redirect("/desk/registry")
}

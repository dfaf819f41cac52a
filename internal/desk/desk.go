// Package desk is where operators of the authority work: they give keys to people who cannot sign for
// themselves, put keys on hold and lift it, and keep the registry when there is no access to the
// state's own. Whatever matters takes two of them.
//
// [New] gives the pages below /desk as an http.Handler. They share the cabinet's origin, cookie and
// sessions: the wire sends /desk/ here and everything else to the cabinet. The rules live in the
// packages ra and registry; a page here checks who signs, and that what he signed is exactly what is
// kept.
//
// It refuses people without the operator's role of the authority's own organisation, signatures by
// another key holder than the one signed in, and whatever the rules refuse. Outside the desk's
// networks it is answered as if it were not there.
package desk

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/limit"
	"senim/internal/participant"
	"senim/internal/ra"
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
	// OpenNames gives what open data call an organisation and its head, shown beside a clerk's change and
	// marked as such; nil: nothing is shown.
	OpenNames func(ctx context.Context, bin ident.BIN) (name, head string)
	// Registries tells which loads of the registries are missing; nil: nothing is said of them.
	Registries web.Registries
	// Office takes applications; without it the desk only keeps the registry.
	Office *ra.Office
	// Places are the desks people can go to.
	Places []ra.Place
	// Networks are those of the desks; none: the desk is open to every network. Elsewhere answers
	// who comes from outside: the cabinet's pages, where nothing is found.
	Networks  []netip.Prefix
	Elsewhere http.Handler
	// Figures counts certificates for the board; nil leaves them out.
	Figures Figures
	// Messages tells how messages stand, and takes an operator's word about one in doubt; nil leaves
	// them out. [notice.Sender] is the real one.
	Messages Messages
	// Imports takes batches of files into the registry; nil leaves its pages out.
	Imports Imports
	// Participants is where administrators block and lift participants of the portal; nil leaves that out.
	Participants *participant.Office
	// BIN is the organisation whose operators work here, the authority's own. Required, except
	// where Site.TestMode is on: then operators of every organisation are let in when it is empty.
	BIN ident.BIN
	Now func() time.Time
	Log *slog.Logger
}

type desk struct {
	c     Config
	cache figuresCache
}

// New checks the configuration and makes the pages.
func New(c Config) (http.Handler, error) {
	if c.Auth == nil || c.Judge == nil || c.Book == nil {
		return nil, errors.New("make the desk: sign-in, judge and registry are required")
	}
	if c.BIN == "" && !c.Site.TestMode {
		return nil, errors.New("make the desk: whose operators work here is not said")
	}
	if len(c.Networks) > 0 && c.Elsewhere == nil {
		return nil, errors.New("make the desk: who answers outside its networks is not said")
	}
	if c.Site.Brand == "" {
		c.Site.Brand = "desk.brand"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	d := &desk{c: c}
	shell, err := web.New(web.Config{Site: c.Site, Auth: c.Auth, Log: c.Log, Now: c.Now, Menu: d.menu, Notice: d.notice, SignIn: "/desk/signin", MaxBody: maxBody})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	own := func(pattern string, h web.Handler) { shell.Handle(mux, pattern, d.clerks(h)) }
	shell.Handle(mux, "GET /desk/signin", d.askSignIn)
	shell.Handle(mux, "POST /desk/signin", d.signIn)
	own("GET /desk/registry", d.list)
	own("GET /desk/registry/new", d.askNew)
	own("POST /desk/registry/new", d.takeNew)
	own("GET /desk/registry/{id}", d.change)
	own("POST /desk/registry/{id}", d.act)
	own("GET /desk/registry/{id}/scan", d.changeScan)
	if c.Imports != nil {
		d.loadRoutes(own)
	}
	if c.Participants != nil {
		d.participantRoutes(own)
	}
	if c.Office == nil {
		own("GET /desk/{$}", func(_ http.ResponseWriter, r *web.Request) error { return r.Redirect("/desk/registry") })
	} else {
		d.counterRoutes(own)
		d.caseRoutes(own)
		d.keyRoutes(own)
		d.boardRoutes(own)
		d.reportRoutes(own)
		if d.c.Messages != nil {
			own("POST /desk/messages/{id}", d.settle)
		}
	}
	return d.inside(shell.Handler(mux)), nil
}

// maxBody lets a scan in, with the rest of its form.
const maxBody = 6 << 20

// inside hides the desk from other networks. An address that cannot be read is outside.
func (d *desk) inside(h http.Handler) http.Handler {
	if len(d.c.Networks) == 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if limit.Within(d.c.Networks, limit.Address(r, d.c.Site.Proxies)) {
			h.ServeHTTP(w, r)
			return
		}
		d.c.Elsewhere.ServeHTTP(w, r)
	})
}

func (d *desk) menu(r *web.Request) []web.Link {
	if !r.Session().SignedIn() {
		return nil
	}
	link := func(key, href string) web.Link {
		return web.Link{Text: r.T(key), Href: href, Current: r.URL.Path == href}
	}
	var all []web.Link
	if d.c.Office != nil {
		all = []web.Link{link("desk.menu.board", "/desk/"), link("desk.menu.find", "/desk/find"), link("desk.menu.take", "/desk/take")}
	}
	if d.c.Imports != nil {
		all = append(all, link("load.menu", "/desk/loads"))
	}
	all = append(all, link("desk.menu.registry", "/desk/registry"), link("desk.menu.new", "/desk/registry/new"))
	if d.c.Participants != nil {
		all = append(all, link("desk.menu.participants", "/desk/participants"))
	}
	return all
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
			return r.Render(w, http.StatusUnprocessableEntity, refusedPage(r, no.Code, back(r)))
		}
		if no, ok := errors.AsType[*ra.Refusal](err); ok {
			return refused(no, back(r))
		}
		return err
	}
}

// back is the page an act was begun at.
func back(r *web.Request) string {
	for name, path := range map[string]string{"number": "/desk/applications/", "id": "/desk/acts/", "serial": "/desk/keys/"} {
		if v := r.PathValue(name); v != "" {
			return path + v
		}
	}
	if strings.HasPrefix(r.URL.Path, "/desk/loads") {
		return "/desk/loads"
	}
	if strings.HasPrefix(r.URL.Path, "/desk/registry") {
		return "/desk/registry"
	}
	return "/desk/"
}

// refused is a refusal of the office as a page with a way back.
func refused(no *ra.Refusal, to string) web.Refusal {
	f := web.Refusal{Code: no.Code, Evidence: no.Evidence, Next: []web.Link{{Text: "desk.next.back", Href: to}}}
	switch no.Code {
	case "NOT_YOUR_APPLICATION", "KEY_UNKNOWN", "REPORT_NOT_FOUND":
		f.Status, f.Next[0].Href = http.StatusNotFound, "/desk/"
	case trust.CodeUnavailable:
		f.Unknown = true
	}
	return f
}

// operator reports whether a holder may work here.
func (d *desk) operator(h pki.Holder) bool {
	return h.Has(pki.RoleOperator) && h.IIN != "" && (d.c.BIN == "" || h.BIN == string(d.c.BIN))
}

// clerk is who is signed in, for the registry; operator for the office.
func clerk(r *web.Request) registry.Clerk {
	return registry.Clerk{IIN: ident.IIN(r.Session().IIN), Serial: r.Session().Serial}
}

func operator(r *web.Request) (ra.Operator, error) {
	cert, err := r.Certificate()
	if err != nil {
		return ra.Operator{}, err
	}
	return operatorOf(cert), nil
}

func operatorOf(cert *pki.Certificate) ra.Operator {
	h := cert.Holder()
	return ra.Operator{IIN: h.IIN, Serial: cert.SerialHex(), Name: ra.Initials(h.CommonName, h.Given)}
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
	if d.c.Office != nil {
		err := d.c.Office.KeySigned(r.Context(), ra.KeySignature{Certificate: proof.Certificate, Purpose: purposeSignIn,
			Challenge: proof.Challenge.Text(), Signature: answer, Report: proof.Report})
		if err != nil {
			return err
		}
	}
	if err := r.SignInWith(proof); err != nil {
		return err
	}
	return r.Redirect("/desk/")
}

// Package cabinet is the personal cabinet of the certification authority: its pages, one file each
// (handler, template, test).
//
// [New] gives the whole site as an http.Handler. The rules live in package ra: a page reads a form,
// calls the office, and shows what came of it; every refusal is a page with its code, its evidence
// and a way out. Signatures are asked for by [web.AgentForm] and nothing else.
//
// No GET changes anything but this browser's own session. What belongs to somebody else is answered
// like what does not exist.
package cabinet

import (
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
	"senim/internal/qr"
	"senim/internal/ra"
	"senim/internal/web"
)

// Config says what a cabinet works with.
type Config struct {
	// Origin is the site's own origin. AgentURLs are the agent's sockets; see [web.Site].
	Origin    string
	AgentURLs []string
	TestMode  bool
	// Proxies are the reverse proxies whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// Limits bound how often visitors act.
	Limits web.Limits
	// Auth keeps sessions; its site is "cabinet" and its origin the same. Required.
	Auth *auth.Desk
	// Office takes applications. Required.
	Office *ra.Office
	// Judge decides about certificates on the check page. Required.
	Judge Judge
	// Keys is what the authority has issued. Required.
	Keys ra.Keys
	// Receipts proves that keys stand in the public log; nil where none is kept.
	Receipts Receipts
	// KeyIDs finds certificates by key identifier; nil: the check page knows serial numbers only, and
	// calls no number never issued.
	KeyIDs KeyIDs
	// Registries tells which loads of the registries are missing; nil: nothing is said of them.
	Registries web.Registries
	// Consents asks people for the consent that the register of persons wants; nil: nobody can be asked.
	Consents web.Consents
	// Rules say which numbers are test identities, for the mark beside them.
	Rules ident.Rules
	// Letters takes what readers do by the links of letters; nil: nothing of it.
	Letters Letters
	// Phone lets people sign on a phone by QR; nil: nobody may.
	Phone *qr.Desk
	// Places are the desks where people get keys who cannot renew; optional.
	Places []ra.Place
	// OperatorBIN is the organisation whose operators may look anybody's keys up, from DeskNetworks alone
	// when there are some; empty: no operator may.
	OperatorBIN  ident.BIN
	DeskNetworks []netip.Prefix
	Now          func() time.Time
	Log          *slog.Logger
}

type cabinet struct {
	c Config
	// searches bounds how often a session asks for application numbers, and a certificate for keys by
	// number.
	searches *limit.Limiter
	// consentLooks bounds how often the service of consents is asked for one person.
	consentLooks *limit.Limiter
	// asked bounds of how many organisations a certificate asks the registry.
	asked *limit.Limiter
}

// New checks the configuration and makes the site.
func New(c Config) (http.Handler, error) {
	if c.Auth == nil || c.Office == nil || c.Judge == nil || c.Keys == nil {
		return nil, errors.New("make the cabinet: sign-in, office, judge and keys are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &cabinet{c: c, searches: limit.New(c.Now, perSession()), asked: limit.New(c.Now, limit.Rate{Acts: 10, In: time.Hour}),
		consentLooks: limit.New(c.Now, limit.Rate{Acts: 30, In: time.Minute})}
	shell, err := web.New(web.Config{
		Site: web.Site{Name: "cabinet", Origin: c.Origin, AgentURLs: c.AgentURLs, Brand: "cabinet.brand", TestMode: c.TestMode, Rules: c.Rules, Proxies: c.Proxies, Limits: c.Limits},
		Auth: c.Auth, Log: c.Log, Now: c.Now, Menu: menu, Profile: "/profile", Notice: s.notice,
		Phone:  c.Phone,
		Larger: map[string]int64{"/check": maxDocument},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	at := routes{
		open: func(pattern string, h web.Handler) { shell.Handle(mux, pattern, refusals(h)) },
		own:  func(pattern string, h web.Handler) { shell.Handle(mux, pattern, signedIn(refusals(h))) },
	}
	for _, add := range []func(routes){
		s.firstRoutes,
		s.accountRoutes,
		s.keyRoutes,
		s.legalRoutes,
		s.applicationRoutes,
		s.confirmRoutes,
		s.employeeRoutes,
		s.delegationRoutes,
		s.companyRoutes,
		s.profileRoutes,
		s.factorRoutes,
		s.checkRoutes,
		s.reportRoutes,
		s.letterRoutes,
		s.calendarRoutes,
		s.manyRoutes,
		s.renewalRoutes,
		s.uploadRoutes,
		s.visitRoutes,
	} {
		add(at)
	}
	return shell.Handler(mux), nil
}

// routes adds pages: open ones for everybody, own ones for who has signed in. Each area adds its own.
type routes struct {
	open, own func(pattern string, h web.Handler)
}

func (s *cabinet) firstRoutes(at routes) {
	at.open("GET /{$}", s.start)
	at.open("GET /signin", s.askSignIn)
	at.open("POST /signin", s.signIn)
}

func (s *cabinet) accountRoutes(at routes) {
	at.open("GET /email/{token}", s.askEmail)
	at.open("POST /email/{token}", s.confirmEmail)
	at.own("GET /signup", s.askAccount)
	at.own("POST /signup", s.takeAccount)
	at.own("GET /signup/sign", s.askAccountSignature)
	at.own("POST /signup/sign", s.signAccount)
}

func (s *cabinet) keyRoutes(at routes) {
	at.own("GET /keys", s.keys)
	at.own("GET /keys/receipt", s.receipt)
	at.own("GET /keys/reissue", s.askReissue)
	at.own("POST /keys/reissue", s.reissue)
	at.own("GET /keys/revoke", s.askRevoke)
	at.own("POST /keys/revoke", s.chooseRevoke)
	at.own("GET /keys/revoke/sign", s.askRevokeSignature)
	at.own("POST /keys/revoke/sign", s.revoke)
}

func (s *cabinet) legalRoutes(at routes) {
	at.own("GET /apply/legal", s.askLegal)
	at.own("POST /apply/legal", s.checkBIN)
	at.own("GET /apply/legal/data", s.askLegalData)
	at.own("POST /apply/legal/data", s.applyLegal)
}

func (s *cabinet) applicationRoutes(at routes) {
	at.own("GET /applications", s.applications)
	at.own("GET /applications/{number}", s.application)
	at.own("GET /applications/{number}/consent", s.registerPage)
	at.own("POST /applications/{number}/consent", s.askRegister)
	at.own("POST /applications/{number}/recheck", s.recheck)
	at.own("GET /applications/{number}/edit", s.askEdit)
	at.own("POST /applications/{number}/edit", s.edit)
	at.own("GET /applications/{number}/first/{serial}", s.firstSignature)
	for path, h := range map[string]web.Handler{"keys": s.takeKeys, "sign": s.takeSignature, "install": s.takeInstalled,
		"withdraw": s.withdraw, "later": s.later} {
		at.own("GET /applications/{number}/"+path, s.toApplication)
		at.own("POST /applications/{number}/"+path, h)
	}
}

// menu is the header's links for people who have signed in, gathered under four names.
func menu(r *web.Request) []web.Link {
	if !r.Session().SignedIn() {
		return nil
	}
	at := r.URL.Path
	link := func(key, href string) web.Link {
		return web.Link{Text: r.T(key), Href: href, Current: at == href || strings.HasPrefix(at, href+"/")}
	}
	var links []web.Link
	group := func(key string, some ...web.Link) {
		for _, l := range some {
			l.Group = r.T(key)
			links = append(links, l)
		}
	}
	group("cabinet.menu.group.keys", link("cabinet.menu.keys", "/keys"), link("calendar.menu", "/calendar"), link("batch.menu", "/many"))
	group("cabinet.menu.group.applications", link("cabinet.menu.applications", "/applications"))
	if mayConfirm(r) {
		group("cabinet.menu.group.applications", link("confirm.menu", "/confirm"))
	}
	group("cabinet.menu.group.company", staffLinks(r, link)...)
	if r.Session().BIN == "" { // first keys of an organisation are applied for with a personal key
		group("cabinet.menu.group.company", link("cabinet.menu.legal", "/apply/legal"))
	}
	group("cabinet.menu.group.more", link("reports.title", "/reports"), link("cabinet.check.title", "/check"))
	return links
}

// signedIn sends strangers to sign in and brings them back afterwards.
func signedIn(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *web.Request) error {
		if r.Session().SignedIn() {
			return h(w, r)
		}
		next := r.URL.Path
		if r.Method == http.MethodGet {
			next = r.URL.RequestURI()
		}
		return r.Redirect("/signin?next=" + url.QueryEscape(next))
	}
}

// refusals turns what the office refuses into pages, with a way out.
func refusals(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *web.Request) error {
		err := h(w, r)
		var no *ra.Refusal
		if !errors.As(err, &no) {
			return err
		}
		f := web.Refusal{Code: no.Code, Evidence: no.Evidence}
		switch no.Code {
		case "CERT_EXPIRED":
			f.Code = "KEY_EXPIRED_NO_RENEWAL"
		case "NOT_YOUR_APPLICATION", "KEY_UNKNOWN", "DELEGATION_UNKNOWN", "DISMISSAL_UNKNOWN", "CONSENT_UNKNOWN", "REPORT_NOT_FOUND", "BATCH_UNKNOWN":
			f.Status = http.StatusNotFound
		case "CHECK_UNAVAILABLE":
			f.Unknown, f.Retry = true, r.URL.Path
		}
		if f.Retry == "" {
			f.Next = []web.Link{{Text: "cabinet.next.keys", Href: "/keys"}, {Text: "cabinet.next.applications", Href: "/applications"}}
		}
		return f
	}
}

// viewer is who looks, for the office.
func viewer(r *web.Request) ra.Viewer {
	return ra.Viewer{IIN: r.Session().IIN, BIN: r.Session().BIN}
}

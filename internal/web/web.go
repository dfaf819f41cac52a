// Package web is the shell of Senim's sites: layout, components, languages, sessions, refusals and
// the headers that keep strangers out.
//
// [New] makes a [Shell] for one site; [Shell.Handle] registers a page and [Shell.Handler] gives the
// finished site. A page is a [Handler]: it reads a [Request], renders a templ component with
// [Request.Render] inside [Page], and returns an error for everything else; errors are answered in
// one place, in the reader's language. A [Refusal] becomes a page of three lines: what was checked
// and failed, why it matters, what to do now.
//
// A page talks to the signing agent in one way only: an [AgentForm] with an [AgentCall].
//
// The shell refuses posts from other origins, bodies over their bound, paths that are not there,
// and (by content security policy) everything that is not its own file or the agent.
package web

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
	"senim/internal/web/assets"
)

// Site names one of our sites to its visitors.
type Site struct {
	// Name is short and Latin, as "cabinet": it names the cookie.
	Name string
	// Origin is the site's own origin, as "https://cabinet.example.kz".
	Origin string
	// AgentURLs are the sockets of the signing agent, tried in order. Default: wss, then ws,
	// on 127.0.0.1:13579.
	AgentURLs []string
	// Brand is the key of the site's name in the catalogue, as "cabinet.brand".
	Brand string
	// TestMode shows a line on every page saying that nothing here is real.
	TestMode bool
	// Rules say which numbers are test identities: they are marked wherever they stand.
	Rules ident.Rules
	// Proxies are the reverse proxies whose X-Forwarded-For names the visitor; none by default.
	Proxies []netip.Prefix
	// Limits bound how often visitors act, and how long a certificate is believed.
	Limits Limits
}

// Link is somewhere to go: a text in the reader's language and a path or address.
type Link struct {
	Text, Href string
	// Current marks the page one is on.
	Current bool
	// Group names the part of the menu the link is gathered under; empty: it stands alone.
	Group string
}

// Notice is something a person should do, said on every page until it is done.
type Notice struct {
	// Code names it for tests and styles.
	Code, Text string
	Link       Link
}

// Config says what a Shell works with.
type Config struct {
	Site Site
	// Auth keeps the sessions of this site. Required.
	Auth *auth.Desk
	// Log takes what operators should see; nothing by default.
	Log *slog.Logger
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// Menu gives the links of the header for a request; nil for none.
	Menu func(*Request) []Link
	// Notice is said above every page's content; nil, or an empty Text, for none.
	Notice func(*Request) (Notice, error)
	// Profile is the path behind the person's name in the header; empty shows the name alone.
	Profile string
	// SignIn is the path pages that need a session send people to; "/signin" by default.
	SignIn string
	// SignOut is the path the header's sign-out button posts to; "/signout" by default. The shell
	// serves it.
	SignOut string
	// MaxBody bounds the body of a post; 1 MiB by default.
	MaxBody int64
	// Phone lets people sign on a phone by QR; nil: nobody may.
	Phone *qr.Desk
	// Larger gives paths that take documents a bound of their own.
	Larger map[string]int64
}

// Shell serves one site. It is safe for concurrent use.
type Shell struct {
	c      Config
	files  *assets.Files
	csp    string
	cookie string
	secure bool
	pages  map[string]bool // patterns that were handed to Handle; read only once the site serves

	addresses, certificates, codes *limit.Limiter
	streams                        streams // pages that wait for a phone
}

// New checks the configuration and makes a shell.
func New(c Config) (*Shell, error) {
	if c.Auth == nil {
		return nil, errors.New("make a site: no sign-in desk")
	}
	if c.Site.Name == "" || c.Site.Brand == "" {
		return nil, errors.New("make a site: no name or brand")
	}
	u, err := url.Parse(c.Site.Origin)
	if err != nil || u.Host == "" || u.Path != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("make a site: origin is not scheme://host")
	}
	if len(c.Site.AgentURLs) == 0 {
		c.Site.AgentURLs = []string{"wss://127.0.0.1:13579/", "ws://127.0.0.1:13579/"}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.SignIn == "" {
		c.SignIn = "/signin"
	}
	if c.SignOut == "" {
		c.SignOut = "/signout"
	}
	if c.MaxBody <= 0 {
		c.MaxBody = 1 << 20
	}
	c.Site.Limits = c.Site.Limits.complete()
	files, err := assets.Load()
	if err != nil {
		return nil, err
	}
	csp, err := policy(c.Site.AgentURLs)
	if err != nil {
		return nil, err
	}
	s := &Shell{c: c, files: files, csp: csp, pages: map[string]bool{}, secure: u.Scheme == "https", cookie: "senim-" + c.Site.Name,
		addresses: limit.New(c.Now, c.Site.Limits.addresses()...), certificates: limit.New(c.Now, limit.Rate{Acts: c.Site.Limits.Certificate, In: time.Hour}), codes: limit.New(c.Now, perCode()...)}
	if s.secure {
		s.cookie = "__Host-" + s.cookie
	}
	return s, nil
}

// Site gives the site's names and addresses.
func (s *Shell) Site() Site { return s.c.Site }

// Handler is a page: it answers a request or returns why it could not.
type Handler func(w http.ResponseWriter, r *Request) error

// Handle registers a page in mux under a pattern with a method, as "GET /keys". A form posts to
// the path of the page that shows it, so that going back and changing the language work.
func (s *Shell) Handle(mux *http.ServeMux, pattern string, h Handler) {
	s.pages[pattern] = true
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, h) })
}

// SignedIn guards a page: without a session it sends the person to sign in.
func (s *Shell) SignedIn(h Handler) Handler {
	return func(w http.ResponseWriter, r *Request) error {
		if !r.Session().SignedIn() {
			return r.Redirect(s.c.SignIn)
		}
		return h(w, r)
	}
}

// Handler gives the whole site: the pages of mux, the assets, language and sign-out, under the
// headers and the origin check.
func (s *Shell) Handler(mux *http.ServeMux) http.Handler {
	mux.Handle("GET "+assets.Prefix, s.files)
	s.phoneRoutes(mux)
	s.Handle(mux, "POST /language", s.language)
	s.Handle(mux, "POST "+s.c.SignOut, s.signOut)
	s.Handle(mux, "/", func(http.ResponseWriter, *Request) error { return ErrNotFound })
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, func(http.ResponseWriter, *Request) error {
			return Refusal{Code: "CROSS_ORIGIN", Status: http.StatusForbidden, Next: []Link{{Text: "web.next.start", Href: "/"}}}
		})
	}))
	return s.headers(guard.Handler(mux))
}

// local reports whether a path may be redirected to: on this site and nowhere else.
func local(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "/\\") && !strings.ContainsAny(path, "\r\n\t")
}

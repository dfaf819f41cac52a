// Package portal is the public site where people register as participants of the e-invoice system,
// sign in, and where a company's profile moves to its new head.
//
// [New] gives the whole site as a handler; what it decides lives in the participant package, what
// it looks like in the web package. Each page is one file: its handlers, and its template of the
// same name.
//
// It refuses with a page of its own for every cause: what was checked and failed, why it matters,
// what to do now. Without a proved key it tells nothing of any person or company; no GET changes
// anything that is kept of a registration, so a mail scanner that follows links does no harm.
package portal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"senim/internal/auth"
	"senim/internal/lang"
	"senim/internal/limit"
	"senim/internal/oidc"
	"senim/internal/participant"
	"senim/internal/passkey"
	"senim/internal/qr"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// Config says what the portal works with.
type Config struct {
	// Site gives the origin, the agent's sockets and the test mode; its Name is "portal" and its
	// Brand "portal.brand" when empty. The origin must be the one of Office.
	Site web.Site
	// Auth gives Store, Judge, Hash and limits of sign-in; Site and Origin are set here.
	Auth auth.Config
	// Office is where participants are known. Required.
	Office *participant.Office
	// Cabinet is the origin of the certification authority's cabinet, for links to it; empty
	// shows none.
	Cabinet string
	// Phone lets people sign on a phone by QR; nil: nobody may.
	Phone *qr.Desk
	// Services are the relying parties that may ask people to sign in here, and what is kept of them;
	// without a store there are none.
	Services oidc.Config
	// Registries tells how loads of the registries stand; nil: there is no such page, and no notice.
	Registries web.Registries
	// Consents asks people for the consent that a state register wants; nil: nobody can be asked.
	Consents web.Consents
	// Log takes what operators should see; nothing by default.
	Log *slog.Logger
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// site holds what the pages share. It is safe for concurrent use.
type site struct {
	shell   *web.Shell
	office  *participant.Office
	signIn  *auth.Desk // judges certificates
	proofs  *auth.Desk // proves possession only: the gate judges, and shows every check
	cabinet string
	secure  bool
	// services is the OpenID Connect provider; nil when there is none.
	services   *oidc.Provider
	registries web.Registries
	consents   web.Consents // nil: nobody can be asked
	// consentLooks bounds how often a state service is asked whether a consent is there.
	consentLooks *limit.Limiter
	passkeys     *passkey.Desk // nil where browsers have none
	idle         time.Duration // life of a session nobody uses
}

// New makes the site.
func New(c Config) (http.Handler, error) {
	if c.Office == nil {
		return nil, errors.New("make portal: no office of participants")
	}
	if c.Site.Name == "" {
		c.Site.Name = "portal"
	}
	if c.Site.Brand == "" {
		c.Site.Brand = "portal.brand"
	}
	c.Auth.Site, c.Auth.Origin = c.Site.Name, c.Site.Origin
	c.Auth.Challenges = true
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Auth.Now == nil {
		c.Auth.Now = c.Now
	}
	if c.Auth.Log == nil {
		c.Auth.Log = c.Log
	}
	if c.Auth.Judge == nil {
		return nil, errors.New("make portal: no judge of certificates")
	}
	signIn, err := auth.New(c.Auth)
	if err != nil {
		return nil, fmt.Errorf("make portal: %w", err)
	}
	services, err := provider(c, signIn)
	if err != nil {
		return nil, fmt.Errorf("make portal: %w", err)
	}
	c.Auth.Judge = possession{}
	proofs, err := auth.New(c.Auth)
	if err != nil {
		return nil, fmt.Errorf("make portal: %w", err)
	}
	shell, err := web.New(web.Config{Site: c.Site, Auth: signIn, Log: c.Log, Now: c.Now, Menu: menuWith(services), SignIn: "/login", SignOut: "/logout", Phone: c.Phone,
		Notice: func(r *web.Request) (web.Notice, error) { return web.LateNotice(r, c.Registries, statusPath) }})
	if err != nil {
		return nil, fmt.Errorf("make portal: %w", err)
	}
	origin, err := url.Parse(c.Site.Origin)
	if err != nil {
		return nil, fmt.Errorf("make portal: %w", err)
	}
	s := &site{shell: shell, office: c.Office, signIn: signIn, proofs: proofs, cabinet: c.Cabinet, secure: origin.Scheme == "https", services: services,
		registries: c.Registries, consents: c.Consents, consentLooks: limit.New(c.Now, limit.Rate{Acts: 30, In: time.Minute})}
	s.idle = signIn.Idle()
	if passkey.Possible(c.Site.Origin) {
		if s.passkeys, err = passkey.New(c.Site.Origin, lang.RU.Text(c.Site.Brand), c.Now); err != nil {
			return nil, fmt.Errorf("make portal: %w", err)
		}
	}
	return shell.Handler(s.routes()), nil
}

// possession lets every certificate pass, for desks that only prove who holds a key. What such a
// desk proves is never enough by itself: the gate judges the certificate next.
type possession struct{}

func (possession) Certificate(context.Context, *pki.Certificate, trust.Purpose) trust.Report {
	return trust.Report{{Name: "possession", Verdict: trust.Good}}
}

func (s *site) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, h := range map[string]web.Handler{
		"GET /{$}":                     s.start,
		"GET " + statusPath:            s.registryStatus,
		"GET /login":                   s.loginPage,
		"POST /login":                  s.loginKey,
		"GET /login/password":          s.passwordPage,
		"POST /login/password":         s.passwordGiven,
		"GET /login/profile":           s.profilePage,
		"POST /login/profile":          s.profileChosen,
		"GET /me":                      s.me,
		"GET /register":                s.categoryPage,
		"POST /register":               s.categoryChosen,
		"GET /register/confirm":        s.confirmPage,
		"POST /register/confirm":       s.confirmKey,
		"GET /register/{id}":           s.current,
		"GET /register/{id}/1":         s.certificatePage,
		"POST /register/{id}/1":        s.certificateGiven,
		"GET /register/{id}/2":         s.dataPage,
		"POST /register/{id}/2":        s.dataGiven,
		"GET /register/{id}/3":         s.agreementPage,
		"POST /register/{id}/3":        s.agreementSigned,
		"GET /register/{id}/4":         s.finishPage,
		"POST /register/{id}/4":        s.letterAgain,
		"GET /register/{id}/consent":   s.consentPage,
		"POST /register/{id}/consent":  s.consentAsked,
		"GET /esf-web/login/{rest...}": s.historical,
		"GET /esf-web/changeEmail":     s.historical,

		"POST /login/passkey":              s.passkeyGiven,
		"GET /login/expired":               s.expiredPage,
		"POST /login/expired":              s.expiredGiven,
		"GET /login/expired/sign":          s.expiredSign,
		"POST /login/expired/sign":         s.expiredSigned,
		"GET /me/passkeys":                 person(s.mePasskeys),
		"POST /me/passkeys":                person(s.mePasskeyNamed),
		"GET /me/passkeys/new":             person(s.mePasskeyAsk),
		"POST /me/passkeys/new":            person(s.mePasskeyMade),
		"GET /me/passkeys/sign":            person(s.mePasskeySign),
		"POST /me/passkeys/sign":           person(s.mePasskeySigned),
		"POST /me/passkeys/remove":         person(s.mePasskeyRemoved),
		"GET /login/recover":               s.recoverPage,
		"POST /login/recover":              s.recoverLink,
		"GET /login/change-email":          s.emailPage,
		"POST /login/change-email":         s.emailAsked,
		"GET /login/change-email/sign":     s.emailSignPage,
		"POST /login/change-email/sign":    s.emailSigned,
		"GET /login/change-email/sent":     s.emailSent,
		"GET /login/change-email/confirm":  s.emailConfirmPage,
		"POST /login/change-email/confirm": s.emailConfirmed,
		"GET /login/change-email/not-me":   s.notMePage,
		"POST /login/change-email/not-me":  s.notMe,
		"GET /login/reset-password":        s.resetPage,
		"POST /login/reset-password":       s.resetAsked,
		"GET /login/reset-password/sent":   s.resetSent,
		"GET /login/reset-password/set":    s.resetLinkPage,
		"POST /login/reset-password/set":   s.resetPassword,
		"GET /login/reset-password/sign":   s.resetSignPage,
		"POST /login/reset-password/sign":  s.resetSigned,
		"GET /login/reset-password/done":   s.resetDone,
		"GET /me/password":                 person(s.mePassword),
		"POST /me/password":                person(s.mePasswordGiven),
		"GET /me/password/sign":            person(s.mePasswordSign),
		"POST /me/password/sign":           person(s.mePasswordSigned),
		"GET /me/details":                  person(s.meDetails),
		"POST /me/details":                 person(s.meDetailsGiven),
		"GET /me/details/sign":             person(s.meDetailsSign),
		"POST /me/details/sign":            person(s.meDetailsSigned),
		"GET /me/entries":                  person(s.meEntries),
		"POST /me/sessions/end":            person(s.meEnd),

		"POST /register/{id}/cancel":         s.cancelled,
		"GET /me/agreements":                 person(s.myAgreements),
		"GET /me/agreements/{id}":            person(s.myAgreement),
		"GET /me/agreements/{id}/{part}":     person(s.agreementFile),
		"GET /me/acts":                       person(s.myActs),
		"GET /me/acts/{id}":                  person(s.myAct),
		"GET /me/acts/{id}/{part}":           person(s.actFile),
		"GET /me/agreements/sign/{profile}":  person(s.resignPage),
		"POST /me/agreements/sign/{profile}": person(s.resigned),
		"GET /me/proxy":                      person(s.myProxy),
		"GET /me/proxy/{part}":               person(s.myProxy),
		"GET /org/proxy/{profile}":           s.headed(s.userProxy),
		"GET /org/proxy/{profile}/{part}":    s.headed(s.userProxy),

		"GET /org/users":              s.headed(s.orgPage),
		"GET /org/users/sign":         s.headed(s.orgSignPage),
		"POST /org/users/sign":        s.headed(s.orgSigned),
		"POST /org/users/withdraw":    s.headed(s.inviteWithdrawn),
		"GET /org/users/invite":       s.headed(s.invitePage),
		"POST /org/users/invite":      s.headed(s.inviteGiven),
		"GET /org/users/invite/{id}":  s.headed(s.inviteSignPage),
		"POST /org/users/invite/{id}": s.headed(s.inviteSigned),
		"GET /invite":                 s.invitedPage,
		"POST /invite":                s.invitedKey,
		"GET /invite/accept":          person(s.acceptPage),
		"POST /invite/accept":         person(s.accepted),
	} {
		s.shell.Handle(mux, pattern, s.answered(s.guarded(h)))
	}
	s.serveServices(mux)
	return mux
}

// menu is the header's links: what one can do now.
func menu(r *web.Request) []web.Link {
	at := func(key, path string) web.Link {
		return web.Link{Text: r.T(key), Href: path, Current: r.URL.Path == path}
	}
	if r.Session().SignedIn() {
		links := []web.Link{at("portal.menu.me", "/me"), at("portal.menu.profile", "/login/profile"), at("portal.menu.register", "/register")}
		if participant.ProfileType(r.Value(profileType)).Heads() {
			links = append(links, at("invite.users.title", "/org/users"))
		}
		return links
	}
	return []web.Link{at("portal.menu.login", "/login"), at("portal.menu.register", "/register")}
}

// historical leads the addresses of the original system to the new ones. What stood behind its '#'
// (change-email, reset-password) is not sent by browsers: one page offers sign-in and recovery.
func (s *site) historical(w http.ResponseWriter, r *web.Request) error {
	if r.URL.Path == "/esf-web/changeEmail" {
		return r.Redirect("/login/recover")
	}
	return r.OK(w, historicalView(r))
}

// Relying-party is a whole service that signs people in with ЭЦП, through a portal of Senim: the few
// lines every service needs, with two well-known libraries and nothing of Senim's.
//
//	go run ./examples/relying-party -issuer http://localhost:8081
//
// It refuses an answer that is not to its own question: state and nonce are this browser's, the code
// is useless without the verifier, and the ID token is signed by the issuer for this client.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintln(os.Stderr, "relying-party:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("relying-party", flag.ContinueOnError)
	issuer := f.String("issuer", "http://localhost:8081", "the portal")
	id := f.String("client", "example", "our client_id there")
	secret := f.String("secret-file", "", "file with our secret (default: none, a public client)")
	at := f.String("listen", "127.0.0.1:8085", "where to listen")
	scopes := f.String("scopes", "openid profile email iin organization certificate", "what to ask for")
	if err := f.Parse(args); err != nil {
		return err
	}
	var password []byte
	if *secret != "" {
		var err error
		if password, err = os.ReadFile(*secret); err != nil {
			return err
		}
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *at)
	if err != nil {
		return err
	}
	own := "http://" + ln.Addr().String()
	provider, err := oidc.NewProvider(ctx, *issuer) // reads the portal's addresses and keys
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	p := &party{own: own, waiting: map[string]question{}, people: map[string]person{}, provider: provider,
		verifier: provider.Verifier(&oidc.Config{ClientID: *id}),
		config: oauth2.Config{ClientID: *id, ClientSecret: strings.TrimSpace(string(password)), Endpoint: provider.Endpoint(),
			RedirectURL: own + "/callback", Scopes: strings.Fields(*scopes)}}
	server := &http.Server{Handler: p.pages(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close() // the last answers of an example may be lost
	}()
	_, _ = fmt.Fprintf(out, "open %s\n", own)
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// question is what we asked the portal for one browser; person who signed in there.
type (
	question struct {
		nonce, verifier string
		asked           time.Time
	}
	person struct {
		IDToken string
		Level   string
		Facts   string
	}
)

// party keeps everything in memory: a real service has its own sessions.
type party struct {
	own      string
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	config   oauth2.Config

	mu      sync.Mutex
	waiting map[string]question // by state, under mu
	people  map[string]person   // by session, under mu
}

func (p *party) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.start)
	mux.HandleFunc("GET /login", p.login)
	mux.HandleFunc("GET /callback", p.callback)
	mux.HandleFunc("POST /logout", p.logout)
	return http.NewCrossOriginProtection().Handler(mux)
}

var page = template.Must(template.New("").Parse(`<!DOCTYPE html><html lang="ru"><meta charset="utf-8"><title>Сервис-пример</title><h1>Сервис-пример</h1>
{{if .Facts}}<p>Вы вошли: {{.Level}}</p><pre>{{.Facts}}</pre><form method="post" action="/logout"><button>Выйти</button></form>
{{else}}<p><a href="/login">Войти по ЭЦП</a></p><p><a href="/login?level=certificate">Войти только по ЭЦП, без учётной записи</a></p>{{end}}`))

func (p *party) start(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	who := p.people[cookie(r, "session")]
	p.mu.Unlock()
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	_ = page.Execute(w, who) // a browser that went away is no error
}

// login sends the browser to the portal, with a question that only this browser can have answered.
func (p *party) login(w http.ResponseWriter, r *http.Request) {
	state, q := rand.Text(), question{nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), asked: time.Now()}
	p.mu.Lock()
	for old, one := range p.waiting {
		if time.Since(one.asked) > time.Hour {
			delete(p.waiting, old)
		}
	}
	p.waiting[state] = q
	p.mu.Unlock()
	remember(w, "state", state)
	options := []oauth2.AuthCodeOption{oidc.Nonce(q.nonce), oauth2.S256ChallengeOption(q.verifier)}
	if r.URL.Query().Get("level") == "certificate" {
		options = append(options, oauth2.SetAuthURLParam("acr_values", "urn:senim:acr:certificate"))
	}
	http.Redirect(w, r, p.config.AuthCodeURL(state, options...), http.StatusSeeOther)
}

// callback takes the portal's answer.
func (p *party) callback(w http.ResponseWriter, r *http.Request) {
	state := r.URL.Query().Get("state")
	p.mu.Lock()
	q, asked := p.waiting[state]
	delete(p.waiting, state)
	p.mu.Unlock()
	if !asked || state != cookie(r, "state") {
		http.Error(w, "This answer is to no question of this browser.", http.StatusBadRequest)
		return
	}
	if why := r.URL.Query().Get("error"); why != "" {
		http.Error(w, "Not signed in: "+why, http.StatusForbidden)
		return
	}
	who, err := p.who(r.Context(), r.URL.Query().Get("code"), q)
	if err != nil {
		http.Error(w, "Not signed in: the answer could not be verified.", http.StatusBadGateway)
		return
	}
	session := rand.Text()
	p.mu.Lock()
	p.people[session] = who
	p.mu.Unlock()
	remember(w, "session", session)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// who exchanges the code and reads who it is.
func (p *party) who(ctx context.Context, code string, q question) (person, error) {
	token, err := p.config.Exchange(ctx, code, oauth2.VerifierOption(q.verifier))
	if err != nil {
		return person{}, err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return person{}, err
	}
	var said struct {
		ACR string `json:"acr"`
	}
	if err := id.Claims(&said); err != nil {
		return person{}, err
	}
	if id.Nonce != q.nonce {
		return person{}, errors.New("the ID token is for another question")
	}
	info, err := p.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return person{}, err
	}
	var facts map[string]any
	if err := info.Claims(&facts); err != nil {
		return person{}, err
	}
	if info.Subject != id.Subject {
		return person{}, errors.New("facts of somebody else")
	}
	text, err := json.MarshalIndent(facts, "", "  ")
	return person{IDToken: raw, Level: said.ACR, Facts: string(text)}, err
}

// logout ends our session, and lets the portal ask whether to end its own.
func (p *party) logout(w http.ResponseWriter, r *http.Request) {
	session := cookie(r, "session")
	p.mu.Lock()
	who := p.people[session]
	delete(p.people, session)
	p.mu.Unlock()
	var more struct {
		End string `json:"end_session_endpoint"`
	}
	if err := p.provider.Claims(&more); err != nil || more.End == "" || who.IDToken == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, more.End+"?"+url.Values{"id_token_hint": {who.IDToken}, "post_logout_redirect_uri": {p.own + "/"}}.Encode(), http.StatusSeeOther)
}

// remember sets a cookie; a real service, on https, sets Secure too and names it __Host-.
func remember(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: "example-" + name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}) //nolint:gosec // loopback has no https
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie("example-" + name)
	if err != nil {
		return ""
	}
	return c.Value
}

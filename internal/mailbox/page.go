package mailbox

import (
	"encoding/json"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"senim/internal/lang"
	"senim/internal/notice"
)

// Handler shows the letters. It answers only guests of this machine who came by one of its own
// names, so that a page elsewhere cannot read letters through a name of its own (DNS rebinding).
func (b *Mailbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", b.list)
	mux.HandleFunc("GET /letters/{id}", b.one)
	mux.HandleFunc("GET /letters.json", b.json)
	mux.HandleFunc("GET /sms", b.listTexts)
	mux.HandleFunc("GET /sms.json", b.jsonTexts)
	mux.HandleFunc("GET /mailbox.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write([]byte(style))
	})
	b.clockRoutes(mux)
	forms := "'none'"
	if b.clock != nil {
		forms = "'self'"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action "+forms+"; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if !ours(r) {
			http.Error(w, "this machine only", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func ours(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}

// top is what stands above every page: where one can go, and the languages.
type top struct {
	Tag   lang.Tag
	Clock bool // there is one to move
	r     *http.Request
}

// langCookie is the cookie of our sites. Cookies of one host go to all its ports: a language chosen in the cabinet of a
// demonstration is that of its mail box too.
const langCookie = "senim-lang"

// top takes the language of ?lang= (and remembers it), of the cookie, or the browser's wish.
func (b *Mailbox) top(w http.ResponseWriter, r *http.Request) top {
	t := top{Tag: lang.Accept(r.Header.Get("Accept-Language")), Clock: b.clock != nil, r: r}
	if c, err := r.Cookie(langCookie); err == nil {
		if chosen, ok := lang.Parse(c.Value); ok {
			t.Tag = chosen
		}
	}
	if chosen, ok := lang.Parse(r.URL.Query().Get("lang")); ok {
		t.Tag = chosen
		http.SetCookie(w, &http.Cookie{Name: langCookie, Value: string(chosen), Path: "/", MaxAge: 365 * 24 * 3600, //nolint:gosec // plain http on this machine
			HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	return t
}

// Text gives a text of the catalogue by its whole key.
func (t top) Text(key string) string { return t.Tag.Text(key) }

// Languages are those one can choose.
func (top) Languages() []lang.Tag { return lang.All() }

// In is the address of this page in another language.
func (t top) In(tag lang.Tag) string {
	q := t.r.URL.Query()
	q.Set("lang", string(tag))
	return t.r.URL.Path + "?" + q.Encode()
}

// Here says whether this page has the address.
func (t top) Here(path string) bool { return t.r.URL.Path == path }

// page is what the template shows: a list, or one letter.
type page struct {
	top
	To      string
	Letters []Letter
	Letter  *Letter
	Words   []notice.Run
	SMS     bool // the list of short messages
	Texts   []SMS
}

// T gives a text of the catalogue.
func (p page) T(key string, vars ...any) string { return p.Tag.Text("mailbox."+key, vars...) }

// At writes when something came.
func (p page) At(t time.Time) string { return p.Tag.DateTime(t) }

func (b *Mailbox) list(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	show(w, page{top: b.top(w, r), To: to, Letters: b.Letters(to)})
}

func (b *Mailbox) one(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	for _, l := range b.Letters("") {
		if l.ID == id {
			show(w, page{top: b.top(w, r), Letter: &l, Words: notice.Runs(l.Text)})
			return
		}
	}
	http.NotFound(w, r)
}

func (b *Mailbox) json(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(b.Letters(r.URL.Query().Get("to"))) // a guest that left
}

func show(w http.ResponseWriter, p page) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = pages.Execute(w, p) // a guest that left
}

// topText is the template of [top].
const topText = `{{define "top"}}{{$t := .}}<header><nav>{{if .Here "/"}}<a href="/" aria-current="page">{{else}}<a href="/">{{end}}{{.Text "mailbox.title"}}</a>
{{if .Here "/sms"}}<a href="/sms" aria-current="page">{{else}}<a href="/sms">{{end}}SMS</a>
{{if .Clock}}{{if .Here "/clock"}}<a href="/clock" aria-current="page">{{else}}<a href="/clock">{{end}}{{.Text "calendar.clock.title"}}</a>{{end}}</nav>
<nav class="languages" aria-label="{{.Text "web.language"}}">{{range .Languages}}{{if eq . $t.Tag}}<span aria-current="true" lang="{{.}}">{{.Name}}</span>{{else}}<a href="{{$t.In .}}" lang="{{.}}" hreflang="{{.}}">{{.Name}}</a>{{end}} {{end}}</nav></header>{{end}}`

var pages = template.Must(template.Must(template.New("mailbox").Parse(topText)).Parse(`<!DOCTYPE html>
<html lang="{{.Tag}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{with .Letter}}{{.Subject}} — {{end}}{{if .SMS}}SMS — {{end}}{{.T "title"}}</title><link rel="stylesheet" href="/mailbox.css">
{{if not .Letter}}<meta http-equiv="refresh" content="5">{{end}}</head>
<body>{{template "top" .}}<main><p class="note">{{.T "note"}}</p>
{{$p := .}}{{with .Letter}}<p><a href="/">← {{$p.T "back"}}</a></p>
<article><h1>{{.Subject}}</h1>
<dl><dt>{{$p.T "to"}}</dt><dd>{{range .To}}{{.}} {{end}}</dd><dt>{{$p.T "from"}}</dt><dd>{{.From}}</dd><dt>{{$p.T "time"}}</dt><dd>{{$p.At .Time}}</dd></dl>
<pre>{{range $p.Words}}{{if .Link}}<a href="{{.Link}}">{{.Text}}</a>{{else}}{{.Text}}{{end}}{{end}}</pre></article>
{{else}}{{if .SMS}}<h1>SMS{{with .To}}: {{.}}{{end}}</h1>
{{if .Texts}}<ul>{{range .Texts}}<li>{{.Text}}<p>{{.To}} · <time>{{$p.At .Time}}</time></p></li>
{{end}}</ul>{{else}}<p>{{.T "no_sms"}}</p>{{end}}{{else}}<h1>{{if .To}}{{.T "for" "to" .To}}{{else}}{{.T "all"}}{{end}}</h1>
{{if .Letters}}<ul>{{range .Letters}}<li><a href="/letters/{{.ID}}">{{.Subject}}</a><p>{{range .To}}{{.}} {{end}}· <time>{{$p.At .Time}}</time></p></li>
{{end}}</ul>{{else}}<p>{{.T "empty"}}</p>{{end}}{{end}}{{end}}</main></body></html>
`))

const style = `:root{color-scheme:light dark;--line:#b1b4b6;--ink:#0b0c0c;--soft:#505a5f;--link:#0b5d66;--back:#fff}
@media(prefers-color-scheme:dark){:root{--line:#3d4447;--ink:#f3f2f1;--soft:#b1b4b6;--link:#7cc6cd;--back:#16191a}}
body{margin:0;font:18px/1.5 system-ui,Arial,sans-serif;color:var(--ink);background:var(--back)}
header{display:flex;gap:.25em 1em;flex-wrap:wrap;justify-content:space-between;padding:.5em 1em;border-bottom:4px solid #0b5d66}
nav{display:flex;gap:0 1em;flex-wrap:wrap;align-items:center}nav a,nav span{display:inline-block;padding:.4em .2em;font-weight:700;color:inherit}
nav a{text-decoration:none}nav a:hover,nav a[aria-current]{text-decoration:underline;text-underline-offset:.3em}
.languages{gap:0 .6em;font-size:.9em}.languages a,.languages span{font-weight:400}.languages span{font-weight:700}
.note{margin-top:0;color:var(--soft);font-size:.85em}
.steps{display:flex;gap:.75em;flex-wrap:wrap}.steps button{font:inherit;font-weight:600;min-height:2.6em;padding:.4em 1em;border:0;border-radius:2px;color:#fff;background:#0b5d66;cursor:pointer}
.steps button:hover{background:#084a51}.steps button:focus{outline:3px solid #fd0;outline-offset:2px}
main{max-width:46em;margin:0 auto;padding:1em}a{color:var(--link)}a:focus{outline:3px solid #fd0;outline-offset:2px}
h1{font-size:1.5em;line-height:1.25}ul{list-style:none;padding:0}li{border-bottom:1px solid var(--line);padding:.75em 0}
li a{font-weight:600}li p{margin:.2em 0 0;color:var(--soft);font-size:.85em}
dl{display:grid;grid-template-columns:auto 1fr;gap:.2em 1em;color:var(--soft);font-size:.9em}dt{font-weight:600}dd{margin:0}
pre{font:inherit;white-space:pre-wrap;overflow-wrap:anywhere;border-top:1px solid var(--line);padding-top:1em}
`

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

// page is what the template shows: a list, or one letter.
type page struct {
	Tag     lang.Tag
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
	show(w, page{Tag: lang.Accept(r.Header.Get("Accept-Language")), To: to, Letters: b.Letters(to)})
}

func (b *Mailbox) one(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	for _, l := range b.Letters("") {
		if l.ID == id {
			show(w, page{Tag: lang.Accept(r.Header.Get("Accept-Language")), Letter: &l, Words: notice.Runs(l.Text)})
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

var pages = template.Must(template.New("mailbox").Parse(`<!DOCTYPE html>
<html lang="{{.Tag}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{with .Letter}}{{.Subject}} — {{end}}{{if .SMS}}SMS — {{end}}{{.T "title"}}</title><link rel="stylesheet" href="/mailbox.css">
{{if not .Letter}}<meta http-equiv="refresh" content="5">{{end}}</head>
<body><header><a href="/">{{.T "title"}}</a><a href="/sms">SMS</a><span>{{.T "note"}}</span></header><main>
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
header{display:flex;gap:1em;flex-wrap:wrap;align-items:baseline;padding:.75em 1em;border-bottom:4px solid #0b5d66}
header a{font-weight:700;color:inherit;text-decoration:none}header span{color:var(--soft);font-size:.85em}
main{max-width:46em;margin:0 auto;padding:1em}a{color:var(--link)}a:focus{outline:3px solid #fd0;outline-offset:2px}
h1{font-size:1.5em;line-height:1.25}ul{list-style:none;padding:0}li{border-bottom:1px solid var(--line);padding:.75em 0}
li a{font-weight:600}li p{margin:.2em 0 0;color:var(--soft);font-size:.85em}
dl{display:grid;grid-template-columns:auto 1fr;gap:.2em 1em;color:var(--soft);font-size:.9em}dt{font-weight:600}dd{margin:0}
pre{font:inherit;white-space:pre-wrap;overflow-wrap:anywhere;border-top:1px solid var(--line);padding-top:1em}
`

package mailbox

import (
	"context"
	"html/template"
	"net/http"
	"strconv"
	"time"
)

// Clock is a clock that a person may move forward, with everything that follows from it.
type Clock interface {
	Now() time.Time
	// Walk moves the clock, step by step, until a moment; with letter only until one came. It returns when
	// everything that came due was done.
	Walk(ctx context.Context, until time.Time, letter bool) error
}

// Walk gives the mailbox's pages a clock to move at "/clock". Call it before [Mailbox.Handler].
func (b *Mailbox) Walk(c Clock) { b.clock = c }

// nextLetter bounds how far one looks for the next letter.
const nextLetter = 400 * 24 * time.Hour

// clockRoutes adds the page. Other sites' pages cannot post to it.
func (b *Mailbox) clockRoutes(mux *http.ServeMux) {
	if b.clock == nil {
		return
	}
	mux.HandleFunc("GET /clock", b.showClock)
	mux.Handle("POST /clock", http.NewCrossOriginProtection().Handler(http.HandlerFunc(b.moveClock)))
}

// clockPage is what the template shows.
type clockPage struct {
	top
	Time    string
	Steps   []string
	Moved   bool
	Letters []Letter
}

// T gives a text of the catalogue.
func (p clockPage) T(key string) string { return p.Tag.Text("calendar.clock." + key) }

// At writes when a letter came.
func (p clockPage) At(l Letter) string { return p.Tag.DateTime(l.Time) }

func (b *Mailbox) showClock(w http.ResponseWriter, r *http.Request) {
	p := clockPage{top: b.top(w, r), Steps: []string{"day", "week", "month", "letter"}}
	p.Time = p.Tag.DateTime(b.clock.Now())
	if after, err := strconv.Atoi(r.URL.Query().Get("after")); err == nil {
		p.Moved = true
		for _, l := range b.Letters("") {
			if l.ID > after {
				p.Letters = append(p.Letters, l)
			}
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = clockPages.Execute(w, p) // a guest that left
}

func (b *Mailbox) moveClock(w http.ResponseWriter, r *http.Request) {
	now := b.clock.Now()
	after := 0
	if all := b.Letters(""); len(all) > 0 {
		after = all[0].ID
	}
	step := r.PostFormValue("step")
	until, ok := map[string]time.Time{"day": now.AddDate(0, 0, 1), "week": now.AddDate(0, 0, 7), "month": now.AddDate(0, 1, 0), "letter": now.Add(nextLetter)}[step]
	if !ok {
		http.Error(w, "no such step", http.StatusBadRequest)
		return
	}
	if err := b.clock.Walk(r.Context(), until, step == "letter"); err != nil {
		http.Error(w, "the clock stopped: "+err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, "/clock?after="+strconv.Itoa(after), http.StatusSeeOther)
}

var clockPages = template.Must(template.Must(template.New("clock").Parse(topText)).Parse(`<!DOCTYPE html>
<html lang="{{.Tag}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.T "title"}}</title><link rel="stylesheet" href="/mailbox.css"></head>
<body>{{template "top" .}}<main><p class="note">{{.T "note"}}</p>
<h1>{{.T "title"}}: <time>{{.Time}}</time></h1>
{{$p := .}}<form method="post" action="/clock" class="steps">{{range .Steps}}<button name="step" value="{{.}}">{{$p.T .}}</button>
{{end}}</form>{{if .Moved}}<h2>{{.T "came"}}</h2>
{{if .Letters}}<ul>{{range .Letters}}<li><a href="/letters/{{.ID}}">{{.Subject}}</a><p>{{range .To}}{{.}} {{end}}· <time>{{$p.At .}}</time></p></li>
{{end}}</ul>{{else}}<p>{{.T "none"}}</p>{{end}}{{end}}</main></body></html>
`))

package agent

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"senim/internal/keystore"
)

//go:embed assets
var assets embed.FS

// maxBody bounds a request of the page.
const maxBody = 64 << 10

func (w *window) answer(rw http.ResponseWriter, r *http.Request) {
	if !w.admit(rw, r) {
		return
	}
	if r.Method == http.MethodGet {
		asset(rw, r, "window")
		return
	}
	w.call(rw, r)
}

// asset answers with a file of a page of the agent's own: the page itself, its script, its style, or
// what all pages share.
func asset(rw http.ResponseWriter, r *http.Request, page string) {
	name, kind := strings.TrimPrefix(r.URL.Path, "/"), ""
	switch name {
	case "":
		name, kind = page+".html", "text/html; charset=utf-8"
	case page + ".css", "common.css":
		kind = "text/css; charset=utf-8"
	case "icon.svg":
		kind = "image/svg+xml"
	case page + ".js", "common.js":
		kind = "text/javascript; charset=utf-8"
	}
	content, err := assets.ReadFile("assets/" + name)
	if kind == "" || err != nil {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", kind)
	_, _ = rw.Write(content) //nolint:gosec // one of our own files
}

// call answers one POST of the page.
func (w *window) call(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxBody))
	defer func() { clear(body) }() // it may hold a password
	if err != nil {
		reply(rw, http.StatusRequestEntityTooLarge, problem(&Problem{Code: "too_large", Text: "too large"}))
		return
	}
	switch {
	case w.over():
		w.gone(rw, w.holds(r))
		return
	case r.URL.Path == "/open":
		w.begin(rw, body, w.lang, func() { w.finish(outcome{}) }, func() any {
			w.turn.Lock()
			defer w.turn.Unlock()
			return w.view()
		})
		return
	case !w.holds(r):
		reply(rw, http.StatusForbidden, problem(&Problem{Code: "no_key", Text: "not this window"}))
		return
	case r.URL.Path == "/alive": // the page asks by itself; the person did nothing
		changed := false
		if w.turn.TryLock() {
			changed = w.changed()
			w.turn.Unlock()
		}
		reply(rw, http.StatusOK, struct {
			Changed bool `json:"changed,omitempty"`
		}{changed})
		return
	}
	w.touched()
	if r.URL.Path == "/cancel" {
		w.cancel(rw, body)
		return
	}
	w.turn.Lock()
	defer w.turn.Unlock()
	if w.over() { // while it waited
		w.gone(rw, true)
		return
	}
	w.inTurn(rw, r, body)
}

// inTurn answers what has to wait for what is done now.
func (w *window) inTurn(rw http.ResponseWriter, r *http.Request, body []byte) {
	switch r.URL.Path {
	case "/look":
		reply(rw, http.StatusOK, struct {
			View View `json:"view"`
		}{w.view()})
	case "/unlock":
		w.unlock(w.ctx, rw, body)
	case "/watch":
		w.addFolder(rw, body)
	case "/forget":
		w.forgetPassword(rw, body)
	case "/decide":
		w.decide(w.ctx, rw, body)
	case "/chooser":
		w.goTo(rw, body)
	default:
		http.NotFound(rw, r)
	}
}

func (w *window) unlock(ctx context.Context, rw http.ResponseWriter, body []byte) {
	var in unlocking
	if !read(rw, body, &in) {
		return
	}
	f, ok := w.file(in.ID)
	if !ok {
		w.problem(rw, "no_such_key", "")
		return
	}
	if w.pulled[f.ID] {
		w.problem(rw, "token_gone", "")
		return
	}
	key, err := w.openFile(f, &in)
	code, field := pinProblem(err)
	if t, ok := w.task.(interface{ tried(err error) }); ok && f.Certificate() != nil && (code != "" || err == nil) && !errors.Is(err, keystore.ErrNoPIN) {
		t.tried(err)
	}
	switch {
	case code != "" && f.Certificate() != nil:
		w.problem(rw, code, field)
	case errors.Is(err, keystore.ErrPassword):
		w.problem(rw, passwordProblem(in.Password), "password")
	case errors.Is(err, keystore.ErrNoSecret), errors.Is(err, keystore.ErrNoKeychain):
		w.problem(rw, "no_keychain", "password")
	case errors.Is(err, keystore.ErrToken):
		w.agent.log.Warn("a token was not opened", "err", err)
		w.problem(rw, "token_failed", "")
	case err != nil:
		w.problem(rw, "unreadable_key", "")
	default:
		if before := w.opened[f.ID]; before != nil {
			_ = before.Close() // opened twice: the second one counts
		}
		w.opened[f.ID] = key
		w.agent.learn(w.files, f, key)
		w.agent.ask(ctx, key.Certificate)
		if w.over() { // meanwhile
			w.gone(rw, true)
			return
		}
		if in.Brief {
			reply(rw, http.StatusOK, struct {
				Row KeyRow `json:"row"`
			}{w.row(f)})
			return
		}
		reply(rw, http.StatusOK, struct {
			View View `json:"view"`
		}{w.view()})
	}
}

// problem answers that the person can try again.
func (w *window) problem(rw http.ResponseWriter, code, field string) {
	reply(rw, http.StatusUnprocessableEntity, problem(&Problem{code, field, w.lang.Text("agent.problem." + code)}))
}

// ending is the answer to the act that ended the window.
type ending struct {
	Done   bool   `json:"done"`
	Failed bool   `json:"failed,omitempty"`
	Text   string `json:"text"`
	At     int    `json:"at,omitempty"` // steps done, when more are to come
	Of     int    `json:"of,omitempty"`
}

func (w *window) decide(ctx context.Context, rw http.ResponseWriter, body []byte) {
	var d Decision
	if !read(rw, body, &d) {
		return
	}
	out, p := w.carryOut(ctx, d)
	if w.over() {
		w.gone(rw, true)
		return
	}
	if p != nil {
		if p.Text == "" {
			p.Text = w.lang.Text("agent.problem." + p.Code)
		}
		reply(rw, http.StatusUnprocessableEntity, problem(p))
		return
	}
	if out.at < out.of {
		reply(rw, http.StatusOK, ending{At: out.at, Of: out.of})
		return
	}
	if !w.finish(out) {
		w.gone(rw, true)
		return
	}
	e := ending{Done: true}
	if own, ok := w.task.(teller); ok {
		e.Text = own.said(w.lang)
	} else {
		e.Text = w.lang.Text("agent.done." + w.task.kind())
	}
	if out.err != nil {
		e.Failed, e.Text = true, w.lang.Text("agent.done.failed", "why", why(out.err, w.lang))
		if k := w.task.kind(); errors.Is(out.err, errLed) {
			e.Failed, e.Text = false, w.lang.Text("agent.done.notice")
		} else if k == "refused" || k == "notice" {
			e.Failed, e.Text = false, w.lang.Text("agent.done.refused")
		}
	}
	reply(rw, http.StatusOK, e)
}

// carryOut has the task decide; meanwhile the window is busy.
func (w *window) carryOut(ctx context.Context, d Decision) (outcome, *Problem) {
	defer w.begins()()
	return w.task.decide(ctx, w, d)
}

func (w *window) cancel(rw http.ResponseWriter, body []byte) {
	var in struct {
		Block bool `json:"block"`
	}
	if !read(rw, body, &in) {
		return
	}
	if in.Block && !w.site.own() {
		w.agent.block(w.site)
	}
	text := "agent.done.canceled"
	if w.task.kind() == "notice" { // there was nothing to cancel
		text = "agent.done.notice"
	}
	if w.busy() && !undone(w.task) {
		text = "agent.done.canceled-begun"
	}
	if !w.finish(outcome{}) {
		w.gone(rw, true)
		return
	}
	reply(rw, http.StatusOK, ending{Done: true, Text: w.lang.Text(text)})
}

// undone tells whether nothing is left of an act that was cancelled while it was carried out: of a signature that goes
// to nobody, not of files being written or of what was sent.
func undone(t task) bool {
	switch t.(type) {
	case *signing, *fewKeys, filing, *signingMany, *stamping:
		return true
	}
	return false
}

func read(rw http.ResponseWriter, body []byte, into any) bool {
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(into); err != nil {
		reply(rw, http.StatusBadRequest, problem(&Problem{Code: "bad_request", Text: "not understood"}))
		return false
	}
	return true
}

func problem(p *Problem) any {
	return struct {
		Error *Problem `json:"error"`
	}{p}
}

func reply(rw http.ResponseWriter, status int, v any) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(v)
}

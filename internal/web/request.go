package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"senim/internal/auth"
	"senim/internal/lang"
)

// Request is a request to a page, with the reader's language and session.
type Request struct {
	*http.Request
	shell   *Shell
	w       http.ResponseWriter
	tag     lang.Tag
	sid     string
	session auth.Session
	form    map[string]string
	ended   *auth.Closed // why the session of this browser's cookie is over
}

// Lang is the language of the page.
func (r *Request) Lang() lang.Tag { return r.tag }

// T gives a text of the catalogue in the reader's language; see [lang.Tag.Text].
func (r *Request) T(key string, vars ...any) string { return r.tag.Text(key, vars...) }

// Date and DateTime write moments as people here do.
func (r *Request) Date(t time.Time) string { return r.tag.Date(t) }

// DateTime writes a moment with the time zone said.
func (r *Request) DateTime(t time.Time) string { return r.tag.DateTime(t) }

// Now is the shell's clock.
func (r *Request) Now() time.Time { return r.shell.c.Now() }

// Site gives the site's names and addresses.
func (r *Request) Site() Site { return r.shell.c.Site }

// Session is who is signed in; the zero Session when nobody is.
func (r *Request) Session() auth.Session { return r.session }

// SID is the id of this browser's session or pre-session; empty when it has none yet.
func (r *Request) SID() string { return r.sid }

// Field gives a field of a posted form without surrounding space.
func (r *Request) Field(name string) string {
	if v, ok := r.form[name]; ok {
		return v
	}
	return strings.TrimSpace(r.PostFormValue(name))
}

// Keep gives every page of this answer another value of a field; used to show what was typed before.
func (r *Request) Keep(name, value string) {
	if r.form == nil {
		r.form = map[string]string{}
	}
	r.form[name] = value
}

// Begin makes sure that this browser has a session and returns its id. Call it before rendering.
func (r *Request) Begin() (sid string, err error) {
	if r.sid != "" {
		return r.sid, nil
	}
	sid, err = r.shell.c.Auth.Begin(r.Context())
	if err != nil {
		return "", err
	}
	r.setSID(sid)
	return sid, nil
}

// Ask opens a challenge for a purpose in this browser's session, beginning one when there is none.
func (r *Request) Ask(purpose, digest string) (auth.Challenge, error) {
	if r.Method != http.MethodPost { // a post was counted already
		if err := r.limit(true); err != nil {
			return auth.Challenge{}, err
		}
	}
	if r.sid != "" {
		return r.shell.c.Auth.From(r.Network()).Ask(r.Context(), r.sid, purpose, digest)
	}
	sid, c, err := r.shell.c.Auth.From(r.Network()).BeginAsking(r.Context(), purpose, digest)
	if err != nil {
		return auth.Challenge{}, err
	}
	r.setSID(sid)
	return c, nil
}

// Bind opens the challenge under which a document is signed on the page that is shown, and gives the document with it.
func (r *Request) Bind(purpose, document string) (string, error) {
	c, err := r.askAbout(purpose, document)
	if err != nil {
		return "", err
	}
	return c.In(document), nil
}

func (r *Request) askAbout(purpose, document string) (auth.Challenge, error) {
	if r.Method != http.MethodPost {
		if err := r.limit(true); err != nil {
			return auth.Challenge{}, err
		}
	}
	sid, err := r.Begin()
	if err != nil {
		return auth.Challenge{}, err
	}
	return r.shell.c.Auth.AskAbout(r.Context(), sid, purpose, document)
}

// TakeChallenge takes the challenge under which what comes now was signed: once, within its time, of this browser. Without one the
// reader is sent to retry.
func (r *Request) TakeChallenge(purpose, retry string) (auth.Challenge, error) {
	c, err := r.shell.c.Auth.TakeChallenge(r.Context(), r.sid, purpose)
	if err != nil {
		return auth.Challenge{}, RefusalOf(err, retry)
	}
	return c, nil
}

// signedValue is the value of a session that says when its person signed in; it stays when the session
// gets a new id.
const signedValue = "signed"

// SignedAt is when the person of the session signed in; the zero time when nobody has.
func (r *Request) SignedAt() time.Time {
	t, err := time.Parse(time.RFC3339Nano, r.Value(signedValue))
	if err != nil || !r.session.SignedIn() {
		return time.Time{}
	}
	return t
}

// SignOut ends this browser's session on the server, records it, and forgets the cookie.
func (r *Request) SignOut() error {
	if r.sid != "" {
		if err := r.shell.c.Auth.SignOut(r.Context(), r.sid); err != nil {
			return err
		}
	}
	r.shell.setCookie(r.w, r.shell.cookie, "", -1)
	r.sid, r.session = "", auth.Session{}
	return nil
}

// SignIn turns this browser's session into the session of a person, under a new id.
func (r *Request) SignIn(s auth.Session) error {
	values := map[string]string{}
	if s.SignedIn() {
		signed := r.SignedAt()
		if signed.IsZero() {
			signed = r.Now()
		}
		values[signedValue] = signed.UTC().Format(time.RFC3339Nano)
	}
	if s.Values[certificateValue] == "" { // the same certificate, and when it was last looked at
		values[certificateValue], values[checkedValue] = r.Value(certificateValue), r.Value(checkedValue)
	} else {
		values[checkedValue] = r.Now().UTC().Format(time.RFC3339)
	}
	maps.Copy(values, s.Values)
	maps.DeleteFunc(values, func(_, v string) bool { return v == "" })
	s.Values = values
	sid, err := r.shell.c.Auth.Elevate(r.Context(), r.sid, s)
	if err != nil {
		return err
	}
	s.ID = sid
	r.session = s
	r.setSID(sid)
	return nil
}

// SetCookie sends a cookie along with whatever is answered. Call it before rendering.
func (r *Request) SetCookie(c *http.Cookie) { http.SetCookie(r.w, c) }

// EndSession ends this browser's session on the server, for a reason that the caller has recorded; the rest of the
// request goes on as nobody's.
func (r *Request) EndSession(why auth.Reason) error {
	if r.sid == "" {
		return nil
	}
	if err := r.shell.c.Auth.End(r.Context(), r.sid, why); err != nil {
		return err
	}
	r.ended = &auth.Closed{Reason: why, At: r.Now()}
	r.sid, r.session = "", auth.Session{}
	r.shell.setCookie(r.w, r.shell.cookie, "", -1)
	return nil
}

// Set keeps values in this browser's session, beginning one when there is none.
func (r *Request) Set(values map[string]string) error {
	sid, err := r.Begin()
	if err != nil {
		return err
	}
	if err := r.shell.c.Auth.Set(r.Context(), sid, values); err != nil {
		return err
	}
	if r.session.Values == nil {
		r.session.Values = map[string]string{}
	}
	for k, v := range values {
		if v == "" {
			delete(r.session.Values, k)
		} else {
			r.session.Values[k] = v
		}
	}
	return nil
}

// Value reads what [Request.Set] kept.
func (r *Request) Value(name string) string { return r.session.Values[name] }

// Take gives what [Request.Set] kept and forgets it: of two requests at once one gets it. "" when nothing is
// kept, or nobody has a session.
func (r *Request) Take(name string) (string, error) {
	if r.sid == "" || r.session.Values[name] == "" {
		return "", nil
	}
	value, err := r.shell.c.Auth.Take(r.Context(), r.sid, name)
	if err != nil {
		return "", err
	}
	delete(r.session.Values, name)
	return value, nil
}

// Redirect sends the browser to another page of this site with GET.
func (r *Request) Redirect(path string) error {
	if !local(path) {
		return fmt.Errorf("redirect: %q is not a path of this site", path)
	}
	http.Redirect(r.w, r.Request, path, http.StatusSeeOther)
	return nil
}

// Render answers with a page. The page is built in memory first, so that an error in the middle
// is an error and not half a page.
func (r *Request) Render(w http.ResponseWriter, status int, page templ.Component) error {
	var b bytes.Buffer
	if err := page.Render(r.Context(), &b); err != nil {
		return fmt.Errorf("render a page: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(r.tag))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	if err != nil && !errors.Is(err, context.Canceled) {
		r.shell.c.Log.DebugContext(r.Context(), "page not delivered", "err", err)
	}
	return nil
}

// OK renders a page with status 200.
func (r *Request) OK(w http.ResponseWriter, page templ.Component) error {
	return r.Render(w, http.StatusOK, page)
}

// Invalid renders a form again, with its errors, with status 422.
func (r *Request) Invalid(w http.ResponseWriter, page templ.Component) error {
	return r.Render(w, http.StatusUnprocessableEntity, page)
}

func (r *Request) setSID(sid string) {
	r.sid = sid
	r.shell.setCookie(r.w, r.shell.cookie, sid, 0)
}

// asset gives the address of a file of the site.
func (r *Request) asset(name string) string { return r.shell.files.Path(name) }

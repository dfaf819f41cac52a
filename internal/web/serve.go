package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"senim/internal/auth"
	"senim/internal/lang"
)

// langCookie remembers the chosen language; it holds nothing else and needs no secrecy.
const langCookie = "senim-lang"

// serve makes the Request, runs the page and answers its error.
func (s *Shell) serve(w http.ResponseWriter, hr *http.Request, h Handler) {
	r := &Request{Request: hr, shell: s, w: w, tag: s.chooseLang(w, hr)}
	err := s.prepare(w, r)
	if err == nil {
		err = r.phoneAnswer()
	}
	if err == nil {
		err = h(w, r)
	}
	if to, ok := errors.AsType[elsewhere](err); ok {
		err = r.Redirect(string(to))
	}
	if err != nil {
		s.fail(w, r, err)
	}
}

// prepare bounds and reads the body and loads the session.
func (s *Shell) prepare(w http.ResponseWriter, r *Request) error {
	if r.Header.Get("Content-Encoding") != "" {
		return Refusal{Code: "BAD_REQUEST", Status: http.StatusUnsupportedMediaType}
	}
	if r.Method == http.MethodPost {
		if r.URL.Path != s.c.SignOut { // one may always leave
			if err := r.limit(false); err != nil {
				return err
			}
		}
		most := max(s.c.MaxBody, s.c.Larger[r.URL.Path])
		r.Body = http.MaxBytesReader(w, r.Body, most)
		if err := parseForm(r.Request, most); err != nil {
			if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
				return Refusal{Code: "TOO_LARGE", Status: http.StatusRequestEntityTooLarge}
			}
			return Refusal{Code: "BAD_REQUEST", Status: http.StatusBadRequest}
		}
	}
	c, err := r.Cookie(s.cookie)
	if err != nil {
		return nil // no cookie: a new visitor
	}
	session, err := s.c.Auth.Load(r.Context(), c.Value)
	if auth.IsNotFound(err) {
		r.ended, _ = errors.AsType[*auth.Closed](err)
		return nil
	}
	if err != nil {
		return err
	}
	r.sid, r.session = c.Value, session
	return r.recheck()
}

func parseForm(r *http.Request, limit int64) error {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return r.ParseMultipartForm(limit)
	}
	return r.ParseForm()
}

// patternPath is the path of a route's pattern.
func patternPath(pattern string) string {
	_, path, _ := strings.Cut(pattern, " ")
	return path
}

// chooseLang takes ?lang= (and remembers it), the cookie, or the browser's wish.
func (s *Shell) chooseLang(w http.ResponseWriter, r *http.Request) lang.Tag {
	if t, ok := lang.Parse(r.URL.Query().Get("lang")); ok {
		s.rememberLang(w, t)
		return t
	}
	if c, err := r.Cookie(langCookie); err == nil {
		if t, ok := lang.Parse(c.Value); ok {
			return t
		}
	}
	return lang.Accept(r.Header.Get("Accept-Language"))
}

func (s *Shell) rememberLang(w http.ResponseWriter, t lang.Tag) {
	s.setCookie(w, langCookie, string(t), 365*24*3600)
}

// setCookie sets a cookie no script reads; age is in seconds, 0 until the browser ends, -1 forgets it.
func (s *Shell) setCookie(w http.ResponseWriter, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, //nolint:gosec // Secure wherever the origin is https
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
}

// language answers the switch in the header: it remembers the language and goes back.
func (s *Shell) language(w http.ResponseWriter, r *Request) error {
	if t, ok := lang.Parse(r.Field("lang")); ok {
		s.rememberLang(w, t)
	}
	back := r.Field("back")
	if !local(back) {
		back = "/"
	}
	return r.Redirect(back)
}

// signOut ends the session on the server and forgets the cookie.
func (*Shell) signOut(_ http.ResponseWriter, r *Request) error {
	if err := r.SignOut(); err != nil {
		return err
	}
	return r.Redirect("/")
}

// ErrNotFound makes a page answer "not found".
var ErrNotFound = errors.New("no such page")

// fail answers an error: a refusal with its page, everything else with a number for the operator.
func (s *Shell) fail(w http.ResponseWriter, r *Request, err error) {
	if refusal, ok := asRefusal(err); ok {
		s.c.Log.InfoContext(r.Context(), "refused", "site", s.c.Site.Name, "path", r.Pattern, "code", refusal.Code)
		if refusal.Code == codeNotRecorded {
			s.c.Log.ErrorContext(r.Context(), "nothing can be recorded, so nothing is done", "site", s.c.Site.Name, "path", r.Pattern, "err", err)
		}
		if err := r.Render(w, refusal.status(), refusalPage(r, refusal)); err != nil {
			s.internal(w, r, err)
		}
		return
	}
	if errors.Is(err, ErrSignIn) {
		if err := r.Redirect(s.c.SignIn); err != nil {
			s.internal(w, r, err)
		}
		return
	}
	if errors.Is(err, ErrNotFound) {
		if err := r.Render(w, http.StatusNotFound, notFoundPage(r)); err != nil {
			s.internal(w, r, err)
		}
		return
	}
	s.internal(w, r, err)
}

func (s *Shell) internal(w http.ResponseWriter, r *Request, err error) {
	b := make([]byte, 4)
	rand.Read(b) // never fails (crypto/rand)
	number := hex.EncodeToString(b)
	s.c.Log.ErrorContext(r.Context(), "page failed", "site", s.c.Site.Name, "path", r.Pattern, "number", number, "err", err)
	if err := r.Render(w, http.StatusInternalServerError, errorPage(r, number)); err != nil {
		http.Error(w, "error "+number, http.StatusInternalServerError)
	}
}

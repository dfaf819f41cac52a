package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"senim/internal/auth"
	"senim/internal/lang"
	"senim/internal/limit"
	"senim/internal/mgov"
	"senim/internal/qr"
)

// perCode bounds what is done with one code, from wherever.
func perCode() []limit.Rate { return []limit.Rate{{Acts: 30, In: time.Minute}} }

// maxEntrance bounds what a phone signs to be let in.
const maxEntrance = 64 << 10

// idLength is that of 256 bits in base64url.
const idLength = 43

// phone registers an address for phones: JSON, no session, the language of Accept-Language.
func (s *Shell) phone(mux *http.ServeMux, pattern string, h func(http.ResponseWriter, *http.Request, lang.Tag) (any, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, hr *http.Request) {
		r := &Request{Request: hr, shell: s, w: w, tag: lang.Accept(hr.Header.Get("Accept-Language"))}
		var answer any
		err := s.phoneAdmit(r)
		if err == nil {
			answer, err = h(w, hr, r.tag)
		}
		status := http.StatusOK
		if err != nil {
			status, answer = r.phoneTrouble(err)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Content-Language", string(r.tag))
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer) // the phone went away: nothing to do
	})
}

// phoneAdmit counts the call against the address it comes from and against its code.
func (s *Shell) phoneAdmit(r *Request) error {
	if err := r.limit(false); err != nil {
		return err
	}
	id := r.PathValue("id")
	if len(id) != idLength {
		return &auth.Refusal{Code: qr.CodeExpired}
	}
	if wait := s.codes.Take(id); wait > 0 {
		return r.tooMany(wait)
	}
	return nil
}

// phoneTrouble is the answer to what went wrong.
func (r *Request) phoneTrouble(err error) (status int, answer mgov.Trouble) {
	f, refused := asRefusal(err)
	if !refused {
		r.shell.c.Log.ErrorContext(r.Context(), "phone not answered", "site", r.Site().Name, "path", r.Pattern, "err", err)
		return http.StatusInternalServerError, mgov.Trouble{Message: r.T("web.error.title")}
	}
	status = http.StatusForbidden
	switch {
	case f.Status != 0:
		status = f.Status
	case f.Code == qr.CodeToken:
		status = http.StatusUnauthorized
		r.w.Header().Set("WWW-Authenticate", "Bearer")
	case f.Code == qr.CodeMessage:
		status = http.StatusBadRequest
	}
	return status, mgov.Trouble{Message: f.what(r)}
}

func (s *Shell) phonePut(w http.ResponseWriter, r *http.Request, _ lang.Tag) (any, error) {
	b, err := bounded(w, r, mgov.MaxPackage)
	if err != nil {
		return nil, err
	}
	p, err := mgov.ReadPackage(b)
	if err != nil {
		return nil, &auth.Refusal{Code: qr.CodeMessage, Err: err}
	}
	if err := s.c.Phone.Put(r.Context(), r.PathValue("id"), bearer(r), p); err != nil {
		return nil, err
	}
	return mgov.Done{Success: true}, nil
}

// phoneEds takes XML signed by the phone's key, bare or as the member "xml" of an object.
func (s *Shell) phoneEds(w http.ResponseWriter, r *http.Request, l lang.Tag) (any, error) {
	b, err := bounded(w, r, maxEntrance)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
		var in struct{ XML string }
		if err := json.Unmarshal(b, &in); err != nil {
			return nil, &auth.Refusal{Code: qr.CodeMessage, Err: err}
		}
		b = []byte(in.XML)
	}
	return s.c.Phone.PackageFor(r.Context(), r.PathValue("id"), b, l)
}

func bounded(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, Refusal{Code: "TOO_LARGE", Status: http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return nil, &auth.Refusal{Code: qr.CodeMessage, Err: err}
	}
	return b, nil
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

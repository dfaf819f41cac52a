package responder

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxQuestion bounds an OCSP request, in bytes.
const maxQuestion = 64 << 10

// refusal is a question that is not even read, and the HTTP status that says why.
type refusal struct {
	code int
	why  string
}

func (r refusal) Error() string { return r.why }

var long = refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("a request has at most %d bytes", maxQuestion)}

// read takes the question out of a POST.
func read(w http.ResponseWriter, req *http.Request) ([]byte, error) {
	kind, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/ocsp-request") {
		return nil, refusal{http.StatusUnsupportedMediaType, "Content-Type application/ocsp-request is wanted"}
	}
	if req.Header.Get("Content-Encoding") != "" {
		return nil, refusal{http.StatusUnsupportedMediaType, "a request is not encoded"}
	}
	if req.ContentLength > maxQuestion {
		return nil, long
	}
	var der []byte
	var err error
	if n := req.ContentLength; n >= 0 {
		der = make([]byte, n)
		_, err = io.ReadFull(req.Body, der)
	} else {
		der, err = io.ReadAll(http.MaxBytesReader(w, req.Body, maxQuestion))
	}
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, long
	}
	if err != nil {
		return nil, refusal{http.StatusBadRequest, "the request was cut off"}
	}
	return der, nil
}

// decode reads the question in a path (RFC 6960 A.1), percent-encoding taken off already. Clients
// write it in many ways: with slashes and pluses as they are or encoded (some twice), without the
// padding, in the alphabet of addresses, after one slash too many. Base64 of DER never begins with
// a slash, so nothing here is a guess. false: it is no base64.
func decode(text string) ([]byte, bool) {
	if !strings.HasPrefix(text, "/") { // as it should be, and nearly always is
		if der, err := base64.StdEncoding.DecodeString(text); err == nil {
			return der, true
		}
	}
	text = strings.TrimLeft(text, "/")
	if strings.Contains(text, "%") {
		again, err := url.PathUnescape(text)
		if err != nil {
			return nil, false
		}
		text = again
	}
	if strings.ContainsAny(text, "-_ ") {
		text = strings.NewReplacer("-", "+", "_", "/", " ", "+").Replace(text)
	}
	if body := strings.TrimRight(text, "="); len(text)-len(body) <= 2 {
		text = body
	}
	der, err := base64.RawStdEncoding.DecodeString(text)
	return der, err == nil
}

package responder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"senim/internal/ca"
)

// How long others may keep what is here, at most: a revocation is to be seen soon.
const (
	answerCached      = 5 * time.Minute
	listCached        = time.Minute
	certificateCached = 24 * time.Hour
)

// Values of headers that never change. They are shared by all answers: nobody appends to them.
var (
	noSniff  = []string{"nosniff"}
	noStore  = []string{"no-store"}
	kindOCSP = []string{"application/ocsp-response"}
)

// dressed is an OCSP answer with its headers, made once.
type dressed struct {
	body                  []byte
	next                  time.Time
	tag, modified, length []string
}

func dress(a *ca.Answer) *dressed {
	return a.Do(func() any {
		return &dressed{body: a.Raw, next: a.NextUpdate, tag: []string{`"` + a.Tag + `"`},
			modified: []string{a.ThisUpdate.UTC().Format(http.TimeFormat)}, length: []string{strconv.Itoa(len(a.Raw))}}
	}).(*dressed)
}

// expiry is the two headers of what is kept as long as it may be, for a second.
type expiry struct {
	second           int64
	expires, control []string
}

func expiryOf(now time.Time, left time.Duration) *expiry {
	return &expiry{now.Unix(), []string{now.Add(left).UTC().Format(http.TimeFormat)},
		[]string{fmt.Sprintf("max-age=%d, public, no-transform, must-revalidate", int(left.Seconds()))}}
}

// expiry of an answer; nil when it must not be kept.
func (r *Responder) expiry(next time.Time) *expiry {
	now := r.c.Now()
	switch left := next.Sub(now); {
	case left < time.Second:
		return nil
	case left < answerCached:
		return expiryOf(now, left)
	}
	e := r.usual.Load()
	if e == nil || e.second != now.Unix() {
		e = expiryOf(now, answerCached)
		r.usual.Store(e)
	}
	return e
}

// same reports that the asker has these very bytes (RFC 9110 13.1.1, 13.1.2).
func same(h http.Header, tag, modified []string) bool {
	if wanted, ok := h["If-None-Match"]; ok {
		for _, line := range wanted {
			for one := range strings.SplitSeq(line, ",") {
				if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == tag[0] || one == "*" {
					return true
				}
			}
		}
		return false
	}
	since, ok := h["If-Modified-Since"]
	if !ok {
		return false
	}
	if since[0] == modified[0] {
		return true
	}
	has, err := http.ParseTime(since[0])
	made, err2 := http.ParseTime(modified[0])
	return err == nil && err2 == nil && !made.After(has)
}

// cache sets the headers of RFC 5019 section 6.2 for a file.
func (r *Responder) cache(w http.ResponseWriter, tag string, made, next time.Time, most time.Duration) {
	h := w.Header()
	now := r.c.Now()
	left := min(next.Sub(now), most)
	if left < time.Second {
		h["Cache-Control"] = noStore
		return
	}
	e := expiryOf(now, left)
	h["Expires"], h["Cache-Control"] = e.expires, e.control
	h.Set("Etag", tag)
	h.Set("Last-Modified", made.UTC().Format(http.TimeFormat))
}

// tagOf names bytes.
func tagOf(body []byte) string {
	return tagOfSum(sha256.Sum256(body))
}

func tagOfSum(sum [32]byte) string { return `"` + hex.EncodeToString(sum[:16]) + `"` }

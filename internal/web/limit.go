package web

import (
	"net/http"
	"strconv"
	"time"

	"senim/internal/limit"
)

// Limits of security.md section 9. A function, because Go has no constant of this kind.
func perAddress() []limit.Rate {
	return []limit.Rate{{Acts: 60, In: time.Minute}, {Acts: 600, In: time.Hour}}
}
func perCertificate() []limit.Rate { return []limit.Rate{{Acts: 30, In: time.Hour}} }

// limit counts a post or a challenge against the address it comes from, and a challenge against the
// certificate of the session too. The machine's own loopback is not limited, unless it is a configured
// proxy: then the visitor is who the proxy says.
func (r *Request) limit(challenge bool) error {
	from, ok := limit.Visitor(r.Request, r.shell.c.Site.Proxies)
	if !ok {
		return nil
	}
	wait := r.shell.addresses.Take(from)
	if wait == 0 && challenge && r.session.SignedIn() {
		wait = r.shell.certificates.Take(r.session.Fingerprint)
	}
	if wait == 0 {
		return nil
	}
	return r.tooMany(wait)
}

// tooMany says when to come again.
func (r *Request) tooMany(wait time.Duration) error {
	seconds := int((wait + time.Second - 1) / time.Second)
	r.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	until := r.Now().Add(wait).Truncate(time.Minute).Add(time.Minute) // pages show minutes
	return Refusal{Code: "TOO_MANY", Status: http.StatusTooManyRequests, Evidence: map[string]string{"until": until.UTC().Format(time.RFC3339)}}
}

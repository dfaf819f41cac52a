package web

import (
	"net/http"
	"strconv"
	"time"

	"senim/internal/limit"
)

// Limits are settings of a site; zero members are the defaults of security.md section 9 and portal.md
// section 15.
type Limits struct {
	// PerMinute and PerHour bound posts and challenges of an address: 60 and 600.
	PerMinute, PerHour int
	// Certificate bounds the challenges of a certificate in an hour: 30.
	Certificate int
	// Recheck is how often the certificate of a session is asked about again: 15 minutes.
	Recheck time.Duration
}

func (l Limits) complete() Limits {
	set := func(v *int, usual int) {
		if *v <= 0 {
			*v = usual
		}
	}
	set(&l.PerMinute, 60)
	set(&l.PerHour, 600)
	set(&l.Certificate, 30)
	if l.Recheck <= 0 {
		l.Recheck = 15 * time.Minute
	}
	return l
}

func (l Limits) addresses() []limit.Rate {
	return []limit.Rate{{Acts: l.PerMinute, In: time.Minute}, {Acts: l.PerHour, In: time.Hour}}
}

// CountCertificate counts a challenge that a certificate has just answered, of a visitor who is not signed
// in: before the answer it is not known whose it is.
func (r *Request) CountCertificate(fingerprint string) error {
	if _, ok := limit.Visitor(r.Request, r.shell.c.Site.Proxies); !ok {
		return nil
	}
	return r.wait(r.shell.certificates.Take(fingerprint))
}

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
	return r.wait(wait)
}

// wait refuses until a limit lets the visitor act again; 0 refuses nothing.
func (r *Request) wait(wait time.Duration) error {
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

// Network is the shortened address of the visitor, /24 or /48; behind a proxy, the one the proxy says.
func (r *Request) Network() string {
	addr := limit.Address(r.Request, r.Site().Proxies)
	if !addr.IsValid() {
		return "—"
	}
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return "—"
	}
	return p.String()
}

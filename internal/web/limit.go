package web

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// rate is a number of acts in a time; as many may come at once.
type rate struct {
	acts int
	in   time.Duration
}

// Limits of security.md section 9. A function, because Go has no constant of this kind.
func perAddress() []rate { return []rate{{60, time.Minute}, {600, time.Hour}} }
func perCertificate() []rate {
	return []rate{{30, time.Hour}}
}

// maxLimited bounds how many addresses or certificates a limiter remembers.
const maxLimited = 1 << 16

// limiter lets every key act at its rates, by GCRA: of a key only the moments are kept at which it
// would have acted had it kept to each rate. Safe for concurrent use.
type limiter struct {
	rates []rate
	now   func() time.Time

	mu   sync.Mutex
	kept map[string][]time.Time // under mu: theoretical arrival times, one for each rate
}

func newLimiter(now func() time.Time, rates []rate) *limiter {
	return &limiter{rates: rates, now: now, kept: map[string][]time.Time{}}
}

// take counts an act, or says how long to wait until it may be tried; a refused act is not counted.
func (l *limiter) take(key string) (wait time.Duration) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	had := l.kept[key]
	next := make([]time.Time, len(l.rates))
	for i, r := range l.rates {
		next[i] = now
		if had != nil && had[i].After(now) {
			next[i] = had[i]
		}
		each := r.in / time.Duration(r.acts)
		next[i] = next[i].Add(each)
		wait = max(wait, next[i].Sub(now)-r.in)
	}
	if wait > 0 {
		return wait
	}
	if had == nil && len(l.kept) >= maxLimited {
		l.forget(now)
	}
	l.kept[key] = next
	return 0
}

// forget makes room: what is over goes, and when nothing is, anything.
func (l *limiter) forget(now time.Time) {
	for key, times := range l.kept {
		over := true
		for _, t := range times {
			over = over && !t.After(now)
		}
		if over {
			delete(l.kept, key)
		}
	}
	for key := range l.kept {
		if len(l.kept) < maxLimited {
			return
		}
		delete(l.kept, key)
	}
}

// limit counts a post or a challenge against the address it comes from, and a challenge against the
// certificate of the session too. The machine's own loopback is not limited, unless it is a configured
// proxy: then the visitor is who the proxy says.
func (r *Request) limit(challenge bool) error {
	from, ok := visitor(r.Request, r.shell.c.Site.Proxies)
	if !ok {
		return nil
	}
	wait := r.shell.addresses.take(from)
	if wait == 0 && challenge && r.session.SignedIn() {
		wait = r.shell.certificates.take(r.session.Fingerprint)
	}
	if wait == 0 {
		return nil
	}
	seconds := int((wait + time.Second - 1) / time.Second)
	r.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	until := r.Now().Add(wait).Truncate(time.Minute).Add(time.Minute) // pages show minutes
	return Refusal{Code: "TOO_MANY", Status: http.StatusTooManyRequests, Evidence: map[string]string{"until": until.UTC().Format(time.RFC3339)}}
}

// visitor names who is to be limited: an IPv4 address, or the /64 of an IPv6 one. Forwarded addresses
// count only from a configured proxy, and only the last that is not one itself: everything before it
// is what the visitor wrote. false: loopback.
func visitor(r *http.Request, proxies []netip.Prefix) (string, bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown", true
	}
	at = at.Unmap().WithZone("")
	proxied := within(proxies, at)
	if proxied {
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0 && within(proxies, at); i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			at = hop.Unmap().WithZone("")
		}
	}
	if at.IsLoopback() && !proxied {
		return "", false
	}
	if at.Is6() {
		if net64, err := at.Prefix(64); err == nil {
			return net64.String(), true
		}
	}
	return at.String(), true
}

func within(nets []netip.Prefix, a netip.Addr) bool {
	for _, n := range nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

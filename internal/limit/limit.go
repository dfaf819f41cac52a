// Package limit bounds how often visitors and programs may act: [Limiter] is GCRA, which keeps of
// every key only the moments at which it would have acted had it kept to its rates (security.md §9).
//
// [Address] says from where a request comes, [Visitor] what of that is counted: forwarded addresses
// count only from configured proxies, IPv6 by /64, and the machine's own loopback not at all.
package limit

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Rate is a number of acts in a time; as many may come at once.
type Rate struct {
	Acts int
	In   time.Duration
}

// maxLimited bounds how many keys a limiter remembers.
const maxLimited = 1 << 16

// Limiter lets every key act at its rates. Safe for concurrent use.
type Limiter struct {
	rates []Rate
	now   func() time.Time

	mu   sync.Mutex
	kept map[string][]time.Time // under mu: theoretical arrival times, one for each rate
}

// New makes a limiter; rates are those of keys that have none of their own.
func New(now func() time.Time, rates ...Rate) *Limiter {
	return &Limiter{rates: rates, now: now, kept: map[string][]time.Time{}}
}

// Take counts an act, or says how long to wait until it may be tried; a refused act is not counted.
func (l *Limiter) Take(key string) (wait time.Duration) { return l.TakeAt(key, l.rates...) }

// TakeAt is [Limiter.Take] for a key with rates of its own; a key comes with the same number of rates each time.
func (l *Limiter) TakeAt(key string, rates ...Rate) (wait time.Duration) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	had := l.kept[key]
	next := make([]time.Time, len(rates))
	for i, r := range rates {
		next[i] = now
		if i < len(had) && had[i].After(now) {
			next[i] = had[i]
		}
		each := r.In / time.Duration(r.Acts)
		next[i] = next[i].Add(each)
		wait = max(wait, next[i].Sub(now)-r.In)
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

// forget makes room for many, so that it is not walked for each: what is over goes, and when that is little,
// anything.
func (l *Limiter) forget(now time.Time) {
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
		if len(l.kept) <= maxLimited-maxLimited/16 {
			return
		}
		delete(l.kept, key)
	}
}

// Address is where a request comes from. A forwarded address counts only from a configured proxy, and
// only the last that is not one itself: everything before it is what the visitor wrote. The zero Addr
// when nothing can be read.
func Address(r *http.Request, proxies []netip.Prefix) netip.Addr {
	at, _ := address(r, proxies)
	return at
}

func address(r *http.Request, proxies []netip.Prefix) (at netip.Addr, proxied bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if at, err = netip.ParseAddr(host); err != nil {
		return netip.Addr{}, false
	}
	at = at.Unmap().WithZone("")
	if proxied = Within(proxies, at); proxied {
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0 && Within(proxies, at); i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			at = hop.Unmap().WithZone("")
		}
	}
	return at, proxied
}

// Visitor names who is to be limited: an IPv4 address, or the /64 of an IPv6 one. false: loopback,
// which is not limited unless it is a configured proxy.
func Visitor(r *http.Request, proxies []netip.Prefix) (string, bool) {
	at, proxied := address(r, proxies)
	switch {
	case !at.IsValid():
		return "unknown", true
	case at.IsLoopback() && !proxied:
		return "", false
	case at.Is6():
		if net64, err := at.Prefix(64); err == nil {
			return net64.String(), true
		}
	}
	return at.String(), true
}

// Within reports whether one of the networks holds the address.
func Within(nets []netip.Prefix, a netip.Addr) bool {
	for _, n := range nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

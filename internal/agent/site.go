package agent

import (
	"net"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// site is who asks, as the socket saw it.
type site struct {
	Origin  string // exactly as sent; "" is a program
	Shown   string // host in its own letters
	Class   string // secure, local, insecure, opaque, extension, program
	Program string // path of a native program, "" when it cannot be told
	Ours    bool   // the program is the agent's own, as the file of the peer's process proves
}

// siteOf reads an Origin header. It trusts nothing but the header's shape.
func siteOf(origin string) site {
	s := site{Origin: origin, Shown: origin, Class: "opaque"}
	if origin == "" {
		s.Class = "program"
		return s
	}
	u, err := url.Parse(origin)
	if err != nil || len(origin) > 512 || u.Host == "" || u.Path != "" || u.User != nil {
		return s
	}
	switch {
	case strings.HasSuffix(u.Scheme, "-extension"):
		s.Class = "extension"
	case u.Scheme == "https":
		s.Class = "secure"
	case u.Scheme == "http" && loopback(u.Hostname()):
		s.Class = "local"
	case u.Scheme == "http":
		s.Class = "insecure"
	}
	s.Shown = u.Scheme + "://" + strings.Replace(u.Host, u.Hostname(), readable(u.Hostname()), 1)
	return s
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// red tells whether the window warns before anything else and nothing may be remembered.
func (s site) red() bool { return s.Class == "insecure" || s.Class == "opaque" }

// readable writes a host name in its own letters. A name that does not decode to a name of the
// internet (UTS #46) stays as it came.
func readable(host string) string {
	if text, err := idna.Display.ToUnicode(host); err == nil {
		return text
	}
	return host
}

// key tells askers apart for what is remembered of them while the agent runs: programs, which have no origin, by their
// path. No origin begins so: it would not be a header.
func (s site) key() string {
	if s.Class == "program" {
		return programKey + s.Program
	}
	return s.Origin
}

// domain groups askers for what one of them may take from others: sites by the part of the name that is registered (by the
// public suffix list), as whoever has it has any number of names under it; programs and what else asks by itself.
func (s site) domain() string {
	u, err := url.Parse(s.Origin)
	if err != nil || u.Host == "" || s.Class == "extension" {
		return s.key()
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if net.ParseIP(host) != nil {
		return host
	}
	if name, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return name
	}
	return host
}

const programKey = "\x00program "

// siteOfKey is the asker that has this key.
func siteOfKey(key string) site {
	path, ok := strings.CutPrefix(key, programKey)
	if !ok {
		return siteOf(key)
	}
	return site{Class: "program", Program: path}
}

// originState is what the agent remembers of a site while it runs.
type originState struct {
	sockets int
	cancels []time.Time // of the last minute
	blocked time.Time   // until then
}

// chose remembers which key a site was answered with, so that the next window has it chosen; not of a
// site that cannot be vouched for.
func (a *Agent) chose(s site, id string) {
	origin := s.Origin
	if !s.remembered() {
		origin = ""
	}
	a.known.chose(origin, id, a.now())
}

func (a *Agent) state(origin string) *originState {
	s := a.origins[origin]
	if s == nil {
		s = &originState{}
		a.origins[origin] = s
	}
	return s
}

// blocked tells whether no window opens for an asker, for ten minutes or until that is taken back.
func (a *Agent) blocked(s site) bool {
	if p, _ := a.permission(s.Origin); p == PermissionBlocked || a.unsure(s) {
		return true
	}
	return !a.blockedUntil(s.key()).IsZero()
}

// blockedUntil is the end of the ten minutes, zero when they do not run.
func (a *Agent) blockedUntil(key string) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.origins[key]; s != nil && a.now().Before(s.blocked) {
		return s.blocked
	}
	return time.Time{}
}

// block refuses an asker for ten minutes.
func (a *Agent) block(s site) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state(s.key()).blocked = a.now().Add(10 * time.Minute)
}

// canceled notes that the person sent an origin away.
func (a *Agent) canceled(by site) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.state(by.key())
	s.cancels = append(recent(s.cancels, a.now()), a.now())
}

// tiresome tells whether the person sent an origin away three times in a minute.
func (a *Agent) tiresome(by site) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.origins[by.key()]
	return s != nil && len(recent(s.cancels, a.now())) >= 3
}

func recent(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) > time.Minute {
		times = times[1:]
	}
	return times
}

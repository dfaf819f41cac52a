package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// policy writes the content security policy: our own files, and the agent's sockets.
func policy(agents []string) (string, error) {
	connect := "'self'"
	for _, a := range agents {
		u, err := url.Parse(a)
		if err != nil || u.Host == "" || (u.Scheme != "wss" && u.Scheme != "ws") || strings.ContainsAny(a, " ;,") {
			return "", fmt.Errorf("make a site: agent address %q is not a socket", a)
		}
		connect += " " + u.Scheme + "://" + u.Host
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src " + connect +
		"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'", nil
}

// headers puts the headers of security.md §7 on every answer.
func (s *Shell) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", s.csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		// The agent listens on loopback; browsers ask before a page may reach it.
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), loopback-network=(self), local-network-access=(self)")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

package portal

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"

	"senim/internal/participant"
	"senim/internal/web"
)

// machine is the secret of the cookie by which a machine is known again at a sign-in; a new one when it has
// none. It signs nobody in: it only says whether a sign-in from here is news.
func (s *site) machine(r *web.Request) (string, error) {
	secret := ""
	if c, err := r.Cookie(s.ownCookie("machine")); err == nil && len(c.Value) == 43 {
		secret = c.Value
	}
	if secret == "" {
		b := make([]byte, 32)
		if _, err := rand.Read(b); err != nil {
			return "", err
		}
		secret = base64.RawURLEncoding.EncodeToString(b)
	}
	r.SetCookie(s.cookieOf("machine", secret, int(participant.MachineLife.Seconds())))
	return secret, nil
}

// ownCookie names a cookie of the portal beside its sessions.
func (s *site) ownCookie(name string) string {
	if s.secure {
		return "__Host-senim-portal-" + name
	}
	return "senim-portal-" + name
}

func (s *site) cookieOf(name, value string, age int) *http.Cookie {
	return &http.Cookie{Name: s.ownCookie(name), Value: value, Path: "/", MaxAge: age, //nolint:gosec // Secure wherever the origin is https
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode}
}

// browserName says in words what a browser calls itself: its name and system, for a person to know it
// again. What is not known is a dash; nothing of the header itself is kept.
func browserName(agent string) string {
	named := func(pairs ...string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	// Browsers name their ancestors too: the youngest counts.
	browser := named("YaBrowser/", "Yandex Browser", "Edg", "Edge", "OPR/", "Opera", "SamsungBrowser/", "Samsung Internet", "Vivaldi/", "Vivaldi",
		"Firefox/", "Firefox", "FxiOS/", "Firefox", "CriOS/", "Chrome", "Chromium/", "Chromium", "Chrome/", "Chrome", "Safari/", "Safari")
	system := named("Android", "Android", "iPhone", "iOS", "iPad", "iPadOS", "Windows", "Windows", "Mac OS X", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	switch {
	case browser == "" && system == "":
		return "—"
	case browser == "" || system == "":
		return browser + system
	}
	return browser + ", " + system
}

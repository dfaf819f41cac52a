package limit

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Visitor names who is to be limited: an IPv4 address, or the /64 of an IPv6 one. Forwarded addresses
// count only from a configured proxy, and only the last that is not one itself: everything before it
// is what the visitor wrote. false: loopback.
func Visitor(r *http.Request, proxies []netip.Prefix) (string, bool) {
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

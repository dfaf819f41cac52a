package ask

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivate says that an address is not one of the internet.
var ErrPrivate = errors.New("not an address of the internet")

// Public makes a client for addresses that somebody else named: it reaches the internet alone ([ErrPrivate]),
// follows no redirect and uses no proxy.
func Public() *http.Client {
	dialer := &net.Dialer{Timeout: 15 * time.Second, Control: outside}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 15 * time.Second, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// outside refuses addresses of this machine and of networks that are not the internet's; it looks at
// the address that is really dialled, whatever the name says.
func outside(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !public(at.Addr().Unmap()) {
		return ErrPrivate
	}
	return nil
}

func public(ip netip.Addr) bool {
	for _, no := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "2001::/23", "2001:db8::/32", "2002::/16",
	} {
		if netip.MustParsePrefix(no).Contains(ip) {
			return false
		}
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}

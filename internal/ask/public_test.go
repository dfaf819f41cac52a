package ask

import (
	"net"
	"net/netip"
	"testing"
)

// TestPublic: what somebody else names is looked for on the internet alone, whatever its name says.
func TestPublic(t *testing.T) {
	for ip, is := range map[string]bool{
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "0.0.0.0": false, "100.64.0.1": false,
		"::1": false, "fe80::1": false, "fd00::1": false, "64:ff9b::7f00:1": false, "::ffff:127.0.0.1": false, "2002:7f00:1::": false, "224.0.0.1": false, "255.255.255.255": false,
		"93.184.216.34": true, "2606:2800:220:1::1": true,
	} {
		if err := outside("tcp", net.JoinHostPort(ip, "443"), nil); (err == nil) != is || public(netip.MustParseAddr(ip).Unmap()) != is {
			t.Errorf("%s: %v", ip, err)
		}
	}
}

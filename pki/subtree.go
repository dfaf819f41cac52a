package pki

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// within reports whether n lies in the subtree of base. Overlap asks instead whether any name that
// n stands for (a wildcard) does. A name or kind that cannot be judged is an error.
func (n generalName) within(base generalName, overlap bool) (bool, error) {
	switch n.kind {
	case nameEmail:
		return emailWithin(string(n.value), string(base.value))
	case nameHost:
		return hostWithin(string(n.value), string(base.value), overlap)
	case nameDirectory:
		return len(base.folded) <= len(n.folded) && slices.Equal(n.folded[:len(base.folded)], base.folded), nil
	case nameURI:
		return uriWithin(string(n.value), string(base.value))
	case nameIP:
		return ipWithin(n.value, base.value)
	}
	return false, fmt.Errorf("%s under a constraint not known", n.what())
}

func (n generalName) checkBase() error {
	ok := true
	switch n.kind {
	case nameEmail, nameURI:
		ok = validMailBase(string(n.value), n.kind == nameEmail)
	case nameHost:
		ok = len(n.value) == 0 || validHost(string(n.value))
	case nameIP:
		ok = validIPBase(n.value)
	}
	if !ok {
		return fmt.Errorf("constraint: %s that is none", n.what())
	}
	return nil
}

func validIPBase(b []byte) bool {
	if len(b) != 8 && len(b) != 32 {
		return false
	}
	mask := b[len(b)/2:]
	ended := false
	for _, octet := range mask {
		for bit := 7; bit >= 0; bit-- {
			one := octet>>bit&1 == 1
			if one && ended {
				return false
			}
			ended = ended || !one
		}
	}
	return true
}

func ipWithin(ip, base []byte) (bool, error) {
	if len(ip) != 4 && len(ip) != 16 {
		return false, errors.New("an address of neither 4 nor 16 octets")
	}
	if 2*len(ip) != len(base) {
		return false, nil
	}
	masked := make([]byte, len(ip))
	want := make([]byte, len(ip))
	for i := range ip {
		masked[i] = ip[i] & base[len(ip)+i]
		want[i] = base[i] & base[len(ip)+i]
	}
	return bytes.Equal(masked, want), nil
}

// validHost takes letters, digits, hyphens and underscores in labels of 1–63, no dot at an end.
func validHost(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, r := range label {
			if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
				return false
			}
		}
	}
	return true
}

// under reports whether host is base or stands below it.
func under(host, base string) bool {
	host, base = strings.ToLower(host), strings.ToLower(base)
	return base == "" || host == base || strings.HasSuffix(host, "."+base)
}

func hostWithin(host, base string, overlap bool) (bool, error) {
	rest, wildcard := strings.CutPrefix(host, "*.")
	if !validHost(rest) {
		return false, errors.New("a host name that is none")
	}
	if under(host, base) {
		return true, nil
	}
	if wildcard && overlap { // *.example.kz stands for the excluded a.example.kz too
		_, parent, _ := strings.Cut(base, ".")
		return strings.EqualFold(parent, rest), nil
	}
	return false, nil
}

// validMailBase: a mailbox, a host, or a domain with a leading dot; for URIs no mailbox.
func validMailBase(base string, mailbox bool) bool {
	if local, host, ok := strings.Cut(base, "@"); ok {
		return mailbox && local != "" && validHost(host)
	}
	return base == "" || validHost(strings.TrimPrefix(base, "."))
}

// hostMatches compares a host with a constraint for e-mail and URIs: .example.kz means below it,
// example.kz this one host.
func hostMatches(host, base string) bool {
	if base == "" {
		return true
	}
	if strings.HasPrefix(base, ".") {
		return strings.HasSuffix(strings.ToLower(host), strings.ToLower(base))
	}
	return strings.EqualFold(host, base)
}

func emailWithin(email, base string) (bool, error) {
	at := strings.LastIndexByte(email, '@')
	if at <= 0 || !validHost(email[at+1:]) || strings.ContainsAny(email[:at], "@ ") {
		return false, errors.New("an e-mail address that is none")
	}
	if local, host, ok := strings.Cut(base, "@"); ok {
		return email[:at] == local && strings.EqualFold(email[at+1:], host), nil
	}
	return hostMatches(email[at+1:], base), nil
}

// uriWithin looks at the host; a URI without one, or with an address for it, is refused (4.2.1.10).
func uriWithin(uri, base string) (bool, error) {
	u, err := url.Parse(uri)
	if err != nil || !validHost(u.Hostname()) {
		return false, errors.New("a URI without a host name")
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return false, errors.New("a URI with an address for its host")
	}
	return hostMatches(u.Hostname(), base), nil
}

// foldName brings a DER name to a form for comparing, one string for an RDN: case folded, white
// space collapsed, string types forgotten (RFC 5280 7.1, without Unicode normalisation). Chains
// compare names byte by byte; only constraints need this, lest a change of case slip past one.
func foldName(der []byte) ([]string, error) {
	name, err := ParseName(der)
	if err != nil {
		return nil, err
	}
	rdns := []string{}
	for i := 0; i < len(name); {
		var parts []string
		for first := i; i < len(name) && (i == first || name[i].Joined); i++ {
			text := strings.Join(strings.Fields(strings.ToLower(name[i].Value)), " ")
			parts = append(parts, name[i].OID.String()+"="+text)
		}
		slices.Sort(parts)
		rdns = append(rdns, strings.Join(parts, "\x00"))
	}
	return rdns, nil
}

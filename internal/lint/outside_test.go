//go:build !windows

package lint

import (
	"encoding/asn1"
	"slices"
	"testing"

	"github.com/zmap/zcrypto/x509"
	zl "github.com/zmap/zlint/v3"
	zreg "github.com/zmap/zlint/v3/lint"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/internal/profile"
	"senim/pki"
)

// Other people's rules find what ours do not look for: here a distinguished name in the wrong type
// within a statement of ETSI.
func TestOutsideFinds(t *testing.T) {
	a := pkitest.New(t, pkitest.Config{Key: algid.RSA})
	r := trialOf(t, a, profile.NCA()["individual-sign"])
	r.t.Emails = nil
	r.t.Extra = []pki.Extension{{OID: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}, Value: []byte{0x30, 0x02, 0x05, 0x00}}}
	if names := r.broken(t); !slices.Contains(names, "zlint") {
		t.Errorf("broken: %v", names)
	}
}

// Nothing else's rules are asked about GOST keys, nor is their registry ever built for them.
func TestOutsideNeverForGOST(t *testing.T) {
	if err := outside(Subject{Certificate: &pki.Certificate{Key: algid.GOST512, Raw: []byte("no certificate")}}); err != nil {
		t.Errorf("asked: %v", err)
	}
}

// Every exception in the table is one of zlint's rules, has a reason, and is needed: some certificate
// of ours breaks it. A warning that nobody gives any more leaves the table.
func TestOutsideTable(t *testing.T) {
	a := pkitest.New(t, pkitest.Config{Key: algid.RSA})
	var all []*trial
	for _, kind := range otherKinds {
		all = append(all, service(t, a, kind))
	}
	set := profile.NCA()
	for _, name := range []string{"individual-auth", "individual-sign", "head-auth", "head-sign"} {
		all = append(all, trialOf(t, a, set[name]))
	}
	broken := map[string]bool{}
	for _, r := range all {
		r.broken(t)
		c, err := x509.ParseCertificate(r.s.Certificate.Raw)
		if err != nil {
			t.Fatal(err)
		}
		c.SelfSigned = r.s.Kind == Root
		for name, result := range zl.LintCertificateEx(c, zreg.GlobalRegistry()).Results {
			if result.Status >= zreg.Warn {
				broken[name] = true
				broken[string(zreg.GlobalRegistry().CertificateLints().ByName(name).Source)] = true
			}
		}
	}
	known := map[string]bool{}
	for _, s := range zreg.GlobalRegistry().Sources() {
		known[string(s)] = true
	}
	for _, n := range zreg.GlobalRegistry().Names() {
		known[n] = true
	}
	for _, n := range OutsideNotApplied() {
		if n.Why == "" || !known[n.Name] {
			t.Errorf("%s: no such rule, or no reason", n.Name)
		}
		if !n.Source && !broken[n.Name] {
			t.Errorf("%s is in the table, and nothing of ours breaks it", n.Name)
		}
	}
	rules, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(rules.Names()); n < 250 {
		t.Errorf("%d rules are asked", n)
	} else {
		t.Logf("%d of zlint's %d rules are asked", n, len(zreg.GlobalRegistry().Names()))
	}
}

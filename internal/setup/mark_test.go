package setup

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/agent"
)

// changed is a root like ours, with a change.
func changed(t *testing.T, change func(c *x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: agent.AuthorityPrefix + "machine"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"localhost"},
		PermittedIPRanges: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 1).To4(), Mask: net.CIDRMask(32, 32)}, {IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}
	change(template)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// former is an authority that an agent made when the machine had another name.
func former(t *testing.T, host string) *x509.Certificate {
	t.Helper()
	return changed(t, func(c *x509.Certificate) {
		c.Subject.CommonName, c.NotAfter = agent.AuthorityPrefix+host, time.Now().Add(-time.Minute)
	})
}

// foreign are roots that look like ours and are not.
var foreign = []func(c *x509.Certificate){
	func(c *x509.Certificate) { c.Subject.CommonName = "Corporate root" },
	func(c *x509.Certificate) { c.PermittedDNSDomains, c.PermittedIPRanges = nil, nil },
	func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"localhost", "corp.example.kz"} },
	func(c *x509.Certificate) { c.PermittedDNSDomainsCritical = false },
	func(c *x509.Certificate) { c.MaxPathLenZero = false },
	func(c *x509.Certificate) { c.Subject.Organization = []string{"Corporation"} },
	func(c *x509.Certificate) { c.ExtKeyUsage = nil },
}

func another(t *testing.T, i int) *x509.Certificate { t.Helper(); return changed(t, foreign[i]) }

func text(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// TestMarkOfOurs: what an agent makes is known as ours, whatever the machine was called and whenever it ended; what
// differs in anything is another's.
func TestMarkOfOurs(t *testing.T) {
	now, err := machine(t).authority()
	if err != nil || !ours(now) || !ours(former(t, "Айгүл-ПК")) {
		t.Errorf("ours is not known: %v", err)
	}
	for i := range foreign {
		if ours(another(t, i)) {
			t.Errorf("foreign %d counts as ours", i)
		}
	}
	forged := slices.Clone(now.Raw)
	forged[len(forged)-1] ^= 1
	if c, err := x509.ParseCertificate(forged); err == nil && ours(c) {
		t.Error("one that did not sign itself counts as ours")
	}
}

// TestEarlierInSystem: what earlier builds put among the machine's under other names goes when a new one is put and when
// it is taken away; another person's, and another program's, stay.
func TestEarlierInSystem(t *testing.T) {
	unix(t)
	for _, act := range []string{"put", "take", "everyone"} {
		t.Run(act, func(t *testing.T) {
			m := machine(t)
			m.Find = func(string) (string, error) { return "", exec.ErrNotFound }
			var ran []string
			m.Run = func(_ context.Context, name string, args ...string) ([]byte, error) {
				ran = append(ran, strings.Join(append([]string{name}, args...), " "))
				return nil, nil
			}
			anchors, policies := m.path("/usr/local/share/ca-certificates"), m.path("/etc/firefox/policies")
			gone := []string{
				filepath.Join(anchors, "senim-agent.crt"), filepath.Join(anchors, "whatever.crt"), m.path("/etc/pki/trust/anchors/senim-agent.pem"),
				filepath.Join(policies, "senim-agent.pem"),
			}
			other := "senim-agent-0123456789ab"
			stay := []string{filepath.Join(anchors, "corporate.crt"), filepath.Join(anchors, "bundle.crt"), filepath.Join(policies, "corp.pem")}
			theirs := []string{filepath.Join(anchors, other+".crt"), filepath.Join(policies, other+".pem")}
			for _, path := range append(slices.Clone(gone), theirs...) {
				write(t, path, text(former(t, "old-name")))
			}
			write(t, stay[0], text(another(t, 1)))
			write(t, stay[1], text(former(t, "x"))+text(another(t, 0))) // in one file with somebody else's
			write(t, stay[2], text(another(t, 2)))
			write(t, filepath.Join(policies, "policies.json"), `{"policies":{"Certificates":{"Install":["corp.pem","/etc/firefox/policies/senim-agent.pem","/etc/firefox/policies/`+other+`.pem"]}}}`)
			if left, err := m.SystemLeft(t.Context()); !left || err != nil {
				t.Errorf("nothing is there: %v %v", left, err)
			}
			parts, want := m.System(), `"corp.pem","/etc/firefox/policies/`+other+`.pem"`
			var err error
			switch act {
			case "put":
				err = Put(t.Context(), parts, quiet(t, Present))
				want += `,"` + firefoxPolicy{m}.named() + `"`
			case "everyone":
				m.Everyone = true
				gone, want = append(gone, theirs...), `"corp.pem"`
				err = Take(t.Context(), parts, quiet(t, Absent))
			default:
				err = Take(t.Context(), parts, quiet(t, Absent))
			}
			if err != nil {
				t.Fatal(err)
			}
			if act != "everyone" {
				stay = append(stay, theirs...)
			}
			for _, path := range gone {
				if exists(path) {
					t.Errorf("%s is still there", path)
				}
			}
			for _, path := range stay {
				if !exists(path) {
					t.Errorf("%s went", path)
				}
			}
			if !slices.Contains(ran, "update-ca-certificates --fresh") {
				t.Errorf("the list still has it: %v", ran)
			}
			b, err := os.ReadFile(filepath.Join(policies, "policies.json"))
			if err != nil || !strings.Contains(compact(t, string(b)), `"Install":[`+want+`]`) {
				t.Errorf("%s %v", b, err)
			}
		})
	}
}

// TestEarlierInBrowsers: in a browser's database ours is found under whatever name, as Firefox gives it one when the
// policy made it import ours; roots that are not ours stay, and where the tool could only delete both, none goes.
func TestEarlierInBrowsers(t *testing.T) {
	certutil(t)
	m := machine(t)
	dir := m.profile(t, ".mozilla/firefox/a.default")
	s := nssStore{m, dir, "firefox"}
	add := func(name, trust string, c *x509.Certificate) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "c.pem")
		write(t, path, text(c))
		if out, err := exec.Command("certutil", "-A", "-t", trust, "-n", name, "-i", path, "-d", "sql:"+dir).CombinedOutput(); err != nil {
			t.Fatalf("%s %v", out, err)
		}
	}
	list := func() string {
		t.Helper()
		out, err := exec.Command("certutil", "-L", "-d", "sql:"+dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v", out, err)
		}
		return string(out)
	}
	add("Senim agent on old-name", "CT,C,", former(t, "old-name"))
	add("imported", "C,,", former(t, "older"))
	add("imported again", "C,,", former(t, "older"))    // of one subject: one name stands for both
	add("  an odd name, ,,", ",,", former(t, "oldest")) // nobody trusts it any more
	add("Senim trading", "C,,", another(t, 0))
	add("A corporate root with a name that is longer than the column the tool has for names", "C,,", another(t, 5))
	if state, err := s.State(t.Context()); state != Old || err != nil {
		t.Errorf("%s %v", state, err)
	}
	if err := Put(t.Context(), []Part{s}, quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	if got := list(); strings.Contains(got, "old-name") || strings.Contains(got, "imported") || strings.Contains(got, "an odd name") || !strings.Contains(got, nickname) || !strings.Contains(got, "Senim trading") || !strings.Contains(got, "A corporate root") {
		t.Error(got)
	}
	if err := Take(t.Context(), []Part{s}, quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	if got := list(); strings.Contains(got, nickname) || !strings.Contains(got, "Senim trading") || !strings.Contains(got, "A corporate root") {
		t.Error(got)
	}
	add("mixed", "C,,", former(t, "machine"))
	add("mixed", "C,,", another(t, 3)) // of the same subject
	if err := s.Take(t.Context()); err == nil || !strings.Contains(err.Error(), "mixed") {
		t.Errorf("%v", err)
	}
	if got := list(); !strings.Contains(got, "mixed") {
		t.Errorf("another's went: %s", got)
	}
}

package pki_test

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"senim/pki"
)

// betterTLSCase is a case of Netflix's BetterTLS as it exports them.
type betterTLSCase struct {
	ID           int      `json:"id"`
	Certificates [][]byte `json:"certificates"` // leaf first
	Hostname     string   `json:"hostname"`
	Expected     string   `json:"expected"`
}

// betterTLSDifferent are the cases decided otherwise, by suite, each set with its reason. A case that
// stops being different fails the test.
var betterTLSDifferent = map[string]map[int]string{"pathbuilding": {
	5: usageBelow, 12: usageBelow, 38: usageBelow, 44: usageBelow, 71: usageBelow, 77: usageBelow,
}}

const usageBelow = "the extended key usage of an authority says nothing of what stands below: no authority of the national PKI has one, and RFC 5280 gives it no such meaning"

// judge translates a case to GOST512, builds its path, and looks at the purpose and the host as a web
// client would: both are no business of pki.
func (c betterTLSCase) judge(t *testing.T, root []byte, at time.Time, keys map[string]crypto.Signer) error {
	tr := &translator{t: t, keys: keys}
	for _, der := range append([][]byte{root}, c.Certificates...) {
		if r := cut(der, false); r != nil {
			tr.all = append(tr.all, r)
		}
	}
	translated := func(der []byte) []byte {
		if r := cut(der, false); r != nil {
			return tr.translate(r)
		}
		return der
	}
	pool := pki.NewPool()
	anchor, err := pki.ParseCertificate(translated(root))
	if err != nil {
		t.Fatal(err)
	}
	pool.AddRoot(anchor)
	for _, der := range c.Certificates[1:] {
		if cert, err := pki.ParseCertificate(translated(der)); err == nil {
			pool.AddIntermediate(cert)
		}
	}
	leaf, err := pki.ParseCertificate(translated(c.Certificates[0]))
	if err != nil {
		return err
	}
	path, err := pool.Validate(leaf, pki.Rules{At: at})
	if err != nil {
		return err
	}
	if err := (limboCase{}).caller(path); err != nil {
		return err
	}
	web, err := x509.ParseCertificate(c.Certificates[0])
	if err != nil {
		return err
	}
	return web.VerifyHostname(c.Hostname)
}

// TestBetterTLS runs BetterTLS, which `make bettertls` exports (30 MB, made anew each time).
func TestBetterTLS(t *testing.T) {
	name := os.Getenv("SENIM_BETTERTLS")
	if name == "" {
		t.Skip("SENIM_BETTERTLS names no export of BetterTLS; see make bettertls")
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var export struct {
		Root   []byte `json:"trustRoot"`
		Suites map[string]struct {
			Cases []betterTLSCase `json:"testCases"`
		} `json:"suites"`
	}
	if err := json.Unmarshal(data, &export); err != nil {
		t.Fatal(err)
	}
	web, err := x509.ParseCertificate(export.Root)
	if err != nil {
		t.Fatal(err)
	}
	at := web.NotBefore.Add(25 * time.Hour) // certificates are made to begin a day before the export
	keys := map[string]crypto.Signer{}
	for _, suite := range []string{"pathbuilding", "nameconstraints"} {
		passed, otherwise := 0, map[string]int{}
		for _, c := range export.Suites[suite].Cases {
			err := c.judge(t, export.Root, at, keys)
			reason := betterTLSDifferent[suite][c.ID]
			switch same := (err == nil) == (c.Expected == "ACCEPT"); {
			case same && reason != "":
				t.Errorf("%s %d: listed as different (%s), but it is not", suite, c.ID, reason)
			case same:
				passed++
			case reason != "":
				otherwise[reason]++
			default:
				t.Errorf("%s %d: want %s, got %v", suite, c.ID, c.Expected, err)
			}
		}
		t.Logf("BetterTLS %s: %d cases, translated to GOST512: %d passed, otherwise: %s", suite, len(export.Suites[suite].Cases), passed, fmt.Sprint(otherwise))
	}
}

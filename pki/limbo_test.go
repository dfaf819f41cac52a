package pki_test

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/pki"
)

// limboCase is what we use of a case of x509-limbo.
type limboCase struct {
	ID             string   `json:"id"`
	Features       []string `json:"features"`
	Trusted        []string `json:"trusted_certs"`
	Untrusted      []string `json:"untrusted_intermediates"`
	Peer           string   `json:"peer_certificate"`
	Time           string   `json:"validation_time"`
	Kind           string   `json:"validation_kind"`
	KeyUsage       []string `json:"key_usage"`
	ExtKeyUsage    []string `json:"extended_key_usage"`
	ExpectedResult string   `json:"expected_result"`
	MaxDepth       *int     `json:"max_chain_depth"`
	CRLs           []string `json:"crls"`
}

// judge is a caller of pki as the suite imagines one: path, lists, then the purpose of the leaf.
func (c limboCase) judge(t *testing.T, keys map[string]crypto.Signer) error {
	tr := &translator{t: t, keys: keys}
	for _, texts := range [][]string{c.Trusted, c.Untrusted, {c.Peer}} {
		tr.learn(texts)
	}
	pool := pki.NewPool()
	add := func(texts []string, into func(*pki.Certificate)) {
		for _, der := range tr.translatePEM(texts, false) {
			if cert, err := pki.ParseCertificate(der); err == nil {
				into(cert)
			}
		}
	}
	add(c.Trusted, pool.AddRoot)
	add(c.Untrusted, pool.AddIntermediate)
	leaf, err := pki.ParseCertificate(tr.translatePEM([]string{c.Peer}, false)[0])
	if err != nil {
		return err
	}
	r := pki.Rules{At: time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), Revocation: len(c.CRLs) > 0}
	if c.Time != "" {
		if r.At, err = time.Parse(time.RFC3339, c.Time); err != nil {
			t.Fatal(err)
		}
	}
	for _, der := range tr.translatePEM(c.CRLs, true) {
		l, err := pki.ParseRevocationList(der)
		if err != nil {
			return err
		}
		r.Lists = append(r.Lists, l)
	}
	path, err := pool.Validate(leaf, r)
	if err != nil {
		return err
	}
	return c.caller(path)
}

// caller makes the checks pki leaves to its callers.
func (c limboCase) caller(path *pki.Path) error {
	leaf := path.Chain[0]
	usage := pki.ServerAuth
	if c.Kind == "CLIENT" {
		usage = pki.ClientAuth
	}
	if len(leaf.ExtKeyUsage) > 0 && !leaf.HasUsage(usage) && !leaf.HasUsage(pki.AnyUsage) {
		return errors.New("not for this purpose")
	}
	between := 0
	for _, issuer := range path.Chain[1:] {
		if string(issuer.RawIssuer) != string(issuer.RawSubject) {
			between++
		}
	}
	if c.MaxDepth != nil && between > *c.MaxDepth {
		return fmt.Errorf("%d authorities between", between)
	}
	return nil
}

// TestLimbo runs x509-limbo without its BetterTLS part, translated to GOST512.
func TestLimbo(t *testing.T) {
	var suite struct {
		Cases []limboCase `json:"testcases"`
	}
	if err := json.Unmarshal(pkitest.Fixture(t, "limbo/limbo-core.json"), &suite); err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{}
	passed, byReason := 0, map[string]int{}
	for _, c := range suite.Cases {
		want := c.ExpectedResult == "SUCCESS"
		err := c.judge(t, keys)
		reason := limboDifferent[c.ID]
		switch same := (err == nil) == want; {
		case same && reason != "":
			t.Errorf("%s: listed as different (%s), but it is not", c.ID, reason)
		case same:
			passed++
		case reason != "":
			byReason[reason]++
		default:
			t.Errorf("%s: want %s, got %v", c.ID, c.ExpectedResult, err)
		}
	}
	t.Logf("x509-limbo core: %d cases, translated to GOST512: %d passed, %d decided otherwise:", len(suite.Cases), passed, len(suite.Cases)-passed)
	reasons := make([]string, 0, len(byReason))
	for reason := range byReason {
		reasons = append(reasons, reason)
	}
	sort.Strings(reasons)
	for _, reason := range reasons {
		t.Logf("%3d  %s", byReason[reason], reason)
	}
}

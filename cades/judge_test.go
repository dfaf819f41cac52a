package cades

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"senim/algid"
	"senim/pki"
	"senim/tsp"
)

// TestJudge: a signature of another form is judged as a CMS one is.
func TestJudge(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	stranger := namedWorld(t, algid.GOST512, "OTHER")
	c, stampedAt := w.signer.Certificate, t0.Add(time.Minute)
	good := w.read(w.token(w.tsa, stampedAt, []byte("signature")))
	unknown := w.read(stranger.token(stranger.tsa, stampedAt, []byte("signature")))
	soon, late := t0.Add(time.Hour), c.NotAfter.Add(day)
	kept := w.told(late) // with a list kept from the life of the certificate
	kept.Lists = append(kept.Lists, w.list(soon))
	revoked := pki.Entry{Serial: c.Serial, RevokedAt: t0.Add(30 * time.Minute), Reason: pki.Superseded, HasReason: true}
	invalid := revoked // found out later
	invalid.InvalidAt = t0
	before := pki.Entry{Serial: c.Serial, RevokedAt: t0, Reason: pki.Superseded, HasReason: true}
	for name, test := range map[string]struct {
		tokens  []*tsp.Token
		trust   Trust
		outcome Outcome
		proved  time.Time
	}{
		"no time-stamp":              {nil, w.told(soon), Valid, time.Time{}},
		"stamped":                    {[]*tsp.Token{good}, w.told(soon), Valid, stampedAt},
		"expired":                    {nil, w.told(late), Invalid, time.Time{}},
		"expired later":              {[]*tsp.Token{good}, kept, Valid, stampedAt},
		"revoked":                    {nil, w.told(soon, revoked), Invalid, time.Time{}},
		"revoked later":              {[]*tsp.Token{good}, w.told(soon, revoked), Valid, stampedAt},
		"not to be trusted before":   {[]*tsp.Token{good}, w.told(soon, invalid), Invalid, stampedAt},
		"revoked before":             {[]*tsp.Token{good}, w.told(soon, before), Invalid, stampedAt},
		"by a stranger":              {[]*tsp.Token{unknown}, w.told(soon), Valid, time.Time{}},
		"by a stranger, and late":    {[]*tsp.Token{unknown}, w.told(late), CannotSay, time.Time{}},
		"one good, one a stranger's": {[]*tsp.Token{unknown, good}, kept, Valid, stampedAt},
		"no revocation data":         {[]*tsp.Token{good}, w.trust(soon), CannotSay, time.Time{}},
	} {
		s, err := Judge(c, t0, test.tokens, test.trust)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Outcome != test.outcome || !s.Proved.Equal(test.proved) || (s.Err == nil) != (s.Outcome == Valid) {
			t.Errorf("%s: %v (%v), proved %v", name, s.Outcome, s.Err, s.Proved)
		}
	}
	if s, err := Judge(stranger.signer.Certificate, t0, nil, w.told(soon)); err != nil || s.Outcome == Valid || !errors.Is(s.Err, pki.ErrUntrusted) {
		t.Errorf("a stranger's certificate: %+v, %v", s, err)
	}
	if _, err := Judge(c, t0, nil, Trust{}); err == nil {
		t.Error("judged by no trust")
	}
	many := make([]*tsp.Token, 33)
	for i := range many {
		many[i] = good
	}
	if _, err := Judge(c, t0, many, w.told(soon)); err == nil {
		t.Error("33 time-stamps were taken")
	}
}

func (w *world) read(token []byte) *tsp.Token {
	w.t.Helper()
	t, err := tsp.ParseToken(token)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// TestPreparedAuthority: the key of an authority that vouched often gets a table, a stranger's does not, and no verdict changes.
func TestPreparedAuthority(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	stranger := namedWorld(t, algid.GOST512, "OTHER")
	trust := w.told(t0.Add(time.Hour))
	trust.Keys = new(algid.PreparedKeys)
	good := w.read(w.token(w.tsa, t0.Add(time.Minute), []byte("signature")))
	unknown := w.read(stranger.token(stranger.tsa, t0.Add(time.Minute), []byte("signature")))
	forged := bytes.Clone(good.Raw())
	forged[len(forged)-1] ^= 1
	for range 12 {
		s, err := Judge(w.signer.Certificate, t0, []*tsp.Token{good, unknown}, trust)
		if err != nil || s.Proved.IsZero() || s.Timestamps[0].Outcome != Valid || s.Timestamps[1].Outcome == Valid {
			t.Fatalf("%+v, %v", s, err)
		}
		if s, err = Judge(w.signer.Certificate, t0, []*tsp.Token{w.read(forged)}, trust); err != nil || !s.Proved.IsZero() {
			t.Fatalf("a forged token proves %+v, %v", s, err)
		}
	}
	if key := w.tsa.Certificate.PublicKey; trust.Keys.Ready(key) == key {
		t.Error("the authority's key has no table")
	}
	if key := stranger.tsa.Certificate.PublicKey; trust.Keys.Ready(key) != key {
		t.Error("a stranger's key has one")
	}
}

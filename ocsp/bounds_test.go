package ocsp_test

import (
	"bytes"
	"crypto/rand"
	"math/big"
	"slices"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/ocsp"
	"senim/pki"
)

// The bounds of security.md §3 and RFC 9654: the last that passes, the first that does not.
func TestSec3Bounds(t *testing.T) {
	a := pkitest.New(t)
	responder := a.Responder()
	id, err := ocsp.NewCertID(algid.SHA256, a.CA, big.NewInt(7))
	if err != nil {
		t.Fatal(err)
	}
	question := func(r ocsp.Request) error {
		der, err := ocsp.CreateRequest(r)
		if err != nil {
			return err
		}
		_, err = ocsp.ParseRequest(der)
		return err
	}
	answer := func(tpl ocsp.ResponseTemplate) error {
		tpl.ProducedAt = a.Now
		der, err := ocsp.CreateResponse(rand.Reader, responder.Key, responder.Certificate, tpl)
		if err != nil {
			return err
		}
		_, err = ocsp.ParseResponse(der)
		return err
	}
	single := ocsp.Single{ID: id, Status: ocsp.Good, ThisUpdate: a.Now}
	for name, c := range map[string]struct {
		bound int
		try   func(int) error
	}{
		"questions": {64, func(n int) error { return question(ocsp.Request{IDs: slices.Repeat([]ocsp.CertID{id}, n)}) }},
		"octets of nonce in a question": {128, func(n int) error {
			return question(ocsp.Request{IDs: []ocsp.CertID{id}, Nonce: make([]byte, n)})
		}},
		"answers": {64, func(n int) error {
			return answer(ocsp.ResponseTemplate{Singles: slices.Repeat([]ocsp.Single{single}, n)})
		}},
		"octets of nonce in an answer": {128, func(n int) error {
			return answer(ocsp.ResponseTemplate{Singles: []ocsp.Single{single}, Nonce: make([]byte, n)})
		}},
		"bits of a serial": {160, func(n int) error {
			long := id
			long.Serial = new(big.Int).Lsh(big.NewInt(1), uint(n-1))
			return question(ocsp.Request{IDs: []ocsp.CertID{long}})
		}},
		"bytes of a question": {64 << 10, func(n int) error {
			if _, err := ocsp.ParseRequest(make([]byte, n)); strings.Contains(err.Error(), "too many") {
				return err
			}
			return nil
		}},
		"bytes of an answer": {64 << 10, func(n int) error {
			if _, err := ocsp.ParseResponse(make([]byte, n)); strings.Contains(err.Error(), "too many") {
				return err
			}
			return nil
		}},
	} {
		if err := c.try(c.bound); err != nil {
			t.Errorf("%d %s: %v", c.bound, name, err)
		}
		if err := c.try(c.bound + 1); err == nil {
			t.Errorf("%d %s accepted", c.bound+1, name)
		}
	}
	for _, empty := range []ocsp.Request{{}, {IDs: []ocsp.CertID{id}, Nonce: []byte{}}} {
		if _, err := ocsp.CreateRequest(empty); err == nil {
			t.Errorf("written: %+v", empty)
		}
	}
}

// Nonces as they come: an OCTET STRING inside extnValue (RFC 8954, 9654), the bare bytes of old
// clients, none (RFC 5019); two or an empty one are refused.
func TestNonces(t *testing.T) {
	a := pkitest.New(t)
	id, err := ocsp.NewCertID(algid.SHA1, a.CA, big.NewInt(7))
	if err != nil {
		t.Fatal(err)
	}
	der, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{id}, Nonce: []byte("12345678")})
	if err != nil {
		t.Fatal(err)
	}
	value := []byte("\x04\x0a\x04\x0812345678")
	if !bytes.Contains(der, value) {
		t.Fatalf("no OCTET STRING inside extnValue: %x", der)
	}
	for name, c := range map[string]struct {
		value string
		want  string
		good  bool
	}{
		"wrapped":                  {"\x04\x0a\x04\x0812345678", "12345678", true},
		"bare":                     {"\x04\x0a1234567890", "1234567890", true},
		"looks wrapped, is longer": {"\x04\x0a\x04\x061234567", "", false}, // cut: the element overruns
	} {
		bad := bytes.Replace(der, value, []byte(c.value), 1)
		q, err := ocsp.ParseRequest(bad)
		if (err == nil) != c.good || err == nil && string(q.Nonce) != c.want {
			t.Errorf("%s: %+v, %v", name, q, err)
		}
	}
}

// What the standard and the national responder leave free (crypto.md §12, §18): an answer named by
// name or by key, no nextUpdate, hashes of any kind we know, with their NULL or without.
func TestTolerance(t *testing.T) {
	a := pkitest.New(t)
	responder, leaf := a.Responder(), a.Individual().Certificate
	for _, hash := range []algid.Hash{algid.SHA1, algid.SHA256, algid.SHA384, algid.SHA512, algid.Streebog256, algid.Streebog512, algid.GOST34311} {
		request := pkitest.Question(t, hash, a.CA, leaf.Serial, nil)
		with := hash.Identifier()
		bare := bytes.Clone(with[:len(with)-2])
		bare[1] -= 2
		for _, q := range [][]byte{request, shorter(t, request, with, bare)} {
			asked, err := ocsp.ParseRequest(q)
			if err != nil || asked.IDs[0].Hash != hash || !asked.IDs[0].IssuedBy(a.CA) {
				t.Errorf("%v: %v", hash, err)
			}
		}
		r := parse(t, a.Answer(responder, request, nil))
		if s, ok := r.Find(a.CA, leaf.Serial); !ok || s.Status != ocsp.Good {
			t.Errorf("%v: no answer", hash)
		}
	}
	s := told(t, a, responder, leaf, ocsp.Single{ThisUpdate: a.Now})
	if _, err := ocsp.Verify(s, a.CA, a.Now); err != nil || !s.Singles[0].NextUpdate.IsZero() {
		t.Errorf("no nextUpdate: %v", err)
	}
	never := told(t, a, responder, leaf, ocsp.Single{Status: ocsp.Revoked, RevokedAt: a.Now.AddDate(-56, 0, 0), Reason: pki.CertificateHold, HasReason: true, ThisUpdate: a.Now})
	if s, ok := never.Find(a.CA, leaf.Serial); !ok || s.Status != ocsp.Revoked {
		t.Errorf("never issued: %+v", s)
	}
	unknown := bytes.Replace(pkitest.Question(t, algid.SHA1, a.CA, leaf.Serial, nil), []byte{0x2b, 0x0e, 3, 2, 26}, []byte{0x2b, 0x0e, 3, 2, 27}, 1)
	if _, err := ocsp.ParseRequest(unknown); err == nil {
		t.Error("a hash nobody knows")
	}
}

// shorter replaces two bytes less in a request whose lengths are all below 128 or of one octet.
func shorter(t *testing.T, der, old, replacement []byte) []byte {
	t.Helper()
	at := bytes.Index(der, old)
	if at < 0 {
		t.Fatal("not there")
	}
	out := slices.Concat(der[:at], replacement, der[at+len(old):])
	lost := byte(len(old) - len(replacement))
	for i := 0; i < at; { // the headers of the SEQUENCEs around it
		switch {
		case out[i+1] < 0x80:
			out[i+1] -= lost
			i += 2
		case out[i+1] == 0x81 && out[i+2] >= 0x80+lost:
			out[i+2] -= lost
			i += 3
		case out[i+1] == 0x81: // the length fits one octet now
			out[i+1] = out[i+2] - lost
			out = slices.Delete(out, i+2, i+3)
			return shorterFrom(out, i)
		}
	}
	return out
}

// shorterFrom takes one more octet off what stands around the header at i.
func shorterFrom(out []byte, i int) []byte {
	for j := 0; j < i; {
		if out[j+1] < 0x80 {
			out[j+1]--
			j += 2
			continue
		}
		out[j+2]--
		j += 3
	}
	return out
}

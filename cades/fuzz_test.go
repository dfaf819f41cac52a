package cades

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/ocsp"
	"senim/pki"
)

func FuzzIndex(f *testing.F) {
	x := &hashIndex{hash: algid.SHA256, certificates: [][]byte{algid.SHA256.Sum(nil)}, attributes: [][]byte{algid.SHA256.Sum(nil)}}
	der, err := x.marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add(append([]byte{0x30, byte(len(der) - 2 - len(algid.SHA256.Identifier()))}, der[2+len(algid.SHA256.Identifier()):]...))
	f.Fuzz(func(t *testing.T, der []byte) {
		x, err := parseIndex(der)
		if err != nil {
			return
		}
		again, err := x.marshal()
		if err != nil {
			t.Fatalf("read, not written: %v", err)
		}
		if bytes.Contains(der, x.hash.Identifier()) && !bytes.Equal(again, der) {
			t.Errorf("%x written %x", der, again)
		}
		back, err := parseIndex(again)
		same := func(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }
		if err != nil || back.hash != x.hash || !same(back.certificates, x.certificates) || !same(back.revocation, x.revocation) || !same(back.attributes, x.attributes) {
			t.Errorf("written otherwise: %v", err)
		}
	})
}

func TestIndexRefused(t *testing.T) {
	digest := append([]byte{4, 32}, make([]byte, 32)...)
	id := algid.SHA256.Identifier()
	list := func(n int) []byte {
		body := bytes.Repeat(digest, n)
		return append([]byte{0x30, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
	}
	sequence := func(parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		return append([]byte{0x30, 0x83, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
	}
	empty := []byte{0x30, 0}
	if _, err := parseIndex(sequence(id, list(maxIndex), list(maxIndex), list(maxIndex))); err != nil {
		t.Errorf("full: %v", err)
	}
	for name, bad := range map[string][]byte{
		"too many":      sequence(id, list(maxIndex+1), list(maxIndex), list(maxIndex)),
		"two lists":     {0x30, 4, 0x30, 0, 0x30, 0},
		"five parts":    append([]byte{0x30, byte(len(id) + 8)}, slices.Concat(id, empty, empty, empty, empty)...),
		"short digest":  append([]byte{0x30, byte(len(id) + 9)}, slices.Concat(id, []byte{0x30, 3, 4, 1, 0}, empty, empty)...),
		"other hash":    append([]byte{0x30, 17}, slices.Concat([]byte{0x30, 9, 6, 7, 0x2a, 3, 4, 5, 6, 7, 8}, empty, empty, empty)...),
		"trailing":      append([]byte{0x30, byte(len(id) + 6)}, slices.Concat(id, empty, empty, empty, empty)...),
		"not sequences": {0x30, 6, 4, 0, 4, 0, 4, 0},
		"nothing":       nil,
	} {
		if _, err := parseIndex(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzValues(f *testing.F) {
	w := newWorld(f, algid.GOST512)
	f.Add(w.revocationValues([]*pki.RevocationList{w.list(t0)}, w.answer(w.responder, w.signer.Certificate, t0, nil)))
	f.Add(w.certificateValues(w.CA, w.Root))
	f.Fuzz(func(t *testing.T, der []byte) {
		here := &world{t: t}
		if certificates, err := readCertificateValues(der); err == nil && !bytes.Equal(here.certificateValues(certificates...), der) {
			t.Errorf("%x written otherwise", der)
		}
		lists, answers, err := splitRevocationValues(der)
		if err != nil {
			return
		}
		var c carried
		c.readRevocationValues(der, key{})
		if len(c.evidence) > len(lists)+len(answers) || len(c.evidence)+len(c.warnings) != len(lists)+len(answers) {
			t.Errorf("%d and %d read as %d", len(lists), len(answers), len(c.evidence))
		}
		var read []*pki.RevocationList
		var answered []*ocsp.Response
		for _, e := range c.evidence {
			if e.list != nil {
				read = append(read, e.list)
			} else {
				answered = append(answered, e.answer)
			}
		}
		again := here.revocationValues(read, answered...)
		l, a, err := splitRevocationValues(again)
		if err != nil || len(l) != len(read) || len(a) != len(answered) {
			t.Errorf("written otherwise: %v", err)
		}
	})
}

// Whatever is read, only what was signed is ever valid, and not before it was stamped. The seeds may be of
// another process, so the root is taken out of the message: who has the keys is the same.
func FuzzValidate(f *testing.F) {
	w := newWorld(f, algid.GOST512)
	bes, err := AddEvidence(w.sign(w.signer, "x"), Evidence{Certificates: []*pki.Certificate{w.CA, w.Root}})
	lt := w.enclosed(w.stamped(w.must(bes, err), w.tsa), t0.Add(10*time.Minute))
	lta := w.archived(lt, w.longTSA, t0.Add(time.Hour))
	for i, seed := range [][]byte{bes, lt, lta} {
		f.Add(seed)
		if r := anchored(f, seed, i == 0); r == nil || r.Outcome() != Valid {
			f.Fatalf("seed %d is not valid: %v", i, r)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, skip := range []bool{false, true} {
			r := anchored(t, in, skip)
			if r == nil {
				return
			}
			for _, s := range r.Signers {
				known := s.Proved.IsZero() || s.Proved.Equal(t0.Add(time.Minute)) || s.Proved.Equal(t0.Add(time.Hour))
				if s.Outcome == Valid && !known {
					t.Fatalf("nobody stamped at %v", s.Proved)
				}
			}
		}
	})
}

// anchored judges a message by the roots inside it; nil when it cannot be read.
func anchored(t testing.TB, in []byte, skip bool) *Report {
	t.Helper()
	sd, err := cms.Parse(in)
	if err != nil {
		return nil
	}
	pool := pki.NewPool()
	for _, c := range sd.Certificates() {
		if c.IsCA && bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignatureFrom(c) == nil {
			pool.AddRoot(c)
		}
	}
	r, err := Validate(sd, Document{}, Trust{Pool: pool, At: t0.Add(2 * time.Hour), NoRevocation: skip})
	if err != nil {
		return nil
	}
	if len(r.Signers) != len(sd.Signers()) {
		t.Fatalf("%d answers about %d signers", len(r.Signers), len(sd.Signers()))
	}
	if len(r.Signatories()) > 0 && string(sd.Content()) != "x" {
		t.Fatalf("nobody signed %q", sd.Content())
	}
	if len(sd.RawCertificates()) < cms.MaxCertificates/2 {
		if _, err := AddEvidence(in, Evidence{Certificates: r.Chain()}); err != nil {
			t.Fatalf("read, and cannot be added to: %v", err)
		}
	}
	return r
}

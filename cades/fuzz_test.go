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

// Whatever is read, only our signer's signature is ever valid, over our content, not before we signed.
func FuzzValidate(f *testing.F) {
	w := newWorld(f, algid.GOST512)
	bes := w.sign(w.signer, "x")
	lt := w.enclosed(w.stamped(bes, w.tsa), t0.Add(10*time.Minute))
	f.Add(bes)
	f.Add(lt)
	f.Add(w.archived(lt, w.longTSA, t0.Add(time.Hour)))
	trust := w.told(t0.Add(2 * time.Hour))
	f.Fuzz(func(t *testing.T, in []byte) {
		sd, err := cms.Parse(in)
		if err != nil {
			return
		}
		r, err := Validate(sd, Document{}, trust)
		if err != nil {
			return
		}
		if len(r.Signers) != len(sd.Signers()) {
			t.Fatalf("%d answers about %d signers", len(r.Signers), len(sd.Signers()))
		}
		for _, s := range r.Signers {
			known := s.Proved.IsZero() || !s.Proved.Before(t0)
			if s.Outcome == Valid && (string(sd.Content()) != "x" || !bytes.Equal(s.Certificate.Raw, w.signer.Certificate.Raw) || !known) {
				t.Fatalf("a stranger's signature, or at %v", s.Proved)
			}
		}
		if _, err := AddEvidence(in, Evidence{Certificates: r.Chain()}); err != nil && len(sd.RawCertificates()) < cms.MaxCertificates/2 {
			t.Fatalf("read, and cannot be added to: %v", err)
		}
	})
}

package ocsp_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/ocsp"
	"senim/pki"
)

func TestFixtureAnswers(t *testing.T) {
	for _, f := range []struct {
		name, issuer string
		revoked      time.Time
		reason       pki.Reason
	}{
		{"ocsp_response_ceo_2015_revoked.bin", "nca_gost2022_test.cer", time.Date(2022, 7, 27, 10, 25, 30, 0, time.UTC), pki.CertificateHold},
		{"ocsp_response_individual_2015.bin", "nca_gost2022_test.cer", time.Unix(0, 0).UTC(), pki.CertificateHold},
		{"ocsp_response_ceo_sign_2004_revoked.bin", "nca_gost_test.crt", time.Date(2022, 1, 18, 6, 30, 55, 0, time.UTC), pki.Superseded},
	} {
		t.Run(f.name, func(t *testing.T) {
			r, err := ocsp.ParseResponse(pkitest.Fixture(t, "ocsp/"+f.name))
			if err != nil {
				t.Fatal(err)
			}
			issuer := pkitest.FixtureCertificate(t, "ca/test/"+f.issuer)
			signer, err := ocsp.Verify(r, issuer, r.ProducedAt)
			if err != nil || !signer.NoCheck {
				t.Fatalf("signed by %v, %v", signer, err)
			}
			if len(r.Singles) != 1 || !r.ExtendedRevoke || len(r.Nonce) != 8 {
				t.Fatalf("%d answers, extended revoke %v, nonce %x", len(r.Singles), r.ExtendedRevoke, r.Nonce)
			}
			s, ok := r.Find(issuer, r.Singles[0].ID.Serial)
			if !ok || s.Status != ocsp.Revoked || !s.RevokedAt.Equal(f.revoked) || s.Reason != f.reason ||
				!s.NextUpdate.IsZero() || !s.ThisUpdate.Equal(r.ProducedAt) || s.ID.Hash != algid.SHA256 {
				t.Errorf("found %v: %+v", ok, s)
			}
			if _, ok := r.Find(issuer, big.NewInt(5)); ok {
				t.Error("an answer about another serial")
			}
			if _, err := ocsp.Verify(r, issuer, r.ProducedAt.AddDate(5, 0, 0)); !errors.Is(err, ocsp.ErrSigner) {
				t.Errorf("responder long expired: %v", err)
			}
			other := pkitest.FixtureCertificate(t, "ca/test/nca_rsa_test.crt")
			if _, err := ocsp.Verify(r, other, r.ProducedAt); err == nil {
				t.Error("verified under another authority")
			}
			if _, ok := r.Find(other, r.Singles[0].ID.Serial); ok {
				t.Error("answers for another authority")
			}
		})
	}
}

// The hashes of crypto.md §16.
func TestFixtureCertID(t *testing.T) {
	issuer := pkitest.FixtureCertificate(t, "ca/test/nca_gost2022_test.cer")
	for hash, want := range map[algid.Hash][2]string{
		algid.SHA1:   {"08bb5c2a0ef7ed2c106e6f696b68aa0706a5dc0e", "fad24b1ba3a0c961fe1ca8503e6aa2bb450db8a3"},
		algid.SHA256: {"4d49c7d498dd61ba9d6e509ef5dccb0a76c5724f0b2249e30ba0badd4521c9ea", "afc31e0625b7a4d3f0d4f6cc6b9bbab667c3b1a9b10f8f9b4683ba2768b2f518"},
	} {
		id, err := ocsp.NewCertID(hash, issuer, big.NewInt(7))
		if err != nil || hex.EncodeToString(id.NameHash) != want[0] || hex.EncodeToString(id.KeyHash) != want[1] || !id.IssuedBy(issuer) {
			t.Errorf("%v: %x %x %v", hash, id.NameHash, id.KeyHash, err)
		}
	}
}

func TestRequestRoundTrip(t *testing.T) {
	a := pkitest.New(t)
	for _, hash := range []algid.Hash{algid.SHA1, algid.SHA256, algid.Streebog512} {
		for _, nonce := range [][]byte{nil, []byte("12345678"), bytes.Repeat([]byte{7}, 32)} {
			id, err := ocsp.NewCertID(hash, a.CA, big.NewInt(0x1234))
			if err != nil {
				t.Fatal(err)
			}
			der, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{id, id}, Nonce: nonce})
			if err != nil {
				t.Fatal(err)
			}
			q, err := ocsp.ParseRequest(der)
			if err != nil || len(q.IDs) != 2 || !q.IDs[1].Equal(id) || !bytes.Equal(q.Nonce, nonce) {
				t.Errorf("%v: %+v, %v", hash, q, err)
			}
			if _, err := ocsp.ParseRequest(append(der, 0)); err == nil {
				t.Error("trailing byte accepted")
			}
		}
	}
	if _, err := ocsp.CreateRequest(ocsp.Request{}); err == nil {
		t.Error("empty request written")
	}
}

func TestAnswers(t *testing.T) {
	for _, key := range []algid.Key{algid.GOST512, algid.GOST2004, algid.RSA} {
		t.Run(key.String(), func(t *testing.T) {
			a := pkitest.New(t, pkitest.Config{Key: key})
			responder, leaf := a.Responder(), a.Individual().Certificate
			request := ask(t, a, leaf, []byte("nonce-nonce"))
			good := parse(t, a.Answer(responder, request, nil))
			signer, err := ocsp.Verify(good, a.CA, a.Now)
			if err != nil || !bytes.Equal(signer.Raw, responder.Certificate.Raw) {
				t.Fatalf("good: %v", err)
			}
			s, ok := good.Find(a.CA, leaf.Serial)
			if !ok || s.Status != ocsp.Good || !s.NextUpdate.Equal(a.Now.AddDate(0, 0, 1)) || string(good.Nonce) != "nonce-nonce" || !good.ExtendedRevoke {
				t.Errorf("%v %+v %+v", ok, s, good)
			}
			e := a.Revoked(leaf, pki.KeyCompromise)
			bad := parse(t, a.Answer(responder, request, &e))
			if s, ok := bad.Find(a.CA, leaf.Serial); !ok || s.Status != ocsp.Revoked || s.Reason != pki.KeyCompromise || !s.RevokedAt.Equal(e.RevokedAt) {
				t.Errorf("revoked: %v %+v", ok, s)
			}
			byCA := parse(t, a.Answer(&pkitest.Leaf{Certificate: a.CA, Key: a.CAKey}, request, nil))
			if _, err := ocsp.Verify(byCA, a.CA, a.Now); err != nil {
				t.Errorf("signed by the issuer itself: %v", err)
			}
		})
	}
}

func ask(t *testing.T, a *pkitest.Authority, leaf *pki.Certificate, nonce []byte) []byte {
	t.Helper()
	return pkitest.Question(t, algid.SHA256, a.CA, leaf.Serial, nonce)
}

func parse(t *testing.T, der []byte) *ocsp.Response {
	t.Helper()
	r, err := ocsp.ParseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Whoever has no right to answer is refused, even with a good signature.
func TestSignersRefused(t *testing.T) {
	a, other := pkitest.New(t), pkitest.New(t)
	leaf := a.Individual()
	request := ask(t, a, leaf.Certificate, nil)
	late := a.Issue(pkitest.Spec{Holder: pki.Holder{CommonName: "OCSP"}, NotBefore: a.Now.AddDate(-1, 0, -1), NotAfter: a.Now.AddDate(0, 0, 2),
		Change: func(t *pki.Template) { t.ExtKeyUsage = append(t.ExtKeyUsage, pki.OCSPSigning) }})
	for name, c := range map[string]struct {
		signer *pkitest.Leaf
		at     time.Time
	}{
		"a person":                           {leaf, a.Now},
		"another authority":                  {other.Responder(), a.Now},
		"the other CA":                       {&pkitest.Leaf{Certificate: other.CA, Key: other.CAKey}, a.Now},
		"the root":                           {&pkitest.Leaf{Certificate: a.Root, Key: a.RootKey}, a.Now},
		"an expired responder":               {late, a.Now.AddDate(0, 0, 3)},
		"the right certificate, another key": {&pkitest.Leaf{Certificate: a.Responder().Certificate, Key: leaf.Key}, a.Now},
	} {
		r := parse(t, a.Answer(c.signer, request, nil))
		if signer, err := ocsp.Verify(r, a.CA, c.at); err == nil {
			t.Errorf("%s: accepted, signed by %s", name, signer.Subject)
		}
	}
}

// One Verifier sees all the changed answers, so most of them with the keys prepared.
func TestTampered(t *testing.T) {
	a := pkitest.New(t)
	var v ocsp.Verifier
	responder, leaf := a.Responder(), a.Individual()
	der := a.Answer(responder, ask(t, a, leaf.Certificate, []byte("12345678")), nil)
	for i := range der {
		bad := bytes.Clone(der)
		bad[i] ^= 1
		r, err := ocsp.ParseResponse(bad)
		if err != nil || r.Status != ocsp.Successful {
			continue
		}
		if _, err := v.Verify(r, a.CA, a.Now); err == nil && !bytes.Equal(r.RawTBS, parse(t, der).RawTBS) {
			t.Errorf("byte %d changed and still good", i)
		}
	}
	if signer, err := v.Verify(parse(t, der), a.CA, a.Now); err != nil || !bytes.Equal(signer.Raw, responder.Certificate.Raw) {
		t.Errorf("unchanged: %v", err)
	}
	if _, err := ocsp.ParseResponse(append(bytes.Clone(der), 0)); err == nil {
		t.Error("trailing byte accepted")
	}
}

func TestErrorAnswers(t *testing.T) {
	a := pkitest.New(t)
	for status, want := range map[ocsp.ResponseStatus]string{
		ocsp.Malformed: "30030a0101", ocsp.InternalError: "30030a0102", ocsp.TryLater: "30030a0103",
		ocsp.SigRequired: "30030a0105", ocsp.Unauthorized: "30030a0106", ocsp.Successful: "30030a0102",
	} {
		der := ocsp.ErrorResponse(status)
		if hex.EncodeToString(der) != want {
			t.Errorf("%v: %x", status, der)
		}
		r := parse(t, der)
		if _, err := ocsp.Verify(r, a.CA, a.Now); err == nil {
			t.Errorf("%v verifies", r.Status)
		}
		if _, ok := r.Find(a.CA, big.NewInt(1)); ok {
			t.Errorf("%v answers", r.Status)
		}
	}
}

func TestTemplatesRefused(t *testing.T) {
	a := pkitest.New(t)
	responder := a.Responder()
	id, err := ocsp.NewCertID(algid.SHA256, a.CA, big.NewInt(9))
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]ocsp.Single{
		"no status":          {ID: id, ThisUpdate: a.Now},
		"no id":              {Status: ocsp.Good, ThisUpdate: a.Now},
		"reason 7":           {ID: id, Status: ocsp.Revoked, RevokedAt: a.Now, Reason: 7, HasReason: true, ThisUpdate: a.Now},
		"outlives responder": {ID: id, Status: ocsp.Good, ThisUpdate: a.Now, NextUpdate: responder.Certificate.NotAfter.Add(time.Second)},
	} {
		tpl := ocsp.ResponseTemplate{ProducedAt: a.Now, Singles: []ocsp.Single{s}}
		if _, err := ocsp.CreateResponse(rand.Reader, responder.Key, responder.Certificate, tpl); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	a := pkitest.New(f)
	id, err := ocsp.NewCertID(algid.SHA1, a.CA, big.NewInt(77))
	if err != nil {
		f.Fatal(err)
	}
	q, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{id}, Nonce: []byte("12345678")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(q)
	f.Add(a.Answer(a.Responder(), q, nil))
	f.Add(ocsp.ErrorResponse(ocsp.TryLater))
	f.Fuzz(func(t *testing.T, der []byte) {
		if q, err := ocsp.ParseRequest(der); err == nil {
			again, err := ocsp.CreateRequest(*q)
			if err != nil {
				t.Fatalf("read, not written: %v", err)
			}
			if back, err := ocsp.ParseRequest(again); err != nil || len(back.IDs) != len(q.IDs) || !bytes.Equal(back.Nonce, q.Nonce) {
				t.Errorf("written otherwise: %v", err)
			}
		}
		if r, err := ocsp.ParseResponse(der); err == nil {
			if _, err := ocsp.Verify(r, a.CA, a.Now); err == nil && r.Status != ocsp.Successful {
				t.Error("verifies without a signature")
			}
		}
	})
}

// The answer inside an answer is read as the whole is, and written back around.
func TestParseBasicResponse(t *testing.T) {
	a := pkitest.New(t)
	c := a.Individual().Certificate
	whole := a.Answer(a.Responder(), pkitest.Question(t, algid.SHA256, a.CA, c.Serial, nil), nil)
	at := bytes.Index(whole, []byte{0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1, 4}) // id-pkix-ocsp-basic, then the OCTET STRING
	basic := whole[at+10+1+int(whole[at+10]&0x7f):]
	r, err := ocsp.ParseBasicResponse(basic)
	if err != nil || !bytes.Equal(r.Raw, whole) {
		t.Fatalf("%v", err)
	}
	if _, err := ocsp.Verify(r, a.CA, a.Now); err != nil {
		t.Error(err)
	}
	if s, ok := r.Find(a.CA, c.Serial); !ok || s.Status != ocsp.Good {
		t.Errorf("%+v, %v", s, ok)
	}
	for name, bad := range map[string][]byte{"trailing": append(bytes.Clone(basic), 0), "cut": basic[:len(basic)-1], "whole": whole, "nothing": nil, "huge": make([]byte, 65<<10)} {
		if _, err := ocsp.ParseBasicResponse(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzElements puts any element into any place of an answer, the lengths around it made right: changes
// of bytes alone rarely pass the check of the whole.
func FuzzElements(f *testing.F) {
	a := pkitest.New(f)
	e := a.Revoked(a.CA, pki.CertificateHold)
	question := pkitest.Question(f, algid.SHA256, a.CA, big.NewInt(7), []byte("12345678"))
	whole := a.Answer(a.Responder(), question, &e)
	for which := range 60 {
		f.Add(uint16(which), []byte{5, 0})
		f.Add(uint16(which), []byte{0x80, 0})
		f.Add(uint16(which), []byte{0x30, 3, 2, 1, 5})
	}
	f.Fuzz(func(t *testing.T, which uint16, element []byte) {
		ocsp.ReadResponse(t, pkitest.Graft(whole, int(which), element))
		if q, err := ocsp.ParseRequest(pkitest.Graft(question, int(which), element)); err == nil {
			if _, err := ocsp.CreateRequest(*q); err != nil {
				t.Errorf("read, not written: %v", err)
			}
		}
	})
}

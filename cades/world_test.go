package cades

import (
	"crypto/rand"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
	"senim/ocsp"
	"senim/pki"
	"senim/tsp"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// t0 is when documents are signed here.
var t0 = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

// world is an authority with a signer whose certificate lives a year, and everybody else.
type world struct {
	*pkitest.Authority
	t         testing.TB
	kind      algid.Key
	hash      algid.Hash
	signer    *pkitest.Leaf
	tsa       *pkitest.Leaf // a year
	longTSA   *pkitest.Leaf // ten years
	responder *pkitest.Leaf // a year
	serial    int64
	bareIndex bool // hash indexes are written without their algorithm
}

func newWorld(t testing.TB, kind algid.Key) *world { return namedWorld(t, kind, "TEST") }

func namedWorld(t testing.TB, kind algid.Key, name string) *world {
	t.Helper()
	w := &world{Authority: pkitest.New(t, pkitest.Config{Key: kind, Name: name}), t: t, kind: kind, hash: algid.Streebog512}
	if kind == algid.RSA {
		w.hash = algid.SHA256
	}
	w.signer = w.Issue(pkitest.Spec{Kind: kind})
	w.tsa, w.longTSA = w.newTSA(t0.Add(-day), t0.Add(year)), w.newTSA(t0.Add(-day), t0.Add(10*year))
	w.responder = w.Responder()
	return w
}

func (w *world) newTSA(from, to time.Time) *pkitest.Leaf {
	return w.Issue(pkitest.Spec{Kind: w.kind, Holder: pkitest.Person(), NotBefore: from, NotAfter: to, Change: func(t *pki.Template) {
		t.Subject = pki.Name{pki.NewAttribute(pki.OIDCommonName, "TIME-STAMPING AUTHORITY"), pki.NewAttribute(pki.OIDCountry, "KZ")}
		t.KeyUsage, t.ExtKeyUsage, t.ExtKeyUsageCritical = pki.DigitalSignature, []asn1.ObjectIdentifier{pki.TimeStamping}, true
	}})
}

// sign makes a BES message.
func (w *world) sign(l *pkitest.Leaf, content string) []byte {
	w.t.Helper()
	out, err := cms.Sign(rand.Reader, cms.Options{Key: l.Key, Certificate: l.Certificate, Content: []byte(content), SigningTime: t0})
	return w.must(out, err)
}

func (w *world) must(out []byte, err error) []byte {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// by stamps at a time.
func (w *world) by(tsa *pkitest.Leaf, at time.Time) Stamper {
	return func(i tsp.Imprint) ([]byte, error) {
		w.serial++
		der, err := tsp.CreateResponse(rand.Reader, tsa.Key, tsa.Certificate, &tsp.Request{Imprint: i, Certificate: true},
			tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(w.serial), Time: at})
		if err != nil {
			return nil, err
		}
		r, err := tsp.ParseResponse(der)
		if err != nil {
			return nil, err
		}
		return r.Token.Raw(), nil
	}
}

// stamped raises to T a minute after signing.
func (w *world) stamped(message []byte, tsa *pkitest.Leaf) []byte {
	w.t.Helper()
	out, err := AddTimestamp(message, 0, w.hash, w.by(tsa, t0.Add(time.Minute)))
	return w.must(out, err)
}

// list is signed by the issuing authority at a time, for a week.
func (w *world) list(at time.Time, entries ...pki.Entry) *pki.RevocationList {
	w.t.Helper()
	return w.parseList(w.ListOf(pki.ListTemplate{Number: big.NewInt(at.Unix()), ThisUpdate: at, NextUpdate: at.Add(7 * day), Entries: entries}))
}

// rootList is the same of the root.
func (w *world) rootList(at time.Time, entries ...pki.Entry) *pki.RevocationList {
	w.t.Helper()
	der, err := pki.CreateRevocationList(rand.Reader, w.RootKey, w.Root, pki.ListTemplate{
		Number: big.NewInt(at.Unix()), ThisUpdate: at, NextUpdate: at.Add(180 * day), Entries: entries})
	return w.parseList(w.must(der, err))
}

func (w *world) parseList(der []byte) *pki.RevocationList {
	w.t.Helper()
	l, err := pki.ParseRevocationList(der)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func revokedAt(c *pki.Certificate, at time.Time, why pki.Reason) pki.Entry {
	return pki.Entry{Serial: c.Serial, RevokedAt: at, Reason: why, HasReason: true}
}

// answer is of the responder, about one certificate; like the national one it does not say when the
// next will be.
func (w *world) answer(by *pkitest.Leaf, c *pki.Certificate, at time.Time, entry *pki.Entry) *ocsp.Response {
	w.t.Helper()
	id, err := ocsp.NewCertID(algid.SHA256, w.CA, c.Serial)
	if err != nil {
		w.t.Fatal(err)
	}
	s := ocsp.Single{ID: id, Status: ocsp.Good, ThisUpdate: at}
	if entry != nil {
		s.Status, s.RevokedAt, s.Reason, s.HasReason = ocsp.Revoked, entry.RevokedAt, entry.Reason, entry.HasReason
	}
	return w.parseAnswer(ocsp.CreateResponse(rand.Reader, by.Key, by.Certificate, ocsp.ResponseTemplate{ProducedAt: at, Singles: []ocsp.Single{s}}))
}

func (w *world) parseAnswer(der []byte, err error) *ocsp.Response {
	w.t.Helper()
	r, err := ocsp.ParseResponse(w.must(der, err))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// enclosed raises to LT as of a time: an answer about the signer, lists about the rest.
func (w *world) enclosed(message []byte, at time.Time) []byte {
	w.t.Helper()
	r := w.validate(message, w.trust(at))
	e := Evidence{Certificates: r.Chain(), Lists: []*pki.RevocationList{w.list(at), w.rootList(at)}}
	if at.Before(t0.Add(year)) {
		e.Answers = []*ocsp.Response{w.answer(w.responder, w.signer.Certificate, at, nil)}
	}
	out, err := AddEvidence(message, e)
	return w.must(out, err)
}

// archived raises to LTA.
func (w *world) archived(message []byte, tsa *pkitest.Leaf, at time.Time) []byte {
	w.t.Helper()
	out, err := AddArchiveTimestamp(message, 0, Document{}, w.hash, w.by(tsa, at))
	return w.must(out, err)
}

// trust judges at a time with no evidence besides.
func (w *world) trust(at time.Time) Trust { return Trust{Pool: w.Pool(), At: at} }

// told adds fresh lists as of the moment of judging.
func (w *world) told(at time.Time, entries ...pki.Entry) Trust {
	t := w.trust(at)
	t.Lists = []*pki.RevocationList{w.list(at.Add(-time.Hour), entries...), w.rootList(at.Add(-time.Hour))}
	return t
}

func (w *world) validate(message []byte, trust Trust) *Report {
	w.t.Helper()
	sd, err := cms.Parse(message)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := Validate(sd, Document{}, trust)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// want checks outcome, level and proved time of the only signer.
func (w *world) want(name string, r *Report, o Outcome, l Level, proved time.Time) {
	w.t.Helper()
	s := r.Signers[0]
	if r.Outcome() != o || s.Outcome != o || s.Level != l || !s.Proved.Equal(proved) || (s.Err == nil) != (o == Valid) {
		w.t.Errorf("%s: %v, %v, proved %v, %v; want %v, %v, %v\n%q", name, s.Outcome, s.Level, s.Proved, s.Err, o, l, proved, s.Warnings)
		for _, t := range s.Timestamps {
			w.t.Logf("time-stamp: %v, %v", t.Outcome, t.Err)
		}
	}
}

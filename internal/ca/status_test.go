package ca

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/audit"
	"senim/ocsp"
	"senim/pki"
)

type auditEvent = audit.Event

// query asks the service as a stranger would, and verifies the answer.
func (b *bench) query(t testing.TB, ca string, req ocsp.Request) *ocsp.Response {
	t.Helper()
	der, err := ocsp.CreateRequest(req)
	if err != nil {
		t.Fatal(err)
	}
	a, err := b.OCSP(t.Context(), der)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ocsp.ParseResponse(a.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != ocsp.Successful {
		return r
	}
	if _, err := ocsp.Verify(r, b.authorities[ca].cert, b.clock.now()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Nonce, req.Nonce) || !r.ExtendedRevoke {
		t.Errorf("nonce %x for %x, extended-revoke %t", r.Nonce, req.Nonce, r.ExtendedRevoke)
	}
	return r
}

func (b *bench) id(t testing.TB, serial string) ocsp.CertID {
	t.Helper()
	n, _ := new(big.Int).SetString(serial, 16)
	id, err := ocsp.NewCertID(algid.SHA256, b.authorities["gost"].cert, n)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (b *bench) ask(t testing.TB, serial string) ocsp.Single {
	t.Helper()
	r := b.query(t, "gost", ocsp.Request{IDs: []ocsp.CertID{b.id(t, serial)}})
	if len(r.Singles) != 1 {
		t.Fatalf("%d answers", len(r.Singles))
	}
	return r.Singles[0]
}

// listed tells what the published lists say: the full one, and the delta over its base.
func (b *bench) listed(t testing.TB, serial string) (full, delta bool) {
	t.Helper()
	n, _ := new(big.Int).SetString(serial, 16)
	found := make([]bool, 2)
	for i, isDelta := range []bool{false, true} {
		l, err := b.CRL(t.Context(), "gost", isDelta)
		if err != nil {
			t.Fatal(err)
		}
		list, err := pki.ParseRevocationList(l.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := list.CheckSignatureFrom(b.authorities["gost"].cert); err != nil {
			t.Error(err)
		}
		if isDelta != (list.BaseNumber != nil) {
			t.Errorf("base number %v", list.BaseNumber)
		}
		_, found[i] = list.Find(n)
	}
	return found[0], found[1]
}

// runJobs runs the publishing jobs that were asked for.
func (b *bench) runJobs(t testing.TB) {
	t.Helper()
	b.store.mu.Lock()
	jobs := b.store.d.jobs
	b.store.d.jobs = nil
	b.store.mu.Unlock()
	for _, j := range jobs {
		if j.Kind == JobPublish {
			if err := b.PublishJob(t.Context(), []byte(`{"ca":"`+j.Payload.(publishing).CA+`"}`)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSec5RevokedEverywhere: OCSP says so at once, the lists after their job, both the same.
func TestSec5RevokedEverywhere(t *testing.T) {
	b := newBench(t)
	issued, _ := mustIssue(t, b, order(t, "A-1"))
	if err := b.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.ask(t, issued.Serial).Status != ocsp.Good {
		t.Fatal("not good")
	}
	b.clock.move(time.Minute)
	v, err := b.Revoke(t.Context(), issued.Serial, KeyCompromise, "tester", start)
	if err != nil {
		t.Fatal(err)
	}
	one := b.ask(t, issued.Serial) // same second, cached before
	if one.Status != ocsp.Revoked || one.Reason != KeyCompromise || !one.RevokedAt.Equal(v.At) {
		t.Errorf("answer %+v", one)
	}
	if full, delta := b.listed(t, issued.Serial); full || delta {
		t.Error("listed before the job ran")
	}
	b.runJobs(t)
	if full, delta := b.listed(t, issued.Serial); !full || !delta {
		t.Errorf("full %t, delta %t", full, delta)
	}
	i, err := b.Certificate(t.Context(), issued.Serial)
	if err != nil || i.Revoked == nil || i.Live(b.clock.now()) {
		t.Errorf("%+v, %v", i, err)
	}
}

// TestC33RevokedTwice: the first date stays, and the list has one entry.
func TestC33RevokedTwice(t *testing.T) {
	b := newBench(t)
	issued, _ := mustIssue(t, b, order(t, "A-1"))
	first, err := b.Revoke(t.Context(), issued.Serial, CertificateHold, "one", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	b.clock.move(time.Hour)
	second, err := b.Revoke(t.Context(), issued.Serial, Superseded, "two", time.Time{})
	if err != nil || !second.At.Equal(first.At) || second.Reason != Superseded {
		t.Errorf("hold made final: %+v, %v", second, err)
	}
	before := len(b.store.snapshot().audit)
	third, err := b.Revoke(t.Context(), issued.Serial, CessationOfOperation, "three", time.Time{})
	if err != nil || third.Reason != Superseded || !third.At.Equal(first.At) {
		t.Errorf("revoked again: %+v, %v", third, err)
	}
	if len(b.store.snapshot().audit) != before {
		t.Error("a second revocation made a record")
	}
	b.runJobs(t)
	list, err := b.CRL(t.Context(), "gost", false)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := hex.DecodeString(issued.Serial)
	if n := bytes.Count(list.Raw, serial); err != nil || n != 1 {
		t.Errorf("%s stands in the list %d times, %v", issued.Serial, n, err)
	}
	if _, err := b.Revoke(t.Context(), issued.Serial, pki.RemoveFromCRL, "x", time.Time{}); err == nil {
		t.Error("removeFromCRL is no reason to choose")
	}
	if _, err := b.Revoke(t.Context(), strings.Repeat("2f", 20), Superseded, "x", time.Time{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a serial never issued: %v", err)
	}
}

func TestSec5ListNumbersAndBase(t *testing.T) {
	b := newBench(t)
	var last int64
	for range 3 {
		if err := b.Publish(t.Context(), "gost"); err != nil {
			t.Fatal(err)
		}
		full, _ := b.CRL(t.Context(), "gost", false)
		delta, _ := b.CRL(t.Context(), "gost", true)
		if full.Number <= last || full.Number != delta.Number {
			t.Errorf("full %d, delta %d after %d", full.Number, delta.Number, last)
		}
		d, err := pki.ParseRevocationList(delta.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if want := max(last, 1); d.BaseNumber.Int64() != want {
			t.Errorf("base %v, want %d", d.BaseNumber, want)
		}
		last = full.Number
		b.clock.move(13 * time.Hour)
	}
	if err := b.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	full, _ := b.CRL(t.Context(), "gost", false)
	if full.Number != last+1 {
		t.Errorf("after 13 hours: number %d", full.Number)
	}
	if err := b.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again, _ := b.CRL(t.Context(), "gost", false); again.Number != full.Number {
		t.Error("made a list that was not due")
	}
}

// TestListForgetsLate: an entry stays until some time after the end of its certificate.
func TestListForgetsLate(t *testing.T) {
	b := newBench(t)
	issued, _ := mustIssue(t, b, order(t, "A-1"))
	if _, err := b.Revoke(t.Context(), issued.Serial, Superseded, "x", time.Time{}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		after time.Duration
		want  bool
	}{{366 * 24 * time.Hour, true}, {8 * 24 * time.Hour, false}} {
		b.clock.move(tt.after)
		if err := b.Publish(t.Context(), "gost"); err != nil {
			t.Fatal(err)
		}
		if full, _ := b.listed(t, issued.Serial); full != tt.want {
			t.Errorf("listed %t, want %t", full, tt.want)
		}
	}
}

func TestSec5NeverIssued(t *testing.T) {
	b := newBench(t)
	one := b.ask(t, "1234567890123456789012345678901234567890")
	if one.Status != ocsp.Revoked || one.Reason != CertificateHold || one.RevokedAt.Unix() != 0 {
		t.Errorf("answer %+v", one)
	}
}

func TestNonceAndSHA1(t *testing.T) {
	b := newBench(t)
	issued, c := mustIssue(t, b, order(t, "A-1"))
	id, err := ocsp.NewCertID(algid.SHA1, b.authorities["gost"].cert, c.Serial)
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, 8)
	if _, err := rand.Read(nonce); err != nil {
		t.Fatal(err)
	}
	r := b.query(t, "gost", ocsp.Request{IDs: []ocsp.CertID{id}, Nonce: nonce})
	if r.Singles[0].Status != ocsp.Good || r.Singles[0].NextUpdate.IsZero() {
		t.Errorf("%s: %+v", issued.Serial, r.Singles[0])
	}
}

func TestStrangers(t *testing.T) {
	b, other := newBench(t), newBench(t)
	_, c := mustIssue(t, other, order(t, "A-1"))
	id, err := ocsp.NewCertID(algid.SHA256, other.authorities["gost"].cert, c.Serial)
	if err != nil {
		t.Fatal(err)
	}
	if r := b.query(t, "gost", ocsp.Request{IDs: []ocsp.CertID{id}}); r.Status != ocsp.Unauthorized {
		t.Errorf("foreign issuer: %v", r.Status)
	}
	a, err := b.OCSP(t.Context(), []byte("x"))
	if err != nil || !bytes.Equal(a.Raw, ocsp.ErrorResponse(ocsp.Malformed)) {
		t.Errorf("malformed: %x, %v", a.Raw, err)
	}
}

func TestSec5AnswersAreCached(t *testing.T) {
	b := newBench(t)
	issued, _ := mustIssue(t, b, order(t, "A-1"))
	der, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{b.id(t, issued.Serial)}})
	if err != nil {
		t.Fatal(err)
	}
	get := func() []byte {
		a, err := b.OCSP(t.Context(), der)
		if err != nil {
			t.Fatal(err)
		}
		return a.Raw
	}
	first := get()
	if !bytes.Equal(first, get()) {
		t.Error("signed twice")
	}
	b.clock.move(answerLife/2 + time.Second)
	if bytes.Equal(first, get()) {
		t.Error("an old answer was given out")
	}
}

func TestSec5ResponderIsRenewed(t *testing.T) {
	b := newBench(t)
	old, _ := mustIssue(t, b, order(t, "A-1"))
	before := b.authorities["gost"].responderSerial(t, b)
	b.clock.move(320 * 24 * time.Hour)
	if err := b.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := b.authorities["gost"].responderSerial(t, b); after == before {
		t.Error("the responder was not renewed")
	}
	if b.ask(t, old.Serial).Status != ocsp.Good {
		t.Error("not good")
	}
	b.clock.move(400 * 24 * time.Hour) // nobody tended: no answers, rather than bad ones
	der, _ := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{b.id(t, old.Serial)}})
	if _, err := b.OCSP(t.Context(), der); err == nil {
		t.Error("answered with an expired responder")
	}
}

func (a *authority) responderSerial(t testing.TB, b *bench) string {
	t.Helper()
	r, err := a.currentResponder(t.Context(), b.Service)
	if err != nil {
		t.Fatal(err)
	}
	return r.cert.SerialHex()
}

func TestHolders(t *testing.T) {
	b := newBench(t)
	first, _ := mustIssue(t, b, order(t, "A-1"))
	b.clock.move(time.Hour)
	o := order(t, "A-2")
	o.Replaces = first.Serial
	second, _ := mustIssue(t, b, o)
	h := order(t, "A-3")
	h.Profile, h.Subject = "head", head()
	third, _ := mustIssue(t, b, h)

	all, err := b.ByHolder(t.Context(), person().IIN, "")
	if err != nil || len(all) != 3 {
		t.Fatalf("%d certificates, %v", len(all), err)
	}
	for _, i := range all {
		switch i.Serial {
		case first.Serial:
			if i.ReplacedBy != second.Serial {
				t.Errorf("replaced by %q", i.ReplacedBy)
			}
		case second.Serial:
			if i.Replaces != first.Serial {
				t.Errorf("replaces %q", i.Replaces)
			}
		}
	}
	legal, err := b.ByHolder(t.Context(), "", "123456789021")
	if err != nil || len(legal) != 1 || legal[0].Serial != third.Serial {
		t.Errorf("of the organisation: %+v, %v", legal, err)
	}
	if _, err := b.ByHolder(t.Context(), "", ""); err == nil {
		t.Error("listed everybody")
	}
	var ending []string
	err = b.Expiring(t.Context(), start, start.AddDate(1, 0, 1), func(i Info) error {
		ending = append(ending, i.Serial)
		return nil
	})
	if err != nil || len(ending) != 3 {
		t.Errorf("%d ending, %v", len(ending), err)
	}
}

// TestSec5Release: a hold is lifted by two, and only a hold; the delta says removeFromCRL.
func TestSec5Release(t *testing.T) {
	b := newBench(t)
	issued, c := mustIssue(t, b, order(t, "A-1"))
	if err := b.Release(t.Context(), issued.Serial, "one", "two"); err == nil {
		t.Error("released what was not on hold")
	}
	if _, err := b.Revoke(t.Context(), issued.Serial, CertificateHold, "x", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), "gost"); err != nil {
		t.Fatal(err)
	}
	for _, second := range []string{"", "one"} {
		if err := b.Release(t.Context(), issued.Serial, "one", second); err == nil {
			t.Errorf("released by one and %q", second)
		}
	}
	b.clock.move(time.Hour)
	if err := b.Release(t.Context(), issued.Serial, "one", "two"); err != nil {
		t.Fatal(err)
	}
	if one := b.ask(t, issued.Serial); one.Status != ocsp.Good {
		t.Errorf("released, but %v", one.Status)
	}
	b.runJobs(t)
	full, delta := b.listed(t, issued.Serial)
	if full || !delta {
		t.Errorf("full %t, delta %t", full, delta)
	}
	l, _ := b.CRL(t.Context(), "gost", true)
	list, err := pki.ParseRevocationList(l.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := list.Find(c.Serial); !ok || e.Reason != pki.RemoveFromCRL {
		t.Errorf("delta entry %+v", e)
	}
	if _, err := b.Revoke(t.Context(), issued.Serial, KeyCompromise, "x", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if one := b.ask(t, issued.Serial); one.Status != ocsp.Revoked || one.Reason != KeyCompromise {
		t.Errorf("revoked after a release, but %v", one.Status)
	}
	if err := b.Release(t.Context(), issued.Serial, "one", "two"); err == nil {
		t.Error("released what was revoked for good")
	}
}

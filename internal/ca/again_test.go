package ca

import (
	"errors"
	"testing"
	"time"

	"senim/algid"
	"senim/ocsp"
)

// interrupt has the store fail at the next change after a step of an order.
func (b *bench) interrupt(t *testing.T, o Order, after string) {
	t.Helper()
	b.At(func(step string) {
		if step == after {
			b.store.failAt = b.store.writes + 1
		}
	})
	defer b.At(func(string) {})
	if _, err := b.Issue(t.Context(), o); !errors.Is(err, errFault) {
		t.Fatalf("not stopped after %s: %v", after, err)
	}
}

// TestSec4OrderOverRollover: an order whose serial was stored under one generation and that is finished
// by the next one is the next one's in every respect: its status and its revocation.
func TestSec4OrderOverRollover(t *testing.T) {
	b := newBench(t)
	o := order(t, "A-1")
	b.interrupt(t, o, "reserved")
	c := Ceremony{Store: b.store, Keys: b.keys, By: "tester", Now: b.clock.now}
	next, err := NextGeneration(t.Context(), c, "gost", false)
	if err != nil {
		t.Fatal(err)
	}
	c.Authorities = next
	if err := Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	b.open(t)
	issued, cert := mustIssue(t, b, o)
	if err := cert.CheckSignatureFrom(b.authorities["gost2"].cert); err != nil || issued.CA != "gost2" {
		t.Fatalf("issued by %s: %v", issued.CA, err)
	}
	i, err := b.Certificate(t.Context(), issued.Serial)
	if err != nil || i.CA != "gost2" {
		t.Errorf("recorded as of %q, %v", i.CA, err)
	}
	if again, err := b.Issue(t.Context(), o); err != nil || again.CA != "gost2" {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	id, err := ocsp.NewCertID(algid.SHA256, b.authorities["gost2"].cert, cert.Serial)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() ocsp.Status { return b.query(t, "gost2", ocsp.Request{IDs: []ocsp.CertID{id}}).Singles[0].Status }
	if got := ask(); got != ocsp.Good {
		t.Errorf("OCSP of the one who signed says %v", got)
	}
	b.mustRevoke(t, issued.Serial, KeyCompromise)
	if got := ask(); got != ocsp.Revoked {
		t.Errorf("revoked, and OCSP says %v", got)
	}
	if err := b.Publish(t.Context(), "gost2"); err != nil {
		t.Fatal(err)
	}
	if l := b.publishedList(t, "gost2", false); l.Len() != 1 {
		t.Errorf("the list of the one who signed has %d entries", l.Len())
	}
}

// TestSec4LateIntent: how long an intent may be finished counts from the intent, not from the day its
// serial was stored.
func TestSec4LateIntent(t *testing.T) {
	b := newBench(t)
	o := order(t, "A-1")
	b.interrupt(t, o, "reserved")
	b.clock.move(3 * 24 * time.Hour)
	b.interrupt(t, o, "intended")
	b.clock.move(time.Hour)
	if err := b.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustIssue(t, b, o)
}

// TestRevokedServices: what a revoked key of a service would sign nobody gets; a new one is made at once.
func TestRevokedServices(t *testing.T) {
	b := newBench(t)
	issued, _ := mustIssue(t, b, order(t, "A-1"))
	_, stamper, err := b.TimeStamper(t.Context(), algid.GOST512)
	if err != nil {
		t.Fatal(err)
	}
	responder := b.authorities["gost"].responderSerial(t, b)
	for _, serial := range []string{stamper.SerialHex(), responder} {
		b.mustRevoke(t, serial, KeyCompromise)
	}
	b.clock.move(2 * time.Minute)
	if _, c, err := b.TimeStamper(t.Context(), algid.GOST512); err == nil {
		t.Errorf("time-stamps by %s, which is revoked: %t", c.SerialHex(), c.SerialHex() == stamper.SerialHex())
	}
	der, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{b.id(t, issued.Serial)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.OCSP(t.Context(), der); err == nil {
		t.Error("answers by a responder that is revoked")
	}
	if err := b.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, c, err := b.TimeStamper(t.Context(), algid.GOST512); err != nil || c.SerialHex() == stamper.SerialHex() {
		t.Errorf("no new key for time-stamps: %v", err)
	}
	if b.authorities["gost"].responderSerial(t, b) == responder || b.ask(t, issued.Serial).Status != ocsp.Good {
		t.Error("no new responder")
	}
}

// TestSuspendedStampsNothing: whether the key for time-stamps is revoked is on record, too.
func TestSuspendedStampsNothing(t *testing.T) {
	b := newBench(t)
	b.Suspend("the database is of yesterday")
	if _, _, err := b.TimeStamper(t.Context(), algid.GOST512); !errors.Is(err, ErrSuspended) {
		t.Errorf("a key for time-stamps: %v", err)
	}
}

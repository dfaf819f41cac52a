package ra

import (
	"crypto/rand"
	"testing"

	"senim/algid"
	"senim/dsig"
	"senim/internal/pkitest"
)

// One key is renewed by one application: a second draft of the same key, as another node may have made it, is not
// taken while the first waits.
func TestOneApplicationRenewsAKey(t *testing.T) {
	w := newTown(t)
	p := w.add(w.ca.Individual())
	iin := p.Certificate.Holder().IIN
	first, signed := w.prepared(p)
	second := first
	second.Number = "260901000022"
	w.m.d.apps[second.Number] = Application{Number: second.Number, Revision: 1, Kind: Reissue, State: Draft, Subject: first.Subject, Role: first.Role,
		Email: first.Email, City: first.City, Storage: first.Storage, SignerSerial: first.SignerSerial, Replaces: first.Replaces, Created: t0, Changed: t0}
	csr := pkitest.Request(t, pkitest.NewKey(t, algid.GOST512), p.Certificate.Holder(), "p@example.kz")
	second, err := w.o.Requests(t.Context(), iin, second.Number, [][]byte{csr})
	w.ok(err)
	xml, err := dsig.SignEnveloped(rand.Reader, []byte(second.Document), dsig.Options{Key: p.Key, Certificate: p.Certificate})
	w.ok(err)
	_, err = w.o.Submit(t.Context(), iin, first.Number, signed)
	w.ok(err)
	_, err = w.o.Submit(t.Context(), iin, second.Number, xml)
	want(t, "a second", err, "APPLICATION_OPEN")
	w.ok(w.o.Issue(t.Context(), task(first)))
	_, err = w.o.Submit(t.Context(), iin, second.Number, xml) // the keys of the first may be lost: it is issued, not in the way
	w.ok(err)
}

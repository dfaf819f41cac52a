package ca

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"senim/ocsp"
	"senim/pki"
)

// outside is what remains of an authority when its database is lost: the published lists and the
// audit record kept elsewhere.
func (b *bench) outside(t *testing.T) Evidence {
	t.Helper()
	var e Evidence
	for _, delta := range []bool{false, true} {
		l, err := b.CRL(t.Context(), "gost", delta)
		if err != nil {
			t.Fatal(err)
		}
		list, err := pki.ParseRevocationList(l.Raw)
		if err != nil {
			t.Fatal(err)
		}
		e.Lists = append(e.Lists, list)
	}
	for i, event := range b.store.snapshot().audit {
		e.Acts = append(e.Acts, Act{At: b.clock.now().Add(time.Duration(i) * time.Millisecond), Action: event.Action, Object: event.Object, Detail: event.Detail})
	}
	return e
}

// restored is the authority over an older copy of its database.
func (b *bench) restored(t *testing.T, copied data) {
	t.Helper()
	b.store = newMemory()
	b.store.d = copied
	b.open(t)
}

// history is a day of an authority, of which only the morning is in the backup.
type history struct {
	*bench
	evidence                          Evidence
	before, held, lifted, after, gone string
	afterRaw                          []byte
	afterOrder                        Order
}

func newHistory(t *testing.T) *history {
	t.Helper()
	h := &history{bench: newBench(t)}
	issue := func(id string) (*Issued, Order) {
		o := order(t, id)
		i, _ := mustIssue(t, h.bench, o)
		return i, o
	}
	revoke := func(serial string, r Reason) {
		if _, err := h.Revoke(t.Context(), serial, r, "tester", time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	morning, _ := issue("morning")
	held, _ := issue("held")
	lifted, _ := issue("lifted")
	h.before, h.held, h.lifted = morning.Serial, held.Serial, lifted.Serial
	revoke(h.held, CertificateHold)
	revoke(h.lifted, CertificateHold)
	if err := h.Publish(t.Context(), "gost"); err != nil {
		t.Fatal(err)
	}
	backup := h.store.snapshot()
	h.clock.move(time.Hour)
	revoke(h.before, KeyCompromise)
	revoke(h.held, Superseded)
	if err := h.Release(t.Context(), h.lifted, "one", "two"); err != nil {
		t.Fatal(err)
	}
	after, o := issue("after")
	gone, _ := issue("gone")
	h.after, h.afterRaw, h.afterOrder, h.gone = after.Serial, after.Raw, o, gone.Serial
	revoke(h.gone, CessationOfOperation)
	for range 3 {
		if err := h.Publish(t.Context(), "gost"); err != nil {
			t.Fatal(err)
		}
	}
	h.evidence = h.outside(t)
	h.clock.move(time.Hour)
	h.restored(t, backup)
	return h
}

// Yesterday's database un-revokes nothing and gives no serial twice (security.md §10).
func TestSec10RestoredDatabaseIsReconciled(t *testing.T) {
	h := newHistory(t)
	ctx := t.Context()
	d, err := h.Compare(ctx, h.evidence)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Lost) != 2 || len(d.Revoked) != 4 || d.Numbers["gost"] != 4 {
		t.Fatalf("difference: %+v", d)
	}
	if _, err := h.Reconcile(ctx, h.evidence, "tester"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		serial string
		status ocsp.Status
		reason Reason
	}{
		"revoked in the afternoon":            {h.before, ocsp.Revoked, KeyCompromise},
		"hold made final":                     {h.held, ocsp.Revoked, Superseded},
		"hold lifted":                         {h.lifted, ocsp.Good, 0},
		"issued in the afternoon":             {h.after, ocsp.Revoked, CertificateHold},
		"issued and revoked in the afternoon": {h.gone, ocsp.Revoked, CessationOfOperation},
	} {
		one := h.ask(t, c.serial)
		if one.Status != c.status || c.status == ocsp.Revoked && one.Reason != c.reason {
			t.Errorf("%s: status %v, reason %v", name, one.Status, one.Reason)
		}
		if full, _ := h.listed(t, c.serial); full != (c.status == ocsp.Revoked) {
			t.Errorf("%s: on the full list: %t", name, full)
		}
	}
	if got, want := h.ask(t, h.before).RevokedAt, start.Add(time.Hour); !got.Equal(want) {
		t.Errorf("revoked at %s, was %s", got, want)
	}
	if l, err := h.CRL(ctx, "gost", false); err != nil || l.Number <= 4 {
		t.Errorf("list %+v, %v: want a number over 4", l, err)
	}
	if _, err := h.Issue(ctx, h.afterOrder); !errors.Is(err, ErrClosed) {
		t.Errorf("the order of a lost certificate: %v", err)
	}
	again := h.afterOrder
	again.ID = "another order"
	if no, _ := errors.AsType[*Refusal](issueError(h.bench, again)); no == nil || no.Code != CodeKeyReused {
		t.Errorf("the key of a lost certificate: %v", no)
	}
	if d, err := h.Compare(ctx, h.evidence); err != nil || !d.Empty() {
		t.Errorf("afterwards: %+v, %v", d, err)
	}
}

func issueError(b *bench, o Order) error {
	_, err := b.Issue(context.Background(), o)
	return err
}

// The holder brings what the database lost.
func TestSec10LostCertificateReturns(t *testing.T) {
	h := newHistory(t)
	ctx := t.Context()
	if _, err := h.Return(ctx, h.afterRaw, "tester"); !errors.Is(err, ErrNotFound) {
		t.Errorf("before it is known as lost: %v", err)
	}
	if _, err := h.Reconcile(ctx, h.evidence, "tester"); err != nil {
		t.Fatal(err)
	}
	broken := append([]byte{}, h.afterRaw...)
	broken[len(broken)-1] ^= 1
	if _, err := h.Return(ctx, broken, "tester"); err == nil {
		t.Error("took a certificate with a broken signature")
	}
	twin := h.resigned(t, h.afterRaw)
	if _, err := h.Return(ctx, twin, "tester"); err == nil {
		t.Error("took other bytes under the same serial")
	}
	info, err := h.Return(ctx, h.afterRaw, "tester")
	if err != nil {
		t.Fatal(err)
	}
	if info.IIN != person().IIN || info.Profile != "individual" || info.Revoked != nil {
		t.Errorf("returned as %+v", info)
	}
	if one := h.ask(t, h.after); one.Status != ocsp.Good {
		t.Errorf("status %v", one.Status)
	}
	if got, err := h.Issue(ctx, h.afterOrder); err != nil || got.Serial != h.after {
		t.Errorf("its order: %v, %v", got, err)
	}
	if _, err := h.Return(ctx, h.afterRaw, "tester"); !errors.Is(err, ErrNotFound) {
		t.Errorf("twice: %v", err)
	}
}

// resigned is the same certificate signed once more: other bytes, same content.
func (h *history) resigned(t *testing.T, raw []byte) []byte {
	t.Helper()
	c, err := pki.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	a := h.authorities["gost"]
	key, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	value, err := c.Signature.Sign(h.rand, key, c.RawTBS)
	if err != nil {
		t.Fatal(err)
	}
	return pki.Assemble(c.RawTBS, c.Signature, value)
}

// One that was to be signed, and of which nobody saw the end, is revoked.
func TestSec10IntentWithoutCertificate(t *testing.T) {
	h := newHistory(t)
	const serial = "1234567890123456789012345678901234567890"
	h.evidence.Acts = append(h.evidence.Acts, Act{At: h.clock.now(), Action: "ca.will_sign", Object: serial,
		Detail: map[string]string{"ca": "gost", "order": "intended", "profile": "individual"}})
	if _, err := h.Reconcile(t.Context(), h.evidence, "tester"); err != nil {
		t.Fatal(err)
	}
	if one := h.ask(t, serial); one.Status != ocsp.Revoked || one.Reason != CessationOfOperation {
		t.Errorf("status %v, reason %v", one.Status, one.Reason)
	}
	o := order(t, "intended")
	if _, err := h.Issue(t.Context(), o); !errors.Is(err, ErrOtherOrder) && !errors.Is(err, ErrClosed) {
		t.Errorf("its order: %v", err)
	}
}

// An intent in the copy whose certificate was finished afterwards is not signed a second time.
func TestSec10IntentFinishedAfterTheCopy(t *testing.T) {
	b := newBench(t)
	o := order(t, "one")
	b.store.fail(3, false) // the intent is stored, the certificate is not
	if _, err := b.Issue(t.Context(), o); err == nil {
		t.Fatal("no fault")
	}
	b.store.fail(0, false)
	backup := b.store.snapshot()
	issued, err := b.Issue(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), "gost"); err != nil {
		t.Fatal(err)
	}
	e := b.outside(t)
	b.restored(t, backup)
	if _, err := b.Reconcile(t.Context(), e, "tester"); err != nil {
		t.Fatal(err)
	}
	if err := b.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if one := b.ask(t, issued.Serial); one.Status != ocsp.Revoked || one.Reason != CertificateHold {
		t.Errorf("status %v, reason %v", one.Status, one.Reason)
	}
	if _, err := b.Return(t.Context(), issued.Raw, "tester"); err != nil {
		t.Error(err)
	}
	if got, err := b.Issue(t.Context(), o); err != nil || string(got.Raw) != string(issued.Raw) {
		t.Errorf("another certificate for the same order: %v", err)
	}
}

// While it is suspended the authority does nothing that would rest on its records.
func TestSec10Suspended(t *testing.T) {
	h := newHistory(t)
	ctx := t.Context()
	h.Suspend("older than list 4")
	for name, err := range map[string]error{
		"issue":   issueError(h.bench, order(t, "x")),
		"revoke":  second(h.Revoke(ctx, h.before, Superseded, "tester", time.Time{})),
		"release": h.Release(ctx, h.held, "one", "two"),
		"publish": h.Publish(ctx, "gost"),
		"list":    second(h.CRL(ctx, "gost", false)),
		"recover": h.Recover(ctx),
		"tend":    h.Tend(ctx),
		"answer":  h.answerError(t, h.before),
	} {
		if !errors.Is(err, ErrSuspended) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if h.Suspended() != "older than list 4" {
		t.Errorf("suspended: %q", h.Suspended())
	}
	if _, err := h.Reconcile(ctx, h.evidence, "tester"); err != nil {
		t.Fatal(err)
	}
	if h.Suspended() != "" {
		t.Error("still suspended")
	}
	mustIssue(t, h.bench, order(t, "evening"))
}

func second[T any](_ T, err error) error { return err }

func (h *history) answerError(t *testing.T, serial string) error {
	t.Helper()
	q, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{h.id(t, serial)}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.OCSP(t.Context(), q)
	return err
}

// What is not ours, or not whole, is refused as evidence, and nothing is changed.
func TestSec10Evidence(t *testing.T) {
	h := newHistory(t)
	stranger := newBench(t)
	if err := stranger.Publish(t.Context(), "gost"); err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]Evidence{
		"a list of another authority": {Lists: stranger.outside(t).Lists},
		"a certificate of an unknown authority": {Acts: []Act{{Action: "ca.issued", Object: "1234567890123456789012345678901234567890",
			Detail: map[string]string{"ca": "other", "sha256": "00"}}}},
	} {
		before := h.store.snapshot()
		if _, err := h.Reconcile(t.Context(), e, "tester"); err == nil {
			t.Errorf("%s was taken", name)
		}
		if after := h.store.snapshot(); len(after.records) != len(before.records) || len(after.audit) != len(before.audit) {
			t.Errorf("%s changed something", name)
		}
	}
}

// A failing write leaves the database as it was, and a second try finishes.
func TestSec10ReconcileFails(t *testing.T) {
	for _, late := range []bool{false, true} {
		h := newHistory(t)
		h.store.fail(1, late)
		if _, err := h.Reconcile(t.Context(), h.evidence, "tester"); err == nil {
			t.Fatal("no fault")
		}
		h.store.fail(0, false)
		if _, err := h.Reconcile(t.Context(), h.evidence, "tester"); err != nil {
			t.Error(err)
		}
		if one := h.ask(t, h.before); one.Status != ocsp.Revoked {
			t.Errorf("status %v", one.Status)
		}
	}
}

// What was said later counts, but nothing takes a final revocation back.
func TestEvidenceInOrder(t *testing.T) {
	said := func(minute int, r Reason) (Change, time.Time) {
		return Change{Serial: "1", Revocation: Revocation{At: start, Reason: r}}, start.Add(time.Duration(minute) * time.Minute)
	}
	for name, c := range map[string]struct {
		minutes []int
		reasons []Reason
		want    Reason
	}{
		"hold, lifted":             {[]int{1, 2}, []Reason{CertificateHold, pki.RemoveFromCRL}, pki.RemoveFromCRL},
		"lifted, heard of later":   {[]int{2, 1}, []Reason{pki.RemoveFromCRL, CertificateHold}, pki.RemoveFromCRL},
		"hold, lifted, hold":       {[]int{1, 2, 3}, []Reason{CertificateHold, pki.RemoveFromCRL, CertificateHold}, CertificateHold},
		"final, then hold":         {[]int{1, 2}, []Reason{Superseded, CertificateHold}, Superseded},
		"final, then lifted":       {[]int{1, 2}, []Reason{KeyCompromise, pki.RemoveFromCRL}, KeyCompromise},
		"hold, then made final":    {[]int{1, 2}, []Reason{CertificateHold, Superseded}, Superseded},
		"final earlier, hold seen": {[]int{2, 1}, []Reason{CertificateHold, Superseded}, Superseded},
	} {
		var k learned
		for i, r := range c.reasons {
			k.learn(said(c.minutes[i], r))
		}
		if k.change.Reason != c.want {
			t.Errorf("%s: %v", name, k.change.Reason)
		}
	}
	if got := reasonOf(fmt.Sprint(int(KeyCompromise))); got != KeyCompromise {
		t.Error(got)
	}
	for _, bad := range []string{"", "x", "99", "8"} {
		if got := reasonOf(bad); got != Unspecified {
			t.Errorf("%q: %v", bad, got)
		}
	}
	if (&Difference{Numbers: map[string]int64{"a": 1}}).Empty() || !(&Difference{}).Empty() {
		t.Error("empty")
	}
}

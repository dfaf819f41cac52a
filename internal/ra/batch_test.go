package ra

import (
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/dsig"
	"senim/internal/ident"
	"senim/internal/pkitest"
	"senim/internal/trust"
	"senim/pki"
)

const maker = "123456789014"

// watched puts keys on the maker's list.
func (w *town) watched(leaves ...*pkitest.Leaf) []string {
	w.t.Helper()
	var ders [][]byte
	var serials []string
	for _, l := range leaves {
		ders, serials = append(ders, l.Certificate.Raw), append(serials, l.Certificate.SerialHex())
	}
	ours, foreign, err := w.o.Watch(w.t.Context(), maker, ders)
	w.ok(err)
	if ours != len(leaves) || foreign != 0 {
		w.t.Fatalf("ours %d, foreign %d", ours, foreign)
	}
	return serials
}

func (w *town) batch(serials ...string) (Batch, []BatchLine) {
	w.t.Helper()
	b, err := w.o.NewBatch(w.t.Context(), maker, serials, BatchForm{Storage: PKCS12, Lang: "ru"})
	w.ok(err)
	return w.lines(b.ID)
}

func (w *town) lines(id string) (Batch, []BatchLine) {
	w.t.Helper()
	b, lines, err := w.o.Batch(w.t.Context(), maker, id)
	w.ok(err)
	return b, lines
}

// requested brings a batch of one key to its document.
func (w *town) requested(b Batch, line BatchLine, l *pkitest.Leaf) Application {
	w.t.Helper()
	csr := pkitest.Request(w.t, pkitest.NewKey(w.t, algid.GOST512), l.Certificate.Holder(), line.Application.Email)
	w.ok(w.o.BatchRequests(w.t.Context(), maker, b.ID, []BatchAnswer{{ID: line.Application.ID(), Requests: [][]byte{csr}}}))
	_, lines := w.lines(b.ID)
	if lines[0].Item.Reason.Code != "" {
		w.t.Fatalf("requests refused: %+v", lines[0].Item.Reason)
	}
	return *lines[0].Application
}

func (w *town) sign(l *pkitest.Leaf, a Application) []byte {
	w.t.Helper()
	xml, err := dsig.SignEnveloped(rand.Reader, []byte(a.Document), dsig.Options{Key: l.Key, Certificate: l.Certificate})
	w.ok(err)
	return xml
}

func codeOf(err error) string {
	if no, ok := errors.AsType[*Refusal](err); ok {
		return no.Code
	}
	return fmt.Sprint(err)
}

// TestManySecondFactor: one second factor of the maker opens all signatures of a batch, and of no other.
func TestManySecondFactor(t *testing.T) {
	w := newTown(t)
	w.o.c.Factor = FactorConfig{Kinds: []FactorKind{FactorSMS}}
	w.phones[maker] = "+77010000013"
	p := w.add(w.ca.Issue(pkitest.Spec{Holder: pkitest.Member(pki.RoleEmployee)}))
	bin := p.Certificate.Holder().BIN
	w.heads[ident.BIN(bin)] = HeadAnswer{Verdict: trust.Good, IIN: "009900000008", Organization: "X"}
	b, lines := w.batch(w.watched(p)...)
	a := w.requested(b, lines[0], p)
	signed := []BatchAnswer{{ID: a.ID(), Signed: w.sign(p, a)}}
	for _, about := range []string{"", BatchFactorAbout("another")} {
		if about != "" {
			w.pass(maker, about, FactorSMS)
		}
		if err := w.o.BatchSign(t.Context(), maker, b.ID, signed); codeOf(err) != "FACTOR_NEEDED" {
			t.Errorf("without the second factor: %v", err)
		}
	}
	if _, lines = w.lines(b.ID); lines[0].Application.State != Draft {
		t.Errorf("signed without the second factor: %s", lines[0].Application.State)
	}
	w.now = w.now.Add(2 * time.Minute)
	w.pass(maker, BatchFactorAbout(b.ID), FactorSMS)
	w.ok(w.o.BatchSign(t.Context(), maker, b.ID, signed))
	if _, lines = w.lines(b.ID); lines[0].Application.State != AwaitingDirector {
		t.Errorf("%s", lines[0].Application.State)
	}
}

// TestManyPersonalKeyOfAnother: the maker's second factor does not stand for that of the holder of a
// personal key, or of a head's, whose renewal nobody else confirms; and one's own key is renewed with one's own.
func TestManyPersonalKeyOfAnother(t *testing.T) {
	for name, key := range map[string]func(*pkitest.Authority) *pkitest.Leaf{"personal": (*pkitest.Authority).Individual, "head's": (*pkitest.Authority).Head} {
		t.Run(name, func(t *testing.T) { keyOfAnother(t, key) })
	}
}

func keyOfAnother(t *testing.T, key func(*pkitest.Authority) *pkitest.Leaf) {
	w := newTown(t)
	p := w.add(key(w.ca))
	h := p.Certificate.Holder()
	w.heads[ident.BIN(h.BIN)] = HeadAnswer{Verdict: trust.Good, IIN: h.IIN, Organization: "X"}
	b, lines := w.batch(w.watched(p)...) // before the second factor was switched on
	a := w.requested(b, lines[0], p)
	w.o.c.Factor = FactorConfig{Kinds: []FactorKind{FactorSMS}}
	w.phones[maker] = "+77010000013"
	w.pass(maker, BatchFactorAbout(b.ID), FactorSMS)
	w.ok(w.o.BatchSign(t.Context(), maker, b.ID, []BatchAnswer{{ID: a.ID(), Signed: w.sign(p, a)}}))
	if _, lines = w.lines(b.ID); lines[0].Application.State != Draft || lines[0].Item.Reason.Code != "FACTOR_OWNER" {
		t.Errorf("%s, %+v", lines[0].Application.State, lines[0].Item.Reason)
	}
	if _, lines = w.batch(lines[0].Item.Serial); lines[0].Application != nil || lines[0].Item.Reason.Code != "FACTOR_OWNER" {
		t.Errorf("a new batch: %+v", lines[0].Item)
	}
	if err := w.o.ownFactor(Subject{IIN: maker}, RoleIndividual, maker); err != nil {
		t.Errorf("one's own key: %v", err)
	}
}

// TestManyDraftIsNobodyElses: until his key has signed, the applicant neither sees nor changes the
// draft, it counts for none of his bounds, and his own draft for the same key stays his.
func TestManyDraftIsNobodyElses(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	p := w.add(w.ca.Individual())
	iin := p.Certificate.Holder().IIN
	serials := w.watched(p)
	b, lines := w.batch(serials...)
	number := lines[0].Application.Number
	own, err := w.o.Draft(ctx, w.ask(p))
	w.ok(err)
	if own.Number == number {
		t.Error("the applicant was given the draft of a batch")
	}
	mine, err := w.o.Mine(ctx, Viewer{IIN: iin})
	w.ok(err)
	if len(mine) != 1 || mine[0].Number != own.Number {
		t.Errorf("the applicant sees %d applications", len(mine))
	}
	_, err1 := w.o.Find(ctx, Viewer{IIN: iin}, number)
	_, err2 := w.o.Withdraw(ctx, iin, number)
	_, err3 := w.o.Submit(ctx, iin, number, nil)
	_, err4 := w.o.Requests(ctx, iin, number, nil)
	for _, err := range []error{err1, err2, err3, err4} {
		if codeOf(err) != "NOT_YOUR_APPLICATION" {
			t.Errorf("the applicant and a draft of a batch: %v", err)
		}
	}
	// A new batch for the same key takes the place of the draft before.
	b2, lines2 := w.batch(serials...)
	if _, gone := w.lines(b.ID); gone[0].Item.Reason.Code != "APPLICATION_GONE" {
		t.Errorf("the draft before: %+v", gone[0])
	}
	a := w.requested(b2, lines2[0], p)
	w.ok(w.o.BatchSign(ctx, maker, b2.ID, []BatchAnswer{{ID: a.ID(), Signed: w.sign(p, a)}}))
	if found, err := w.o.Find(ctx, Viewer{IIN: iin}, a.Number); err != nil || found.State != Approved {
		t.Errorf("signed, and the applicant does not see it: %v", err)
	}
	// He edits it: from then on it is his, and the maker learns no more than that.
	if _, err := w.o.Edit(ctx, iin, a.Number, w.ask(p).Form); err != nil {
		t.Fatal(err)
	}
	if _, lines2 = w.lines(b2.ID); lines2[0].Application != nil || lines2[0].Item.Reason.Code != "APPLICATION_TAKEN" {
		t.Error("the maker still works on an application its owner took over")
	}
	if err := w.o.BatchRequests(ctx, maker, b2.ID, []BatchAnswer{{ID: a.Number + "-r2"}}); codeOf(err) != "BATCH_ANSWER" {
		t.Errorf("work on a taken application: %v", err)
	}
}

// TestManyBounds: how many keys and batches one person may have.
func TestManyBounds(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	p := w.add(w.ca.Individual())
	serials := w.watched(p)
	refused := func(code string, serials []string, f BatchForm) {
		t.Helper()
		if _, err := w.o.NewBatch(ctx, maker, serials, f); codeOf(err) != code {
			t.Errorf("want %s: %v", code, err)
		}
	}
	good := BatchForm{Storage: PKCS12}
	refused("BATCH_EMPTY", nil, good)
	refused("KEY_UNKNOWN", []string{"ff"}, good)
	refused("EMAIL_INVALID", serials, BatchForm{Storage: PKCS12, Email: "x"})
	refused("CARRIER_DESK_ONLY", serials, BatchForm{Storage: Kaztoken})
	refused("CITY_INVALID", serials, BatchForm{City: strings.Repeat("x", 101)})
	var many []string
	for i := range MaxBatch + 1 {
		many = append(many, fmt.Sprintf("%040x", i))
	}
	refused("BATCH_TOO_LARGE", many, good)
	for range MaxBatchesPerDay {
		w.batch(serials...)
	}
	refused("TOO_MANY_APPLICATIONS", serials, good)
	w.now = w.now.Add(24 * time.Hour)
	w.batch(serials...)

	w.m.d.folders.watched[maker] = many
	for i := range MaxWatched - len(many) {
		w.m.d.folders.watched[maker] = append(w.m.d.folders.watched[maker], fmt.Sprint("x", i))
	}
	if _, _, err := w.o.Watch(ctx, maker, [][]byte{p.Certificate.Raw}); codeOf(err) != "FOLDER_FULL" {
		t.Errorf("a list too long: %v", err)
	}
}

// TestManyKeepsWhatItHad: an empty address and city are each key's own; the successor takes its
// place in the list.
func TestManyKeepsWhatItHad(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	p := w.add(w.ca.Individual())
	iin, serial := p.Certificate.Holder().IIN, p.Certificate.SerialHex()
	w.m.d.apps["old"] = Application{Number: "old", State: Installed, Subject: Subject{IIN: iin}, City: "Семей", Certificates: []Certificate{{Serial: serial}}}
	// A certificate is public: whoever shows it is not told what its holder once typed.
	serials := w.watched(p)
	if _, lines := w.batch(serials...); lines[0].Application.City != "" {
		t.Errorf("a stranger is told that the holder lives in %s", lines[0].Application.City)
	}
	w.ok(w.m.LookAfter(ctx, maker, []Holder{{IIN: iin}}, w.now))
	b, lines := w.batch(serials...)
	if a := lines[0].Application; a.City != "Семей" || a.Email != p.Certificate.Holder().Email || a.Replaces != serial {
		t.Errorf("%+v", a)
	}
	a := w.requested(b, lines[0], p)
	w.ok(w.o.BatchSign(ctx, maker, b.ID, []BatchAnswer{{ID: a.ID(), Signed: w.sign(p, a)}}))
	w.ok(w.o.Issue(ctx, task(a)))
	fresh := w.m.d.apps[a.Number].Certificates[0].Serial
	w.ok(w.o.BatchInstalled(ctx, maker, b.ID, []BatchAnswer{{ID: a.ID(), Serials: []string{"another"}}}))
	if _, lines = w.lines(b.ID); lines[0].Item.Reason.Code != "CERT_KEY_MISMATCH" {
		t.Errorf("another certificate was installed: %+v", lines[0].Item)
	}
	w.ok(w.o.BatchInstalled(ctx, maker, b.ID, []BatchAnswer{{ID: a.ID(), Serials: []string{fresh}}}))
	if got, err := w.o.FolderSerials(ctx, maker); err != nil || len(got) != 1 || got[0] != fresh {
		t.Errorf("looks after %v, %v", got, err)
	}
	// Reported once more, with what was never issued: the list takes only what was.
	w.ok(w.o.BatchInstalled(ctx, maker, b.ID, []BatchAnswer{{ID: a.ID(), Serials: []string{"another", strings.Repeat("x", 5000)}}}))
	if got, err := w.o.FolderSerials(ctx, maker); err != nil || len(got) != 1 || got[0] != fresh {
		t.Errorf("looks after %v, %v", got, err)
	}
	w.ok(w.o.Unwatch(ctx, maker, []string{fresh}))
	if got, err := w.o.FolderSerials(ctx, maker); err != nil || len(got) != 0 {
		t.Errorf("looks after %v, %v", got, err)
	}
}

// TestBatchWhereTheOldKeyIs: without a storage in the form a file's successor is a file, a carrier's goes onto the
// same kind of carrier when those are renewed online (R5), and an ID card is for the desk.
func TestBatchWhereTheOldKeyIs(t *testing.T) {
	for _, c := range []struct {
		in     asn1.ObjectIdentifier
		online bool
		want   Storage
		code   string
	}{
		{nil, false, PKCS12, ""}, {pki.StoragePKCS12, true, PKCS12, ""}, {pki.StorageJKS, true, PKCS12, ""},
		{pki.StorageKaztoken, true, Kaztoken, ""}, {pki.StorageAKey, true, AKey, ""}, {pki.StorageKaztoken, false, "", "CARRIER_DESK_ONLY"},
		{pki.StorageIDCard, true, "", "IDCARD_DESK_ONLY"}, {pki.StorageIDCard, false, "", "IDCARD_DESK_ONLY"}, {pki.StorageSIM, true, "", "CARRIER_DESK_ONLY"},
	} {
		w := newTown(t)
		w.o.c.CarriersOnline = c.online
		h := pkitest.Person()
		p := w.add(w.ca.Issue(pkitest.Spec{Holder: h, Change: func(t *pki.Template) { t.Storage = c.in }}))
		b, err := w.o.NewBatch(t.Context(), maker, w.watched(p), BatchForm{Lang: "ru"})
		w.ok(err)
		_, lines := w.lines(b.ID)
		if got := lines[0]; got.Item.Reason.Code != c.code || (c.code == "") != (got.Application != nil) || got.Application != nil && got.Application.Storage != c.want {
			t.Errorf("%v %v: %+v", c.in, c.online, got)
		}
	}
}

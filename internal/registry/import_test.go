package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/internal/registry"
	"senim/internal/trust"
)

// A full load and a delta: who headed the company on which day, and one event.
func TestR05HeadOnADay(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		told := make(chan registry.HeadChanged, 10)
		w.s.Handle(registry.KindHeadChanged, func(_ context.Context, payload []byte) error {
			var h registry.HeadChanged
			err := json.Unmarshal(payload, &h)
			told <- h
			return err
		})
		compared := make(chan error, 10)
		w.s.Handle(registry.KindCompare, func(ctx context.Context, payload []byte) error {
			var c registry.Compare
			err := json.Unmarshal(payload, &c)
			if err == nil {
				err = w.imp.Compare(ctx, c)
				err = errors.Join(err, w.imp.Compare(ctx, c)) // a job may be done again
			}
			compared <- err
			return err
		})
		if err := w.s.Start(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		w.must(monday())
		w.now = at(4, 7)
		i := w.must(batch{source: "gbdul", kind: "delta", asOf: at(4, 5), previous: at(2, 5), files: map[string]string{
			"legal_entities.csv": "op;" + entityHeader + "U;" + entityLine(companyX, "АО «ТЕСТ»", headB, "2026-02-27")}})
		w.head(time.Date(2026, 2, 26, 12, 0, 0, 0, lang.Astana), companyX, headA)
		w.head(w.now, companyX, headB)
		w.head(w.now, companyY, clerk)
		if err := receive(t, compared); err != nil {
			t.Fatal(err)
		}
		if h := receive(t, told); h.BIN != companyX || h.AppointedOn != "2026-02-27" || h.Load != i.Load {
			t.Errorf("event: %+v", h)
		}
		if len(told) != 0 || len(compared) != 0 {
			t.Error("the event came twice")
		}
		if good, err := w.s.VerifyAudit(t.Context()); err != nil || good == 0 {
			t.Errorf("audit: %v", err)
		}
	})
}

func receive[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(20 * time.Second):
		t.Fatal("waited for 20 seconds")
	}
	return v
}

func TestR06SameManifestTwice(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(monday())
		before := w.events("registry.load.accepted", "")
		i, err := w.receive(monday())
		w.refused(i, err, registry.LoadLoaded)
		if !errors.Is(err, registry.ErrLoaded) || w.events("registry.load.accepted", "") != before {
			t.Errorf("a second time: %v", err)
		}
		if all, err := w.imp.Imports(t.Context(), 10); err != nil || len(all) != 1 {
			t.Errorf("%d batches, %v", len(all), err)
		}
	})
}

func TestR07HashOfAFile(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(monday())
		next := monday()
		next.asOf = at(4, 5)
		next.files["legal_entities.csv"] = strings.ReplaceAll(next.files["legal_entities.csv"], headA, headB)
		w.now = at(4, 7)
		files := w.files(next, w.signer)
		files["legal_entities.csv"].Data[len(files["legal_entities.csv"].Data)-2] ^= 1
		i, err := w.imp.Receive(t.Context(), files, registry.Receipt{})
		w.refused(i, err, "LOAD_HASH")
		w.head(w.now, companyX, headA)
		if n := w.events("registry.load.refused", "LOAD_HASH"); n != 1 {
			t.Errorf("%d records", n)
		}
		if !strings.Contains(w.log.String(), "ALERT: a batch of the registry was refused") || !strings.Contains(w.log.String(), "LOAD_HASH") {
			t.Error("nobody is told")
		}
		// a row fewer than the manifest says, with the right bytes
		next.asOf, next.rows = at(4, 6), map[string]int{"legal_entities.csv": 3}
		i, err = w.receive(next)
		w.refused(i, err, "LOAD_HASH")
	})
}

func TestR08UnknownKey(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		stranger := w.ca.Individual()
		i, err := w.imp.Receive(t.Context(), w.files(monday(), stranger), registry.Receipt{})
		w.refused(i, err, registry.LoadSigner)
		i, err = w.imp.Receive(t.Context(), w.files(monday(), nil), registry.Receipt{})
		w.refused(i, err, registry.LoadUnsigned)
		if w.events("registry.load.refused", registry.LoadSigner) != 1 {
			t.Error("not recorded")
		}
		if a := w.book.Entity(t.Context(), companyX); a.Verdict != registry.Unknown {
			t.Errorf("%s", a.Verdict)
		}
		if i, err := w.imp.Receive(t.Context(), w.files(monday(), nil), registry.Receipt{ByHand: &registry.Clerk{IIN: "009900000008"}}); err != nil || i.State != registry.Held {
			t.Errorf("by hand: %s %v", i.State, err)
		}
	})
}

func TestR09Gap(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		d := batch{source: "gbdul", kind: "delta", asOf: at(4, 5), previous: at(1, 5), files: map[string]string{
			"legal_entities.csv": "op;" + entityHeader + "U;" + entityLine(companyX, "АО «ТЕСТ»", headB, "2026-02-27")}}
		w.now = at(4, 7)
		i, err := w.receive(d)
		w.refused(i, err, registry.LoadGap)
		w.must(monday())
		i, err = w.receive(d)
		w.refused(i, err, registry.LoadGap)
		w.head(w.now, companyX, headA)
	})
}

func TestR10GuardHoldsAFullLoad(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(many(100, at(2, 5)))
		w.now = at(4, 7)
		i, err := w.receive(many(94, at(4, 5)))
		if err != nil || i.State != registry.Held || fmt.Sprint(i.Guards) != "[GUARD_ENDED]" {
			t.Fatalf("%s %v %v", i.State, i.Guards, err)
		}
		last := ident.BIN(number(99, 4))
		if a := w.book.Entity(t.Context(), last); a.Verdict != registry.Good || !a.AsOf.Equal(at(2, 5)) {
			t.Errorf("while it waits: %s of %s", a.Verdict, a.AsOf)
		}
		w.head(w.now, last, ident.IIN(number(99, 0)))
		if n, err := w.imp.Tick(t.Context()); err != nil || n != 0 {
			t.Errorf("went on by itself: %d %v", n, err)
		}
		if err := w.imp.Confirm(t.Context(), i.ID, registry.Clerk{IIN: clerk, Serial: "01"}); err != nil {
			t.Fatal(err)
		}
		if n, err := w.imp.Tick(t.Context()); err != nil || n != 1 {
			t.Fatalf("after the confirmation: %d %v", n, err)
		}
		if a := w.book.Entity(t.Context(), last); a.Code != registry.EntityUnknown || !a.AsOf.Equal(at(4, 5)) {
			t.Errorf("%s %s", a.Code, a.AsOf)
		}
		if w.events("registry.load.waiting", "") != 1 || w.events("registry.load.confirmed", "ok") != 1 {
			t.Error("not recorded")
		}
	})
}

// Who brought a batch by hand does not confirm it, and who rejects it ends it.
func TestR10SecondOperator(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(many(100, at(2, 5)))
		w.now = at(4, 7)
		one, two := registry.Clerk{IIN: clerk, Serial: "01"}, registry.Clerk{IIN: headA, Serial: "02"}
		i, err := w.imp.Receive(t.Context(), w.files(many(50, at(4, 5)), nil), registry.Receipt{ByHand: &one})
		if err != nil || i.State != registry.Held {
			t.Fatalf("%s %v", i.State, err)
		}
		var no *registry.Refusal
		if err := w.imp.Confirm(t.Context(), i.ID, one); !errors.As(err, &no) || no.Code != registry.SameClerk {
			t.Errorf("by himself: %v", err)
		}
		if err := w.imp.Reject(t.Context(), i.ID, two); err != nil {
			t.Fatal(err)
		}
		if err := w.imp.Confirm(t.Context(), i.ID, two); !errors.As(err, &no) || no.Code != registry.NotWaiting {
			t.Errorf("after it was rejected: %v", err)
		}
		if i, err = w.imp.Import(t.Context(), i.ID); err != nil || i.State != registry.Refused || i.Code != registry.LoadRejected {
			t.Errorf("%s %s %v", i.State, i.Code, err)
		}
	})
}

func TestR11BrokenRow(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		b := many(1000, at(2, 5))
		lines := strings.SplitAfter(b.files["legal_entities.csv"], "\n")
		lines[500] = strings.Replace(lines[500], ";ACTIVE;", ";SLEEPING;", 1)
		b.files["legal_entities.csv"] = strings.Join(lines, "")
		i := w.must(b)
		var out []registry.Quarantined
		if err := w.imp.Refused(t.Context(), i.ID, func(q registry.Quarantined) error { out = append(out, q); return nil }); err != nil {
			t.Fatal(err)
		}
		if len(out) != 1 || out[0] != (registry.Quarantined{File: "legal_entities", Row: 501, Field: "reg_status", Code: registry.RowBadKind}) {
			t.Errorf("%+v", out)
		}
		if w.events("registry.row.quarantined", registry.RowBadKind) != 1 {
			t.Error("not recorded")
		}
		good := 0
		for n := range 1000 {
			if w.book.Entity(t.Context(), ident.BIN(number(n, 4))).Verdict == registry.Good {
				good++
			}
		}
		if good != 999 {
			t.Errorf("%d good", good)
		}
	})
}

func TestR12TwoHeads(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		b := many(300, at(2, 5))
		b.files["legal_entities.csv"] += entityLine(companyX, "АО «ТЕСТ»", headA, "2020-01-01") + entityLine(companyX, "АО «ТЕСТ»", headB, "2021-01-01") +
			entityLine(companyY, "ТОО «1»", headA, "2020-01-01") + entityLine(companyY, "ТОО «2»", headA, "2020-01-01") // twice, and not the same
		w.imp = w.importer("one", w.signer.Certificate)
		i, err := w.receive(b)
		if err != nil || i.State != registry.Held || i.Out[registry.RowTwoHeads] != 2 || i.Out[registry.RowDuplicate] != 2 {
			t.Fatalf("%s %v %v", i.State, i.Out, err)
		}
		if err := w.imp.Confirm(t.Context(), i.ID, registry.Clerk{IIN: clerk}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.imp.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a := w.book.Head(t.Context(), companyX, w.now); a.Verdict != registry.Unknown || a.Code != registry.RowTwoHeads || a.Value.Leader.IIN != "" {
			t.Errorf("%s %s", a.Verdict, a.Code)
		}
		if a := w.book.Entity(t.Context(), companyY); a.Verdict == registry.Good {
			t.Error("a row that stands twice was taken in")
		}
	})
}

// What a full load has only as a refused row is not thereby ended.
func TestR11RefusedRowEndsNothing(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(many(300, at(2, 5)))
		next := many(300, at(4, 5))
		next.files["legal_entities.csv"] = strings.Replace(next.files["legal_entities.csv"], "ТОО «7»;ACTIVE", "ТОО «7»;SLEEPING", 1)
		w.now = at(4, 7)
		w.must(next)
		w.head(w.now, ident.BIN(number(7, 4)), ident.IIN(number(7, 0)))
	})
}

func TestR26DOSLinesAndQuotes(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		b := monday()
		text := entityHeader + strings.Replace(entityLine(companyX, "NAME", headA, "2020-01-01"), "NAME", "\"АО «ТЕСТ; \"\"и\"\"\nдругие»\"", 1)
		b.files["legal_entities.csv"] = "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n")
		b.rows = map[string]int{"legal_entities.csv": 1}
		w.must(b)
		if a := w.book.Entity(t.Context(), companyX); a.Value.NameRU != "АО «ТЕСТ; \"и\"\nдругие»" {
			t.Errorf("%q", a.Value.NameRU)
		}
		w.head(w.now, companyX, headA)
	})
}

// Signers whose certificate is not good: refused with the reason, and what was loaded stays.
func TestR29SignerNotGood(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(monday())
		w.now = at(2, 9)
		next := monday()
		next.asOf = at(2, 8)
		old, young := w.ca.Expired(), w.ca.NotYetValid()
		w.imp = w.importer("one", w.signer.Certificate, old.Certificate, young.Certificate)
		for _, c := range []struct {
			leaf   *pkitest.Leaf
			status trust.Status
			code   string
		}{
			{old, trust.Status{State: trust.StateGood}, trust.CodeExpired}, {young, trust.Status{State: trust.StateGood}, trust.CodeNotYetValid},
			{w.signer, trust.Status{State: trust.StateRevoked, RevokedAt: at(3, 1), Reason: 1}, trust.CodeRevoked},
		} {
			w.status = c.status
			i, err := w.imp.Receive(t.Context(), w.files(next, c.leaf), registry.Receipt{})
			w.refused(i, err, c.code)
			if w.events("registry.load.refused", c.code) != 1 {
				t.Errorf("%s is not recorded", c.code)
			}
		}
		if a := w.book.Entity(t.Context(), companyX); !a.AsOf.Equal(at(2, 5)) {
			t.Errorf("as of %s", a.AsOf)
		}
	})
}

// The signer cannot be checked: the batch waits, and goes on by itself; or is refused when it turns out revoked.
func TestR30RevocationUnknown(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.status = trust.Status{State: trust.StateUnknown, Err: "nobody answers"}
		i, err := w.receive(monday())
		if err != nil || i.State != registry.Unverified || i.Code != trust.CodeUnavailable {
			t.Fatalf("%s %s %v", i.State, i.Code, err)
		}
		if a := w.book.Entity(t.Context(), companyX); a.Verdict != registry.Unknown {
			t.Errorf("while it waits: %s", a.Verdict)
		}
		for range 2 {
			if n, err := w.imp.Tick(t.Context()); err != nil || n != 0 {
				t.Errorf("%d %v", n, err)
			}
		}
		if w.events("registry.load.waiting", trust.CodeUnavailable) != 1 || strings.Count(w.log.String(), "ALERT: a batch of the registry waits") != 1 {
			t.Error("said not once")
		}
		w.status = trust.Status{State: trust.StateGood}
		if n, err := w.imp.Tick(t.Context()); err != nil || n != 1 {
			t.Fatalf("%d %v", n, err)
		}
		w.head(w.now, companyX, headA)

		w.status, w.now = trust.Status{State: trust.StateUnknown}, at(4, 7)
		next := monday()
		next.asOf = at(4, 5)
		if i, err = w.receive(next); err != nil || i.State != registry.Unverified {
			t.Fatalf("%s %v", i.State, err)
		}
		w.status = trust.Status{State: trust.StateRevoked, RevokedAt: at(1, 1)}
		if n, err := w.imp.Tick(t.Context()); err != nil || n != 0 {
			t.Errorf("%d %v", n, err)
		}
		if i, err = w.imp.Import(t.Context(), i.ID); err != nil || i.State != registry.Refused || i.Code != trust.CodeRevoked {
			t.Errorf("%s %s %v", i.State, i.Code, err)
		}
	})
}

func TestR31ChangedAndOlder(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.now = at(4, 7)
		wednesday := monday()
		wednesday.asOf = at(4, 5)
		w.must(wednesday)
		files := w.files(monday(), w.signer)
		raw := files["manifest.json"].Data
		files["manifest.json"].Data = []byte(strings.Replace(string(raw), "2026-03-02", "2026-03-03", 1))
		i, err := w.imp.Receive(t.Context(), files, registry.Receipt{})
		w.refused(i, err, registry.LoadSignature)
		i, err = w.receive(monday()) // whole, signed, and older
		w.refused(i, err, registry.LoadOlder)
		if a := w.book.Entity(t.Context(), companyX); !a.AsOf.Equal(at(4, 5)) {
			t.Errorf("as of %s", a.AsOf)
		}
	})
}

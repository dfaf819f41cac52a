package registry_test

import (
	"errors"
	"strings"
	"testing"

	"senim/internal/ident"
	"senim/internal/registry"
	"senim/internal/trust"
)

// A clerk's change that is loaded while a batch of files is merged takes another number.
func TestClerkLoadsDuringAMerge(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.must(monday())
		merging := registry.Import{Source: "gbdul", State: registry.Merging, SHA256: "aa", Received: w.now}
		err := w.s.Registry().Update(ctx, func(tx registry.Tx) (err error) {
			if merging.Load, err = tx.NextLoad(ctx); err == nil {
				merging.ID, err = tx.InsertImport(ctx, merging)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		load, _, err := w.book.Load(ctx, registry.Batch{Source: registry.SourceClerk, AsOf: w.now,
			Leaders: []registry.Leader{{BIN: companyX, IIN: headB, Surname: "ТЕСТОВ", AppointedOn: "2026-03-01"}}})
		if err != nil || load.Number == merging.Load {
			t.Errorf("load %d, the batch has %d: %v", load.Number, merging.Load, err)
		}
		if err := w.s.Registry().Update(ctx, func(tx registry.Tx) error {
			return tx.InsertNumbered(ctx, registry.Load{Number: merging.Load, Source: "gbdul", AsOf: w.now, Received: w.now, SHA256: "aa"})
		}); err != nil {
			t.Errorf("the batch cannot come into force: %v", err)
		}
	})
}

// headless is an organisation whose head was dismissed: its row names none.
func headless(b batch) batch {
	for name, text := range b.files {
		b.files[name] = strings.Replace(text, headA+";ТЕСТОВ;ТЕСТ;Директор;2020-01-01;", ";;;;;", 1)
	}
	return b
}

// A row without a leader ends the head it had, in a full load and in a delta.
func TestRowWithoutLeaderEndsTheHead(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(monday())
		w.head(w.now, companyX, headA)
		w.now = at(4, 7)
		next := headless(monday())
		next.asOf = at(4, 5)
		i, err := w.receive(next)
		if err != nil || i.State != registry.Held || strings.Join(i.Guards, "") != registry.GuardHeads {
			t.Fatalf("a head ends uncounted: %s %v %v", i.State, i.Guards, err)
		}
		w.head(w.now, companyX, headA)
		if err := w.imp.Confirm(t.Context(), i.ID, registry.Clerk{IIN: clerk}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.imp.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a := w.book.Head(t.Context(), companyX, w.now); a.Code != registry.NoHead {
			t.Errorf("full: %s %s", a.Verdict, a.Code)
		}
		w.head(w.now, companyY, clerk)
	})
}

func TestDeltaWithoutLeaderEndsTheHead(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(monday())
		w.now = at(4, 7)
		w.must(batch{source: "gbdul", kind: "delta", asOf: at(4, 5), previous: at(2, 5), files: map[string]string{
			"legal_entities.csv": "op;" + entityHeader + "U;" + companyX + ";LE;АО «ТЕСТ»;ACTIVE;2012-04-05;;;;;;;\n"}})
		if a := w.book.Head(t.Context(), companyX, w.now); a.Code != registry.NoHead {
			t.Errorf("delta: %s %s", a.Verdict, a.Code)
		}
		w.head(w.now, companyY, clerk)
	})
}

// A full list of organisations that has no place for heads is none, in either form.
func TestFullListWithoutHeads(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(monday())
		w.now = at(4, 7)
		for name, text := range map[string]string{
			"legal_entities.csv":   "bin;kind;name_ru;reg_status;reg_date\n" + companyX + ";LE;АО;ACTIVE;2012-04-05\n",
			"legal_entities.jsonl": `{"bin":"` + companyX + `","kind":"LE","name_ru":"АО","reg_status":"ACTIVE","reg_date":"2012-04-05"}`,
		} {
			i, err := w.receive(batch{source: "gbdul", kind: "full", asOf: at(4, 5), files: map[string]string{name: text}})
			w.refused(i, err, "LOAD_COLUMN")
		}
		w.head(w.now, companyX, headA)
	})
}

// One operator alone replaces nobody's head, not by a delta either; and nobody his own.
func TestHeadsByHandWaitForAnotherOperator(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(monday())
		w.now = at(4, 7)
		give := func(head, by string) (registry.Import, error) {
			b := batch{source: "gbdul", kind: "delta", asOf: at(4, 5), previous: at(2, 5), files: map[string]string{
				"legal_entities.csv": "op;" + entityHeader + "U;" + entityLine(companyX, "АО «ТЕСТ»", head, "2026-02-27")}}
			return w.imp.Receive(t.Context(), w.files(b, nil), registry.Receipt{ByHand: &registry.Clerk{IIN: ident.IIN(by)}})
		}
		for _, by := range []string{headA, headB} { // the old head and the new one
			i, err := give(headB, by)
			w.refused(i, err, registry.LoadParty)
		}
		i, err := give(headB, clerk)
		if err != nil || i.State != registry.Held || len(i.Guards) != 1 || i.Guards[0] != registry.GuardByHand {
			t.Fatalf("%s %v %v", i.State, i.Guards, err)
		}
		w.head(w.now, companyX, headA)
		for by, code := range map[ident.IIN]string{clerk: registry.SameClerk, headA: registry.ClerkIsParty, headB: registry.ClerkIsParty} {
			var no *registry.Refusal
			if err := w.imp.Confirm(t.Context(), i.ID, registry.Clerk{IIN: by}); !errors.As(err, &no) || no.Code != code {
				t.Errorf("confirmed: %v, want %s", err, code)
			}
		}
		if err := w.imp.Confirm(t.Context(), i.ID, registry.Clerk{IIN: ident.IIN(number(1, 0))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.imp.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.head(w.now, companyX, headB)
	})
}

// A batch that is rejected while its signer is looked at stays rejected, and nothing of it is left.
func TestRejectedWhileVerified(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.status = trust.Status{State: trust.StateUnknown}
		i, err := w.receive(monday())
		if err != nil || i.State != registry.Unverified {
			t.Fatalf("%s %v", i.State, err)
		}
		w.status = trust.Status{State: trust.StateGood}
		w.during = func() {
			if err := w.imp.Reject(t.Context(), i.ID, registry.Clerk{IIN: clerk}); err != nil {
				t.Error(err)
			}
		}
		if n, err := w.imp.Tick(t.Context()); err != nil || n != 0 || w.during != nil {
			t.Errorf("%d %v", n, err)
		}
		if i, err = w.imp.Import(t.Context(), i.ID); err != nil || i.State != registry.Refused || i.Code != registry.LoadRejected {
			t.Errorf("%s %s %v", i.State, i.Code, err)
		}
		if err := w.s.Registry().View(t.Context(), func(tx registry.Tx) error {
			n, err := tx.StagedRows(t.Context(), registry.AreaEntity)
			if n != 0 {
				t.Errorf("%d rows are left", n)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
}

// The signer is looked at again when a batch was confirmed: meanwhile it may have been revoked.
func TestSignerAfterTheConfirmation(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(many(100, at(2, 5)))
		for _, then := range []string{"revoked", "stopped", "good"} {
			revoked, stopped := then == "revoked", then == "stopped"
			w.now, w.status = w.now.AddDate(0, 0, 1), trust.Status{State: trust.StateGood}
			i, err := w.receive(many(94, w.now))
			if err != nil || i.State != registry.Held {
				t.Fatalf("%s %v", i.State, err)
			}
			if err := w.imp.Confirm(t.Context(), i.ID, registry.Clerk{IIN: clerk}); err != nil {
				t.Fatal(err)
			}
			w.status = trust.Status{State: trust.StateUnknown}
			if _, err := w.imp.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
			if i, err = w.imp.Import(t.Context(), i.ID); err != nil || i.State != registry.Released || i.Code != trust.CodeUnavailable {
				t.Fatalf("cannot check: %s %s %v", i.State, i.Code, err)
			}
			w.status = trust.Status{State: trust.StateGood}
			if stopped {
				if err := w.imp.Reject(t.Context(), i.ID, registry.Clerk{IIN: clerk}); err != nil {
					t.Fatal(err)
				}
				if n, err := w.imp.Tick(t.Context()); err != nil || n != 0 {
					t.Errorf("%d %v", n, err)
				}
				if i, err = w.imp.Import(t.Context(), i.ID); err != nil || i.State != registry.Refused || i.Code != registry.LoadRejected {
					t.Errorf("rejected: %s %s %v", i.State, i.Code, err)
				}
				continue
			}
			state, code := registry.Accepted, ""
			if revoked {
				w.status, state, code = trust.Status{State: trust.StateRevoked, RevokedAt: at(1, 1)}, registry.Refused, trust.CodeRevoked
			}
			if _, err := w.imp.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
			if i, err = w.imp.Import(t.Context(), i.ID); err != nil || i.State != state || i.Code != code {
				t.Errorf("%s %s %v", i.State, i.Code, err)
			}
		}
	})
}

// A full batch without a file that came before is refused: what it does not bring would look as new as it.
func TestFullBatchWithoutAFile(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(monday())
		w.now = at(4, 7)
		calendar := batch{source: "gbdul", kind: "full", asOf: at(4, 5), files: map[string]string{"calendar.csv": "date;source;load;note\n2026-03-09;;0;Праздник\n"}}
		i, err := w.receive(calendar)
		if refusal, ok := errors.AsType[*registry.ImportRefusal](err); !ok || refusal.Code != registry.LoadIncomplete || i.State != registry.Refused {
			t.Fatalf("%s %v", i.State, err)
		}
		w.now = at(15, 7)
		if a := w.book.Entity(t.Context(), companyX); a.Verdict != registry.Unknown {
			t.Errorf("as if it were new: %s", a.Verdict)
		}
	})
}

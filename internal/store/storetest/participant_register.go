package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/store"
)

// ParticipantRegister has the cases of agreements as a person's own, identity documents and what
// administrators do.
func ParticipantRegister(t *testing.T, s *store.Store) {
	ctx := t.Context()
	st := s.Participant()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	do := func(t *testing.T, f func(participant.Tx) error) {
		t.Helper()
		if err := st.Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("agreements of a person", func(t *testing.T) {
		text := map[lang.Tag]string{lang.RU: "а", lang.KK: "ә", lang.EN: "a"}
		signed := func(id, iin string, at time.Time) participant.AgreementSignature {
			return participant.AgreementSignature{ID: id, Registration: "g", IIN: "iin-" + "1", TIN: iin, Type: participant.TypeNotary, Version: "r1", Lang: lang.RU,
				Document: []byte("<a/>"), Certificate: []byte{1}, Evidence: "e", At: at, TimeStamp: []byte{2}}
		}
		other := signed("sg-3", "t3", now)
		other.IIN = "iin-2"
		do(t, func(tx participant.Tx) error {
			return errors.Join(tx.PutAgreement(ctx, participant.Agreement{Version: "r2", From: now.AddDate(10, 0, 1), MustResignBy: now.AddDate(10, 0, 9), Text: text}),
				tx.PutAgreement(ctx, participant.Agreement{Version: "r1", From: now.AddDate(10, 0, 0), Text: text}),
				tx.PutSignature(ctx, signed("sg-1", "t1", now)), tx.PutSignature(ctx, signed("sg-2", "t2", now.Add(time.Hour))), tx.PutSignature(ctx, other))
		})
		do(t, func(tx participant.Tx) error {
			all, err := tx.Agreements(ctx)
			var ours []participant.Agreement
			for _, a := range all {
				if a.Version == "r1" || a.Version == "r2" {
					ours = append(ours, a)
				}
			}
			want := []participant.Agreement{{Version: "r1", From: now.AddDate(10, 0, 0)}, {Version: "r2", From: now.AddDate(10, 0, 1), MustResignBy: now.AddDate(10, 0, 9)}}
			if d := cmp.Diff(want, ours); d != "" {
				t.Error(d)
			}
			mine, err2 := tx.Signatures(ctx, "iin-1")
			one, two := signed("sg-1", "t1", now), signed("sg-2", "t2", now.Add(time.Hour))
			for _, s := range []*participant.AgreementSignature{&one, &two} {
				s.Document, s.Certificate, s.TimeStamp = nil, nil, nil
			}
			if d := cmp.Diff([]participant.AgreementSignature{two, one}, mine); d != "" {
				t.Error(d)
			}
			return errors.Join(err, err2)
		})
	})

	t.Run("identity document", func(t *testing.T) {
		want := participant.Document{Number: "N 1", Issued: "27.02.2020", Issuer: "МВД РК"}
		do(t, func(tx participant.Tx) error {
			none, err := tx.Document(ctx, "doc")
			if none != (participant.Document{}) {
				t.Errorf("a document nobody gave: %+v", none)
			}
			return errors.Join(err, tx.PutDocument(ctx, "doc", participant.Document{Number: "0"}), tx.PutDocument(ctx, "doc", want))
		})
		do(t, func(tx participant.Tx) error {
			got, err := tx.Document(ctx, "doc")
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			return err
		})
	})

	t.Run("administrators' acts", func(t *testing.T) {
		want := participant.AdminAct{ID: "aa-1", Kind: participant.BlockEnterprise, Object: "t", Name: "АО", Lift: true, Reason: "нет отчётов", State: participant.AdminDone,
			Made: now, MadeBy: participant.Administrator{IIN: "o1", Serial: "01", Name: "О. О."}, MadeXML: []byte("<a/>"),
			Decided: now.Add(time.Minute), DecidedBy: participant.Administrator{IIN: "o2", Serial: "02"}, DecidedXML: []byte("<b/>")}
		draft := participant.AdminAct{ID: "aa-2", Kind: participant.BlockAccount, Object: "i", State: participant.AdminDraft, Made: now.Add(-time.Hour), MadeBy: want.MadeBy}
		fresh := draft
		fresh.ID, fresh.Made = "aa-3", now
		first := want
		first.State, first.DecidedXML, first.DecidedBy, first.Decided = participant.AdminWaiting, nil, participant.Administrator{}, time.Time{}
		do(t, func(tx participant.Tx) error {
			return errors.Join(tx.PutAdminAct(ctx, first), tx.PutAdminAct(ctx, want), tx.PutAdminAct(ctx, draft), tx.PutAdminAct(ctx, fresh), tx.SweepAdminActs(ctx, now))
		})
		do(t, func(tx participant.Tx) error {
			got, err := tx.AdminAct(ctx, "aa-1")
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			if _, err := tx.AdminAct(ctx, "aa-2"); !errors.Is(err, participant.ErrNotFound) {
				t.Errorf("a draft that was swept: %v", err)
			}
			_, err2 := tx.AdminAct(ctx, "aa-3")
			all, err3 := tx.AdminActs(ctx, 10)
			if d := cmp.Diff([]participant.AdminAct{want}, all); d != "" {
				t.Error(d)
			}
			return errors.Join(err, err2, err3)
		})
	})
}

package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/ca"
	"senim/internal/notice"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/store"
)

// RACheck has the cases of consents, of reports, and of looking up by key identifier.
func RACheck(t *testing.T, s *store.Store) {
	ctx := t.Context()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	update := func(f func(ra.Tx) error) {
		t.Helper()
		if err := s.RA().Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("consents", func(t *testing.T) {
		first := ra.Consent{ID: "1", Hash: "h1", IIN: "123456789013", Created: now, Expires: now.Add(ra.ConsentTTL)}
		second := ra.Consent{ID: "2", Hash: "h2", IIN: "123456789013", Created: now.Add(time.Second), Expires: now.Add(ra.ConsentTTL), Opened: 1, Wrong: 2}
		update(func(tx ra.Tx) error {
			return errors.Join(tx.PutConsent(ctx, first), tx.PutConsent(ctx, second), tx.PutConsent(ctx, ra.Consent{Hash: "h3", IIN: "9", Created: now}))
		})
		second.Ended = now.Add(time.Minute)
		update(func(tx ra.Tx) error { return tx.PutConsent(ctx, second) })
		update(func(tx ra.Tx) error {
			got, err := tx.Consent(ctx, "h2")
			if d := cmp.Diff(second, got); d != "" {
				t.Error(d)
			}
			mine, err2 := tx.Consents(ctx, "123456789013")
			if d := cmp.Diff([]ra.Consent{second, first}, mine); d != "" {
				t.Error(d)
			}
			if _, none := tx.Consent(ctx, "h4"); !errors.Is(none, ra.ErrNotFound) {
				t.Errorf("an unknown consent: %v", none)
			}
			return errors.Join(err, err2)
		})
	})

	t.Run("reports", func(t *testing.T) {
		r := ra.Report{ID: "r1", Kind: ra.ReportMine, Format: ra.ReportPDF, Lang: "kk", IIN: "123456789013", Created: now}
		update(func(tx ra.Tx) error { return tx.PutReport(ctx, r) })
		look := func(want ra.Report) {
			t.Helper()
			update(func(tx ra.Tx) error {
				got, err := tx.Report(ctx, "r1")
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
				return err
			})
		}
		look(r)
		made := r
		made.Made, made.Expires, made.Rows, made.Content = now.Add(time.Second), now.Add(ra.ReportTTL), 7, []byte("ЖСН 123456789013")
		update(func(tx ra.Tx) error { return tx.PutReport(ctx, made) })
		look(made)
		update(func(tx ra.Tx) error {
			mine, err := tx.Reports(ctx, r.IIN, now)
			late, err2 := tx.Reports(ctx, r.IIN, now.Add(time.Millisecond))
			other, err3 := tx.Reports(ctx, "9", now)
			if len(mine) != 1 || mine[0].Content != nil || mine[0].Rows != 7 || len(late)+len(other) != 0 {
				t.Errorf("%+v, %d later, %d of another", mine, len(late), len(other))
			}
			if _, none := tx.Report(ctx, "r2"); !errors.Is(none, ra.ErrNotFound) {
				t.Errorf("an unknown report: %v", none)
			}
			return errors.Join(err, err2, err3)
		})
		made.Content = nil // wiped
		update(func(tx ra.Tx) error { return tx.PutReport(ctx, made) })
		look(made)
	})

	t.Run("when somebody was reminded", func(t *testing.T) {
		update(func(tx ra.Tx) error {
			return tx.Notify(ctx, notice.Message{N: "N-01", To: "a@example.kz", Lang: "ru", Key: "reminded", About: "keyset:abc",
				Vars: map[string]string{"days": "30", "link": "https://example.kz", "serial4": "1", "date": "1", "role": "1", "name": "1", "storage": "1", "owner": "1", "org": "1"}})
		})
		update(func(tx ra.Tx) error {
			at, err := tx.Reminded(ctx, "abc")
			if !at.IsZero() {
				t.Errorf("a letter that waits counts: %s", at)
			}
			return err
		})
		err := s.Notice().Update(ctx, func(tx notice.Tx) error {
			return tx.SaveOutgoing(ctx, notice.Outgoing{ID: 1, State: notice.Sent, Done: now})
		})
		if err != nil {
			t.Fatal(err)
		}
		update(func(tx ra.Tx) error {
			at, err := tx.Reminded(ctx, "abc")
			none, err2 := tx.Reminded(ctx, "other")
			if !at.Equal(now) || !none.IsZero() {
				t.Errorf("reminded %s, another %s", at, none)
			}
			return errors.Join(err, err2)
		})
	})

	t.Run("key identifiers", func(t *testing.T) {
		cert := pkitest.New(t).Individual().Certificate
		id := fmt.Sprintf("%x", cert.SubjectKeyID)
		look := func(want string) {
			t.Helper()
			serial, err := s.SerialOf(ctx, id)
			if serial != want || (want == "") != errors.Is(err, ra.ErrNoKey) {
				t.Errorf("found %q, %v; want %q", serial, err, want)
			}
		}
		look("")
		early, late := caRecord(70_001), caRecord(70_002)
		early.State, early.Raw = ca.Done, cert.Raw // as a program of before left it
		in(t, s.CA(), func(tx ca.Tx) error { return errors.Join(tx.Reserve(ctx, early), tx.Reserve(ctx, late)) })
		look("")
		for range 2 {
			if err := s.FillKeyIDs(ctx); err != nil {
				t.Fatal(err)
			}
			look(early.Serial)
		}
		in(t, s.CA(), func(tx ca.Tx) error {
			return errors.Join(tx.Intend(ctx, late.Serial, []byte{1}), tx.Finish(ctx, late.Serial, cert.Raw))
		})
		look(late.Serial)
	})
}

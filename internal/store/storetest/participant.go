package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/store"
)

// Participant has the cases of accounts, profiles and registrations.
func Participant(t *testing.T, s *store.Store) {
	ctx := t.Context()
	st := s.Participant()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	update := func(t *testing.T, f func(participant.Tx) error) {
		t.Helper()
		if err := st.Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	missing := func(t *testing.T, what string, f func(participant.Tx) error) {
		t.Helper()
		if err := st.View(ctx, f); !errors.Is(err, participant.ErrNotFound) {
			t.Errorf("%s that is not there: %v", what, err)
		}
	}

	t.Run("facts", func(t *testing.T) { participantFacts(t, s) })
	t.Run("account", func(t *testing.T) {
		want := participant.Account{IIN: "i1", Name: "ТЕСТОВ ТЕСТ", Password: "$h", Email: "a@example.kz", EmailConfirmed: now, Phone: "+77010000000",
			Lang: lang.KK, State: participant.AccountActive, BlockedReason: "r", Failed: 1, Locks: 2, LockedUntil: now.Add(time.Hour),
			DayFailed: 3, DayStart: now, PasswordChanged: now, Created: now}
		var got participant.Account
		update(t, func(tx participant.Tx) error { return tx.PutAccount(ctx, want) })
		want.Failed, want.LockedUntil = 0, time.Time{}
		update(t, func(tx participant.Tx) error { return tx.PutAccount(ctx, want) })
		update(t, func(tx participant.Tx) (err error) { got, err = tx.Account(ctx, "i1"); return err })
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		missing(t, "account", func(tx participant.Tx) error { _, err := tx.Account(ctx, "none"); return err })
	})

	t.Run("pending account goes only when nothing waits", func(t *testing.T) {
		a := participant.Account{IIN: "i2", State: participant.AccountPending, Created: now}
		g := participant.Registration{ID: "g2", IIN: "i2", TIN: "t2", State: participant.StateSigned, Expires: now}
		has := func() bool {
			err := st.View(ctx, func(tx participant.Tx) error { _, err := tx.Account(ctx, "i2"); return err })
			return err == nil
		}
		update(t, func(tx participant.Tx) error {
			return errors.Join(tx.PutAccount(ctx, a), tx.PutRegistration(ctx, g), tx.DeletePending(ctx, "i2"))
		})
		if !has() {
			t.Error("the account went while a link still needs it")
		}
		g.State, g.Ended = participant.StateExpired, now
		update(t, func(tx participant.Tx) error {
			return errors.Join(tx.PutRegistration(ctx, g), tx.DeletePending(ctx, "i2"), tx.DeletePending(ctx, "i1"))
		})
		if has() {
			t.Error("the account stayed")
		}
		update(t, func(tx participant.Tx) error { _, err := tx.Account(ctx, "i1"); return err })
	})

	profile := func(id string, iin ident.IIN, tin string, status participant.Status) participant.Profile {
		return participant.Profile{ID: id, IIN: iin, TIN: tin, Type: participant.TypeHead, Name: "АО «ТЕСТ»", Category: participant.LegalEntity,
			Status: status, Previous: participant.Blocked, Reason: participant.ReasonRegistered, Since: now, Evidence: "e", ReconfirmBy: now, Note: "нет отчётов"}
	}
	t.Run("profiles and their history", func(t *testing.T) {
		want := []participant.Profile{profile("p1", "i1", "x1", participant.Active), profile("p2", "i1", "y1", participant.Active)}
		change := participant.Change{Profile: "p1", From: "", To: participant.Active, Reason: "registered", At: now, Evidence: "e"}
		later := participant.Change{Profile: "p1", From: participant.Active, To: participant.HeadChangeBlocked, Reason: "head-change", At: now}
		update(t, func(tx participant.Tx) error {
			return errors.Join(tx.PutProfile(ctx, want[0]), tx.PutProfile(ctx, want[1]), tx.AddChange(ctx, change), tx.AddChange(ctx, later))
		})
		update(t, func(tx participant.Tx) error {
			got, err := tx.Profiles(ctx, "i1")
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			of, err2 := tx.ProfilesOf(ctx, "x1")
			if d := cmp.Diff(want[:1], of); d != "" {
				t.Error(d)
			}
			one, err3 := tx.Profile(ctx, "p2")
			if d := cmp.Diff(want[1], one); d != "" {
				t.Error(d)
			}
			history, err4 := tx.Changes(ctx, "p1")
			if d := cmp.Diff([]participant.Change{change, later}, history); d != "" {
				t.Error(d)
			}
			return errors.Join(err, err2, err3, err4)
		})
		missing(t, "profile", func(tx participant.Tx) error { _, err := tx.Profile(ctx, "none"); return err })
	})

	t.Run("one active head", func(t *testing.T) {
		for round := range 20 {
			tin := fmt.Sprintf("race-%d", round)
			var won atomic.Int32
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					p := profile(fmt.Sprintf("%s-%d", tin, i), ident.IIN(fmt.Sprintf("r%d", i)), tin, participant.Active)
					err := st.Update(context.WithoutCancel(ctx), func(tx participant.Tx) error { return tx.PutProfile(ctx, p) })
					switch {
					case err == nil:
						won.Add(1)
					case !errors.Is(err, participant.ErrRace):
						t.Errorf("a second head: %v", err)
					}
				})
			}
			wg.Wait()
			if n := won.Load(); n != 1 {
				t.Fatalf("%d active heads of one enterprise", n)
			}
		}
	})

	t.Run("enterprise", func(t *testing.T) {
		want := participant.Enterprise{TIN: "x1", Name: "АО", Category: participant.LegalEntity, HeadOffice: "h", RecordID: "r", Blocked: true, BlockedReason: "b", Updated: now}
		update(t, func(tx participant.Tx) error { return tx.PutEnterprise(ctx, want) })
		want.Name = "ТОО"
		update(t, func(tx participant.Tx) error { return tx.PutEnterprise(ctx, want) })
		update(t, func(tx participant.Tx) error {
			got, err := tx.Enterprise(ctx, "x1")
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			return err
		})
		missing(t, "enterprise", func(tx participant.Tx) error { _, err := tx.Enterprise(ctx, "none"); return err })
	})

	t.Run("registration", func(t *testing.T) { participantRegistration(t, st, now) })
	t.Run("agreement and evidence", func(t *testing.T) { participantAgreement(t, st, now) })

	t.Run("sessions of a person for a company end", func(t *testing.T) {
		put := func(hash, site, iin, bin, profile string) {
			values := map[string]string{participant.ProfileValue: profile}
			err := s.Auth().Update(ctx, func(tx auth.Tx) error {
				return tx.PutSession(ctx, hash, auth.Session{Site: site, IIN: iin, BIN: bin, Values: values, Fingerprint: "f", Created: now, Seen: now})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		put("sx", "portal", "ia", "bx", "px")
		put("so", "portal", "ia", "bx", "") // of before profiles were noted
		put("su", "portal", "ia", "bx", "pu")
		put("sy", "portal", "ia", "by", "py")
		put("sc", "cabinet", "ia", "bx", "")
		put("sb", "portal", "ib", "bx", "pb")
		update(t, func(tx participant.Tx) error {
			n, err := tx.EndSessions(ctx, "portal", "ia", participant.Profile{ID: "px", TIN: "bx"}, "head")
			if n != 2 {
				t.Errorf("%d sessions ended, want 2", n)
			}
			if n, _ := tx.EndSessions(ctx, "portal", "", participant.Profile{}, "head"); n != 0 {
				t.Errorf("%d sessions of nobody ended", n)
			}
			return err
		})
		for hash, alive := range map[string]bool{"sx": false, "so": false, "su": true, "sy": true, "sc": true, "sb": true} {
			err := s.Auth().View(ctx, func(tx auth.Tx) error { _, err := tx.Session(ctx, hash); return err })
			if (err == nil) != alive {
				t.Errorf("session %s: %v", hash, err)
			}
		}
	})
}

func participantRegistration(t *testing.T, st participant.Store, now time.Time) {
	ctx := t.Context()
	want := participant.Registration{
		ID: "g1", Owner: "o", Category: participant.LegalEntity, State: participant.StateSigned, Reason: "r", Lang: lang.RU,
		IIN: "i9", TIN: "x9", Certificate: []byte{1, 0}, Proved: now,
		Person:   participant.Person{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", Given: "ТЕСТОВИЧ", Serial: "0a", NotBefore: now, NotAfter: now},
		Subject:  participant.Subject{Name: "АО «ТЕСТ»", Source: "gbdul", LoadID: "4", AsOf: now},
		Evidence: "e", Entered: participant.Entered{Email: "b@example.kz", EmailAgain: "b@example.kz", Phone: "+77010000000"},
		Password: "$h", Known: true, DataAt: now, Agreement: "1.0", Signature: "s", Signer: []byte{2}, SignedAt: now,
		Letters: 2, LastLetter: now, Started: now, Expires: now.Add(time.Hour),
	}
	err := st.Update(ctx, func(tx participant.Tx) error {
		other := want
		other.ID, other.Certificate, other.Signer, other.Started = "g0", nil, nil, now.Add(time.Second)
		return errors.Join(tx.PutRegistration(ctx, want), tx.PutRegistration(ctx, want), tx.PutRegistration(ctx, other),
			tx.PutLink(ctx, "l1", "g1", now), tx.PutLink(ctx, "l2", "g1", now), tx.PutLink(ctx, "l0", "g0", now))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = st.View(ctx, func(tx participant.Tx) error {
		got, err := tx.Registration(ctx, "g1")
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		linked, err2 := tx.RegistrationByLink(ctx, "l2")
		if linked.ID != "g1" {
			t.Errorf("link leads to %q", linked.ID)
		}
		open, err3 := tx.OpenRegistrations(ctx, "x9")
		if len(open) != 2 || open[0].ID != "g1" {
			t.Errorf("open registrations: %d", len(open))
		}
		due, err4 := tx.DueRegistrations(ctx, now.Add(time.Hour), 1)
		if len(due) != 1 {
			t.Errorf("due registrations: %d, want 1", len(due))
		}
		early, err5 := tx.DueRegistrations(ctx, now.Add(59*time.Minute), 10)
		for _, g := range early {
			if g.TIN == "x9" {
				t.Errorf("due too early: %s", g.ID)
			}
		}
		return errors.Join(err, err2, err3, err4, err5)
	})
	if err != nil {
		t.Fatal(err)
	}
	want.State, want.Ended = participant.StateCompleted, now
	err = st.Update(ctx, func(tx participant.Tx) error {
		return errors.Join(tx.PutRegistration(ctx, want), tx.DropLinks(ctx, "g1"))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = st.View(ctx, func(tx participant.Tx) error {
		if _, err := tx.RegistrationByLink(ctx, "l1"); !errors.Is(err, participant.ErrNotFound) {
			t.Errorf("dropped link: %v", err)
		}
		open, err := tx.OpenRegistrations(ctx, "x9")
		if len(open) != 1 {
			t.Errorf("open registrations after the end: %d", len(open))
		}
		if _, err := tx.Registration(ctx, "none"); !errors.Is(err, participant.ErrNotFound) {
			t.Errorf("registration that is not there: %v", err)
		}
		_, err2 := tx.RegistrationByLink(ctx, "l0")
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func participantAgreement(t *testing.T, st participant.Store, now time.Time) {
	ctx := t.Context()
	old := participant.Agreement{Version: "1.0", From: now.Add(-time.Hour), Text: map[lang.Tag]string{lang.RU: "старое", lang.KK: "ескі", lang.EN: "old"}}
	next := participant.Agreement{Version: "2.0", From: now.Add(time.Hour), MustResignBy: now.Add(2 * time.Hour), Text: map[lang.Tag]string{lang.RU: "новое", lang.KK: "жаңа", lang.EN: "new"}}
	e := participant.Evidence{ID: "ev", Registration: "g", At: now, Checks: []participant.Check{
		{Rule: "G1", Name: "chain", Verdict: "good", Evidence: map[string]string{"issuer": "CN=«Қ»"}}, {Rule: "G3", Name: "revocation", Verdict: "unknown", Code: "CHECK_UNAVAILABLE"}}}
	sig := participant.AgreementSignature{ID: "s", Registration: "g", Version: "1.0", Lang: lang.KK, Document: []byte("<a/>"), Certificate: []byte{3}, Evidence: "ev", At: now,
		TimeStamp: []byte{4}, IIN: "is", TIN: "ts"}
	err := st.Update(ctx, func(tx participant.Tx) error {
		return errors.Join(tx.PutAgreement(ctx, old), tx.PutAgreement(ctx, next), tx.PutEvidence(ctx, e), tx.PutSignature(ctx, sig))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = st.View(ctx, func(tx participant.Tx) error {
		for moment, want := range map[time.Time]participant.Agreement{now: old, next.From: next} {
			got, err := tx.Agreement(ctx, "", moment)
			if d := cmp.Diff(want, got); d != "" || err != nil {
				t.Error(err, d)
			}
		}
		got, err := tx.Agreement(ctx, "2.0", now)
		if d := cmp.Diff(next, got); d != "" || err != nil {
			t.Error(err, d)
		}
		if _, err := tx.Agreement(ctx, "", now.Add(-2*time.Hour)); !errors.Is(err, participant.ErrNotFound) {
			t.Errorf("agreement before the first: %v", err)
		}
		ev, err := tx.Evidence(ctx, "ev")
		if d := cmp.Diff(e, ev); d != "" || err != nil {
			t.Error(err, d)
		}
		s, err := tx.Signature(ctx, "s")
		if d := cmp.Diff(sig, s); d != "" || err != nil {
			t.Error(err, d)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

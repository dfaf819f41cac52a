package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/notice"
	"senim/internal/ra"
	"senim/internal/registry"
	"senim/internal/store"
)

// Reminders has the cases of what reminders read and write of many at once, of calendar feeds and of lists.
func Reminders(t *testing.T, s *store.Store) {
	t.Run("ending", func(t *testing.T) { endingKeys(t, s) })
	t.Run("many changes", func(t *testing.T) { manyChanges(t, s) })
	t.Run("feeds", func(t *testing.T) { feeds(t, s) })
	t.Run("registry of many", func(t *testing.T) { registryOfMany(t, s) })
	t.Run("leap", func(t *testing.T) { leaps(t, s) })
}

// endingKeys: the certificates of a window, in order and in pages, without those examined; the living ones of persons.
func endingKeys(t *testing.T, s *store.Store) {
	ctx := t.Context()
	begin := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	const n = 300
	err := s.CA().Update(ctx, func(tx ca.Tx) error {
		var errs []error
		for i := range n {
			r := ca.Record{Serial: fmt.Sprintf("%040x", i), CA: "gost", Order: fmt.Sprint("o", i), Key: fmt.Sprint("k", i), Profile: "individual", State: ca.Done,
				IIN: fmt.Sprintf("%012d", i), Name: "x", TBS: []byte{}, Raw: []byte{1}, NotBefore: begin.AddDate(-1, 0, 0), NotAfter: begin.Add(time.Duration(i/3) * time.Hour), Created: begin}
			if i%3 == 2 {
				r.BIN, r.Profile = fmt.Sprintf("9%011d", i%6), "employee"
			}
			if i%50 == 7 {
				r.State = ca.Reserved
			}
			errs = append(errs, tx.Reserve(ctx, r))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
	w := notice.Window{Stage: "28d", From: begin.Add(10 * time.Hour), To: begin.Add(50 * time.Hour)}
	read := func() (all []notice.Place) {
		for after := (notice.Place{}); ; after = all[len(all)-1] {
			var page []notice.Place
			err := s.Notice().View(ctx, func(tx notice.Tx) (err error) { page, err = tx.Ending(ctx, w, after, 7); return err })
			if err != nil {
				t.Fatal(err)
			}
			if all = append(all, page...); len(page) < 7 {
				return all
			}
		}
	}
	want := []notice.Place{}
	for i := 30; i < 150; i++ {
		if i%3 != 2 && i%50 != 7 {
			want = append(want, notice.Place{NotAfter: begin.Add(time.Duration(i/3) * time.Hour), Serial: fmt.Sprintf("%040x", i), IIN: fmt.Sprintf("%012d", i)})
		}
	}
	if d := cmp.Diff(want, read()); d != "" {
		t.Error(d)
	}
	examine := func(stage string, serials ...string) (first map[string]bool) {
		err := s.Notice().Update(ctx, func(tx notice.Tx) (err error) { first, err = tx.ExamineAll(ctx, stage, serials, begin); return err })
		if err != nil {
			t.Fatal(err)
		}
		return first
	}
	if first := examine("28d", want[0].Serial, want[1].Serial); len(first) != 2 {
		t.Errorf("first: %v", first)
	}
	if first := examine("28d", want[1].Serial, want[2].Serial); len(first) != 1 || !first[want[2].Serial] {
		t.Errorf("again: %v", first)
	}
	examine("14d", want[3].Serial) // another stage
	if d := cmp.Diff(want[3:], read()); d != "" {
		t.Error(d)
	}
	err = s.Notice().View(ctx, func(tx notice.Tx) error {
		known, err := tx.Examined(ctx, "28d", []string{want[0].Serial, want[3].Serial})
		if len(known) != 1 || !known[want[0].Serial] {
			t.Errorf("examined: %v", known)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	err = s.CA().View(ctx, func(tx ca.Tx) error {
		iins := make([]string, 0, n+1)
		for i := range n {
			iins = append(iins, fmt.Sprintf("%012d", i))
		}
		living, err := tx.Living(ctx, append(iins, "nobody"), begin.Add(50*time.Hour))
		if len(living) != 147 { // 150 that end later, but three that were never issued
			t.Errorf("%d living", len(living))
		}
		bins, err2 := tx.Companies(ctx, begin, begin.AddDate(0, 1, 0), "", 10)
		rest, err3 := tx.Companies(ctx, begin, begin.AddDate(0, 1, 0), "900000000002", 10)
		if !slices.Equal(bins, []string{"900000000002", "900000000005"}) || !slices.Equal(rest, bins[1:]) {
			t.Errorf("companies: %v, then %v", bins, rest)
		}
		return errors.Join(err, err2, err3)
	})
	if err != nil {
		t.Error(err)
	}
}

// manyChanges: records and jobs gathered are written with their transaction or not at all, and the chain holds.
func manyChanges(t *testing.T, s *store.Store) {
	ctx := t.Context()
	had, err := s.VerifyAudit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	errNo := errors.New("no")
	for _, result := range []error{errNo, nil} {
		err := s.Notice().UpdateMany(ctx, func(tx notice.Tx) error {
			for i := range 120 {
				m := message(fmt.Sprint("many-", i))
				if err := errors.Join(tx.Notify(ctx, m), tx.Audit(ctx, audit.Event{Action: "test.many", Object: fmt.Sprint("n", i), Result: "ok"})); err != nil {
					return err
				}
			}
			return result
		})
		if !errors.Is(err, result) {
			t.Fatal(err)
		}
	}
	if good, err := s.VerifyAudit(ctx); err != nil || good != had+120 {
		t.Errorf("%d records, %d before: %v", good, had, err)
	}
	if idle, err := s.Idle(ctx); err != nil || idle {
		t.Errorf("no jobs wait: %v", err)
	}
	err = s.Notice().UpdateMany(ctx, func(tx notice.Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "test.many", Object: "123456789011"})
	})
	if err == nil {
		t.Error("a personal number was recorded")
	}
}

func feeds(t *testing.T, s *store.Store) {
	ctx := t.Context()
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	err := s.RA().Update(ctx, func(tx ra.Tx) error {
		_, none := tx.FeedOf(ctx, "1")
		_, unknown := tx.FeedByHash(ctx, "h")
		if !errors.Is(none, ra.ErrNotFound) || !errors.Is(unknown, ra.ErrNotFound) {
			t.Errorf("no feed: %v %v", none, unknown)
		}
		old := ra.Feed{Hash: "old", IIN: "1", Created: now}
		next := ra.Feed{Hash: "h", IIN: "1", Staff: "9", Created: now.Add(time.Hour)}
		err := tx.PutFeed(ctx, old)
		old.Revoked = now.Add(time.Minute)
		err = errors.Join(err, tx.PutFeed(ctx, old), tx.PutFeed(ctx, next))
		got, err2 := tx.FeedOf(ctx, "1")
		kept, err3 := tx.FeedByHash(ctx, "old")
		if d := cmp.Diff([]ra.Feed{next, old}, []ra.Feed{got, kept}); d != "" {
			t.Error(d)
		}
		return errors.Join(err, err2, err3)
	})
	if err != nil {
		t.Error(err)
	}
	err = s.RA().Update(ctx, func(tx ra.Tx) error {
		err := errors.Join(tx.SetDigest(ctx, "1", true, now), tx.SetDigest(ctx, "1", true, now), tx.SetDigest(ctx, "2", true, now), tx.SetDigest(ctx, "3", true, now),
			tx.SetDigest(ctx, "2", false, now), tx.LookAfter(ctx, "1", []ra.Holder{{IIN: "8", BIN: "9"}, {IIN: "7"}}, now), tx.LookAfter(ctx, "1", []ra.Holder{{IIN: "7"}}, now))
		all, err2 := tx.Digests(ctx, "", 10)
		rest, err3 := tx.Digests(ctx, "1", 10)
		looked, err4 := tx.LookedAfter(ctx, "1")
		on, err5 := tx.Digest(ctx, "2")
		if !slices.Equal(all, []string{"1", "3"}) || !slices.Equal(rest, []string{"3"}) || on || !slices.Equal(looked, []ra.Holder{{IIN: "7"}, {IIN: "8", BIN: "9"}}) {
			t.Errorf("%v %v %v %v", all, rest, on, looked)
		}
		was, err6 := tx.WasExamined(ctx, "lists", "w")
		first, err7 := tx.Examine(ctx, "lists", "w", now)
		again, err8 := tx.Examine(ctx, "lists", "w", now)
		is, err9 := tx.WasExamined(ctx, "lists", "w")
		if was || !first || again || !is {
			t.Errorf("examined %v %v %v %v", was, first, again, is)
		}
		return errors.Join(err, err2, err3, err4, err5, err6, err7, err8, err9)
	})
	if err != nil {
		t.Error(err)
	}
}

// registryOfMany: many answers at once are those given one by one.
func registryOfMany(t *testing.T, s *store.Store) {
	ctx := t.Context()
	now := time.Now()
	book, err := registry.New(registry.Config{Store: s.Registry(), Rules: ident.Rules{TestIdentities: []string{"123456789011", "123456789012", "123456789013", "123456789021", "123456789025"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []registry.Batch{
		{Source: registry.SourceLegal, Full: true, AsOf: now.Add(-time.Hour), Operator: "test", Entities: []registry.LegalEntity{
			{BIN: "123456789021", Kind: registry.LE, NameRU: "А", NameKK: "А", Status: registry.Active, Registered: "2012-04-05"},
			{BIN: "123456789025", Kind: registry.LE, NameRU: "Б", NameKK: "Б", Status: registry.Active, Registered: "2012-04-05"}},
			Leaders: []registry.Leader{{BIN: "123456789021", IIN: "123456789011", Surname: "А", Name: "А", Position: "Директор", AppointedOn: "2020-06-01"}}},
		{Source: registry.SourcePersons, Full: true, AsOf: now.Add(-time.Hour), Operator: "test", Persons: []registry.Person{
			{IIN: "123456789011", Surname: "А", Name: "А"}, {IIN: "123456789012", Surname: "Б", Name: "Б", Dead: true}}},
		{Source: registry.SourceMobile, Full: true, AsOf: now.Add(-time.Hour), Operator: "test", Contacts: []registry.MobileContact{
			{IIN: "123456789011", Phone: "+77010000011", RegisteredOn: "2024-02-01"}}},
	} {
		if _, bad, err := book.Load(ctx, b); err != nil || len(bad) > 0 {
			t.Fatal(err, bad)
		}
	}
	persons := []ident.IIN{"123456789011", "123456789012", "123456789013"}
	bins := []ident.BIN{"123456789021", "123456789025", "009940000006"}
	many := book.Many(ctx, persons, bins, true)
	for _, i := range persons {
		if d := cmp.Diff(book.Person(ctx, i), many.Persons[i]); d != "" {
			t.Errorf("%s: %s", i, d)
		}
		if d := cmp.Diff(book.Phone(ctx, i), many.Phones[i]); d != "" {
			t.Errorf("phone of %s: %s", i, d)
		}
	}
	for _, b := range bins {
		if d := cmp.Diff(book.Head(ctx, b, now), many.Heads[b]); d != "" {
			t.Errorf("%s: %s", b, d)
		}
	}
	if many.Heads["123456789021"].Verdict != registry.Good || many.Persons["123456789012"].Code != registry.PersonExcluded {
		t.Errorf("%+v", many)
	}
}

// leaps: a job asked for tomorrow is ready when the clock was moved by more than a day.
func leaps(t *testing.T, s *store.Store) {
	ctx := t.Context()
	clear := func() bool {
		idle, err := s.Idle(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return idle
	}
	done := make(chan struct{})
	s.Handle("test.leap", func(context.Context, []byte) error { close(done); return nil })
	s.Handle(notice.Kind, func(context.Context, []byte) error { return nil })
	if err := s.Start(context.WithoutCancel(ctx)); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	}()
	for deadline := time.Now().Add(time.Minute); !clear() && time.Now().Before(deadline); {
		pauseFor(t, 50*time.Millisecond)
	}
	err := s.RA().Update(ctx, func(tx ra.Tx) error {
		return tx.Enqueue(ctx, job.Job{Kind: "test.leap", At: time.Now().Add(24 * time.Hour)})
	})
	if err != nil {
		t.Fatal(err)
	}
	if after, none, err := s.Again(ctx, "test.leap"); err != nil || none || after < 23*time.Hour || after > 24*time.Hour {
		t.Errorf("the job waits %v, %v, %v", after, none, err)
	}
	if after, none, err := s.Again(ctx, "test.other"); err != nil || !none {
		t.Errorf("a job of another kind waits %v, %v", after, err)
	}
	if err := s.Leap(ctx, 23*time.Hour); err != nil || !clear() {
		t.Errorf("due too early: %v", err)
	}
	if err := s.Leap(ctx, 2*time.Hour); err != nil {
		t.Error(err)
	}
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Error("the job did not run")
	}
}

// pauseFor waits a moment.
func pauseFor(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
	case <-time.After(d):
	}
}

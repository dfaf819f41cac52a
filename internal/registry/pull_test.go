package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"senim/internal/job"
	"senim/internal/registry"
	"senim/internal/store/storetest"
)

// shelf is where a source lays its batches, in a test.
type shelf struct {
	mu     sync.Mutex
	files  fstest.MapFS // nil: none
	broken error        // why files cannot be read
	absent error        // why it cannot be opened
	opened atomic.Int32
}

func (s *shelf) lay(files fstest.MapFS) { s.mu.Lock(); defer s.mu.Unlock(); s.files = files }

func (s *shelf) Open(context.Context) (registry.Offer, error) {
	s.opened.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.absent != nil:
		return nil, s.absent
	case s.files == nil:
		return nil, fs.ErrNotExist
	}
	return &parcel{MapFS: s.files, broken: s.broken}, nil
}

type parcel struct {
	fstest.MapFS
	broken, err error
}

func (p *parcel) Open(name string) (fs.File, error) {
	if p.broken != nil && strings.HasSuffix(name, ".csv") {
		p.err = p.broken
		return nil, p.broken
	}
	return p.MapFS.Open(name)
}
func (p *parcel) Err() error   { return p.err }
func (p *parcel) Close() error { return nil }

func (w *world) puller(imp *registry.Importer, at *shelf) *registry.Puller {
	w.t.Helper()
	p, err := registry.NewPuller(imp, map[string]registry.Origin{registry.SourceLegal: at})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// tries makes a try, and tells whether the place was asked.
func (w *world) tries(p *registry.Puller, at *shelf) bool {
	w.t.Helper()
	before := at.opened.Load()
	if err := p.Try(w.t.Context(), registry.SourceLegal); err != nil {
		w.t.Fatal(err)
	}
	return at.opened.Load() > before
}

func (w *world) pull() (p registry.Pull) {
	w.t.Helper()
	if err := w.s.Registry().View(w.t.Context(), func(tx registry.Tx) (err error) { p, err = tx.Pull(w.t.Context(), registry.SourceLegal); return err }); err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) missed() int {
	w.t.Helper()
	all, err := w.book.Sources(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return all[0].Missed
}

// wednesday is the delta after monday, in which B heads X.
func wednesday() batch {
	return batch{source: "gbdul", kind: "delta", asOf: at(4, 5), previous: at(2, 5), files: map[string]string{
		"legal_entities.csv": "op;" + entityHeader + "U;" + entityLine(companyX, "АО «ТЕСТ»", headB, "2026-03-03")}}
}

func TestPullAtTheCalendarsSlots(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t)) // when to fetch is one rule for both engines
	place := &shelf{}
	p := w.puller(w.imp, place)
	// The calendar itself comes with the first load: nothing on Friday the 6th, a load on Saturday.
	first := monday()
	first.files["calendar.csv"] = "date;source;load;note\n2026-03-06;;0;\n2026-03-07;gbdul;1;\n"
	place.lay(w.files(first, w.signer))
	if !w.tries(p, place) {
		t.Fatal("a registry that was never loaded is not fetched")
	}
	w.head(w.now, companyX, headA)
	for _, now := range []time.Time{at(2, 7), at(2, 23), at(3, 7), at(4, 5)} {
		if w.now = now; w.tries(p, place) {
			t.Errorf("fetched again on %s, between the slots", now)
		}
	}
	// Wednesday: the old batch still lies there, and the page says that the load is late.
	w.now = at(4, 6)
	for i, after := range []time.Duration{0, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		if w.now = w.now.Add(after - time.Second); i > 0 && w.tries(p, place) {
			t.Errorf("try %d is too early", i)
		}
		if w.now = w.now.Add(time.Second); !w.tries(p, place) {
			t.Errorf("try %d is not made", i)
		}
	}
	if got := w.pull(); got.Code != registry.PullAbsent || got.Tries != 7 || w.missed() != 1 {
		t.Errorf("while nothing new lies there: %+v, missed %d", got, w.missed())
	}
	place.lay(nil)
	if w.now = w.now.Add(15 * time.Minute); !w.tries(p, place) || w.pull().Code != registry.PullAbsent {
		t.Error("an empty place is not looked at, or is not told as one")
	}
	place.lay(w.files(wednesday(), w.signer))
	if w.now = w.now.Add(15 * time.Minute); !w.tries(p, place) || w.missed() != 0 || w.pull().Code != "" {
		t.Errorf("the batch that came late is not in force: %+v", w.pull())
	}
	w.head(w.now, companyX, headB)
	if strings.Contains(w.log.String(), "ALERT") {
		t.Error("a batch that is merely late was cried out")
	}
	for _, day := range []struct {
		now  time.Time
		asks bool
	}{{at(4, 20), false}, {at(6, 7), false}, {at(7, 5), false}, {at(7, 6), true}} {
		if w.now = day.now; w.tries(p, place) != day.asks {
			t.Errorf("on %s it asked: %t, against the calendar", day.now, !day.asks)
		}
	}
}

// Of several nodes one fetches, though each is told to at once and by jobs that pile up.
func TestPullOnceAmongNodes(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		place := &shelf{}
		place.lay(w.files(monday(), w.signer))
		one, two := w.puller(w.imp, place), w.puller(w.importer("two", w.signer.Certificate), place)
		var all sync.WaitGroup
		for i := range 8 {
			p := one
			if i%2 == 1 {
				p = two
			}
			all.Go(func() {
				if err := p.Try(t.Context(), registry.SourceLegal); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := place.opened.Load(); n != 1 {
			t.Errorf("fetched %d times", n)
		}
		w.head(w.now, companyX, headA)
	})
}

// The job that is asked for at intervals fetches, and the load is in force once.
func TestPullIsAJob(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		place, done := &shelf{}, make(chan error, 9)
		place.lay(w.files(monday(), w.signer))
		p := w.puller(w.imp, place)
		w.s.HandleLong(registry.KindPull, time.Minute, func(ctx context.Context, b []byte) error {
			var j registry.PullJob
			err := errors.Join(json.Unmarshal(b, &j), p.Try(ctx, j.Source))
			done <- err
			return err
		})
		w.s.Handle(registry.KindCompare, func(context.Context, []byte) error { return nil })
		w.s.Every(time.Hour, job.Job{Kind: registry.KindPull, Payload: registry.PullJob{Source: registry.SourceLegal}, Unique: registry.SourceLegal})
		if err := w.s.Start(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		if err := receive(t, done); err != nil {
			t.Fatal(err)
		}
		w.head(w.now, companyX, headA)
	})
}

func TestPullRefusedIsToldOnce(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t)) // when to fetch is one rule for both engines
	place := &shelf{}
	p := w.puller(w.imp, place)
	stranger := w.ca.Individual()
	imports := func() int {
		t.Helper()
		all, err := w.imp.Imports(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	trouble := func(code string, alerts, kept int) {
		t.Helper()
		for range 3 {
			w.now = w.now.Add(20 * time.Minute)
			if !w.tries(p, place) {
				t.Errorf("%s: it is not tried again", code)
			}
		}
		if got := w.pull(); got.Code != code || w.events("registry.pull.failed", "") != alerts || strings.Count(w.log.String(), "ALERT: a batch of the registry could not be fetched") != alerts || imports() != kept {
			t.Errorf("%s: %s, %d events, %d alerts, %d batches kept", code, got.Code, w.events("registry.pull.failed", ""), strings.Count(w.log.String(), "could not be fetched"), imports())
		}
	}
	place.absent = errors.New("connection refused")
	trouble(registry.PullUnreachable, 1, 0)
	place.absent = nil
	place.lay(w.files(monday(), stranger))
	trouble(registry.LoadSigner, 2, 1)
	place.lay(w.files(batch{source: "bmg", kind: "full", asOf: at(2, 5), files: map[string]string{"mobile.csv": "iin;phone\n"}}, w.signer))
	trouble(registry.LoadSource, 3, 1)
	place.broken = errors.New("the connection broke off")
	place.lay(w.files(monday(), w.signer))
	trouble(registry.PullUnreachable, 4, 4) // the batch itself is not to blame: each time it is tried
	place.broken = nil
	w.now = w.now.Add(20 * time.Minute)
	if !w.tries(p, place) || w.pull().Code != "" {
		t.Errorf("a good batch after the trouble: %+v", w.pull())
	}
	w.head(w.now, companyX, headA)

	// An older manifest, signed, is no new load (L4); at the next slot the refusal is told of again.
	old := monday()
	old.asOf = at(1, 5)
	place.lay(w.files(old, w.signer))
	w.now = at(4, 7)
	trouble(registry.LoadOlder, 5, 6)
	w.now = at(6, 7)
	trouble(registry.LoadOlder, 6, 6)
	w.head(w.now, companyX, headA)
}

// A batch that waits keeps the next from being fetched.
func TestPullWaitsForTheGuard(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t)) // when to fetch is one rule for both engines
	place := &shelf{}
	imp, err := registry.NewImporter(registry.ImportConfig{Book: w.book, Judge: w.judge(), Node: "one", Guard: registry.Guard{Ended: 5, Heads: 2, Quarantined: 1},
		Signers: []registry.Signer{registry.SignerOf(w.signer.Certificate)}})
	if err != nil {
		t.Fatal(err)
	}
	p := w.puller(imp, place)
	w.must(many(100, at(2, 5)))
	w.now = at(4, 7)
	place.lay(w.files(many(90, at(4, 5)), w.signer))
	if !w.tries(p, place) || w.pull().Code != "" || w.missed() != 1 {
		t.Errorf("the batch is not held: %+v", w.pull())
	}
	if w.now = w.now.Add(time.Hour); w.tries(p, place) {
		t.Error("another is fetched while one waits")
	}
	all, err := imp.Imports(t.Context(), 1)
	if err != nil || all[0].State != registry.Held {
		t.Fatalf("%v %v", all, err)
	}
}

func TestPullKnowsTheSources(t *testing.T) {
	if _, err := registry.NewPuller(nil, map[string]registry.Origin{"gbdlu": nil}); err == nil {
		t.Error("an unknown source is taken")
	}
}

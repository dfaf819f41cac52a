package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/registry"
	"senim/internal/store"
)

// The cast: public test numbers.
const (
	oldHead, newHead, clerkOne, clerkTwo = "123456789012", "123456789011", "123456789013", "009900000008"
	companyX, companyY                   = "123456789021", "123456789025"
)

// book is a registry with a clock that a test sets.
type book struct {
	*registry.Book
	now time.Time
}

func at(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, lang.Astana) }

func newBook(t *testing.T, s *store.Store) *book {
	t.Helper()
	b := &book{now: at(2, 7)} // Monday
	var err error
	b.Book, err = registry.New(registry.Config{Store: s.Registry(), Now: func() time.Time { return b.now },
		Rules: ident.Rules{TestIdentities: []string{oldHead, newHead, clerkOne, companyX, companyY}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func entity(bin ident.BIN, name string) registry.LegalEntity {
	return registry.LegalEntity{BIN: bin, Kind: registry.LE, NameRU: name, Status: registry.Active, Registered: "2012-04-05"}
}

func leader(bin ident.BIN, iin ident.IIN, day registry.Date) registry.Leader {
	return registry.Leader{BIN: bin, IIN: iin, Surname: "ТЕСТОВ", Name: "ТЕСТ", Position: "Директор", AppointedOn: day}
}

func monday() registry.Batch {
	return registry.Batch{Source: registry.SourceLegal, Full: true, AsOf: at(2, 5), Operator: "system",
		Entities: []registry.LegalEntity{entity(companyX, "АО «ТЕСТ»"), entity(companyY, "ТОО «ДОСТЫК»")},
		Leaders:  []registry.Leader{leader(companyX, oldHead, "2020-01-01"), leader(companyY, clerkOne, "2020-01-01")}}
}

// Registry has the cases of loads, answers and clerks' changes.
func Registry(t *testing.T, s *store.Store) {
	ctx := t.Context()
	told := make(chan registry.HeadChanged, 10)
	s.Handle(registry.KindHeadChanged, func(_ context.Context, payload []byte) error {
		var h registry.HeadChanged
		err := json.Unmarshal(payload, &h)
		told <- h
		return err
	})
	if err := s.Start(context.WithoutCancel(ctx)); err != nil {
		t.Fatal(err)
	}
	b := newBook(t, s)
	t.Run("empty", func(t *testing.T) {
		if a := b.Entity(ctx, companyX); a.Verdict != registry.Unknown || a.Code != registry.NeverLoaded {
			t.Errorf("%+v", a)
		}
	})
	t.Run("load", func(t *testing.T) { loads(t, b) })
	t.Run("delta", func(t *testing.T) { delta(t, b, told) })
	t.Run("clerks", func(t *testing.T) { clerks(t, b, told) })
	t.Run("disputed", func(t *testing.T) { disputed(t, b) })
	t.Run("old", func(t *testing.T) {
		b.now = b.now.AddDate(0, 0, 8)
		for name, verdict := range map[string]registry.Verdict{"entity": b.Entity(ctx, companyX).Verdict, "head": b.Head(ctx, companyX, b.now).Verdict} {
			if verdict != registry.Unknown {
				t.Errorf("R-15 %s: %s", name, verdict)
			}
		}
	})
	if good, err := s.VerifyAudit(ctx); err != nil || good == 0 {
		t.Errorf("audit: %d good, %v", good, err)
	}
}

func head(t *testing.T, b *book, bin ident.BIN, on time.Time, iin ident.IIN) {
	t.Helper()
	a := b.Head(t.Context(), bin, on)
	if a.Verdict != registry.Good || a.Value.Leader.IIN != iin || a.LoadID == "" || a.RecordID == "" || a.AsOf.IsZero() {
		t.Errorf("head on %s: %s %s, want good", on.Format(time.DateOnly), a.Verdict, a.Code)
	}
}

func loads(t *testing.T, b *book) {
	ctx := t.Context()
	first := monday()
	first.Leaders = append(first.Leaders, registry.Leader{BIN: companyX, IIN: "12345", AppointedOn: "2020-01-01", Surname: "X"})
	if _, out, err := b.Load(ctx, first); err != nil || len(out) != 1 || out[0] != (registry.Quarantined{File: "leaders", Row: 3, Field: "iin", Code: registry.RowBadNumber}) {
		t.Fatalf("first load: %v %v", out, err)
	}
	if _, _, err := b.Load(ctx, first); !errors.Is(err, registry.ErrLoaded) {
		t.Errorf("R-06: %v", err)
	}
	late := monday()
	late.AsOf = at(1, 5)
	if _, _, err := b.Load(ctx, late); !errors.Is(err, registry.ErrOlder) {
		t.Errorf("L4: %v", err)
	}
	head(t, b, companyX, b.now, oldHead)
	a := b.Entity(ctx, companyX)
	if a.Verdict != registry.Good || a.Value.NameRU != "АО «ТЕСТ»" || a.Source != registry.SourceLegal || !a.AsOf.Equal(at(2, 5)) || !a.NextLoad.Equal(at(4, 6)) {
		t.Errorf("entity: %+v", a)
	}
	if a := b.Entity(ctx, "180140005198"); a.Verdict != registry.Bad || a.Code != registry.EntityUnknown {
		t.Errorf("V2: %+v", a)
	}
	if a := b.Head(ctx, companyX, at(2, 5).AddDate(-10, 0, 0)); a.Verdict != registry.Bad || a.Code != registry.HeadFuture {
		t.Errorf("before the appointment: %s %s", a.Verdict, a.Code)
	}
}

// a delta brings the new head; both days are answered; the event comes once.
func delta(t *testing.T, b *book, told <-chan registry.HeadChanged) {
	ctx := t.Context()
	b.now = at(4, 7)
	d := registry.Batch{Source: registry.SourceLegal, AsOf: at(4, 5), Previous: at(1, 5), Leaders: []registry.Leader{leader(companyX, newHead, "2026-02-27")}}
	if _, _, err := b.Load(ctx, d); !errors.Is(err, registry.ErrGap) {
		t.Errorf("R-09: %v", err)
	}
	d.Previous = at(2, 5)
	if _, _, err := b.Load(ctx, d); err != nil {
		t.Fatal(err)
	}
	head(t, b, companyX, time.Date(2026, 2, 26, 12, 0, 0, 0, lang.Astana), oldHead)
	head(t, b, companyX, b.now, newHead)
	head(t, b, companyY, b.now, clerkOne)
	if h := receive(t, told); h.BIN != companyX || h.AppointedOn != "2026-02-27" {
		t.Errorf("event: %+v", h)
	}
}

// clerks: one records, another confirms, and neither decides about himself.
func clerks(t *testing.T, b *book, told <-chan registry.HeadChanged) {
	ctx := t.Context()
	b.now = at(5, 12)
	one, two := registry.Clerk{IIN: clerkOne, Serial: "01"}, registry.Clerk{IIN: clerkTwo, Serial: "02"}
	form := registry.Form{BIN: companyX, IIN: oldHead, Surname: " ТЕСТТОВ ", Name: "ТЕСТТ", Position: "Директор", AppointedOn: "2026-03-05", Document: "№ 7", Scan: []byte("%PDF-1.7 the order")}
	refused := func(err error, code string) {
		t.Helper()
		if f, ok := errors.AsType[*registry.Refusal](err); !ok || f.Code != code {
			t.Errorf("got %v, want %s", err, code)
		}
	}
	_, err := b.Draft(ctx, registry.Clerk{IIN: oldHead}, form)
	refused(err, registry.ClerkIsParty)
	_, err = b.Draft(ctx, registry.Clerk{IIN: newHead}, form)
	refused(err, registry.ClerkIsParty)
	for field, change := range map[string]func(*registry.Form){
		"bin": func(f *registry.Form) { f.BIN = "180140005198" }, "iin": func(f *registry.Form) { f.IIN = newHead },
		"surname": func(f *registry.Form) { f.Surname = " " }, "scan": func(f *registry.Form) { f.Scan = []byte("<html>") }, "appointed_on": func(f *registry.Form) { f.AppointedOn = "2026-02-27" },
	} {
		f := form
		change(&f)
		_, err := b.Draft(ctx, one, f)
		if e, ok := errors.AsType[*registry.FieldError](err); !ok || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	c, err := b.Draft(ctx, one, form)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := b.Changes(ctx, 10); err != nil || len(all) != 0 {
		t.Errorf("a draft is listed: %v %v", all, err)
	}
	scans(t, b, one, c)
	_, err = b.Sign(ctx, c.ID, two, []byte("<x/>"))
	refused(err, registry.NotTheMaker)
	if _, err = b.Sign(ctx, c.ID, one, []byte("<signed/>")); err != nil {
		t.Fatal(err)
	}
	_, err = b.Confirm(ctx, c.ID, one, []byte("<x/>"))
	refused(err, registry.SameClerk)
	_, err = b.Confirm(ctx, c.ID, registry.Clerk{IIN: oldHead, Serial: "03"}, []byte("<x/>"))
	refused(err, registry.ClerkIsParty)
	if c, err = b.Confirm(ctx, c.ID, two, []byte("<signed/>")); err != nil || c.State != registry.Confirmed || c.Load == 0 {
		t.Fatalf("confirm: %+v %v", c, err)
	}
	_, err = b.Confirm(ctx, c.ID, two, []byte("<x/>"))
	refused(err, registry.NotWaiting)
	if kept, err := b.Change(ctx, c.ID); err != nil || string(kept.DecidedXML) != "<signed/>" || kept.Surname != "ТЕСТТОВ" || kept.Former != newHead {
		t.Errorf("kept: %+v %v", kept, err)
	}
	head(t, b, companyX, b.now, oldHead)
	if h := receive(t, told); h.BIN != companyX || h.AppointedOn != "2026-03-05" {
		t.Errorf("event: %+v", h)
	}
	// the state register, as of later, still names another: nobody is believed (R-23, V4)
	b.now = at(6, 7)
	full := monday()
	full.AsOf = at(6, 5)
	full.Leaders[0] = leader(companyX, newHead, "2026-02-27")
	if _, _, err := b.Load(ctx, full); err != nil {
		t.Fatal(err)
	}
	a := b.Head(ctx, companyX, b.now)
	if a.Verdict != registry.Unknown || a.Code != registry.SourcesDisagree || a.Detail["a"] == "" || a.Value.Leader.IIN != "" {
		t.Errorf("R-23: %+v", a)
	}
	// whoever is one of the two between whom the sources disagree does not settle it
	form.IIN, form.AppointedOn = clerkOne, "2026-03-06"
	_, err = b.Draft(ctx, registry.Clerk{IIN: newHead, Serial: "04"}, form)
	refused(err, registry.ClerkIsParty)
	if _, err := b.Change(ctx, strings.Repeat("0", 32)); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("no such change: %v", err)
	}
}

// scans: the paper of a change is read as it was given; that of a draft nobody signed goes after a day, and that of a
// change which was signed stays.
func scans(t *testing.T, b *book, by registry.Clerk, c registry.Change) {
	t.Helper()
	ctx := t.Context()
	if c.Scan.Type != "application/pdf" || c.Scan.Size != len("%PDF-1.7 the order") || !strings.Contains(string(c.XML("record")), c.Scan.Hash) {
		t.Errorf("scan: %+v", c.Scan)
	}
	if body, err := b.Scanned(ctx, c, by); err != nil || string(body) != "%PDF-1.7 the order" {
		t.Errorf("scan: %q %v", body, err)
	}
	is := func(id string, want bool) {
		t.Helper()
		at, err := b.Change(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Scanned(ctx, at, by); (err == nil) != want || !want && !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("scan of a change that is %s: %v", at.State, err)
		}
	}
	form := registry.Form{BIN: companyX, IIN: oldHead, Surname: "ТЕСТТОВ", Name: "ТЕСТТ", Position: "Директор", AppointedOn: "2026-03-05", Document: "№ 8", Scan: []byte("%PDF-1.7 left")}
	draft := func() registry.Change {
		t.Helper()
		d, err := b.Draft(ctx, by, form)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	left, signed := draft(), draft()
	if _, err := b.Sign(ctx, signed.ID, by, []byte("<signed/>")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Reject(ctx, signed.ID, by); err != nil {
		t.Fatal(err)
	}
	now := b.now
	b.now = now.Add(25 * time.Hour)
	form.AppointedOn = "2026-03-06"
	draft()
	is(left.ID, false)
	is(signed.ID, true)
	b.now = now
}

// two heads in one load, none dismissed: unknown. And what a full load lacks ends.
func disputed(t *testing.T, b *book) {
	ctx := t.Context()
	b.now = at(9, 7)
	full := registry.Batch{Source: registry.SourceLegal, Full: true, AsOf: at(9, 5), Entities: []registry.LegalEntity{entity(companyX, "АО «ТЕСТ»")},
		Leaders: []registry.Leader{leader(companyX, newHead, "2026-03-06"), leader(companyX, clerkOne, "2026-03-06")}}
	if _, _, err := b.Load(ctx, full); err != nil {
		t.Fatal(err)
	}
	if a := b.Head(ctx, companyX, b.now); a.Verdict != registry.Unknown || a.Value.Leader.IIN != "" {
		t.Errorf("R-12: %s %s", a.Verdict, a.Code)
	}
	if a := b.Entity(ctx, companyY); a.Code != registry.EntityUnknown {
		t.Errorf("absent from a full load: %s %s", a.Verdict, a.Code)
	}
	persons := registry.Batch{Source: registry.SourcePersons, Full: true, AsOf: at(9, 5), Persons: []registry.Person{
		{IIN: newHead, Surname: "ТЕСТОВ"}, {IIN: oldHead, Surname: "ТЕСТТОВ", Dead: true}}}
	if _, _, err := b.Load(ctx, persons); err != nil {
		t.Fatal(err)
	}
	for iin, want := range map[ident.IIN]string{newHead: "", oldHead: registry.PersonExcluded, clerkTwo: registry.PersonUnknown} {
		if a := b.Person(ctx, iin); a.Code != want || a.Verdict == registry.Unknown {
			t.Errorf("person: %s %s, want %q", a.Verdict, a.Code, want)
		}
	}
	phones := registry.Batch{Source: registry.SourceMobile, Full: true, AsOf: at(9, 5), Contacts: []registry.MobileContact{
		{IIN: newHead, Phone: "+77011234567", RegisteredOn: "2025-01-10"}, {IIN: oldHead, Phone: "87011234568"}}}
	if a := b.Phone(ctx, newHead); a.Verdict != registry.Unknown {
		t.Errorf("phone before the first load: %s %s", a.Verdict, a.Code)
	}
	if _, bad, err := b.Load(ctx, phones); err != nil || len(bad) != 1 || bad[0].Code != registry.RowBadPhone {
		t.Fatalf("load of phones: %v %v", bad, err)
	}
	if a := b.Phone(ctx, newHead); a.Verdict != registry.Good || a.Value.Phone != "+77011234567" {
		t.Errorf("phone: %+v", a)
	}
	if a := b.Phone(ctx, oldHead); a.Verdict != registry.Bad || a.Code != registry.NoPhone {
		t.Errorf("phone nobody registered: %s %s", a.Verdict, a.Code)
	}
	phones.AsOf, phones.Contacts = at(9, 6), nil
	if _, _, err := b.Load(ctx, phones); err != nil {
		t.Fatal(err)
	}
	if a := b.Phone(ctx, newHead); a.Code != registry.NoPhone {
		t.Errorf("phone a full load does not have: %s %s", a.Verdict, a.Code)
	}
	taxpayers := registry.Batch{Source: registry.SourceTax, Full: true, AsOf: at(9, 5), Taxpayers: []registry.Taxpayer{
		{TIN: string(newHead), Type: registry.TaxEntrepreneur, NameRU: "ИП ТЕСТОВ", IPFrom: "2024-01-10"}, {TIN: string(oldHead), Type: "KING"}}}
	if a := b.Taxpayer(ctx, string(newHead)); a.Verdict != registry.Unknown {
		t.Errorf("taxpayer before the first load: %s %s", a.Verdict, a.Code)
	}
	if _, bad, err := b.Load(ctx, taxpayers); err != nil || len(bad) != 1 || bad[0].Code != registry.RowBadKind {
		t.Fatalf("load of taxpayers: %v %v", bad, err)
	}
	if a := b.Taxpayer(ctx, string(newHead)); a.Verdict != registry.Good || !a.Value.SoleProprietor("2024-01-10") || a.Value.SoleProprietor("2024-01-09") {
		t.Errorf("taxpayer: %+v", a)
	}
	taxpayers.AsOf, taxpayers.Taxpayers = at(9, 6), nil
	if _, _, err := b.Load(ctx, taxpayers); err != nil {
		t.Fatal(err)
	}
	if a := b.Taxpayer(ctx, string(newHead)); a.Code != registry.TaxpayerUnknown {
		t.Errorf("taxpayer a full load does not have: %s %s", a.Verdict, a.Code)
	}
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

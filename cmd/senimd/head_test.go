package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"senim/internal/ca"
	"senim/internal/ident"
	"senim/internal/mailbox"
	"senim/internal/participant"
	"senim/internal/ra"
	"senim/internal/registry"
)

// loadHead loads the registry with next as the head of X since today.
func (s *server) loadHead(t *testing.T, next ident.IIN) (load int64, today registry.Date) {
	t.Helper()
	b := batch(time.Now())
	today = registry.DateOf(time.Now())
	for i := range b.Leaders {
		if b.Leaders[i].BIN == binX {
			b.Leaders[i].DismissedOn = today
			b.Leaders = append(b.Leaders, registry.Leader{BIN: binX, IIN: next, Surname: "ТЕСТОВ", Name: "ТЕСТ", Patronymic: "ТЕСТОВИЧ", Position: "Директор", AppointedOn: today})
		}
	}
	b.AsOf = time.Now()
	l, bad, err := s.book.Load(t.Context(), b)
	if err != nil || len(bad) > 0 {
		t.Fatalf("%v, %v", bad, err)
	}
	return l.Number, today
}

// TestC32LoadBringsAnotherHead: a load of the registry names another head of X. With auto_revoke now the
// former head's key of X is revoked, and neither his personal key nor the one of Y.
func TestC32LoadBringsAnotherHead(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const former, next = "123456789012", "123456789011"
	s := mustOpen(t, t.TempDir(), "-head_change.auto_revoke", "now")
	defer s.close()
	load, today := s.loadHead(t, next)
	if err := s.headChanged(ctx, registry.HeadChanged{BIN: binX, AppointedOn: today, Load: load}); err != nil {
		t.Fatal(err)
	}
	offered, err := s.office.PreviousHead(ctx, ra.Viewer{IIN: next, BIN: binX})
	if err != nil || len(offered) != 1 || offered[0].IIN != former || offered[0].BIN != binX {
		t.Fatalf("offered %+v, %v", offered, err)
	}
	if err := s.office.RevokePrevious(ctx, ra.CompanyTask{BIN: binX}); err != nil {
		t.Fatal(err)
	}
	keys, err := s.ca.ByHolder(ctx, former, "")
	if err != nil || len(keys) != 3 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	for _, k := range keys {
		if revoked := k.Revoked != nil; revoked != (k.BIN == binX) || revoked && k.Revoked.Reason != ca.AffiliationChanged {
			t.Errorf("key of %q: %+v", k.BIN, k.Revoked)
		}
	}
	if err := s.office.RevokePrevious(ctx, ra.CompanyTask{BIN: binX}); err != nil {
		t.Error(err)
	}
	if _, err := try(t, t.TempDir(), "-head_change.auto_revoke", "sometimes"); err == nil {
		t.Error("a setting nobody knows was taken")
	}
}

// TestPortalTellsTheCabinet: the new head of X completed his registration. The cabinet offers him the former head's
// key, once, however often the portal and the registry say so.
func TestPortalTellsTheCabinet(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const next = "123456789011"
	s := mustOpen(t, t.TempDir(), "-head_change.auto_revoke", "now")
	defer s.close()
	load, today := s.loadHead(t, next)
	const mine = "profile of the new head"
	err := s.store.Participant().Update(ctx, func(tx participant.Tx) error {
		return tx.PutProfile(ctx, participant.Profile{ID: mine, IIN: next, TIN: binX, Type: participant.TypeHead, Category: participant.LegalEntity, Status: participant.HeadChangeBlocked, Since: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	told := participant.HeadChanged{Registration: "r1", Next: mine}
	offered := func() (n int) {
		t.Helper()
		all, err := s.store.AuditRecords(ctx, s.store.Node(), 0, 10000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if r.Action == "head_change.offered" {
				n++
			}
		}
		return n
	}
	if offered() != 0 {
		t.Fatal("offered before anybody told")
	}
	for range 2 {
		if err := s.headRegistered(ctx, told); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.headChanged(ctx, registry.HeadChanged{BIN: binX, AppointedOn: today, Load: load}); err != nil {
		t.Fatal(err)
	}
	if n := offered(); n != 1 {
		t.Errorf("offered %d times", n)
	}
	if err := s.headRegistered(ctx, participant.HeadChanged{Registration: "r2", Next: "nobody"}); err == nil {
		t.Error("a change of a company nobody knows was followed")
	}
}

// A load says that X was liquidated: the job it leaves writes to the head who is registered at the portal.
func TestALoadTellsOfLiquidation(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir())
	runs(t, s)
	b := batch(time.Now())
	for i := range b.Entities {
		if b.Entities[i].BIN == binX {
			b.Entities[i].Status, b.Entities[i].Liquidated = registry.Liquidated, registry.DateOf(time.Now().AddDate(0, 0, -3))
		}
	}
	b.AsOf = time.Now()
	if _, bad, err := s.book.Load(t.Context(), b); err != nil || len(bad) > 0 {
		t.Fatalf("%v, %v", bad, err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if _, err := s.mail.Wait(ctx, func(l mailbox.Letter) bool {
		return strings.Contains(l.Text, "ликвидирована или исключена из реестра")
	}); err != nil {
		t.Errorf("no letter: %v", err)
	}
}

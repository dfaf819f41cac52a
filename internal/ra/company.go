package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/lang"
	"senim/internal/notice"
	"senim/pki"
)

// The states a company's keys are listed by.
const (
	KeysLiving = "living"
	KeysSoon   = "soon"
	KeysEnded  = "ended"
	KeysAll    = "all"
)

// Soon is how long before its end a key is said to end soon.
const Soon = 30 * 24 * time.Hour

// StaffPage is how many keys one page of a company shows.
const StaffPage = 50

// StaffQuery chooses keys of a company: zero lists the living ones, from the first page.
type StaffQuery struct {
	State string
	// Role, empty for all.
	Role string
	// Page counts from 1.
	Page int
}

// StaffKey is one key of one of the people of a company.
type StaffKey struct {
	Key
	Certificate *pki.Certificate
	Holder      pki.Holder
	RoleName    string
	// Application is the number of what is in progress for this key, with its state; empty for none.
	Application string
	State       State
	// Reminder is when the next letter about its end goes out; zero when none will. NoAddress says that none
	// can, because the person gave no address.
	Reminder  time.Time
	NoAddress bool
	Dismissed bool
}

// MonthCount is how many living keys end in a month.
type MonthCount struct {
	Month time.Time // its first moment in Astana
	Keys  int
}

// Staff is the page of a company: people and their keys, those that end first on top.
type Staff struct {
	As           Standing
	Delegation   Delegation // of a delegate
	Organization string
	BIN          string
	Keys         []StaffKey
	// Total is how many keys the query has, Pages on how many pages, Page which this is.
	Total, Pages, Page int
	Months             []MonthCount
	Dismissed          []Dismissal
}

// Company lists the keys of the organisation of a certificate, for its head and for a delegate.
func (o *Office) Company(ctx context.Context, by pki.Holder, q StaffQuery) (Staff, error) {
	as, d, err := o.StandingOf(ctx, by, "")
	if no, ok := errors.AsType[*Refusal](err); ok && no.Code == "ROLE_CANNOT_CONFIRM" {
		return Staff{}, refuse("COMPANY_ONLY")
	}
	if err != nil {
		return Staff{}, err
	}
	all, err := o.c.Keys.OfCompany(ctx, by.BIN)
	if err != nil {
		return Staff{}, fmt.Errorf("list the keys of a company: %w", err)
	}
	now := o.c.Now()
	s := Staff{As: as, Delegation: d, Organization: by.Organization, BIN: by.BIN, Months: months(all, now)}
	all = slices.DeleteFunc(all, func(k Key) bool { return !q.wants(k, now) })
	slices.SortStableFunc(all, func(a, b Key) int { return a.NotAfter.Compare(b.NotAfter) })
	s.Total = len(all)
	s.Pages = max(1, (len(all)+StaffPage-1)/StaffPage)
	s.Page = min(max(q.Page, 1), s.Pages)
	all = all[(s.Page-1)*StaffPage : min(s.Page*StaffPage, len(all))]
	err = o.c.Store.View(ctx, func(tx Tx) error {
		if s.Dismissed, err = tx.DismissalsOf(ctx, by.BIN); err != nil {
			return err
		}
		waiting, err := tx.WaitingOfCompany(ctx, by.BIN)
		if err != nil {
			return err
		}
		for _, k := range all {
			one, err := o.staffKey(ctx, tx, k, s.Dismissed, waiting, now)
			if err != nil {
				return err
			}
			s.Keys = append(s.Keys, one)
		}
		return nil
	})
	if err != nil {
		return Staff{}, fmt.Errorf("list the people of a company: %w", err)
	}
	return s, nil
}

func (q StaffQuery) wants(k Key, now time.Time) bool {
	if k.IIN == "" || q.Role != "" && q.Role != k.Role() {
		return false
	}
	switch q.State {
	case KeysSoon:
		return k.Live(now) && k.NotAfter.Sub(now) <= Soon
	case KeysEnded:
		return !k.Revocable(now)
	case KeysAll:
		return true
	}
	return k.Revocable(now)
}

// staffKey joins a key with what else is known about it and its holder.
func (o *Office) staffKey(ctx context.Context, tx Tx, k Key, gone []Dismissal, waiting []Application, now time.Time) (StaffKey, error) {
	c, err := pki.ParseCertificate(k.Raw)
	if err != nil {
		return StaffKey{}, fmt.Errorf("read certificate %s: %w", k.Serial, err)
	}
	s := StaffKey{Key: k, Certificate: c, Holder: c.Holder(), RoleName: k.Role(),
		Dismissed: slices.ContainsFunc(gone, func(d Dismissal) bool { return d.IIN == k.IIN })}
	for _, a := range waiting {
		if a.Subject.IIN == k.IIN && (a.Replaces == k.Serial || a.Replaces == "" && a.Role == s.RoleName) {
			s.Application, s.State = a.Number, a.State
		}
	}
	if !k.Live(now) || k.ReplacedBy != "" || s.Dismissed {
		return s, nil
	}
	account, err := tx.Account(ctx, k.IIN)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return StaffKey{}, err
	}
	if account.Confirmed() == "" {
		s.NoAddress = true
		return s, nil
	}
	for _, stage := range o.c.Plan.Stages(k.NotAfter, true, notice.Email) {
		if stage.At.After(now) {
			s.Reminder = stage.At
			break
		}
	}
	return s, nil
}

// months counts the ends of living keys in this month and the next twelve.
func months(keys []Key, now time.Time) []MonthCount {
	y, m, _ := now.In(lang.Astana).Date()
	all := make([]MonthCount, 13)
	for i := range all {
		all[i].Month = time.Date(y, m+time.Month(i), 1, 0, 0, 0, 0, lang.Astana)
	}
	for _, k := range keys {
		if k.IIN == "" || !k.Live(now) {
			continue
		}
		ky, km, _ := k.NotAfter.In(lang.Astana).Date()
		if i := (ky-y)*12 + int(km-m); i >= 0 && i < len(all) {
			all[i].Keys++
		}
	}
	return all
}

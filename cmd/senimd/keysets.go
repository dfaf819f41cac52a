package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"senim/internal/ca"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/ra"
	"senim/pki"
)

// keySets tells the reminders which keys run out, and to whom that is said: certificates from the
// authority, addresses from the cabinet's accounts. The certificates of one application are one set.
type keySets struct {
	ca     authority
	office *ra.Office
	// link leads to the cabinet.
	link string
}

// together is how far apart certificates of one application may end.
const together = time.Hour

// Expiring joins the certificates as they come, by their end: a set is complete when what comes ends
// later than its members could.
func (k keySets) Expiring(ctx context.Context, from, to time.Time, f func(notice.KeySet) error) error {
	open := map[string][]ca.Info{}
	var waiting []string
	tell := func(before time.Time) error {
		for len(waiting) > 0 && open[waiting[0]][0].NotAfter.Before(before) {
			sets, err := k.sets(ctx, open[waiting[0]])
			if err != nil {
				return err
			}
			delete(open, waiting[0])
			waiting = waiting[1:]
			for _, s := range sets {
				if err := f(s); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err := k.ca.Expiring(ctx, from, to, func(i ca.Info) error {
		if err := tell(i.NotAfter.Add(-together)); err != nil {
			return err
		}
		name := order(i)
		if len(open[name]) == 0 {
			waiting = append(waiting, name)
		}
		open[name] = append(open[name], i)
		return nil
	})
	if err != nil {
		return err
	}
	return tell(to)
}

// Capacity lists the sets of one person in one capacity; the name of a capacity is made by [capacity].
func (k keySets) Capacity(ctx context.Context, name string) ([]notice.KeySet, error) {
	iin, rest, _ := strings.Cut(name, "/")
	bin, _, _ := strings.Cut(rest, "/")
	infos, err := k.ca.ByHolder(ctx, iin, bin)
	if err != nil {
		return nil, err
	}
	var same []ca.Info
	for _, i := range infos {
		if capacity(i) == name {
			same = append(same, i)
		}
	}
	return k.sets(ctx, same)
}

func (k keySets) KeySet(ctx context.Context, id string) (notice.KeySet, error) {
	info, err := k.ca.Certificate(ctx, id)
	if errors.Is(err, ca.ErrNotFound) {
		return notice.KeySet{}, notice.ErrNotFound
	}
	if err != nil {
		return notice.KeySet{}, err
	}
	all, err := k.Capacity(ctx, capacity(*info))
	if err != nil {
		return notice.KeySet{}, err
	}
	for _, s := range all {
		if s.ID == id {
			return s, nil
		}
	}
	return notice.KeySet{}, notice.ErrNotFound
}

// capacity names a person in a role: IIN, BIN, role without the kind of the key.
func capacity(i ca.Info) string {
	role := strings.TrimSuffix(strings.TrimSuffix(i.Profile, "-auth"), "-sign")
	return i.IIN + "/" + i.BIN + "/" + role
}

// order is what the certificates of one set share: the order without the number of the key.
func order(i ca.Info) string {
	if at := strings.LastIndex(i.Order, "-k"); at > 0 {
		return i.Order[:at]
	}
	return i.Order
}

// sets joins certificates of one order; the set is named by the serial of its first certificate.
func (k keySets) sets(ctx context.Context, infos []ca.Info) ([]notice.KeySet, error) {
	var sets []notice.KeySet
	at := map[string]int{}
	held := map[string]int{}
	members := map[string]int{}
	for _, i := range infos {
		if i.IIN == "" {
			continue // systems have nobody to write to
		}
		name := order(i)
		n, known := at[name]
		if !known {
			s, err := k.set(ctx, i)
			if err != nil {
				return nil, err
			}
			n = len(sets)
			at[name] = n
			sets = append(sets, s)
		}
		s := &sets[n]
		s.ID = min(s.ID, i.Serial)
		s.NotAfter = earlier(s.NotAfter, i.NotAfter)
		members[name]++
		if c, err := pki.ParseCertificate(i.Raw); err == nil {
			s.SignIn = s.SignIn || c.ForSignIn()
			s.Signing = s.Signing || c.ForSigning()
		}
		switch {
		case i.Revoked == nil:
		case i.Revoked.Reason == ca.CertificateHold:
			held[name]++
		default:
			s.Revoked = true
		}
		s.Held = held[name] == members[name]
	}
	return sets, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (k keySets) set(ctx context.Context, i ca.Info) (notice.KeySet, error) {
	s := notice.KeySet{ID: i.Serial, Capacity: capacity(i), Legal: i.BIN != "", Issued: i.IssuedAt, NotAfter: i.NotAfter,
		Name: i.Name, Link: k.link, Lang: lang.RU}
	var err error
	if s.Ended, err = k.office.Ended(ctx, key(i)); err != nil {
		return s, err
	}
	account, err := k.office.Account(ctx, i.IIN)
	if errors.Is(err, ra.ErrNotFound) {
		return s, nil // nobody to write to: the scanner notes it
	}
	if err != nil {
		return s, err
	}
	s.To, s.Lang = account.Address(notice.Reminder), account.Lang
	if account.NoReminders {
		s.Ended = "unsubscribed"
	}
	if c, err := pki.ParseCertificate(i.Raw); err == nil {
		h := c.Holder()
		s.Org = h.Organization
		for _, r := range h.Roles {
			if r != pki.RoleLegal && lang.Has("web.role."+r.String()) {
				s.Role = s.Lang.Text("web.role." + r.String())
			}
		}
	}
	return s, nil
}

// The interfaces the adapters are for, checked where they are made.
var (
	_ notice.KeySets = keySets{}
	_ ra.Keys        = issued{}
	_ ra.Issuer      = issued{}
	_ ra.Revoker     = issued{}
	_ ra.Registry    = heads{}
	_ ra.People      = people{}
)

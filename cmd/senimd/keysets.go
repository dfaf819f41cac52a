package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"senim/internal/ca"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/ra"
	"senim/internal/registry"
	"senim/pki"
)

// keySets tells the reminders which keys run out, and to whom that is said: certificates from the
// authority, addresses from the cabinet's accounts, phones and heads from the registry. The certificates
// of one application are one set.
type keySets struct {
	ca     authority
	office *ra.Office
	book   *registry.Book
	// notices has the stages that were examined; with here the authority's certificates lie beside them.
	notices notice.Store
	here    bool
	// link leads to the cabinet.
	link string
}

// together is how far apart certificates of one application may end.
const together = time.Hour

// atOnce is how many certificates are looked at in one batch.
const atOnce = 500

// Due pages through what ends in a window and was not examined.
func (k keySets) Due(ctx context.Context, w notice.Window, f func([]notice.KeySet) error) error {
	tell := func(places []notice.Place) error {
		iins := map[string]bool{}
		due := map[string]bool{}
		for _, p := range places {
			iins[p.IIN], due[p.Serial] = true, true
		}
		sets, err := k.living(ctx, keys(iins), places[0].NotAfter.Add(-together), func(s held) bool {
			return slices.ContainsFunc(s.Serials, func(serial string) bool { return due[serial] })
		})
		if err == nil {
			err = k.dress(ctx, sets, w.Channel)
		}
		if err != nil {
			return err
		}
		return f(plain(sets))
	}
	if !k.here {
		return k.dueElsewhere(ctx, w, tell)
	}
	for after := (notice.Place{}); ; {
		var places []notice.Place
		err := k.notices.View(ctx, func(tx notice.Tx) (err error) {
			places, err = tx.Ending(ctx, w, after, atOnce)
			return err
		})
		if err != nil || len(places) == 0 {
			return err
		}
		if err := tell(places); err != nil {
			return err
		}
		if len(places) < atOnce {
			return nil
		}
		after = places[len(places)-1]
	}
}

// dueElsewhere asks an authority on another machine for all of a window, and leaves out here what was examined.
func (k keySets) dueElsewhere(ctx context.Context, w notice.Window, tell func([]notice.Place) error) error {
	var places []notice.Place
	some := func() error {
		serials := make([]string, len(places))
		for i, p := range places {
			serials[i] = p.Serial
		}
		err := k.notices.View(ctx, func(tx notice.Tx) error {
			known, err := tx.Examined(ctx, w.Stage, serials)
			places = slices.DeleteFunc(places, func(p notice.Place) bool { return known[p.Serial] })
			return err
		})
		if err != nil || len(places) == 0 {
			return err
		}
		err = tell(places)
		places = places[:0]
		return err
	}
	err := k.ca.Expiring(ctx, w.From, w.To, func(i ca.Info) error {
		if i.IIN == "" || (i.BIN != "") != w.Legal {
			return nil
		}
		if places = append(places, notice.Place{NotAfter: i.NotAfter, Serial: i.Serial, IIN: i.IIN}); len(places) == atOnce {
			return some()
		}
		return nil
	})
	if err != nil || len(places) == 0 {
		return err
	}
	return some()
}

// KeySet reads one set with everything about it.
func (k keySets) KeySet(ctx context.Context, id string, c notice.Channel) (notice.KeySet, error) {
	info, err := k.ca.Certificate(ctx, id)
	if errors.Is(err, ca.ErrNotFound) {
		return notice.KeySet{}, notice.ErrNotFound
	}
	if err != nil {
		return notice.KeySet{}, err
	}
	sets, err := k.living(ctx, []string{info.IIN}, info.NotAfter.Add(-together), func(s held) bool { return s.ID == id })
	if err != nil {
		return notice.KeySet{}, err
	}
	if len(sets) == 0 {
		return notice.KeySet{}, notice.ErrNotFound
	}
	err = k.dress(ctx, sets, c)
	return sets[0].KeySet, err
}

// held is a set with whose it is.
type held struct {
	notice.KeySet
	key     ra.Key // the first of it
	members int
	onHold  int
	role    string // as the catalogue names it
}

func plain(sets []held) []notice.KeySet {
	all := make([]notice.KeySet, len(sets))
	for i, s := range sets {
		all[i] = s.KeySet
	}
	return all
}

// living lists the sets wanted of some persons, each with the others of its capacity that end at a moment or later.
func (k keySets) living(ctx context.Context, iins []string, from time.Time, want func(held) bool) ([]held, error) {
	infos, err := k.ca.Living(ctx, iins, from)
	if err != nil {
		return nil, err
	}
	all := join(infos)
	by := map[string][]notice.KeySet{}
	for _, s := range all {
		by[s.Capacity] = append(by[s.Capacity], s.KeySet)
	}
	all = slices.DeleteFunc(all, func(s held) bool { return !want(s) })
	for i := range all {
		all[i].Others, all[i].Link = by[all[i].Capacity], k.link
	}
	return all, nil
}

// capacity names a person in a role: IIN, BIN, role without the kind of the key.
func capacity(k ra.Key) string { return k.IIN + "/" + k.BIN + "/" + k.Role() }

// join makes sets of certificates, by their end; a set is named by the first of its serials. Systems have
// nobody to write to.
func join(infos []ca.Info) []held {
	var sets []held
	at := map[string]int{}
	for _, i := range infos {
		if i.IIN == "" {
			continue
		}
		k := key(i)
		n, known := at[k.Set()]
		if !known {
			n = len(sets)
			at[k.Set()] = n
			sets = append(sets, held{key: k, KeySet: notice.KeySet{ID: i.Serial, Capacity: capacity(k),
				Legal: i.BIN != "", Head: k.Role() == ra.RoleHead, Issued: i.IssuedAt, NotAfter: i.NotAfter, Name: i.Name}})
		}
		sets[n].add(i)
	}
	slices.SortStableFunc(sets, func(a, b held) int { return a.NotAfter.Compare(b.NotAfter) })
	return sets
}

// add takes a certificate into its set.
func (s *held) add(i ca.Info) {
	s.Serials = append(s.Serials, i.Serial)
	s.ID = min(s.ID, i.Serial)
	if i.NotAfter.Before(s.NotAfter) {
		s.NotAfter = i.NotAfter
	}
	if c, err := pki.ParseCertificate(i.Raw); err == nil {
		s.SignIn, s.Signing = s.SignIn || c.ForSignIn(), s.Signing || c.ForSigning()
		h := c.Holder()
		s.Org = h.Organization
		for _, r := range h.Roles {
			if r != pki.RoleLegal && lang.Has("web.role."+r.String()) {
				s.role = "web.role." + r.String()
			}
		}
	}
	s.members++
	switch {
	case i.Revoked == nil:
	case i.Revoked.Reason == ca.CertificateHold:
		s.onHold++
	default:
		s.Revoked = true
	}
	s.Held = s.onHold == s.members
}

// dress adds to sets where their people are written to and whether they may still act. What the registry
// does not know is no reason to stop: a reminder harms nobody, and its loss does.
func (k keySets) dress(ctx context.Context, sets []held, c notice.Channel) error {
	people, companies := map[string]bool{}, map[string]bool{}
	for _, s := range sets {
		people[s.key.IIN] = true
		if s.key.BIN != "" {
			companies[s.key.BIN] = true
		}
	}
	accounts, err := k.office.AccountsOf(ctx, keys(people))
	if err != nil {
		return err
	}
	phones := c == notice.SMS
	for i := range sets {
		s := &sets[i]
		s.address(accounts)
		phones = phones || s.EmailBad
	}
	gone, err := k.office.DismissedAmong(ctx, keys(people))
	if err != nil {
		return err
	}
	known := k.book.Many(ctx, typed[ident.IIN](people), typed[ident.BIN](companies), phones)
	heads := map[string]bool{}
	for _, h := range known.Heads {
		if iin := string(h.Value.Leader.IIN); phones && h.Verdict == registry.Good && accounts[iin].IIN == "" {
			heads[iin] = true
		}
	}
	of, err := k.office.AccountsOf(ctx, keys(heads))
	if err != nil {
		return err
	}
	maps.Copy(accounts, of)
	for i := range sets {
		s := &sets[i]
		s.Ended = s.ended(known, gone)
		if phones {
			s.phone(known, accounts)
		}
	}
	return nil
}

// address fills in where letters go, and in which language.
func (s *held) address(accounts map[string]ra.Account) {
	if a, ok := accounts[s.key.IIN]; ok {
		s.To, s.Lang = a.Confirmed(), a.Lang
		s.EmailBad, s.Unsubscribed = a.Bad, a.NoReminders
	}
	if s.role != "" {
		s.Role = "@" + s.role
	}
}

// ended says why the person may not act any more in this capacity.
func (s *held) ended(known registry.Many, gone map[ra.Post]bool) string {
	if p := known.Persons[ident.IIN(s.key.IIN)]; p.Verdict == registry.Bad && p.Code == registry.PersonExcluded {
		return "excluded"
	}
	return s.key.Ended(headAnswer(known.Heads[ident.BIN(s.key.BIN)]), gone[ra.Post{BIN: s.key.BIN, IIN: s.key.IIN}])
}

// phone fills in where short messages go, and in which language: to the person, for an organisation to its head.
func (s *held) phone(known registry.Many, accounts map[string]ra.Account) {
	iin := ident.IIN(s.key.IIN)
	if s.key.BIN != "" {
		head := known.Heads[ident.BIN(s.key.BIN)]
		if head.Verdict != registry.Good {
			s.PhoneUnknown = head.Verdict == registry.Unknown && head.Code != registry.NeverLoaded
			return
		}
		iin = head.Value.Leader.IIN
	}
	answer := known.Phones[iin]
	s.PhoneLang = accounts[string(iin)].Lang
	s.Phone = string(answer.Value.Phone)
	s.PhoneUnknown = answer.Verdict == registry.Unknown && answer.Code != registry.NeverLoaded
}

// keys lists a set's members in order.
func keys(m map[string]bool) []string { return typed[string](m) }

func typed[K ~string](m map[string]bool) []K {
	all := make([]K, 0, len(m))
	for k := range m {
		all = append(all, K(k))
	}
	slices.Sort(all)
	return all
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

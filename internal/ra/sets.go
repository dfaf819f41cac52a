package ra

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"senim/pki"
)

// KeysTogether is the keys of one application: one, or a pair. They end together, so they are one thing
// to a person.
type KeysTogether struct {
	// ID is the first of their serials and stays for good.
	ID       string
	IIN, BIN string
	// Role names the authority's profile without the kind of key.
	Role     string
	Holder   pki.Holder
	Issued   time.Time
	NotAfter time.Time
	// SignIn and Signing say what they are for, together.
	SignIn, Signing bool
	// RevokedAt is when the first of them was revoked for good; zero when none was.
	RevokedAt time.Time
}

// place is the number of a key in its set, at the end of an order.
var place = regexp.MustCompile(`-k[0-9]+$`)

// Set names the keys of one application: its order without the number of the key, and whose they are.
// Orders are their maker's to name, so the same name never joins keys of two holders. A pair may be of
// two authorities.
func (k Key) Set() string {
	order := place.ReplaceAllString(k.Order, "")
	if order == "" {
		order = k.Serial
	}
	return k.IIN + "/" + k.BIN + "/" + order
}

// Together joins keys of one application, by their end.
func Together(keys []Key) []KeysTogether {
	var all []KeysTogether
	at := map[string]int{}
	for _, k := range keys {
		if k.IIN == "" {
			continue
		}
		c, err := pki.ParseCertificate(k.Raw)
		if err != nil {
			continue // not of ours: nothing we issue cannot be read
		}
		name := k.Set()
		n, known := at[name]
		if !known {
			n = len(all)
			at[name] = n
			role := strings.TrimSuffix(strings.TrimSuffix(k.Profile, "-auth"), "-sign")
			if role == "" {
				role = RoleOf(c.Holder())
			}
			all = append(all, KeysTogether{ID: k.Serial, IIN: k.IIN, BIN: k.BIN, Role: role, Holder: c.Holder(), Issued: k.NotBefore, NotAfter: k.NotAfter})
		}
		s := &all[n]
		s.ID = min(s.ID, k.Serial)
		if k.NotAfter.Before(s.NotAfter) {
			s.NotAfter = k.NotAfter
		}
		s.SignIn, s.Signing = s.SignIn || c.ForSignIn(), s.Signing || c.ForSigning()
		if final := k.Reason != "certificateHold"; final && !k.RevokedAt.IsZero() && (s.RevokedAt.IsZero() || k.RevokedAt.Before(s.RevokedAt)) {
			s.RevokedAt = k.RevokedAt
		}
	}
	slices.SortStableFunc(all, func(a, b KeysTogether) int { return a.NotAfter.Compare(b.NotAfter) })
	return all
}

// replaces reports that keys can take the place of others: of the same person in the same capacity, living longer.
func (k KeysTogether) replaces(old KeysTogether) bool {
	return k.ID != old.ID && k.IIN == old.IIN && k.BIN == old.BIN && k.Role == old.Role && k.NotAfter.After(old.NotAfter)
}

// over reports that keys need no more care at a moment: revoked, or others cover their use.
func (k KeysTogether) over(all []KeysTogether, at time.Time) bool {
	if !k.RevokedAt.IsZero() && !at.Before(k.RevokedAt) {
		return true
	}
	var found, signIn, signing bool
	for _, o := range all {
		if o.replaces(k) && !at.Before(o.Issued) && (o.RevokedAt.IsZero() || at.Before(o.RevokedAt)) {
			found, signIn, signing = true, signIn || o.SignIn, signing || o.Signing
		}
	}
	return found && (signIn || !k.SignIn) && (signing || !k.Signing)
}

// changes counts how often that changed until a moment, and tells when it did last.
func (k KeysTogether) changes(all []KeysTogether, until time.Time) (n int, last time.Time) {
	moments := []time.Time{k.RevokedAt}
	for _, o := range all {
		if o.replaces(k) {
			moments = append(moments, o.Issued, o.RevokedAt)
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	was := false
	for _, at := range moments {
		if at.IsZero() || at.Before(k.Issued) || at.After(until) {
			continue
		}
		if is := k.over(all, at); is != was {
			n, last, was = n+1, at, is
		}
	}
	return n, last
}

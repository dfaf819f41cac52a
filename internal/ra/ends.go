package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/trust"
	"senim/pki"
)

// Watched is whose keys a person looks after beside his own: all of some organisations, and some of others.
type Watched struct {
	Companies []string
	Holders   []Holder
}

// Watched says whose keys a person looks after: of organisations he heads or is a delegate of now, and of
// holders whose keys he renewed.
func (o *Office) Watched(ctx context.Context, iin string) (Watched, error) {
	var w Watched
	err := o.c.Store.View(ctx, func(tx Tx) (err error) { w.Holders, err = tx.LookedAfter(ctx, iin); return err })
	if err != nil {
		return w, fmt.Errorf("whose keys are looked after: %w", err)
	}
	own, err := o.c.Keys.Of(ctx, iin)
	if err != nil {
		return w, fmt.Errorf("whose keys are looked after: %w", err)
	}
	seen := map[string]bool{"": true}
	for _, k := range own {
		if seen[k.BIN] || !k.Live(o.c.Now()) {
			continue
		}
		seen[k.BIN] = true
		head := o.c.Registry.Head(ctx, iin, ident.BIN(k.BIN))
		may := head.Verdict == trust.Good && head.IIN == iin
		if head.Verdict == trust.Good && !may {
			d, err := o.delegated(ctx, pki.Holder{IIN: iin, BIN: k.BIN}, "", head)
			if err != nil {
				return w, fmt.Errorf("whose keys are looked after: %w", err)
			}
			may = d.ID != ""
		}
		if may {
			w.Companies = append(w.Companies, k.BIN)
		}
	}
	return w, nil
}

// Digest reports whether a person gets a letter a day about the keys he looks after.
func (o *Office) Digest(ctx context.Context, iin string) (on bool, err error) {
	err = o.c.Store.View(ctx, func(tx Tx) error { on, err = tx.Digest(ctx, iin); return err })
	return on, err
}

// SetDigest switches that letter on or off.
func (o *Office) SetDigest(ctx context.Context, iin string, on bool) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.SetDigest(ctx, iin, on, o.c.Now()); err != nil {
			return err
		}
		result := "off"
		if on {
			result = "on"
		}
		return tx.Audit(ctx, audit.Event{Action: "digest.chosen", Actor: tx.Hash(iin), Result: result})
	})
	if err != nil {
		return fmt.Errorf("choose the daily letter: %w", err)
	}
	return nil
}

// Ends lists the keys a person looks after, his own among them, that end in [from, to) and need care, by
// their end.
func (o *Office) Ends(ctx context.Context, iin string, from, to time.Time) ([]KeysTogether, error) {
	ends, _, err := o.lookedAfter(ctx, iin, from, to)
	return ends, err
}

// lookedAfter is [Office.Ends], and how many of the keys looked after are replaced and have force still.
func (o *Office) lookedAfter(ctx context.Context, iin string, from, to time.Time) (all []KeysTogether, replaced int, err error) {
	w, err := o.Watched(ctx, iin)
	if err != nil {
		return nil, 0, err
	}
	now := o.c.Now()
	ends, old := map[string]KeysTogether{}, map[string]bool{}
	add := func(keys []Key, err error, want func(KeysTogether) bool) error {
		sets := Together(keys)
		for _, k := range needCare(sets, now, from, to) {
			if want(k) {
				ends[k.ID] = k
			}
		}
		for _, k := range sets {
			if want(k) && k.RevokedAt.IsZero() && k.NotAfter.After(now) && k.over(sets, now) {
				old[k.ID] = true
			}
		}
		return err
	}
	own, err := o.c.Keys.Of(ctx, iin)
	err = add(own, err, func(KeysTogether) bool { return true })
	for _, bin := range w.Companies {
		keys, failed := o.c.Keys.OfCompany(ctx, bin)
		err = errors.Join(err, add(keys, failed, func(KeysTogether) bool { return true }))
	}
	for _, h := range w.Holders {
		keys, failed := o.c.Keys.Of(ctx, h.IIN)
		err = errors.Join(err, add(keys, failed, func(k KeysTogether) bool { return k.BIN == h.BIN }))
	}
	if err != nil {
		return nil, 0, fmt.Errorf("keys that end: %w", err)
	}
	all = make([]KeysTogether, 0, len(ends))
	for _, k := range ends {
		all = append(all, k)
	}
	slices.SortFunc(all, byEnd)
	return all, len(old), nil
}

func byEnd(a, b KeysTogether) int {
	if c := a.NotAfter.Compare(b.NotAfter); c != 0 {
		return c
	}
	if c := strings.Compare(a.Holder.CommonName, b.Holder.CommonName); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// needCare are the keys that end in [from, to), are not revoked and have nothing in their place.
func needCare(all []KeysTogether, now, from, to time.Time) []KeysTogether {
	var ends []KeysTogether
	for _, k := range all {
		if !k.NotAfter.Before(from) && k.NotAfter.Before(to) && !k.over(all, now) {
			ends = append(ends, k)
		}
	}
	return ends
}

// ShortName is a person to others: surname and initials (I7).
func ShortName(h pki.Holder) string {
	name := h.Surname
	if name == "" {
		name, _, _ = strings.Cut(h.CommonName, " ")
	}
	given := strings.TrimSpace(strings.TrimPrefix(h.CommonName, h.Surname)) + " " + h.Given
	for _, word := range strings.Fields(given) {
		if word != name {
			name += " " + string([]rune(word)[:1]) + "."
		}
	}
	return name
}

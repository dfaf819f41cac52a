package participant

import (
	"context"
	"slices"
	"time"

	"senim/internal/ident"
)

// recovery is the part of the memory for changes of address and new passwords. No test of this
// package changes it in a transaction that fails, so it is not copied.
type recovery struct {
	acts    map[string]Act
	signed  map[string]SignedAct
	changes map[string]EmailChange
	asks    map[string]ResetAsk
	resets  map[string]Reset
	entries []Entry
	*invites
	*signIns
	*kept
}

func newRecovery() *recovery {
	return &recovery{acts: map[string]Act{}, signed: map[string]SignedAct{}, changes: map[string]EmailChange{}, asks: map[string]ResetAsk{}, resets: map[string]Reset{}, invites: &invites{}, signIns: newSignIns(), kept: &kept{}}
}

func (r *recovery) Act(_ context.Context, browser string, k Kind) (Act, error) {
	return found(r.acts, browser+string(k))
}
func (r *recovery) PutAct(_ context.Context, a Act) error {
	r.acts[a.Browser+string(a.Kind)] = a
	return nil
}
func (r *recovery) DropAct(_ context.Context, browser string, k Kind) error {
	delete(r.acts, browser+string(k))
	return nil
}
func (r *recovery) SweepActs(context.Context, time.Time) error { return nil }
func (r *recovery) PutSignedAct(_ context.Context, s SignedAct) error {
	r.signed[s.ID] = s
	return nil
}
func (r *recovery) SignedAct(_ context.Context, id string) (SignedAct, error) {
	return found(r.signed, id)
}
func (r *recovery) SignedActs(_ context.Context, iin ident.IIN, _ int) (all []SignedAct, err error) {
	for _, s := range r.signed {
		if s.IIN == iin {
			all = append(all, SignedAct{ID: s.ID, Kind: s.Kind, IIN: s.IIN, At: s.At})
		}
	}
	return all, nil
}
func (r *recovery) EmailChange(_ context.Context, id string) (EmailChange, error) {
	return found(r.changes, id)
}
func (r *recovery) EmailChangeByLink(_ context.Context, hash string) (EmailChange, error) {
	for _, c := range r.changes {
		if c.Confirm == hash || c.Dispute == hash {
			return c, nil
		}
	}
	return EmailChange{}, ErrNotFound
}
func (r *recovery) EmailChanges(_ context.Context, iin ident.IIN, since time.Time) ([]EmailChange, error) {
	var all []EmailChange
	for _, c := range r.changes {
		if c.IIN == iin && (!c.Asked.Before(since) || c.Ended.IsZero()) {
			all = append(all, c)
		}
	}
	return all, nil
}
func (r *recovery) PutEmailChange(_ context.Context, c EmailChange) error {
	r.changes[c.ID] = c
	return nil
}
func (r *recovery) PutResetAsk(_ context.Context, a ResetAsk) error {
	r.asks[a.ID] = a
	return nil
}
func (r *recovery) TakeResetAsk(_ context.Context, id string) (ResetAsk, error) {
	a, err := found(r.asks, id)
	delete(r.asks, id)
	return a, err
}
func (r *recovery) Reset(_ context.Context, hash string) (Reset, error) { return found(r.resets, hash) }
func (r *recovery) Resets(_ context.Context, iin ident.IIN, since time.Time) ([]Reset, error) {
	var all []Reset
	for _, p := range r.resets {
		if p.IIN == iin && !p.Asked.Before(since) {
			all = append(all, p)
		}
	}
	return all, nil
}
func (r *recovery) PutReset(_ context.Context, p Reset) error {
	r.resets[p.Hash] = p
	return nil
}
func (r *recovery) PutEntry(_ context.Context, e Entry, _ int) error {
	r.entries = slices.Insert(r.entries, 0, e)
	return nil
}
func (r *recovery) Entries(_ context.Context, iin ident.IIN, limit int) ([]Entry, error) {
	var all []Entry
	for _, e := range r.entries {
		if e.IIN == iin && len(all) < limit {
			all = append(all, e)
		}
	}
	return all, nil
}

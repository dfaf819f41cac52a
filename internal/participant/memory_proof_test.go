package participant

import (
	"context"
	"slices"
	"time"
)

// kept is the part of the memory for proof of signatures.
type kept struct{ proofs map[string][]Proof }

func (k *kept) AddProofs(_ context.Context, of string, all []Proof) error {
	if k.proofs == nil {
		k.proofs = map[string][]Proof{}
	}
	k.proofs[of] = append(k.proofs[of], all...)
	return nil
}
func (k *kept) Proofs(_ context.Context, of string) ([]Proof, error) {
	return slices.Clone(k.proofs[of]), nil
}
func (k *kept) CoverProofs(_ context.Context, of string, n int) error {
	for i := range k.proofs[of][:n] {
		k.proofs[of][i].Covered = true
	}
	return nil
}
func (k *kept) EndingProofs(_ context.Context, before time.Time, after string, limit int) (ids []string, err error) {
	for id, all := range k.proofs {
		ends := slices.ContainsFunc(all, func(p Proof) bool { return !p.Covered && !p.Ends.IsZero() && p.Ends.Before(before) })
		if ends && id > after {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[:min(len(ids), limit)], nil
}

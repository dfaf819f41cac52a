package ra

import (
	"context"
	"maps"
	"slices"
)

// firstMemory is the first signatures of new keys.
type firstMemory struct {
	firsts map[string]FirstSignature
	proofs map[string][]Proof
}

func (m firstMemory) clone() firstMemory {
	return firstMemory{maps.Clone(m.firsts), maps.Clone(m.proofs)}
}

func (m *memory) AwaitFirst(_ context.Context, serial, number string) error {
	if _, ok := m.d.first.firsts[serial]; !ok {
		m.d.first.firsts[serial] = FirstSignature{Serial: serial, Number: number}
	}
	return nil
}

func (m *memory) AwaitsFirst(_ context.Context, serial string) (string, error) {
	if f, ok := m.d.first.firsts[serial]; ok && f.At.IsZero() {
		return f.Number, nil
	}
	return "", ErrNotFound
}

func (m *memory) PutFirst(_ context.Context, f FirstSignature) (bool, error) {
	if was := m.d.first.firsts[f.Serial]; !was.At.IsZero() {
		return false, nil
	}
	m.d.first.firsts[f.Serial] = f
	return true, nil
}

func (m *memory) Firsts(_ context.Context, number string) (all []FirstSignature, err error) {
	for _, serial := range slices.Sorted(maps.Keys(m.d.first.firsts)) {
		if f := m.d.first.firsts[serial]; f.Number == number && !f.At.IsZero() {
			all = append(all, f)
		}
	}
	return all, nil
}

func (m *memory) First(_ context.Context, serial string) (FirstSignature, error) {
	if f, ok := m.d.first.firsts[serial]; ok && !f.At.IsZero() {
		return f, nil
	}
	return FirstSignature{}, ErrNotFound
}

func (m *memory) PutFirstProofs(_ context.Context, serial string, all []Proof) error {
	m.d.first.proofs[serial] = all
	return nil
}

func (m *memory) FirstProofs(_ context.Context, serial string) ([]Proof, error) {
	return m.d.first.proofs[serial], nil
}

package ra

import (
	"context"
	"slices"
	"time"
)

// folders are the batches and the keys looked after, in memory.
type folders struct {
	batches []Batch
	watched map[string][]string
}

func (f folders) clone() folders {
	c := folders{batches: slices.Clone(f.batches), watched: map[string][]string{}}
	for iin, list := range f.watched {
		c.watched[iin] = slices.Clone(list)
	}
	return c
}

func (m *memory) PutBatch(_ context.Context, b Batch) error {
	b.Items = slices.Clone(b.Items)
	if i := slices.IndexFunc(m.d.folders.batches, func(had Batch) bool { return had.ID == b.ID }); i >= 0 {
		m.d.folders.batches[i] = b
	} else {
		m.d.folders.batches = append(m.d.folders.batches, b)
	}
	return nil
}

func (m *memory) Batch(_ context.Context, id string) (Batch, error) {
	for _, b := range m.d.folders.batches {
		if b.ID == id {
			b.Items = slices.Clone(b.Items)
			return b, nil
		}
	}
	return Batch{}, ErrNotFound
}

func (m *memory) Batches(_ context.Context, iin string) ([]Batch, error) {
	var list []Batch
	for _, b := range slices.Backward(m.d.folders.batches) {
		if b.IIN == iin {
			list = append(list, b)
		}
	}
	return list, nil
}

func (m *memory) OpenInBatches(_ context.Context, iin string) ([]Application, error) {
	return m.find(func(a Application) bool {
		return !a.State.Final() && slices.ContainsFunc(m.d.folders.batches, func(b Batch) bool {
			return b.IIN == iin && slices.ContainsFunc(b.Items, func(i BatchItem) bool { return i.Number == a.Number })
		})
	}), nil
}

func (m *memory) Watch(_ context.Context, iin string, serials []string, _ time.Time) error {
	for _, s := range serials {
		if !slices.Contains(m.d.folders.watched[iin], s) {
			m.d.folders.watched[iin] = append(m.d.folders.watched[iin], s)
		}
	}
	return nil
}

func (m *memory) Unwatch(_ context.Context, iin string, serials []string) error {
	m.d.folders.watched[iin] = slices.DeleteFunc(m.d.folders.watched[iin], func(s string) bool { return slices.Contains(serials, s) })
	return nil
}

func (m *memory) Watched(_ context.Context, iin string) ([]string, error) {
	return slices.Clone(m.d.folders.watched[iin]), nil
}

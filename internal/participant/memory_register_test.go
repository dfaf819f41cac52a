package participant

import (
	"context"
	"maps"
	"slices"
	"time"

	"senim/internal/ident"
)

// registers is the part of the memory for agreements as a person's own, documents and administrators'
// acts.
type registers struct {
	documents map[ident.IIN]Document
	admin     map[string]AdminAct
}

func (r registers) clone() registers {
	return registers{documents: maps.Clone(r.documents), admin: maps.Clone(r.admin)}
}

func (t *memoryTx) Agreements(context.Context) ([]Agreement, error) {
	all := slices.Clone(t.d.agreements)
	slices.SortFunc(all, func(a, b Agreement) int { return a.From.Compare(b.From) })
	for i := range all {
		all[i].Text = nil
	}
	return all, nil
}

func (t *memoryTx) Signatures(_ context.Context, iin ident.IIN) ([]AgreementSignature, error) {
	var all []AgreementSignature
	for _, s := range t.d.signatures {
		if s.IIN == iin {
			s.Document, s.Certificate, s.TimeStamp = nil, nil, nil
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b AgreementSignature) int { return b.At.Compare(a.At) })
	return all, nil
}

func (t *memoryTx) Document(_ context.Context, iin ident.IIN) (Document, error) {
	return t.d.registers.documents[iin], nil
}

func (t *memoryTx) PutDocument(_ context.Context, iin ident.IIN, d Document) error {
	t.d.registers.documents[iin] = d
	return t.write()
}

func (t *memoryTx) AdminAct(_ context.Context, id string) (AdminAct, error) {
	return found(t.d.registers.admin, id)
}

func (t *memoryTx) PutAdminAct(_ context.Context, a AdminAct) error {
	t.d.registers.admin[a.ID] = a
	return t.write()
}

func (t *memoryTx) AdminActs(_ context.Context, limit int) ([]AdminAct, error) {
	var all []AdminAct
	for _, a := range t.d.registers.admin {
		if a.State != AdminDraft {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b AdminAct) int { return b.Made.Compare(a.Made) })
	return all[:min(limit, len(all))], nil
}

func (t *memoryTx) SweepAdminActs(_ context.Context, before time.Time) error {
	maps.DeleteFunc(t.d.registers.admin, func(_ string, a AdminAct) bool { return a.State == AdminDraft && a.Made.Before(before) })
	return nil
}

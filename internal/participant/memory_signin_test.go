package participant

import (
	"context"
	"maps"
	"time"

	"senim/internal/ident"
)

// signIns is the part of the memory for machines, sessions and passkeys: like recovery, it is not copied.
type signIns struct {
	machines map[string]time.Time
	passkeys map[string]Passkey
}

func newSignIns() *signIns {
	return &signIns{machines: map[string]time.Time{}, passkeys: map[string]Passkey{}}
}

func (m *signIns) Machine(_ context.Context, iin ident.IIN, hash string) (time.Time, error) {
	return found(m.machines, string(iin)+hash)
}
func (m *signIns) PutMachine(_ context.Context, iin ident.IIN, hash string, seen time.Time, _ int) error {
	m.machines[string(iin)+hash] = seen
	return nil
}
func (m *signIns) DropMachines(context.Context, ident.IIN) error {
	clear(m.machines)
	return nil
}
func (m *signIns) OpenSessions(context.Context, string, ident.IIN, time.Time) ([]OpenSession, error) {
	return nil, nil
}
func (m *signIns) EndSession(context.Context, string, string) error { return nil }
func (m *signIns) Passkey(_ context.Context, id string) (Passkey, error) {
	return found(m.passkeys, id)
}
func (m *signIns) Passkeys(_ context.Context, iin ident.IIN) ([]Passkey, error) {
	var all []Passkey
	for _, p := range m.passkeys {
		if p.IIN == iin {
			all = append(all, p)
		}
	}
	return all, nil
}
func (m *signIns) PutPasskey(_ context.Context, p Passkey) error {
	m.passkeys[p.ID] = p
	return nil
}
func (m *signIns) DropPasskey(_ context.Context, id string) error {
	delete(m.passkeys, id)
	return nil
}
func (m *signIns) SweepPasskeys(_ context.Context, before time.Time) error {
	maps.DeleteFunc(m.passkeys, func(_ string, p Passkey) bool { return p.Signature == "" && p.Made.Before(before) })
	return nil
}

// Package storetest is what every store must do, whatever database is under it: one list of cases
// for each domain, run on SQLite and on PostgreSQL.
//
// [Run] runs them all. [SQLite] and [Postgres] give a new, empty database each time. Add a domain by
// writing its function in a file of its own, as func RA(t *testing.T, s *store.Store), and adding
// its line to the list in Run.
package storetest

import (
	"testing"

	"senim/internal/store"
)

// Run runs each domain's cases over a new store of its own.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	for _, d := range []struct {
		name string
		run  func(*testing.T, *store.Store)
	}{
		{"Core", Core},
		{"Audit", Audit},
		{"Registry", Registry},
		{"Auth", Auth},
		{"CA", CA},
		{"TSA", TSA},
		{"Access", Access},
		{"RA", RA},
		{"RAConfirm", RAConfirm},
		{"Staff", Staff},
		{"RAFactor", RAFactor},
		{"RACheck", RACheck},
		{"Reminders", Reminders},
		{"Desk", Desk},
		{"Participant", Participant},
		{"ParticipantRecovery", ParticipantRecovery},
		{"ParticipantRegister", ParticipantRegister},
		{"ParticipantSignIn", ParticipantSignIn},
		{"ParticipantInvite", ParticipantInvite},
		{"Feed", Feed},
		{"QR", QR},
		{"Relying", Relying},
		{"Restored", Restored},
	} {
		t.Run(d.name, func(t *testing.T) { d.run(t, open(t)) })
	}
}

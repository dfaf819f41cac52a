package participant

import (
	"context"
	"errors"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/notice"
)

// Errors a store gives.
var (
	// ErrNotFound says that there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrRace says that a second head of the same enterprise would have become active (M4), or
	// that a row was changed by another transaction meanwhile.
	ErrRace = errors.New("changed by another act meanwhile")
)

// Store keeps what this package knows. Update and View are one transaction each; the function given
// to Update may be run again, so it does nothing outside the transaction.
type Store interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
}

// Tx is one transaction. Reads of one row give [ErrNotFound] when there is none; lists are in the
// order of time. Put writes a row, new or changed.
type Tx interface {
	RecoveryTx
	InviteTx
	RegisterTx
	SignInTx
	FactsTx
	ProofTx

	Account(ctx context.Context, iin ident.IIN) (Account, error)
	PutAccount(ctx context.Context, a Account) error
	// DeletePending removes an account that never became active, unless a registration of the person
	// still waits for its link; an account in another state is left alone.
	DeletePending(ctx context.Context, iin ident.IIN) error

	Profile(ctx context.Context, id string) (Profile, error)
	Profiles(ctx context.Context, iin ident.IIN) ([]Profile, error)
	ProfilesOf(ctx context.Context, tin string) ([]Profile, error)
	// PutProfile gives [ErrRace] when the enterprise would have two active heads.
	PutProfile(ctx context.Context, p Profile) error
	AddChange(ctx context.Context, c Change) error
	Changes(ctx context.Context, profile string) ([]Change, error)

	Enterprise(ctx context.Context, tin string) (Enterprise, error)
	PutEnterprise(ctx context.Context, e Enterprise) error

	Registration(ctx context.Context, id string) (Registration, error)
	// RegistrationByLink finds the registration whose letter carried the token of this hash.
	RegistrationByLink(ctx context.Context, hash string) (Registration, error)
	PutLink(ctx context.Context, hash, registration string, at time.Time) error
	// DropLinks makes every letter sent so far for a registration useless.
	DropLinks(ctx context.Context, registration string) error
	// OpenRegistrations lists those of a tin that have not ended, also when their time is over.
	OpenRegistrations(ctx context.Context, tin string) ([]Registration, error)
	// DueRegistrations lists at most limit open registrations whose time is over at the moment.
	DueRegistrations(ctx context.Context, at time.Time, limit int) ([]Registration, error)
	PutRegistration(ctx context.Context, r Registration) error
	// LettersSince counts the letters of a person's registrations whose last one was sent since the moment.
	LettersSince(ctx context.Context, iin ident.IIN, since time.Time) (int, error)

	Evidence(ctx context.Context, id string) (Evidence, error)
	PutEvidence(ctx context.Context, e Evidence) error

	// Agreement reads a version; with version "" the one in force at the moment.
	Agreement(ctx context.Context, version string, at time.Time) (Agreement, error)
	PutAgreement(ctx context.Context, a Agreement) error
	Signature(ctx context.Context, id string) (AgreementSignature, error)
	PutSignature(ctx context.Context, s AgreementSignature) error

	// EndSessions ends the sessions of a person on a site that act as one of his profiles (the zero one: any), and
	// says how many. It is kept why they ended: the person is told at the next request.
	EndSessions(ctx context.Context, site string, iin ident.IIN, p Profile, reason string) (int, error)

	// Hash is the keyed hash of a personal number for the audit log.
	Hash(s string) string
	Enqueue(ctx context.Context, j job.Job) error
	Audit(ctx context.Context, e audit.Event) error
	Notify(ctx context.Context, m notice.Message) error
}

package ra

import (
	"context"
	"errors"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/internal/lang"
	"senim/internal/notice"
)

// ErrNotFound says that the store has no such application or account.
var ErrNotFound = errors.New("not found")

// Store keeps applications and accounts. Update and View are one transaction each.
type Store interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
}

// Tx is one transaction over applications and accounts.
type Tx interface {
	// Counter gives the next number of a day (as 261124), from 1.
	Counter(ctx context.Context, day string) (int, error)
	// Put writes an application, new or changed.
	Put(ctx context.Context, a Application) error
	// Application reads by number; [ErrNotFound].
	Application(ctx context.Context, number string) (Application, error)
	// OfPerson lists a person's applications, latest first.
	OfPerson(ctx context.Context, iin string) ([]Application, error)
	// OfCompany lists the applications for keys of a BIN, latest first.
	OfCompany(ctx context.Context, bin string) ([]Application, error)
	// Overdue lists numbers of applications in a state, signed (or, for drafts, changed) before a moment.
	Overdue(ctx context.Context, s State, before time.Time) ([]string, error)
	// Remove deletes a draft.
	Remove(ctx context.Context, number string) error
	// ClaimKey notes that an application asked for a certificate of this public key; false when
	// another application, or another revision, had asked for it.
	ClaimKey(ctx context.Context, keyHash, id string) (bool, error)

	// Account reads a person's account; [ErrNotFound].
	Account(ctx context.Context, iin string) (Account, error)
	// PutAccount writes an account, new or changed.
	PutAccount(ctx context.Context, a Account) error
	// PutLink writes a link sent by mail.
	PutLink(ctx context.Context, l Link) error
	// Link reads a link by the hash of its token; [ErrNotFound] when unknown or used.
	Link(ctx context.Context, hash string) (Link, error)
	// UseLink removes a link and reports whether it was there.
	UseLink(ctx context.Context, hash string) (bool, error)

	staffTx
	decisionTx
	factorTx
	contactTx
	consentTx
	reportTx
	calendarTx
	batchTx
	deskTx
	scanTx
	useTx
	firstTx

	// Hash gives the keyed hash that names a person in the audit log.
	Hash(personal string) string
	Enqueue(ctx context.Context, j job.Job) error
	Audit(ctx context.Context, e audit.Event) error
	Notify(ctx context.Context, m notice.Message) error
}

// Account is what the cabinet knows of a person beside certificates: where to write, and how.
type Account struct {
	IIN, City string
	Lang      lang.Tag
	// Email may be empty; nothing but confirmation letters goes to it until ConfirmedAt.
	Email       string
	ConfirmedAt time.Time
	// Next is the address that shall follow a confirmed one, once its link was used; until then it
	// gets nothing but N-16, and Email stays.
	Next string
	// Bad: letters to Email do not arrive ([Office.AddressBad]).
	Bad bool
	// NoReminders: the person wants no reminders by e-mail; short messages and security letters go on.
	NoReminders bool
	// ConsentAt is when the person agreed to the processing of personal data.
	ConsentAt        time.Time
	Created, Changed time.Time
}

// Confirmed is the address letters may go to; empty when there is none.
func (a Account) Confirmed() string {
	if a.ConfirmedAt.IsZero() {
		return ""
	}
	return a.Email
}

// Address is where letters of a class may go: codes, links and security letters to the confirmed
// address; business ones and reminders not to one that is bad (I5), reminders not to who wants none.
func (a Account) Address(c notice.Class) string {
	if a.Bad && c != notice.Transaction && c != notice.Security || a.NoReminders && c == notice.Reminder {
		return ""
	}
	return a.Confirmed()
}

// Link is a link sent by mail, stored by the hash of its token.
type Link struct {
	Hash, IIN, Email string
	Expires          time.Time
}

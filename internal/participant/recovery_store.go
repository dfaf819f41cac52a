package participant

import (
	"context"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
)

// RecoveryTx is the part of [Tx] for changes of address, new passwords and the list of sign-ins.
type RecoveryTx interface {
	Act(ctx context.Context, browser string, k Kind) (Act, error)
	// PutAct writes an act; an open one of the same browser and kind is replaced.
	PutAct(ctx context.Context, a Act) error
	DropAct(ctx context.Context, browser string, k Kind) error
	// SweepActs removes acts made before the moment.
	SweepActs(ctx context.Context, before time.Time) error
	PutSignedAct(ctx context.Context, s SignedAct) error
	SignedAct(ctx context.Context, id string) (SignedAct, error)
	// SignedActs lists the person's, newest first, without Act, Challenge, Answer and Certificate.
	SignedActs(ctx context.Context, iin ident.IIN, limit int) ([]SignedAct, error)

	EmailChange(ctx context.Context, id string) (EmailChange, error)
	// EmailChangeByLink finds the change one of whose letters carried the token of this hash.
	EmailChangeByLink(ctx context.Context, hash string) (EmailChange, error)
	// EmailChanges lists a person's changes asked since the moment, and those that have not ended.
	EmailChanges(ctx context.Context, iin ident.IIN, since time.Time) ([]EmailChange, error)
	PutEmailChange(ctx context.Context, c EmailChange) error

	PutResetAsk(ctx context.Context, a ResetAsk) error
	// TakeResetAsk reads what was asked and removes it.
	TakeResetAsk(ctx context.Context, id string) (ResetAsk, error)
	Reset(ctx context.Context, hash string) (Reset, error)
	// Resets lists a person's links asked since the moment.
	Resets(ctx context.Context, iin ident.IIN, since time.Time) ([]Reset, error)
	PutReset(ctx context.Context, r Reset) error

	// PutEntry writes a sign-in and drops the person's oldest beyond keep.
	PutEntry(ctx context.Context, e Entry, keep int) error
	// Entries lists a person's newest sign-ins, newest first.
	Entries(ctx context.Context, iin ident.IIN, limit int) ([]Entry, error)
}

// ChangeState is where a change of address stands.
type ChangeState string

// The states of a change of address.
const (
	ChangeAsked     ChangeState = "ASKED"     // signed; the new address waits for its link
	ChangeConfirmed ChangeState = "CONFIRMED" // confirmed; takes effect when the delay is over
	ChangeDone      ChangeState = "DONE"
	ChangeDisputed  ChangeState = "DISPUTED" // «Это не я»
	ChangeReplaced  ChangeState = "REPLACED" // a newer one was signed
)

// EmailChange is one signed change of a person's address.
type EmailChange struct {
	ID               string
	IIN              ident.IIN
	Old, New         string
	Lang             lang.Tag // of the page where it was signed
	State            ChangeState
	Confirm, Dispute string // hashes of the two letters' tokens
	Signature        string // id of the [SignedAct]
	Asked, Expires   time.Time
	Effective        time.Time // when it takes, or took, effect
	Ended            time.Time
}

// ResetAsk is what somebody typed at «Сменить пароль», until the job has looked at it.
type ResetAsk struct {
	ID    string
	IIN   ident.IIN
	Email string
	Lang  lang.Tag
	Made  time.Time
}

// Reset is a link that sets a new password.
type Reset struct {
	Hash           string // of the token
	IIN            ident.IIN
	Email          string // the link is good while this is the account's address
	Asked, Expires time.Time
	Failed         int // signatures of other people
	Used           time.Time
	Signature      string // id of the [SignedAct]
}

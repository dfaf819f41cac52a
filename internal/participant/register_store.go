package participant

import (
	"context"
	"time"

	"senim/internal/ident"
)

// RegisterTx is the part of [Tx] for agreements as a person's own, identity documents, and what
// administrators do.
type RegisterTx interface {
	// Agreements lists every version in the order of the dates they come into force, without the texts.
	Agreements(ctx context.Context) ([]Agreement, error)
	// Signatures lists a person's signed agreements, newest first, without the documents.
	Signatures(ctx context.Context, iin ident.IIN) ([]AgreementSignature, error)

	// Document reads the identity document a person gave; the zero one when none.
	Document(ctx context.Context, iin ident.IIN) (Document, error)
	PutDocument(ctx context.Context, iin ident.IIN, d Document) error

	AdminAct(ctx context.Context, id string) (AdminAct, error)
	PutAdminAct(ctx context.Context, a AdminAct) error
	// AdminActs lists the newest acts that were signed, newest first.
	AdminActs(ctx context.Context, limit int) ([]AdminAct, error)
	// SweepAdminActs removes drafts made before the moment.
	SweepAdminActs(ctx context.Context, before time.Time) error
}

// Document is an identity document, as the older form of registration has it. All of it may be empty.
type Document struct {
	Number string // series and number
	Issued string // date of issue, as written
	Issuer string
}

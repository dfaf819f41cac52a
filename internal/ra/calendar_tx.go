package ra

import (
	"context"
	"time"
)

// Feed is a person's calendar feed, known by the hash of its token.
type Feed struct {
	Hash, IIN string
	// Staff is the BIN of the organisation whose staff keys its head wants in it too; empty for none.
	Staff            string
	Created, Revoked time.Time
}

// Holder is a person in an organisation, or with an empty BIN for himself.
type Holder struct{ IIN, BIN string }

// calendarTx keeps calendar feeds, and who looks after whose keys.
type calendarTx interface {
	// AccountsOf reads the accounts of some persons; those without one are absent.
	AccountsOf(ctx context.Context, iins []string) ([]Account, error)
	// FeedOf reads the feed of a person that is not revoked; FeedByHash any; [ErrNotFound].
	FeedOf(ctx context.Context, iin string) (Feed, error)
	FeedByHash(ctx context.Context, hash string) (Feed, error)
	// PutFeed writes a feed, new or changed.
	PutFeed(ctx context.Context, f Feed) error

	// Digest reports whether a person wants a letter a day about the keys he looks after; SetDigest
	// changes it. Digests lists who does, in order, after one, at most limit.
	Digest(ctx context.Context, iin string) (bool, error)
	SetDigest(ctx context.Context, iin string, on bool, at time.Time) error
	Digests(ctx context.Context, after string, limit int) ([]string, error)
	// LookAfter notes that a person looks after the keys of others; LookedAfter lists them.
	LookAfter(ctx context.Context, iin string, others []Holder, at time.Time) error
	LookedAfter(ctx context.Context, iin string) ([]Holder, error)
	// Examine notes that something named was done; first is false when it had been.
	Examine(ctx context.Context, subject, stage string, at time.Time) (first bool, err error)
	// WasExamined asks that and notes nothing.
	WasExamined(ctx context.Context, subject, stage string) (bool, error)
}

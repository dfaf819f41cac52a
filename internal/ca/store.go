package ca

import (
	"context"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
)

// Store keeps the authority's records. Update runs f in one serializable transaction, again when the
// database asks for it, so f touches nothing but its Tx; an error of f undoes everything.
type Store interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
}

// Tx is one transaction. Methods that read one thing answer [ErrNotFound] when it is not there.
// Times are kept to the millisecond.
type Tx interface {
	// AddAuthority records a new authority; ErrExists when its name is taken.
	AddAuthority(ctx context.Context, a AuthorityRecord) error
	// Authorities lists all, by name.
	Authorities(ctx context.Context) ([]AuthorityRecord, error)
	// AddSigner records the certificate of one of the authority's own services and the name of its key.
	AddSigner(ctx context.Context, r SignerRecord) error
	// Signer returns the one of its kind ([SignerOCSP], [SignerTSA]) whose certificate ends last.
	Signer(ctx context.Context, ca, kind string) (SignerRecord, error)

	// Reserve inserts a new record. ErrExists when its order, its serial at this authority or its
	// key is taken.
	Reserve(ctx context.Context, r Record) error
	// Advance replaces the state, TBS, Raw, dates and holder of a record; ErrNotFound when there is none.
	Advance(ctx context.Context, r Record) error
	// Intend moves a record from Reserved to Intended with the bytes that may be signed from now on.
	// ErrNotFound when no record of this serial is Reserved; nothing is changed then.
	Intend(ctx context.Context, serial string, tbs []byte) error
	// Finish moves a record from Intended to Done with its certificate. ErrNotFound when no record of
	// this serial is Intended, or it is revoked; nothing is changed then.
	Finish(ctx context.Context, serial string, raw []byte) error
	// ByOrder, BySerial and ByKey find one record. Serials are unique over all authorities.
	ByOrder(ctx context.Context, order string) (Record, error)
	BySerial(ctx context.Context, serial string) (Record, error)
	ByKey(ctx context.Context, key string) (Record, error)
	// Intended lists records in that state with serials after the given one, by serial, at most limit. It
	// takes no longer when many certificates have been issued.
	Intended(ctx context.Context, after string, limit int) ([]Record, error)
	// Holders lists issued records of a holder, newest first; an empty argument matches any.
	Holders(ctx context.Context, iin, bin string) ([]Record, error)
	// Ending lists issued, unrevoked records whose NotAfter is in [from, to), by NotAfter.
	Ending(ctx context.Context, from, to time.Time) ([]Record, error)

	// AddRevocation records a revocation and gives it the next epoch of its authority; ErrExists
	// when the serial is revoked, which one with the reason RemoveFromCRL is not.
	AddRevocation(ctx context.Context, ca, serial string, r Revocation) error
	// SetReason changes the reason of a revocation on hold, and gives it a new epoch. The reason
	// RemoveFromCRL lifts it: records are read as not revoked, and only RevokedSince tells it.
	SetReason(ctx context.Context, ca, serial string, r Reason) error
	// RevokedSince lists revocations of an authority with an epoch over since, by epoch, of
	// certificates that end after the given time.
	RevokedSince(ctx context.Context, ca string, since int64, endAfter time.Time) ([]RevokedRecord, error)

	// NextListNumber takes the next number of the authority's one sequence of lists and tells the
	// newest epoch of its revocations.
	NextListNumber(ctx context.Context, ca string) (number, epoch int64, err error)
	// AddList stores a list unless a newer one of the same authority and kind is stored already.
	AddList(ctx context.Context, l ListRecord) error
	// List returns the newest list; Base the newest full list made by schedule with a lower number.
	List(ctx context.Context, ca string, delta bool) (ListRecord, error)
	Base(ctx context.Context, ca string, below int64) (ListRecord, error)

	Enqueue(ctx context.Context, j job.Job) error
	Audit(ctx context.Context, e audit.Event) error
}

// State is how far the making of a certificate has come.
type State string

// The states of a record, in order. A record moves reserved → intended → issued, or is closed.
const (
	// Reserved: the serial is taken, nothing has been or will be signed from this state alone.
	Reserved State = "reserved"
	// Intended: the exact bytes are stored and may have been signed.
	Intended State = "intended"
	// Done: the certificate is stored.
	Done State = "issued"
	// Closed: given up. It is revoked too when it had been intended.
	Closed State = "closed"
)

// AuthorityRecord is an authority as it was created.
type AuthorityRecord struct {
	Name    string // short name, used in URLs: "gost", "root-gost"
	Parent  string // name of the authority above; "" for a root
	Raw     []byte // certificate
	Key     string // name of the key
	Created time.Time
	// Settings is [Authority] as JSON: addresses and policy written into certificates.
	Settings []byte
}

// Kinds of signers: what an authority's own services sign.
const (
	SignerOCSP = "ocsp"
	SignerTSA  = "tsa"
)

// SignerRecord is the certificate of one of an authority's own services.
type SignerRecord struct {
	CA, Kind, Serial, Key string
	Raw                   []byte
	NotAfter              time.Time
}

// Record is one certificate on its way, or made.
type Record struct {
	CA, Serial, Order, Profile string
	// Key is the SHA-256 of the SubjectPublicKeyInfo in lower hex.
	Key                 string
	State               State
	TBS, Raw            []byte
	IIN, BIN, Name      string
	Replaces            string
	NotBefore, NotAfter time.Time
	Created             time.Time

	// Revoked and ReplacedBy are filled in when a record is read, and not written by it.
	Revoked    *Revocation
	ReplacedBy string
}

// RevokedRecord is an entry for a revocation list.
type RevokedRecord struct {
	Serial string
	Revocation
}

// ListRecord is a published revocation list.
type ListRecord struct {
	CA                     string
	Delta, Scheduled       bool
	Number, Base           int64 // Base is 0 for full lists
	Epoch                  int64 // revocations up to this epoch are in it
	ThisUpdate, NextUpdate time.Time
	Raw                    []byte
}

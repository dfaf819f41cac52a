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
	// Attend says that the caller will write several times until leave: writers who are at work at the same
	// time may wait for one another, a little, and be made durable together.
	Attend() (leave func())
}

// Tx is one transaction. Methods that read one thing answer [ErrNotFound] when it is not there.
// Times are kept to the millisecond.
type Tx interface {
	// AddAuthority records a new authority; ErrExists when its name is taken.
	AddAuthority(ctx context.Context, a AuthorityRecord) error
	// Authorities lists all, by name.
	Authorities(ctx context.Context) ([]AuthorityRecord, error)
	// SetSettings replaces the settings of an authority.
	SetSettings(ctx context.Context, name string, settings []byte) error
	// Retire ends an authority's issuing; once is enough, and a second time changes nothing.
	Retire(ctx context.Context, r Retirement) error
	// AddCross records a root's certificate by another root; ErrExists when its name is taken. Crosses
	// lists them by name.
	AddCross(ctx context.Context, c CrossRecord) error
	Crosses(ctx context.Context) ([]CrossRecord, error)
	// AddRequest records that an authority's certificate was asked for elsewhere; ErrExists when its
	// name is taken. Request finds it.
	AddRequest(ctx context.Context, r RequestRecord) error
	Request(ctx context.Context, name string) (RequestRecord, error)
	// AddSigner records the certificate of one of the authority's own services and the name of its key.
	AddSigner(ctx context.Context, r SignerRecord) error
	// Signer returns the one of its kind ([SignerOCSP], [SignerTSA]) whose certificate ends last, of those
	// that are not revoked.
	Signer(ctx context.Context, ca, kind string) (SignerRecord, error)

	// AddProfile records a version of a profile, EndProfile that the version in force of a name went,
	// and ProfileVersions lists by name and time: those in force, or with past all there ever were.
	AddProfile(ctx context.Context, v ProfileVersion) error
	EndProfile(ctx context.Context, name string, went time.Time) error
	ProfileVersions(ctx context.Context, past bool) ([]ProfileVersion, error)

	// Reserve inserts a new record. ErrExists when its order, its serial at this authority or its
	// key is taken.
	Reserve(ctx context.Context, r Record) error
	// Advance replaces the authority, state, TBS, Raw, dates and holder of a record, and when it was created;
	// ErrNotFound when there is none.
	Advance(ctx context.Context, r Record) error
	// Restore replaces everything of a record but its serial, authority and order: for certificates
	// that a database restored from an older copy does not know. ErrNotFound when there is none.
	Restore(ctx context.Context, r Record) error
	// Intend moves a record from Reserved to Intended with the bytes that may be signed from now on.
	// ErrNotFound when no record of this serial is Reserved; nothing is changed then.
	Intend(ctx context.Context, serial string, tbs []byte) error
	// Finish moves a record from Intended to Done with its certificate. ErrNotFound when no record of
	// this serial is Intended, or it is revoked; nothing is changed then.
	Finish(ctx context.Context, serial string, raw []byte) error
	// Followed reports whether a certificate under another order follows this serial, or may be signed yet: one that was
	// revoked for good does not.
	Followed(ctx context.Context, serial, order string) (bool, error)
	// ByOrder, BySerial and ByKey find one record. Serials are unique over all authorities.
	ByOrder(ctx context.Context, order string) (Record, error)
	BySerial(ctx context.Context, serial string) (Record, error)
	ByKey(ctx context.Context, key string) (Record, error)
	// Status is BySerial of CA, Serial, State, NotAfter and Revoked only, which is cheap.
	Status(ctx context.Context, serial string) (Record, error)
	// Intended lists records in that state with serials after the given one, by serial, at most limit. It
	// takes no longer when many certificates have been issued.
	Intended(ctx context.Context, after string, limit int) ([]Record, error)
	// Holders lists issued records of a holder, newest first; an empty argument matches any.
	Holders(ctx context.Context, iin, bin string) ([]Record, error)
	// Living lists issued records of many persons that end at a moment or later, revoked ones too.
	Living(ctx context.Context, iins []string, from time.Time) ([]Record, error)
	// Companies lists the BINs of unrevoked certificates that end in [from, to), in order, after one, at most limit.
	Companies(ctx context.Context, from, to time.Time, after string, limit int) ([]string, error)
	// Ending lists issued, unrevoked records whose NotAfter is in [from, to), by NotAfter and serial, at
	// most limit; of those that end at from, the ones with a serial over after.
	Ending(ctx context.Context, from, to time.Time, after string, limit int) ([]Record, error)
	// Search lists issued records that fit, newest first, at most q.Limit.
	Search(ctx context.Context, q Query) ([]Record, error)

	// AddRevocation records a revocation and gives it the next epoch of its authority; ErrExists
	// when the serial is revoked, which one with the reason RemoveFromCRL is not.
	AddRevocation(ctx context.Context, ca, serial string, r Revocation) error
	// ChangeRevocation changes, at a moment, the reason, invalidity and actor of a revocation, and
	// gives it a new epoch; its dates stay. The reason RemoveFromCRL lifts a hold: records are read
	// as not revoked, and only EachRevoked tells it.
	ChangeRevocation(ctx context.Context, ca, serial string, at time.Time, r Revocation) error
	// EachRevoked calls f for the revocations of an authority with an epoch over since, by epoch, that
	// have to be kept on lists at least until the given time: for the end of the certificate, or the
	// moment of recording when that was later. A shard narrows it to the certificates of that divided
	// list. f touches nothing but what it is given, of which By, Recorded and Shard are empty.
	EachRevoked(ctx context.Context, ca, shard string, since int64, kept time.Time, f func(RevokedRecord) error) error
	// RevokedShards tells the newest epoch of each divided list that has one over since.
	RevokedShards(ctx context.Context, ca string, since int64) (map[string]int64, error)
	// Unlisted tells when the change with the first epoch over since was made, of an authority's revocations or of those
	// of a divided list; ErrNotFound when there is none.
	Unlisted(ctx context.Context, ca, shard string, since int64) (time.Time, error)
	// Epoch is the newest epoch of an authority's revocations, 0 when there are none.
	Epoch(ctx context.Context, ca string) (int64, error)

	// Changed returns the newest epoch of an authority's revocations, 0 before the first, and the
	// serials whose status changed with an epoch over since; not more than limit of them.
	Changed(ctx context.Context, ca string, since int64, limit int) (epoch int64, serials []string, err error)

	// NextListNumber takes the next number of the authority's one sequence of lists and tells the
	// newest epoch of its revocations.
	NextListNumber(ctx context.Context, ca string) (number, epoch int64, err error)
	// LastListNumber tells the last number taken; RaiseListNumber makes it at least n.
	LastListNumber(ctx context.Context, ca string) (int64, error)
	RaiseListNumber(ctx context.Context, ca string, n int64) error
	// AddList stores a list; ErrExists when one of the same kind is stored that has a higher number
	// or knows of more revocations.
	AddList(ctx context.Context, l ListRecord) error
	// Head returns the newest list of a kind without its bytes, Heads those of every kind, by shard.
	Head(ctx context.Context, ca, shard string, delta bool) (ListRecord, error)
	Heads(ctx context.Context, ca string) ([]ListRecord, error)
	// Base returns the newest full list made by schedule with a lower number, without its bytes.
	Base(ctx context.Context, ca, shard string, below int64) (ListRecord, error)
	// ListBytes reads the bytes of a list; ErrNotFound when it has been followed by another.
	ListBytes(ctx context.Context, l ListRecord) ([]byte, error)

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
	// Lost: issued, as the audit record kept elsewhere says, but its bytes are not in this database.
	Lost State = "lost"
	// Closed: given up. It is revoked too when it had been intended.
	Closed State = "closed"
)

// AuthorityRecord is an authority as it was created.
type AuthorityRecord struct {
	Name    string // short name, used in URLs: "gost", "root-gost"
	Parent  string // name of the authority above; "" for a root
	Raw     []byte // certificate
	Key     string // name of the key; "" when it is kept elsewhere
	Created time.Time
	// Settings is [Settings] as JSON: addresses and policy written into certificates.
	Settings []byte

	// Retired and Successor are filled in when a record is read, and not written by it: since when it
	// issues no more, and which one does instead.
	Retired   time.Time
	Successor string
}

// Retirement is the end of an authority's issuing. Successor is "" when it was revoked.
type Retirement struct {
	Name, Successor string
	At              time.Time
}

// RequestRecord is an authority whose key is here and whose certificate was asked for elsewhere.
type RequestRecord struct {
	Name    string
	Key     string // name of the key
	Plan    []byte // [AuthorityPlan] as JSON
	Raw     []byte // PKCS #10
	Created time.Time
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
	Epoch  int64
	Revocation
}

// ListRecord is a published revocation list.
type ListRecord struct {
	CA string
	// Shard is which of the divided lists it is, "" for the one of all certificates.
	Shard                  string
	Delta, Scheduled       bool
	Number, Base           int64 // Base is 0 for full lists
	Epoch                  int64 // revocations up to this epoch are in it
	ThisUpdate, NextUpdate time.Time
	Size                   int64 // of Raw in bytes; filled in when a record is read
	Raw                    []byte
}

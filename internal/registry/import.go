package registry

import (
	"context"
	"time"

	"senim/internal/ident"
)

// ImportState is where a batch of files stands.
type ImportState string

// The states. A batch is staged; it waits while its signer cannot be checked (unverified) or until an operator
// confirms it (waiting); then its records are written where nobody sees them yet (merging) and come into
// force all at once (accepted). A refused batch changes nothing.
const (
	Staging    ImportState = "staging"
	Unverified ImportState = "unverified"
	Held       ImportState = "waiting"
	Released   ImportState = "confirmed"
	Merging    ImportState = "merging"
	Accepted   ImportState = "accepted"
	Refused    ImportState = "refused"
)

// Ended reports that nothing more happens to the batch.
func (s ImportState) Ended() bool { return s == Accepted || s == Refused }

// Waits reports that operators may still stop the batch: it waits for one of them, or for its signer to be
// looked at.
func (i Import) Waits() bool {
	return i.State == Held || i.State == Unverified || i.State == Released && i.Code != ""
}

// Codes of refused batches, beside those of package batchfile and of certificates.
const (
	LoadLoaded      = "LOAD_LOADED"      // already loaded (L2)
	LoadGap         = "LOAD_GAP"         // a delta that does not follow (L3)
	LoadOlder       = "LOAD_OLDER"       // a newer load is in force (L4)
	LoadSource      = "LOAD_SOURCE"      // not a source, or a file that is not its
	LoadUnsigned    = "LOAD_UNSIGNED"    // the manifest has no signature
	LoadSignature   = "LOAD_SIGNATURE"   // the signature is not over this manifest
	LoadSigner      = "LOAD_SIGNER"      // the key is not of the trusted signers
	LoadFuture      = "LOAD_FUTURE"      // describes a moment that has not come
	LoadSuperseded  = "LOAD_SUPERSEDED"  // a newer batch of the source came while it waited
	LoadInterrupted = "LOAD_INTERRUPTED" // the server stopped, or the database lost what was staged
	LoadRejected    = "LOAD_REJECTED"    // by an operator
	LoadParty       = "LOAD_PARTY"       // it changes the head who the operator is, or makes him one
	LoadIncomplete  = "LOAD_INCOMPLETE"  // full, without a file of which the book has records
	LoadQuarantine  = "LOAD_QUARANTINE"  // more refused rows than are kept
)

// Import is a batch of files on its way, or what became of it.
type Import struct {
	ID     int64
	Source string
	Full   bool
	AsOf   time.Time
	// Previous is the AsOf a delta says it follows.
	Previous time.Time
	Received time.Time
	SHA256   string
	// Operator is a keyed hash of who brought it by hand, or "system".
	Operator string
	ByHand   bool
	State    ImportState
	// Code and Detail say why it was refused or waits.
	Code   string
	Detail map[string]string
	// Guards are what made it wait for an operator (L5).
	Guards []string
	// ConfirmedBy is a keyed hash of the operator who confirmed or rejected it.
	ConfirmedBy string
	Ended       time.Time
	// Files are its files with their hashes, which outlive them.
	Files []ImportFile
	// Rows counts the staged records of each area, Out the refused rows by code.
	Rows map[Area]int64
	Out  map[string]int64
	// Load is the number it becomes or became in force by.
	Load int64
	// Signer is the serial of the certificate that signed the manifest; empty by hand.
	Signer string
	// Manifest and Signature are kept until the batch ended.
	Manifest, Signature []byte
	// Told is the key up to which the changes of the load were told; "." when all were.
	Told string
}

// ImportFile is a file of a batch.
type ImportFile struct {
	Name   string
	Rows   int
	SHA256 string
}

// Quarantined is how many rows were refused, without those taken in all the same.
func (i Import) Quarantined() (n int64) {
	for code, of := range i.Out {
		if code != NoHeadOffice {
			n += of
		}
	}
	return n
}

// Total is how many rows the files have.
func (i Import) Total() (n int64) {
	for _, f := range i.Files {
		n += int64(f.Rows)
	}
	return n
}

// ImportRefusal is why a batch is refused.
type ImportRefusal struct {
	Code string
	Err  error
}

func (r *ImportRefusal) Error() string {
	if r.Err != nil {
		return "batch refused: " + r.Code + ": " + r.Err.Error()
	}
	return "batch refused: " + r.Code
}

// Unwrap gives the cause.
func (r *ImportRefusal) Unwrap() error { return r.Err }

// importTx keeps batches of files and what is staged of them.
type importTx interface {
	// InsertImport gives a batch its id.
	InsertImport(ctx context.Context, i Import) (int64, error)
	PutImport(ctx context.Context, i Import) error
	// Import reads one; ErrNotFound.
	Import(ctx context.Context, id int64) (Import, error)
	// Imports lists the newest.
	Imports(ctx context.Context, limit int) ([]Import, error)
	// OpenImports lists those that did not end, oldest first.
	OpenImports(ctx context.Context) ([]Import, error)
	// ClaimImport gives a batch to a node until a moment, unless another has it at now.
	ClaimImport(ctx context.Context, id int64, node string, now, until time.Time) (bool, error)
	// NextLoad is the number of a load that nothing has yet.
	NextLoad(ctx context.Context) (int64, error)
	// InsertNumbered writes a load under the number it has.
	InsertNumbered(ctx context.Context, l Load) error

	// PutRefused keeps refused rows; Refused lists them by file and line, after the given one.
	PutRefused(ctx context.Context, id int64, rows []Quarantined) error
	Refused(ctx context.Context, id int64, after Quarantined, limit int) ([]Quarantined, error)

	stageTx
	mergeTx
}

// stageTx is the place where the rows of a batch are checked against each other.
type stageTx interface {
	// ClearStage empties an area; Stage adds rows to it; SettleStage is called after the last.
	ClearStage(ctx context.Context, a Area) error
	Stage(ctx context.Context, a Area, rows []Staged) error
	SettleStage(ctx context.Context, a Area) error
	// StagedRows counts rows; LastStaged is the last line, 0 when there is none.
	StagedRows(ctx context.Context, a Area) (int64, error)
	LastStaged(ctx context.Context, a Area) (int64, error)
	// StagedTwice lists keys that more than one row has, in order, after the given one. Held rows count.
	StagedTwice(ctx context.Context, a Area, after string, limit int) ([]string, error)
	// StagedOf lists the rows of keys by key and line.
	StagedOf(ctx context.Context, a Area, keys []string) ([]Staged, error)
	// Restage gives rows of an area another op, by line; Dispute marks the undismissed leaders of these lines.
	Restage(ctx context.Context, a Area, op string, lines []int64) error
	Dispute(ctx context.Context, lines []int64) error
	// Orphans lists lines of units whose head office neither the batch nor the source has, after the given one.
	Orphans(ctx context.Context, source string, after int64, limit int) ([]int64, error)
}

// mergeTx writes what was staged where nobody sees it until its load is the last of the source.
type mergeTx interface {
	// HasAny reports whether a source has any record that is not ended.
	HasAny(ctx context.Context, a Area, source string) (bool, error)
	// InForce counts the records of a source that are not ended, of leaders their organisations.
	InForce(ctx context.Context, a Area, source string) (int64, error)
	// Lacking counts those of them the stage does not have.
	Lacking(ctx context.Context, a Area, source string) (int64, error)
	// OtherHeads counts organisations whose head the stage changes.
	OtherHeads(ctx context.Context, source string) (int64, error)

	// PartyTo reports whether the stage makes a person a head, or ends that he is one.
	PartyTo(ctx context.Context, source string, iin ident.IIN) (bool, error)

	// WalkLacking and WalkChanged call f with pieces of what must be ended (records, with their keys) and
	// written (lines, ascending).
	WalkLacking(ctx context.Context, a Area, source string, f func(records []int64, keys []string) error) error
	WalkChanged(ctx context.Context, a Area, source string, f func(lines []int64) error) error
	// MergeNew writes the rows of an area in which the source has nothing yet, after one line up to another.
	MergeNew(ctx context.Context, a Area, source string, load, after, upto int64) error
	// MergeLines ends what rows replace or end, and writes them. What is there already is left as it is.
	MergeLines(ctx context.Context, a Area, source string, load int64, lines []int64) error
	// EndRecords ends records, and the leaders of organisations when the area is of these.
	EndRecords(ctx context.Context, a Area, source string, load int64, records []int64, keys []string) error
	// Unmerge takes back what a load that is not in force wrote and ended.
	Unmerge(ctx context.Context, a Area, source string, load int64) error

	// Touched lists organisations whose records a load brought or ended, in order, after the given one.
	Touched(ctx context.Context, source string, load int64, after string, limit int) ([]string, error)
	// Before reads what a source had of an organisation before a load.
	Before(ctx context.Context, source string, load int64, bin string) ([]Kept[LegalEntity], []KeptLeader, error)
	// Phones lists the phones a load changed, in order of their owners, after the given one.
	Phones(ctx context.Context, source string, load int64, after string, limit int) ([]ChangedPhone, error)
}

// ChangedPhone is a phone before and after a load.
type ChangedPhone struct {
	Was, Is Kept[MobileContact]
}

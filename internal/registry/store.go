package registry

import (
	"context"
	"errors"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/job"
)

// ErrNotFound says that the store has no such record.
var ErrNotFound = errors.New("no such record in the registry")

// Load is an accepted batch.
type Load struct {
	Number   int64
	Source   string
	Full     bool
	AsOf     time.Time
	Received time.Time
	SHA256   string
	// Operator is a keyed hash of who brought it.
	Operator    string
	Entities    int
	Leaders     int
	Persons     int // contacts and taxpayers too
	Quarantined int
}

// Kept is a record with the load it came by. Ended loads' records are history.
type Kept[T any] struct {
	Record int64
	Source string
	Load   int64
	Value  T
}

// KeptLeader is a leader with what the load said about it.
type KeptLeader struct {
	Kept[Leader]
	// Disputed: the load named two heads at once.
	Disputed bool
}

// Keys are of the records a full load has.
type Keys struct {
	Entities          []ident.BIN
	Persons, Contacts []ident.IIN
	Taxpayers         []string
}

// Store keeps the records with their history.
type Store interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
}

// Tx is one transaction. Records of a source that are in force are those no later load ended.
type Tx interface {
	// LastLoad is the newest load of a source; ErrNotFound when there is none.
	LastLoad(ctx context.Context, source string) (Load, error)
	// LoadNumber reads a load; ErrNotFound.
	LoadNumber(ctx context.Context, number int64) (Load, error)
	// LoadByHash finds a load of a source by the hash of its batch; ErrNotFound.
	LoadByHash(ctx context.Context, source, sha256 string) (Load, error)
	// Loads lists the newest loads of all sources, newest first.
	Loads(ctx context.Context, limit int) ([]Load, error)
	// InsertLoad gives the load its number.
	InsertLoad(ctx context.Context, l Load) (number int64, err error)

	// Entity lists the records in force for a BIN, at most one for each source.
	Entity(ctx context.Context, bin ident.BIN) ([]Kept[LegalEntity], error)
	// Leaders lists the leaders in force for a BIN of every source, past ones too, earliest
	// appointment first.
	Leaders(ctx context.Context, bin ident.BIN) ([]KeptLeader, error)
	// Person lists the records in force for an IIN, at most one for each source.
	Person(ctx context.Context, iin ident.IIN) ([]Kept[Person], error)
	// Contact lists the phones in force for an IIN, at most one for each source.
	Contact(ctx context.Context, iin ident.IIN) ([]Kept[MobileContact], error)
	// Taxpayer lists the records in force for a number, at most one for each source.
	Taxpayer(ctx context.Context, tin string) ([]Kept[Taxpayer], error)
	manyTx
	calendarTx
	accountTx
	importTx
	pullTx

	// PutEntity, PutLeader, PutPerson, PutContact and PutTaxpayer write a record of a load and end the one it replaces: of
	// the same source and key. An equal record is left as it is.
	PutEntity(ctx context.Context, source string, load int64, e LegalEntity) error
	PutLeader(ctx context.Context, source string, load int64, l Leader, disputed bool) error
	PutPerson(ctx context.Context, source string, load int64, p Person) error
	PutContact(ctx context.Context, source string, load int64, c MobileContact) error
	PutTaxpayer(ctx context.Context, source string, load int64, t Taxpayer) error
	// EndLeadersAfter ends leaders of a source and BIN appointed after a day: the source took them back.
	EndLeadersAfter(ctx context.Context, source string, load int64, bin ident.BIN, day Date) error
	// EndAbsent ends the entities (with their leaders), persons, contacts and taxpayers of a source that a
	// full load does not have.
	EndAbsent(ctx context.Context, source string, load int64, has Keys) error

	// Change reads a clerk's change; ErrNotFound.
	Change(ctx context.Context, id string) (Change, error)
	// PutChange writes it.
	PutChange(ctx context.Context, c Change) error
	// Changes lists changes that are not drafts, newest first.
	Changes(ctx context.Context, limit int) ([]Change, error)
	scanTx

	Hash(value string) string
	Enqueue(ctx context.Context, j job.Job) error
	Audit(ctx context.Context, e audit.Event) error
}

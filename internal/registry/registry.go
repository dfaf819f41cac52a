// Package registry knows who is who and who heads what, and since when it knows it.
//
// [New] makes a [Book] over a store. Its questions [Book.Entity], [Book.Head], [Book.Person] and
// [Book.Phone] give an [Answer] of three values: good, bad, or unknown with the reason. Unknown is never good:
// whoever asks keeps the gate closed. An [Importer] takes whole registries in, as signed batches of files;
// [Book.Load] a small [Batch] of records in one transaction; a change of head recorded by two clerks
// ([Book.Draft], [Book.Sign], [Book.Confirm]) becomes such a batch of one.
//
// It refuses: batches older than what is loaded, or out of order; rows with wrong numbers, dates or
// two heads (they go to quarantine); a clerk who decides about himself.
package registry

import (
	"strings"
	"time"

	"senim/internal/ident"
)

// Verdict is good, bad or unknown, in the words of package trust.
type Verdict string

// The verdicts. Could not check is Unknown.
const (
	Good    Verdict = "good"
	Bad     Verdict = "bad"
	Unknown Verdict = "unknown"
)

// Codes of answers (registries.md §15); a good answer has none.
const (
	EntityUnknown    = "ENTERPRISE_UNKNOWN"
	EntityLiquidated = "ENTERPRISE_LIQUIDATED"
	NoHead           = "REGISTRY_NO_HEAD"
	HeadFuture       = "REGISTRY_HEAD_FUTURE"
	TwoHeads         = "ROW_TWO_HEADS"
	SourcesDisagree  = "SOURCES_DISAGREE"
	NoHeadOffice     = "ROW_NO_HEAD_OFFICE"
	PersonUnknown    = "PERSON_UNKNOWN"
	PersonExcluded   = "PERSON_EXCLUDED"
	NoPhone          = "NO_PHONE"
	TooOld           = "REGISTRY_TOO_OLD" // the last load is older than Config.MaxAge
	NeverLoaded      = "REGISTRY_EMPTY"   // the source was never loaded
	Unreachable      = "UNKNOWN"          // the database did not answer
)

// Answer is what the registry knows about a question, and whence.
type Answer[T any] struct {
	Verdict Verdict
	// Code says why the verdict is not good.
	Code string
	// Value is whole when good. When bad it holds what is known all the same; unknown: nothing.
	Value T
	// Source names where the value comes from: SourceLegal, SourcePersons, SourceClerk.
	Source string
	// LoadID and RecordID name the load and the record, for evidence.
	LoadID, RecordID string
	// AsOf is the moment the data describe, LoadedAt when they came here.
	AsOf, LoadedAt time.Time
	// NextLoad is when the source is expected to be loaded again.
	NextLoad time.Time
	// Detail holds further facts for the text: a, d1, b, d2 of SOURCES_DISAGREE.
	Detail map[string]string
	// Err is for operators, when the answer is unknown because something failed.
	Err error
}

// Sources.
const (
	SourceLegal   = "gbdul" // state database of legal entities
	SourcePersons = "gbdfl" // state database of persons
	SourceMobile  = "bmg"   // mobile citizens base
	SourceClerk   = "clerk" // two clerks of this installation
)

// Kind of a legal entity.
type Kind string

// The kinds.
const (
	LE        Kind = "LE"
	Branch    Kind = "BRANCH"
	Rep       Kind = "REP"
	JointIPNR Kind = "JOINT_IP_NR"
)

// Status of a legal entity.
type Status string

// The statuses.
const (
	Active      Status = "ACTIVE"
	Liquidation Status = "LIQUIDATION"
	Liquidated  Status = "LIQUIDATED"
	Reorganised Status = "REORGANISED"
)

// LegalEntity is an organisation or a unit of one.
type LegalEntity struct {
	BIN                    ident.BIN
	Kind                   Kind
	NameRU, NameKK, NameEN string
	Status                 Status
	Registered             Date
	Liquidated             Date // empty unless liquidated
	HeadBIN                ident.BIN
	AddressRU, AddressKK   string
	TaxInactive            bool
	Nonresident            bool
	Reregistered           Date      `json:",omitempty"`
	SuccessorBIN           ident.BIN `json:",omitempty"`
	KATO, OKED             string    `json:",omitempty"` // where it is, what it does
}

// Unit reports a branch or representative office.
func (e LegalEntity) Unit() bool { return e.Kind == Branch || e.Kind == Rep }

// Leader is one person's time at the head of an organisation. BIN and AppointedOn are its key.
type Leader struct {
	BIN         ident.BIN
	IIN         ident.IIN
	Surname     string
	Name        string
	Patronymic  string
	Position    string
	AppointedOn Date
	DismissedOn Date // empty while not dismissed
}

// FullName is surname, name and patronymic.
func (l Leader) FullName() string {
	return strings.TrimSpace(strings.Join([]string{l.Surname, l.Name, l.Patronymic}, " "))
}

// Person is a natural person.
type Person struct {
	IIN         ident.IIN
	Surname     string
	Name        string
	Patronymic  string
	Born        Date
	Dead        bool   `json:",omitempty"`
	Incapable   bool   `json:",omitempty"`
	Excluded    bool   `json:",omitempty"`
	Nonresident bool   `json:",omitempty"`
	Sex         string `json:",omitempty"` // M, F or empty
	Citizenship string `json:",omitempty"` // ISO 3166, or empty
}

// FullName is surname, name and patronymic.
func (p Person) FullName() string {
	return strings.TrimSpace(strings.Join([]string{p.Surname, p.Name, p.Patronymic}, " "))
}

// MobileContact is the phone a person registered in the mobile citizens base.
type MobileContact struct {
	IIN          ident.IIN
	Phone        ident.Phone
	RegisteredOn Date
}

// Head is the answer about who heads an organisation on a day.
type Head struct {
	// Leader is who heads it; when nobody does, who did last (dismissed), or the zero Leader.
	Leader Leader
	// Next is who is appointed from a later day; the zero Leader when nobody is.
	Next Leader
	// Entity is the organisation.
	Entity LegalEntity
}

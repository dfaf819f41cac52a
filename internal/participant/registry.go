package participant

import (
	"context"
	"time"

	"senim/internal/ident"
	"senim/internal/trust"
)

// Registry answers who is who, in three values. It is bounded in time by itself, answers unknown
// rather than failing, and is safe for concurrent use. [FromRegistry] makes one of the registry
// package's desk.
type Registry interface {
	// Entity tells of the organisation with the BIN.
	Entity(ctx context.Context, bin ident.BIN) EntityAnswer
	// Head tells who heads it on the day.
	Head(ctx context.Context, bin ident.BIN, on time.Time) HeadAnswer
	// Person tells of the person with the IIN.
	Person(ctx context.Context, iin ident.IIN) PersonAnswer
}

// Source says where an answer comes from and how good it is.
type Source struct {
	Verdict trust.Verdict
	Code    string // why it is bad or unknown: ENTERPRISE_UNKNOWN, REGISTRY_NO_HEAD, …
	Name    string // of the source, as "gbdul"
	LoadID  string
	Record  string
	AsOf    time.Time // what the data describe
	Last    time.Time // last load
	Next    time.Time // next load
	Err     string    // for an operator
}

// evidence is the answer's provenance as pages and evidence show it.
func (s Source) evidence() map[string]string {
	e := map[string]string{}
	for k, v := range map[string]string{"source": s.Name, "load": s.LoadID, "record": s.Record, "error": s.Err} {
		if v != "" {
			e[k] = v
		}
	}
	for k, t := range map[string]time.Time{"asOf": s.AsOf, "lastLoad": s.Last, "nextLoad": s.Next} {
		if !t.IsZero() {
			e[k] = stamp(t)
		}
	}
	return e
}

// EntityAnswer tells of an organisation. With a good verdict it is active.
type EntityAnswer struct {
	Source
	NameRU, NameKK, Address, VAT string
	Unit                         bool   // a branch or representative office
	HeadOffice                   string // BIN
	Ended                        time.Time
}

// HeadAnswer tells who heads an organisation. With a good verdict IIN is set. The IIN is never shown to
// anyone.
type HeadAnswer struct {
	Source
	IIN       ident.IIN
	Appointed time.Time // zero: the registry does not say
	Dismissed time.Time // zero: not dismissed
}

// PersonAnswer tells of a person. With a good verdict he is alive and not excluded.
type PersonAnswer struct {
	Source
}

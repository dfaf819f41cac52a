package ra

import (
	"context"
	"encoding/asn1"
	"errors"
	"time"

	"senim/internal/ident"
	"senim/internal/trust"
	"senim/pki"
)

// Judge says whether a certificate is good for a purpose now; [trust.Judge] is the real one.
type Judge interface {
	Certificate(ctx context.Context, cert *pki.Certificate, p trust.Purpose) trust.Report
}

// Registry says who heads an organisation now. It is bounded in time by itself and answers unknown
// rather than failing. By is the personal number of who asks, for its records; "" is the system by itself.
type Registry interface {
	Head(ctx context.Context, by string, bin ident.BIN) HeadAnswer
}

// HeadAnswer is the registry's answer: good with the head, bad with a code, or unknown.
type HeadAnswer struct {
	Verdict trust.Verdict
	// Code of a bad answer, as ENTERPRISE_UNKNOWN, ENTERPRISE_LIQUIDATED, REGISTRY_NO_HEAD; of an unknown
	// one, why it is.
	Code string
	// IIN of the head; never shown to others.
	IIN string
	// Appointed is the day he became it, as the source writes it; empty when it does not say.
	Appointed string
	// Organization is the name written into certificates.
	Organization string
	// AsOf is the day the data describe; Source and Load say whence they are.
	AsOf         time.Time
	Source, Load string
	// Since is from when the source does not answer, when it is known.
	Since time.Time
}

// People is what state registries know of persons. Like [Registry] it is bounded in time and
// answers unknown rather than failing, and by is who asks.
type People interface {
	Person(ctx context.Context, by string, iin ident.IIN) PersonAnswer
	// Phone is the person's phone in the mobile citizens base: the only place short messages go.
	Phone(ctx context.Context, by string, iin ident.IIN) PhoneAnswer
}

// Counted is what figures ask of registries.
type Counted interface {
	Registry
	People
}

// PersonAnswer says who a person is: good, bad with a code (PERSON_UNKNOWN, PERSON_EXCLUDED), or unknown.
type PersonAnswer struct {
	Verdict                   trust.Verdict
	Code                      string
	Surname, Name, Patronymic string
	// Nonresident: no second factor is asked of him.
	Nonresident  bool
	AsOf         time.Time
	Source, Load string
}

// PhoneAnswer is a person's phone: good, bad with NO_PHONE, or unknown.
type PhoneAnswer struct {
	Verdict trust.Verdict
	Code    string
	Phone   ident.Phone
}

func (h HeadAnswer) unknown() bool { return h.Verdict != trust.Good && h.Verdict != trust.Bad }
func (h HeadAnswer) bad() bool     { return h.Verdict == trust.Bad }

func (h HeadAnswer) code() string {
	if h.Code == "" {
		return "ENTERPRISE_UNKNOWN"
	}
	return h.Code
}

// evidence is the provenance of the answer; never the head's name or number.
func (h HeadAnswer) evidence() map[string]string {
	e := map[string]string{}
	if h.Source != "" {
		e["source"] = h.Source
	}
	if h.Load != "" {
		e["load"] = h.Load
	}
	if !h.AsOf.IsZero() {
		e["d"] = h.AsOf.UTC().Format(time.RFC3339)
	}
	return e
}

// Key is a certificate the authority issued, as the cabinet needs it.
type Key struct {
	Serial, Profile string
	// Order names the application and the place of the key in its set, as "…-k0"; may be empty.
	Order               string
	IIN, BIN            string
	NotBefore, NotAfter time.Time
	// ReplacedBy is the serial of its successor; empty for none.
	ReplacedBy string
	// RevokedAt is zero unless revoked or on hold; Reason is then a name of RFC 5280.
	RevokedAt time.Time
	Reason    string
	Raw       []byte
}

// Live reports whether the key is within its dates and not revoked.
func (k Key) Live(now time.Time) bool {
	return k.RevokedAt.IsZero() && !now.Before(k.NotBefore) && !now.After(k.NotAfter)
}

// onHold reports that what ended the key's force may be lifted again.
func (k Key) onHold() bool { return !k.RevokedAt.IsZero() && k.Reason == "certificateHold" }

// ErrNoKey says that the authority has issued no such certificate.
var ErrNoKey = errors.New("no such certificate")

// Keys is what the authority has issued.
type Keys interface {
	// Key finds by serial (40 lower hex digits); [ErrNoKey] when there is none.
	Key(ctx context.Context, serial string) (Key, error)
	// Of lists the certificates of a person, latest first.
	Of(ctx context.Context, iin string) ([]Key, error)
	// OfCompany lists the certificates with a BIN, latest first.
	OfCompany(ctx context.Context, bin string) ([]Key, error)
}

// Order asks the authority for one certificate. ID is the same for every try.
type Order struct {
	ID, Profile string
	CSR         []byte
	Subject     Subject
	Email       string
	Storage     asn1.ObjectIdentifier
	Replaces    string
	// Identity is "desk" when an operator identified the person and certificates are to say so.
	Identity string
	// By is the audit actor behind the order.
	By string
}

// Issuer makes certificates. The same order ID always gives the same certificate. An error that
// is a *[Refusal] is final; others are tried again.
type Issuer interface {
	Issue(ctx context.Context, o Order) (Certificate, error)
}

// Releaser lifts holds of the authority: by and second are the audit actors of two people.
type Releaser interface {
	Release(ctx context.Context, serial, by, second string) error
}

// Revoker revokes certificates of the authority.
type Revoker interface {
	// Revoke revokes a serial for a reason (a name of RFC 5280); invalidity is the suspected day of
	// a compromise or zero. first is when it was revoked first: an earlier moment when it had been.
	Revoke(ctx context.Context, serial, reason string, invalidity time.Time, by string) (first time.Time, err error)
}

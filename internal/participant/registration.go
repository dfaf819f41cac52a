package participant

import (
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/registry"
)

// State is the state of a registration, section 11.
type State string

// The states of a registration. The first four are the steps of the form.
const (
	StateCategory  State = "CATEGORY"         // chosen; step 1 stands open
	StateCert      State = "CERT"             // certificate proved and the gate passed; step 2
	StateData      State = "DATA"             // data entered; step 3
	StateSigned    State = "AGREEMENT_SIGNED" // agreement signed, letter sent; step 4
	StateCompleted State = "COMPLETED"
	StateExpired   State = "EXPIRED"
	StateCancelled State = "CANCELLED" // by the user or superseded: see Reason
	StateRefused   State = "REFUSED"   // the gate refused at completion: see Reason
)

// Step is the step of the form the registration stands at, 1 to 4; 0 when it is over.
func (s State) Step() int {
	switch s {
	case StateCategory:
		return 1
	case StateCert:
		return 2
	case StateData:
		return 3
	case StateSigned:
		return 4
	case StateCompleted, StateExpired, StateCancelled, StateRefused:
	}
	return 0
}

// Open reports whether the registration may still become a profile.
func (s State) Open() bool { return s.Step() > 0 }

// Registration is one walk through the four steps.
type Registration struct {
	ID       string
	Owner    string // hash of the cookie of the browser that began it
	Category Category
	State    State
	Reason   string // code, when REFUSED or CANCELLED
	Lang     lang.Tag

	// From step 1: the certificate whose key was proved, and what the registry said of its BIN.
	IIN         ident.IIN
	TIN         string
	Certificate []byte // DER
	Proved      time.Time
	Person      Person
	Subject     Subject
	Evidence    string // id of the last gate run

	// From step 2.
	Entered  Entered
	Password string // hash of a new account's password; empty when the account exists
	Known    bool   // the account exists and its password was given
	DataAt   time.Time

	// From step 3.
	Agreement string // version signed
	Signature string // id of the agreement's signature
	Signer    []byte // certificate of step 3, DER
	SignedAt  time.Time

	// From step 4.
	Letters    int
	LastLetter time.Time

	Started time.Time
	Expires time.Time
	Ended   time.Time
}

// Person is what the certificate says of its holder.
type Person struct {
	CommonName, Surname, Given, Organization, Role string
	Serial, Issuer                                 string
	NotBefore, NotAfter                            time.Time
}

// Name is the full name as people write it: surname, name, patronymic.
func (p Person) Name() string {
	if p.Given == "" {
		return p.CommonName
	}
	return p.CommonName + " " + p.Given
}

// Subject is what the registry says of the BIN, with its provenance, for the page of step 2.
type Subject struct {
	Name, NameKK, Address, AddressKK string
	HeadOffice                       string // BIN
	Practice                         registry.Practice
	VAT                              string // "yes", "no", or "": not known
	Source, LoadID, RecordID         string
	AsOf                             time.Time
}

// Entered is what the person types in step 2. Passwords are never part of it.
type Entered struct {
	Email, EmailAgain             string
	Phone                         string
	DocNumber, DocDate, DocIssuer string
}

// ProfileType is the type of the profile the registration makes.
func (r Registration) ProfileType() ProfileType { return r.Category.ProfileType(r.Subject.Practice) }

// mayChoose reports whether the certificate may still be chosen anew: until the agreement is signed.
func (r Registration) mayChoose() bool {
	return r.State.Open() && r.State != StateSigned && r.Signature == ""
}

// Over reports whether the registration's life has ended at the moment: the draft's, or after
// signing the link's.
func (r Registration) Over(at time.Time) bool {
	return !r.State.Open() || !at.Before(r.Expires)
}

// expire moves an open registration whose time is over to EXPIRED.
func (r Registration) expire(at time.Time) (Registration, bool) {
	if !r.State.Open() || at.Before(r.Expires) {
		return r, false
	}
	r, err := r.step(RegistrationExpired)
	r.Reason, r.Ended = "LINK_STALE", at
	return r.forget(), err == nil
}

// supersede cancels a registration because another one of the same enterprise was completed.
func (r Registration) supersede(at time.Time) (Registration, error) {
	r, err := r.step(RegistrationSuperseded)
	r.Reason, r.Ended = "SUPERSEDED_BY_OTHER", at
	return r.forget(), err
}

// forget drops what an ended registration no longer needs.
func (r Registration) forget() Registration {
	r.Password, r.Entered.DocNumber, r.Entered.DocDate, r.Entered.DocIssuer = "", "", "", ""
	return r
}

// Package ra is the registration authority: applications for keys, who may ask, who confirms, and
// what becomes of them.
//
// An [Application] moves through the states of the cabinet by pure methods ([Application.Sign],
// [Application.Route], [Application.Confirm], …) that take the time as an argument and refuse what the
// rules do not allow. [Office] is the service around them: one exported method is one transaction,
// with its audit event, its letters and the job that follows. The calls most want are
// [Office.Draft], [Office.Requests], [Office.Submit] and [Office.Installed].
//
// Who looks after the keys of many organisations keeps them in a list ([Office.Watch]) and renews a
// selection in one go ([Office.NewBatch]); each application is still signed by its own old key.
//
// It issues nothing itself: the job [JobIssue] calls [Office.Issue], which asks an [Issuer]; orders
// are named by application, revision and index, so asking again gives the same certificate. What
// the registry of legal entities says comes from a [Registry]; "could not check" keeps an
// application waiting and never lets it pass.
//
// Refused, each with a code ([Refusal]): a key that may not be renewed, requests without proof of
// possession or with a key used before, a signature over anything but the document shown, one's
// own confirmation, a confirmer without the role, another person's application.
package ra

import (
	"time"

	"senim/internal/lang"
)

// State is where an application stands.
type State string

// The states; the last four are final.
const (
	Draft            State = "DRAFT"
	Signed           State = "SIGNED"
	AwaitingDirector State = "AWAITING_DIRECTOR"
	AwaitingDesk     State = "AWAITING_DESK"
	Approved         State = "APPROVED"
	Issued           State = "ISSUED"
	Installed        State = "INSTALLED"
	Rejected         State = "REJECTED"
	Expired          State = "EXPIRED"
	Withdrawn        State = "WITHDRAWN"
)

// Final reports whether nothing more happens to an application in this state.
func (s State) Final() bool {
	switch s {
	case Installed, Rejected, Expired, Withdrawn:
		return true
	case Draft, Signed, AwaitingDirector, AwaitingDesk, Approved, Issued:
		return false
	}
	return false
}

// waits reports a state in which the application waits for a decision or for issuing.
func (s State) waits() bool {
	switch s {
	case Signed, AwaitingDirector, AwaitingDesk, Approved:
		return true
	case Draft, Issued, Installed, Rejected, Expired, Withdrawn:
		return false
	}
	return false
}

// Kind is what is asked for.
type Kind string

// The kinds of applications.
const (
	// Reissue: new keys on the strength of the valid current ones.
	Reissue Kind = "reissue"
	// FirstHead: the first keys of the head of a legal entity, signed with his personal key.
	FirstHead Kind = "first-head"
	// Employee: keys of an employee; the head confirms.
	Employee Kind = "employee"
)

// Storage is where the new keys will live, by NCALayer's names.
type Storage string

// The storages the cabinet knows.
const (
	PKCS12   Storage = "PKCS12"
	IDCard   Storage = "AKKZIDCardStore"
	Kaztoken Storage = "AKKaztokenStore"
)

// Roles, named as the authority's profiles.
const (
	RoleIndividual = "individual"
	RoleHead       = "head"
	RoleSignRight  = "sign-right"
	RoleFinance    = "finance"
	RoleHR         = "hr"
	RoleEmployee   = "employee"
)

// Subject is who the new keys are for, from certificate and registry, never from a form (R4).
type Subject struct {
	CommonName, Surname, Patronymic string
	IIN                             string
	Organization, BIN               string
}

// Application asks for one set of keys.
type Application struct {
	// Number is twelve digits; Revision counts from 1 and grows with every edit.
	Number   string
	Revision int
	Kind     Kind
	State    State
	Subject  Subject
	Role     string
	Email    string
	City     string
	Storage  Storage
	Lang     lang.Tag
	// SignerSerial names the certificate that must sign: the one to be renewed, or the personal one.
	SignerSerial string
	// Replaces is the serial of the certificate the new one follows; empty for first keys.
	Replaces string
	// Requests are the certificate requests the agent made, in the order of [KeySet].
	Requests []Request
	// Document is the exact XML to be signed, made when the requests came.
	Document string
	// SignedDocument is the XML with its signature; SignedHash the SHA-256 of it in hexadecimal.
	SignedDocument []byte
	SignedHash     string
	// SignedAt is when it was signed; for one on paper ([Issuance]) when it was taken.
	SignedAt time.Time
	// Visit is what operators found and decided at a desk.
	Visit Visit
	// PhoneAt is when the person at a desk read out the code that went to his phone.
	PhoneAt time.Time
	// Approvals are the confirmations of this revision; Rejection is the decision against it.
	Approvals []Approval
	Rejection *Approval
	// Asked are the persons (IIN) who were asked to confirm this revision: they hear when it changes.
	Asked []string
	// Reason says why it was rejected, or why it waits ("REG_UNAVAILABLE").
	Reason Reason
	// IssueBegun is set when the first order went out: from then on nothing can be changed.
	IssueBegun   bool
	Certificates []Certificate
	InstalledAt  time.Time
	// Batch names the bulk renewal a draft belongs to: such a draft is unseen by its applicant until
	// his own key has signed it.
	Batch string
	// Offered is set when the person has answered the offer to revoke the replaced key.
	Offered          bool
	Created, Changed time.Time
}

// Request is one certificate request.
type Request struct {
	CSR     []byte // DER
	KeyHash string // SHA-256 of the SubjectPublicKeyInfo, hexadecimal
	KeyID   string
}

// Approval is a decision of a head or his delegate.
type Approval struct {
	IIN, Serial string
	Revision    int
	Hash        string // of the signed document confirmed
	Evidence    string // hash of the signed decision
	At          time.Time
	// Delegation is the id of the delegation used; empty for the head himself.
	Delegation string
}

// Reason is a code of the catalogue with its evidence and, for people's own reasons, a text.
type Reason struct {
	Code     string
	Text     string
	Evidence map[string]string
}

// Certificate is one issued for the application.
type Certificate struct {
	Serial    string
	DER       []byte
	NotBefore time.Time
	NotAfter  time.Time
}

// ID is the name of this revision for the agent and for orders: number, "-r", revision.
func (a *Application) ID() string { return a.Number + "-r" + itoa(a.Revision) }

// Refusal says which rule an application or a person met. Code names the text.
type Refusal struct {
	Code     string
	Evidence map[string]string
	// Err is the cause for operators; it may be nil.
	Err error
}

func (r *Refusal) Error() string {
	if r.Err != nil {
		return r.Code + ": " + r.Err.Error()
	}
	return r.Code
}

func (r *Refusal) Unwrap() error { return r.Err }

func refuse(code string, evidence ...string) *Refusal {
	r := &Refusal{Code: code, Evidence: map[string]string{}}
	for i := 0; i+1 < len(evidence); i += 2 {
		r.Evidence[evidence[i]] = evidence[i+1]
	}
	return r
}

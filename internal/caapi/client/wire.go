package client

import "time"

// What goes over the wire. The tags are the description in the server's OpenAPI document, so that
// both sides speak of the same fields.

// IssueRequest asks for one certificate.
type IssueRequest struct {
	Profile   string  `json:"profile" minLength:"1" maxLength:"40" example:"individual" doc:"Name of a profile of GET /profiles."`
	CSR       string  `json:"csr" minLength:"1" maxLength:"24000" example:"-----BEGIN CERTIFICATE REQUEST-----\nMIIB…\n-----END CERTIFICATE REQUEST-----" doc:"PKCS #10 request, PEM or base64 of the DER, at most 16 KiB of it. Only its public key is taken; its signature proves possession."`
	Subject   Subject `json:"subject" doc:"What you found to be true of the holder."`
	Storage   string  `json:"storage,omitempty" maxLength:"64" pattern:"^[0-9]+([.][0-9]+)+$" example:"1.2.398.3.3.5.1.1" doc:"Kind of key store, an OID below 1.2.398.3.3.5; a file when absent."`
	Identity  string  `json:"identity,omitempty" enum:"desk,remote" example:"desk" doc:"How the person was identified."`
	Replaces  string  `json:"replaces,omitempty" pattern:"^[0-9a-f]{40}$" example:"59e08b0a21b57a15d8d6a95b6f6d8e2a4d1c3f70" doc:"Serial of the certificate this one follows."`
	Reference string  `json:"reference,omitempty" maxLength:"100" pattern:"^[A-Za-z0-9 ._:/#-]*$" example:"application A-17" doc:"Your name for the matter, for the audit record: no personal numbers."`
}

// Subject is the holder named in a certificate.
type Subject struct {
	CommonName   string `json:"common_name" minLength:"1" maxLength:"200" example:"ТЕСТОВ ТЕСТ" doc:"Surname and name of a person, or the name of a system."`
	Surname      string `json:"surname,omitempty" maxLength:"100" example:"ТЕСТОВ"`
	Patronymic   string `json:"patronymic,omitempty" maxLength:"100" example:"ТЕСТОВИЧ"`
	IIN          string `json:"iin,omitempty" pattern:"^[0-9]{12}$" example:"123456789011" doc:"Twelve digits; absent for systems."`
	Organization string `json:"organization,omitempty" maxLength:"200" example:"АО «ТЕСТ»"`
	BIN          string `json:"bin,omitempty" pattern:"^[0-9]{12}$" example:"123456789021"`
	UID          string `json:"uid,omitempty" maxLength:"64" example:"1.2.398.3.14.1.1" doc:"Registered OID of an information system."`
	System       int    `json:"system,omitempty" minimum:"1" maximum:"65535" example:"7" doc:"Number of a registered information system."`
	TreasuryRole string `json:"treasury_role,omitempty" pattern:"^ROLE[0-9]{2}$" example:"ROLE02" doc:"Of a client of the Treasury."`
	TreasuryCode string `json:"treasury_code,omitempty" pattern:"^KS[0-9]{4,5}$" example:"KS1234" doc:"Of a client of the Treasury."`
	Email        string `json:"email,omitempty" maxLength:"254" example:"t@example.kz" doc:"Written as rfc822Name."`
}

// RenewRequest asks for the next certificate of the same holder and profile.
type RenewRequest struct {
	CSR       string `json:"csr" minLength:"1" maxLength:"24000" example:"MIIB…" doc:"PKCS #10 request of the new key, PEM or base64 of the DER."`
	Proof     string `json:"proof" minLength:"1" maxLength:"64000" example:"MIIJ…" doc:"CMS, detached, by the old key over the DER of the request: PEM or base64 of the DER."`
	Reference string `json:"reference,omitempty" maxLength:"100" pattern:"^[A-Za-z0-9 ._:/#-]*$" example:"application A-18" doc:"Your name for the matter, for the audit record: no personal numbers."`
}

// RevokeRequest ends a certificate.
type RevokeRequest struct {
	Reason     string     `json:"reason" enum:"unspecified,keyCompromise,affiliationChanged,superseded,cessationOfOperation" example:"keyCompromise" doc:"RFC 5280 section 5.3.1. A hold has its own route and its own right."`
	Invalidity *time.Time `json:"invalidity,omitempty" example:"2026-09-01T00:00:00Z" doc:"Since when the key is suspected to be compromised."`
	Comment    string     `json:"comment,omitempty" maxLength:"64" pattern:"^[A-Z0-9_.-]*$" example:"LOST_TOKEN" doc:"A code of your own, for the audit record."`
	Reference  string     `json:"reference,omitempty" maxLength:"100" pattern:"^[A-Za-z0-9 ._:/#-]*$" example:"ticket 311" doc:"Your name for the matter, for the audit record: no personal numbers."`
}

// HoldRequest suspends a certificate or asks for its release.
type HoldRequest struct {
	Comment   string `json:"comment,omitempty" maxLength:"64" pattern:"^[A-Z0-9_.-]*$" example:"SEARCHING" doc:"A code of your own, for the audit record."`
	Reference string `json:"reference,omitempty" maxLength:"100" pattern:"^[A-Za-z0-9 ._:/#-]*$" example:"ticket 312" doc:"Your name for the matter, for the audit record: no personal numbers."`
}

// Issued is a certificate just made.
type Issued struct {
	Serial      string    `json:"serial" example:"59e08b0a21b57a15d8d6a95b6f6d8e2a4d1c3f70" doc:"40 lower hex digits."`
	Authority   string    `json:"authority" example:"gost"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	Certificate string    `json:"certificate" doc:"PEM."`
	Chain       []string  `json:"chain" doc:"PEM of the issuing authority and of those above it, the root last."`
}

// Revocation says when and why a certificate stopped being good.
type Revocation struct {
	At         time.Time  `json:"at"`
	Reason     string     `json:"reason" example:"keyCompromise"`
	Invalidity *time.Time `json:"invalidity,omitempty"`
}

// States of a certificate.
const (
	StateValid   = "valid"
	StateFuture  = "future" // its time has not come
	StateExpired = "expired"
	StateRevoked = "revoked"
	StateHold    = "hold"
)

// Certificate is what the authority knows of one.
type Certificate struct {
	Serial      string      `json:"serial"`
	Authority   string      `json:"authority" example:"gost"`
	Profile     string      `json:"profile" example:"individual"`
	Order       string      `json:"order" example:"ra-1/A-17-k0" doc:"The client that ordered it, and its idempotency key."`
	State       string      `json:"state" enum:"valid,future,expired,revoked,hold"`
	IIN         string      `json:"iin,omitempty"`
	BIN         string      `json:"bin,omitempty"`
	Name        string      `json:"name" doc:"Common name."`
	NotBefore   time.Time   `json:"not_before"`
	NotAfter    time.Time   `json:"not_after"`
	Issued      time.Time   `json:"issued"`
	Replaces    string      `json:"replaces,omitempty"`
	ReplacedBy  string      `json:"replaced_by,omitempty"`
	Revocation  *Revocation `json:"revocation,omitempty"`
	Certificate string      `json:"certificate" doc:"PEM."`
}

// Page is one page of a search.
type Page struct {
	Items []Certificate `json:"items"`
	Next  string        `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one."`
}

// Release tells what became of a request to lift a hold.
type Release struct {
	State string     `json:"state" enum:"awaiting_second,released" doc:"A hold is lifted by two clients: the first waits for the second."`
	First string     `json:"first,omitempty" doc:"The client that spoke first."`
	Until *time.Time `json:"until,omitempty" doc:"How long the first approval waits."`
}

// Profile is a kind of certificate.
type Profile struct {
	Name        string   `json:"name"`
	Keys        []string `json:"keys" doc:"Kinds of key it is given to."`
	Roles       []string `json:"roles"`
	FileDays    int      `json:"file_days" doc:"Days it lives when the key is in a file."`
	CarrierDays int      `json:"carrier_days" doc:"Days it lives when the key is on a carrier."`
}

// Profiles is the list of them.
type Profiles struct {
	Items []Profile `json:"items"`
}

// Authority is one of the authorities behind the API.
type Authority struct {
	Name        string    `json:"name" example:"gost"`
	Parent      string    `json:"parent,omitempty" doc:"Name of the authority above; absent for a root."`
	Issuing     bool      `json:"issuing" doc:"It certifies holders, and answers for the certificates it gave."`
	Retired     bool      `json:"retired" doc:"It issues no more."`
	NotAfter    time.Time `json:"not_after"`
	Certificate string    `json:"certificate" doc:"PEM."`
}

// Authorities is the list of them.
type Authorities struct {
	Items []Authority `json:"items"`
}

// Health says that the authority answers.
type Health struct {
	Status string `json:"status" enum:"ok"`
}

// Problem is a refusal or failure, RFC 9457, with a code for machines.
type Problem struct {
	Type   string  `json:"type" example:"urn:senim:problem:KEY_REUSED"`
	Title  string  `json:"title" example:"Conflict"`
	Status int     `json:"status" example:"409"`
	Code   string  `json:"code" example:"KEY_REUSED" doc:"What to branch on."`
	Detail string  `json:"detail,omitempty" doc:"For people who operate the calling program; holds nothing of holders."`
	Errors []Field `json:"errors,omitempty" doc:"Which fields of the request are wrong."`
	// RetryAfter is the header of that name; zero when there was none.
	RetryAfter time.Duration `json:"-"`
}

// Field is a part of a request that is wrong.
type Field struct {
	Location string `json:"location" example:"body.profile"`
	Message  string `json:"message"`
}

func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Code
	}
	return p.Code + ": " + p.Detail
}

// Header names of the API.
const (
	IdempotencyKey = "Idempotency-Key"
	Replayed       = "Idempotent-Replayed"
)

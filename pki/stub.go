package pki

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// ParseCertificate reads one DER certificate.
func ParseCertificate(der []byte) (*Certificate, error) { panic("not yet") }

// ForSigning reports whether documents may be signed with the key.
func (c *Certificate) ForSigning() bool { panic("not yet") }

// ForSignIn reports whether the key may be used to sign in.
func (c *Certificate) ForSignIn() bool { panic("not yet") }

// Name is a distinguished name: its attributes in the order written.
type Name []Attribute

// Attribute is one part of a name.
type Attribute struct {
	OID    asn1.ObjectIdentifier
	Value  string     // text; for a type that is no string "#" and the hex of its DER
	Tag    cbasn1.Tag // string type as read; zero = the usual one for the OID
	Joined bool       // part of the same RDN as the attribute before it
}

// NewAttribute chooses the string type the national PKI uses.
func NewAttribute(oid asn1.ObjectIdentifier, value string) Attribute { panic("not yet") }

// String is the name as BouncyCastle prints it.
func (n Name) String() string { panic("not yet") }

// Get returns the first value of oid, or "".
func (n Name) Get(oid asn1.ObjectIdentifier) string { panic("not yet") }

// Marshal writes the DER Name.
func (n Name) Marshal() ([]byte, error) { panic("not yet") }

// ParseName reads a DER Name.
func ParseName(der []byte) (Name, error) { panic("not yet") }

// Policy is a certificate policy with the address of its statement.
type Policy struct {
	OID asn1.ObjectIdentifier
	CPS string // "" = no qualifier
}

// Template is what a certificate will say.
type Template struct {
	Signature           algid.Signature // of the issuer's key
	Serial              *big.Int
	RawIssuer           []byte // the issuer's RawSubject; nil = self-signed (equal to the subject)
	Subject             Name
	NotBefore, NotAfter time.Time // whole seconds, UTC
	PublicKey           crypto.PublicKey
	KeyUsage            KeyUsage
	ExtKeyUsage         []asn1.ObjectIdentifier
	ExtKeyUsageCritical bool
	Policies            []Policy
	IsCA                bool
	MaxPathLen          int    // with IsCA: −1 = no limit; zero allows leaves only
	SubjectKeyID        []byte // nil = KeyID(PublicKey)
	AuthorityKeyID      []byte // nil = none
	AuthorityIssuer     []byte // with AuthoritySerial: DER Name put into AKI (CA certificates)
	AuthoritySerial     *big.Int
	CRL, DeltaCRL       []string
	OCSP, Issuers       []string
	Emails, DNSNames    []string
	Storage             asn1.ObjectIdentifier
	NoCheck             bool
	Extra               []Extension
}

// TBS writes the exact bytes to be signed.
func (t *Template) TBS() ([]byte, error) { panic("not yet") }

// Assemble puts a signature on TBS bytes: of a certificate, a request or a revocation list.
func Assemble(tbs []byte, sig algid.Signature, value []byte) []byte { panic("not yet") }

// CreateCertificate is TBS, signature and Assemble in one.
func CreateCertificate(rand io.Reader, key crypto.Signer, t *Template) ([]byte, error) {
	panic("not yet")
}

// Request is a certificate request (PKCS #10).
type Request struct {
	Raw, RawInfo, RawSubject, RawSPKI []byte
	Subject                           Name
	PublicKey                         crypto.PublicKey
	Key                               algid.Key
	Signature                         algid.Signature
	SignatureValue                    []byte
	Emails, DNSNames                  []string
	Storage                           asn1.ObjectIdentifier // nil when absent
	Extensions                        []Extension
}

// ParseRequest reads a DER request.
func ParseRequest(der []byte) (*Request, error) { panic("not yet") }

// CheckSignature verifies that the asker holds the private key.
func (r *Request) CheckSignature() error { panic("not yet") }

// RequestTemplate is what a request asks for.
type RequestTemplate struct {
	Subject Name
	Emails  []string
	Storage asn1.ObjectIdentifier // nil = StoragePKCS12
}

// CreateRequest writes and signs a request.
func CreateRequest(rand io.Reader, key crypto.Signer, t RequestTemplate) ([]byte, error) {
	panic("not yet")
}

// Reason is why a certificate was revoked, RFC 5280 5.3.1.
type Reason int

// The reasons.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	CACompromise         Reason = 2
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	CertificateHold      Reason = 6
	RemoveFromCRL        Reason = 8
	PrivilegeWithdrawn   Reason = 9
	AACompromise         Reason = 10
)

// Entry is one revoked certificate.
type Entry struct {
	Serial    *big.Int
	RevokedAt time.Time
	Reason    Reason
	HasReason bool
}

// RevocationList is a CRL, full or delta.
type RevocationList struct {
	Raw, RawTBS, RawIssuer []byte
	Issuer                 Name
	Signature              algid.Signature
	SignatureValue         []byte
	ThisUpdate, NextUpdate time.Time
	Number                 *big.Int // nil when absent
	BaseNumber             *big.Int // of a delta; nil for a full list
	AuthorityKeyID         []byte
	Entries                []Entry
	Extensions             []Extension
	Unhandled              []asn1.ObjectIdentifier
}

// ParseRevocationList reads a DER list.
func ParseRevocationList(der []byte) (*RevocationList, error) { panic("not yet") }

// Find looks a serial up.
func (l *RevocationList) Find(serial *big.Int) (*Entry, bool) { panic("not yet") }

// CheckSignatureFrom verifies that issuer signed the list.
func (l *RevocationList) CheckSignatureFrom(issuer *Certificate) error { panic("not yet") }

// ListTemplate is what a list will say.
type ListTemplate struct {
	Number, BaseNumber     *big.Int // BaseNumber makes a delta
	ThisUpdate, NextUpdate time.Time
	Entries                []Entry
}

// TBS writes the exact bytes of the list to be signed.
func (t *ListTemplate) TBS(issuer *Certificate) ([]byte, error) { panic("not yet") }

// CreateRevocationList writes and signs a list.
func CreateRevocationList(rand io.Reader, key crypto.Signer, issuer *Certificate, t ListTemplate) ([]byte, error) {
	panic("not yet")
}

// ErrUntrusted is the error under every chain that could not be built to a root.
var ErrUntrusted = errors.New("no trusted chain")

// ValidityError says that a chain is right but a certificate in it is out of its dates.
type ValidityError struct {
	Cert   *Certificate
	NotYet bool
}

// Error implements error.
func (e *ValidityError) Error() string {
	if e.NotYet {
		return fmt.Sprintf("certificate %s is not valid before %s", e.Cert.SerialHex(), e.Cert.NotBefore.Format(time.RFC3339))
	}
	return fmt.Sprintf("certificate %s expired on %s", e.Cert.SerialHex(), e.Cert.NotAfter.Format(time.RFC3339))
}

// Pool is what chains are built from.
type Pool struct{}

// NewPool returns an empty pool.
func NewPool() *Pool { panic("not yet") }

// AddRoot adds a trust anchor.
func (p *Pool) AddRoot(c *Certificate) { panic("not yet") }

// AddIntermediate adds a certificate chains may go through.
func (p *Pool) AddIntermediate(c *Certificate) { panic("not yet") }

// Chain returns leaf…root.
func (p *Pool) Chain(leaf *Certificate, at time.Time) ([]*Certificate, error) { panic("not yet") }

// Block is one object found by Decode.
type Block struct {
	Type string // PEM type, or "" for bare DER
	DER  []byte
}

// Decode finds the DER objects in a file.
func Decode(data []byte) ([]Block, error) { panic("not yet") }

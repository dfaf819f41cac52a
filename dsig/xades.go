package dsig

import (
	"time"

	"senim/pki"
	"senim/tsp"
)

// Level says how much an XAdES signature carries.
type Level string

// The levels. What lies above T (certificates and revocation inside, archive time-stamps) is not
// looked at, and a warning says so.
const (
	LevelBES Level = "XAdES-BES" // names its certificate under the signature
	LevelT   Level = "XAdES-T"   // has a time-stamp over the signature besides
)

// XAdES is what a signature with qualifying properties says beside a plain one (EN 319 132-1).
type XAdES struct {
	Level       Level       // what its properties reach
	SigningTime time.Time   // as the signer claims, UTC; zero when not said
	Timestamps  []Timestamp // all there are: one that does not hold refuses the signature
	Warnings    []string    // what is weak or was not looked at, in words for people
}

// Timestamp is a time-stamp that covers the value of the signature and is signed by Authority, whose
// certificate is for time-stamping alone and was in its dates then. Its chain and revocation are
// left to the caller.
type Timestamp struct {
	Token     *tsp.Token       // its Time is that of the stamp
	Authority *pki.Certificate // never nil
}

const (
	spaceXAdES = "http://uri.etsi.org/01903/v1.3.2#"

	maxTimestamps    = 32  // in one signature
	maxAllTimestamps = 128 // in one document
	maxNamed         = 16  // certificates in SigningCertificateV2
)

// Encodings of a time-stamp token, EN 319 132-1 §5.1.3: absent means DER.
const (
	encodingDER = "http://uri.etsi.org/01903/v1.2.2#DER"
	encodingBER = "http://uri.etsi.org/01903/v1.2.2#BER"
)

package pki

import (
	"encoding/asn1"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Identifiers callers compare with or write. They are never changed.
var (
	EmailProtection = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4} // EKU: signing, and combined GOST512
	ClientAuth      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2} // EKU: classic sign-in
	ServerAuth      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1} // EKU: web server
	TimeStamping    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8} // EKU: TSA
	OCSPSigning     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9} // EKU: OCSP responder
	AnyUsage        = asn1.ObjectIdentifier{2, 5, 29, 37, 0}           // EKU: any

	PolicyRoot             = asn1.ObjectIdentifier{1, 2, 398, 3, 1, 2}    // of the root
	PolicyNCA              = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 2}    // NCA and combined GOST512 leaves
	PolicyLegalSign        = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 2, 1} // classic set
	PolicyLegalSignIn      = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 2, 2} // classic set
	PolicyIndividualSign   = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 2, 3} // classic set
	PolicyIndividualSignIn = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 2, 4} // classic set
	PolicySSL              = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 2, 5} // web servers
	PolicyTSA              = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 2, 6} // TSA; .1–.4 choose its key
	AnyPolicy              = asn1.ObjectIdentifier{2, 5, 29, 32, 0}       // RFC 5280 4.2.1.4

	KeyStore         = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 5}       // the extension itself
	StoragePKCS12    = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 5, 1, 1} // a file
	StorageJKS       = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 5, 1, 2} // a Java file
	StorageIDCard    = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 5, 2, 1} // identity card
	StorageKaztoken  = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 5, 2, 2} // token
	StorageEToken    = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 5, 2, 3} // eToken Java
	StorageEToken510 = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 5, 2, 4} // eToken 5110
	StorageJaCarta   = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 5, 2, 5} // token
	StorageAKey      = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 5, 2, 6} // token
	StorageSIM       = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 5, 2, 7} // SIM card
	StorageCloud     = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 5, 3, 1} // Certex Cloud

	OIDCommonName   = asn1.ObjectIdentifier{2, 5, 4, 3}
	OIDSurname      = asn1.ObjectIdentifier{2, 5, 4, 4}
	OIDSerialNumber = asn1.ObjectIdentifier{2, 5, 4, 5} // "IIN" + 12 digits
	OIDCountry      = asn1.ObjectIdentifier{2, 5, 4, 6}
	OIDLocality     = asn1.ObjectIdentifier{2, 5, 4, 7}
	OIDState        = asn1.ObjectIdentifier{2, 5, 4, 8}
	OIDOrganization = asn1.ObjectIdentifier{2, 5, 4, 10}
	OIDUnit         = asn1.ObjectIdentifier{2, 5, 4, 11} // "BIN" + 12 digits
	OIDCategory     = asn1.ObjectIdentifier{2, 5, 4, 15} // Treasury: "KS" + digits
	OIDGivenName    = asn1.ObjectIdentifier{2, 5, 4, 42} // the patronymic
	OIDUserID       = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	OIDDomain       = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}
	OIDEmail        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
)

// Extensions this package understands.
var (
	extSubjectKeyID      = asn1.ObjectIdentifier{2, 5, 29, 14}
	extKeyUsage          = asn1.ObjectIdentifier{2, 5, 29, 15}
	extSubjectAltName    = asn1.ObjectIdentifier{2, 5, 29, 17}
	extBasicConstraints  = asn1.ObjectIdentifier{2, 5, 29, 19}
	extCRLNumber         = asn1.ObjectIdentifier{2, 5, 29, 20}
	extReason            = asn1.ObjectIdentifier{2, 5, 29, 21}
	extInvalidityDate    = asn1.ObjectIdentifier{2, 5, 29, 24}
	extExpiredOnCRL      = asn1.ObjectIdentifier{2, 5, 29, 60} // X.509 9.5.2.8
	extDeltaCRL          = asn1.ObjectIdentifier{2, 5, 29, 27}
	extNameConstraints   = asn1.ObjectIdentifier{2, 5, 29, 30}
	extCRLPoints         = asn1.ObjectIdentifier{2, 5, 29, 31}
	extScope             = asn1.ObjectIdentifier{2, 5, 29, 28} // issuingDistributionPoint
	extEntryIssuer       = asn1.ObjectIdentifier{2, 5, 29, 29} // certificateIssuer
	extPolicies          = asn1.ObjectIdentifier{2, 5, 29, 32}
	extPolicyMappings    = asn1.ObjectIdentifier{2, 5, 29, 33}
	extPolicyConstraints = asn1.ObjectIdentifier{2, 5, 29, 36}
	extInhibitAnyPolicy  = asn1.ObjectIdentifier{2, 5, 29, 54}
	extAuthorityKeyID    = asn1.ObjectIdentifier{2, 5, 29, 35}
	extExtKeyUsage       = asn1.ObjectIdentifier{2, 5, 29, 37}
	extFreshestCRL       = asn1.ObjectIdentifier{2, 5, 29, 46}
	extAuthorityInfo     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	extOCSPNoCheck       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

	accessOCSP      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1}
	accessCAIssuers = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 2}
	qualifierCPS    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
	qualifierNotice = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 2}
	attrExtensions  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14}
)

// maxArcs bounds an identifier that people write: the longest in use have half of them.
const maxArcs = 20

// ParseOID reads an object identifier as it is written, 1.2.398.3.3.2.1: what it gives writes back to the same text, and
// goes into DER. Refused are signs, spaces, leading zeros, a first arc above 2, a second above 39 below the arcs 0 and 1
// (X.660 7.6), numbers that DER's readers do not take (above 31 bits) and more than 20 arcs.
func ParseOID(s string) (asn1.ObjectIdentifier, error) {
	var id asn1.ObjectIdentifier
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil || strconv.FormatUint(n, 10) != part || len(id) == maxArcs {
			return nil, fmt.Errorf("no object identifier: %q", s)
		}
		id = append(id, int(n))
	}
	// The first two arcs are one number in DER (X.690 8.19.4).
	if len(id) < 2 || id[0] > 2 || id[0] < 2 && id[1] > 39 || id[1] > math.MaxInt32-2*40 {
		return nil, fmt.Errorf("no object identifier: %q", s)
	}
	return id, nil
}

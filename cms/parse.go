package cms

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/internal/ber"
	"senim/pki"
)

// MaxSize is the largest message Parse looks at, in bytes.
const MaxSize = 64 << 20

const (
	maxRevocation     = 256      // revocation lists and answers inside
	maxRevocationSize = 32 << 20 // all of them together
)

// Types of content: RFC 5652 §4, §5, RFC 3161.
var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}

	tag0          = cbasn1.Tag(0).ContextSpecific().Constructed()
	tag1          = cbasn1.Tag(1).ContextSpecific().Constructed()
	tag0Primitive = cbasn1.Tag(0).ContextSpecific()

	errShape = errors.New("not a SignedData message or damaged")
)

// parts are the pieces of a message as they stand, from which a co-signed one is put together.
type parts struct {
	version      int
	hashes       [][]byte // AlgorithmIdentifiers
	encap        []byte   // EncapsulatedContentInfo
	certificates [][]byte // CertificateChoices
	crls         [][]byte // RevocationInfoChoices
	signers      [][]byte // SignerInfos
}

func parse(data []byte) (*SignedData, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("parsing CMS: larger than %d bytes", MaxSize)
	}
	der, err := normalized(data)
	if err != nil {
		return nil, fmt.Errorf("parsing CMS: %w", err)
	}
	sd := &SignedData{raw: der}
	if err := sd.read(); err != nil {
		return nil, fmt.Errorf("parsing CMS: %w", err)
	}
	return sd, nil
}

// normalized gives the DER. What is DER already is only copied: a revocation list inside may have
// more elements than anybody writes in BER.
func normalized(data []byte) ([]byte, error) {
	if ber.IsDER(data) {
		return bytes.Clone(data), nil
	}
	return ber.Normalize(data)
}

// read reads ContentInfo and SignedData, RFC 5652 §3 and §5.1.
func (sd *SignedData) read() error {
	in := cryptobyte.String(sd.raw)
	var info, explicit, body, hashes, signers, encap cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !in.Empty() ||
		!info.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidSignedData) ||
		!info.ReadASN1(&explicit, tag0) || !info.Empty() ||
		!explicit.ReadASN1(&body, cbasn1.SEQUENCE) || !explicit.Empty() ||
		!body.ReadASN1Integer(&sd.parts.version) || sd.parts.version < 1 || sd.parts.version > 5 ||
		!body.ReadASN1(&hashes, cbasn1.SET) ||
		!body.ReadASN1Element(&encap, cbasn1.SEQUENCE) {
		return errShape
	}
	sd.parts.encap = encap
	var err error
	if sd.parts.hashes, err = elements(hashes, 2*MaxSigners); err != nil {
		return err
	}
	if err := sd.readContent(encap); err != nil {
		return err
	}
	if err := sd.readCertificates(&body); err != nil {
		return err
	}
	if !body.ReadASN1(&signers, cbasn1.SET) || !body.Empty() {
		return errShape
	}
	return sd.readSigners(signers)
}

// elements splits a SET OF; more than limit is refused.
func elements(in cryptobyte.String, limit int) ([][]byte, error) {
	var out [][]byte
	for !in.Empty() {
		var e cryptobyte.String
		var tag cbasn1.Tag
		if len(out) == limit {
			return nil, fmt.Errorf("more than %d entries in a set", limit)
		}
		if !in.ReadAnyASN1Element(&e, &tag) {
			return nil, errShape
		}
		out = append(out, e)
	}
	return out, nil
}

// readContent reads EncapsulatedContentInfo, RFC 5652 §5.2.
func (sd *SignedData) readContent(element cryptobyte.String) error {
	var encap, explicit cryptobyte.String
	if !element.ReadASN1(&encap, cbasn1.SEQUENCE) || !encap.ReadASN1ObjectIdentifier(&sd.contentType) {
		return errShape
	}
	if encap.Empty() {
		return nil
	}
	var content cryptobyte.String
	if !encap.ReadASN1(&explicit, tag0) || !encap.Empty() ||
		!explicit.ReadASN1(&content, cbasn1.OCTET_STRING) || !explicit.Empty() {
		return errShape
	}
	sd.content, sd.attached = content, true
	if sd.content == nil {
		sd.content = []byte{}
	}
	return nil
}

// readCertificates reads the optional certificates and CRLs. Certificates of kinds we do not know
// are carried along: only the signer's own has to be read, and his verdict says when it was not.
func (sd *SignedData) readCertificates(body *cryptobyte.String) error {
	var set cryptobyte.String
	var present bool
	if !body.ReadOptionalASN1(&set, &present, tag0) {
		return errShape
	}
	var err error
	if sd.parts.certificates, err = elements(set, MaxCertificates); err != nil {
		return err
	}
	for _, der := range sd.parts.certificates {
		if der[0] != byte(cbasn1.SEQUENCE) {
			continue
		}
		if c, err := pki.ParseCertificate(der); err == nil {
			sd.certs = append(sd.certs, c)
		}
	}
	if body.PeekASN1Tag(tag1) {
		var crls cryptobyte.String
		if !body.ReadASN1(&crls, tag1) || len(crls) > maxRevocationSize {
			return errShape
		}
		sd.parts.crls, err = elements(crls, maxRevocation)
	}
	return err
}

// readSigners reads every SignerInfo. A message without signers says nothing and is refused.
func (sd *SignedData) readSigners(set cryptobyte.String) error {
	var err error
	if sd.parts.signers, err = elements(set, MaxSigners); err != nil {
		return err
	}
	if len(sd.parts.signers) == 0 {
		return errors.New("message has no signers")
	}
	stamps := 0
	for i, raw := range sd.parts.signers {
		s, err := readSigner(raw)
		if err != nil {
			return fmt.Errorf("signer %d: %w", i+1, err)
		}
		if stamps += len(s.Timestamps); stamps > MaxTimestamps {
			return fmt.Errorf("more than %d time-stamps", MaxTimestamps)
		}
		sd.signers = append(sd.signers, *s)
	}
	return nil
}

package participant

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"time"

	"senim/dsig"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/pki"
)

// Agreement is one published version of the terms of use; it never changes once published.
type Agreement struct {
	Version string // as "1.0"
	From    time.Time
	Text    map[lang.Tag]string // paragraphs divided by an empty line
	// MustResignBy is when those who signed an earlier version must have signed this one; zero: they need
	// not. From then on their profiles open only the page where it is signed.
	MustResignBy time.Time
}

// Hash is the SHA-256 of the text in one language, in hex.
func (a Agreement) Hash(l lang.Tag) string {
	sum := sha256.Sum256([]byte(a.Text[l]))
	return hex.EncodeToString(sum[:])
}

// AgreementSignature is a signed agreement: the exact signed document and what was found about it.
type AgreementSignature struct {
	ID           string
	Registration string // empty when it was signed again for a profile
	IIN          ident.IIN
	TIN          string
	Type         ProfileType // as what he signed; empty: that was not kept in its time
	Version      string
	Lang         lang.Tag
	Document     []byte // the XML as it came, with its signature
	Certificate  []byte // DER
	Evidence     string // id of the evidence of the gate run on this certificate
	At           time.Time
	TimeStamp    []byte // a time-stamp token over Document; nil: none was got, and that is recorded
	Proofs       []File // with the document and the proof of it; only of [Office.SignedAgreement]
}

// agreementXML is the document a person signs at step 3 (section 14). It is made of stored facts
// alone, so that the server can make the same bytes again and needs to trust nothing that comes
// back. dsig's canonical form of it has no namespaces and no comments.
type agreementXML struct {
	XMLName      xml.Name `xml:"agreement"`
	Version      string   `xml:"version"`
	Lang         string   `xml:"lang"`
	Text         string   `xml:"text"`
	Hash         string   `xml:"sha256"`
	IIN          string   `xml:"iin"`
	TIN          string   `xml:"tin"`
	Registration string   `xml:"registration"`
	Time         string   `xml:"time"`
	Origin       string   `xml:"origin"`
}

// document is the agreement of a registration in one language, to be signed.
func (r Registration) document(a Agreement, l lang.Tag, origin string) ([]byte, error) {
	body, err := xml.Marshal(agreementXML{
		Version: a.Version, Lang: string(l), Text: a.Text[l], Hash: a.Hash(l), IIN: string(r.IIN), TIN: r.TIN,
		Registration: r.ID, Time: r.DataAt.UTC().Format(time.RFC3339), Origin: origin,
	})
	if err != nil {
		return nil, fmt.Errorf("write agreement: %w", err)
	}
	return append([]byte(`<?xml version="1.0" encoding="UTF-8" standalone="no"?>`), body...), nil
}

// errOtherVersion says that what was signed is not the version in force (R8).
var errOtherVersion = errors.New("another version of the agreement was signed")

// verifyAgreement checks a signed agreement of the registration: one enveloped signature over the
// whole document, whose canonical bytes are exactly those of the agreement in force in one of the
// languages. It gives the signer's certificate, not yet judged.
func (r Registration) verifyAgreement(signed []byte, a Agreement, origin string) (*pki.Certificate, lang.Tag, error) {
	if len(signed) > maxSigned {
		return nil, "", errors.New("read signed agreement: too large")
	}
	doc, err := dsig.Parse(signed)
	if err != nil {
		return nil, "", fmt.Errorf("read signed agreement: %w", err)
	}
	v, err := doc.VerifyOne()
	if err != nil {
		return nil, "", fmt.Errorf("verify signed agreement: %w", err)
	}
	if v.Weak || v.ID != "" {
		return nil, "", errors.New("verify signed agreement: a weak signature, or one over a part")
	}
	for _, l := range lang.All() {
		ours, err := r.document(a, l, origin)
		if err != nil {
			return nil, "", err
		}
		canonical, err := dsig.Canonicalize(ours, false)
		if err != nil {
			return nil, "", fmt.Errorf("write agreement: %w", err)
		}
		if bytes.Equal(canonical, v.Signed) {
			return v.Certificate, l, nil
		}
	}
	if e := v.Element; e != nil && e.Local == "agreement" && e.Child("version") != nil && e.Child("version").Text != a.Version {
		return nil, "", errOtherVersion
	}
	return nil, "", errors.New("verify signed agreement: another text was signed")
}

// maxSigned bounds a signed agreement: the text, one certificate and one signature.
const maxSigned = 1 << 20

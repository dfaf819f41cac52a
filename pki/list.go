package pki

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// RevocationList is a CRL, full or delta (RFC 5280 section 5). Slices share memory with Raw. The
// entries stay in their DER and are found by an index of four bytes each, so that a list of a
// million costs little more than its bytes, and a second to read.
type RevocationList struct {
	Raw, RawTBS, RawIssuer []byte // the whole DER; what is signed; the issuer's Name
	Issuer                 Name
	Signature              algid.Signature
	SignatureValue         []byte
	ThisUpdate             time.Time   // UTC, in whole seconds
	NextUpdate             time.Time   // UTC; zero: not said
	Number                 *big.Int    // nil: not said
	BaseNumber             *big.Int    // of a delta, the list it adds to; nil for a full list
	AuthorityKeyID         []byte      // keyid only; nil when absent
	Extensions             []Extension // of the list, all, in order
	// Unhandled are extensions, of the list or of an entry, that a plain reader must not pass over:
	// critical ones nobody knows, and those that divide a list or make it indirect. CheckSignatureFrom
	// refuses such a list; [Pool.Validate] knows what the divided and indirect ones cover, and
	// [RevocationList.Covers] what a divided one does.
	Unhandled []asn1.ObjectIdentifier

	strange  []asn1.ObjectIdentifier // of Unhandled, those nobody knows
	scope    *listScope              // issuingDistributionPoint
	rawScope []byte

	expiredSince time.Time // expiredCertsOnCRL: what expired from then on is still there

	body   []byte   // the entries, one after another
	sorted []uint32 // where each begins, by serial
	twice  serial   // one that stands there twice

	issuers []entryIssuer // of an indirect list: whose certificates the entries from there on are
}

// ParseRevocationList reads one DER list of at most 64 MiB; nothing may follow it. The inner
// signature algorithm may lack its NULL.
func ParseRevocationList(der []byte) (*RevocationList, error) {
	l, err := parseList(der, nil)
	if err != nil {
		return nil, fmt.Errorf("parse revocation list: %w", err)
	}
	return l, nil
}

// ParseRevocationListFrom is ParseRevocationList for a list that must be issuer's: its name and its
// signature are looked at before the entries are, so that a stranger's list costs no more than a hash
// over it. What [RevocationList.CheckSignatureFrom] asks besides is still to be asked.
func ParseRevocationListFrom(der []byte, issuer *Certificate) (*RevocationList, error) {
	l, err := parseList(der, issuer)
	if err != nil {
		return nil, fmt.Errorf("parse revocation list: %w", err)
	}
	return l, nil
}

// parseList looks at no issuer when that is nil.
func parseList(der []byte, issuer *Certificate) (*RevocationList, error) {
	tbs, outer, value, err := readSigned(der, maxList)
	if err != nil {
		return nil, err
	}
	l := &RevocationList{Raw: der, RawTBS: tbs, SignatureValue: value}
	body, err := inside(tbs, cbasn1.SEQUENCE)
	if err != nil {
		return nil, err
	}
	version := 0
	if body.PeekASN1Tag(cbasn1.INTEGER) && (!body.ReadASN1Integer(&version) || version != 1) {
		return nil, errors.New("version not known")
	}
	if l.Signature, err = readAlgorithms(&body, outer); err != nil {
		return nil, err
	}
	if err := l.readHead(&body); err != nil {
		return nil, err
	}
	if issuer != nil {
		if err := l.checkIssuer(issuer); err != nil {
			return nil, err
		}
	}
	if body.PeekASN1Tag(cbasn1.SEQUENCE) {
		var entries cryptobyte.String
		if !body.ReadASN1(&entries, cbasn1.SEQUENCE) {
			return nil, errDER
		}
		if err := l.readEntries(entries); err != nil {
			return nil, err
		}
	}
	if version == 1 {
		if l.Extensions, err = readExtensions(&body, constructed(0)); err != nil {
			return nil, err
		}
	}
	if !body.Empty() {
		return nil, errDER
	}
	return l, l.understand()
}

func (l *RevocationList) readHead(in *cryptobyte.String) error {
	var ok bool
	var err error
	if l.RawIssuer, ok = readSequence(in); !ok {
		return errDER
	}
	if l.Issuer, err = ParseName(l.RawIssuer); err != nil {
		return err
	}
	if l.ThisUpdate, err = readTime(in); err != nil {
		return err
	}
	if isTime(*in) {
		l.NextUpdate, err = readTime(in)
	}
	return err
}

// understand reads the extensions of the list.
func (l *RevocationList) understand() (err error) {
	for _, e := range l.Extensions {
		switch {
		case e.OID.Equal(extCRLNumber):
			l.Number, err = readNumber(e.Value)
			if e.Critical { // must not be, 5.2.3
				l.Unhandled, l.strange = append(l.Unhandled, e.OID), append(l.strange, e.OID)
			}
		case e.OID.Equal(extDeltaCRL):
			l.BaseNumber, err = readNumber(e.Value)
		case e.OID.Equal(extAuthorityKeyID):
			l.AuthorityKeyID, err = readAuthorityKeyID(e.Value)
		case e.OID.Equal(extScope):
			l.rawScope, l.Unhandled = e.Value, append(l.Unhandled, e.OID)
			l.scope, err = readScope(e.Value)
		case e.OID.Equal(extExpiredOnCRL):
			l.expiredSince, err = readGeneralized(e.Value)
		case e.OID.Equal(extFreshestCRL):
			_, _, err = readPoints(e.Value) // a hint where the delta stands
		case e.Critical:
			l.Unhandled = append(l.Unhandled, e.OID)
			l.strange = append(l.strange, e.OID)
		}
		if err != nil {
			return fmt.Errorf("extension %v: %w", e.OID, err)
		}
	}
	return nil
}

// readNumber reads a CRL number: not negative, at most 20 octets.
func readNumber(der []byte) (*big.Int, error) {
	in := cryptobyte.String(der)
	n := new(big.Int)
	if !in.ReadASN1Integer(n) || !in.Empty() || n.Sign() < 0 || n.BitLen() > maxSerial*8 {
		return nil, errDER
	}
	return n, nil
}

// CheckSignatureFrom verifies that issuer signed the list: name equal byte by byte, cRLSign allowed,
// no critical extension we do not know, signature good.
func (l *RevocationList) CheckSignatureFrom(issuer *Certificate) error {
	if len(l.Unhandled) > 0 {
		return fmt.Errorf("revocation list: critical extension %v not known", l.Unhandled[0])
	}
	if err := l.checkIssuer(issuer); err != nil {
		return fmt.Errorf("revocation list: %w", err)
	}
	return nil
}

// checkIssuer asks what does not depend on the content of the list.
func (l *RevocationList) checkIssuer(issuer *Certificate) error {
	switch {
	case !bytes.Equal(l.RawIssuer, issuer.RawSubject):
		return errors.New("of another issuer")
	case issuer.KeyUsage != 0 && issuer.KeyUsage&CRLSign == 0:
		return errors.New("the issuer may not sign lists")
	}
	return l.Signature.Verify(issuer.PublicKey, l.RawTBS, l.SignatureValue)
}

package cms

import (
	"bytes"
	"crypto"
	"crypto/subtle"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/pki"
)

var oidRSAEncryption = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}

// digester gives the digest of the content; ok is false when it cannot.
type digester func(h algid.Hash) (digest []byte, ok bool)

func (sd *SignedData) verify(content []byte) ([]Verified, error) {
	switch {
	case sd.attached && content != nil && !bytes.Equal(content, sd.content):
		return nil, fmt.Errorf("verifying CMS: %w", ErrContentTwice)
	case sd.attached:
		content = sd.content
	case content == nil:
		return nil, fmt.Errorf("verifying CMS: %w", ErrDetached)
	}
	known := map[algid.Hash][]byte{}
	return sd.verifyEach(content, func(h algid.Hash) ([]byte, bool) {
		if known[h] == nil {
			known[h] = h.Sum(content)
		}
		return known[h], true
	}), nil
}

func (sd *SignedData) verifyDigest(hash algid.Hash, digest []byte) ([]Verified, error) {
	if sd.attached {
		return nil, fmt.Errorf("verifying CMS: %w", ErrContentTwice)
	}
	if hash.Size() == 0 || len(digest) != hash.Size() {
		return nil, errors.New("verifying CMS: digest is not of the length of its hash")
	}
	return sd.verifyEach(nil, func(h algid.Hash) ([]byte, bool) { return digest, h == hash }), nil
}

func (sd *SignedData) verifyEach(content []byte, digest digester) []Verified {
	out := make([]Verified, len(sd.signers))
	for i, s := range sd.signers {
		v := Verified{Signer: s}
		if len(s.Timestamps) > 0 {
			v.Timestamp = s.Timestamps[0]
		}
		v.Certificate, v.Err = sd.certificateOf(&s)
		if v.Err == nil {
			v.Err = sd.check(&s, v.Certificate, content, digest)
		}
		if v.Err != nil {
			v.Err = fmt.Errorf("signer %d: %w", i+1, v.Err)
		}
		out[i] = v
	}
	return out
}

// certificateOf finds the signer's certificate. Two different ones under one name would let
// whoever put the message together choose, so they are refused, unless the signer has said in a signed
// attribute which of them he means.
func (sd *SignedData) certificateOf(s *Signer) (*pki.Certificate, error) {
	var found *pki.Certificate
	for _, c := range sd.certs {
		same := len(s.SubjectKeyID) > 0 && bytes.Equal(s.SubjectKeyID, c.SubjectKeyID)
		if s.Serial != nil {
			same = bytes.Equal(s.Issuer, c.RawIssuer) && s.Serial.Cmp(c.Serial) == 0
		}
		if !same {
			continue
		}
		if found != nil && !bytes.Equal(found.Raw, c.Raw) {
			was, is := s.means(found), s.means(c)
			switch {
			case was == is:
				return nil, errors.New("two certificates fit the signer")
			case was:
				continue
			}
		}
		found = c
	}
	if found == nil {
		return nil, ErrNoCertificate
	}
	return found, nil
}

// means reports whether the signed attributes name the certificate.
func (s *Signer) means(c *pki.Certificate) bool {
	for _, e := range s.ess {
		if !e.names(c) {
			return false
		}
	}
	return len(s.ess) > 0
}

// WithKeys gives the same message, to be verified with what keys returns for a signer's key: the same key in a faster
// form, as [algid.PreparedKeys.Ready] does for those that came before.
func (sd *SignedData) WithKeys(keys func(crypto.PublicKey) crypto.PublicKey) *SignedData {
	out := *sd
	out.keys = keys
	return &out
}

// WithVerifier gives the same message, to be verified by v, together with what others have to verify at the same moment.
func (sd *SignedData) WithVerifier(v *algid.Verifier) *SignedData {
	out := *sd
	out.verifier = v
	return &out
}

// check verifies one signer against his certificate, RFC 5652 §5.4 and §5.6, RFC 5035 §3.
func (sd *SignedData) check(s *Signer, c *pki.Certificate, content []byte, digest digester) error {
	sig, err := signatureOf(s.SignatureOID, s.Hash)
	if err != nil {
		return err
	}
	got, ok := digest(s.Hash)
	if !ok {
		return fmt.Errorf("digest at hand is not %v", s.Hash)
	}
	signed := got
	if s.HasSignedAttributes {
		if err := sd.checkAttributes(s, c, got); err != nil {
			return err
		}
		signed = s.Hash.Sum(s.SignedAttributes)
	} else if err := sd.checkBare(content); err != nil {
		return err
	}
	key := c.PublicKey
	if sd.keys != nil {
		key = sd.keys(key)
	}
	if err := sd.verifier.VerifyDigest(sig, key, signed, s.SignatureValue); err != nil {
		if errors.Is(err, algid.ErrSignature) {
			return ErrSignature
		}
		return err
	}
	return nil
}

// signatureOf tells the signature algorithm; rsaEncryption takes its hash from the digest algorithm.
func signatureOf(oid asn1.ObjectIdentifier, h algid.Hash) (algid.Signature, error) {
	if oid.Equal(oidRSAEncryption) {
		switch h {
		case algid.SHA1:
			return algid.SHA1WithRSA, nil
		case algid.SHA256:
			return algid.SHA256WithRSA, nil
		case algid.SHA384:
			return algid.SHA384WithRSA, nil
		case algid.SHA512:
			return algid.SHA512WithRSA, nil
		case algid.Streebog512, algid.Streebog256, algid.GOST34311: // never with RSA: refused below
		}
	}
	sig, ok := algid.SignatureByOID(oid)
	if !ok {
		return 0, fmt.Errorf("signature algorithm %s: %w", oid, algid.ErrUnknown)
	}
	if sig.Hash() != h {
		return 0, fmt.Errorf("signature algorithm %v with digest algorithm %v", sig, h)
	}
	return sig, nil
}

// checkAttributes compares the signed attributes with the content and the certificate.
func (sd *SignedData) checkAttributes(s *Signer, c *pki.Certificate, digest []byte) error {
	switch {
	case s.ContentType == nil || s.MessageDigest == nil:
		return errors.New("signed attributes lack content type or message digest")
	case !s.ContentType.Equal(sd.contentType):
		return errors.New("signed content type is not that of the content")
	case subtle.ConstantTimeCompare(s.MessageDigest, digest) != 1:
		return ErrDigest
	}
	for _, e := range s.ess {
		if !e.names(c) {
			return ErrSigningCertificate
		}
	}
	return nil
}

// checkBare looks at a message signed without attributes: only for plain data, and not when the
// content is itself a set of signed attributes, which would be somebody's signature turned around.
func (sd *SignedData) checkBare(content []byte) error {
	if !sd.contentType.Equal(oidData) {
		return errors.New("content of this type needs signed attributes")
	}
	in := cryptobyte.String(content)
	var set cryptobyte.String
	if !in.ReadASN1(&set, cbasn1.SET) || !in.Empty() {
		return nil
	}
	list, err := elements(set, maxAttributes)
	if err != nil {
		return nil
	}
	attributes, err := readAttributes(list)
	if err != nil {
		return nil
	}
	for _, a := range attributes {
		if a.OID.Equal(oidMessageDigest) {
			return errors.New("content is a set of signed attributes")
		}
	}
	return nil
}

package pades

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"senim/algid"
	"senim/cms"
	"senim/internal/pdf"
	"senim/tsp"
)

// unknowable marks an error that proves nothing against the signature.
type unknowable struct{ error }

func (u unknowable) Unwrap() error { return u.error }

func (d *Document) verify() ([]Verified, error) {
	if len(d.signatures) == 0 {
		return nil, ErrUnsigned
	}
	out := make([]Verified, len(d.signatures))
	for i, s := range d.signatures {
		v := Verified{Signature: s}
		v.Err = d.judge(&v)
		v.Outcome = outcome(v.Err)
		out[i] = v
	}
	return out, nil
}

func outcome(err error) Outcome {
	var u unknowable
	switch {
	case err == nil:
		return Valid
	case errors.As(err, &u), errors.Is(err, ErrKind), errors.Is(err, ErrTooMuch),
		errors.Is(err, cms.ErrNoCertificate), errors.Is(err, algid.ErrUnknown):
		return CannotSay
	}
	return Invalid
}

// judge fills in a verdict and gives its error.
func (d *Document) judge(v *Verified) error {
	switch {
	case v.problem != nil:
		return v.problem
	case v.SubFilter != subFilterCAdES && v.SubFilter != subFilterPKCS7 && !v.DocumentTimestamp:
		return fmt.Errorf("%w: SubFilter %q", ErrKind, v.SubFilter)
	}
	if err := d.checkRange(&v.Signature); err != nil {
		return err
	}
	if v.flaw != nil {
		return v.flaw
	}
	check := d.checkMessage
	if v.DocumentTimestamp {
		check = d.checkTimestamp
	}
	if err := check(v); err != nil {
		return err
	}
	return d.checkLater(v)
}

// checkRange compares ByteRange with the place of Contents: it must leave out that and nothing else.
func (d *Document) checkRange(s *Signature) error {
	r, size := s.ByteRange, d.Size()
	if len(r) != 4 {
		return fmt.Errorf("%w: ByteRange is not four numbers", ErrByteRange)
	}
	for _, n := range r {
		if n < 0 || n > size {
			return fmt.Errorf("%w: ByteRange points outside", ErrByteRange)
		}
	}
	switch {
	case r[0] != 0:
		return fmt.Errorf("%w: it does not begin at the first byte", ErrByteRange)
	case s.place.From <= 0 || r[1] != s.place.From || r[2] != s.place.To:
		return fmt.Errorf("%w: it leaves out bytes %d to %d, Contents is %d to %d", ErrByteRange, r[1], r[2], s.place.From, s.place.To)
	case r[3] <= 0 || r[2]+r[3] > size:
		return fmt.Errorf("%w: it ends outside", ErrByteRange)
	case s.place.To-s.place.From != 2*int64(len(s.Contents))+2:
		return fmt.Errorf("%w: Contents is not hexadecimal digits alone", ErrByteRange)
	}
	var first [1]byte // a literal string with escapes may have that length too
	if _, err := d.r.ReadAt(first[:], s.place.From); err != nil {
		return unknowable{fmt.Errorf("read PDF: %w", err)}
	}
	if first[0] != '<' {
		return fmt.Errorf("%w: Contents is not hexadecimal digits alone", ErrByteRange)
	}
	return nil
}

// Covered gives the bytes that the message of a signature is over, for those who judge the message further, as
// package cades does. It is for signatures whose outcome is Valid or whose Err is [ErrChanged]: of others ByteRange may
// be anything, and nothing is read.
func (d *Document) Covered(v *Verified) io.Reader {
	if v.Outcome != Valid && !errors.Is(v.Err, ErrChanged) {
		return strings.NewReader("")
	}
	parts := d.parts(v.ByteRange)
	return io.MultiReader(parts[0], parts[1])
}

func (d *Document) parts(r []int64) [2]*io.SectionReader {
	return [2]*io.SectionReader{io.NewSectionReader(d.r, r[0], r[1]), io.NewSectionReader(d.r, r[2], r[3])}
}

// digest hashes what ByteRange, already checked, covers.
func (d *Document) digest(h algid.Hash, r []int64) ([]byte, error) {
	w := h.New()
	for _, part := range d.parts(r) {
		if n, err := io.Copy(w, part); err != nil || n != part.Size() {
			return nil, unknowable{fmt.Errorf("read PDF: %w", errors.Join(err, io.ErrUnexpectedEOF))}
		}
	}
	return w.Sum(nil), nil
}

// checkMessage verifies the signature of a person.
func (d *Document) checkMessage(v *Verified) error {
	m := v.Message
	signers := m.Signers()
	switch {
	case len(signers) != 1:
		return fmt.Errorf("%w: %d signers", ErrContents, len(signers))
	case !m.Detached():
		return fmt.Errorf("%w: it has content inside", ErrContents)
	case m.ContentType().String() != "1.2.840.113549.1.7.1": // id-data
		return fmt.Errorf("%w: content of type %v", ErrContents, m.ContentType())
	case !signers[0].HasSignedAttributes:
		return fmt.Errorf("%w: it has no signed attributes", ErrContents)
	}
	digest, err := d.digest(signers[0].Hash, v.ByteRange)
	if err != nil {
		return err
	}
	verdicts, err := m.VerifyDigest(signers[0].Hash, digest)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrContents, err)
	}
	signer := verdicts[0]
	v.Certificate, v.SigningTime = signer.Certificate, signer.SigningTime
	if signer.Err != nil {
		return signer.Err
	}
	if signer.Hash == algid.SHA1 {
		v.Warnings = append(v.Warnings, WarnWeakHash)
	}
	if !namesCertificate(signer.Attributes) {
		v.Warnings = append(v.Warnings, WarnNoCertificate)
	}
	for _, raw := range signer.Timestamps {
		stamp := checkStamp(raw, signer.SignatureValue)
		v.Timestamps = append(v.Timestamps, stamp)
		switch outcome(stamp.Err) {
		case Invalid:
			v.Warnings = append(v.Warnings, WarnTimestamp)
		case CannotSay:
			v.Warnings = append(v.Warnings, WarnStampUnknown)
		case Valid:
		}
	}
	return nil
}

// namesCertificate tells whether one of the signing-certificate attributes (RFC 2634, RFC 5035) is
// there; package cms has compared its digest.
func namesCertificate(list []cms.Attribute) bool {
	for _, a := range list {
		switch a.OID.String() {
		case "1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47":
			return true
		}
	}
	return false
}

// checkStamp looks at a time-stamp over a signature value.
func checkStamp(raw, signature []byte) Timestamp {
	var s Timestamp
	if s.Token, s.Err = tsp.ParseToken(raw); s.Err != nil {
		return s
	}
	if s.Certificate, s.Err = s.Token.Verify(); s.Err != nil {
		return s
	}
	s.Err = s.Token.Covers(signature)
	return s
}

// checkTimestamp verifies a time-stamp over the document, ISO 32000-2 12.8.5.
func (d *Document) checkTimestamp(v *Verified) error {
	token, err := tsp.ParseToken(v.Message.Raw())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrContents, err)
	}
	maker, err := token.Verify()
	if err != nil {
		return err
	}
	v.Certificate, v.SigningTime = maker, token.Time
	if token.Imprint.Hash == 0 {
		return fmt.Errorf("imprint of algorithm %v: %w", token.Imprint.HashOID, algid.ErrUnknown)
	}
	digest, err := d.digest(token.Imprint.Hash, v.ByteRange)
	if err != nil {
		return err
	}
	if !token.Imprint.Equal(tsp.Imprint{HashOID: token.Imprint.Hash.OID(), Digest: digest}) {
		return tsp.ErrImprint
	}
	if token.Imprint.Hash == algid.SHA1 {
		v.Warnings = append(v.Warnings, WarnWeakHash)
	}
	return nil
}

// checkLater looks at what follows the signed bytes.
func (d *Document) checkLater(v *Verified) error {
	end := v.claimedEnd()
	old, err := d.file.Revision(end)
	if err != nil {
		return changed(err)
	}
	// The dictionary must stand whole in what was signed. (That it is the one of this place follows
	// from the place of Contents.)
	if _, err := old.Load(v.holder); err != nil {
		return fmt.Errorf("%w: the signature dictionary is not in what it covers", ErrByteRange)
	}
	v.Signed = end
	if v.Later, err = d.later(old); err != nil {
		return changed(err)
	}
	if v.Certification == 1 && len(v.Later.Signatures) > 0 {
		v.Later.Changed = append(v.Later.Changed, "a signature was added, which the first signer did not permit")
	}
	if len(v.Later.Changed) > 0 {
		return fmt.Errorf("%w: %s", ErrChanged, v.Later.Changed[0])
	}
	if v.Later.Visible {
		v.Warnings = append(v.Warnings, WarnVisible)
	}
	if v.Later.Description {
		v.Warnings = append(v.Warnings, WarnDescription)
	}
	return nil
}

// changed takes what cannot be read after the signature for a change; a bound passed proves nothing.
func changed(err error) error {
	var u unknowable
	if !errors.Is(err, pdf.ErrDamaged) || errors.As(err, &u) {
		return unknowable{err}
	}
	return fmt.Errorf("%w: %w", ErrChanged, err)
}

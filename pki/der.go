package pki

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/internal/ber"
)

// Bounds, checked before a byte is parsed (spec/security.md §3).
const (
	maxCertificate = 256 << 10
	maxRequest     = 16 << 10
	maxList        = 64 << 20
	maxFile        = 64 << 20
	maxExtensions  = 64
	maxAttributes  = 128 // of a name
	maxNames       = 1024
	maxSerial      = 20 // octets, RFC 5280 4.1.2.2
)

// errDER is the error under every "this is not the DER it should be".
var errDER = errors.New("not well-formed DER")

func context(n uint8) cbasn1.Tag     { return cbasn1.Tag(n).ContextSpecific() }
func constructed(n uint8) cbasn1.Tag { return context(n).Constructed() }

// readSequence takes one SEQUENCE off in, header included.
func readSequence(in *cryptobyte.String) ([]byte, bool) {
	var out cryptobyte.String
	ok := in.ReadASN1Element(&out, cbasn1.SEQUENCE)
	return out, ok
}

// readWhole returns the content of the only element in der: the value of an extension, a name. What
// stands inside is DER too.
func readWhole(der []byte, tag cbasn1.Tag) (cryptobyte.String, error) {
	if err := ber.Check(der); err != nil {
		return nil, err
	}
	return inside(der, tag)
}

// inside is readWhole for bytes that were checked with what they stand in.
func inside(der []byte, tag cbasn1.Tag) (cryptobyte.String, error) {
	in := cryptobyte.String(der)
	var body cryptobyte.String
	if !in.ReadASN1(&body, tag) || !in.Empty() {
		return nil, errDER
	}
	return body, nil
}

// readSigned splits what certificates, requests and lists have in common: bytes, algorithm, BIT
// STRING. The algorithm stays unread.
func readSigned(der []byte, limit int) (tbs []byte, algorithm cryptobyte.String, value []byte, err error) {
	if len(der) > limit {
		return nil, nil, nil, fmt.Errorf("%d bytes are more than %d", len(der), limit)
	}
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil {
		return nil, nil, nil, err
	}
	tbs, ok := readSequence(&body)
	if !ok {
		return nil, nil, nil, errDER
	}
	alg, ok := readSequence(&body)
	if !ok || !body.ReadASN1BitStringAsBytes(&value) || !body.Empty() {
		return nil, nil, nil, errDER
	}
	return tbs, alg, value, nil
}

// readSerial takes a serial: positive, at most 20 octets.
func readSerial(in *cryptobyte.String) (*big.Int, error) {
	serial := new(big.Int)
	if !in.ReadASN1Integer(serial) {
		return nil, errDER
	}
	if serial.Sign() <= 0 || serial.BitLen() > maxSerial*8 {
		return nil, errors.New("serial not positive or longer than 20 octets")
	}
	return serial, nil
}

// readTime takes a UTCTime or GeneralizedTime in the one form DER and RFC 5280 4.1.2.5 allow:
// with seconds, with Z, without fractions.
func readTime(in *cryptobyte.String) (time.Time, error) {
	var text cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&text, &tag) {
		return time.Time{}, errDER
	}
	year := 0
	switch {
	case tag == cbasn1.UTCTime && len(text) == 13:
		if year = digits(text[:2]) + 1900; year < 1950 {
			year += 100
		}
		text = text[2:]
	case tag == cbasn1.GeneralizedTime && len(text) == 15:
		year, text = digits(text[:2])*100+digits(text[2:4]), text[4:]
	default:
		return time.Time{}, fmt.Errorf("time: %w", errDER)
	}
	var n [5]int
	valid := text[10] == 'Z' && year >= 0
	for i := range n {
		n[i] = digits(text[2*i : 2*i+2])
		valid = valid && n[i] >= 0
	}
	t := time.Date(year, time.Month(n[0]), n[1], n[2], n[3], n[4], 0, time.UTC)
	// What does not come back the same was no date: month 13, February 30, hour 24.
	if !valid || int(t.Month()) != n[0] || t.Day() != n[1] || t.Hour() != n[2] || t.Minute() != n[3] || t.Second() != n[4] {
		return time.Time{}, fmt.Errorf("time: %w", errDER)
	}
	return t, nil
}

// digits reads two decimal digits; what is none gives a large negative number.
func digits(b []byte) int {
	high, low := int(b[0])-'0', int(b[1])-'0'
	if high < 0 || high > 9 || low < 0 || low > 9 {
		return -1 << 30
	}
	return 10*high + low
}

func isTime(in cryptobyte.String) bool {
	return in.PeekASN1Tag(cbasn1.UTCTime) || in.PeekASN1Tag(cbasn1.GeneralizedTime)
}

// addTime writes UTCTime for 1950–2049, else GeneralizedTime.
func addTime(b *cryptobyte.Builder, t time.Time) {
	t = t.UTC()
	switch {
	case t.Year() >= 1950 && t.Year() < 2050:
		b.AddASN1(cbasn1.UTCTime, func(b *cryptobyte.Builder) { b.AddBytes([]byte(t.Format("060102150405Z"))) })
	case t.Year() >= 0 && t.Year() <= 9999:
		b.AddASN1(cbasn1.GeneralizedTime, func(b *cryptobyte.Builder) { b.AddBytes([]byte(t.Format("20060102150405Z"))) })
	default:
		b.SetError(fmt.Errorf("year %d cannot be written", t.Year()))
	}
}

// readOIDs takes a SEQUENCE OF OBJECT IDENTIFIER that is not empty.
func readOIDs(der []byte) ([]asn1.ObjectIdentifier, error) {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil || body.Empty() {
		return nil, errDER
	}
	var list []asn1.ObjectIdentifier
	for !body.Empty() {
		var oid asn1.ObjectIdentifier
		if !body.ReadASN1ObjectIdentifier(&oid) || len(list) == maxNames {
			return nil, errDER
		}
		list = append(list, oid)
	}
	return list, nil
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// readFlag takes a BOOLEAN DEFAULT FALSE; a written FALSE is let through, real software writes it.
func readFlag(in *cryptobyte.String, out *bool) bool {
	return !in.PeekASN1Tag(cbasn1.BOOLEAN) || in.ReadASN1Boolean(out)
}

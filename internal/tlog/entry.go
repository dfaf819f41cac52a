// Package tlog is the form of the public log of certificates, and how its proofs are checked: the
// content of an entry ([Entry]), the log as files or over HTTP ([Log]), the receipt a holder keeps
// ([Receipt]).
//
// [New] makes the entry of a certificate from its bytes and the holder's salt; whoever has both makes
// the same entry, byte for byte. Without the salt an entry tells when a certificate of what kind was
// issued under which serial, and nothing of whom; two entries of one holder share nothing.
//
// The tree is RFC 6962's, its files are those of c2sp.org/tlog-tiles, the checkpoint is a signed note
// (c2sp.org/tlog-checkpoint). Everything read is bounded and checked against a signed checkpoint. It
// writes nothing: package logdir does.
package tlog

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/pki"
)

// Bounds of an entry.
const (
	maxEntry  = 8 << 10
	maxSerial = 20
	maxKeyID  = 64
	maxOIDs   = 64
	maxValues = 128
	maxLabel  = 64
	version   = 1
)

// SaltSize is the length of a salt in bytes.
const SaltSize = 32

// Salt belongs to one holder: it hides him in the log, and finds his entries there.
type Salt [SaltSize]byte

// Entry is what the log says of one certificate.
type Entry struct {
	// Authority is the key identifier of who issued it, as the certificate names it.
	Authority []byte
	// Serial is the serial number, big-endian, without leading zeros.
	Serial              []byte
	NotBefore, NotAfter time.Time // whole seconds, UTC
	// Key is the algorithm of the certified key; Usage, Purposes and Policies are the extensions of these
	// names: together they are what the certificate is good for.
	Key                asn1.ObjectIdentifier
	Usage              pki.KeyUsage
	Purposes, Policies []asn1.ObjectIdentifier
	// Finder is the mark by which the holder finds the entry.
	Finder [32]byte
	// Commitment fixes the certificate to the last bit.
	Commitment [32]byte
	// Values are the names and numbers of the certificate, in its order, hashed.
	Values []Value
}

// Value is a name or a number of a certificate under the holder's salt.
type Value struct {
	// Label says what it is: the OID of an attribute of the subject as "2.5.4.3", "email" and "dns" of
	// the alternative names, "spki" for the public key.
	Label string
	Hash  [32]byte
}

// New makes the entry of a certificate.
func New(c *pki.Certificate, s Salt) (Entry, error) {
	e := Entry{Authority: c.AuthorityKeyID, Serial: c.Serial.Bytes(), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		Usage: c.KeyUsage, Purposes: c.ExtKeyUsage, Policies: c.Policies}
	var err error
	if e.Key, err = keyAlgorithm(c.RawSPKI); err != nil {
		return Entry{}, fmt.Errorf("log entry: %w", err)
	}
	e.Finder = s.finder(e.Serial)
	e.Commitment = s.mac("certificate", c.Raw)
	add := func(label, value string) { e.Values = append(e.Values, Value{label, s.value(e.Serial, label, value)}) }
	for _, a := range c.Subject {
		add(a.OID.String(), a.Value)
	}
	for _, v := range c.Emails {
		add("email", v)
	}
	for _, v := range c.DNSNames {
		add("dns", v)
	}
	add("spki", string(c.RawSPKI))
	_, err = e.Marshal() // its bounds
	return e, err
}

func keyAlgorithm(spki []byte) (oid asn1.ObjectIdentifier, err error) {
	in := cryptobyte.String(spki)
	var outer, algorithm cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) {
		return nil, errors.New("a public key of no known form")
	}
	return oid, nil
}

// mac is every use of the salt, each under a name of its own. Parts carry their lengths, so that no two
// different lists of parts are one text.
func (s Salt) mac(use string, parts ...[]byte) (sum [32]byte) {
	m := hmac.New(sha256.New, s[:])
	m.Write([]byte("senim-log/1 " + use + "\x00"))
	for _, p := range parts {
		n := len(p)
		m.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		m.Write(p)
	}
	m.Sum(sum[:0])
	return sum
}

func (s Salt) finder(serial []byte) [32]byte { return s.mac("finder", serial) }

// value mixes the serial in: equal values of two certificates are not seen to be equal.
func (s Salt) value(serial []byte, label, value string) [32]byte {
	return s.mac("value", serial, []byte(label), []byte(value))
}

// Mine reports whether the entry is of the holder of a salt.
func (e Entry) Mine(s Salt) bool {
	want := s.finder(e.Serial)
	return subtle.ConstantTimeCompare(want[:], e.Finder[:]) == 1
}

// SerialHex is the serial as Senim writes it: at least 40 lower hex digits.
func (e Entry) SerialHex() string { return fmt.Sprintf("%040s", hex.EncodeToString(e.Serial)) }

// Marshal writes the entry; the form is in doc/decision/0015-public-log.md. It fails for what [Parse]
// would refuse.
func (e Entry) Marshal() ([]byte, error) {
	if len(e.Authority) > maxKeyID || len(e.Serial) == 0 || len(e.Serial) > maxSerial || e.Serial[0] == 0 ||
		len(e.Purposes) > maxOIDs || len(e.Policies) > maxOIDs || len(e.Values) > maxValues {
		return nil, errors.New("write log entry: a field out of its bounds")
	}
	if e.NotBefore.Unix() < 0 || e.NotAfter.Unix() < e.NotBefore.Unix() {
		return nil, errors.New("write log entry: dates out of order")
	}
	short := func(b *cryptobyte.Builder, v []byte) {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(v) })
	}
	oids := func(b *cryptobyte.Builder, all []asn1.ObjectIdentifier) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, oid := range all {
				b.AddASN1ObjectIdentifier(oid)
			}
		})
	}
	var b cryptobyte.Builder
	b.AddUint8(version)
	short(&b, e.Authority)
	short(&b, e.Serial)
	b.AddUint64(uint64(e.NotBefore.Unix()))
	b.AddUint64(uint64(e.NotAfter.Unix()))
	b.AddASN1ObjectIdentifier(e.Key)
	b.AddUint16(uint16(e.Usage))
	oids(&b, e.Purposes)
	oids(&b, e.Policies)
	b.AddBytes(e.Finder[:])
	b.AddBytes(e.Commitment[:])
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, v := range e.Values {
			short(b, []byte(v.Label))
			b.AddBytes(v.Hash[:])
		}
	})
	for _, v := range e.Values {
		if !goodLabel(v.Label) {
			return nil, errors.New("write log entry: a label out of its bounds")
		}
	}
	out, err := b.Bytes()
	if err == nil && len(out) > maxEntry {
		err = fmt.Errorf("%d bytes, at most %d", len(out), maxEntry)
	}
	if err != nil {
		return nil, fmt.Errorf("write log entry: %w", err)
	}
	return out, nil
}

func goodLabel(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= maxLabel
}

// errEntry is every refusal of [Parse].
var errEntry = errors.New("no log entry of a known form")

// Parse reads an entry, and nothing but what [Entry.Marshal] writes.
func Parse(raw []byte) (Entry, error) {
	if len(raw) > maxEntry {
		return Entry{}, errEntry
	}
	in := cryptobyte.String(raw)
	var e Entry
	var kind uint8
	var authority, serial, purposes, policies, values cryptobyte.String
	var from, to uint64
	var usage uint16
	if !in.ReadUint8(&kind) || kind != version || !in.ReadUint8LengthPrefixed(&authority) || !in.ReadUint8LengthPrefixed(&serial) ||
		!in.ReadUint64(&from) || !in.ReadUint64(&to) || !in.ReadASN1ObjectIdentifier(&e.Key) || !in.ReadUint16(&usage) ||
		!in.ReadUint16LengthPrefixed(&purposes) || !in.ReadUint16LengthPrefixed(&policies) ||
		!in.CopyBytes(e.Finder[:]) || !in.CopyBytes(e.Commitment[:]) || !in.ReadUint16LengthPrefixed(&values) || !in.Empty() ||
		from > 1<<40 || to > 1<<40 {
		return Entry{}, errEntry
	}
	e.Authority, e.Serial, e.Usage = authority, serial, pki.KeyUsage(usage)
	e.NotBefore, e.NotAfter = time.Unix(int64(from), 0).UTC(), time.Unix(int64(to), 0).UTC()
	for list, in := range map[*[]asn1.ObjectIdentifier]*cryptobyte.String{&e.Purposes: &purposes, &e.Policies: &policies} {
		for !in.Empty() {
			var oid asn1.ObjectIdentifier
			if len(*list) == maxOIDs || !in.ReadASN1ObjectIdentifier(&oid) {
				return Entry{}, errEntry
			}
			*list = append(*list, oid)
		}
	}
	for !values.Empty() {
		var v Value
		var label cryptobyte.String
		if len(e.Values) == maxValues || !values.ReadUint8LengthPrefixed(&label) || !values.CopyBytes(v.Hash[:]) {
			return Entry{}, errEntry
		}
		v.Label = string(label)
		e.Values = append(e.Values, v)
	}
	again, err := e.Marshal()
	if err != nil || !bytes.Equal(again, raw) {
		return Entry{}, errEntry
	}
	return e, nil
}

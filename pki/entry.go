package pki

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Reason is why a certificate was revoked, RFC 5280 5.3.1.
type Reason int

// The reasons. RemoveFromCRL is of deltas only: released from hold, or expired.
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

// Valid reports whether the reason is one of RFC 5280.
func (r Reason) Valid() bool { return r >= 0 && r <= AACompromise && r != 7 }

// Entry is one revoked certificate.
type Entry struct {
	Serial    *big.Int
	RevokedAt time.Time // UTC, in whole seconds; may be before the certificate's NotBefore
	Reason    Reason    // zero, unspecified, also when the entry does not say
	HasReason bool      // false: the entry does not say
	// InvalidAt is since when the key was not to be trusted, if the entry says so (invalidityDate);
	// it may be before RevokedAt.
	InvalidAt time.Time
}

// Since is when the certificate stopped to count: the time of the revocation, or of the invalidity if that was before.
func (e *Entry) Since() time.Time {
	if !e.InvalidAt.IsZero() && e.InvalidAt.Before(e.RevokedAt) {
		return e.InvalidAt
	}
	return e.RevokedAt
}

// usualEntry is a little less than the bytes of most entries.
const usualEntry = 32

// readEntries checks every entry once and makes the index.
func (l *RevocationList) readEntries(entries cryptobyte.String) error {
	l.body = entries
	keys := make([]serialKey, 0, len(entries)/usualEntry)
	for rest := entries; !rest.Empty(); {
		at := uint32(len(l.body) - len(rest)) // bounded by maxList
		if !skipPlain(&rest) {
			if _, err := l.readEntry(&rest, &at); err != nil {
				return fmt.Errorf("entry %d: %w", len(keys)+1, err)
			}
		}
		keys = append(keys, serialKey{l.serialAt(at).prefix(), at})
	}
	slices.SortFunc(keys, func(a, b serialKey) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return cmp.Or(l.serialAt(a.at).compare(l.serialAt(b.at)), cmp.Compare(a.at, b.at))
	})
	l.sorted = make([]uint32, len(keys))
	for i, k := range keys {
		l.sorted[i] = k.at
		if i > 0 && l.twice == nil && k.prefix == keys[i-1].prefix {
			if s := l.serialAt(k.at); bytes.Equal(s, l.serialAt(keys[i-1].at)) && bytes.Equal(l.issuerAt(k.at), l.issuerAt(keys[i-1].at)) {
				l.twice = s
			}
		}
	}
	return nil
}

// plainReason is an entry's extensions when they are a reason and nothing else, but for the reason.
var plainReason = []byte{0x30, 0x0c, 0x30, 0x0a, 6, 3, 0x55, 0x1d, 0x15, 4, 3, 0x0a, 1}

// skipPlain checks and takes the usual entry; false leaves in as it was.
func skipPlain(in *cryptobyte.String) bool {
	_, ok := readPlain(in)
	return ok
}

// readPlain checks and takes the usual entry, a serial, a time and perhaps a reason, and returns it
// without its serial; false leaves in as it was. It allocates nothing: a list may have millions.
func readPlain(in *cryptobyte.String) (e Entry, ok bool) {
	rest := *in
	var item, number cryptobyte.String
	var err error
	if !rest.ReadASN1(&item, cbasn1.SEQUENCE) || !item.ReadASN1(&number, cbasn1.INTEGER) || !serial(number).valid() {
		return e, false
	}
	if e.RevokedAt, err = readTime(&item); err != nil {
		return e, false
	}
	if !item.Empty() {
		reason, ok := bytes.CutPrefix(item, plainReason)
		if !ok || len(reason) != 1 || !Reason(reason[0]).Valid() {
			return e, false
		}
		e.HasReason, e.Reason = true, Reason(reason[0])
	}
	*in = rest
	return e, true
}

// readEntry takes one entry. Unknown critical extensions and issuers are noted when at, the offset of
// the entry, is given.
func (l *RevocationList) readEntry(in *cryptobyte.String, at *uint32) (Entry, error) {
	var e Entry
	var item cryptobyte.String
	var err error
	if !in.ReadASN1(&item, cbasn1.SEQUENCE) {
		return e, errDER
	}
	if e.Serial, err = readSerial(&item); err != nil {
		return e, err
	}
	if e.RevokedAt, err = readTime(&item); err != nil {
		return e, err
	}
	if item.Empty() {
		return e, nil
	}
	list, err := readExtensionList(&item)
	if err != nil || !item.Empty() {
		return e, errDER
	}
	for _, x := range list {
		switch {
		case x.OID.Equal(extReason):
			e.HasReason = true
			e.Reason, err = readReason(x.Value)
		case x.OID.Equal(extInvalidityDate):
			e.InvalidAt, err = readGeneralized(x.Value)
		case at == nil:
		case x.OID.Equal(extEntryIssuer):
			err = l.noteIssuer(x.Value, *at)
		case x.Critical && !containsOID(l.Unhandled, x.OID):
			l.Unhandled = append(l.Unhandled, x.OID)
			l.strange = append(l.strange, x.OID)
		}
		if err != nil {
			return e, err
		}
	}
	return e, nil
}

// readGeneralized reads a time that is always a GeneralizedTime: an invalidityDate (RFC 5280 5.3.2),
// an expiredCertsOnCRL.
func readGeneralized(der []byte) (time.Time, error) {
	in := cryptobyte.String(der)
	if !in.PeekASN1Tag(cbasn1.GeneralizedTime) {
		return time.Time{}, errDER
	}
	t, err := readTime(&in)
	if err == nil && !in.Empty() {
		err = errDER
	}
	return t, err
}

func readReason(der []byte) (Reason, error) {
	in := cryptobyte.String(der)
	var reason int
	if !in.ReadASN1Enum(&reason) || !in.Empty() || !Reason(reason).Valid() {
		return 0, errors.New("reason not known")
	}
	return Reason(reason), nil
}

// serial is the content of the INTEGER of a serial.
type serial []byte

// serialKey is the beginning of the serial of an entry, for sorting without looking at the entry.
type serialKey struct {
	prefix uint64
	at     uint32
}

// valid: positive, at most 20 octets; that it is minimal is known.
func (s serial) valid() bool {
	if len(s) == 0 || s[0]&0x80 != 0 || len(s) == 1 && s[0] == 0 {
		return false
	}
	return len(s) <= maxSerial || len(s) == maxSerial+1 && s[0] == 0
}

// prefix orders serials as far as their length and first seven octets do.
func (s serial) prefix() uint64 {
	b := [8]byte{byte(len(s))}
	copy(b[1:], s)
	return binary.BigEndian.Uint64(b[:])
}

// compare orders minimal positive INTEGER contents by value: shorter is smaller.
func (s serial) compare(other serial) int {
	return cmp.Or(cmp.Compare(len(s), len(other)), bytes.Compare(s, other))
}

// serialAt returns the serial of the entry that begins there.
func (l *RevocationList) serialAt(at uint32) serial {
	in := cryptobyte.String(l.body[at:])
	var item, number cryptobyte.String
	_ = in.ReadASN1(&item, cbasn1.SEQUENCE) && item.ReadASN1(&number, cbasn1.INTEGER) // checked by readEntries
	return serial(number)
}

// Len is the number of entries.
func (l *RevocationList) Len() int { return len(l.sorted) }

// Entries ranges over the entries in the order of the list: for i, e := range l.Entries.
func (l *RevocationList) Entries(yield func(int, Entry) bool) {
	rest := cryptobyte.String(l.body)
	for i := 0; !rest.Empty(); i++ {
		e, err := l.readEntry(&rest, nil)
		if err != nil || !yield(i, e) {
			return
		}
	}
}

// Bare is Entries without the serials, which are nil: what is asked of each of a million.
func (l *RevocationList) Bare(yield func(int, Entry) bool) {
	rest := cryptobyte.String(l.body)
	for i := 0; !rest.Empty(); i++ {
		e, ok := readPlain(&rest)
		if !ok {
			var err error
			if e, err = l.readEntry(&rest, nil); err != nil {
				return
			}
			e.Serial = nil
		}
		if !yield(i, e) {
			return
		}
	}
}

// Twice returns a serial that stands in the list more than once, of one issuer; nil when there is none.
func (l *RevocationList) Twice() *big.Int {
	if l.twice == nil {
		return nil
	}
	return new(big.Int).SetBytes(l.twice)
}

// Find looks up a serial of the list's own issuer. Should it stand there twice, an entry that
// revokes wins over one that removes. Trust the answer only after CheckSignatureFrom, and mind the
// dates of the list.
func (l *RevocationList) Find(number *big.Int) (*Entry, bool) { return l.find(l.RawIssuer, number) }

// find looks up a serial of any issuer.
func (l *RevocationList) find(issuer []byte, number *big.Int) (*Entry, bool) {
	var b cryptobyte.Builder
	b.AddASN1BigInt(number)
	der := cryptobyte.String(b.BytesOrPanic())
	var want cryptobyte.String
	if !der.ReadASN1(&want, cbasn1.INTEGER) {
		return nil, false
	}
	at, ok := slices.BinarySearchFunc(l.sorted, serial(want), func(at uint32, want serial) int {
		return l.serialAt(at).compare(want)
	})
	var found *Entry
	for ; ok && at < len(l.sorted) && bytes.Equal(l.serialAt(l.sorted[at]), want); at++ {
		if !bytes.Equal(l.issuerAt(l.sorted[at]), issuer) {
			continue
		}
		in := cryptobyte.String(l.body[l.sorted[at]:])
		e, err := l.readEntry(&in, nil)
		if err == nil && (found == nil || found.Reason == RemoveFromCRL) {
			found = &e
		}
	}
	return found, found != nil
}

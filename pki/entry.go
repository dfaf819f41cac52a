package pki

import (
	"bytes"
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
	RevokedAt time.Time // may be before the certificate's NotBefore
	Reason    Reason
	HasReason bool // false: the entry does not say
}

// readEntries checks every entry once and makes the index.
func (l *RevocationList) readEntries(entries cryptobyte.String) error {
	l.body = entries
	for rest := entries; !rest.Empty(); {
		l.index = append(l.index, uint32(len(l.body)-len(rest))) // bounded by maxList
		if _, err := l.readEntry(&rest, true); err != nil {
			return fmt.Errorf("entry %d: %w", len(l.index), err)
		}
	}
	l.sorted = slices.Clone(l.index)
	slices.SortStableFunc(l.sorted, func(a, b uint32) int { return compareSerials(l.serialAt(a), l.serialAt(b)) })
	return nil
}

// readEntry takes one entry. Unknown critical extensions are noted when note is set.
func (l *RevocationList) readEntry(in *cryptobyte.String, note bool) (Entry, error) {
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
			if e.Reason, err = readReason(x.Value); err != nil {
				return e, err
			}
			e.HasReason = true
		case !note:
		case x.OID.Equal(extEntryIssuer):
			if err := l.noteIssuer(x.Value); err != nil {
				return e, err
			}
		case x.Critical && !x.OID.Equal(extInvalidityDate) && !containsOID(l.Unhandled, x.OID):
			l.Unhandled = append(l.Unhandled, x.OID)
			l.strange = append(l.strange, x.OID)
		}
	}
	return e, nil
}

func readReason(der []byte) (Reason, error) {
	in := cryptobyte.String(der)
	var reason int
	if !in.ReadASN1Enum(&reason) || !in.Empty() || !Reason(reason).Valid() {
		return 0, errors.New("reason not known")
	}
	return Reason(reason), nil
}

// serialAt returns the content octets of the serial of the entry that begins there.
func (l *RevocationList) serialAt(at uint32) []byte {
	in := cryptobyte.String(l.body[at:])
	var item, serial cryptobyte.String
	_ = in.ReadASN1(&item, cbasn1.SEQUENCE) && item.ReadASN1(&serial, cbasn1.INTEGER) // checked by readEntries
	return serial
}

// compareSerials orders minimal positive INTEGER contents by value: shorter is smaller.
func compareSerials(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}

// Len is the number of entries.
func (l *RevocationList) Len() int { return len(l.index) }

// Entries ranges over the entries in the order of the list: for i, e := range l.Entries.
func (l *RevocationList) Entries(yield func(int, Entry) bool) {
	for i, at := range l.index {
		in := cryptobyte.String(l.body[at:])
		e, err := l.readEntry(&in, false)
		if err != nil || !yield(i, e) {
			return
		}
	}
}

// Find looks up a serial of the list's own issuer. Should it stand there twice, an entry that
// revokes wins over one that removes. Trust the answer only after CheckSignatureFrom, and mind the
// dates of the list.
func (l *RevocationList) Find(serial *big.Int) (*Entry, bool) { return l.find(l.RawIssuer, serial) }

// find looks up a serial of any issuer.
func (l *RevocationList) find(issuer []byte, serial *big.Int) (*Entry, bool) {
	var b cryptobyte.Builder
	b.AddASN1BigInt(serial)
	der := cryptobyte.String(b.BytesOrPanic())
	var want cryptobyte.String
	if !der.ReadASN1(&want, cbasn1.INTEGER) {
		return nil, false
	}
	at, ok := slices.BinarySearchFunc(l.sorted, []byte(want), func(at uint32, want []byte) int {
		return compareSerials(l.serialAt(at), want)
	})
	var found *Entry
	for ; ok && at < len(l.sorted) && bytes.Equal(l.serialAt(l.sorted[at]), want); at++ {
		if !bytes.Equal(l.issuerAt(l.sorted[at]), issuer) {
			continue
		}
		in := cryptobyte.String(l.body[l.sorted[at]:])
		e, err := l.readEntry(&in, false)
		if err == nil && (found == nil || found.Reason == RemoveFromCRL) {
			found = &e
		}
	}
	return found, found != nil
}

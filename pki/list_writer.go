package pki

import (
	"errors"
	"fmt"
	"slices"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// ListWriter writes a revocation list entry by entry: a million entries cost their bytes, twice for a
// moment, and nothing else. Entries gather in blocks, since what stands before them depends on how
// long they are.
type ListWriter struct {
	sig         algid.Signature
	head, tail  []byte
	blocks      [][]byte // entries; the last one is being filled
	size        int      // of the blocks before it
	buf         []byte   // after TBS: room, list
	begin, done int      // the TBS is buf[begin:done]; done is 0 before it is finished
}

// block is how much is gathered at a time.
const block = 1 << 20

// longEntry is more than any entry of ours takes.
const longEntry = 128

// headers is room for the tags and lengths of the list, its TBS and its entries.
const headers = 3 * 6

// NewListWriter begins a list with the entries of the template.
func NewListWriter(t *ListTemplate, issuer *Certificate) (*ListWriter, error) {
	w, err := newListWriter(t, issuer)
	if err != nil {
		return nil, fmt.Errorf("write revocation list: %w", err)
	}
	return w, nil
}

func newListWriter(t *ListTemplate, issuer *Certificate) (*ListWriter, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	w := &ListWriter{}
	var err error
	if w.sig, err = algid.SignatureFor(issuer.PublicKey); err != nil {
		return nil, err
	}
	if w.head, err = t.head(issuer, w.sig); err != nil {
		return nil, err
	}
	if w.tail, err = t.tail(issuer); err != nil {
		return nil, err
	}
	w.blocks = [][]byte{make([]byte, 0, longEntry)}
	for _, e := range t.Entries {
		if e.Serial == nil || e.Serial.Sign() <= 0 {
			return nil, errEntry
		}
		if err := w.Add(e.Serial.Bytes(), e); err != nil {
			return nil, err
		}
	}
	return w, nil
}

var errEntry = errors.New("entry without a positive serial, a known reason or a possible date")

// Add writes one more entry. number is its serial, big-endian; e.Serial is not looked at.
func (w *ListWriter) Add(number []byte, e Entry) error {
	for len(number) > 0 && number[0] == 0 {
		number = number[1:]
	}
	switch {
	case w.done != 0:
		return errors.New("write revocation list: an entry after the end")
	case len(number) == 0 || len(number) > maxSerial || !e.Reason.Valid() || !writable(e.RevokedAt) || !e.InvalidAt.IsZero() && !writable(e.InvalidAt):
		return errEntry
	case w.size > maxList:
		return errLong
	}
	last := len(w.blocks) - 1
	if cap(w.blocks[last])-len(w.blocks[last]) < longEntry {
		w.size += len(w.blocks[last])
		w.blocks = append(w.blocks, make([]byte, 0, block))
		last++
	}
	at := len(w.blocks[last])
	b := append(w.blocks[last], byte(cbasn1.SEQUENCE), 0) // everything below is short: no length has two octets
	pad := number[0] >> 7
	b = append(b, byte(cbasn1.INTEGER), byte(len(number))+pad)
	if pad == 1 {
		b = append(b, 0)
	}
	b = appendTime(append(b, number...), e.RevokedAt)
	if e.HasReason || e.Reason != Unspecified || !e.InvalidAt.IsZero() {
		list := len(b)
		b = append(b, byte(cbasn1.SEQUENCE), 0)
		if e.HasReason || e.Reason != Unspecified {
			b = append(append(b, plainReason[2:]...), byte(e.Reason))
		}
		if !e.InvalidAt.IsZero() {
			b = appendGeneralized(append(b, invalidityHead...), e.InvalidAt.UTC())
		}
		b[list+1] = byte(len(b) - list - 2)
	}
	b[at+1] = byte(len(b) - at - 2)
	w.blocks[last] = b
	return nil
}

var errLong = fmt.Errorf("write revocation list: more than %d bytes; divide it", maxList)

// invalidityHead begins an extension invalidityDate; its GeneralizedTime follows.
var invalidityHead = []byte{0x30, 0x18, 6, 3, 0x55, 0x1d, 0x18, 4, 0x11}

// TBS ends the list and returns the exact bytes to be signed.
func (w *ListWriter) TBS() ([]byte, error) {
	if w.done != 0 {
		return w.buf[w.begin:w.done:w.done], nil
	}
	w.begin = headers + len(w.head)
	size := w.size + len(w.blocks[len(w.blocks)-1])
	w.buf = make([]byte, w.begin, w.begin+size+len(w.tail)+1024) // 1024: for the signature
	for i, b := range w.blocks {
		w.buf, w.blocks[i] = append(w.buf, b...), nil
	}
	if size > 0 { // an empty SEQUENCE is left out, RFC 5280 5.1.2.6
		w.prepend(header(size))
	}
	w.prepend(w.head)
	w.buf = append(w.buf, w.tail...)
	w.prepend(header(len(w.buf) - w.begin))
	if w.done = len(w.buf); w.done > maxList {
		return nil, errLong
	}
	return w.buf[w.begin:w.done:w.done], nil
}

// Assemble puts a signature of the TBS on it and returns the list, in the buffer of the writer: the
// next call overwrites it. Call TBS before.
func (w *ListWriter) Assemble(value []byte) []byte {
	b := append(w.buf[:w.done], w.sig.Identifier()...)
	bits := header(len(value) + 1)
	bits[0] = byte(cbasn1.BIT_STRING)
	w.buf = append(append(append(b, bits...), 0), value...)
	outer := header(len(w.buf) - w.begin)
	copy(w.buf[w.begin-len(outer):], outer)
	return w.buf[w.begin-len(outer):]
}

func (w *ListWriter) prepend(b []byte) {
	w.begin -= len(b)
	copy(w.buf[w.begin:], b)
}

// header is the tag of a SEQUENCE and its length.
func header(n int) []byte {
	if n < 0x80 {
		return []byte{byte(cbasn1.SEQUENCE), byte(n)}
	}
	var length []byte
	for ; n > 0; n >>= 8 {
		length = append(length, byte(n))
	}
	slices.Reverse(length)
	return append([]byte{byte(cbasn1.SEQUENCE), 0x80 | byte(len(length))}, length...)
}

func writable(t time.Time) bool { y := t.UTC().Year(); return y >= 0 && y <= 9999 }

// appendTime is addTime for many: UTCTime for 1950–2049, else GeneralizedTime.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	if y := t.Year(); y < 1950 || y >= 2050 {
		return appendGeneralized(b, t)
	}
	b = append(b, byte(cbasn1.UTCTime), 13)
	return appendClock(b, t)
}

func appendGeneralized(b []byte, t time.Time) []byte {
	b = append(b, byte(cbasn1.GeneralizedTime), 15)
	return appendClock(twoDigits(b, t.Year()/100), t)
}

func appendClock(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	for _, n := range [...]int{year % 100, int(month), day, hour, minute, second} {
		b = twoDigits(b, n)
	}
	return append(b, 'Z')
}

func twoDigits(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

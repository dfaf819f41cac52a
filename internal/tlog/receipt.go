package tlog

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	sumdb "golang.org/x/mod/sumdb/tlog"

	"senim/pki"
)

// Receipt is what a holder keeps to prove, without the log, that his certificate stands in it: the form
// is c2sp.org/tlog-proof with the salt as extra data. It is secret as far as the salt is.
type Receipt struct {
	Salt  Salt
	Index int64
	Proof [][32]byte
	// Checkpoint is the signed note the proof leads to.
	Checkpoint []byte
}

const (
	receiptHeader = "c2sp.org/tlog-proof@v1\n"
	maxProof      = 63
	maxReceipt    = maxNote + 8<<10
)

// Receipt makes the receipt for an entry.
func (l *Log) Receipt(c Checkpoint, s Salt, index int64, raw []byte) (Receipt, error) {
	if index < 0 || index >= c.Size {
		return Receipt{}, fmt.Errorf("entry %d of a log of %d entries", index, c.Size)
	}
	proof, err := l.prove(c, index, raw)
	return Receipt{s, index, proof, c.Raw}, err
}

// Marshal writes a receipt.
func (r Receipt) Marshal() []byte {
	var b bytes.Buffer
	b.WriteString(receiptHeader + "extra " + base64.StdEncoding.EncodeToString(r.Salt[:]) + "\n")
	b.WriteString("index " + strconv.FormatInt(r.Index, 10) + "\n")
	for _, h := range r.Proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteString("\n")
	b.Write(r.Checkpoint)
	return b.Bytes()
}

var errReceipt = errors.New("no receipt of a known form (c2sp.org/tlog-proof@v1 with a salt)")

// ParseReceipt reads a receipt, and nothing but what [Receipt.Marshal] writes. Its proof is not checked.
func ParseReceipt(raw []byte) (Receipt, error) {
	head, note, ok := strings.Cut(string(raw), "\n\n")
	if len(raw) > maxReceipt || !ok {
		return Receipt{}, errReceipt
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || len(lines) > 3+maxProof || lines[0]+"\n" != receiptHeader {
		return Receipt{}, errReceipt
	}
	r := Receipt{Checkpoint: []byte(note)}
	salt, ok1 := strings.CutPrefix(lines[1], "extra ")
	index, ok2 := strings.CutPrefix(lines[2], "index ")
	var err error
	if r.Index, err = strconv.ParseInt(index, 10, 64); err != nil || !ok1 || !ok2 || r.Index < 0 {
		return Receipt{}, errReceipt
	}
	if r.Salt, ok = hash(salt); !ok {
		return Receipt{}, errReceipt
	}
	for _, line := range lines[3:] {
		h, ok := hash(line)
		if !ok {
			return Receipt{}, errReceipt
		}
		r.Proof = append(r.Proof, h)
	}
	if !bytes.Equal(r.Marshal(), raw) {
		return Receipt{}, errReceipt
	}
	return r, nil
}

func hash(line string) (h [32]byte, ok bool) {
	b, err := base64.StdEncoding.DecodeString(line)
	if err != nil || len(b) != len(h) {
		return h, false
	}
	return [32]byte(b), true
}

// Check proves that a certificate stands in the log of a key: its entry is made again from its bytes and
// the salt, and the proof leads from it to the signed checkpoint, which is returned.
func (r Receipt) Check(k Key, c *pki.Certificate) (Checkpoint, error) {
	at, err := k.Checkpoint(r.Checkpoint)
	if err != nil {
		return Checkpoint{}, err
	}
	e, err := New(c, r.Salt)
	if err != nil {
		return Checkpoint{}, err
	}
	raw, err := e.Marshal()
	if err != nil {
		return Checkpoint{}, err
	}
	proof := make(sumdb.RecordProof, len(r.Proof))
	for i, h := range r.Proof {
		proof[i] = h
	}
	if r.Index >= at.Size || sumdb.CheckRecord(proof, at.Size, at.Root, r.Index, sumdb.RecordHash(raw)) != nil {
		return Checkpoint{}, errors.New("the receipt does not prove this certificate: another certificate, another salt, or a changed receipt")
	}
	return at, nil
}

// String writes a salt for people: 64 hex digits in groups of eight.
func (s Salt) String() string {
	var b strings.Builder
	for i := 0; i < SaltSize; i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(hex.EncodeToString(s[i : i+4]))
	}
	return b.String()
}

// ParseSalt reads a salt as people type it: hex digits, spaces do not count.
func ParseSalt(text string) (s Salt, err error) {
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(b) != SaltSize {
		return s, errors.New("not a salt: it has 64 hex digits")
	}
	return Salt(b), nil
}

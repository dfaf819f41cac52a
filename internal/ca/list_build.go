package ca

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"
	"time"

	"senim/internal/lint"
	"senim/pki"
)

// listOf is what a list will say; base is -1 for a full one. Entries are added one by one to its draft.
type listOf struct {
	number, base, epoch int64
	at                  time.Time
	days                int
	end                 time.Time // of the authority
	points              []string  // of one of the divided lists; nil for the list of all
	freshest            []string
}

// next promises no list after the end of the authority.
func (l listOf) next() time.Time {
	next := l.at.AddDate(0, 0, l.days)
	if next.After(l.end) {
		return l.end
	}
	return next
}

func (l listOf) record(ca, shard string, scheduled bool, raw []byte) ListRecord {
	return ListRecord{CA: ca, Shard: shard, Delta: l.base >= 0, Scheduled: scheduled, Number: l.number, Base: max(l.base, 0), Epoch: l.epoch,
		ThisUpdate: l.at, NextUpdate: l.next(), Size: int64(len(raw)), Raw: raw}
}

// draftList is a list on its way to be signed.
type draftList struct {
	l      listOf
	issuer *pki.Certificate
	w      *pki.ListWriter
	// After lint; the list is without a good signature.
	tbs    []byte
	sum    string // SHA-256 of tbs
	digest []byte // of tbs, for the signature
	list   *pki.RevocationList
}

// newDraft begins a list.
func newDraft(issuer *pki.Certificate, l listOf) (*draftList, error) {
	t := &pki.ListTemplate{Number: big.NewInt(l.number), ThisUpdate: l.at, NextUpdate: l.next(), Points: l.points, Freshest: l.freshest}
	if l.base >= 0 {
		t.BaseNumber = big.NewInt(l.base)
	}
	w, err := pki.NewListWriter(t, issuer)
	if err != nil {
		return nil, err
	}
	return &draftList{l: l, issuer: issuer, w: w}, nil
}

// add writes one entry.
func (d *draftList) add(r RevokedRecord) error {
	var number [32]byte
	if len(r.Serial) > 2*len(number) {
		return fmt.Errorf("serial %q", r.Serial)
	}
	n, err := hex.Decode(number[:], []byte(r.Serial))
	if err != nil {
		return fmt.Errorf("serial %q", r.Serial)
	}
	e := pki.Entry{RevokedAt: r.At, Reason: r.Reason, HasReason: true, InvalidAt: r.Invalidity}
	if err := d.w.Add(number[:n], e); err != nil {
		return fmt.Errorf("serial %s: %w", r.Serial, err)
	}
	return nil
}

// lint ends the list and holds it against the rules under a signature of zeros, which none of them
// looks at. Meanwhile the bytes are hashed: with a million entries each pass over them is time.
func (d *draftList) lint() (err error) {
	sig, err := signatureOf(d.issuer)
	if err != nil {
		return err
	}
	if d.tbs, err = d.w.TBS(); err != nil {
		return err
	}
	var hashing sync.WaitGroup
	defer hashing.Wait()
	hashing.Go(func() { d.sum, d.digest = sumHex(d.tbs), sig.Hash().Sum(d.tbs) })
	if d.list, err = pki.ParseRevocationList(d.w.Assemble(make([]byte, 64))); err != nil {
		return err
	}
	if !bytes.Equal(d.list.RawTBS, d.tbs) {
		return errors.New("the list does not hold the bytes it was made of")
	}
	return lint.List(lint.ListSubject{List: d.list, Issuer: d.issuer, MaxDays: d.l.days, Points: d.l.points})
}

// sign signs the linted bytes and refuses to give the list out, with its SHA-256, unless it verifies.
func (d *draftList) sign(random io.Reader, key crypto.Signer) (raw []byte, sum string, err error) {
	sig, err := signatureOf(d.issuer)
	if err != nil {
		return nil, "", err
	}
	value, err := sig.SignDigest(random, key, d.digest)
	if err != nil {
		return nil, "", err
	}
	d.list.SignatureValue = value
	raw = d.w.Assemble(value)
	var hashing sync.WaitGroup
	hashing.Go(func() { sum = sumHex(raw) })
	err = d.list.CheckPartSignatureFrom(d.issuer) // over the bytes, not the digest
	hashing.Wait()
	if err != nil {
		return nil, "", err
	}
	return raw, sum, nil
}

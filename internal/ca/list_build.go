package ca

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"senim/internal/lint"
	"senim/pki"
)

// listOf is what a list will say; base is -1 for a full one.
type listOf struct {
	number, base, epoch int64
	at                  time.Time
	days                int
	end                 time.Time // of the authority
	entries             []RevokedRecord
}

// next promises no list after the end of the authority.
func (l listOf) next() time.Time {
	next := l.at.AddDate(0, 0, l.days)
	if next.After(l.end) {
		return l.end
	}
	return next
}

func (l listOf) record(ca string, scheduled bool, raw []byte) ListRecord {
	return ListRecord{CA: ca, Delta: l.base >= 0, Scheduled: scheduled, Number: l.number, Base: max(l.base, 0), Epoch: l.epoch,
		ThisUpdate: l.at, NextUpdate: l.next(), Raw: raw}
}

func (s *Service) signList(ctx context.Context, a *authority, l listOf) ([]byte, error) {
	key, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	return buildList(s.rand, key, a.cert, l)
}

// buildList signs a list and refuses to give it out unless it lints and verifies.
func buildList(random io.Reader, key crypto.Signer, issuer *pki.Certificate, l listOf) ([]byte, error) {
	t := pki.ListTemplate{Number: big.NewInt(l.number), ThisUpdate: l.at, NextUpdate: l.next()}
	if l.base >= 0 {
		t.BaseNumber = big.NewInt(l.base)
	}
	for _, r := range l.entries {
		serial, ok := new(big.Int).SetString(r.Serial, 16)
		if !ok {
			return nil, fmt.Errorf("serial %q", r.Serial)
		}
		t.Entries = append(t.Entries, pki.Entry{Serial: serial, RevokedAt: r.At, Reason: r.Reason, HasReason: true})
	}
	tbs, err := t.TBS(issuer)
	if err != nil {
		return nil, err
	}
	sig, err := signatureOf(issuer)
	if err != nil {
		return nil, err
	}
	value, err := sig.Sign(random, key, tbs)
	if err != nil {
		return nil, err
	}
	raw := pki.Assemble(tbs, sig, value)
	list, err := pki.ParseRevocationList(raw)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(list.RawTBS, tbs) {
		return nil, errors.New("signed other bytes than intended")
	}
	if err := lint.List(lint.ListSubject{List: list, Issuer: issuer, MaxDays: l.days}); err != nil {
		return nil, err
	}
	return raw, list.CheckSignatureFrom(issuer)
}

package participant

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/audit"
	"senim/internal/ident"
)

// actsListed bounds the list of what a person signed; older acts are reached by their id.
const actsListed = 200

// SignedActs lists what the person signed beside agreements, newest first, without the bytes.
func (o *Office) SignedActs(ctx context.Context, iin ident.IIN) ([]SignedAct, error) {
	var all []SignedAct
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		all, err = tx.SignedActs(ctx, iin, actsListed)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list signed acts: %w", err)
	}
	return all, nil
}

// ProvedAct is a signed act with all that is kept of it: the signed document first, its proof, then what was signed and
// by whom. The names of the files never change.
type ProvedAct struct {
	SignedAct
	Files   []File
	Stamped bool
}

// File names of an act beside those of its proof.
const (
	ActFile         = "act.txt"         // what the digest in the challenge is of
	ChallengeFile   = "challenge.txt"   // the signed bytes
	CertificateFile = "certificate.cer" // the signer's, DER
)

// SignedAct reads one act of the person; [ErrNotFound] when it is not his.
func (o *Office) SignedAct(ctx context.Context, iin ident.IIN, id string) (ProvedAct, error) {
	var p ProvedAct
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		if p, err = provedAct(ctx, tx, id); err == nil && p.IIN != iin {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return ProvedAct{}, fmt.Errorf("read signed act: %w", err)
	}
	return p, nil
}

func provedAct(ctx context.Context, tx Tx, id string) (p ProvedAct, err error) {
	if p.SignedAct, err = tx.SignedAct(ctx, id); err != nil {
		return p, err
	}
	kept, err := signedOf(ctx, tx, id)
	if err != nil {
		return p, err
	}
	for _, one := range kept.proofs {
		p.Stamped = p.Stamped || one.Kind == ProofStamp
	}
	p.Files = kept.files()
	if p.Challenge != "" { // else the document says it all
		p.Files = append(p.Files, File{ChallengeFile, []byte(p.Challenge)}, File{ActFile, []byte(p.Act)})
	}
	p.Files = append(p.Files, File{CertificateFile, p.Certificate})
	return p, nil
}

// Bundle is what one signature is proved by, under the name of its archive.
type Bundle struct {
	Name  string
	Files []File
}

// ParticipantProof gives an administrator what a participant signed, an act or an agreement, with its proof, and
// records that he took it.
func (o *Office) ParticipantProof(ctx context.Context, by Administrator, id string) (Bundle, error) {
	var b Bundle
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		b = Bundle{}
		var iin ident.IIN
		p, err := provedAct(ctx, tx, id)
		switch {
		case err == nil:
			iin, b = p.IIN, Bundle{"act-" + p.At.UTC().Format("20060102"), p.Files}
		case errors.Is(err, ErrNotFound):
			s, err := tx.Signature(ctx, id)
			if err != nil {
				return err
			}
			a, err := tx.Agreement(ctx, s.Version, s.At)
			if err != nil {
				return err
			}
			kept, err := signedOf(ctx, tx, id)
			if err != nil {
				return err
			}
			iin, b = s.IIN, Bundle{"agreement-" + s.At.UTC().Format("20060102"), append(kept.files(), File{"text.txt", []byte(a.Text[s.Lang])})}
		default:
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "admin.proof_read", Actor: tx.Hash(string(by.IIN)), Object: id, Result: "ok",
			Detail: map[string]string{"serial": by.Serial, "of": tx.Hash(string(iin))}})
	})
	if err != nil {
		return Bundle{}, fmt.Errorf("give proof of a signature: %w", err)
	}
	return b, nil
}

package participant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"senim/internal/audit"
)

// RenewProofsKind is the job of [Office.RenewProofs].
const RenewProofsKind = "participant.renew_proofs"

// renewBefore is how long before the end of a certificate proof by it is stamped again.
const renewBefore = 60 * 24 * time.Hour

// renewAlarm is how long before that end it is an error that authorities still have no later certificates.
const renewAlarm = 14 * 24 * time.Hour

// errLater: the authorities have no later certificates yet, and there is time.
var errLater = errors.New("nothing is gained yet")

// renewPiece is how many signatures are read at once.
const renewPiece = 100

// RenewProofs stamps again what was proved by certificates that end soon: a list of digests of the signed document and
// of all proof of it gets a time-stamp, by which they are known to have existed while their certificates were good.
// What could not be renewed is tried at the next call.
func (o *Office) RenewProofs(ctx context.Context) error {
	if o.c.Stamps == nil {
		return nil
	}
	var errs []error
	for after, more := "", true; more; {
		var ending []string
		err := o.c.Store.View(ctx, func(tx Tx) (err error) {
			ending, err = tx.EndingProofs(ctx, o.now().Add(renewBefore), after, renewPiece)
			return err
		})
		if err != nil {
			return fmt.Errorf("find proof to renew: %w", err)
		}
		for _, id := range ending {
			if err := o.renewProof(ctx, id); err != nil && !errors.Is(err, errLater) {
				errs = append(errs, fmt.Errorf("renew proof of %s: %w", id, err))
			}
			after = id
		}
		more = len(ending) == renewPiece
	}
	return errors.Join(errs...)
}

func (o *Office) renewProof(ctx context.Context, id string) error {
	var s signedFile
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		s, err = signedOf(ctx, tx, id)
		return err
	})
	if err != nil {
		return err
	}
	next, err := o.renewal(ctx, s)
	if err != nil {
		return err
	}
	had := len(s.proofs)
	return o.c.Store.Update(ctx, func(tx Tx) error {
		now, err := tx.Proofs(ctx, id)
		if err != nil || len(now) != had { // another node did it
			return err
		}
		covered := had
		for _, p := range next {
			if covered++; p.Kind == ProofSums {
				break // the answers about the authority that stamped so far are in the list; those about the new one are not
			}
		}
		if err := errors.Join(tx.AddProofs(ctx, id, next), tx.CoverProofs(ctx, id, covered)); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "proof.renewed", Actor: "system", Object: id, Result: "ok"})
	})
}

// renewal is what comes to the proof of a signature: what is now said of who stamped last, the list, its time-stamp,
// and what is said of who made that.
func (o *Office) renewal(ctx context.Context, s signedFile) (next []Proof, err error) {
	ends := time.Time{}
	for _, p := range s.proofs {
		if !p.Covered && !p.Ends.IsZero() && (ends.IsZero() || p.Ends.Before(ends)) {
			ends = p.Ends
		}
		if p.Kind == ProofStamp {
			next = nil
			if last := stampedBy(p.Body); last != nil {
				next, _ = o.answers(ctx, last) // more proof than there was; the answers of its own time are kept already
			}
		}
	}
	sums := sumsOf(files(s.name, s.document, append(s.proofs[:len(s.proofs):len(s.proofs)], next...)))
	token, result := o.stamped(ctx, sums)
	if result != "ok" {
		return nil, errors.New("no time-stamp: " + result)
	}
	stamp, about, result := o.stampProof(ctx, token)
	if result != "ok" {
		return nil, errors.New("nobody tells of who stamped: " + result)
	}
	for _, p := range append([]Proof{stamp}, about...) {
		switch {
		case p.Ends.After(ends):
		case ends.Sub(o.now()) > renewAlarm:
			return nil, errLater
		default:
			return nil, fmt.Errorf("the new proof ends on %s, not after the old: an authority needs a later certificate", p.Ends.Format(time.DateOnly))
		}
	}
	next = append(next, Proof{Kind: ProofSums, Body: sums, Made: o.now()}, stamp)
	return append(next, about...), nil
}

// sumsOf is the list of the files' SHA-256 as sha256sum writes it.
func sumsOf(all []File) []byte {
	var b strings.Builder
	for _, f := range all {
		sum := sha256.Sum256(f.Body)
		b.WriteString(hex.EncodeToString(sum[:]) + "  " + f.Name + "\n")
	}
	return []byte(b.String())
}

// signedFile is a signed document, under the name it has among the files, with its proof.
type signedFile struct {
	name     string
	document []byte
	proofs   []Proof
}

func (s signedFile) files() []File { return files(s.name, s.document, s.proofs) }

// signedOf reads a signature by its id: an agreement's, or an act's.
func signedOf(ctx context.Context, tx Tx, id string) (s signedFile, err error) {
	s.name = "signed.xml"
	agreement, err := tx.Signature(ctx, id)
	switch {
	case err == nil:
		s.document = agreement.Document
	case errors.Is(err, ErrNotFound):
		act, err := tx.SignedAct(ctx, id)
		if err != nil {
			return s, err
		}
		s.document = act.Answer
		if act.Challenge != "" {
			s.name = "signed.p7s"
		}
	default:
		return s, err
	}
	s.proofs, err = tx.Proofs(ctx, id)
	return s, err
}

package participant

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
)

// Stamps gives time-stamps; the time-stamping authority of the installation is the real one.
type Stamps interface {
	// Stamp gives the token (DER, RFC 3161) over a SHA-256.
	Stamp(ctx context.Context, digest []byte) ([]byte, error)
}

// stampWait bounds how long a signature waits for its time-stamp: its absence is no refusal.
const stampWait = 5 * time.Second

// stamped gives a token over a signed document as it came; nil when none could be had. result is what
// the audit says of it.
func (o *Office) stamped(ctx context.Context, signed []byte) (token []byte, result string) {
	if o.c.Stamps == nil {
		return nil, "none"
	}
	ctx, stop := context.WithTimeout(ctx, stampWait)
	defer stop()
	sum := sha256.Sum256(signed)
	token, err := o.c.Stamps.Stamp(ctx, sum[:])
	if err != nil || len(token) == 0 {
		return nil, "unavailable"
	}
	return token, "ok"
}

// Agreements lists what the person signed, newest first, without the documents: «Мои соглашения».
func (o *Office) Agreements(ctx context.Context, iin ident.IIN) ([]AgreementSignature, error) {
	var all []AgreementSignature
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		all, err = tx.Signatures(ctx, iin)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list agreements: %w", err)
	}
	return all, nil
}

// SignedAgreement reads one signed agreement of the person, whole, with the text he signed and what was
// found about his certificate. [ErrNotFound] when it is not his.
func (o *Office) SignedAgreement(ctx context.Context, iin ident.IIN, id string) (AgreementSignature, Agreement, Evidence, error) {
	var s AgreementSignature
	var a Agreement
	var e Evidence
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		if s, err = tx.Signature(ctx, id); err != nil {
			return err
		}
		if s.IIN != iin {
			return ErrNotFound
		}
		if a, err = tx.Agreement(ctx, s.Version, s.At); err != nil {
			return err
		}
		if e, err = tx.Evidence(ctx, s.Evidence); err != nil {
			return err
		}
		kept, err := signedOf(ctx, tx, id)
		if len(kept.proofs) == 0 && len(s.TimeStamp) > 0 { // of before proof was kept
			kept.proofs = []Proof{{Kind: ProofStamp, Body: s.TimeStamp}}
		}
		s.Proofs = kept.files()
		return err
	})
	if err != nil {
		return AgreementSignature{}, Agreement{}, Evidence{}, fmt.Errorf("read signed agreement: %w", err)
	}
	return s, a, e, nil
}

// Resign is a profile whose person is asked to sign the agreement in force (section 14).
type Resign struct {
	Profile   Profile
	Agreement Agreement // the version in force; its text only from [Office.ResignDocument]
	By        time.Time // last moment
	Overdue   bool      // the profile opens only the page where it is signed
}

// resign says whether a profile's person must sign again: versions that came into force after the one
// he signed for it, and ask for it. By is the earliest of their moments.
func resign(p Profile, versions []Agreement, signed []AgreementSignature, now time.Time) (Resign, bool) {
	if p.Status != Active || p.Type.Invited() {
		return Resign{}, false
	}
	last := time.Time{} // when the version he signed came into force
	for _, v := range versions {
		for _, s := range signed {
			if s.TIN == p.TIN && s.Type == p.Type && s.Version == v.Version && v.From.After(last) {
				last = v.From
			}
		}
	}
	r := Resign{Profile: p}
	for _, v := range versions {
		if v.From.After(now) {
			break
		}
		r.Agreement = v
		if v.From.After(last) && !v.MustResignBy.IsZero() && (r.By.IsZero() || v.MustResignBy.Before(r.By)) {
			r.By = v.MustResignBy
		}
	}
	r.Overdue = !now.Before(r.By)
	return r, !r.By.IsZero()
}

// ToResign lists the person's profiles for which the agreement in force is to be signed again.
func (o *Office) ToResign(ctx context.Context, iin ident.IIN) ([]Resign, error) {
	var all []Resign
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		all, err = o.toResign(ctx, tx, iin)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list agreements to sign: %w", err)
	}
	return all, nil
}

func (o *Office) toResign(ctx context.Context, tx Tx, iin ident.IIN) ([]Resign, error) {
	versions, err := tx.Agreements(ctx)
	if err != nil || !anyMust(versions) {
		return nil, err
	}
	profiles, err := tx.Profiles(ctx, iin)
	if err != nil {
		return nil, err
	}
	signed, err := tx.Signatures(ctx, iin)
	if err != nil {
		return nil, err
	}
	var all []Resign
	for _, p := range profiles {
		if r, must := resign(p, versions, signed, o.now()); must {
			all = append(all, r)
		}
	}
	return all, nil
}

func anyMust(versions []Agreement) bool {
	for _, v := range versions {
		if !v.MustResignBy.IsZero() {
			return true
		}
	}
	return false
}

// toSign finds the profile among those to sign for; [ErrNotFound] for any other.
func (o *Office) toSign(ctx context.Context, tx Tx, iin ident.IIN, profile string) (Resign, error) {
	all, err := o.toResign(ctx, tx, iin)
	if err != nil {
		return Resign{}, err
	}
	for _, r := range all {
		if r.Profile.ID == profile {
			return r, nil
		}
	}
	return Resign{}, ErrNotFound
}

// ResignDocument gives what the person signs for a profile, and the XML in the language. at is when he
// was first shown it; it stands in the document.
func (o *Office) ResignDocument(ctx context.Context, iin ident.IIN, profile string, l lang.Tag, at time.Time) (Resign, []byte, error) {
	var r Resign
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		if r, err = o.toSign(ctx, tx, iin, profile); err != nil {
			return err
		}
		r.Agreement, err = tx.Agreement(ctx, r.Agreement.Version, r.Agreement.From)
		return err
	})
	if err != nil {
		return r, nil, fmt.Errorf("read agreement to sign: %w", err)
	}
	doc, err := r.subject(at).document(r.Agreement, l, o.c.Origin)
	return r, doc, err
}

// subject is the profile as the agreement names it: in place of a registration stands the profile.
func (r Resign) subject(at time.Time) Registration {
	return Registration{ID: r.Profile.ID, IIN: r.Profile.IIN, TIN: r.Profile.TIN, Category: r.Profile.Category, DataAt: at}
}

// Resign takes the signed agreement in force for a profile: SIGNATURE_INVALID, AGREEMENT_CHANGED,
// CERT_OTHER_PERSON, CERT_WRONG_BIN, or a closed gate about the certificate.
func (o *Office) Resign(ctx context.Context, iin ident.IIN, profile string, at time.Time, signed []byte) error {
	r, _, err := o.ResignDocument(ctx, iin, profile, lang.RU, at)
	if err != nil {
		return err
	}
	cert, l, err := r.subject(at).verifyAgreement(signed, r.Agreement, o.c.Origin)
	if err != nil {
		code := "SIGNATURE_INVALID"
		if errors.Is(err, errOtherVersion) {
			code = "AGREEMENT_CHANGED"
		}
		return o.refusedResign(ctx, r.Profile, deny(code))
	}
	if err := r.Profile.signer().is(cert); err != nil {
		return o.refusedResign(ctx, r.Profile, err)
	}
	e, err := o.judged(ctx, cert)
	if err != nil {
		return err
	}
	if !e.Passed() {
		return o.refusedResign(ctx, r.Profile, &GateClosed{Evidence: e})
	}
	id, err := newID(o.c.Random)
	if err != nil {
		return fmt.Errorf("keep agreement: %w", err)
	}
	p, err := o.prove(ctx, signed, cert, e)
	if err != nil {
		return err
	}
	s := AgreementSignature{ID: id, Version: r.Agreement.Version, Lang: l, Document: signed, Certificate: cert.Raw, Evidence: e.ID, At: o.now(),
		TimeStamp: p.token, IIN: iin, TIN: r.Profile.TIN, Type: r.Profile.Type}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		now, err := o.toSign(ctx, tx, iin, profile)
		if err != nil || now.Agreement.Version != r.Agreement.Version {
			return errors.Join(err, ErrRace)
		}
		if err := errors.Join(tx.PutEvidence(ctx, e), tx.PutSignature(ctx, s), tx.AddProofs(ctx, id, p.proofs)); err != nil {
			return err
		}
		return tx.Audit(ctx, resignEvent(tx, r.Profile, "ok", p.with(map[string]string{"version": s.Version, "evidence": e.ID, "signature": id})))
	})
	if err != nil {
		return fmt.Errorf("keep agreement: %w", raced(err))
	}
	return nil
}

func resignEvent(tx Tx, p Profile, result string, detail map[string]string) audit.Event {
	d := map[string]string{"tin": tx.Hash(p.TIN)}
	for k, v := range detail {
		d[k] = v
	}
	return audit.Event{Action: "agreement.signed", Actor: tx.Hash(string(p.IIN)), Object: p.ID, Result: result, Detail: d}
}

func (o *Office) refusedResign(ctx context.Context, p Profile, why error) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error { return tx.Audit(ctx, resignEvent(tx, p, refusalCode(why), nil)) })
	if err != nil {
		return fmt.Errorf("refuse signature (%w): %w", why, err)
	}
	return why
}

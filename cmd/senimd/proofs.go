package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"time"

	"senim/internal/job"
	"senim/internal/participant"
	"senim/internal/ra"
	"senim/internal/revocation"
	"senim/internal/trust"
	"senim/ocsp"
	"senim/pki"
	"senim/tsp"
)

// proofs gives what authorities sign about certificates, to be kept beside what people sign: answers of our own authority
// at once, those of others as a stranger asks them.
type proofs struct {
	judge   *trust.Judge
	issuing map[string]bool                                                       // key identifiers of our issuing authorities
	own     func(ctx context.Context, question []byte) (answer []byte, err error) // nil: the authority is elsewhere
	others  *revocation.Source
	now     func() time.Time
}

func (s *server) proofs() proofs {
	p := proofs{judge: s.judge, issuing: map[string]bool{}, now: s.now,
		others: revocation.New(revocation.Config{Responders: s.responders(), Lists: s.rootLists(), Dir: s.c.trust, Log: s.log})}
	for _, a := range s.authority.Authorities() {
		p.issuing[hex.EncodeToString(a.Certificate.SubjectKeyID)] = a.Issuing
	}
	if s.ca != nil {
		p.own = func(ctx context.Context, question []byte) ([]byte, error) {
			a, err := s.ca.OCSP(ctx, question)
			if err != nil {
				return nil, err
			}
			return a.Raw, nil
		}
	}
	return p
}

// About implements participant.Answers. Of the authorities above the certificate what can be had is taken.
func (p proofs) About(ctx context.Context, cert *pki.Certificate) ([]participant.Proof, error) {
	path := p.judge.Path(cert, p.now())
	if len(path) < 2 {
		return nil, fmt.Errorf("ask about %s: its issuer is not known", cert.SerialHex())
	}
	var all []participant.Proof
	for i := range len(path) - 1 {
		raw, err := p.about(ctx, path[i], path[i+1])
		if err != nil && i == 0 {
			return nil, err
		}
		for _, r := range raw {
			kind := participant.ProofList
			if r.OCSP {
				kind = participant.ProofAnswer
			}
			all = append(all, participant.Proof{Kind: kind, Body: r.DER, Made: p.now(), Ends: r.Ends})
		}
	}
	return all, nil
}

func (p proofs) about(ctx context.Context, cert, issuer *pki.Certificate) ([]revocation.Raw, error) {
	if p.own == nil || !p.issuing[hex.EncodeToString(issuer.SubjectKeyID)] {
		return p.others.Raw(ctx, cert, issuer, p.now())
	}
	q := revocation.Question{Issuer: issuer, Serials: []*big.Int{cert.Serial}}
	question, err := q.Marshal()
	if err != nil {
		return nil, err
	}
	raw, err := p.own(ctx, question)
	if err != nil {
		return nil, err
	}
	a, err := q.Read(raw, p.now())
	if err != nil {
		return nil, err
	}
	if one, ok := a.Find(issuer, cert.Serial); !ok || one.Status == ocsp.Unknown {
		return nil, fmt.Errorf("ask about %s: the responder does not know it", cert.SerialHex())
	}
	return []revocation.Raw{{OCSP: true, DER: raw, Ends: a.Signer.NotAfter}}, nil
}

// firstProofs gathers what proves the first signature of a new key: a time-stamp, and what authorities say of the
// certificate, and of who stamped, at that time.
type firstProofs struct {
	stamps participant.Stamps // nil: none
	about  proofs
}

// Prove implements ra.Prover.
func (p firstProofs) Prove(ctx context.Context, signed []byte, by *pki.Certificate) ([]ra.Proof, error) {
	var all []ra.Proof
	certs := []*pki.Certificate{by}
	if p.stamps != nil {
		sum := sha256.Sum256(signed)
		raw, err := p.stamps.Stamp(ctx, sum[:])
		if err != nil {
			return nil, err
		}
		token, err := tsp.ParseToken(raw)
		if err != nil {
			return nil, err
		}
		authority, err := token.Verify()
		if err != nil {
			return nil, err
		}
		certs = append(certs, authority)
		all = append(all, ra.Proof{Kind: string(participant.ProofStamp), Body: raw})
	}
	for _, cert := range certs {
		about, err := p.about.About(ctx, cert)
		if err != nil {
			return nil, err
		}
		for _, one := range about {
			proof := ra.Proof{Kind: string(one.Kind), Body: one.Body}
			if !slices.ContainsFunc(all, func(had ra.Proof) bool { return had.Kind == proof.Kind && bytes.Equal(had.Body, proof.Body) }) {
				all = append(all, proof)
			}
		}
	}
	return all, nil
}

// handleProofs has proof renewed before its certificates end.
func (s *server) handleProofs() {
	s.store.HandleLong(participant.RenewProofsKind, scanTime, func(ctx context.Context, _ []byte) error {
		err := s.participants.RenewProofs(ctx)
		if err != nil {
			s.log.Error("ALERT: proof of signatures could not be renewed; it is tried again", "error", err)
		}
		return err
	})
	s.store.Every(24*time.Hour, job.Job{Kind: participant.RenewProofsKind, Unique: "all"})
	s.background = append(s.background, s.tryStamps)
}

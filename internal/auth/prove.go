package auth

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/audit"
	"senim/internal/trust"
	"senim/pki"
)

// maxAnswer bounds a signature over a challenge: one certificate and one signature.
const maxAnswer = 64 << 10

// Codes of refusals that are not about the certificate; those of certificates are trust's.
const (
	CodeStale     = "CHALLENGE_STALE"
	CodeSignature = "SIGNATURE_INVALID"
)

// Refusal says why an answer was not accepted. It is an error for the person: Code names the text,
// Report (when the certificate was reached) every check with its evidence.
type Refusal struct {
	Code   string
	Report trust.Report
	// Evidence fills the names in the text of the code, as "date".
	Evidence map[string]string
	// Certificate is the certificate in question; nil until possession of its key was proved.
	Certificate *pki.Certificate
	// Err is the cause for operators; nil when the code says all.
	Err error
}

func (r *Refusal) Error() string {
	if r.Err != nil {
		return "signature refused: " + r.Code + ": " + r.Err.Error()
	}
	return "signature refused: " + r.Code
}

func (r *Refusal) Unwrap() error { return r.Err }

// Proof says that the holder of a good certificate signed our challenge just now.
type Proof struct {
	Certificate *pki.Certificate
	Holder      pki.Holder
	Report      trust.Report
	Challenge   Challenge
}

// Prove checks the answer to the open challenge of this session and purpose: a CMS in DER or BER,
// detached or with exactly the text inside. The challenge is taken out first, whatever comes of
// it. A *[Refusal] says what was wrong; any other error means the check could not be made.
//
// Order (security.md §1): session, challenge taken, size, one signer with signed attributes,
// content, signature, certificate. The signing time in the answer is not looked at.
func (d *Desk) Prove(ctx context.Context, sid, purpose string, answer []byte, p trust.Purpose) (*Proof, error) {
	return d.From("").Prove(ctx, sid, purpose, answer, p)
}

// Prove is [Desk.Prove] for the visitor.
func (v Visit) Prove(ctx context.Context, sid, purpose string, answer []byte, p trust.Purpose) (*Proof, error) {
	d := v.d
	defer d.c.Store.Attend()()
	c, err := d.take(ctx, sid, purpose)
	if err != nil {
		return nil, v.refused(ctx, purpose, nil, err)
	}
	cert, err := d.signer(c, answer)
	if err != nil {
		return nil, v.refused(ctx, purpose, &c, err)
	}
	if d.c.Judge == nil {
		return nil, errors.New("check a signature: no judge of certificates")
	}
	report := d.c.Judge.Certificate(ctx, cert, p)
	if first, bad := report.First(); bad || report.Verdict() != trust.Good {
		code := first.Code
		if code == "" {
			code = trust.CodeUnavailable
		}
		return nil, v.refused(ctx, purpose, &c, &Refusal{Code: code, Report: report, Evidence: first.Evidence, Certificate: cert})
	}
	action := "auth.proof"
	if d.c.Challenges {
		action = "challenge.verified"
	}
	err = d.audit(ctx, cert, audit.Event{Action: action, Result: "ok", Detail: v.detail(purpose, &c)})
	if err != nil {
		return nil, fmt.Errorf("record a proof: %w", err)
	}
	return &Proof{Certificate: cert, Holder: cert.Holder(), Report: report, Challenge: c}, nil
}

// AskAbout opens a challenge under which a document is signed.
func (d *Desk) AskAbout(ctx context.Context, sid, purpose, document string) (Challenge, error) {
	return d.Ask(ctx, sid, purpose, digestOf(document))
}

// TakeChallenge takes the open challenge of a purpose for a document that was signed under it: it serves once, whatever comes of
// the document. A *[Refusal] says that there is none that is still good; it is recorded.
func (d *Desk) TakeChallenge(ctx context.Context, sid, purpose string) (Challenge, error) {
	defer d.c.Store.Attend()()
	c, err := d.take(ctx, sid, purpose)
	if err != nil {
		return Challenge{}, d.From("").refused(ctx, purpose, nil, err)
	}
	return c, nil
}

// SignedBy verifies an answer to a challenge that was taken ([Desk.TakeChallenge]) and gives the certificate whose key made
// it: nothing is said of the certificate. Else the error is a *[Refusal].
func (d *Desk) SignedBy(c Challenge, answer []byte) (*pki.Certificate, error) {
	return d.signer(c, answer)
}

// take removes the challenge and only then asks whether it is still good.
func (d *Desk) take(ctx context.Context, sid, purpose string) (Challenge, error) {
	var c Challenge
	var found bool
	err := d.c.Store.Update(ctx, func(tx Tx) (err error) {
		c, found = Challenge{}, false
		if _, err := d.alive(ctx, tx, sid); errors.Is(err, ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		c, found, err = tx.TakeChallenge(ctx, hashID(sid), purpose)
		return err
	})
	if err != nil {
		return Challenge{}, fmt.Errorf("take a challenge: %w", err)
	}
	if !found || c.Purpose != purpose || c.Origin != d.c.Origin || c.expired(d.c.Now()) {
		return Challenge{}, &Refusal{Code: CodeStale}
	}
	return c, nil
}

// signer reads the answer and returns the certificate whose key signed exactly our text.
func (d *Desk) signer(c Challenge, answer []byte) (*pki.Certificate, error) {
	invalid := func(err error) error { return &Refusal{Code: CodeSignature, Err: err} }
	if len(answer) > maxAnswer {
		return nil, invalid(errors.New("answer is too large"))
	}
	cert, _, err := signer([]byte(c.Text()), answer, &d.verifier)
	if err != nil {
		return nil, invalid(err)
	}
	return cert, nil
}

// refused writes a refusal to the audit log and passes the error on. The certificate stands in it when the key was
// proved.
func (v Visit) refused(ctx context.Context, purpose string, c *Challenge, err error) error {
	d := v.d
	var r *Refusal
	if !errors.As(err, &r) {
		return err
	}
	action := "auth.proof"
	if d.c.Challenges {
		action = "challenge.failed"
	}
	e := audit.Event{Action: action, Result: "refused", Detail: v.detail(purpose, c)}
	e.Detail["code"] = r.Code
	if aerr := d.audit(ctx, r.Certificate, e); aerr != nil {
		return fmt.Errorf("record a refusal: %w", aerr)
	}
	d.c.Log.InfoContext(ctx, "signature refused", "site", d.c.Site, "purpose", purpose, "code", r.Code)
	return r
}

// SessionOf gives the facts of a proof that a session keeps.
func SessionOf(p *Proof) Session {
	f := p.Certificate.Fingerprint()
	return Session{IIN: p.Holder.IIN, BIN: p.Holder.BIN, Serial: p.Certificate.SerialHex(),
		Fingerprint: fmt.Sprintf("%x", f[:]), Name: p.Holder.CommonName}
}

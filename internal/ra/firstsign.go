package ra

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/trust"
	"senim/pki"
)

// PurposeInstall is the purpose of the challenge that new keys sign when they are installed.
const PurposeInstall = "install-keys"

// JobFirstProof gathers what proves a first signature without us: the handler calls [Office.ProveFirst].
const JobFirstProof = "ra.first_proof"

// FirstTask is the payload of [JobFirstProof].
type FirstTask struct {
	Serial string `json:"serial"`
}

// FirstSignature is the first signature of a new key that we saw: proof that it was in its holder's hands
// (cabinet.md §7, ISSUED to INSTALLED).
type FirstSignature struct {
	Serial, Number string
	// Purpose says on what occasion: [PurposeInstall], or that of another challenge of the cabinet.
	Purpose string
	// Challenge is the text that was signed; Signature a detached CMS over it, DER or BER.
	Challenge string
	Signature []byte
	// About is what the challenge's digest is of; empty where it is no installation.
	About string
	// Checks is what was found about the certificate then, JSON.
	Checks []byte
	At     time.Time
}

// Proof is a piece of what proves a signature without us; Kind ends the name of its file: tst, ocsp or crl.
type Proof struct {
	Kind string
	Body []byte
}

// Prover gathers proof of a signature just made.
type Prover interface {
	Prove(ctx context.Context, signed []byte, by *pki.Certificate) ([]Proof, error)
}

// firstTx is what the store knows of first signatures.
type firstTx interface {
	// AwaitFirst notes that a key was issued and has signed nothing yet.
	AwaitFirst(ctx context.Context, serial, number string) error
	// AwaitsFirst names the application of a key that has signed nothing yet; [ErrNotFound].
	AwaitsFirst(ctx context.Context, serial string) (string, error)
	// PutFirst keeps a first signature, and reports false when there is one.
	PutFirst(ctx context.Context, f FirstSignature) (bool, error)
	// Firsts are the first signatures of the keys of an application.
	Firsts(ctx context.Context, number string) ([]FirstSignature, error)
	// First reads one; [ErrNotFound].
	First(ctx context.Context, serial string) (FirstSignature, error)
	// PutFirstProofs keeps what proves one, in the place of what there was.
	PutFirstProofs(ctx context.Context, serial string, all []Proof) error
	FirstProofs(ctx context.Context, serial string) ([]Proof, error)
}

// KeySignature is a signature of which it was verified that the certificate's key made it, over the text of a challenge that
// we opened, once and in time.
type KeySignature struct {
	Certificate        *pki.Certificate
	Purpose, Challenge string
	Signature          []byte
	// About is what the challenge's digest is of ([Installations]).
	About string
	// Report is what the judge found; nil: he is asked.
	Report trust.Report
}

// Installation is what a first signature says of one application.
func Installation(a Application) string {
	text := "senim-installation 1\napplication: " + a.ID() + "\n"
	for _, c := range a.Certificates {
		text += "serial: " + c.Serial + "\n"
	}
	return text
}

// Installations is what new keys sign when they are installed, and what the digest in their challenge is of: the SHA-256 of
// each [Installation], so that nobody learns of the others from the proof of his own.
func Installations(list []Application) string {
	lines := make([]string, len(list))
	for i, a := range list {
		sum := sha256.Sum256([]byte(Installation(a)))
		lines[i] = hex.EncodeToString(sum[:]) + "\n"
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// awaitFirst notes the new keys of an application that was issued.
func awaitFirst(ctx context.Context, tx Tx, a *Application) error {
	for _, c := range a.Certificates {
		if err := tx.AwaitFirst(ctx, c.Serial, a.Number); err != nil {
			return err
		}
	}
	return nil
}

// first examines the first signatures that came with a report. One by another key than those issued is refused; one whose
// certificate is not good, or could not be checked, is not kept: without says why, by serial.
func (o *Office) first(ctx context.Context, a Application, signed []KeySignature) (kept []FirstSignature, without map[string]string, err error) {
	without = map[string]string{}
	for _, s := range signed {
		i := slices.IndexFunc(a.Certificates, func(c Certificate) bool { return bytes.Equal(c.DER, s.Certificate.Raw) })
		if i < 0 {
			return nil, nil, refuse("CERT_KEY_MISMATCH")
		}
		report := s.Report
		if report == nil {
			report = o.c.Judge.Certificate(ctx, s.Certificate, trust.Any)
		}
		if report.Verdict() != trust.Good {
			bad, _ := report.First()
			without[a.Certificates[i].Serial] = cmp.Or(bad.Code, trust.CodeUnavailable)
			continue
		}
		checks, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return nil, nil, fmt.Errorf("write checks: %w", err)
		}
		kept = append(kept, FirstSignature{Serial: a.Certificates[i].Serial, Number: a.Number, Purpose: s.Purpose, Challenge: s.Challenge,
			Signature: s.Signature, About: s.About, Checks: checks, At: o.c.Now()})
	}
	return kept, without, nil
}

// keepFirst keeps them, each once, and has their proof gathered.
func (o *Office) keepFirst(ctx context.Context, tx Tx, a *Application, kept []FirstSignature, without map[string]string) error {
	event := func(serial, result string, detail map[string]string) error {
		detail["serial"] = serial
		return tx.Audit(ctx, audit.Event{Action: "application.key_signed", Actor: tx.Hash(a.Subject.IIN), Object: "application " + FormatNumber(a.Number), Result: result, Detail: detail})
	}
	for serial, code := range without {
		if err := event(serial, code, map[string]string{}); err != nil {
			return err
		}
	}
	for _, f := range kept {
		fresh, err := tx.PutFirst(ctx, f)
		if err != nil || !fresh {
			if err != nil {
				return err
			}
			continue
		}
		if err := event(f.Serial, "ok", map[string]string{"purpose": f.Purpose, "challenge": hexSum([]byte(f.Challenge)), "signature": hexSum(f.Signature)}); err != nil {
			return err
		}
		if o.c.Proofs != nil {
			if err := tx.Enqueue(ctx, job.Job{Kind: JobFirstProof, Payload: FirstTask{f.Serial}, Unique: f.Serial}); err != nil {
				return err
			}
		}
	}
	return nil
}

// KeySigned keeps the first signature of a new key when it is over a challenge on another occasion than its installation.
// When every key of its application has signed, they are installed, whoever reported that or did not.
func (o *Office) KeySigned(ctx context.Context, s KeySignature) error {
	var a Application
	err := o.c.Store.View(ctx, func(tx Tx) error {
		number, err := tx.AwaitsFirst(ctx, s.Certificate.SerialHex())
		if err == nil {
			a, err = tx.Application(ctx, number)
		}
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil // every other signature: of a key that has signed, or of another authority
	}
	if err != nil {
		return fmt.Errorf("keep a first signature: %w", err)
	}
	kept, without, err := o.first(ctx, a, []KeySignature{s})
	if no, ok := errors.AsType[*Refusal](err); ok {
		o.c.Log.ErrorContext(ctx, "a certificate with the serial of another signed", "application", FormatNumber(a.Number), "code", no.Code)
		return nil
	}
	if err != nil {
		return err
	}
	phone := o.c.People.Phone(ctx, a.Subject.IIN, ident.IIN(a.Subject.IIN))
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		a, err := tx.Application(ctx, a.Number)
		if err != nil {
			return err
		}
		if err := o.keepFirst(ctx, tx, &a, kept, without); err != nil || a.State != Issued {
			return err
		}
		all, err := tx.Firsts(ctx, a.Number)
		if err != nil || len(all) < len(a.Certificates) {
			return err
		}
		if err := o.install(ctx, tx, &a, a.serials(), phone); err != nil {
			return err
		}
		return o.save(ctx, tx, &a, "application.installed")
	})
	if err != nil {
		return fmt.Errorf("keep a first signature: %w", err)
	}
	return nil
}

func (a *Application) serials() []string {
	all := make([]string, len(a.Certificates))
	for i, c := range a.Certificates {
		all[i] = c.Serial
	}
	return all
}

// ProveFirst has a first signature stamped and asks about its signer's certificate. What cannot be had is an error, so that
// the job is tried again.
func (o *Office) ProveFirst(ctx context.Context, t FirstTask) error {
	var f FirstSignature
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		f, err = tx.First(ctx, t.Serial)
		return err
	})
	if errors.Is(err, ErrNotFound) || o.c.Proofs == nil {
		return nil
	}
	if err == nil {
		err = o.proveFirst(ctx, f)
	}
	if err != nil {
		return fmt.Errorf("prove a first signature: %w", err)
	}
	return nil
}

func (o *Office) proveFirst(ctx context.Context, f FirstSignature) error {
	a, err := o.load(ctx, f.Number)
	if err != nil {
		return err
	}
	cert, err := a.certificate(f.Serial)
	if err != nil {
		return err
	}
	all, err := o.c.Proofs.Prove(ctx, f.Signature, cert)
	if err != nil {
		return err
	}
	return o.c.Store.Update(ctx, func(tx Tx) error { return tx.PutFirstProofs(ctx, f.Serial, all) })
}

func (a *Application) certificate(serial string) (*pki.Certificate, error) {
	for _, c := range a.Certificates {
		if c.Serial == serial {
			return pki.ParseCertificate(c.DER)
		}
	}
	return nil, ErrNotFound
}

// ProvedFirst is a first signature with all that is kept of it.
type ProvedFirst struct {
	FirstSignature
	Certificate []byte // DER
	// Installation is what the challenge says of this application; empty where it is no installation.
	Installation string
	Proofs       []Proof
}

// FirstSignatures are those of the keys of a person's application.
func (o *Office) FirstSignatures(ctx context.Context, iin, number string) ([]ProvedFirst, error) {
	a, err := o.mine(ctx, iin, number)
	if err != nil {
		return nil, err
	}
	var all []ProvedFirst
	err = o.c.Store.View(ctx, func(tx Tx) error {
		all = nil
		list, err := tx.Firsts(ctx, number)
		if err != nil {
			return err
		}
		for _, f := range list {
			one := ProvedFirst{FirstSignature: f}
			if f.About != "" {
				one.Installation = Installation(a)
			}
			if i := slices.IndexFunc(a.Certificates, func(c Certificate) bool { return c.Serial == f.Serial }); i >= 0 {
				one.Certificate = a.Certificates[i].DER
			}
			if one.Proofs, err = tx.FirstProofs(ctx, f.Serial); err != nil {
				return err
			}
			all = append(all, one)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read first signatures: %w", err)
	}
	return all, nil
}

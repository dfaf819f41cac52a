package participant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/lang"
)

// Kind is what an act changes; it is the purpose of the challenge signed for it.
type Kind string

// The acts a person signs beside registration.
const (
	ActEmail    Kind = "change-email"
	ActReset    Kind = "reset-password"
	ActPassword Kind = "change-password"
	ActDetails  Kind = "change-details"
	ActPasskey  Kind = "add-passkey"
)

// ActTTL is how long what was typed waits for its signature.
const ActTTL = 20 * time.Minute

// Act is what a browser is about to sign. It is kept by us: the browser carries nothing of it, and
// what is signed is a challenge with the digest of [Act.Text], so that what was verified is what
// is done.
type Act struct {
	Browser string // hash of the session's id; one open act of each kind
	Kind    Kind
	IIN     ident.IIN
	Email   string // new address
	// Password is the hash of the new password; the text names its SHA-256 only.
	Password string
	Lang     lang.Tag
	OldEmail string // masked; of who is signed in only: nobody else is told that there is one
	Reset    string // hash of the reset link's token
	Details  string // of [ActDetails]: the exact document to be signed
	Passkey  string // id of the passkey that waits for its signature, digest of its key, its name
	Made     time.Time
}

// Text is what the digest in the challenge is of: one fact per line. A reset does not name the IIN:
// whoever opened the letter has not yet proved to be its person; the link names it.
func (a Act) Text() string {
	var b strings.Builder
	line := func(name, value string) { b.WriteString(name + ": " + value + "\n") }
	b.WriteString("senim-act 1\n")
	line("action", string(a.Kind))
	if a.Kind != ActReset {
		line("iin", string(a.IIN))
	}
	switch a.Kind {
	case ActEmail:
		if a.OldEmail != "" {
			line("old email", a.OldEmail)
		}
		line("email", a.Email)
	case ActReset:
		line("link", a.Reset)
		line("password", hashToken(a.Password))
	case ActPassword:
		line("password", hashToken(a.Password))
	case ActPasskey:
		line("passkey", a.Passkey)
	case ActDetails, ActInvite, ActAccept, ActUsers: // signed as documents of their own
	}
	return b.String()
}

// Digest is the SHA-256 of [Act.Text], in hexadecimal.
func (a Act) Digest() string {
	sum := sha256.Sum256([]byte(a.Text()))
	return hex.EncodeToString(sum[:])
}

// Signed is a proved signature over the challenge of an act, with the answer as it came.
type Signed struct {
	Proof  *auth.Proof
	Answer []byte // CMS

	proved proved
}

// proveAct gathers the proof of a signature over a challenge, before the transaction that does the act.
func (o *Office) proveAct(ctx context.Context, s Signed) (Signed, error) {
	if s.Proof == nil {
		return s, nil // refused where the act is taken
	}
	id, err := newID(o.c.Random)
	if err != nil {
		return s, fmt.Errorf("keep act: %w", err)
	}
	s.proved, err = o.prove(ctx, s.Answer, s.Proof.Certificate, Evidence{ID: id, At: o.now(), Checks: fromReport(s.Proof.Report)})
	return s, err
}

// SignedAct is kept of every act done: what was signed, how, and by whom.
type SignedAct struct {
	ID          string
	Kind        Kind
	IIN         ident.IIN
	Act         string // [Act.Text]
	Challenge   string // the exact signed bytes
	Answer      []byte
	Certificate []byte // DER
	At          time.Time
}

// browserOf names a browser by its session without keeping the session's id.
func browserOf(sid string) string { return hashToken("act " + sid) }

// Act reads what the browser of the session is about to sign; ACT_STALE when there is nothing, or
// it has waited too long.
func (o *Office) Act(ctx context.Context, sid string, k Kind) (Act, error) {
	var a Act
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		a, err = o.openAct(ctx, tx, sid, k)
		return err
	})
	if err != nil {
		return Act{}, fmt.Errorf("read act: %w", err)
	}
	return a, nil
}

func (o *Office) openAct(ctx context.Context, tx Tx, sid string, k Kind) (Act, error) {
	if sid == "" {
		return Act{}, deny("ACT_STALE")
	}
	a, err := tx.Act(ctx, browserOf(sid), k)
	if errors.Is(err, ErrNotFound) || err == nil && o.now().Sub(a.Made) > ActTTL {
		return Act{}, deny("ACT_STALE")
	}
	return a, err
}

// keepAct writes an act to be signed and sweeps those nobody signed.
func (o *Office) keepAct(ctx context.Context, sid string, a Act) error {
	a.Browser, a.Made = browserOf(sid), o.now()
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		if err := tx.SweepActs(ctx, o.now().Add(-ActTTL)); err != nil {
			return err
		}
		return tx.PutAct(ctx, a)
	})
	if err != nil {
		return fmt.Errorf("keep act: %w", err)
	}
	return nil
}

// takeAct gives the act that was signed and removes it: the digest in the proved challenge must be
// that of what stands in our table now, and the signer the person it is about. It writes down the
// signature, and gives its id.
func (o *Office) takeAct(ctx context.Context, tx Tx, sid string, k Kind, s Signed) (Act, string, error) {
	a, err := o.openAct(ctx, tx, sid, k)
	if err != nil {
		return a, "", err
	}
	switch {
	case s.Proof == nil || s.Proof.Challenge.Purpose != string(k) || s.Proof.Challenge.Digest != a.Digest():
		return a, "", deny("SIGNATURE_INVALID")
	case s.Proof.Holder.IIN == "" || ident.IIN(s.Proof.Holder.IIN) != a.IIN:
		return a, "", deny("CERT_OTHER_PERSON", "act", string(k))
	}
	id, err := newID(o.c.Random)
	if err != nil {
		return a, "", err
	}
	kept := SignedAct{ID: id, Kind: k, IIN: a.IIN, Act: a.Text(), Challenge: s.Proof.Challenge.Text(), Answer: s.Answer,
		Certificate: s.Proof.Certificate.Raw, At: o.now()}
	if err := o.keepAnswer(ctx, tx, kept, s.proved); err != nil {
		return a, "", err
	}
	return a, id, tx.DropAct(ctx, a.Browser, k)
}

// owner reads the account an act is about, once its person is proved.
func (o *Office) owner(ctx context.Context, tx Tx, iin ident.IIN) (Account, error) {
	a, err := tx.Account(ctx, iin)
	switch {
	case errors.Is(err, ErrNotFound):
		return a, deny("NOT_REGISTERED")
	case err != nil:
		return a, err
	case a.State == AccountPending:
		return a, deny("REGISTRATION_WAITS")
	case a.State != AccountActive:
		return a, deny("ACCOUNT_BLOCKED", "reason", a.BlockedReason)
	}
	return a, nil
}

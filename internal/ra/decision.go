package ra

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/dsig"
	"senim/internal/ident"
	"senim/pki"
)

// MaxDecided bounds the applications of one decision.
const MaxDecided = 50

// DecisionTTL is how long a decision may wait for its signature to arrive, as the challenge it is signed under; skew
// is how much the clock of the node that wrote the page may be ahead.
const (
	DecisionTTL = 5 * time.Minute
	skew        = time.Minute
)

// decisionTx keeps what deciding needs beside the applications.
type decisionTx interface {
	// Awaiting lists at most limit applications of an organisation that wait for its head, those
	// that close first at the top.
	Awaiting(ctx context.Context, bin string, limit int) ([]Application, error)
	// PutDecision keeps a signed decision as evidence, by its hash; the same one again is no error.
	PutDecision(ctx context.Context, d SignedDecision) error
	// SignedDecision reads one back; [ErrNotFound].
	SignedDecision(ctx context.Context, hash string) (SignedDecision, error)
}

// SignedDecision is a decision as its confirmer signed it: the evidence behind approvals.
type SignedDecision struct {
	// Hash is the SHA-256 of Document in hexadecimal; approvals name it.
	Hash, Serial string
	At           time.Time
	Document     []byte
}

// Act is what a confirmer does with applications.
type Act string

// The acts.
const (
	ActConfirm Act = "confirm"
	ActReject  Act = "reject"
)

// Choice names what exactly is decided: this revision of this application, by the hash of the
// document its applicant signed.
type Choice struct {
	Number   string `xml:"number"`
	Revision int    `xml:"revision"`
	Hash     string `xml:"sha256"`
}

// Decision is what a confirmer signs, once for any number of applications.
type Decision struct {
	Act      Act
	IIN, BIN string
	Choices  []Choice
	// Reason is required to reject, and empty to confirm.
	Reason string
	At     time.Time
}

// wire is the decision as XML. Reading it back and writing it again must give the same document.
type wire struct {
	Version string   `xml:"version,attr"`
	Act     Act      `xml:"act"`
	IIN     string   `xml:"iin"`
	BIN     string   `xml:"bin"`
	Choices []Choice `xml:"applications>application"`
	Reason  string   `xml:"reason"`
	Time    string   `xml:"time"`
	Origin  string   `xml:"origin"`
	// Challenge is what it was signed under; the office holds it against its own.
	Challenge string `xml:"challenge"`
}

// check refuses a decision that says nothing, too much, or rejects without a reason.
func (d Decision) check() error {
	switch {
	case d.Act != ActConfirm && d.Act != ActReject, len(d.Choices) == 0:
		return refuse("NOTHING_CHOSEN")
	case len(d.Choices) > MaxDecided:
		return refuse("TOO_MANY_CHOSEN", "n", itoa(MaxDecided))
	case d.Act == ActReject && strings.TrimSpace(d.Reason) == "":
		return refuse("REASON_REQUIRED")
	case len([]rune(d.Reason)) > MaxReason:
		return refuse("REASON_LONG")
	}
	return nil
}

// document writes the XML to be signed.
func (d Decision) document(origin string) string {
	var b strings.Builder
	put := func(name, value string) {
		b.WriteString("<" + name + ">" + escape(value) + "</" + name + ">")
	}
	b.WriteString(`<decision version="1">`)
	put("act", string(d.Act))
	put("iin", d.IIN)
	put("bin", d.BIN)
	b.WriteString("<applications>")
	for _, c := range d.Choices {
		b.WriteString("<application>")
		put("number", c.Number)
		put("revision", itoa(c.Revision))
		put("sha256", c.Hash)
		b.WriteString("</application>")
	}
	b.WriteString("</applications>")
	put("reason", d.Reason)
	put("time", d.At.UTC().Format(time.RFC3339))
	put("origin", origin)
	b.WriteString("</decision>")
	return b.String()
}

// readDecision reads what was signed under a challenge and accepts it only when our own document of the same content
// has the same bytes: nothing can stand in it that the page did not show.
func readDecision(under Fresh, signed []byte, origin string) (Decision, error) {
	var w wire
	if err := xml.Unmarshal(signed, &w); err != nil {
		return Decision{}, err
	}
	at, err := time.Parse(time.RFC3339, w.Time)
	if err != nil {
		return Decision{}, err
	}
	d := Decision{Act: w.Act, IIN: w.IIN, BIN: w.BIN, Choices: w.Choices, Reason: w.Reason, At: at}
	for _, c := range d.Choices {
		number, err := ParseNumber(c.Number)
		if sum, herr := hex.DecodeString(c.Hash); err != nil || herr != nil || number != c.Number || len(sum) != sha256.Size {
			return Decision{}, errors.New("a choice that names no application")
		}
	}
	own, err := dsig.Canonicalize([]byte(under.In(d.document(origin))), false)
	if err != nil {
		return Decision{}, err
	}
	if !bytes.Equal(own, signed) {
		return Decision{}, errors.New("not a decision of this site")
	}
	return d, nil
}

// Prepared is a decision ready to be signed.
type Prepared struct {
	// Document is the XML to be signed; Applications are those it names, as they stand now.
	Document     string
	Applications []Application
	// Dropped are applications that were chosen and cannot be decided about any more, with the cause.
	Dropped []Outcome
}

// Prepare writes the document by which the holder of a certificate decides about the applications as
// they stand now. When nothing is left to decide it refuses with the cause of the first.
func (o *Office) Prepare(ctx context.Context, cert *pki.Certificate, act Act, numbers []string, reason string) (Prepared, error) {
	by, err := o.deciding(ctx, cert)
	if err != nil {
		return Prepared{}, err
	}
	var p Prepared
	var first error
	d := Decision{Act: act, IIN: by.IIN, BIN: by.BIN, Reason: oneLine(reason), At: o.c.Now().UTC().Truncate(time.Second)}
	err = o.c.Store.View(ctx, func(tx Tx) error {
		seen := map[string]bool{}
		for _, n := range numbers {
			if seen[n] {
				continue
			}
			if seen[n] = true; len(seen) > MaxDecided {
				return refuse("TOO_MANY_CHOSEN", "n", itoa(MaxDecided))
			}
			a, err := o.offer(ctx, tx, by, n)
			no, refused := errors.AsType[*Refusal](err)
			switch {
			case refused:
				p.Dropped = append(p.Dropped, Outcome{Number: n, Act: act, Code: no.Code, Evidence: no.Evidence})
				if first == nil {
					first = no
				}
			case err != nil:
				return err
			default:
				p.Applications = append(p.Applications, a)
				d.Choices = append(d.Choices, Choice{a.Number, a.Revision, a.SignedHash})
			}
		}
		return nil
	})
	if err != nil {
		return Prepared{}, fmt.Errorf("prepare a decision: %w", err)
	}
	if len(d.Choices) == 0 && first != nil {
		return Prepared{}, first
	}
	if err := d.check(); err != nil {
		return Prepared{}, err
	}
	p.Document = d.document(o.c.Origin)
	return p, nil
}

// offer reads an application that a confirmer may decide about now.
func (o *Office) offer(ctx context.Context, tx Tx, by Confirmer, number string) (Application, error) {
	a, err := tx.Application(ctx, number)
	if errors.Is(err, ErrNotFound) {
		return a, refuse("NOT_YOUR_APPLICATION")
	}
	if err != nil {
		return a, err
	}
	if by, err = o.may(ctx, tx, by, &a); err != nil {
		return a, err
	}
	return a, a.decidable(by, Choice{a.Number, a.Revision, a.SignedHash}, o.c.Now().Sub(a.SignedAt) > o.c.Terms.Confirm)
}

// oneLine is a text without line breaks, as a document can carry it through every signing program.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// deciding is who decides, by the certificate that signed. The registry is asked who heads the
// organisation, also for a delegate, who acts for its present head; its silence is no answer.
func (o *Office) deciding(ctx context.Context, cert *pki.Certificate) (Confirmer, error) {
	h := cert.Holder()
	by := Confirmer{IIN: h.IIN, BIN: h.BIN, Serial: cert.SerialHex(), Role: RoleOf(h), TTL: o.c.Terms.Confirm}
	if by.BIN == "" || (by.Role != RoleHead && by.Role != RoleSignRight) {
		return by, nil
	}
	head := o.c.Registry.Head(ctx, by.IIN, ident.BIN(by.BIN))
	if head.unknown() {
		return by, &Refusal{Code: "CHECK_UNAVAILABLE", Evidence: withWhat(head.evidence())}
	}
	if by.Role == RoleSignRight {
		keys, err := o.c.Keys.Of(ctx, by.IIN)
		if err != nil {
			return by, fmt.Errorf("find a delegate's key: %w", err)
		}
		if !head.bad() {
			by.grounds = grounds{head.IIN, keys}
		}
		return by, nil
	}
	by.Leader, by.Registry = !head.bad() && head.IIN == by.IIN, head.evidence()
	if by.Registry["d"] == "" {
		by.Registry["d"] = o.c.Now().UTC().Format(time.RFC3339)
	}
	return by, nil
}

// may looks once more, in the transaction that decides, whether the delegation of a confirmer lives, and
// whether the applicant is a delegate himself.
func (o *Office) may(ctx context.Context, tx Tx, by Confirmer, a *Application) (Confirmer, error) {
	by, err := o.empowered(ctx, tx, by)
	if err != nil {
		return by, err
	}
	return o.beside(ctx, tx, by, a)
}

// empowered is the part of may that is the same for every application.
func (o *Office) empowered(ctx context.Context, tx Tx, by Confirmer) (Confirmer, error) {
	if by.Role != RoleSignRight || by.BIN == "" {
		return by, nil
	}
	d, err := o.given(ctx, tx, Post{by.BIN, by.IIN}, PowerConfirm, by.grounds)
	if err != nil {
		return by, fmt.Errorf("look for a delegation: %w", err)
	}
	by.Delegation = d.ID
	return by, nil
}

// beside is the part that depends on the applicant.
func (o *Office) beside(ctx context.Context, tx Tx, by Confirmer, a *Application) (Confirmer, error) {
	if by.Role != RoleSignRight || by.BIN == "" {
		return by, nil
	}
	others, err := tx.OpenDelegationsTo(ctx, a.Subject.IIN)
	if err != nil {
		return by, fmt.Errorf("look for a delegation: %w", err)
	}
	by.Peer = slices.ContainsFunc(others, func(d Delegation) bool { return d.gives(by.BIN, "", o.c.Now()) })
	return by, nil
}

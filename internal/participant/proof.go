package participant

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"senim/pki"
	"senim/tsp"
)

// ProofKind is what a piece of proof is; it ends the name of its file.
type ProofKind string

// The kinds of proof.
const (
	ProofChecks ProofKind = "json" // what was found about the certificate: [Evidence]
	ProofStamp  ProofKind = "tst"  // a time-stamp over the signed document, or over the list of digests before it
	ProofAnswer ProofKind = "ocsp" // an OCSP answer about a certificate
	ProofList   ProofKind = "crl"
	ProofSums   ProofKind = "txt" // a list of digests of the signed document and of all proof before it
)

// Proof is a piece of what makes a signature verifiable without us, also when every certificate in it has ended.
type Proof struct {
	Kind ProofKind
	Body []byte
	Made time.Time
	// Ends is when a certificate ends by which it is verified; zero: it is not renewed.
	Ends time.Time
	// Covered: a later time-stamp proves when it existed.
	Covered bool
}

// Answers gives what authorities sign about certificates.
type Answers interface {
	// About gives OCSP answers or lists, as of now, that tell the status of the certificate and of the authorities
	// between it and its root; an error when nobody tells of the certificate itself.
	About(ctx context.Context, cert *pki.Certificate) ([]Proof, error)
}

// ProofTx is the part of [Tx] that keeps proof of signatures: of agreements and of acts.
type ProofTx interface {
	// AddProofs appends to what is kept of a signature; of equal bodies one is kept.
	AddProofs(ctx context.Context, of string, all []Proof) error
	Proofs(ctx context.Context, of string) ([]Proof, error)
	// CoverProofs marks the first n.
	CoverProofs(ctx context.Context, of string, n int) error
	// EndingProofs lists signatures, by id from after on, with proof that is not covered and ends before the moment.
	EndingProofs(ctx context.Context, before time.Time, after string, limit int) ([]string, error)
}

// proved is the proof of one signature, and what the audit says of it.
type proved struct {
	proofs []Proof
	token  []byte
	detail map[string]string
}

// with adds what the audit says of it.
func (p proved) with(detail map[string]string) map[string]string {
	maps.Copy(detail, p.detail)
	return detail
}

// prove gathers proof of a signature just made, by a certificate that was found good: it is stamped, then the
// authorities are asked about the signer and about who stamped. What cannot be had is recorded, and is no refusal.
func (o *Office) prove(ctx context.Context, signed []byte, cert *pki.Certificate, e Evidence) (proved, error) {
	ctx, stop := context.WithTimeout(ctx, stampWait)
	defer stop()
	p := proved{detail: map[string]string{}}
	checks, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return p, fmt.Errorf("write evidence: %w", err)
	}
	p.token, p.detail["timestamp"] = o.stamped(ctx, signed)
	about, result := o.answers(ctx, cert)
	p.detail["answers"] = result
	if len(p.token) > 0 {
		stamp, more, result := o.stampProof(ctx, p.token)
		p.proofs, p.detail["stamp_answers"] = append(p.proofs, stamp), result
		about = append(about, more...)
	} else {
		for i := range about {
			about[i].Ends = time.Time{} // nothing proves when the signature was: there is nothing to renew
		}
	}
	p.proofs = append(append(p.proofs, about...), Proof{Kind: ProofChecks, Body: checks, Made: o.now()})
	return p, nil
}

// answers asks about a certificate; result is what the audit says of it.
func (o *Office) answers(ctx context.Context, cert *pki.Certificate) (all []Proof, result string) {
	if o.c.Answers == nil {
		return nil, "none"
	}
	all, err := o.c.Answers.About(ctx, cert)
	if err != nil || len(all) == 0 {
		return nil, "unavailable"
	}
	return all, "ok"
}

// stampProof is a token, and what is said of who made it.
func (o *Office) stampProof(ctx context.Context, token []byte) (stamp Proof, about []Proof, result string) {
	stamp = Proof{Kind: ProofStamp, Body: token, Made: o.now()}
	authority := stampedBy(token)
	if authority == nil {
		return stamp, nil, "unavailable"
	}
	stamp.Ends = authority.NotAfter
	about, result = o.answers(ctx, authority)
	return stamp, about, result
}

// stampedBy is the certificate that made a token; nil when the token does not carry it, or does not hold.
func stampedBy(token []byte) *pki.Certificate {
	t, err := tsp.ParseToken(token)
	if err != nil {
		return nil
	}
	cert, err := t.Verify()
	if err != nil {
		return nil
	}
	return cert
}

// File is a file of what a person may take with him.
type File struct {
	Name string
	Body []byte
}

// files are a signed document and its proof as files. Their names are those that lists of digests have, so they never
// change once given.
func files(name string, document []byte, proofs []Proof) []File {
	all := []File{{name, document}}
	names := map[ProofKind]string{ProofChecks: "checks", ProofStamp: "stamp", ProofAnswer: "answer", ProofList: "list", ProofSums: "sums"}
	count := map[ProofKind]int{}
	for _, p := range proofs {
		count[p.Kind]++
		all = append(all, File{fmt.Sprintf("%s-%d.%s", names[p.Kind], count[p.Kind], p.Kind), p.Body})
	}
	return all
}

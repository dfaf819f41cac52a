package main

import (
	"context"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/internal/ask"
	"senim/internal/trust"
	"senim/pki"
	"senim/tsp"
)

type timestamp struct {
	URL        string        `name:"url" xor:"act" help:"Ask the time-stamping authority at this address, as http://tsp.pki.gov.kz." placeholder:"URL"`
	RequestOut string        `xor:"act" help:"Write the request instead of sending it." placeholder:"FILE"`
	Response   string        `xor:"act" help:"Take this answer instead of asking." placeholder:"FILE"`
	Verify     string        `xor:"act" help:"Verify this time-stamp over the file." placeholder:"FILE"`
	Request    string        `help:"The request that --response answers: its nonce and policy are compared too." placeholder:"FILE"`
	Add        string        `help:"Time-stamp the signature in this CMS file and put the stamp into it (CAdES-T), in place of a FILE." placeholder:"P7S"`
	Signer     int           `default:"1" help:"Whose signature of --add, counted from 1 as inspect lists them." placeholder:"N"`
	Out        string        `help:"Where the time-stamp, or the message with it, goes; it must not exist." placeholder:"FILE"`
	Policy     string        `default:"gost512" help:"Policy, which chooses the key: gost512 (default), gost2004, rsa or an object identifier." placeholder:"NAME|OID"`
	Hash       string        `enum:"auto,streebog512,streebog256,gost34311,sha256,sha384,sha512" default:"auto" help:"Digest of the file; by default that of the policy." placeholder:"NAME"`
	Nonce      bool          `default:"true" negatable:"" help:"Put a random number into the request, so that an old answer cannot be sent again."`
	Timeout    time.Duration `default:"30s" help:"How long the authority has to answer." placeholder:"TIME"`
	trusting
	JSON bool   `name:"json" help:"Answer in JSON."`
	File string `arg:"" optional:"" help:"What is, or was, time-stamped, of any size; - is standard input."`
}

// Help is what --help adds.
func (*timestamp) Help() string {
	return `A time-stamp proves that bytes existed at a time. Its answer is checked before anything is written: that
it is over these bytes, carries the nonce and the policy, and that an authority for time-stamping signed it;
with --trust also whose authority that is.

  senim timestamp --url http://tsp.pki.gov.kz --out act.tst act.pdf
  senim timestamp --url http://tsp.pki.gov.kz --add act.p7s --out act-t.p7s
  senim timestamp --verify act.tst --trust authorities/ --crl nca.crl act.pdf

Without a network, on two machines:

  senim timestamp --request-out act.tsq act.pdf
  senim timestamp --response act.tsr --request act.tsq --out act.tst act.pdf

The network is spoken to only with --url, and only there; redirects are not followed.`
}

// policies are those of the national authority, with the digest usual for each.
var policies = map[string]struct {
	oid  asn1.ObjectIdentifier
	hash algid.Hash
}{
	"gost512": {tsp.PolicyGOST512, algid.Streebog512}, "gost2004": {tsp.PolicyGOST2004, algid.GOST34311}, "rsa": {tsp.PolicyRSA, algid.SHA256},
}

func (c *timestamp) run(ctx context.Context, p *program) (int, error) {
	if err := c.misused(p); err != nil {
		return 0, err
	}
	if c.Verify != "" {
		return c.verify(ctx, p)
	}
	q, message, err := c.question(ctx, p)
	if err != nil {
		return 0, err
	}
	der, err := tsp.CreateRequest(q)
	if err != nil {
		return 0, err
	}
	if c.RequestOut != "" {
		if err := p.write(c.RequestOut, der); err != nil {
			return 0, err
		}
		p.line("The request for a time-stamp of %s is in %s.", c.over(), c.RequestOut)
		p.line("Send it as %s; what comes back goes to --response,", ask.TSP.Question)
		p.line("with --request %s.", c.RequestOut)
		return statusGood, nil
	}
	var answer []byte
	if c.URL != "" {
		answer, err = p.post(ctx, c.URL, ask.TSP, der, maxStamp, c.Timeout)
	} else {
		answer, err = p.read(c.Response)
	}
	if err != nil {
		return 0, err
	}
	token, err := c.answered(p, answer, q)
	if err != nil {
		return 0, err
	}
	return c.finish(ctx, p, token, message)
}

// over is what the stamp is over, in words.
func (c *timestamp) over() string {
	if c.Add != "" {
		return fmt.Sprintf("signature %d of %s", c.Signer, c.Add)
	}
	return c.File
}

// misused refuses what does not go together, before anything is read.
func (c *timestamp) misused(p *program) error {
	what := c.URL + c.RequestOut + c.Response + c.Verify
	switch {
	case what == "":
		return &hinted{errors.New("nothing was asked for"), "one of --url, --request-out, --response and --verify"}
	case (c.Add == "") == (c.File == ""):
		return &hinted{errors.New("either a FILE or --add FILE is time-stamped"), "senim timestamp --help shows both"}
	case c.Verify != "" && c.Add != "":
		return &hinted{errors.New("--verify is for time-stamps beside a file"), "senim verify looks at a message with its stamps"}
	case c.Request != "" && c.Response == "":
		return &hinted{errors.New("--request goes with --response"), "--request-out FILE writes one"}
	case (c.URL != "" || c.Response != "") && c.Out == "":
		return &hinted{errors.New("nowhere to put the time-stamp"), "--out FILE"}
	case (c.RequestOut != "" || c.Verify != "") && c.Out != "":
		return &hinted{errors.New("there is no time-stamp to put into --out"), "it goes with --url and --response"}
	case c.RequestOut != "":
		return p.free(c.RequestOut)
	case c.Out != "":
		return p.free(c.Out)
	}
	return nil
}

// question is what is asked, and the message the stamp will go into, if any.
func (c *timestamp) question(ctx context.Context, p *program) (tsp.Request, []byte, error) {
	q := tsp.Request{Certificate: true}
	hash := algid.Streebog512
	if known, ok := policies[strings.ToLower(c.Policy)]; ok {
		q.Policy, hash = known.oid, known.hash
	} else if own, err := pki.ParseOID(c.Policy); err == nil {
		q.Policy = own
	} else {
		return q, nil, &hinted{fmt.Errorf("--policy %s: not known", c.Policy), "gost512, gost2004, rsa or an object identifier as 1.2.398.3.3.2.6.4"}
	}
	if c.Hash != "auto" {
		hash = algorithms[c.Hash]
	}
	if c.Request != "" {
		asked, err := p.read(c.Request)
		if err != nil {
			return q, nil, err
		}
		r, err := tsp.ParseRequest(asked)
		if err != nil {
			return q, nil, fmt.Errorf("read %s: %w", c.Request, err)
		}
		if r.Imprint.Hash == 0 {
			return q, nil, fmt.Errorf("read %s: it asks for a digest that is not known here", c.Request)
		}
		q, hash = *r, r.Imprint.Hash
	} else if c.Nonce && c.Response == "" {
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
		if err != nil {
			return q, nil, err
		}
		q.Nonce = n
	}
	imprint, message, err := c.imprint(ctx, p, hash)
	if err != nil {
		return q, nil, err
	}
	if c.Request != "" && !q.Imprint.Equal(imprint) {
		return q, nil, &notGood{fmt.Errorf("%s asks for a time-stamp over other bytes than %s", c.Request, c.over())}
	}
	q.Imprint = imprint
	return q, message, nil
}

// imprint is the digest of the file, or of the signature inside a message (RFC 5126 6.1.1).
func (c *timestamp) imprint(ctx context.Context, p *program, h algid.Hash) (tsp.Imprint, []byte, error) {
	if c.Add == "" {
		sum, err := p.digest(ctx, c.File, h)
		return tsp.Imprint{Hash: h, HashOID: h.OID(), Digest: sum}, nil, err
	}
	things, err := p.open(c.Add)
	if err != nil {
		return tsp.Imprint{}, nil, err
	}
	if len(things) != 1 || things[0].kind != kindCMS {
		return tsp.Imprint{}, nil, &hinted{fmt.Errorf("read %s: a %s, not a CMS message", c.Add, things[0].kind), "a FILE of another kind is time-stamped beside: leave --add out"}
	}
	signers := things[0].cms.Signers()
	if c.Signer < 1 || c.Signer > len(signers) {
		return tsp.Imprint{}, nil, &hinted{fmt.Errorf("--signer %d: %s has %s", c.Signer, c.Add, count(len(signers), "signature")), "senim inspect lists them in order"}
	}
	return tsp.NewImprint(h, signers[c.Signer-1].SignatureValue), things[0].cms.Raw(), nil
}

// answered reads an answer and holds it against the question. What does not fit is not kept.
func (c *timestamp) answered(p *program, answer []byte, q tsp.Request) (*tsp.Token, error) {
	r, err := tsp.ParseResponse(answer)
	if err != nil {
		return nil, &notGood{fmt.Errorf("the answer cannot be read: %w", err)}
	}
	if r.Token == nil {
		return nil, &notGood{fmt.Errorf("the authority refused: %s", joined(": ", failureWords(r), r.Text))}
	}
	if err := r.Answers(q); err != nil {
		return nil, &notGood{fmt.Errorf("the answer does not fit the question: %w", err)}
	}
	if _, err := r.Token.Verify(); err != nil {
		return nil, &notGood{err}
	}
	if now := p.Now(); c.URL != "" && (r.Token.Time.Before(now.Add(-drift)) || r.Token.Time.After(now.Add(drift))) {
		p.tell("warning: the time-stamp says %s, the clock here %s", stamp(r.Token.Time), stamp(now))
	}
	return r.Token, nil
}

// maxStamp bounds the answer of a time-stamping authority, in bytes.
const maxStamp = 256 << 10

// drift is how far the clocks of an authority and of this machine may be apart without a word.
const drift = 10 * time.Minute

// finish judges the authority as far as it was asked to, and writes.
func (c *timestamp) finish(ctx context.Context, p *program, token *tsp.Token, message []byte) (int, error) {
	s, err := c.stamp(ctx, p, token)
	if err != nil {
		return 0, err
	}
	if c.Trust != "" && s.Verdict != trust.Good {
		s.answer(p, c.JSON, c.over()+": the time-stamp is not kept, its authority did not check out good.")
		return statusBad, nil
	}
	out := token.Raw()
	if message != nil {
		if out, err = cms.AddTimestamp(message, c.Signer-1, out); err != nil {
			return 0, err
		}
		if len(out) > cms.MaxSize {
			return 0, fmt.Errorf("write %s: a message may have %d MiB", c.Out, cms.MaxSize>>20)
		}
	}
	if err := p.write(c.Out, out); err != nil {
		return 0, err
	}
	s.answer(p, c.JSON, fmt.Sprintf("%s existed at %s; the time-stamp is in %s.", c.over(), stamp(token.Time), c.Out))
	return statusGood, nil
}

// verify holds a time-stamp against a file.
func (c *timestamp) verify(ctx context.Context, p *program) (int, error) {
	raw, err := p.read(c.Verify)
	if err != nil {
		return 0, err
	}
	der, err := cms.Decode(raw)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", c.Verify, err)
	}
	token, err := tsp.ParseToken(der)
	if err != nil {
		if _, answer := tsp.ParseResponse(raw); answer == nil {
			err = &hinted{errors.New("an answer of an authority, not a time-stamp"), "--response takes it and writes the time-stamp"}
		}
		return 0, fmt.Errorf("read %s: %w", c.Verify, err)
	}
	if token.Imprint.Hash == 0 {
		return 0, fmt.Errorf("read %s: its digest %v is not known here", c.Verify, token.Imprint.HashOID)
	}
	imprint, _, err := c.imprint(ctx, p, token.Imprint.Hash)
	if err != nil {
		return 0, err
	}
	s, err := c.stamp(ctx, p, token)
	if err != nil {
		return 0, err
	}
	over := trust.Check{Name: "imprint", Verdict: trust.Good, Evidence: map[string]string{"hash": token.Imprint.Hash.String()}}
	if !token.Imprint.Equal(imprint) {
		over.Verdict, over.Code, over.Evidence["error"] = trust.Bad, codeSignature, tsp.ErrImprint.Error()
	}
	s.Checks = append(trust.Report{over}, s.Checks...)
	s.conclude()
	sentence := map[trust.Verdict]string{
		trust.Good: "%s existed at %s.", trust.Bad: "%s: the time-stamp is not valid; it claims %s.",
		trust.Unknown: "%s: the time-stamp, of %s, is neither proved nor disproved.",
	}[s.Verdict]
	s.answer(p, c.JSON, fmt.Sprintf(sentence, c.File, stamp(token.Time)))
	if s.Verdict == trust.Good {
		return statusGood, nil
	}
	return statusBad, nil
}

// failureWords says why an authority refused (RFC 3161 2.4.2).
func failureWords(r *tsp.Response) string {
	if !r.Failed {
		return "status " + strconv.Itoa(r.Status)
	}
	words := map[tsp.Failure]string{
		tsp.BadAlgorithm: "it does not know the digest", tsp.BadRequest: "it does not allow the request", tsp.BadDataFormat: "it cannot read the request",
		tsp.TimeNotAvailable: "it has no time now", tsp.UnacceptedPolicy: "it does not have the policy", tsp.UnacceptedExtension: "it does not know an extension",
		tsp.AddInfoNotAvailable: "it cannot say what was asked besides", tsp.SystemFailure: "it fails within",
	}
	if w := words[r.Failure]; w != "" {
		return w
	}
	return "failure " + strconv.Itoa(int(r.Failure))
}

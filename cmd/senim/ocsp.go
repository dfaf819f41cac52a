package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"senim/algid"
	"senim/internal/ask"
	"senim/internal/revocation"
	"senim/internal/trust"
	"senim/ocsp"
	"senim/pki"
)

type ocspAsk struct {
	Issuer     string        `required:"" help:"Certificate of the authority that issued the certificates." placeholder:"CER"`
	URL        string        `name:"url" xor:"act" help:"Ask the responder at this address, as http://ocsp.pki.gov.kz." placeholder:"URL"`
	RequestOut string        `xor:"act" help:"Write the request instead of sending it." placeholder:"FILE"`
	Response   string        `xor:"act" help:"Take this answer instead of asking." placeholder:"FILE"`
	Request    string        `help:"The request that --response answers: its nonce is compared too." placeholder:"FILE"`
	Out        string        `help:"Keep the answer of the responder in a new file." placeholder:"FILE"`
	Hash       string        `enum:"sha256,sha1" default:"sha256" help:"Digest that names certificates in the request: sha256 (default), or sha1 for old responders." placeholder:"NAME"`
	Nonce      bool          `default:"true" negatable:"" help:"Put random bytes into the request, so that an old answer cannot be sent again."`
	MaxAge     time.Duration `default:"15m" help:"How old an answer may be; 15m by default." placeholder:"TIME"`
	Timeout    time.Duration `default:"10s" help:"How long the responder has to answer." placeholder:"TIME"`
	At         string        `help:"Judge the answer as of this moment (RFC 3339); default now." placeholder:"TIME"`
	JSON       bool          `name:"json" help:"Answer in JSON."`
	Files      []string      `arg:"" name:"cer" help:"Certificates to ask about; those of the issuer alone."`
}

// Help is what --help adds.
func (*ocspAsk) Help() string {
	return `The answer counts when the issuer, or a responder it certified, signed it, it carries the nonce, and is not
older than --max-age. Whether the issuer itself can be trusted is for senim verify to say.

  senim ocsp --issuer nca.cer --url http://ocsp.pki.gov.kz key.cer
  senim ocsp --issuer nca.cer --url http://ocsp.pki.gov.kz --json a.cer b.cer

Without a network, on two machines:

  senim ocsp --issuer nca.cer --request-out q.orq key.cer
  senim ocsp --issuer nca.cer --response a.ors --request q.orq --max-age 24h \
      key.cer

Exit status: 0 all good, 1 one is revoked or not known or could not be asked about. The network is spoken
to only with --url, and only there; redirects are not followed.`
}

// asked is one certificate and what the responder says of it.
type asked struct {
	File        string            `json:"file"`
	Certificate *card             `json:"certificate"`
	State       trust.State       `json:"state"`
	RevokedAt   string            `json:"revokedAt,omitempty"`
	Reason      string            `json:"reason,omitempty"`
	Error       string            `json:"error,omitempty"`
	Evidence    map[string]string `json:"evidence,omitempty"`

	cert *pki.Certificate
}

func (c *ocspAsk) run(ctx context.Context, p *program) (int, error) {
	at, err := (&trusting{At: c.At}).moment(p)
	if err != nil {
		return 0, err
	}
	if err := c.misused(p); err != nil {
		return 0, err
	}
	q, all, err := c.question(p)
	if err != nil {
		return 0, err
	}
	der, err := q.Marshal()
	if err != nil {
		return 0, err
	}
	if c.RequestOut != "" {
		if err := p.write(c.RequestOut, der); err != nil {
			return 0, err
		}
		p.line("The request about %s is in %s.", count(len(all), "certificate"), c.RequestOut)
		p.line("Send it as %s; what comes back goes to --response,", ask.OCSP.Question)
		p.line("with --request %s.", c.RequestOut)
		return statusGood, nil
	}
	var raw []byte
	if c.URL != "" {
		raw, err = p.post(ctx, c.URL, ask.OCSP, der, revocation.MaxAnswer, c.Timeout)
	} else {
		raw, err = p.read(c.Response)
	}
	if err != nil {
		return 0, err
	}
	answer, err := q.Read(raw, at)
	if err != nil {
		return 0, c.uncounted(err)
	}
	if c.Out != "" {
		if err := p.write(c.Out, raw); err != nil {
			return 0, err
		}
	}
	if !answer.Signer.NoCheck && string(answer.Signer.Raw) != string(q.Issuer.Raw) {
		p.tell("warning: the responder's certificate has no nocheck, and whether it is revoked was not asked")
	}
	status := statusGood
	for i := range all {
		all[i].take(answer.Status(all[i].cert.Serial))
		if all[i].State != trust.StateGood {
			status = statusBad
		}
	}
	c.say(p, all, answer, at)
	return status, nil
}

// uncounted is an answer nobody can rely on.
func (c *ocspAsk) uncounted(err error) error {
	err = fmt.Errorf("the answer does not count: %w", err)
	if c.Response != "" && errors.Is(err, ocsp.ErrSigner) {
		err = &hinted{err, "an answer of the past is judged as of its time with --at and --max-age"}
	}
	return &notGood{err}
}

func (c *ocspAsk) misused(p *program) error {
	switch {
	case c.URL+c.RequestOut+c.Response == "":
		return &hinted{errors.New("nobody was named to ask"), "one of --url, --request-out and --response"}
	case c.Request != "" && c.Response == "":
		return &hinted{errors.New("--request goes with --response"), "--request-out FILE writes one"}
	case c.Out != "" && c.RequestOut != "":
		return &hinted{errors.New("there is no answer to put into --out"), "it goes with --url and --response"}
	case c.MaxAge <= 0:
		return &hinted{fmt.Errorf("--max-age %s: nothing is that young", c.MaxAge), "write it as 15m or 24h"}
	case c.RequestOut != "":
		return p.free(c.RequestOut)
	case c.Out != "":
		return p.free(c.Out)
	}
	return nil
}

// question reads the issuer and the certificates, which must be of it.
func (c *ocspAsk) question(p *program) (revocation.Question, []asked, error) {
	q := revocation.Question{Hash: algid.SHA256, MaxAge: c.MaxAge}
	if c.Hash == "sha1" {
		q.Hash = algid.SHA1
	}
	issuers, err := p.certificates(c.Issuer)
	if err != nil {
		return q, nil, err
	}
	if len(issuers) != 1 {
		return q, nil, fmt.Errorf("read %s: %s, and one issuer is wanted", c.Issuer, count(len(issuers), "certificate"))
	}
	q.Issuer = issuers[0]
	var all []asked
	for _, name := range c.Files {
		certs, err := p.certificates(name)
		if err != nil {
			return q, nil, err
		}
		for _, cert := range certs {
			if err := cert.CheckSignatureFrom(q.Issuer); err != nil {
				return q, nil, &hinted{fmt.Errorf("%s: not issued by %s", name, c.Issuer), "its issuer is " + cert.Issuer.String()}
			}
			all = append(all, asked{File: name, Certificate: newCard(cert), cert: cert})
			q.Serials = append(q.Serials, cert.Serial)
		}
	}
	return q, all, c.nonce(p, &q)
}

// nonce makes a new one, or takes that of the request an answer is for.
func (c *ocspAsk) nonce(p *program, q *revocation.Question) error {
	if c.Request == "" {
		if !c.Nonce || c.Response != "" {
			return nil
		}
		var err error
		q.Nonce, err = revocation.NewNonce()
		return err
	}
	der, err := p.read(c.Request)
	if err != nil {
		return err
	}
	r, err := ocsp.ParseRequest(der)
	if err != nil {
		return fmt.Errorf("read %s: %w", c.Request, err)
	}
	about := func(serial *big.Int) bool {
		for _, id := range r.IDs {
			if id.Serial.Cmp(serial) == 0 && id.IssuedBy(q.Issuer) {
				return true
			}
		}
		return false
	}
	for i, serial := range q.Serials {
		if !about(serial) {
			return fmt.Errorf("%s does not ask about certificate %d of those given", c.Request, i+1)
		}
	}
	q.Nonce = r.Nonce
	return nil
}

// certificates reads a file that holds certificates and nothing else.
func (p *program) certificates(name string) ([]*pki.Certificate, error) {
	things, err := p.open(name)
	if err != nil {
		return nil, err
	}
	var out []*pki.Certificate
	for _, t := range things {
		if t.kind != kindCertificate {
			return nil, &hinted{fmt.Errorf("read %s: a %s, not a certificate", name, t.kind), "senim convert --to certificate takes certificates out of key files and signatures"}
		}
		out = append(out, t.certificate)
	}
	return out, nil
}

// take notes the answer about the certificate.
func (a *asked) take(st trust.Status, err error) {
	a.State, a.Evidence, a.Error = st.State, st.Evidence, st.Err
	if err != nil {
		a.State, a.Error = trust.StateUnknown, err.Error()
	}
	if a.State == trust.StateRevoked {
		a.RevokedAt, a.Reason = stamp(st.RevokedAt), trust.ReasonName(st.Reason)
	}
}

// sentence says the answer about all certificates in one line.
func sentence(all []asked) string {
	counts := map[trust.State]int{}
	for _, a := range all {
		counts[a.State]++
	}
	if len(all) == 1 {
		return all[0].File + map[trust.State]string{
			trust.StateGood: ": the certificate is not revoked.", trust.StateRevoked: ": the certificate is revoked.",
			trust.StateUnknown: ": whether the certificate is revoked is not known.",
		}[all[0].State]
	}
	return joined(", ", fmt.Sprintf("%d of %s not revoked", counts[trust.StateGood], count(len(all), "certificate")),
		some(counts[trust.StateRevoked], "revoked"), some(counts[trust.StateUnknown], "not known")) + "."
}

func some(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, what)
}

func (c *ocspAsk) say(p *program, all []asked, answer *revocation.Answer, at time.Time) {
	if c.JSON {
		p.json(struct {
			Responder *card   `json:"responder"`
			Produced  string  `json:"producedAt"`
			Answers   []asked `json:"answers"`
		}{newCard(answer.Signer), stamp(answer.ProducedAt), all})
		return
	}
	p.line("%s", sentence(all))
	p.line("Answered at %s by %s.", stamp(answer.ProducedAt), answer.Signer.Subject.Get(pki.OIDCommonName))
	verdicts := map[trust.State]trust.Verdict{trust.StateGood: trust.Good, trust.StateRevoked: trust.Bad, trust.StateUnknown: trust.Unknown}
	for _, a := range all {
		p.line("")
		a.Certificate.print(p, at)
		what := prefixed("revoked at ", joined(", reason ", a.RevokedAt, a.Reason)) + a.Error
		if a.State == trust.StateGood {
			what = "as of " + joined(", next word by ", a.Evidence["thisUpdate"], a.Evidence["nextUpdate"])
		}
		p.line("  %-11s %s %s", trust.CheckRevocation, p.verdict(verdicts[a.State]), what)
	}
}

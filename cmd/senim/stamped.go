package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/trust"
	"senim/tsp"
)

// trusting are the options that say what is trusted and as of when.
type trusting struct {
	Trust        string   `help:"Directory with the certificates of the authorities you trust." placeholder:"DIR"`
	At           string   `help:"Judge as of this moment (RFC 3339); default now." placeholder:"TIME"`
	CRL          []string `name:"crl" sep:"none" help:"Revocation list; may be given several times." placeholder:"FILE"`
	NoRevocation bool     `help:"Do not ask whether certificates are revoked; the check is listed as skipped."`
}

// moment is the time as of which is judged.
func (o *trusting) moment(p *program) (time.Time, error) {
	if o.NoRevocation && len(o.CRL) > 0 {
		return time.Time{}, &hinted{errors.New("--crl and --no-revocation exclude each other"), "leave one of them out"}
	}
	if o.At == "" {
		return p.Now(), nil
	}
	at, err := time.Parse(time.RFC3339, o.At)
	if err != nil {
		return at, &hinted{fmt.Errorf("--at %s: not a moment in time", o.At), "write it as 2026-09-01T00:00:00Z"}
	}
	return at, nil
}

// gather reads what is trusted; the caller calls close.
func (o *trusting) gather(p *program) (*trusted, error) {
	at, err := o.moment(p)
	if err != nil {
		return nil, err
	}
	return p.gather(o.Trust, o.CRL, o.NoRevocation, at)
}

// stamped is a time-stamp and what is found out about it. Verdict, checks and authority are those of
// a subject.
type stamped struct {
	Time   string `json:"time"`
	Policy string `json:"policy"`
	Hash   string `json:"hash"`
	Serial string `json:"serial"`
	subject

	authorityUnchecked bool
	at                 time.Time
}

// stamp checks a token by itself: its signature, then its authority's certificate.
func (c *timestamp) stamp(ctx context.Context, p *program, token *tsp.Token) (*stamped, error) {
	t, err := c.gather(p)
	if err != nil {
		return nil, err
	}
	defer t.close()
	s := &stamped{Time: stamp(token.Time), Policy: token.Policy.String(), Hash: token.Imprint.Hash.String(), Serial: token.Serial.Text(16), at: t.at}
	cert, err := token.Verify()
	if err != nil {
		s.Checks = append(trust.Report{bad(err)}, unmade()...)
		s.conclude()
		return s, nil
	}
	s.Signer = newCard(cert)
	s.Checks = trust.Report{{Name: "signature", Verdict: trust.Good, Evidence: map[string]string{"key": cert.Key.String()}}}
	s.authorityUnchecked = c.Trust == "" && c.Verify == ""
	if !s.authorityUnchecked {
		checks, err := t.certificate(ctx, cert, trust.Any)
		if err != nil {
			return nil, err
		}
		s.Checks = append(s.Checks, checks...)
	}
	s.conclude()
	return s, nil
}

// conclude takes the verdict of the checks that were made.
func (s *stamped) conclude() {
	var made trust.Report
	for _, c := range s.Checks {
		if c.Verdict != skipped {
			made = append(made, c)
		}
	}
	s.Verdict = made.Verdict()
}

// answer says the sentence and shows what was checked; to machines the same as facts.
func (s *stamped) answer(p *program, asJSON bool, sentence string) {
	if asJSON {
		p.json(s)
		return
	}
	p.line("%s", sentence)
	if s.Signer != nil {
		s.Signer.print(p, s.at)
	}
	p.row("Policy", s.Policy)
	p.row("Digest", s.Hash)
	hints := map[string]bool{}
	for _, c := range s.Checks {
		p.line("  %-11s %s %s", c.Name, p.verdict(c.Verdict), explain(c))
		if h := advice(c); h != "" {
			hints[h] = true
		}
	}
	if s.authorityUnchecked {
		p.line("Whether its authority can be trusted was not checked: --trust DIR does that.")
	}
	for _, h := range order {
		if hints[h] {
			p.line("hint: %s", h)
		}
	}
}

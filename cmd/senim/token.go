package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"senim/internal/trust"
	"senim/jwt"
)

// kindToken is a JSON Web Token.
const kindToken = "JWT"

const (
	checkDates = "dates"
	codePast   = "TOKEN_EXPIRED"
	codeFuture = "TOKEN_NOT_YET_VALID"
)

// recogniseToken reads a token; ok is false when the text does not look like one.
func recogniseToken(text []byte) (t thing, ok bool, err error) {
	text = bytes.TrimRight(text, " \t\r\n")
	if !bytes.HasPrefix(text, []byte("eyJ")) || bytes.Count(text, []byte(".")) != 2 {
		return t, false, nil
	}
	t.kind = kindToken
	t.token, err = jwt.Parse(string(text))
	return t, true, err
}

// checkToken verifies a token with the certificate the caller names: a token carries none.
func (c *verify) checkToken(ctx context.Context, p *program, t *trusted, token *jwt.Token) ([]subject, error) {
	if c.Certificate == "" {
		return nil, &hinted{fmt.Errorf("verify %s: a token carries no certificate", c.File), "--certificate FILE, with the certificate of who should have signed it"}
	}
	things, err := p.open(c.Certificate)
	if err != nil {
		return nil, err
	}
	if len(things) != 1 || things[0].kind != kindCertificate {
		return nil, &hinted{fmt.Errorf("read %s: a %s, not one certificate", c.Certificate, things[0].kind), "--certificate takes the certificate of the signer"}
	}
	cert := things[0].certificate
	signature := trust.Check{Name: "signature", Verdict: trust.Good, Evidence: map[string]string{
		"method": token.Algorithm, "key": cert.Key.String(), "covers": "header and claims",
	}}
	if err := token.Verify(cert.PublicKey); err != nil {
		signature = bad(err)
		signature.Evidence["token"] = token.Algorithm
	}
	s, err := t.signer(ctx, signature, cert)
	if err != nil {
		return nil, err
	}
	s.Checks = append(s.Checks, dates(token, t))
	return []subject{s}, nil
}

// dates is the check of the times a token names.
func dates(token *jwt.Token, t *trusted) trust.Check {
	claims := token.Claims
	check := trust.Check{Name: checkDates, Verdict: trust.Good, Evidence: map[string]string{"at": stamp(t.at)}}
	if !claims.Expires.IsZero() {
		check.Evidence["expires"] = stamp(claims.Expires)
	}
	if !claims.NotBefore.IsZero() {
		check.Evidence["notBefore"] = stamp(claims.NotBefore)
	}
	if !claims.IssuedAt.IsZero() {
		check.Evidence["issuedAt"] = stamp(claims.IssuedAt)
	}
	if err := token.ValidAt(t.at); err != nil {
		check.Verdict, check.Code, check.Evidence["error"] = trust.Bad, codeFuture, err.Error()
		if errors.Is(err, jwt.ErrExpired) {
			check.Code = codePast
		}
	}
	return check
}

// explainDates says in words what a token says of its time.
func explainDates(e map[string]string) string {
	if said := joined(", ", prefixed("issued ", e["issuedAt"]), prefixed("from ", e["notBefore"]), prefixed("until ", e["expires"])); said != "" {
		return said
	}
	return "the token names no time: it is good for ever"
}

// tokenFacts is what inspect says of a token.
type tokenFacts struct {
	Algorithm string          `json:"algorithm"`
	Header    json.RawMessage `json:"header"`
	Claims    json.RawMessage `json:"claims"`
}

func describeToken(t *jwt.Token) *tokenFacts {
	return &tokenFacts{Algorithm: t.Algorithm, Header: t.Header, Claims: t.Payload}
}

func (f *tokenFacts) print(p *program, file string) {
	p.line("%s is a JSON Web Token; it carries no certificate.", file)
	p.row("Algorithm", f.Algorithm)
	var b bytes.Buffer
	if err := json.Indent(&b, f.Claims, "  ", "  "); err != nil {
		return // it was parsed: there is nothing else to show
	}
	p.line("  Claims")
	for _, line := range strings.Split("  "+b.String(), "\n") {
		p.line("%s", line)
	}
}

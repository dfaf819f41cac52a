package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"senim/cades"
	"senim/dsig"
	"senim/internal/trust"
	"senim/tsp"
)

// signedXML judges one XML signature as those of CMS are judged: at the time its time-stamps prove.
func (c *verify) signedXML(ctx context.Context, p *program, t *trusted, check trust.Check, v *dsig.Verified) (subject, error) {
	by, err := c.by(p, t)
	if err != nil {
		return subject{}, err
	}
	x := v.XAdES
	if x == nil {
		x = new(dsig.XAdES)
	}
	var tokens []*tsp.Token
	for _, s := range x.Timestamps {
		tokens = append(tokens, s.Token)
	}
	outside, err := c.outside(p)
	if err != nil {
		return subject{}, err
	}
	tokens = append(tokens, outside...)
	judged, err := cades.Judge(v.Certificate, x.SigningTime, tokens, by)
	if err != nil {
		return subject{}, err
	}
	if !x.SigningTime.IsZero() {
		check.Evidence["signingTime"] = stamp(x.SigningTime)
	}
	out, err := t.signatory(ctx, check, judged, beside{evidence: len(by.Answers) > 0})
	out.Level = string(x.Level)
	for _, w := range x.Warnings {
		if !slices.Contains(out.Warnings, w) {
			out.Warnings = append(out.Warnings, w)
		}
	}
	return out, err
}

// outside reads the time-stamps kept beside the file. Each must be over exactly its bytes and signed for
// time-stamping; whose authority it is the judge finds out.
func (c *verify) outside(p *program) ([]*tsp.Token, error) {
	if len(c.Timestamp) == 0 {
		return nil, nil
	}
	if c.File == "-" {
		return nil, &hinted{errors.New("--timestamp does not go with standard input"), "give the signed file by its name"}
	}
	file, err := p.read(c.File)
	if err != nil {
		return nil, err
	}
	var tokens []*tsp.Token
	for _, name := range c.Timestamp {
		der, err := p.read(name)
		if err != nil {
			return nil, err
		}
		token, err := tsp.ParseToken(der)
		if err == nil {
			err = token.Covers(file)
		}
		if err == nil {
			_, err = token.Verify()
		}
		if err != nil {
			return nil, fmt.Errorf("time-stamp %s: %w", name, err)
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

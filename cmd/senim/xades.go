package main

import (
	"context"
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

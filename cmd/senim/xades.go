package main

import (
	"context"
	"crypto/sha256"
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
	outside, renewed, err := c.outside(p)
	if err != nil {
		return subject{}, err
	}
	tokens = append(tokens, outside...)
	judged, err := cades.Judge(v.Certificate, x.SigningTime, tokens, by, renewed...)
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

// outside reads the time-stamps kept beside the file. Each must be over exactly its bytes, or over a list that names
// it, and signed for time-stamping; whose authority it is the judge finds out.
func (c *verify) outside(p *program) (over []*tsp.Token, renewed []cades.Renewed, err error) {
	if len(c.Timestamp) == 0 {
		return nil, nil, nil
	}
	if c.File == "-" {
		return nil, nil, &hinted{errors.New("--timestamp does not go with standard input"), "give the signed file by its name"}
	}
	file, err := p.read(c.File)
	if err != nil {
		return nil, nil, err
	}
	lists, err := c.digestLists(p, sha256.Sum256(file))
	if err != nil {
		return nil, nil, err
	}
	for _, name := range c.Timestamp {
		der, err := p.read(name)
		if err != nil {
			return nil, nil, err
		}
		token, err := tsp.ParseToken(der)
		if err == nil {
			_, err = token.Verify()
		}
		if err != nil {
			return nil, nil, fmt.Errorf("time-stamp %s: %w", name, err)
		}
		err = token.Covers(file)
		if err == nil {
			over = append(over, token)
			continue
		}
		at := slices.IndexFunc(lists, func(l digestList) bool { return token.Covers(l.raw) == nil })
		if at < 0 {
			return nil, nil, fmt.Errorf("time-stamp %s: %w", name, err)
		}
		renewed = append(renewed, cades.Renewed{Token: token, Digests: lists[at].digests})
	}
	return over, renewed, nil
}

// digestList is a list of digests and its bytes, which a time-stamp is over.
type digestList struct {
	raw     []byte
	digests map[[sha256.Size]byte]bool
}

// digestLists reads the lists given. One that does not name the file proves nothing of it.
func (c *verify) digestLists(p *program, file [sha256.Size]byte) (lists []digestList, err error) {
	for _, name := range c.List {
		l := digestList{digests: map[[sha256.Size]byte]bool{}}
		if l.raw, err = p.read(name); err != nil {
			return nil, err
		}
		lines, strange := parseList(l.raw, sha256.Size)
		for _, line := range lines {
			l.digests[[sha256.Size]byte(line.digest)] = true
		}
		if strange > 0 || !l.digests[file] {
			return nil, &hinted{fmt.Errorf("read %s: no list of SHA-256 digests that names %s", name, c.File), "senim hash writes one"}
		}
		lists = append(lists, l)
	}
	return lists, nil
}

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"senim/internal/revocation"
	"senim/internal/trust"
	"senim/internal/trustdir"
	"senim/pki"
)

// skipped is the verdict of a check that the caller asked not to make. It is no failure.
const skipped trust.Verdict = "skipped"

// trusted is what a verification relies on, all from files the caller named.
type trusted struct {
	*trustdir.Trust
	lists  []*pki.RevocationList
	names  map[string]string // of the copies of lists, to what the caller called them
	dir    string            // where the copies are
	source trust.Revocation
	skip   bool // --no-revocation
	at     time.Time
}

// gather reads the directory of authorities and the revocation lists. A certificate that is its own
// issuer is trusted; others serve to reach it. The caller calls close.
func (p *program) gather(dir string, lists []string, skip bool, at time.Time) (*trusted, error) {
	t := &trusted{Trust: trustdir.New(), names: map[string]string{}, skip: skip, at: at}
	var err error
	if t.dir, err = os.MkdirTemp("", "senim-verify-"); err != nil {
		return nil, fmt.Errorf("make a place for revocation lists: %w", err)
	}
	if dir != "" {
		err = t.addDirectory(p, dir)
	}
	for _, name := range lists {
		if err == nil {
			err = t.addList(p, name)
		}
	}
	if err != nil {
		t.close()
		return nil, err
	}
	t.source = revocation.New(revocation.Config{Dir: t.dir})
	return t, nil
}

func (t *trusted) close() { _ = os.RemoveAll(t.dir) } // copies of public data; nothing is lost if they stay

func (t *trusted) addDirectory(p *program, dir string) error {
	entries, err := os.ReadDir(p.path(dir))
	if err != nil {
		return &hinted{fmt.Errorf("read %s: %w", dir, plain(err)), "--trust takes a directory with the certificates of the authorities you trust"}
	}
	for _, e := range entries {
		if e.IsDir() || e.Name()[0] == '.' {
			continue
		}
		name := filepath.Join(dir, e.Name())
		things, err := p.open(name)
		if err != nil {
			p.tell("warning: left out: %v", err)
			continue
		}
		for _, found := range things {
			if found.kind == kindCertificate {
				if err := t.Add(found.certificate); err != nil {
					p.tell("warning: left out: %s: %v", name, err)
				}
			} else if err := t.add(name, found); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *trusted) addList(p *program, name string) error {
	things, err := p.open(name)
	if err != nil {
		return err
	}
	for _, found := range things {
		if found.kind != kindList {
			return &hinted{fmt.Errorf("read %s: a %s, not a revocation list", name, found.kind), "--crl takes a list; certificates go into the directory of --trust"}
		}
		if err := t.add(name, found); err != nil {
			return err
		}
	}
	return nil
}

// add takes a revocation list; whatever else a directory holds is of no use here.
func (t *trusted) add(name string, found thing) error {
	if found.kind != kindList {
		return nil
	}
	t.lists = append(t.lists, found.list)
	file := filepath.Join(t.dir, copyName(len(t.lists)))
	t.names[file] = name
	if err := os.WriteFile(file, found.list.Raw, 0o600); err != nil {
		return fmt.Errorf("copy %s: %w", name, plain(err))
	}
	return nil
}

// copyName is the name of the copy of list n, counted from 1.
func copyName(n int) string { return fmt.Sprintf("%04d.crl", n) }

// certificate runs every check on a certificate for a purpose.
func (t *trusted) certificate(ctx context.Context, c *pki.Certificate, purpose trust.Purpose) (trust.Report, error) {
	judge, err := trust.New(trust.Config{Pool: t.Pool, Revocation: t, Now: func() time.Time { return t.at }})
	if err != nil {
		return nil, err
	}
	return t.adjust(judge.Certificate(ctx, c, purpose)), nil
}

// adjust says what this command knows better than the judge: that no authority was given at all, that
// revocation was not to be checked, and what the caller's files are called.
func (t *trusted) adjust(r trust.Report) trust.Report {
	for i := range r {
		c := &r[i]
		switch {
		case c.Name == trust.CheckChain && t.Anchors == 0:
			c.Verdict, c.Code = trust.Unknown, trust.CodeUnavailable
			c.Evidence["error"] = "no trusted authority was given (--trust DIR)"
		case c.Name == trust.CheckRevocation && t.skip:
			c.Verdict, c.Code = skipped, ""
			c.Evidence["error"] = "not asked for (--no-revocation)"
		case c.Name == trust.CheckRevocation && c.Verdict == trust.Unknown && len(t.lists) == 0 && t.Anchors > 0:
			c.Evidence["error"] = "no revocation list was given (--crl FILE)"
		}
		for k, v := range c.Evidence {
			if name, ok := t.names[filepath.Join(t.dir, filepath.Base(v))]; ok {
				c.Evidence[k] = name
			}
		}
	}
	return r
}

// Status implements trust.Revocation: it asks the lists, unless told not to.
func (t *trusted) Status(ctx context.Context, cert, issuer *pki.Certificate, at time.Time) trust.Status {
	if t.skip {
		return trust.Status{State: trust.StateUnknown, Err: "skipped"}
	}
	return t.source.Status(ctx, cert, issuer, at)
}

// authority checks the certificate of an authority, which a trust.Judge refuses as a person's key.
func (t *trusted) authority(ctx context.Context, c *pki.Certificate) trust.Report {
	chain := trust.Check{Name: trust.CheckChain, Verdict: trust.Good, Evidence: map[string]string{"issuer": c.Issuer.String(), "serial": c.SerialHex()}}
	path, err := t.Pool.Chain(c, trust.Within(c, t.at))
	if err != nil {
		chain.Verdict, chain.Code, chain.Evidence["error"] = trust.Bad, trust.CodeUntrusted, err.Error()
	} else {
		chain.Evidence["anchor"] = path[len(path)-1].Subject.String()
	}
	validity := trust.Check{Name: trust.CheckValidity, Verdict: trust.Good, Evidence: map[string]string{
		"notBefore": stamp(c.NotBefore), "notAfter": stamp(c.NotAfter), "at": stamp(t.at),
	}}
	switch {
	case t.at.Before(c.NotBefore):
		validity.Verdict, validity.Code = trust.Bad, trust.CodeNotYetValid
	case t.at.After(c.NotAfter):
		validity.Verdict, validity.Code = trust.Bad, trust.CodeExpired
	}
	report := trust.Report{chain, validity}
	if len(path) != 1 { // a root is withdrawn by taking it out of the directory, nobody else can say
		report = append(report, t.status(ctx, c, path))
	}
	return t.adjust(report)
}

func (t *trusted) status(ctx context.Context, c *pki.Certificate, path []*pki.Certificate) trust.Check {
	check := trust.Check{Name: trust.CheckRevocation, Verdict: trust.Unknown, Code: trust.CodeUnavailable, Evidence: map[string]string{"serial": c.SerialHex()}}
	if len(path) < 2 {
		check.Evidence["error"] = "the issuer is not known, so nobody can be asked"
		return check
	}
	s := t.Status(ctx, c, path[1], t.at)
	for k, v := range s.Evidence {
		check.Evidence[k] = v
	}
	switch s.State {
	case trust.StateGood:
		check.Verdict, check.Code = trust.Good, ""
	case trust.StateRevoked:
		check.Verdict, check.Code = trust.Bad, trust.CodeRevoked
		check.Evidence["revokedAt"], check.Evidence["reason"] = stamp(s.RevokedAt), trust.ReasonName(s.Reason)
	default:
		check.Evidence["error"] = s.Err
	}
	return check
}

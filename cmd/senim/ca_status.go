package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"senim/internal/caapi/client"
)

type caRevoke struct {
	calling
	matter
	Reason      string `required:"" enum:"unspecified,keyCompromise,affiliationChanged,superseded,cessationOfOperation" help:"Why: unspecified, keyCompromise, affiliationChanged, superseded or cessationOfOperation." placeholder:"REASON"`
	Invalidity  string `help:"Since when the key is suspected (RFC 3339)." placeholder:"TIME"`
	Comment     string `help:"A code of your own, for the authority's record." placeholder:"CODE"`
	Certificate string `arg:"" help:"Serial, or a file with the certificate."`
}

// Help is what --help adds.
func (*caRevoke) Help() string {
	return `For good; what was revoked before stays as it was, except that a hold becomes final.

  senim ca revoke --url https://ca:8443 --key-file ra.key --cacert ca.pem \
      --reason keyCompromise --invalidity 2026-09-01T00:00:00Z me.pem`
}

func (c *caRevoke) run(ctx context.Context, p *program) error {
	ask := client.RevokeRequest{Reason: c.Reason, Comment: c.Comment, Reference: c.Reference}
	if c.Invalidity != "" {
		at, err := time.Parse(time.RFC3339, c.Invalidity)
		if err != nil {
			return &hinted{fmt.Errorf("--invalidity %s: not a time", c.Invalidity), "write it as 2026-09-01T00:00:00Z"}
		}
		ask.Invalidity = &at
	}
	return c.change(p, c.Certificate, "revoke", func(to *client.Client, serial string) (any, string, error) {
		v, err := to.Revoke(ctx, serial, c.key(), ask)
		return v, fmt.Sprintf("Revoked at %s: %s.", v.At.UTC().Format(time.RFC3339), v.Reason), err
	})
}

// change carries a change of one certificate out and shows its outcome.
func (c *calling) change(p *program, certificate, what string, f func(*client.Client, string) (any, string, error)) error {
	serial, err := p.serial(certificate)
	if err != nil {
		return err
	}
	to, err := c.open(p)
	if err != nil {
		return err
	}
	defer to.Close()
	v, words, err := f(to, serial)
	if err != nil {
		return refusedBy(what+" "+serial, err)
	}
	if c.JSON {
		p.json(v)
		return nil
	}
	p.line("%s", words)
	return nil
}

type caHold struct {
	calling
	matter
	Comment     string `help:"A code of your own, for the authority's record." placeholder:"CODE"`
	Certificate string `arg:"" help:"Serial, or a file with the certificate."`
}

// Help is what --help adds.
func (*caHold) Help() string {
	return `Until it is released or revoked.

  senim ca hold --url https://ca:8443 --key-file ra.key --cacert ca.pem me.pem`
}

func (c *caHold) run(ctx context.Context, p *program) error {
	return c.change(p, c.Certificate, "hold", func(to *client.Client, serial string) (any, string, error) {
		v, err := to.Hold(ctx, serial, c.key(), client.HoldRequest{Comment: c.Comment, Reference: c.Reference})
		return v, fmt.Sprintf("Not in force since %s: %s.", v.At.UTC().Format(time.RFC3339), v.Reason), err
	})
}

type caRelease struct {
	calling
	matter
	Comment     string `help:"A code of your own, for the authority's record." placeholder:"CODE"`
	Certificate string `arg:"" help:"Serial, or a file with the certificate."`
}

// Help is what --help adds.
func (*caRelease) Help() string {
	return `It takes two clients: the first call waits a day for the second, with another client's key.

  senim ca release --url https://ca:8443 --key-file ra.key --cacert ca.pem me.pem
  senim ca release --url https://ca:8443 --key-file officer.key --cacert ca.pem \
      me.pem

Exit status: 0 released, 1 the second voice is still wanted.`
}

func (c *caRelease) run(ctx context.Context, p *program) (status int, err error) {
	status = statusGood
	err = c.change(p, c.Certificate, "release", func(to *client.Client, serial string) (any, string, error) {
		v, err := to.Release(ctx, serial, c.key(), client.HoldRequest{Comment: c.Comment, Reference: c.Reference})
		words := "Released: the certificate is in force again."
		if v.State != "released" {
			status, words = statusBad, "Another client must confirm this"
			if v.Until != nil {
				words += ", until " + v.Until.UTC().Format(time.RFC3339)
			}
			words += "."
		}
		return v, words, err
	})
	return status, err
}

type caStatus struct {
	calling
	Out         string `help:"Keep the certificate in a new file (PEM)." placeholder:"FILE"`
	Certificate string `arg:"" help:"Serial, or a file with the certificate."`
}

// Help is what --help adds.
func (*caStatus) Help() string {
	return `Exit status: 0 it is in force, 1 it is not, or is not known.

  senim ca status --url https://ca:8443 --key-file ra.key --cacert ca.pem me.pem`
}

func (c *caStatus) run(ctx context.Context, p *program) (status int, err error) {
	status = statusBad
	err = c.change(p, c.Certificate, "status of", func(to *client.Client, serial string) (any, string, error) {
		v, err := to.Certificate(ctx, serial)
		if err != nil {
			return nil, "", err
		}
		if v.State == client.StateValid {
			status = statusGood
		}
		if c.Out != "" {
			if err := p.write(c.Out, []byte(v.Certificate)); err != nil {
				return nil, "", err
			}
		}
		return v, found(v), nil
	})
	return status, err
}

// found is a certificate in one line.
func found(v client.Certificate) string {
	state := v.State
	if v.Revocation != nil {
		state += " " + v.Revocation.Reason + " since " + v.Revocation.At.UTC().Format(time.RFC3339)
	}
	return joined("  ", v.Serial, state, v.Profile, v.NotBefore.UTC().Format(time.DateOnly)+" … "+v.NotAfter.UTC().Format(time.DateOnly), v.Name, v.IIN, v.BIN)
}

type caSearch struct {
	calling
	IIN     string `name:"iin" help:"The holder's number." placeholder:"IIN"`
	BIN     string `name:"bin" help:"The organisation's number." placeholder:"BIN"`
	Profile string `help:"Kind of certificate." placeholder:"NAME"`
	State   string `enum:"valid,revoked,hold,expired," default:"" help:"valid, revoked, hold or expired." placeholder:"STATE"`
	From    string `help:"Issued on this day or later; without --iin and --bin by default 31 days back." placeholder:"DAY"`
	To      string `help:"Issued before this day." placeholder:"DAY"`
	Most    int    `default:"1000" help:"More than so many are an error." placeholder:"N"`
}

// Help is what --help adds.
func (*caSearch) Help() string {
	return `Newest first.

  senim ca search --url https://ca:8443 --key-file ra.key --cacert ca.pem \
      --iin 123456789011 --state valid`
}

func (c *caSearch) run(ctx context.Context, p *program) error {
	q := client.Query{IIN: c.IIN, BIN: c.BIN, Profile: c.Profile, State: c.State, Limit: 100}
	for name, into := range map[string]*time.Time{c.From: &q.From, c.To: &q.To} {
		if name == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, name)
		if err != nil {
			return &hinted{fmt.Errorf("%s: not a day", name), "write it as 2026-09-01"}
		}
		*into = at
	}
	if c.From != "" && c.From == c.To {
		return errors.New("--from and --to are one day: nothing is between them")
	}
	to, err := c.open(p)
	if err != nil {
		return err
	}
	defer to.Close()
	all, err := to.SearchAll(ctx, q, c.Most)
	if err != nil {
		return refusedBy("search", err)
	}
	if c.JSON {
		if all == nil {
			all = []client.Certificate{}
		}
		p.json(all)
		return nil
	}
	for _, v := range all {
		p.line("%s", found(v))
	}
	p.tell("%s found", count(len(all), "certificate"))
	return nil
}

type caOffered struct{ calling }

// Help is what --help adds.
func (*caOffered) Help() string {
	return `  senim ca offered --url https://ca:8443 --key-file ra.key --cacert ca.pem`
}

func (c *caOffered) run(ctx context.Context, p *program) error {
	to, err := c.open(p)
	if err != nil {
		return err
	}
	defer to.Close()
	all, err := to.Profiles(ctx)
	if err != nil {
		return refusedBy("profiles", err)
	}
	if c.JSON {
		p.json(all.Items)
		return nil
	}
	for _, v := range all.Items {
		p.line("%-20s %-14s %d days in a file, %d on a carrier; %s", v.Name, strings.Join(v.Keys, " "), v.FileDays, v.CarrierDays, strings.Join(v.Roles, ", "))
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/tlog"
	"senim/pki"
)

type logCheck struct {
	logged
	salted
	Log     string `help:"The log: its address, as https://ca.example/log/, or its folder." placeholder:"URL"`
	Receipt string `help:"The receipt of the cabinet (.senim-proof): with it the log is not searched." placeholder:"FILE"`
	JSON    bool   `name:"json" help:"Answer in JSON."`
	File    string `arg:"" name:"cer" help:"The certificate."`
}

// Help is what --help adds.
func (*logCheck) Help() string {
	return `With the receipt that the cabinet gives the holder, the proof is in hand, and no network is needed; with
--log too, the log is asked whether it still is what it was. Without a receipt the log is searched.

  senim log check --key log.pub --receipt my.senim-proof my.cer
  senim log check --key log.pub --receipt my.senim-proof --log https://ca.example/log/ my.cer
  senim log check --key log.pub --log https://ca.example/log/ --salt-file salt.txt my.cer

The newest state seen of a log is kept (--state), so that a log that takes something back, or shows different
people different things, is found. Exit status: 0 proved, 1 not in the log, or the log is not in order.`
}

// proved is the answer of log check.
type proved struct {
	Certificate *card  `json:"certificate"`
	Log         string `json:"log"`
	Index       int64  `json:"index"`
	Size        int64  `json:"size"`
	Grew        string `json:"grew,omitempty"`
}

func (c *logCheck) run(ctx context.Context, p *program) error {
	if c.Receipt == "" && c.Log == "" {
		return &hinted{errors.New("nothing to check against"), "--receipt FILE, or --log URL, or both"}
	}
	c.where = c.Log
	k, err := c.key(p)
	if err != nil {
		return err
	}
	certs, err := p.certificates(c.File)
	if err != nil {
		return err
	}
	if len(certs) != 1 {
		return fmt.Errorf("%s: %s, not one", c.File, count(len(certs), "certificate"))
	}
	a := proved{Certificate: newCard(certs[0]), Log: k.Origin(), Index: -1}
	if c.Receipt != "" {
		err = c.byReceipt(ctx, p, k, certs[0], &a)
	} else {
		err = c.bySearch(ctx, p, k, certs[0], &a)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		p.json(a)
		return nil
	}
	p.line("%s: the certificate stands in the public log, and cannot be taken out of it unseen.", c.File)
	p.row("log", a.Log)
	p.row("entry", fmt.Sprintf("%d of %d", a.Index, a.Size))
	p.row("serial", a.Certificate.Serial)
	p.line("Proved: the entry is of exactly this certificate; the log's key signed a state that contains it.")
	if a.Grew != "" {
		p.line("%s", a.Grew)
	}
	return nil
}

func (c *logCheck) byReceipt(ctx context.Context, p *program, k tlog.Key, cert *pki.Certificate, a *proved) error {
	raw, err := p.readUpTo(c.Receipt, 1<<16)
	if err != nil {
		return err
	}
	r, err := tlog.ParseReceipt(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Receipt, err)
	}
	then, err := r.Check(k, cert)
	if err != nil {
		return &notGood{fmt.Errorf("%s: %w", c.Receipt, err)}
	}
	a.Index, a.Size = r.Index, then.Size
	if c.Log == "" {
		a.Grew = "The log itself was not asked: --log URL does."
		return nil
	}
	l, now, said, err := c.current(ctx, p, k)
	if err != nil {
		return err
	}
	if err := l.Follows(then, now); err != nil {
		return &notGood{fmt.Errorf("the receipt and the log of today: %w", err)}
	}
	a.Size, a.Grew = now.Size, said
	return nil
}

// errFound ends a search.
var errFound = errors.New("found")

func (c *logCheck) bySearch(ctx context.Context, p *program, k tlog.Key, cert *pki.Certificate, a *proved) error {
	salt, err := c.salt(ctx, p)
	if err != nil {
		return err
	}
	want, err := tlog.New(cert, salt)
	if err != nil {
		return err
	}
	raw, err := want.Marshal()
	if err != nil {
		return err
	}
	l, at, said, err := c.current(ctx, p, k)
	if err != nil {
		return err
	}
	other := int64(-1)
	err = walkLog(ctx, p, l, at, func(index int64, e tlog.Entry, one []byte) error {
		switch {
		case string(one) == string(raw):
			a.Index = index
			return errFound
		case e.SerialHex() == want.SerialHex():
			other = index
		}
		return nil
	})
	switch {
	case errors.Is(err, errFound):
	case err != nil:
		return err
	case other >= 0:
		return &notGood{&hinted{fmt.Errorf("entry %d has this serial and is not of this certificate under this salt", other),
			"is it the salt of this certificate's holder? If it is, two certificates were made with one serial"}}
	default:
		return &notGood{&hinted{fmt.Errorf("the certificate is not in the log of %s", entryCount(at.Size)),
			"one issued a minute ago may be on its way; otherwise the authority issued it in secret: show this to others"}}
	}
	a.Size, a.Grew = at.Size, said
	return nil
}

// walkLog reads and parses every entry, and shows how far it is.
func walkLog(ctx context.Context, p *program, l *tlog.Log, at tlog.Checkpoint, see func(index int64, e tlog.Entry, raw []byte) error) error {
	err := l.Walk(at, watched(ctx, p, at.Size, func(index int64, raw []byte) error {
		e, err := tlog.Parse(raw)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		return see(index, e, raw)
	}))
	if err != nil && !errors.Is(err, errFound) && ctx.Err() == nil {
		return &notGood{err}
	}
	return err
}

// watched shows progress of a walk on a terminal, and ends it with ctx.
func watched(ctx context.Context, p *program, size int64, see func(int64, []byte) error) func(int64, []byte) error {
	const often = 1 << 14
	return func(index int64, raw []byte) error {
		if index > 0 && index%often == 0 && p.Live {
			p.live(fmt.Sprintf("%d of %d entries", index, size))
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return see(index, raw)
	}
}

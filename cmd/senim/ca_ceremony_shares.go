package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"

	"senim/internal/shares"
)

type caSplit struct {
	File      string `arg:"" help:"File with the passphrase; - for standard input."`
	Shares    int    `required:"" help:"How many shares there are." placeholder:"N"`
	Threshold int    `required:"" help:"How many of them are enough." placeholder:"K"`
	Out       string `help:"Folder for the shares, one file each (share-N-of-M-SET.txt), instead of printing them." placeholder:"DIR"`
}

// Help is what --help adds.
func (*caSplit) Help() string {
	return `Each share is one line with a checksum: print it for one person, who keeps it. Fewer than the threshold
tell nothing of the passphrase. The file with the passphrase is yours to destroy when the shares
have been tried (senim ca combine). Splitting again makes another set; the old one stays good.`
}

func (c *caSplit) run(_ context.Context, p *program) error {
	words, err := p.words(c.File)
	if err != nil {
		return err
	}
	defer clear(words)
	all, err := shares.Split(rand.Reader, words, c.Shares, c.Threshold)
	if err != nil {
		return err
	}
	for _, s := range all {
		text := fmt.Sprintf("# share %d of %d, set %s; %d are needed\n%s\n", s.Number(), s.Count(), s.Set(), s.Threshold(), s)
		if c.Out == "" {
			p.say("# share %d of %d, set %s; %d are needed", s.Number(), s.Count(), s.Set(), s.Threshold())
			p.say("%s", s)
			continue
		}
		name := filepath.Join(c.Out, fmt.Sprintf("share-%d-of-%d-%s.txt", s.Number(), s.Count(), s.Set()[:8]))
		if err := p.writeMode(name, []byte(text), modeSecret); err != nil {
			return err
		}
		p.say("%s", name)
	}
	return nil
}

// words reads a passphrase as senimd does: the whole file but for white space around.
func (p *program) words(name string) ([]byte, error) {
	text, err := p.private(name)
	return bytes.TrimSpace(text), err
}

type caCombine struct {
	Files []string `arg:"" help:"Files with shares, as many as are needed or more."`
	Out   string   `help:"File for the passphrase, for its owner only; without it, the shares are only tried." placeholder:"FILE"`
}

// Help is what --help adds.
func (*caCombine) Help() string {
	return `Without --out nothing is written: the shares are only tried, which says whether they still fit together.

  senim ca combine share-1.txt share-3.txt share-4.txt`
}

func (c *caCombine) run(_ context.Context, p *program) error {
	words, err := p.combine(c.Files)
	if err != nil {
		return &notGood{err}
	}
	defer clear(words)
	if words == nil {
		return errors.New("no share was given")
	}
	if c.Out == "" {
		p.say("The shares are good and enough.")
		return nil
	}
	return p.writeMode(c.Out, append(words, '\n'), modeSecret)
}

// absolute is a name as it is seen from a folder; nothing stays nothing.
func absolute(dir, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"senim/internal/ceremony"
)

type caRequest struct {
	Plan string `arg:"" help:"A plan with online and the issuing authorities, YAML."`
	Out  string `default:"." help:"Folder for the requests, NAME.p10." placeholder:"DIR"`
	sharing
}

// Help is what --help adds.
func (*caRequest) Help() string {
	return `The keys are made and sealed in the installation; only the requests leave it. What the root signed comes back
with senim ca install.

  senim ca request plan.yaml --out /media/carry`
}

func (c *caRequest) run(ctx context.Context, p *program) error {
	plan, e, err := c.plan(p, c.Plan)
	if err != nil {
		return err
	}
	out, err := (sharing{}).env(p) // --out is seen from here, not from the plan
	if err != nil {
		return err
	}
	made, err := e.Request(ctx, plan, absolute(out.Dir, c.Out))
	if err != nil {
		return err
	}
	for _, name := range made {
		p.say("%s: carry it to the root, whose plan signs it", name)
	}
	return nil
}

type caInstall struct {
	Files []string `arg:"" help:"Certificates (NAME.cer) and revocation lists (*.crl) from the root."`
	installed
	Root        []string `help:"SHA-256 of a new root that may be trusted, compared with the root's transcript." placeholder:"HEX"`
	Participant []string `default:"operator" help:"Roles of those who take part." placeholder:"ROLE"`
	sharing
}

// Help is what --help adds.
func (*caInstall) Help() string {
	return `Each certificate must be of a key that was made here with senim ca request, and of a root that is trusted
already or named with --root. Revocation lists of the root are taken when they are newer.

  senim ca install --data /var/lib/senim /media/carry/gost.cer /media/carry/root_gost.crl`
}

func (c *caInstall) run(ctx context.Context, p *program) error {
	e, err := c.env(p)
	if err != nil {
		return err
	}
	return e.Install(ctx, ceremony.Arrived{Online: c.online(), Files: c.Files, Roots: c.Root, Participants: c.Participant})
}

type caRootList struct {
	Name        string   `arg:"" help:"The root, as root_gost."`
	Data        string   `help:"Folder of the installation, when the roots are kept there." placeholder:"DIR"`
	DB          string   `name:"db" help:"Its database, as senimd -db." placeholder:"URL"`
	Participant []string `required:"" help:"Roles of those who take part; two at least with --root." placeholder:"ROLE"`
	Passphrase  string   `name:"passphrase-file" help:"File with the passphrase of the installation's keys." placeholder:"FILE"`
	tokened
	rooted
	sharing
}

// Help is what --help adds.
func (*caRootList) Help() string {
	return `The list lies in publish/NAME.crl of the root's folder; senim ca install takes it into the
installation, whose responder publishes it. A root kept in the installation publishes at once.`
}

func (c *caRootList) run(ctx context.Context, p *program) error {
	e, err := c.env(p)
	if err != nil {
		return err
	}
	var online *ceremony.Online
	if c.Data != "" {
		online = &ceremony.Online{Data: c.Data, DB: c.DB, PassphraseFile: c.Passphrase, Token: c.token()}
	}
	root := c.root()
	if online == nil && root != nil {
		root.Token = c.token()
	}
	if online == nil && c.Root == "" {
		return errors.New("--root or --data is wanted: where is the root's key?")
	}
	plan, err := ceremony.List(online, root, c.Name, c.Participant)
	if err != nil {
		return err
	}
	return e.Run(ctx, plan)
}

type caRollover struct {
	Name string `arg:"" help:"The issuing authority to follow, as gost."`
	installed
	rooted
	SameRoot    bool     `help:"Under the present root; by default a new root goes before it, and the two roots certify each other."`
	Out         string   `help:"Write the plan to a file for review, and do nothing." placeholder:"FILE"`
	Participant []string `default:"operator" help:"Roles of those who take part; two at least with --root." placeholder:"ROLE"`
	sharing
}

// Help is what --help adds.
func (*caRollover) Help() string {
	return `The old authority goes on answering for what it issued, and issues no more. senimd is started again to
open the new one. The reviewed way: --out PLAN.yaml, then senim ca ceremony PLAN.yaml.`
}

func (c *caRollover) run(ctx context.Context, p *program) error {
	e, err := c.env(p)
	if err != nil {
		return err
	}
	online, root := c.online(), c.root()
	if c.Out != "" { // the plan will be seen from its own folder
		online.Data, online.PassphraseFile = absolute(e.Dir, online.Data), absolute(e.Dir, online.PassphraseFile)
		online.KeyFile, online.Trust = absolute(e.Dir, online.KeyFile), absolute(e.Dir, online.Trust)
		if t := online.Token; t != nil {
			t.PINFile, t.Program = absolute(e.Dir, t.PINFile), absolute(e.Dir, t.Program)
			if strings.ContainsRune(t.Module, filepath.Separator) {
				t.Module = absolute(e.Dir, t.Module)
			}
		}
		if root != nil {
			root.Keys, root.PassphraseFile = absolute(e.Dir, root.Keys), absolute(e.Dir, root.PassphraseFile)
		}
	}
	plan, err := e.Rollover(ctx, online, root, c.Name, !c.SameRoot, c.Participant)
	if err != nil {
		return err
	}
	if c.Out == "" {
		return e.Run(ctx, plan)
	}
	if err := p.write(c.Out, plan.Text()); err != nil {
		return err
	}
	p.say("%s: read it, change what should be otherwise, and carry it out with senim ca ceremony", c.Out)
	return nil
}

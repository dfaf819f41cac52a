package main

import (
	"context"
	"fmt"
	"path/filepath"

	"senim/internal/ceremony"
	"senim/internal/shares"
)

// authority is the group of commands for operators of a certification authority.
type authority struct {
	Init      caInit      `cmd:"" help:"Make the plain installation: GOST512 and RSA, each a root and an issuing authority."`
	Ceremony  caCeremony  `cmd:"" help:"Carry out a ceremony's plan, or say what it would do."`
	Request   caRequest   `cmd:"" help:"Make keys of issuing authorities and requests for an offline root."`
	Install   caInstall   `cmd:"" help:"Take what an offline root signed into the installation."`
	RootList  caRootList  `cmd:"" name:"root-list" help:"Have a root publish its next revocation list."`
	Rollover  caRollover  `cmd:"" help:"Make the next generation of an issuing authority, with cross-certificates."`
	Profiles  caProfiles  `cmd:"" help:"Show certificate profiles, and check a file of them."`
	Reconcile caReconcile `cmd:"" help:"After an older copy of the database was put back: bring in what it lacks."`
	Rescue    caRescue    `cmd:"" help:"When certificates of the authority itself have ended: say what, and renew its services."`
	Split     caSplit     `cmd:"" help:"Divide a passphrase into shares, of which some are enough."`
	Client    caClients   `cmd:"" help:"Register programs that may call an authority of this machine."`
	caRemote
	Combine caCombine `cmd:"" help:"Put a passphrase together from its shares."`
}

// sharing names shares that take the place of passphrase files.
type sharing struct {
	Share     []string `help:"Files with shares of the passphrase of the online keys, instead of its file." placeholder:"FILE"`
	RootShare []string `help:"Files with shares of the root's passphrase, instead of its file." placeholder:"FILE"`
}

// env is where the command works.
func (s sharing) env(p *program) (*ceremony.Env, error) {
	dir, err := filepath.Abs(p.path("."))
	if err != nil {
		return nil, err
	}
	e := &ceremony.Env{Dir: dir, Now: p.Now, Tell: func(line string) { p.tell("%s", line) }}
	if e.Shares, err = p.combine(s.Share); err != nil {
		return nil, err
	}
	e.RootShares, err = p.combine(s.RootShare)
	return e, err
}

// combine puts a secret together from files of shares; nil when there are none.
func (p *program) combine(files []string) ([]byte, error) {
	if len(files) == 0 {
		return nil, nil
	}
	var all []shares.Share
	for _, name := range files {
		text, err := p.readUpTo(name, 64<<10)
		if err != nil {
			return nil, err
		}
		some, err := shares.ParseAll(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, some...)
	}
	return shares.Combine(all)
}

// installed names an installation.
type installed struct {
	Data           string `required:"" help:"Folder of the installation, as senimd -data." placeholder:"DIR"`
	DB             string `name:"db" help:"Its database, as senimd -db; by default senim.db in the folder." placeholder:"URL"`
	PassphraseFile string `help:"File with the passphrase of its keys; by default passphrase in the folder." placeholder:"FILE"`
	KeyFile        string `help:"File with the installation key; by default installation.key in the folder." placeholder:"FILE"`
	Trust          string `help:"Its folder of trusted authorities; by default trust in the folder." placeholder:"DIR"`
	tokened
}

// tokened names the PKCS #11 token of an installation or of a root.
type tokened struct {
	TokenModule  string `help:"Driver of the PKCS #11 token where keys of RSA authorities are made." placeholder:"FILE"`
	TokenLabel   string `help:"Label of that token." placeholder:"NAME"`
	TokenPINFile string `name:"token-pin-file" help:"File with its PIN, mode 0600." placeholder:"FILE"`
	TokenProgram string `help:"The senim-token program; by default the one beside this program." placeholder:"FILE"`
}

func (t tokened) token() *ceremony.Token {
	if t == (tokened{}) {
		return nil
	}
	return &ceremony.Token{Module: t.TokenModule, Label: t.TokenLabel, PINFile: t.TokenPINFile, Program: t.TokenProgram}
}

func (i installed) online() ceremony.Online {
	return ceremony.Online{Data: i.Data, DB: i.DB, PassphraseFile: i.PassphraseFile, KeyFile: i.KeyFile, Trust: i.Trust, Token: i.token()}
}

// rooted names an offline root's folder.
type rooted struct {
	Root               string `help:"Folder of the offline root, on a medium of its own; without it the roots are kept in the installation." placeholder:"DIR"`
	RootPassphraseFile string `help:"File with the root's own passphrase." placeholder:"FILE"`
}

func (r rooted) root() *ceremony.Root {
	if r.Root == "" {
		return nil
	}
	return &ceremony.Root{Keys: r.Root, PassphraseFile: r.RootPassphraseFile}
}

type caInit struct {
	installed
	rooted
	Organization string   `default:"SENIM" help:"Organisation in the certificates of the services." placeholder:"NAME"`
	Name         string   `default:"СЕНІМ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ" help:"Common name of the issuing authorities, before the algorithm." placeholder:"NAME"`
	RootName     string   `default:"СЕНІМ НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ" help:"Common name of the roots, before the algorithm." placeholder:"NAME"`
	Address      string   `required:"" help:"Where the responder answers, as http://pki.example.kz." placeholder:"URL"`
	RSABits      int      `name:"rsa-bits" default:"4096" help:"Length of the RSA keys." placeholder:"N"`
	Participant  []string `default:"operator" help:"Roles of those who take part; two at least with --root." placeholder:"ROLE"`
}

// Help is what --help adds.
func (*caInit) Help() string {
	return `The folder must be empty, but for trust, passphrase and installation.key; what is not there is made at
random. senimd -data DIR then opens the installation. The transcript lies in the folder. With a token the
keys of the RSA authorities are made there and never leave it; senimd -token.module … is told where it is.

  senim ca init --data /var/lib/senim --address http://pki.example.kz \
      --root /media/root --root-passphrase-file /media/words/root \
      --participant key-custodian --participant witness`
}

func (c *caInit) run(ctx context.Context, p *program) error {
	e, err := (sharing{}).env(p)
	if err != nil {
		return err
	}
	plan, err := ceremony.Installation(ceremony.New{Online: c.online(), Root: c.root(), Name: c.Name, RootName: c.RootName, Organization: c.Organization,
		Address: c.Address, Bits: c.RSABits, Participants: c.Participant})
	if err != nil {
		return err
	}
	return e.Run(ctx, plan)
}

type caCeremony struct {
	Plan  string `arg:"" help:"The plan, YAML."`
	Check bool   `help:"Only say what would be done."`
	sharing
}

// Help is what --help adds.
func (*caCeremony) Help() string {
	return `Names of files in the plan are seen from its folder. See doc/operator.md for what a plan may hold.`
}

func (c *caCeremony) run(ctx context.Context, p *program) error {
	plan, e, err := c.plan(p, c.Plan)
	if err != nil {
		return err
	}
	if !c.Check {
		return e.Run(ctx, plan)
	}
	var lines []string
	if err := e.Check(ctx, plan, func(line string) { lines = append(lines, line) }); err != nil {
		return err
	}
	p.say("plan SHA-256 %s", plan.Digest())
	for _, line := range lines {
		p.say("%s", line)
	}
	return nil
}

// plan reads a plan whose files are seen from its own folder.
func (s sharing) plan(p *program, name string) (*ceremony.Plan, *ceremony.Env, error) {
	text, err := p.readUpTo(name, 1<<20)
	if err != nil {
		return nil, nil, err
	}
	plan, err := ceremony.Parse(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	e, err := s.env(p)
	if err != nil {
		return nil, nil, err
	}
	if name != "-" {
		if e.Dir, err = filepath.Abs(filepath.Dir(p.path(name))); err != nil {
			return nil, nil, err
		}
	}
	return plan, e, nil
}

// say writes a line of the answer.
func (p *program) say(format string, args ...any) {
	if _, err := fmt.Fprintln(p.Stdout, printable(fmt.Sprintf(format, args...))); err != nil {
		p.unsaid = err
	}
}

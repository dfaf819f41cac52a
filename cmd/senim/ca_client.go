package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"senim/internal/access"
	"senim/internal/store"
)

// caClients are the commands that say which programs may call; they work on the data of the authority.
type caClients struct {
	Add     clientAdd     `cmd:"" help:"Register a program, and print its key: once, and never again."`
	List    clientList    `cmd:"" help:"List the programs, with what each may do."`
	Disable clientDisable `cmd:"" help:"Shut a program out, from its next call on."`
	Rotate  clientRotate  `cmd:"" help:"Give a program a new key or certificate; the old one is worth nothing at once."`
}

// home is the data of an authority of this machine.
type home struct {
	Data    string `required:"" help:"Data folder of senimd." placeholder:"DIR"`
	DB      string `name:"db" help:"Its database when that is elsewhere, as for senimd -db." placeholder:"URL"`
	KeyFile string `help:"Its installation key when that is elsewhere, as for senimd -key-file." placeholder:"FILE"`
}

// gate opens the clients of an installation that exists: a wrong path makes nothing.
func (c *home) gate(ctx context.Context, p *program) (g *access.Gate, done func(), err error) {
	// A chain of records of its own: senimd may be at work under the host's name.
	s, err := c.open(ctx, p, "")
	if err != nil {
		return nil, nil, err
	}
	g, err = access.New(access.Config{Store: s.Access(), Now: p.Now})
	return g, func() { _ = s.Close() }, err // everything is committed by then
}

// open opens the database; what is recorded goes into the console's chain, or into one of its name and end.
func (c *home) open(ctx context.Context, p *program, end string) (*store.Store, error) {
	dir := p.path(c.Data)
	if _, err := os.Stat(filepath.Join(dir, "installation.json")); err != nil {
		return nil, &hinted{fmt.Errorf("open %s: no installation of senimd is there", c.Data), "--data names its data folder; senimd makes it at its first start"}
	}
	name := c.KeyFile
	if name == "" {
		name = filepath.Join(c.Data, "installation.key")
	}
	b, err := p.private(name)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(b)))
	if err != nil {
		return nil, fmt.Errorf("read %s: not an installation key", name)
	}
	db := c.DB
	if db == "" {
		db = filepath.Join(dir, "senim.db")
	}
	return store.Open(ctx, store.Config{URL: db, Now: p.Now, Node: store.ConsoleNode() + end, Key: key})
}

// operator is who is at the console, for the record.
func operator() string {
	if u, err := user.Current(); err == nil {
		return "console:" + u.Username
	}
	return "console"
}

type clientAdd struct {
	home
	Rights      []string      `required:"" help:"What it may do: issue, renew, revoke, hold, release, read, search." placeholder:"RIGHT"`
	Profiles    []string      `help:"Kinds of certificates it may touch; by default all." placeholder:"NAME"`
	Networks    []string      `help:"Networks it may call from, as 10.1.0.0/16; by default any." placeholder:"NET"`
	PerMinute   int           `help:"Calls a minute; by default 600." placeholder:"N"`
	For         time.Duration `help:"How long it may call, as 8760h; by default without end." placeholder:"TIME"`
	Certificate string        `help:"TLS certificate it must show (PEM or DER)." placeholder:"FILE"`
	NoKey       bool          `help:"The certificate is enough: no key is made."`
	Out         string        `help:"Write the key to a new file of mode 0600 instead of printing it." placeholder:"FILE"`
	Name        string        `arg:"" help:"Name of the program, for ever: a-z, 0-9 and -."`
}

// Help is what --help adds.
func (*clientAdd) Help() string {
	return `Each program gets only what it needs; none of the rights includes another.

  senim ca client add --data /var/lib/senim --rights issue,revoke,read,search \
      --networks 10.1.0.0/16 --out ra.key ra-1
  senim ca client add --data /var/lib/senim --rights release --no-key \
      --certificate officer.pem officer-2`
}

func (c *clientAdd) run(ctx context.Context, p *program) error {
	add := access.Client{Name: c.Name, Profiles: c.Profiles, PerMinute: c.PerMinute}
	for _, r := range c.Rights {
		add.Rights = append(add.Rights, access.Right(r))
	}
	for _, n := range c.Networks {
		prefix, err := netip.ParsePrefix(n)
		if err != nil {
			return &hinted{fmt.Errorf("--networks %s: not a network", n), "write it as 10.1.0.0/16 or 192.0.2.7/32"}
		}
		add.Networks = append(add.Networks, prefix)
	}
	if c.For > 0 {
		add.Expires = p.Now().Add(c.For)
	}
	if c.Out != "" {
		if err := p.free(c.Out); err != nil {
			return err
		}
	}
	if c.Certificate != "" {
		var err error
		if add.Certificate, err = p.fingerprint(c.Certificate); err != nil {
			return err
		}
	}
	g, done, err := c.gate(ctx, p)
	if err != nil {
		return err
	}
	defer done()
	key, err := g.Add(ctx, add, !c.NoKey, operator())
	if err != nil {
		return err
	}
	return p.handOver(c.Name, key, c.Out)
}

// handOver gives a key to the operator, once.
func (p *program) handOver(name, key, out string) error {
	switch {
	case key == "":
		p.line("%s is known by its certificate.", name)
	case out != "":
		if err := p.writeMode(out, []byte(key+"\n"), 0o600); err != nil {
			return err
		}
		p.line("The key of %s is in %s.", name, out)
	default:
		p.tell("The key of %s, shown once:", name)
		p.line("%s", key)
	}
	return nil
}

// fingerprint is how a TLS certificate is registered.
func (p *program) fingerprint(name string) (string, error) {
	data, err := p.readUpTo(name, 1<<20)
	if err != nil {
		return "", err
	}
	der, err := tlsCertificate(data)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:]), nil
}

// tlsCertificate reads the first certificate, which TLS shows as our own; Go's TLS must be able to read it.
func tlsCertificate(data []byte) ([]byte, error) {
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	cert, err := x509.ParseCertificate(data)
	if err != nil {
		return nil, err
	}
	return cert.Raw, nil
}

type clientList struct {
	home
	JSON bool `name:"json" help:"Answer in JSON."`
}

// Help is what --help adds.
func (*clientList) Help() string { return `  senim ca client list --data /var/lib/senim` }

// listedClient is a client as the JSON tells it.
type listedClient struct {
	Name        string     `json:"name"`
	Kind        string     `json:"kind"`
	KeyID       string     `json:"key_id,omitempty"`
	Certificate string     `json:"certificate,omitempty"`
	Rights      []string   `json:"rights"`
	Profiles    []string   `json:"profiles,omitempty"`
	Networks    []string   `json:"networks,omitempty"`
	PerMinute   int        `json:"per_minute"`
	Created     time.Time  `json:"created"`
	Expires     *time.Time `json:"expires,omitempty"`
	Disabled    *time.Time `json:"disabled,omitempty"`
}

func (c *clientList) run(ctx context.Context, p *program) error {
	g, done, err := c.gate(ctx, p)
	if err != nil {
		return err
	}
	defer done()
	all, err := g.Clients(ctx)
	if err != nil {
		return err
	}
	out := []listedClient{}
	for _, one := range all {
		l := listedClient{Name: one.Name, Kind: one.Kind(), KeyID: one.KeyID, Certificate: one.Certificate, Profiles: one.Profiles, PerMinute: one.PerMinute, Created: one.Created}
		if l.PerMinute == 0 {
			l.PerMinute = access.DefaultPerMinute
		}
		for _, r := range one.Rights {
			l.Rights = append(l.Rights, string(r))
		}
		for _, n := range one.Networks {
			l.Networks = append(l.Networks, n.String())
		}
		if !one.Expires.IsZero() {
			l.Expires = &one.Expires
		}
		if !one.Disabled.IsZero() {
			l.Disabled = &one.Disabled
		}
		out = append(out, l)
	}
	if c.JSON {
		p.json(out)
		return nil
	}
	for _, l := range out {
		p.line("%s", p.bold(l.Name))
		p.row("Known by", l.Kind)
		p.row("May", strings.Join(l.Rights, ", "))
		p.row("Profiles", strings.Join(l.Profiles, ", "))
		p.row("From", strings.Join(l.Networks, ", "))
		p.row("A minute", fmt.Sprint(l.PerMinute))
		if l.Expires != nil {
			p.row("Until", l.Expires.UTC().Format(time.RFC3339))
		}
		if l.Disabled != nil {
			p.row("Disabled", l.Disabled.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

type clientDisable struct {
	home
	Name string `arg:"" help:"Name of the program."`
}

// Help is what --help adds.
func (*clientDisable) Help() string { return `  senim ca client disable --data /var/lib/senim ra-1` }

func (c *clientDisable) run(ctx context.Context, p *program) error {
	g, done, err := c.gate(ctx, p)
	if err != nil {
		return err
	}
	defer done()
	if err := g.Disable(ctx, c.Name, operator()); err != nil {
		return unknownClient(err)
	}
	p.line("%s is shut out.", c.Name)
	return nil
}

func unknownClient(err error) error {
	if errors.Is(err, access.ErrNotFound) {
		return &hinted{err, "senim ca client list shows the names"}
	}
	return err
}

type clientRotate struct {
	home
	Certificate string `help:"The new TLS certificate; without it the key is made anew." placeholder:"FILE"`
	Out         string `help:"Write the key to a new file of mode 0600 instead of printing it." placeholder:"FILE"`
	Name        string `arg:"" help:"Name of the program."`
}

// Help is what --help adds.
func (*clientRotate) Help() string {
	return `  senim ca client rotate --data /var/lib/senim --out ra-new.key ra-1`
}

func (c *clientRotate) run(ctx context.Context, p *program) error {
	if c.Out != "" {
		if err := p.free(c.Out); err != nil {
			return err
		}
	}
	pin := ""
	if c.Certificate != "" {
		var err error
		if pin, err = p.fingerprint(c.Certificate); err != nil {
			return err
		}
	}
	g, done, err := c.gate(ctx, p)
	if err != nil {
		return err
	}
	defer done()
	key, err := g.Rotate(ctx, c.Name, pin, operator())
	if err != nil {
		return unknownClient(err)
	}
	return p.handOver(c.Name, key, c.Out)
}

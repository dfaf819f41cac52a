package ceremony

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"senim/algid"
	"senim/internal/ca"
)

// New is what the plain installation is told: two roots, GOST512 and RSA, an issuing authority under each.
type New struct {
	Online Online
	Root   *Root
	// Name is the common name of the authority, completed by the algorithm; RootName that of the roots.
	Name, RootName string
	Organization   string
	// Address is where the responder answers.
	Address string
	// Bits of the RSA keys; zero is 4096.
	Bits         int
	Participants []string
}

// Installation plans the plain installation.
func Installation(n New) (*Plan, error) {
	n.Online.New = true
	if n.Root != nil {
		n.Root.New = true
	}
	p := &Plan{Version: 1, Title: "The first authorities of " + n.Organization, Participants: n.Participants, Root: n.Root, Online: &n.Online}
	for _, one := range []struct{ name, algorithm, mark string }{{"gost", "GOST512", " (GOST)"}, {"rsa", "RSA", " (RSA)"}} {
		bits := 0
		if one.algorithm == "RSA" {
			bits = n.Bits
		}
		p.Authorities = append(p.Authorities,
			Authority{Name: "root_" + one.name, Algorithm: one.algorithm, Bits: bits, CommonName: n.RootName + one.mark},
			Authority{Name: one.name, Parent: "root_" + one.name, Algorithm: one.algorithm, Bits: bits, CommonName: n.Name + one.mark,
				Organization: n.Organization, Address: n.Address})
	}
	return p.written()
}

// written is a plan as it stands in a file.
func (p *Plan) written() (*Plan, error) {
	text, err := yaml.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write the plan: %w", err)
	}
	return Parse(text)
}

// Text is the plan's file.
func (p *Plan) Text() []byte { return p.text }

// Rollover plans what takes over from an issuing authority ([ca.NextGeneration]). The plan is to be
// reviewed and carried out by [Env.Run].
func (e *Env) Rollover(ctx context.Context, online Online, root *Root, name string, newRoot bool, participants []string) (*Plan, error) {
	p := &Plan{Version: 1, Title: "The next generation of " + name, Participants: participants, Root: root, Online: &online}
	if err := e.apart(p); err != nil {
		return nil, err
	}
	f, err := e.openOnline(ctx, online)
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	next, err := ca.NextGeneration(ctx, ca.Ceremony{Store: f.store.CA(), Keys: f.keys, Now: e.Now}, name, newRoot)
	if err = errors.Join(err, f.close()); err != nil {
		return nil, err
	}
	for _, n := range next {
		if n.Token && p.token(n) == nil {
			return nil, fmt.Errorf("the keys of %s are in a token, and its follower's belong there too: name the token", n.Follows)
		}
		p.Authorities = append(p.Authorities, authorityOf(n))
	}
	return p.written()
}

// authorityOf writes a plan of package ca as files have it.
func authorityOf(n ca.AuthorityPlan) Authority {
	a := Authority{Name: n.Name, Parent: n.Parent, Algorithm: "GOST512", Bits: n.Bits, CommonName: n.CommonName, Organization: n.Organization,
		Address: n.Address, Policy: n.Policy, CPS: n.CPS, Years: &n.Years, Follows: n.Follows}
	if n.Algorithm == algid.RSA {
		a.Algorithm = "RSA"
	}
	if n.PathLength != ca.Unlimited {
		a.PathLength = &n.PathLength
	}
	if n.NoTSA {
		a.Services = []string{"ocsp"}
	}
	return a
}

// Request makes the keys of the issuing authorities of a plan and the requests for their certificates,
// NAME.p10, in a folder; nothing else of the plan may be there. A new installation begins this way too: it
// has no authority, and senimd opens and makes none, until what was requested is installed.
func (e *Env) Request(ctx context.Context, p *Plan, out string) ([]string, error) {
	if p.Online == nil || p.Root != nil || len(p.Authorities) == 0 || len(p.Sign)+len(p.Revoke)+len(p.Lists) > 0 {
		return nil, p.wrong("a plan for requests names an installation and its issuing authorities, and nothing else", "online")
	}
	all, err := p.authorities()
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if path := filepath.Join(e.path(out), one.Name+".p10"); exists(path) {
			return nil, fmt.Errorf("%s exists: nothing is overwritten", path)
		}
	}
	a, err := e.begin(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("begin the ceremony: %w", err)
	}
	var made []string
	for _, one := range all {
		var raw []byte
		raw, err = ca.Request(ctx, a.ceremony(), one)
		if err == nil {
			path := filepath.Join(e.path(out), one.Name+".p10")
			err = create(path, raw, 0o644)
			made = append(made, path)
		}
		if err != nil {
			break
		}
	}
	return made, a.end(ctx, p.placed(err))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Arrived are files that came from an offline root.
type Arrived struct {
	Online Online
	// Files are certificates, named as authorities are (NAME.cer), and revocation lists (*.crl).
	Files []string
	// Roots are SHA-256 fingerprints of new roots, in hex, that people compared.
	Roots        []string
	Participants []string
}

// Install takes what an offline root signed into an installation.
func (e *Env) Install(ctx context.Context, w Arrived) error {
	var in ca.Arrival
	text := "files that came:\n"
	for _, name := range w.Files {
		kind := "CERTIFICATE"
		if filepath.Ext(name) == ".crl" {
			kind = "X509 CRL"
		}
		der, err := readDER(e.path(name), kind)
		if err != nil {
			return fmt.Errorf("install: %w", err)
		}
		text += fmt.Sprintf("%s SHA-256 %x\n", filepath.Base(name), sha256.Sum256(der))
		if kind == "CERTIFICATE" {
			base := filepath.Base(name)
			in.Certificates = append(in.Certificates, ca.Named{Name: strings.TrimSuffix(base, filepath.Ext(base)), Raw: der})
		} else {
			in.Lists = append(in.Lists, der)
		}
	}
	for _, r := range w.Roots {
		raw, err := hex.DecodeString(strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(r)))
		if err != nil || len(raw) != 32 {
			return fmt.Errorf("install: root %q: 64 hex digits are wanted", r)
		}
		in.Roots = append(in.Roots, [32]byte(raw))
	}
	p := &Plan{Title: "What came from the root", Participants: w.Participants, Online: &w.Online, text: []byte(text), digest: sha256.Sum256([]byte(text))}
	a, err := e.begin(ctx, p)
	if err != nil {
		return fmt.Errorf("begin the ceremony: %w", err)
	}
	return a.end(ctx, ca.Install(ctx, a.ceremony(), in))
}

// List plans the next revocation list of an authority above issuing ones.
func List(online *Online, root *Root, name string, participants []string) (*Plan, error) {
	p := &Plan{Version: 1, Title: "The next revocation list of " + name, Participants: participants, Online: online, Root: root, Lists: []string{name}}
	return p.written()
}

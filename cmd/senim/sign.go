package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"senim/cms"
	"senim/pfx"
)

type sign struct {
	Format       string `required:"" enum:"cms,xml,xades,pades,wsse,jwt" help:"cms for any file; xml for an XML document that will carry its signature inside, xades the same with the time of signing; pades for a PDF document likewise; wsse for a SOAP message of the state bus; jwt for claims in JSON." placeholder:"cms|xml|xades|pades|wsse|jwt"`
	Key          string `required:"" help:"Key file (PKCS #12)." placeholder:"P12"`
	PasswordFile string `required:"" help:"File with the password of the key in its first line; - is standard input." placeholder:"FILE"`
	Detached     bool   `help:"Leave the file out of the signature (cms only)."`
	Reason       string `help:"Why it is signed, in words (pades only)."`
	Location     string `help:"Where it is signed (pades only)."`
	Out          string `required:"" help:"Where the result goes; it must not exist." placeholder:"FILE"`
	File         string `arg:"" help:"What is signed."`
}

// Help is what --help adds.
func (*sign) Help() string {
	return `The result is CAdES-BES (CMS), an enveloped XML or XAdES-BES signature, PAdES-B in a PDF document (which may
be signed already), a SOAP message with its body signed, or a JSON Web Token, in the form national programs read.
Signing checks nothing on the network. A key for sign-in only is refused; an expired one gives a warning.`
}

func (c *sign) run(p *program) error {
	if c.Format != "cms" && c.Detached {
		return &hinted{errors.New("signature and what it signs stand in one file: --detached does not go with --format " + c.Format), "--format cms --detached signs any file, XML too"}
	}
	if err := c.fitsPDF(); err != nil {
		return err
	}
	if _, err := os.Lstat(p.path(c.Out)); err == nil {
		return exists(c.Out)
	}
	key, err := c.key(p)
	if err != nil {
		return err
	}
	if c.Format == "pades" {
		if err := c.signPDF(p, key); err != nil {
			return err
		}
		return c.done(p, key)
	}
	data, err := p.read(c.File)
	if err != nil {
		return err
	}
	var out []byte
	if c.Format != "cms" {
		out, err = signText(c.Format, key, data, p.Now())
	} else {
		out, err = cms.Sign(rand.Reader, cms.Options{
			Key: key.Key, Certificate: key.Certificate, Content: data, Detached: c.Detached, SigningTime: p.Now(),
		})
	}
	if err != nil {
		return fmt.Errorf("sign %s: %w", c.File, err)
	}
	if err := p.write(c.Out, out); err != nil {
		return err
	}
	return c.done(p, key)
}

// done says what was signed, and by whom.
func (c *sign) done(p *program, key *pfx.File) error {
	p.line("Signed %s; the signature is in %s.", c.File, c.Out)
	newCard(key.Certificate).print(p, p.Now())
	return nil
}

// key opens the key file and looks whether its certificate may sign.
func (c *sign) key(p *program) (*pfx.File, error) {
	things, err := p.open(c.Key)
	if err != nil {
		return nil, err
	}
	if len(things) != 1 || things[0].kind != kindKeyFile {
		return nil, &hinted{fmt.Errorf("read %s: a %s, not a key file", c.Key, things[0].kind), "--key takes a PKCS #12 file, as GOST512_….p12"}
	}
	key, err := p.unlock(c.Key, things[0].keyFile, c.PasswordFile)
	if err != nil {
		return nil, err
	}
	cert, now := key.Certificate, p.Now()
	switch {
	case !cert.ForSigning():
		return nil, &hinted{fmt.Errorf("sign with %s: its certificate is not for signing", c.Key), "choose a file named GOST512_… or RSA…; AUTH_RSA… is for sign-in"}
	case now.After(cert.NotAfter):
		p.tell("warning: the certificate expired on %s; the signature will not be accepted", day(cert.NotAfter))
	case now.Before(cert.NotBefore):
		p.tell("warning: the certificate is valid from %s on; the signature will not be accepted", day(cert.NotBefore))
	}
	return key, nil
}

// write makes a new file and never touches one that is there.
func (p *program) write(name string, data []byte) error {
	f, err := os.OpenFile(p.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a signature is made to be given to others
	if errors.Is(err, fs.ErrExist) {
		return exists(name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, plain(err))
	}
	_, err = f.Write(data)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(p.path(name)) // half a signature is worse than none; the first error is reported
		return fmt.Errorf("write %s: %w", name, plain(err))
	}
	return nil
}

func exists(name string) error {
	return &hinted{fmt.Errorf("write %s: the file exists", name), "nothing is overwritten: choose another --out, or move the file away"}
}

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"senim/cms"
	"senim/pfx"
)

type sign struct {
	Format       string `required:"" enum:"cms,xml,xades,pades,wsse,jwt" help:"cms for any file; xml for an XML document that will carry its signature inside, xades the same with the time of signing; pades for a PDF document likewise; wsse for a SOAP message of the state bus; jwt for claims in JSON." placeholder:"cms|xml|xades|pades|wsse|jwt"`
	Key          string `required:"" help:"Key file (PKCS #12)." placeholder:"P12"`
	PasswordFile string `help:"File with the password of the key in its first line; - is standard input. Without it the password is asked for." placeholder:"FILE"`
	Detached     bool   `help:"Leave the file out of the signature (cms only); the file may have any size."`
	Reason       string `help:"Why it is signed, in words (pades only)."`
	Location     string `help:"Where it is signed (pades only)."`
	Out          string `required:"" help:"Where the result goes; it must not exist." placeholder:"FILE"`
	File         string `arg:"" help:"What is signed."`
}

// Help is what --help adds.
func (*sign) Help() string {
	return `The result is CAdES-BES (CMS), an enveloped XML or XAdES-BES signature, PAdES-B in a PDF document (which may
be signed already), a SOAP message with its body signed, or a JSON Web Token, in the form national programs read.
Signing checks nothing on the network. A key for sign-in only is refused. With one that expired, or is not
valid yet, it is signed with a warning and status 0, since tests need such signatures: nobody will accept
them, and senim verify says so.

  senim sign --format cms --key key.p12 --out act.pdf.p7s act.pdf
  senim sign --format cms --detached --key key.p12 --password-file pw.txt \
      --out disk.img.p7s disk.img
  senim sign --format xml --key key.p12 --out signed.xml invoice.xml
  senim sign --format pades --key key.p12 --out signed.pdf act.pdf`
}

func (c *sign) run(ctx context.Context, p *program) error {
	if c.Format != "cms" && c.Detached {
		return &hinted{errors.New("signature and what it signs stand in one file: --detached does not go with --format " + c.Format), "--format cms --detached signs any file, XML and PDF too"}
	}
	if err := c.fitsPDF(); err != nil {
		return err
	}
	if err := p.free(c.Out); err != nil {
		return err
	}
	key, err := c.key(ctx, p)
	if err != nil {
		return err
	}
	if c.Format == "pades" {
		if err := c.signPDF(p, key); err != nil {
			return err
		}
		return c.done(p, key)
	}
	out, err := c.sign(ctx, p, key)
	if err != nil {
		return err
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

// sign makes the signature: over a stream when it is detached, else over a document in memory.
func (c *sign) sign(ctx context.Context, p *program, key *pfx.File) ([]byte, error) {
	o := cms.Options{Key: key.Key, Certificate: key.Certificate, SigningTime: p.Now()}
	if c.Detached {
		content, err := p.stream(ctx, c.File)
		if err != nil {
			return nil, err
		}
		defer content.Close()
		out, err := cms.SignReader(rand.Reader, o, content)
		return out, said("sign "+c.File, err)
	}
	data, err := p.read(c.File)
	if c.Format == "cms" && (errors.Is(err, errLong) || len(data) > cms.MaxSize-frame) {
		return nil, c.tooLong()
	}
	if err != nil {
		return nil, err
	}
	if c.Format != "cms" {
		out, err := signText(c.Format, key, data, p.Now())
		return out, said("sign "+c.File, err)
	}
	o.Content = data
	out, err := cms.Sign(rand.Reader, o)
	return out, said("sign "+c.File, err)
}

// frame is room for what stands around a content: certificate, attributes, signature.
const frame = 64 << 10

// tooLong: programs that read messages, this one too, hold them in memory.
func (c *sign) tooLong() error {
	return &hinted{fmt.Errorf("sign %s: too long to stand inside its signature, which may have %d MiB", c.File, cms.MaxSize>>20),
		"--detached leaves the file outside and takes any size; keep the file beside its signature"}
}

// key opens the key file and looks whether its certificate may sign.
func (c *sign) key(ctx context.Context, p *program) (*pfx.File, error) {
	der, err := p.keyFile(c.Key)
	if err != nil {
		return nil, err
	}
	key, err := p.unlock(ctx, c.Key, der, c.PasswordFile)
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

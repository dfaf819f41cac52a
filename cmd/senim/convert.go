package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"

	"senim/pki"
)

type convert struct {
	To              string   `required:"" enum:"der,pem,base64,p12,certificate,content,detached" help:"der, pem, base64, p12, certificate, content or detached; see above." placeholder:"FORM"`
	Form            string   `enum:"nca,modern" default:"modern" help:"How a p12 is protected: modern (default), or nca, as the national CA's own files are, for programs that read no other." placeholder:"modern|nca"`
	PasswordFile    string   `help:"File with the password of the key in its first line; - is standard input. Without it the password is asked for." placeholder:"FILE"`
	NewPasswordFile string   `help:"File with another password for what is written; without it the password stays." placeholder:"FILE"`
	Unencrypted     bool     `help:"Read or write a private key in PEM without a password. Whoever gets that file has the key."`
	Out             string   `required:"" help:"Where the result goes; it must not exist." placeholder:"FILE"`
	Files           []string `arg:"" name:"file" help:"What is converted. Several only for p12: the PEM files of a key and its certificate."`
}

// Help is what --help adds.
func (*convert) Help() string {
	return `What --to names:

  der, pem, base64  a certificate, request, revocation list or CMS written so
  pem               of a key file: its certificate and encrypted key (PKCS #8)
  p12               a key file, from one or from a key and certificate in PEM
  certificate       the certificates of a key file or of a CMS, in PEM
  content           what was signed, out of a CMS that has it inside
  detached          the same signatures without the content

  senim convert --to pem --out nca.pem nca.cer
  senim convert --to p12 --out strong.p12 GOST512_1a2b.p12
  senim convert --to p12 --form nca --out old.p12 strong.p12
  senim convert --to pem --out key.pem GOST512_1a2b.p12
  senim convert --to p12 --out key.p12 key.pem
  senim convert --to content --out act.pdf act.pdf.p7s

Nothing is judged: senim verify does that. Files with keys are readable to you alone (mode 0600).`
}

// result is what will be written.
type result struct {
	data []byte
	what string // in words
	mode fs.FileMode
}

func (c *convert) run(ctx context.Context, p *program) error {
	if err := p.free(c.Out); err != nil {
		return err
	}
	if len(c.Files) > 1 && c.To != "p12" {
		return &hinted{fmt.Errorf("--to %s takes one file, not %d", c.To, len(c.Files)), "several files go only into --to p12: a key and its certificate"}
	}
	pieces, err := c.pieces(p)
	if err != nil {
		return err
	}
	var r *result
	switch first := pieces[0]; {
	case c.To == "p12":
		r, err = c.toP12(ctx, p, pieces)
	case first.kind == kindKeyFile && len(pieces) == 1:
		r, err = c.fromKeyFile(ctx, p, first)
	case c.To == "certificate" || c.To == "content" || c.To == "detached":
		r, err = c.extract(pieces)
	default:
		r, err = c.rewrite(pieces)
	}
	if err != nil {
		return err
	}
	if err := p.writeMode(c.Out, r.data, r.mode); err != nil {
		return err
	}
	p.line("%s is in %s.", r.what, c.Out)
	return nil
}

// piece is one object of a file, or a private key in PEM, which nothing but this command reads.
type piece struct {
	thing
	pki.Block
	file string
}

// Kinds of private keys in PEM, by the labels of RFC 7468 §10 and §11.
const (
	kindKey       = "encrypted private key"
	kindBareKey   = "private key"
	labelKey      = "ENCRYPTED PRIVATE KEY"
	labelBareKey  = "PRIVATE KEY"
	labelCert     = "CERTIFICATE"
	labelCMS      = "CMS"
	labelCRL      = "X509 CRL"
	labelRequest  = "CERTIFICATE REQUEST"
	secretWarning = "a private key without a password"
)

// pieces reads all files. What the commands do with a private key in PEM is told by its label.
func (c *convert) pieces(p *program) ([]piece, error) {
	var out []piece
	for _, name := range c.Files {
		data, err := p.read(name)
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(bytes.TrimLeft(data, "\ufeff \t\r\n"), []byte("<")) {
			return nil, &hinted{fmt.Errorf("read %s: XML has one writing only", name), "certificates, requests, lists, CMS and key files are converted"}
		}
		blocks, err := pki.Decode(data)
		if err != nil {
			return nil, &hinted{fmt.Errorf("read %s: not a certificate, request, revocation list, key file or CMS", name), "files in DER, PEM and base64 are read"}
		}
		for _, b := range blocks {
			one := piece{Block: b, file: name}
			switch b.Type {
			case labelKey:
				one.kind = kindKey
			case labelBareKey:
				one.kind = kindBareKey
			default:
				if one.thing, err = recogniseDER(b); err != nil {
					return nil, fmt.Errorf("read %s: %w", name, err)
				}
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// labels are those of RFC 7468.
var labels = map[string]string{kindCertificate: labelCert, kindList: labelCRL, kindRequest: labelRequest, kindCMS: labelCMS}

// rewrite gives the same objects in another writing. CMS in BER comes out in DER.
func (c *convert) rewrite(pieces []piece) (*result, error) {
	r := &result{what: "The " + pieces[0].kind, mode: modePublic}
	if len(pieces) > 1 {
		r.what = "All of " + count(len(pieces), "object")
		if c.To != "pem" {
			return nil, &hinted{fmt.Errorf("read %s: %d objects, and %s writes one", c.Files[0], len(pieces), c.To), "--to pem keeps several in one file"}
		}
	}
	for _, one := range pieces {
		label := labels[one.kind]
		if label == "" {
			return nil, &hinted{fmt.Errorf("read %s: a %s has no such form", one.file, one.kind), "--to p12 makes a key file of it"}
		}
		der := one.DER
		if one.kind == kindCMS {
			der = one.cms.Raw()
		}
		switch c.To {
		case "pem":
			r.data = append(r.data, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})...)
		case "base64":
			r.data = []byte(base64.StdEncoding.EncodeToString(der) + "\n")
		default:
			r.data = der
		}
	}
	return r, nil
}

// extract takes a part out of a message.
func (c *convert) extract(pieces []piece) (*result, error) {
	if len(pieces) != 1 || pieces[0].kind != kindCMS {
		return nil, &hinted{fmt.Errorf("read %s: a %s, and --to %s wants a CMS", c.Files[0], pieces[0].kind, c.To), "senim inspect shows what a file is"}
	}
	sd := pieces[0].cms
	if c.To == "certificate" {
		return certificates("", sd.Certificates())
	}
	if sd.Detached() {
		return nil, &hinted{fmt.Errorf("read %s: its content is outside already", c.Files[0]), "what was signed is another file"}
	}
	if c.To == "content" {
		return &result{sd.Content(), "What was signed", modePublic}, nil
	}
	der, err := sd.Detach()
	if err != nil {
		return nil, err
	}
	return &result{der, "The signature without its content", modePublic}, nil
}

// certificates writes certificates in PEM.
func certificates(whose string, list []*pki.Certificate) (*result, error) {
	if len(list) == 0 {
		return nil, errors.New("there is no certificate in it")
	}
	r := &result{what: "The certificate" + whose, mode: modePublic}
	if len(list) > 1 {
		r.what = "All of " + count(len(list), "certificate")
	}
	for _, cert := range list {
		r.data = append(r.data, pem.EncodeToMemory(&pem.Block{Type: labelCert, Bytes: cert.Raw})...)
	}
	return r, nil
}

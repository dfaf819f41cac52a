package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/internal/ident"
	"senim/pki"
)

type inspect struct {
	JSON         bool   `name:"json" help:"Answer in JSON."`
	PasswordFile string `help:"File with the password of a key file in its first line; - is standard input. Without it the password is asked for." placeholder:"FILE"`
	File         string `arg:"" help:"Certificate, revocation list, request, key file, CMS, signed XML or PDF; - is standard input."`
}

// Help is what --help adds.
func (*inspect) Help() string {
	return `Nothing is judged here: a name or a date in a file is only what the file says. senim verify judges.

  senim inspect nca.cer
  senim inspect GOST512_1a2b.p12
  senim inspect --json act.pdf.p7s`
}

// description is what inspect says of one thing in a file.
type description struct {
	Kind         string        `json:"kind"`
	Certificate  *certificate  `json:"certificate,omitempty"`
	Others       []*card       `json:"others,omitempty"` // further certificates in a key file or a message
	Alias        string        `json:"alias,omitempty"`  // of a key file
	List         *list         `json:"list,omitempty"`
	Request      *request      `json:"request,omitempty"`
	ContentSize  *int          `json:"contentSize,omitempty"` // of an attached CMS
	Detached     bool          `json:"detached,omitempty"`
	Root         string        `json:"root,omitempty"` // of XML
	Token        *tokenFacts   `json:"token,omitempty"`
	Signers      []signerFacts `json:"signers,omitempty"`
	SignersCount int           `json:"signersCount,omitempty"`
	PDF          *pdfFacts     `json:"pdf,omitempty"`
}

// certificate is a card with what else stands in a certificate.
type certificate struct {
	*card
	Subject        string   `json:"subject"`
	Signature      string   `json:"signature"`
	Usages         []string `json:"extKeyUsage,omitempty"`
	Policies       []string `json:"policies,omitempty"`
	Emails         []string `json:"emails,omitempty"`
	Storage        string   `json:"storage,omitempty"`
	SubjectKeyID   string   `json:"subjectKeyId,omitempty"`
	AuthorityKeyID string   `json:"authorityKeyId,omitempty"`
	OCSP           []string `json:"ocsp,omitempty"`
	CRL            []string `json:"crl,omitempty"`
}

type list struct {
	Issuer     string `json:"issuer"`
	Number     string `json:"number,omitempty"`
	BaseNumber string `json:"baseNumber,omitempty"` // of a delta
	ThisUpdate string `json:"thisUpdate"`
	NextUpdate string `json:"nextUpdate,omitempty"`
	Entries    int    `json:"entries"`
	Signature  string `json:"signature"`
}

type request struct {
	Owner        string   `json:"owner"`
	IIN          string   `json:"iin,omitempty"`
	BIN          string   `json:"bin,omitempty"`
	Organization string   `json:"organization,omitempty"`
	Subject      string   `json:"subject"`
	Key          string   `json:"key"`
	Signature    string   `json:"signature"`
	Emails       []string `json:"emails,omitempty"`
	Storage      string   `json:"storage,omitempty"`
}

// signerFacts is what a signature says of itself, unproved.
type signerFacts struct {
	Certificate *card  `json:"certificate,omitempty"`
	Serial      string `json:"serial,omitempty"`
	Hash        string `json:"hash,omitempty"`
	SigningTime string `json:"signingTime,omitempty"` // claimed by the signer
	Timestamps  int    `json:"timestamps,omitempty"`
}

func (c *inspect) run(ctx context.Context, p *program) error {
	things, err := p.open(c.File)
	if err != nil {
		return err
	}
	var all []description
	for _, t := range things {
		d, err := c.describe(ctx, p, t)
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	if c.JSON {
		p.json(struct {
			File     string        `json:"file"`
			Contents []description `json:"contents"`
		}{c.File, all})
		return nil
	}
	for i, d := range all {
		if i > 0 {
			p.line("")
		}
		d.print(p, c.File)
	}
	return nil
}

func (c *inspect) describe(ctx context.Context, p *program, t thing) (description, error) {
	d := description{Kind: t.kind}
	switch t.kind {
	case kindCertificate:
		d.Certificate = describeCertificate(t.certificate)
	case kindKeyFile:
		f, err := p.unlock(ctx, c.File, t.keyFile, c.PasswordFile)
		if err != nil {
			return d, err
		}
		d.Certificate, d.Alias = describeCertificate(f.Certificate), f.Alias
		for _, o := range f.Others {
			d.Others = append(d.Others, newCard(o))
		}
	case kindList:
		d.List = describeList(t.list)
	case kindRequest:
		r, h := t.request, t.request.Holder()
		d.Request = &request{
			Owner: owner(h), IIN: h.IIN, BIN: h.BIN, Organization: h.Organization, Subject: r.Subject.String(),
			Key: r.Key.String(), Signature: r.Signature.String(), Emails: r.Emails, Storage: storage(r.Storage),
		}
	case kindCMS:
		describeCMS(&d, t)
	case kindXML:
		root := t.xml.RootWithoutSignatures()
		d.Root = root.Local
		for _, s := range t.xml.Signers() {
			d.Signers = append(d.Signers, signerFacts{Certificate: newCard(s)})
		}
	}
	if t.kind == kindToken {
		d.Token = describeToken(t.token)
	}
	if t.kind == kindPDF {
		d.PDF = describePDF(t.pdf)
	}
	d.SignersCount = len(d.Signers)
	return d, nil
}

func describeCMS(d *description, t thing) {
	if d.Detached = t.cms.Detached(); !d.Detached {
		size := len(t.cms.Content())
		d.ContentSize = &size
	}
	certs := t.cms.Certificates()
	for _, s := range t.cms.Signers() {
		f := signerFacts{Hash: s.Hash.String(), Timestamps: len(s.Timestamps)}
		if s.Serial != nil {
			f.Serial = pki.SerialHex(s.Serial)
		}
		if !s.SigningTime.IsZero() {
			f.SigningTime = stamp(s.SigningTime)
		}
		i := slices.IndexFunc(certs, func(c *pki.Certificate) bool {
			if s.Serial == nil {
				return slices.Equal(c.SubjectKeyID, s.SubjectKeyID)
			}
			return c.Serial.Cmp(s.Serial) == 0 && slices.Equal(c.RawIssuer, s.Issuer)
		})
		if i >= 0 {
			f.Certificate = newCard(certs[i])
		}
		d.Signers = append(d.Signers, f)
	}
}

func describeCertificate(c *pki.Certificate) *certificate {
	d := &certificate{
		card: newCard(c), Subject: c.Subject.String(), Signature: c.Signature.String(), Emails: c.Emails, Storage: storage(c.Storage),
		SubjectKeyID: hex.EncodeToString(c.SubjectKeyID), AuthorityKeyID: hex.EncodeToString(c.AuthorityKeyID), OCSP: c.OCSP, CRL: c.CRL,
	}
	for _, u := range c.ExtKeyUsage {
		d.Usages = append(d.Usages, u.String())
	}
	for _, o := range c.Policies {
		d.Policies = append(d.Policies, o.String())
	}
	return d
}

func describeList(l *pki.RevocationList) *list {
	d := &list{Issuer: l.Issuer.String(), ThisUpdate: stamp(l.ThisUpdate), Entries: l.Len(), Signature: l.Signature.String()}
	if l.Number != nil {
		d.Number = l.Number.String()
	}
	if l.BaseNumber != nil {
		d.BaseNumber = l.BaseNumber.String()
	}
	if !l.NextUpdate.IsZero() {
		d.NextUpdate = stamp(l.NextUpdate)
	}
	return d
}

// storages are the kinds of key stores of the national PKI.
var storages = map[string]string{
	pki.StoragePKCS12.String(): "file (PKCS #12)", pki.StorageJKS.String(): "file (JKS)", pki.StorageIDCard.String(): "identity card",
	pki.StorageKaztoken.String(): "Kaztoken", pki.StorageEToken.String(): "eToken Java", pki.StorageEToken510.String(): "eToken 5110",
	pki.StorageJaCarta.String(): "JaCarta", pki.StorageAKey.String(): "aKey", pki.StorageSIM.String(): "SIM card", pki.StorageCloud.String(): "cloud",
}

func storage(oid fmt.Stringer) string {
	s := oid.String()
	if w := storages[s]; w != "" {
		return w
	}
	return s
}

// print writes a description for people: a sentence, the card, the details.
func (d *description) print(p *program, file string) {
	now := p.Now()
	switch d.Kind {
	case kindCertificate:
		p.line("%s is a certificate.", file)
		d.Certificate.print(p, now)
	case kindKeyFile:
		p.line("%s is a key file; its key belongs to this certificate.", file)
		d.Certificate.print(p, now)
		p.row("Alias", d.Alias)
		for _, o := range d.Others {
			p.line("")
			p.line("  It also holds the certificate of")
			o.print(p, now)
		}
	case kindList:
		d.List.print(p, file)
	case kindRequest:
		p.line("%s is a certificate request.", file)
		r := d.Request
		p.line("  %s", p.bold(r.Owner))
		p.row("Organisation", joined(", ", r.Organization, prefixed("BIN ", ident.FormatIIN(r.BIN))))
		p.row("IIN", ident.FormatIIN(r.IIN))
		p.row("Key", r.Key)
		p.row("Signature", r.Signature)
		p.row("E-mail", strings.Join(r.Emails, ", "))
		p.row("Storage", r.Storage)
	case kindCMS:
		what := "with its content outside"
		if d.ContentSize != nil {
			what = fmt.Sprintf("with %s inside", count(*d.ContentSize, "byte"))
		}
		p.line("%s is a CMS message %s, %s.", file, what, count(len(d.Signers), "signature"))
		d.printSigners(p, now)
	case kindToken:
		d.Token.print(p, file)
	case kindPDF:
		d.PDF.print(p, file, now)
	case kindXML:
		p.line("%s is an XML document <%s>, %s.", file, d.Root, count(len(d.Signers), "signature"))
		d.printSigners(p, now)
	}
}

func (d *description) printSigners(p *program, now time.Time) {
	for _, s := range d.Signers {
		p.line("")
		if s.Certificate != nil {
			s.Certificate.print(p, now)
		} else {
			p.line("  Someone whose certificate is not in the message")
			p.row("Serial", s.Serial)
		}
		p.row("Hash", s.Hash)
		p.row("Says signed at", s.SigningTime)
		if s.Timestamps > 0 {
			p.row("Time stamps", fmt.Sprint(s.Timestamps))
		}
	}
	if len(d.Signers) > 0 {
		p.line("")
		p.line("Nothing of this is checked yet: senim verify does that.")
	}
}

// print writes a certificate: its card and the details.
func (c *certificate) print(p *program, now time.Time) {
	c.card.print(p, now)
	p.line("")
	p.row("Subject", c.Subject)
	p.row("Issuer", c.Issuer)
	p.row("Serial", c.Serial)
	p.row("Key", c.Key)
	p.row("Signature", c.Signature)
	p.row("E-mail", strings.Join(c.Emails, ", "))
	p.row("Storage", c.Storage)
	p.row("Usages", strings.Join(c.Usages, " "))
	p.row("Policies", strings.Join(c.Policies, " "))
	p.row("Key id", c.SubjectKeyID)
	p.row("Issuer key id", c.AuthorityKeyID)
	p.row("SHA-256", c.SHA256)
}

func (l *list) print(p *program, file string) {
	what := "a revocation list"
	if l.BaseNumber != "" {
		what = "an addition (delta) to revocation list " + l.BaseNumber
	}
	p.line("%s is %s with %s.", file, what, entries(l.Entries))
	p.row("Issuer", l.Issuer)
	p.row("Number", l.Number)
	p.row("Made", l.ThisUpdate)
	p.row("Next", l.NextUpdate)
	p.row("Signature", l.Signature)
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

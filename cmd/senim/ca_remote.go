package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"senim/cms"
	"senim/internal/caapi/client"
	"senim/pki"
)

// caRemote are the commands that speak to an authority by its API.
type caRemote struct {
	Issue   caIssue   `cmd:"" help:"Have a certificate issued for a request."`
	Renew   caRenew   `cmd:"" help:"Have the next certificate of a holder issued, on the old key's word."`
	Revoke  caRevoke  `cmd:"" help:"Revoke a certificate."`
	Hold    caHold    `cmd:"" help:"Suspend a certificate."`
	Release caRelease `cmd:"" help:"Lift a hold; two clients do it together."`
	Status  caStatus  `cmd:"" help:"Show what the authority knows of a certificate."`
	Search  caSearch  `cmd:"" help:"Find certificates by holder and time."`
	Offered caOffered `cmd:"" help:"List the kinds of certificates this client may ask an authority for."`
}

// calling says which authority is asked and by whom.
type calling struct {
	URL     string        `name:"url" group:"Authority" required:"" help:"Address of the authority's API, as https://ca.example.kz:8443." placeholder:"URL"`
	KeyFile string        `group:"Authority" help:"File with this client's key, mode 0600." placeholder:"FILE"`
	Cert    string        `group:"Authority" help:"TLS certificate this client shows, PEM." placeholder:"FILE"`
	CertKey string        `group:"Authority" help:"Its key, PEM, mode 0600." placeholder:"FILE"`
	CACert  string        `name:"cacert" group:"Authority" help:"Authorities of the server's own certificate, PEM; by default those of the system." placeholder:"FILE"`
	Timeout time.Duration `group:"Authority" default:"30s" help:"How long one try may take; no answer is tried again five times." placeholder:"TIME"`
	JSON    bool          `name:"json" help:"Answer in JSON."`
}

func (c *calling) open(p *program) (*client.Client, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CACert != "" {
		b, err := p.read(c.CACert)
		if err != nil {
			return nil, err
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("--cacert %s: no certificates in PEM", c.CACert)
		}
	}
	if (c.Cert == "") != (c.CertKey == "") {
		return nil, errors.New("--cert and --cert-key go together")
	}
	if c.Cert != "" {
		public, err := p.read(c.Cert)
		if err != nil {
			return nil, err
		}
		secret, err := p.private(c.CertKey)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(public, secret)
		if err != nil {
			return nil, fmt.Errorf("--cert %s: %w", c.Cert, err)
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	key := ""
	if c.KeyFile != "" {
		b, err := p.private(c.KeyFile)
		if err != nil {
			return nil, err
		}
		key = strings.TrimSpace(string(b))
	}
	if key == "" && c.Cert == "" {
		return nil, &hinted{errors.New("who calls?"), "--key-file FILE with the key that senim ca client add printed, or --cert and --cert-key"}
	}
	out, err := client.New(client.Config{URL: c.URL, Key: key, TLS: settings, Timeout: c.Timeout})
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	return out, nil
}

// private reads a secret from a file that nobody else of the machine may read.
func (p *program) private(name string) ([]byte, error) {
	if info, err := os.Stat(p.path(name)); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return nil, &hinted{fmt.Errorf("read %s: others may read it (mode %o)", name, info.Mode().Perm()), "chmod 600 " + name}
	}
	return p.readUpTo(name, 1<<20)
}

// refusedBy tells a refusal of the authority: a finding, not a misuse of the command.
func refusedBy(what string, err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	if q, ok := errors.AsType[*client.Problem](err); ok {
		hint = map[string]string{
			"UNAUTHENTICATED": "the key was rotated, or is of another authority",
			"RIGHT_MISSING":   "senim ca client list on the authority's machine shows the rights",
			"OTHER_REQUEST":   "choose another name with --order; this one stands for the first request",
			"KEY_REUSED":      "make a new key: senim key new",
			"OLD_KEY_EXPIRED": "identify the holder and issue a new certificate: senim ca issue",
		}[q.Code]
		for _, f := range q.Errors {
			err = fmt.Errorf("%w; %s: %s", err, f.Location, f.Message)
		}
	} else {
		hint = "when no answer came, repeat the command with the same --order: it has one effect"
	}
	return &notGood{&hinted{fmt.Errorf("%s: %w", what, err), hint}}
}

// matter is how the authority's record names what a change is about.
type matter struct {
	Order     string `help:"Name of this request: the same name with the same request has one effect. By default a new one." placeholder:"NAME"`
	Reference string `help:"Your name for the matter, for the authority's record; no personal numbers." placeholder:"TEXT"`
}

func (m *matter) key() string {
	if m.Order != "" {
		return m.Order
	}
	return rand.Text()
}

type caIssue struct {
	calling
	Profile      string `required:"" help:"Kind of certificate, of senim ca profiles." placeholder:"NAME"`
	Order        string `required:"" help:"Name of the order, for ever: the same name never gives a second certificate." placeholder:"NAME"`
	CSR          string `name:"csr" required:"" help:"Request (PKCS #10), which proves possession of the key." placeholder:"FILE"`
	Name         string `group:"Subject" required:"" help:"Surname and name of the person, or name of the system." placeholder:"NAME"`
	Surname      string `group:"Subject" help:"Surname of the person." placeholder:"ФАМИЛИЯ"`
	Patronymic   string `group:"Subject" help:"Patronymic, when the person has one." placeholder:"ОТЧЕСТВО"`
	IIN          string `name:"iin" group:"Subject" help:"The person's number, twelve digits." placeholder:"IIN"`
	Organization string `group:"Subject" help:"Organisation of the person or system." placeholder:"НАЗВАНИЕ"`
	BIN          string `name:"bin" group:"Subject" help:"The organisation's number, twelve digits." placeholder:"BIN"`
	System       string `group:"Subject" help:"Registered identifier of an information system." placeholder:"OID"`
	Email        string `group:"Subject" help:"E-mail address." placeholder:"ADDRESS"`
	Storage      string `help:"Kind of key store, an OID; by default a file." placeholder:"OID"`
	Identity     string `enum:"desk,remote," default:"" help:"How the person was identified: desk or remote." placeholder:"HOW"`
	Replaces     string `help:"Serial of the certificate this one follows." placeholder:"SERIAL"`
	Reference    string `help:"Your name for the matter, for the authority's record; no personal numbers." placeholder:"TEXT"`
	Out          string `required:"" help:"Where the certificate goes (PEM); it must not exist." placeholder:"FILE"`
	ChainOut     string `help:"Where the certificates of the authorities above it go (PEM)." placeholder:"FILE"`
}

// Help is what --help adds.
func (*caIssue) Help() string {
	return `When no answer comes, repeat the command as it is: the order gives its one certificate.

  senim ca issue --url https://ca:8443 --key-file ra.key --cacert ca.pem \
      --profile individual --order A-17 --csr me.p10 --surname ТЕСТОВ \
      --name 'ТЕСТОВ ТЕСТ' --iin 123456789011 --out me.pem`
}

func (c *caIssue) run(ctx context.Context, p *program) error {
	for _, name := range []string{c.Out, c.ChainOut} {
		if name != "" {
			if err := p.free(name); err != nil {
				return err
			}
		}
	}
	csr, err := p.requestDER(c.CSR)
	if err != nil {
		return err
	}
	to, err := c.open(p)
	if err != nil {
		return err
	}
	defer to.Close()
	made, err := to.Issue(ctx, c.Order, client.IssueRequest{Profile: c.Profile, CSR: base64.StdEncoding.EncodeToString(csr), Storage: c.Storage,
		Identity: c.Identity, Replaces: c.Replaces, Reference: c.Reference, Subject: client.Subject{CommonName: c.Name, Surname: c.Surname,
			Patronymic: c.Patronymic, IIN: c.IIN, Organization: c.Organization, BIN: c.BIN, UID: c.System, Email: c.Email}})
	if err != nil {
		return refusedBy("issue "+c.Order, err)
	}
	return c.made(p, made, c.Out, c.ChainOut)
}

// made writes and shows a new certificate.
func (c *calling) made(p *program, made client.Issued, out, chain string) error {
	if err := p.write(out, []byte(made.Certificate)); err != nil {
		return err
	}
	if chain != "" {
		if err := p.write(chain, []byte(strings.Join(made.Chain, ""))); err != nil {
			return err
		}
	}
	if c.JSON {
		p.json(made)
		return nil
	}
	der, err := client.DER(made.Certificate)
	if err != nil {
		return err
	}
	cert, err := pki.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	p.line("The certificate is in %s.", out)
	newCard(cert).print(p, p.Now())
	return nil
}

// requestDER reads a certificate request.
func (p *program) requestDER(name string) ([]byte, error) {
	data, err := p.readUpTo(name, 64<<10)
	if err != nil {
		return nil, err
	}
	blocks, err := pki.Decode(data)
	if err != nil || len(blocks) != 1 {
		return nil, fmt.Errorf("read %s: not a certificate request", name)
	}
	if _, err := pki.ParseRequest(blocks[0].DER); err != nil {
		return nil, fmt.Errorf("read %s: not a certificate request: %w", name, err)
	}
	return blocks[0].DER, nil
}

type caRenew struct {
	calling
	Order        string `required:"" help:"Name of the order, for ever: the same name never gives a second certificate." placeholder:"NAME"`
	CSR          string `name:"csr" required:"" help:"Request (PKCS #10) of the new key." placeholder:"FILE"`
	Key          string `xor:"proof" help:"The old key file (PKCS #12), which signs the request." placeholder:"P12"`
	PasswordFile string `help:"File with its password in the first line; without it the password is asked for." placeholder:"FILE"`
	Proof        string `xor:"proof" help:"Instead: the old key's detached CMS over the request's DER, made elsewhere." placeholder:"FILE"`
	Serial       string `help:"Serial of the old certificate; with --key it is known." placeholder:"SERIAL"`
	Reference    string `help:"Your name for the matter, for the authority's record; no personal numbers." placeholder:"TEXT"`
	Out          string `required:"" help:"Where the certificate goes (PEM); it must not exist." placeholder:"FILE"`
	ChainOut     string `help:"Where the certificates of the authorities above it go (PEM)." placeholder:"FILE"`
}

// Help is what --help adds.
func (*caRenew) Help() string {
	return `The old certificate must be in force and not renewed before; the new key must be new.

  senim ca renew --url https://ca:8443 --key-file ra.key --cacert ca.pem \
      --order A-18 --csr next.p10 --key old.p12 --out next.pem`
}

func (c *caRenew) run(ctx context.Context, p *program) error {
	if c.Key == "" && (c.Proof == "" || c.Serial == "") {
		return &hinted{errors.New("what does the old key say?"), "--key OLD.p12, or --proof FILE together with --serial"}
	}
	for _, name := range []string{c.Out, c.ChainOut} {
		if name != "" {
			if err := p.free(name); err != nil {
				return err
			}
		}
	}
	csr, err := p.requestDER(c.CSR)
	if err != nil {
		return err
	}
	to, err := c.open(p)
	if err != nil {
		return err
	}
	defer to.Close()
	proof, serial, err := c.proof(ctx, p, csr)
	if err != nil {
		return err
	}
	made, err := to.Renew(ctx, serial, c.Order, client.RenewRequest{CSR: base64.StdEncoding.EncodeToString(csr),
		Proof: base64.StdEncoding.EncodeToString(proof), Reference: c.Reference})
	if err != nil {
		return refusedBy("renew "+serial, err)
	}
	return c.made(p, made, c.Out, c.ChainOut)
}

// proof is the old key's signature over the request.
func (c *caRenew) proof(ctx context.Context, p *program, csr []byte) (proof []byte, serial string, err error) {
	if c.Key == "" {
		data, err := p.readUpTo(c.Proof, 64<<10)
		if err != nil {
			return nil, "", err
		}
		proof, err := cms.Decode(data)
		if err != nil {
			return nil, "", fmt.Errorf("read %s: %w", c.Proof, err)
		}
		return proof, c.Serial, nil
	}
	der, err := p.keyFile(c.Key)
	if err != nil {
		return nil, "", err
	}
	key, err := p.unlock(ctx, c.Key, der, c.PasswordFile)
	if err != nil {
		return nil, "", err
	}
	proof, err = cms.Sign(rand.Reader, cms.Options{Key: key.Key, Certificate: key.Certificate, Content: csr, Detached: true, SigningTime: p.Now().Truncate(time.Second)})
	if err != nil {
		return nil, "", fmt.Errorf("sign the request: %w", err)
	}
	return proof, key.Certificate.SerialHex(), nil
}

// serial is the one that an argument names, or that of the certificate in the file it names.
func (p *program) serial(arg string) (string, error) {
	if len(arg) == 40 && strings.Trim(arg, "0123456789abcdef") == "" {
		return arg, nil
	}
	certs, err := p.certificates(arg)
	if err != nil {
		return "", &hinted{err, "name a serial of 40 lower hex digits, or a file with the certificate"}
	}
	if len(certs) != 1 {
		return "", fmt.Errorf("read %s: %d certificates, not one", arg, len(certs))
	}
	return certs[0].SerialHex(), nil
}

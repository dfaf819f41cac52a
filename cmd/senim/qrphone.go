package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"senim/internal/ask"
	"senim/internal/lang"
	"senim/internal/mgov"
	"senim/internal/phone"
)

type qrPhone struct {
	Key          string        `required:"" help:"Key file (PKCS #12) the phone signs with." placeholder:"P12"`
	PasswordFile string        `help:"File with the password of the key in its first line; - is standard input. Without it the password is asked for." placeholder:"FILE"`
	Lang         string        `enum:"kk,ru,en" default:"ru" help:"Language of the phone: kk, ru (default) or en." placeholder:"LANG"`
	Yes          bool          `help:"Sign without asking."`
	Timeout      time.Duration `default:"30s" help:"How long the portal has to answer." placeholder:"TIME"`
	Code         string        `arg:"" name:"url" help:"Text of the QR code, link to eGov Mobile, or address."`
}

// Help is what --help adds.
func (*qrPhone) Help() string {
	return `A phone with eGov Mobile, for tests and demonstrations: it asks the portal what is to be signed, shows it,
signs with your key when you say so, and brings the signatures back. Unlike the real app it knows no list of
registered portals.

  senim qr-phone --key key.p12 'mobileSign:http://localhost:8081/mgovSign/1/…'

Exit status: 0 the portal took the signatures, 1 it refused or you did, 2 a file cannot be read or the command
is misused. The network is spoken to only at the address of the code.`
}

func (c *qrPhone) run(ctx context.Context, p *program) error {
	if _, err := mgov.Address(c.Code); err != nil {
		return &hinted{fmt.Errorf("read the code: %w", err), "give what the QR code says: mobileSign: and an address, in quotes"}
	}
	if c.Timeout <= 0 {
		return &hinted{fmt.Errorf("--timeout %s: no time to answer", c.Timeout), "write it as 30s or 2m"}
	}
	key, err := (&sign{Key: c.Key, PasswordFile: c.PasswordFile}).key(ctx, p)
	if err != nil {
		return err
	}
	client := ask.Client()
	client.Timeout = c.Timeout
	with := &phone.Phone{Key: key.Key, Certificate: key.Certificate, Lang: lang.Tag(c.Lang), Client: client, Now: p.Now}
	paper, err := with.Look(ctx, c.Code)
	if err != nil {
		return &notGood{err}
	}
	c.show(p, paper)
	if !c.Yes {
		if err := agree(p); err != nil {
			return err
		}
	}
	if err := with.Sign(ctx, paper); err != nil {
		return &notGood{err}
	}
	p.line("Signed; the portal took it. Go back to the page.")
	newCard(key.Certificate).print(p, p.Now())
	return nil
}

// show prints what the phone's screen shows its person before he signs.
func (c *qrPhone) show(p *program, paper phone.Paper) {
	i := paper.Invitation
	name := map[string]string{"kk": i.Organisation.KK, "ru": i.Organisation.RU, "en": i.Organisation.EN}[c.Lang]
	p.line("%s", i.Description)
	p.row("organisation", name)
	p.row("BIN", i.Organisation.BIN)
	p.row("documents at", i.Document.URI[:strings.LastIndex(i.Document.URI, "/")+1])
	p.row("good until", i.Expires.Format(time.RFC3339))
	for _, d := range paper.Package.Documents {
		title := map[string]string{"kk": d.KK, "ru": d.RU, "en": d.EN}[c.Lang]
		p.line("Document %d: %s (%s, %s)", d.ID, title, paper.Package.MethodOf(d), count(len(d.Content()), "byte"))
		for _, m := range d.Meta {
			p.line("  %s: %s", m.Name, m.Value)
		}
	}
}

// agree asks the person at the keyboard whether to sign.
func agree(p *program) error {
	_, _ = fmt.Fprint(p.Stderr, "Sign? [y/N] ") // nowhere else to ask
	line, err := bufio.NewReader(p.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	if !strings.EqualFold(strings.TrimSpace(line), "y") {
		return &notGood{errors.New("nothing was signed")}
	}
	return nil
}

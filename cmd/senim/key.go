package main

import (
	"context"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"senim/internal/ident"
	"senim/internal/keystore"
	"senim/pki"
)

type keys struct {
	New    keyNew    `cmd:"" help:"Make a key and the request for its certificate."`
	Finish keyFinish `cmd:"" help:"Put a certificate that came together with its key."`
	List   keyList   `cmd:"" help:"List key files: whose, for what, until when."`
	Passwd keyPasswd `cmd:"" help:"Change the password of a key file."`
}

// keeping is where keys wait for their certificates. It is not the folder of the agent, which may be
// at work at the same time.
type keeping struct {
	Keeper string `help:"Folder with the notes on keys that wait for a certificate; by default in your settings." placeholder:"DIR"`
}

func (k *keeping) folder(p *program) (string, error) {
	if k.Keeper != "" {
		return filepath.Abs(p.path(k.Keeper))
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", &hinted{fmt.Errorf("find a folder for notes on keys: %w", err), "--keeper DIR names one"}
	}
	return filepath.Join(dir, "senim"), nil
}

// open opens the keeper and keeps other calls of senim out until release.
func (k *keeping) open(p *program) (keeper *keystore.Keeper, release func(), err error) {
	dir, err := k.folder(p)
	if err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", dir, plain(err))
	}
	release, err = lock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, nil, err
	}
	keeper, err = keystore.Open(keystore.Config{Dir: dir, Now: p.Now})
	if err != nil {
		release()
		return nil, nil, fmt.Errorf("open %s: %w", dir, plain(err))
	}
	return keeper, release, nil
}

type keyNew struct {
	Algorithm    string `enum:"gost512,gost256,rsa" default:"gost512" help:"gost512 (default), gost256 or rsa (2048 bits)." placeholder:"NAME"`
	SignIn       bool   `help:"An RSA key for sign-in; by default it is for signing. A GOST key is for both."`
	Surname      string `group:"Subject" help:"Surname of the person." placeholder:"ФАМИЛИЯ"`
	Name         string `group:"Subject" required:"" help:"Name of the person, or of the information system." placeholder:"ИМЯ"`
	Patronymic   string `group:"Subject" help:"Patronymic, when the person has one." placeholder:"ОТЧЕСТВО"`
	IIN          string `name:"iin" group:"Subject" help:"The person's number, twelve digits." placeholder:"IIN"`
	Organization string `group:"Subject" help:"Organisation the person works in, or that runs the system." placeholder:"НАЗВАНИЕ"`
	BIN          string `name:"bin" group:"Subject" help:"The organisation's number, twelve digits." placeholder:"BIN"`
	Email        string `group:"Subject" help:"E-mail address." placeholder:"ADDRESS"`
	System       string `group:"Subject" help:"Registered identifier of an information system; then there is no person." placeholder:"OID"`
	Dir          string `default:"." help:"Folder for the key file." placeholder:"DIR"`
	keeping
	Out string `required:"" help:"Where the request goes (PEM); it must not exist." placeholder:"FILE"`
}

// Help is what --help adds.
func (*keyNew) Help() string {
	return `The key waits, encrypted, in PENDING_….p8 until its certificate comes; senim key finish then makes the key
file with a password of your choice. Send the request to the authority; the key never leaves this machine.

An individual, a person of an organisation, an information system:

  senim key new --surname ТЕСТОВ --name ТЕСТ --patronymic ТЕСТОВИЧ \
      --iin 123456789011 --email t@example.kz --out me.p10
  senim key new --surname ТЕСТОВ --name ТЕСТ --iin 123456789011 \
      --organization 'АО "ТЕСТ"' --bin 123456789021 --out head.p10
  senim key new --system 1.2.398.3.14.1.1 --name 'ИС ТЕСТ' \
      --organization 'АО "ТЕСТ"' --bin 123456789021 --out system.p10`
}

func (c *keyNew) run(_ context.Context, p *program) error {
	subject, err := c.subject(p)
	if err != nil {
		return err
	}
	profile := keystore.Profile{Algorithm: map[string]string{"gost512": "GOST512", "gost256": "GOST256", "rsa": "RSA2048"}[c.Algorithm], Usage: "SIGNATURE"}
	if c.SignIn {
		if c.Algorithm != "rsa" {
			return &hinted{errors.New("--sign-in is for RSA keys"), "a GOST key signs and signs in; leave --sign-in out"}
		}
		profile.Usage = "AUTHENTICATION"
	}
	if err := p.free(c.Out); err != nil {
		return err
	}
	folder, err := filepath.Abs(p.path(c.Dir))
	if err != nil {
		return fmt.Errorf("find %s: %w", c.Dir, err)
	}
	keeper, release, err := c.open(p)
	if err != nil {
		return err
	}
	defer release()
	notes, err := keeper.Generate(keystore.Order{RequestID: rand.Text(), Profiles: []keystore.Profile{profile}, Subject: subject, Folder: folder})
	if err != nil {
		return failed("make a key", err)
	}
	note := notes[0]
	if err := p.write(c.Out, pem.EncodeToMemory(&pem.Block{Type: labelRequest, Bytes: note.Request})); err != nil {
		return err
	}
	p.line("The request for a certificate is in %s.", c.Out)
	p.line("  %s", p.bold(owner(subject)))
	p.row("Organisation", joined(", ", subject.Organization, prefixed("BIN ", ident.FormatIIN(subject.BIN))))
	p.row("IIN", ident.FormatIIN(subject.IIN))
	p.row("Key", note.Algorithm)
	p.row("Waits in", filepath.Join(c.Dir, note.File))
	p.line("Send the request to the authority. When the certificate comes:")
	p.line("  %s", joined(" ", "senim key finish", prefixed("--keeper ", c.Keeper), "CERTIFICATE"))
	return nil
}

// subject is who the certificate will be of, by the roles of the national PKI: an individual, a person
// of an organisation, an information system.
func (c *keyNew) subject(p *program) (pki.Holder, error) {
	h := pki.Holder{CommonName: c.Name, Surname: c.Surname, Given: c.Patronymic, IIN: c.IIN, Organization: c.Organization, BIN: c.BIN, Email: c.Email, UID: c.System}
	_, err := pki.ParseOID(c.System)
	switch {
	case c.System != "" && err != nil:
		return h, &hinted{fmt.Errorf("--system %s: not an object identifier", c.System), "it was registered as numbers with dots, as 1.2.398.3.14.1.1"}
	case c.System != "" && c.Surname+c.Patronymic+c.IIN != "":
		return h, &hinted{errors.New("an information system is no person"), "leave --surname, --patronymic and --iin out, or --system"}
	case c.System != "" && c.BIN == "":
		return h, &hinted{errors.New("whose information system is it?"), "--organization and --bin"}
	case c.System == "" && (c.Surname == "" || c.IIN == ""):
		return h, &hinted{errors.New("a person is named by surname, name and IIN"), "--surname, --name and --iin; --patronymic when there is one"}
	case (c.BIN == "") != (c.Organization == ""):
		return h, &hinted{errors.New("an organisation is named by its name and BIN"), "--organization and --bin go together"}
	}
	if c.System == "" {
		h.CommonName = c.Surname + " " + c.Name
		if err := number(p, "IIN", c.IIN); err != nil {
			return h, err
		}
	}
	if c.BIN != "" {
		if err := number(p, "BIN", c.BIN); err != nil {
			return h, err
		}
	}
	if c.Email != "" {
		address, err := ident.ParseEmail(c.Email)
		if err != nil {
			return h, fmt.Errorf("--email %s: %w", c.Email, err)
		}
		h.Email = string(address)
	}
	return h, nil
}

// number looks at an IIN or BIN. A wrong check digit is only said: test numbers have one.
func number(p *program, what, s string) error {
	if _, err := ident.ParseIIN(s); err != nil || len(s) != 12 {
		return fmt.Errorf("%s %s: not twelve digits", what, s)
	}
	if ident.CheckDigit(s) != nil {
		p.tell("warning: the check digit of %s %s is wrong; an authority for real people will refuse it", what, s)
	}
	return nil
}

// reasons are failures of the keystore as a person reads them, with what to do.
var reasons = map[string][2]string{
	"folder_unavailable":     {"the folder for the key file is not there", "--dir names a folder that exists; a stick must be plugged in"},
	"too_many_pending":       {"too many keys wait for a certificate", "senim key list shows them; finish those whose certificates came"},
	"no_pending_key":         {"no key here waits for this certificate", "the key waits where its request was made; --keeper names another folder with notes"},
	"duplicate":              {"two certificates are of one key", "give each certificate once"},
	"expired":                {"the certificate has ended already", "ask the authority for a new one"},
	"file_exists":            {"a key file of this name is there already", "move it away and repeat; nothing was changed"},
	"pending_key_unreadable": {"the waiting key cannot be read", "PENDING_….p8 must lie where it was made, and the folder of --keeper must be the one it was made with"},
	"verify_failed":          {"the new key file did not open again", "nothing was changed; look at the disk"},
	"write_failed":           {"the disk refused", "nothing was changed"},
}

func failed(what string, err error) error {
	f, ok := errors.AsType[*keystore.Failure](err)
	if !ok {
		return fmt.Errorf("%s: %w", what, err)
	}
	words, known := reasons[f.Reason]
	if !known {
		return fmt.Errorf("%s: %w", what, f.Err)
	}
	return &hinted{fmt.Errorf("%s: %s (%w)", what, words[0], plain(f.Err)), words[1]}
}

type keyFinish struct {
	NewPasswordFile string `help:"File with the password for the key file in its first line; without it the password is asked for." placeholder:"FILE"`
	keeping
	Files []string `arg:"" name:"cer" help:"Certificates that came, in any order."`
}

// Help is what --help adds.
func (*keyFinish) Help() string {
	return `Every certificate is matched with its key by the key itself; the finished key files stand beside the
waiting ones, which go away last. With several certificates all are finished, or none.

  senim key finish me.cer`
}

func (c *keyFinish) run(ctx context.Context, p *program) error {
	var certs []*pki.Certificate
	for _, name := range c.Files {
		list, err := p.certificates(name)
		if err != nil {
			return err
		}
		certs = append(certs, list...)
	}
	keeper, release, err := c.open(p)
	if err != nil {
		return err
	}
	defer release()
	if _, err := keeper.Match(certs); err != nil {
		return failed("finish the key", err)
	}
	password, err := p.newSecret(ctx, "the key file", c.NewPasswordFile)
	if err != nil {
		return err
	}
	done, err := keeper.Install(certs, password)
	if err != nil {
		return failed("finish the key", err)
	}
	for i, d := range done {
		if i > 0 {
			p.line("")
		}
		p.line("The key file is %s.", d.Path)
		if d.OtherPassword {
			p.line("It was there already, under another password than the one given now, which it has kept.")
		}
		newCard(certs[i]).print(p, p.Now())
	}
	return nil
}

type keyPasswd struct {
	PasswordFile    string `help:"File with the password there is in its first line; without it the password is asked for." placeholder:"FILE"`
	NewPasswordFile string `help:"File with the new password likewise." placeholder:"FILE"`
	DiscardOld      bool   `help:"Remove the file with the old password after the new one was opened; by default it is kept."`
	File            string `arg:"" help:"Key file (PKCS #12)."`
}

// Help is what --help adds.
func (*keyPasswd) Help() string {
	return `The file with the old password is kept beside, as FILE.old, and the new one takes its place in one step
after it was opened. Nobody can recover a forgotten password.

  senim key passwd GOST512_1a2b.p12`
}

func (c *keyPasswd) run(ctx context.Context, p *program) error {
	path := p.path(c.File)
	if _, err := p.read(c.File); err != nil {
		return err
	}
	old, err := p.secret(ctx, c.File, c.PasswordFile)
	if err != nil {
		return err
	}
	password, err := p.newSecret(ctx, c.File, c.NewPasswordFile)
	if err != nil {
		return err
	}
	err = keystore.ChangePassword(path, old, password)
	switch {
	case errors.Is(err, keystore.ErrPassword):
		return wrong(c.File, c.PasswordFile, err)
	case errors.Is(err, keystore.ErrSamePassword):
		return &hinted{fmt.Errorf("change the password of %s: %w", c.File, err), "choose one that was not used before"}
	case errors.Is(err, os.ErrExist):
		return keptAlready(c.File)
	case err != nil:
		return fmt.Errorf("change the password of %s: %w", c.File, plain(err))
	}
	p.line("%s has its new password.", c.File)
	kept := keystore.OldName(c.File)
	if !c.DiscardOld {
		p.line("The file with the old password is kept as %s; remove it when you are sure of the new one.", kept)
		return nil
	}
	if err := os.Remove(p.path(kept)); err != nil {
		return fmt.Errorf("remove %s: %w", kept, plain(err))
	}
	return nil
}

func keptAlready(name string) error {
	return &hinted{fmt.Errorf("change the password of %s: %s is there from another time", name, keystore.OldName(name)), "move it away or remove it; nothing was changed"}
}

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"senim/internal/robot"
	"senim/pfx"
	"senim/pki"
)

// newPassword opens the key files made on the way.
const newPassword = "Calm2027tea"

// renewal is story B: a person's key is about to expire.
func (t *tour) renewal() error {
	who := t.sys.Person("person")
	t.say("Story B. A key is about to expire: %s", who.Name)
	t.next("A letter reminds")
	if _, err := t.letter(who.Email, t.sys.Cabinet); err != nil {
		return err
	}
	t.next("Sign in to the cabinet with the present key")
	b := robot.NewBrowser(t.lang)
	p, err := t.signIn(b, t.sys.Cabinet+"/signin", key(who, "personal"))
	if err != nil {
		return err
	}
	t.next("Ask for re-issue")
	if p, err = p.Follow(t.ctx, "/keys/reissue"); err != nil {
		return err
	}
	f, err := p.Form("/keys/reissue")
	if err != nil {
		return err
	}
	if p, err = t.submit(f.Set("email", who.Email).Set("city", "Астана").Set("storage", "PKCS12")); err != nil {
		return err
	}
	folder := filepath.Join(filepath.Dir(who.Folder), "person-2027")
	if p, err = t.issue(p, folder, key(who, "personal")); err != nil {
		return err
	}
	made, err := keyFile(folder)
	if err != nil {
		return err
	}
	t.note("new key file %s", filepath.Base(made))
	t.next("The list shows both keys")
	if p, err = t.open(b, t.sys.Cabinet+"/keys"); err != nil {
		return err
	}
	old, err := certificateOf(who.Keys["personal"], who.Password)
	if err != nil {
		return err
	}
	for _, file := range []struct{ path, password string }{{who.Keys["personal"], who.Password}, {made, newPassword}} {
		c, err := certificateOf(file.path, file.password)
		if err != nil {
			return err
		}
		if !p.Has(c.SerialHex()) {
			return fmt.Errorf("the list does not show the key %s", c.SerialHex())
		}
	}
	t.next("Revoke the old key there and then")
	if p, err = t.open(b, t.sys.Cabinet+"/keys/revoke?reason=superseded&serial="+old.SerialHex()); err != nil {
		return err
	}
	if f, err = p.Form("/keys/revoke"); err != nil {
		return err
	}
	if p, err = t.submit(f.Set("reason", "superseded")); err != nil {
		return err
	}
	if p, err = t.use(p, "/keys/revoke/sign", robot.Choice{Key: made, Password: newPassword}); err != nil {
		return err
	}
	t.next("The OCSP answer, the list and the next sign-in show it")
	if err := t.statusIsRevoked(old); err != nil {
		return err
	}
	if p, err = t.trySignIn(robot.NewBrowser(t.lang), t.sys.Cabinet+"/signin", key(who, "personal")); err != nil {
		return err
	}
	if err := t.refused(p, "CERT_REVOKED"); err != nil {
		return err
	}
	_, err = t.letter(who.Email, old.SerialHex()[36:])
	return err
}

// reregistration is story A: the head of a company changed.
func (t *tour) reregistration() error {
	old, head := t.sys.Person("old-head"), t.sys.Person("new-head")
	const bin = "123456789021"
	t.say("Story A. The head of a company changed: %s after %s", head.Name, old.Name)
	t.next("The previous head is registered: he signs in with his key, then his password")
	before := robot.NewBrowser(t.lang)
	p, err := t.portalSignIn(before, key(old, "company-X"), old.PortalPassword)
	if err != nil {
		return err
	}
	t.next("A clerk records the change, another confirms it")
	if err := t.clerks(head, bin); err != nil {
		return err
	}
	t.next("The new head applies for the company's keys in the cabinet")
	b := robot.NewBrowser(t.lang)
	if p, err = t.signIn(b, t.sys.Cabinet+"/signin", key(head, "personal")); err != nil {
		return err
	}
	if p, err = t.open(b, t.sys.Cabinet+"/apply/legal"); err != nil {
		return err
	}
	f, err := p.Form("bin")
	if err != nil {
		return err
	}
	if p, err = t.submit(f.Set("bin", bin)); err != nil {
		return err
	}
	if f, err = p.Form("/apply/legal/data"); err != nil {
		return err
	}
	if p, err = t.submit(f.Set("email", head.Email).Set("city", "Астана").Set("storage", "PKCS12")); err != nil {
		return err
	}
	folder := filepath.Join(filepath.Dir(head.Folder), "new-head-company-X")
	if p, err = t.issue(p, folder, key(head, "personal")); err != nil {
		return err
	}
	made, err := keyFile(folder)
	if err != nil {
		return err
	}
	company := robot.Choice{Key: made, Password: newPassword}
	if err := t.register(head, company); err != nil {
		return err
	}
	t.next("The previous head is refused for this company, with the reason; his other profile still works")
	return t.previousHead(before, old)
}

// register walks the four steps and the link in the letter.
func (t *tour) register(head robot.Person, company robot.Choice) error {
	t.next("The registration form: category, then step 1, the certificate")
	b := robot.NewBrowser(t.lang)
	p, err := t.open(b, t.sys.Portal+"/register")
	if err != nil {
		return err
	}
	f, err := p.Form("category")
	if err != nil {
		return err
	}
	if p, err = t.submit(f.Set("category", "legal-entity")); err != nil {
		return err
	}
	if p, err = t.use(p, "/1", company); err != nil {
		return err
	}
	t.next("Step 2, the data: filled in from the certificate and the registry")
	if p, err = t.at(p, "/2"); err != nil {
		return err
	}
	if f, err = p.Form("/2"); err != nil {
		return err
	}
	password := "quiet-evening-bread"
	if p, err = t.submit(f.Set("email", head.Email).Set("email2", head.Email).Set("password", password).Set("password2", password)); err != nil {
		return err
	}
	t.next("Step 3, the agreement: signed with the company's key")
	if p, err = t.use(p, "/3", company); err != nil {
		return err
	}
	t.next("Step 4: a letter with a link; it opens sign-in, by key and then by password")
	l, err := t.letter(head.Email, "/register/confirm")
	if err != nil {
		return err
	}
	link, err := linkOf(l, "/register/confirm")
	if err != nil {
		return err
	}
	if p, err = t.open(b, link); err != nil {
		return err
	}
	if p, err = t.use(p, "/register/confirm", company); err != nil {
		return err
	}
	if f, err = p.Form("password"); err != nil {
		return err
	}
	if p, err = t.submit(f.Set("password", password)); err != nil {
		return err
	}
	t.next("The second letter: registration is complete")
	if _, err = t.letter(head.Email, "АО «ТЕСТ»"); err != nil {
		return err
	}
	t.next("The used link is refused")
	if p, err = t.open(robot.NewBrowser(t.lang), link); err != nil {
		return err
	}
	return t.refused(p, "LINK_STALE")
}

// previousHead looks again with the eyes of the one before.
func (t *tour) previousHead(before *robot.Browser, old robot.Person) error {
	p, err := t.open(before, t.sys.Portal+"/me")
	if err != nil {
		return err
	}
	if !strings.HasPrefix(p.URL.Path, "/login") {
		return fmt.Errorf("the previous head's session for the company is still open: %s", p.Text())
	}
	t.note("his open session was closed")
	if p, err = t.portalKey(robot.NewBrowser(t.lang), key(old, "company-X"), old.PortalPassword); err != nil {
		return err
	}
	t.note("he reads: %s", shorten(p.Text()))
	if _, err := t.portalSignIn(robot.NewBrowser(t.lang), key(old, "company-Y"), old.PortalPassword); err != nil {
		return fmt.Errorf("his other profile: %w", err)
	}
	_, err = t.letter(old.Email, "АО «ТЕСТ»")
	return err
}

// clerks record and confirm the change of head.
func (t *tour) clerks(head robot.Person, bin string) error {
	names := strings.Fields(head.Name)
	one, two := t.sys.Person("clerk-1"), t.sys.Person("clerk-2")
	b := robot.NewBrowser(t.lang)
	p, err := t.signIn(b, t.sys.Cabinet+"/desk/signin", key(one, "office"))
	if err != nil {
		return err
	}
	if p, err = t.open(b, t.sys.Cabinet+"/desk/registry/new"); err != nil {
		return err
	}
	f, err := p.Form("bin")
	if err != nil {
		return err
	}
	f.Set("bin", bin).Set("iin", head.IIN).Set("surname", names[0]).Set("name", names[1]).Set("patronymic", names[2]).
		Set("position", "Директор").Set("appointed_on", today()).Set("document", "Решение № 7")
	if p, err = t.submit(f); err != nil {
		return err
	}
	if p, err = t.use(p, "answer", key(one, "office")); err != nil {
		return err
	}
	b = robot.NewBrowser(t.lang)
	if p, err = t.signIn(b, t.sys.Cabinet+"/desk/signin", key(two, "office")); err != nil {
		return err
	}
	if p, err = t.open(b, t.sys.Cabinet+"/desk/registry"); err != nil {
		return err
	}
	if p, err = p.Follow(t.ctx, "^/desk/registry/[0-9a-f]{32}$"); err != nil {
		return err
	}
	_, err = t.use(p, "answer", key(two, "office"))
	return err
}

// issue goes on from an application's page: new keys, signature, certificate, installation.
func (t *tour) issue(p *robot.Page, folder string, old robot.Choice) (*robot.Page, error) {
	t.next("The agent makes the new key pair in %s", filepath.Base(folder))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	p, err := t.use(p, "/keys", robot.Choice{Folder: folder})
	if err != nil {
		return nil, err
	}
	t.next("The application is signed with the present key")
	if p, err = t.use(p, "/sign", old); err != nil {
		return nil, err
	}
	t.next("The authority issues; the agent installs the certificate into a new file under a new password")
	if p, err = p.Until(t.ctx, func(p *robot.Page) bool { f, err := p.Form("/install"); return err == nil && f.Request() != "" }); err != nil {
		return nil, err
	}
	return t.use(p, "/install", robot.Choice{NewPassword: newPassword})
}

// trySignIn answers the challenge of a sign-in page.
func (t *tour) trySignIn(b *robot.Browser, address string, k robot.Choice) (*robot.Page, error) {
	p, err := t.open(b, address)
	if err != nil {
		return nil, err
	}
	return t.use(p, "answer", k)
}

// signIn is trySignIn that must succeed.
func (t *tour) signIn(b *robot.Browser, address string, k robot.Choice) (*robot.Page, error) {
	p, err := t.trySignIn(b, address, k)
	if err == nil && p.Code() != "" {
		err = fmt.Errorf("sign-in is refused, %s: %s", p.Code(), p.Text())
	}
	return p, err
}

// portalKey signs in to the portal with a key and a password, and gives the page that follows.
func (t *tour) portalKey(b *robot.Browser, k robot.Choice, password string) (*robot.Page, error) {
	p, err := t.signIn(b, t.sys.Portal+"/login", k)
	if err != nil {
		return nil, err
	}
	f, err := p.Form("password")
	if err != nil {
		return nil, err
	}
	return t.submit(f.Set("password", password))
}

// portalSignIn is portalKey that must lead to «Мои реквизиты».
func (t *tour) portalSignIn(b *robot.Browser, k robot.Choice, password string) (*robot.Page, error) {
	p, err := t.portalKey(b, k, password)
	if err != nil {
		return nil, err
	}
	if p, err = t.open(b, t.sys.Portal+"/me"); err != nil {
		return nil, err
	}
	if p.URL.Path != "/me" {
		return nil, fmt.Errorf("no profile was entered: %s", p.Text())
	}
	return p, nil
}

// at fails unless the page is at a step.
func (t *tour) at(p *robot.Page, suffix string) (*robot.Page, error) {
	if !strings.HasSuffix(p.URL.Path, suffix) {
		return nil, fmt.Errorf("%s is not %s: %s", p.URL.Path, suffix, p.Text())
	}
	return p, nil
}

func linkOf(l robot.Letter, part string) (string, error) {
	for _, one := range l.Links {
		if strings.Contains(one, part) {
			return one, nil
		}
	}
	return "", fmt.Errorf("the letter «%s» has no link to %s", l.Subject, part)
}

// keyFile finds the one key file of a folder.
func keyFile(folder string) (string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.p12"))
	if err != nil || len(files) != 1 {
		return "", errors.Join(err, fmt.Errorf("%d key files in %s, want one", len(files), filepath.Base(folder)))
	}
	return files[0], nil
}

// certificateOf opens a key file as its owner would and reads the certificate.
func certificateOf(path, password string) (*pki.Certificate, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := pfx.Decode(b, password)
	if err != nil {
		return nil, err
	}
	return f.Certificate, nil
}

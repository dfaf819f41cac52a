package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"senim/internal/lang"
	"senim/internal/robot"
	"senim/pfx"
	"senim/pki"
)

const (
	// newPassword opens the key files made on the way.
	newPassword = "Calm2027tea"
	// portalPassword is what the new head chooses on the portal.
	portalPassword = "quiet-evening-bread"
	// bin and company are the one whose head changes.
	bin     = "123456789021"
	company = "АО «ТЕСТ»"
)

// renewal is story B: a person's key is about to expire.
func (t *tour) renewal() error {
	who := t.sys.Person("person")
	old := key(who, "personal")
	t.say(storyB+": %s", who.Name)
	t.next("A letter reminds")
	if _, err := t.letter(who.Email, t.sys.Cabinet, ""); err != nil {
		return err
	}
	t.next("Sign in to the cabinet with the present key")
	w := t.person().signIn(t.sys.Cabinet+"/signin", old).passed()
	t.next("Ask for re-issue")
	w.follow("/keys/reissue").send("/keys/reissue", "email", who.Email, "city", "Астана", "storage", "PKCS12")
	made, err := w.issue(who.Email, filepath.Join(filepath.Dir(who.Folder), "person-2027"), old)
	if err != nil {
		return err
	}
	t.next("The list shows both keys")
	before, err := certificateOf(old)
	if err != nil {
		return err
	}
	after, err := certificateOf(made)
	if err != nil {
		return err
	}
	w.open(t.sys.Cabinet+"/keys").sees(before.SerialHex(), after.SerialHex())
	t.next("Revoke the old key there and then")
	w.open(t.sys.Cabinet+"/keys/revoke?reason=superseded&serial="+before.SerialHex()).send("/keys/revoke", "reason", "superseded").
		use("/keys/revoke/sign", made).passed()
	if w.err != nil {
		return w.err
	}
	t.next("The OCSP answer, the list and the next sign-in show it")
	if err := t.statusIsRevoked(before); err != nil {
		return err
	}
	if w := t.person().signIn(t.sys.Cabinet+"/signin", old).refused("CERT_REVOKED"); w.err != nil {
		return w.err
	}
	_, err = t.letter(who.Email, before.SerialHex()[36:], "")
	return err
}

// reregistration is story A: the head of a company changed.
func (t *tour) reregistration() error {
	old, head := t.sys.Person("old-head"), t.sys.Person("new-head")
	t.say(storyA+": %s after %s", head.Name, old.Name)
	t.next("The previous head is registered: he signs in with his key, then his password")
	previous := t.person().portalMe(key(old, "company-X"), old.PortalPassword).sees(company)
	if previous.err != nil {
		return previous.err
	}
	t.next("A clerk records the change, another confirms it")
	if err := t.clerks(head); err != nil {
		return err
	}
	t.next("The new head applies for the company's keys in the cabinet")
	w := t.person().signIn(t.sys.Cabinet+"/signin", key(head, "personal")).passed().
		open(t.sys.Cabinet+"/apply/legal").send("bin", "bin", bin).
		send("/apply/legal/data", "email", head.Email, "city", "Астана", "storage", "PKCS12")
	made, err := w.issue(head.Email, filepath.Join(filepath.Dir(head.Folder), "new-head-company-X"), key(head, "personal"))
	if err != nil {
		return err
	}
	if err := t.register(head, made); err != nil {
		return err
	}
	t.next("The previous head is refused for this company, with the reason; his other profile still works")
	if previous.open(t.sys.Portal + "/me").refused("SESSION_HEAD"); previous.err != nil {
		return fmt.Errorf("the previous head's session for the company is still open: %w", previous.err)
	}
	if w := t.person().portalKey(key(old, "company-X"), old.PortalPassword).
		sees(lang.Tag(t.lang).Text("portal.reason.head-change")).says(); w.err != nil {
		return w.err
	}
	if w := t.person().portalMe(key(old, "company-Y"), old.PortalPassword); w.err != nil {
		return fmt.Errorf("his other profile: %w", w.err)
	}
	_, err = t.letter(old.Email, company, "")
	return err
}

// clerks record and confirm the change of head.
func (t *tour) clerks(head robot.Person) error {
	names := strings.Fields(head.Name)
	one, two := key(t.sys.Person("clerk-1"), "office"), key(t.sys.Person("clerk-2"), "office")
	w := t.person().signIn(t.sys.Cabinet+"/desk/signin", one).passed().open(t.sys.Cabinet+"/desk/registry/new").
		attach("bin", "scan", []byte("%PDF-1.7 Решение № 7"), "bin", bin, "iin", head.IIN, "surname", names[0], "name", names[1], "patronymic", names[2],
			"position", "Директор", "appointed_on", today(), "document", "Решение № 7").
		use("answer", one).passed()
	if w.err != nil {
		return w.err
	}
	return t.person().signIn(t.sys.Cabinet+"/desk/signin", two).passed().open(t.sys.Cabinet+"/desk/registry").
		follow("^/desk/registry/[0-9a-f]{32}$").use("answer", two).passed().err
}

// register walks the four steps, the link in the letter, and the first sign-in.
func (t *tour) register(head robot.Person, k robot.Choice) error {
	t.next("The registration form: category, then step 1, the certificate")
	w := t.person().open(t.sys.Portal+"/register").send("category", "category", "legal-entity").use("/1", k).at("/2")
	t.next("Step 2, the data: filled in from the certificate and the registry")
	w.send("/2", "email", head.Email, "email2", head.Email, "password", portalPassword, "password2", portalPassword).at("/3")
	t.next("Step 3, the agreement: signed with the company's key")
	if w.use("/3", k).at("/4"); w.err != nil {
		return w.err
	}
	t.next("Step 4: a letter with a link; it opens sign-in, by key and then by password")
	link, err := t.letter(head.Email, "/register/confirm", "/register/confirm")
	if err != nil {
		return err
	}
	if w.open(link).use("/register/confirm", k).passed().send("password", "password", portalPassword).at("/me").sees(company); w.err != nil {
		return w.err
	}
	t.next("The second letter: registration is complete")
	if _, err := t.letter(head.Email, "("+company+")", ""); err != nil {
		return err
	}
	t.next("The used link is refused")
	return t.person().open(link).refused("LINK_STALE").err
}

// issue goes on from an application's page: new keys, code, signature, certificate, installation.
func (w *walk) issue(email, folder string, present robot.Choice) (robot.Choice, error) {
	if err := w.apply(email, folder, present); err != nil {
		return robot.Choice{}, err
	}
	return w.install(folder)
}

// apply goes on from an application's page to its signature.
func (w *walk) apply(email, folder string, present robot.Choice) error {
	w.t.next("The agent makes the new key pair in %s", filepath.Base(folder))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	w.use("/keys", robot.Choice{Folder: folder}).passed()
	w.t.next("The second factor: a code by e-mail, typed before the signature")
	w.factor(email)
	w.t.next("The application is signed with the present key")
	return w.use("/sign", present).passed().err
}

// install waits for the certificate and has the agent write the new key file.
func (w *walk) install(folder string) (made robot.Choice, err error) {
	w.t.next("The authority issues; the agent installs the certificate into a new file under a new password")
	if w.until("/install").use("/install", robot.Choice{NewPassword: newPassword}).passed(); w.err != nil {
		return made, w.err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.p12"))
	if err != nil || len(files) != 1 {
		return made, errors.Join(err, fmt.Errorf("%d key files in %s, want one", len(files), filepath.Base(folder)))
	}
	w.t.note("new key file %s", filepath.Base(files[0]))
	return robot.Choice{Key: files[0], Password: newPassword}, nil
}

// key is a person's key file, with what opens it.
func key(p robot.Person, folder string) robot.Choice {
	return robot.Choice{Key: p.Keys[folder], Password: p.Password}
}

// certificateOf opens a key file as its owner would and reads the certificate.
func certificateOf(k robot.Choice) (*pki.Certificate, error) {
	b, err := os.ReadFile(k.Key)
	if err != nil {
		return nil, err
	}
	f, err := pfx.Decode(b, k.Password)
	if err != nil {
		return nil, err
	}
	return f.Certificate, nil
}

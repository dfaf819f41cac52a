package main

import (
	"path/filepath"

	"senim/internal/robot"
)

// staff is story C: an accountant becomes the director's delegate, she confirms a newcomer, and somebody is dismissed.
func (t *tour) staff() error {
	head, accountant, newcomer, leaver := t.sys.Person("old-head"), t.sys.Person("accountant"), t.sys.Person("newcomer"), t.sys.Person("leaver")
	t.say(storyC+": %s directs %s", head.Name, company)
	t.next("The accountant applies for keys with the right to sign")
	hers, err := t.employee(accountant, key(accountant, "company-X"), "sign-right")
	if err != nil {
		return err
	}
	t.next("A letter tells the director; he confirms with his own key")
	if _, err := t.letter(head.Email, t.sys.Cabinet+"/confirm", ""); err != nil {
		return err
	}
	director := t.person().signIn(t.sys.Cabinet+"/signin", key(head, "company-X")).passed().confirm(key(head, "company-X"))
	if director.err != nil {
		return director.err
	}
	signing, err := hers.install(hers.folder)
	if err != nil {
		return err
	}
	t.next("The director lets her confirm instead of him, by her IIN")
	director.open(t.sys.Cabinet+"/delegation/new").send("/delegation/new", "iin", accountant.IIN, "confirm", "yes").passed()
	if director.err == nil && director.p.URL.Path == "/factor" {
		director.factor(head.Email)
	}
	if director.use("/delegation/sign", key(head, "company-X")).passed(); director.err != nil {
		return director.err
	}
	if _, err := t.letter(accountant.Email, "АХМЕТОВА ДИНАРА: ", ""); err != nil {
		return err
	}
	t.next("A newcomer applies; the delegate confirms, and finds nothing of her own there")
	his, err := t.employee(newcomer, key(newcomer, "personal"), "employee")
	if err != nil {
		return err
	}
	delegate := t.person().signIn(t.sys.Cabinet+"/signin", signing).passed().confirm(signing)
	if delegate.open(t.sys.Cabinet + "/delegation").refused("HEAD_ONLY"); delegate.err != nil {
		return delegate.err
	}
	if _, err := his.install(his.folder); err != nil {
		return err
	}
	t.next("The director dismisses %s: one signature, and the keys of the company are revoked", leaver.Name)
	return t.dismiss(director, head.Email, key(head, "company-X"), key(leaver, "company-X"))
}

// dismiss marks the holder of a key as dismissed, and waits until everybody can see that it is revoked.
func (t *tour) dismiss(director *walk, email string, sign, theirs robot.Choice) error {
	cert, err := certificateOf(theirs)
	if err != nil {
		return err
	}
	director.open(t.sys.Cabinet+"/company").sees("ОМАРОВ").follow("/company/dismiss.*"+cert.SerialHex()).follow("/factor.*").factor(email).use("/company/dismiss", sign).passed()
	if director.err != nil {
		return director.err
	}
	issuer, err := t.issuerOf(cert)
	if err != nil {
		return err
	}
	if err := t.readList(cert, issuer); err != nil { // it waits for the job that revokes
		return err
	}
	if err := t.askResponder(cert, issuer); err != nil {
		return err
	}
	return t.person().signIn(t.sys.Cabinet+"/signin", theirs).refused("CERT_REVOKED").err
}

// employee applies for keys of the company in a role, and signs; the application then waits for who confirms.
func (t *tour) employee(who robot.Person, present robot.Choice, role string) (*applicant, error) {
	a := &applicant{walk: t.person(), folder: filepath.Join(filepath.Dir(who.Folder), who.Who+"-new-X")}
	a.signIn(t.sys.Cabinet+"/signin", present).passed().open(t.sys.Cabinet+"/apply/legal/employee").send("bin", "bin", bin).
		send("/apply/legal/employee/data", "role", role, "email", who.Email, "city", "Астана", "storage", "PKCS12").passed()
	return a, a.apply(who.Email, a.folder, present)
}

// applicant is somebody whose application waits; his new keys are to go to folder.
type applicant struct {
	*walk
	folder string
}

// confirm signs everything that waits in the inbox at once.
func (w *walk) confirm(k robot.Choice) *walk {
	return w.open(w.t.sys.Cabinet+"/confirm?all=1").send("/confirm/sign").passed().use("/confirm/sign", k).passed().at("/confirm/done").says()
}

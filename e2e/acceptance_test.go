package e2e

import (
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"senim/internal/pkitest"
	"senim/internal/robot"
	"senim/pki"
)

// TestC03ExpiredKeyInBrowser: three weeks pass on the clock of a demonstration, whose page is looked at on the way.
// The person's key ended by then; the agent, whose clock is the machine's, still offers it, and the page says why
// nobody signs in with it and where to go. No application was made.
func TestC03ExpiredKeyInBrowser(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), start(t, "-clock")
	who := sys.Person("person")
	p := lookingWith(t, newTab(t, b, sys, "ru"))
	p.look("clock", sys.Mailbox+"/clock")
	for range 3 {
		p.w.open(sys.Mailbox + "/clock").press(css("button[value=week]"))
	}
	p.w.shot("clock-walked")
	w := newTab(t, b, sys, "ru")
	w.open(sys.Cabinet+"/signin").use("/signin", keyOf(who, "personal")).refused("KEY_EXPIRED_NO_RENEWAL")
	w.sees("Продление невозможно", "ЦОН № 1", "Подать заявку на визит").shot("expired")
	w.open(sys.Cabinet + "/keys").sees("Вход")
	clerk := enter(t, sys, sys.Cabinet+"/desk/signin", keyOf(sys.Person("clerk-1"), "office"))
	if clerk.open(sys.Cabinet+"/desk/find").send("/desk/find", "q", who.IIN); clerk.p.Has("Перевыпуск") || clerk.p.Has("Ожидает явки") {
		t.Errorf("an application was made:\n%s", clerk.p.Text())
	}
}

// TestC10ApplicantsKeyInBrowser: the director signs the confirmation with the applicant's key. Our agent does not
// offer it; what another program gave is put into the page, and refused.
func TestC10ApplicantsKeyInBrowser(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), shared(t)
	who := sys.Person("newcomer")
	address, _ := enter(t, sys, sys.Cabinet+"/signin", keyOf(who, "personal")).employee(who, "employee", keyOf(who, "personal"))
	w := newTab(t, b, sys, "ru")
	w.open(sys.Cabinet+"/signin").use("/signin", keyOf(sys.Person("old-head"), "company-X"))
	w.open(sys.Cabinet + "/confirm/sign?number=" + number(address)).sees("ИВАНОВА")
	request := read(w, "the request", chromedp.Evaluate[string](`document.querySelector("main form[data-agent]").dataset.agent`))
	end := turn(t, sys)
	answer, err := sys.Agent.Ask(t.Context(), sys.Cabinet, anybody(t, request), robot.Choice{Key: who.Keys["personal"], Password: who.Password}, nil)
	end()
	if err != nil {
		t.Fatal(err)
	}
	w.answer(answer)
	w.refused("SELF_CONFIRM").sees("Нельзя подтвердить собственную заявку").shot("self")
	w.open(address).sees("Ожидает подтверждения")
}

// anybody is a request to sign that does not say whose key it wants.
func anybody(t *testing.T, request string) string {
	t.Helper()
	var r struct {
		Module string         `json:"module"`
		Method string         `json:"method"`
		Args   map[string]any `json:"args"`
	}
	if err := json.Unmarshal([]byte(request), &r); err != nil {
		t.Fatal(err)
	}
	r.Args["signerParams"] = map[string]any{"extKeyUsageOids": []string{}, "iin": "", "bin": "", "serialNumber": "", "chain": []string{}}
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// foreignKey lays another authority into the trust folder of a server that is not started yet, with a list that ran
// out yesterday, and gives the file of a certificate of it.
func foreignKey(t *testing.T, dir string) string {
	t.Helper()
	now := time.Now()
	a := pkitest.New(t, pkitest.Config{Now: now, Name: "OTHER"})
	trusted := filepath.Join(dir, "server", "trust")
	if err := os.MkdirAll(trusted, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "foreign.cer")
	for name, der := range map[string][]byte{filepath.Join(trusted, "other_root.cer"): a.Root.Raw, filepath.Join(trusted, "other_ca.cer"): a.CA.Raw,
		filepath.Join(trusted, "other.crl"): a.ListOf(pki.ListTemplate{Number: big.NewInt(1), ThisUpdate: now.Add(-48 * time.Hour), NextUpdate: now.Add(-24 * time.Hour)}),
		file:                                a.Individual().Certificate.Raw} {
		if err := os.WriteFile(name, der, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// TestC35CouldNotCheckInBrowser: a certificate of another trusted authority, whose responder nobody can ask and whose
// list ran out: the page says that it could not be checked, and both reasons, and nothing else; what it looks like is
// looked at in every language.
func TestC35CouldNotCheckInBrowser(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), shared(t)
	p := lookingWith(t, newTab(t, b, sys, "ru"))
	words := map[string][]string{
		"ru": {"Не удалось проверить", "OCSP): для этого центра адрес не задан", "CRL): срок вышел"},
		"kk": {"Тексеру мүмкін болмады", "OCSP): бұл орталыққа мекенжай белгіленбеген", "CRL)"},
		"en": {"Could not check", "OCSP): no address is set", "CRL): it ran out"},
	}
	p.lookAfter("unknown", func() {
		p.w.open(sys.Cabinet + "/check")
		p.w.act("the file", chromedp.SetUploadFiles(css("main input[type=file]"), []string{common.foreign}))
		p.w.submit("/check").sees(words[p.w.lang]...)
		if p.w.asks(`[data-verdict]:not([data-verdict=unknown])`) {
			t.Errorf("another verdict:\n%s", p.w.text())
		}
	})
}

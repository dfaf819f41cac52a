package portal

import (
	"archive/zip"
	"context"
	"crypto/rand"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/internal/registry"
	"senim/internal/web"
	"senim/pki"
	"senim/tsp"
)

// stamps is the world's time-stamping authority and its OCSP responder; down: nobody answers.
type stamps struct {
	w         *world
	tsa       *pkitest.Leaf
	responder *pkitest.Leaf
	down      bool
}

func (s *stamps) Stamp(_ context.Context, digest []byte) ([]byte, error) {
	if s.down {
		return nil, errors.New("the clock is not known")
	}
	q := &tsp.Request{Imprint: tsp.Imprint{Hash: algid.SHA256, HashOID: algid.SHA256.OID(), Digest: digest}, Policy: tsp.PolicyGOST512, Certificate: true}
	return tsp.CreateToken(rand.Reader, s.tsa.Key, s.tsa.Certificate, q, tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(7), Time: s.w.time()})
}

func (s *stamps) About(_ context.Context, cert *pki.Certificate) ([]participant.Proof, error) {
	if s.down {
		return nil, errors.New("nobody answers")
	}
	a := *s.w.authority
	a.Now = s.w.time()
	answer := a.Answer(s.responder, pkitest.Question(s.w.t, algid.SHA256, a.CA, cert.Serial, nil), nil)
	return []participant.Proof{{Kind: participant.ProofAnswer, Body: answer, Made: a.Now, Ends: s.responder.Certificate.NotAfter}}, nil
}

// installed is new keys for time-stamps and OCSP answers, good for three years.
func (s *stamps) installed() {
	years := func(t *pki.Template) {
		t.NotBefore, t.NotAfter = s.w.time().AddDate(0, 0, -1), s.w.time().AddDate(3, 0, 0)
	}
	s.tsa = s.w.authority.Issue(pkitest.Spec{Holder: pki.Holder{CommonName: "TIME-STAMPING AUTHORITY", Organization: "TEST"}, Change: func(t *pki.Template) {
		years(t)
		t.KeyUsage, t.ExtKeyUsage, t.ExtKeyUsageCritical = pki.DigitalSignature, []asn1.ObjectIdentifier{pki.TimeStamping}, true
		t.Policies = []pki.Policy{{OID: pki.PolicyTSA, CPS: "http://pki.example.kz/cps"}}
	}})
	s.responder = s.w.authority.Issue(pkitest.Spec{Holder: pki.Holder{CommonName: "OCSP RESPONDER", Organization: "TEST"}, Change: func(t *pki.Template) {
		years(t)
		t.KeyUsage, t.ExtKeyUsage = pki.DigitalSignature, []asn1.ObjectIdentifier{pki.OCSPSigning}
		t.NoCheck, t.Emails, t.CRL, t.DeltaCRL, t.OCSP = true, nil, nil, nil, nil
	}})
}

func stampedWorld(t *testing.T) (*world, *stamps) {
	t.Helper()
	s := &stamps{}
	w := newWorldWith(t, func(c *participant.Config) { c.Stamps, c.Answers = s, s })
	s.w = w
	s.installed()
	return w, s
}

// verifier is senim, which verifies bundles by what is in them, trusting the authorities of a world.
type verifier struct {
	t              *testing.T
	senim, trusted string
}

func newVerifier(t *testing.T, w *world) verifier {
	t.Helper()
	if testing.Short() {
		t.Skip("builds senim")
	}
	v := verifier{t: t, senim: filepath.Join(t.TempDir(), "senim"), trusted: t.TempDir()}
	for name, c := range map[string]*pki.Certificate{"root.pem": w.authority.Root, "ca.pem": w.authority.CA} {
		w.must(os.WriteFile(filepath.Join(v.trusted, name), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600))
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", v.senim, "senim/cmd/senim").CombinedOutput(); err != nil {
		t.Fatalf("build senim: %v\n%s", err, out)
	}
	return v
}

// bundle is a ZIP archive as a folder, and the command it says.
func (v verifier) bundle(page string) (dir string, command []string) {
	v.t.Helper()
	z, err := zip.NewReader(strings.NewReader(page), int64(len(page)))
	if err != nil {
		v.t.Fatal(err)
	}
	dir = v.t.TempDir()
	if err := os.CopyFS(dir, z); err != nil {
		v.t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, web.VerifyFile))
	if err != nil {
		v.t.Fatal(err)
	}
	return dir, strings.Fields(strings.Replace(string(raw), "AUTHORITIES", v.trusted, 1))
}

// verify runs the command as of a moment, and wants its exit status.
func (v verifier) verify(want int, at time.Time, dir string, command []string) {
	v.t.Helper()
	c := exec.CommandContext(v.t.Context(), v.senim, append([]string{"verify", "--at", at.Format(time.RFC3339)}, command[2:]...)...)
	c.Dir = dir
	out, _ := c.CombinedOutput()
	if got := c.ProcessState.ExitCode(); got != want {
		v.t.Errorf("%v as of %s exits with %d, want %d:\n%s", command, at.Format(time.DateOnly), got, want, out)
	}
}

var agreementLink = regexp.MustCompile(`href="(/me/agreements/[A-Za-z0-9_-]+)"`)

// agreement opens the newest signed agreement of who is signed in.
func (b *browser) agreement() string {
	b.w.t.Helper()
	m := agreementLink.FindStringSubmatch(b.get("/me/agreements").at("/me/agreements").page)
	if m == nil {
		b.w.t.Fatalf("no agreement on the page:\n%s", text(b.page))
	}
	b.get(m[1])
	return m[1]
}

// What was signed is given to its person with all that proves it. By those files alone senim verify finds it good, also
// when every certificate in it has ended: the time-stamp proves when it was, and is renewed in time.
func TestAgreementVerifiesForEver(t *testing.T) {
	w, stamps := stampedWorld(t)
	w.heads(iinA, iinB)
	key := w.head(iinB, binX)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	b.follow().sign(key).at("/login/password").post("/login/password", "password", passB).at("/me?done=1")
	page := b.agreement()
	b.says("Версия 1.0").says("Метка времени есть").says("Что проверено").says(pretty(binX))
	if b.get(page + "/text"); b.page != "Первый пункт.\n\nВторой «пункт» & <ещё>." {
		t.Errorf("text: %q", b.page)
	}
	if b.get(page + "/evidence"); !strings.Contains(b.page, `"rule": "G3"`) || !strings.Contains(b.page, `"source": "ocsp"`) {
		t.Errorf("evidence: %s", b.page)
	}
	if b.get(page + "/nothing"); b.status != 404 {
		t.Errorf("a part that is not there: %d", b.status)
	}
	for _, path := range []string{page, page + "/signed", page + "/stamp", page + "/evidence"} { // another's is as if it were not there
		a := w.browser()
		a.login(w.head(iinA, binY), passA)
		if a.get(path); a.status != 404 {
			t.Errorf("%s for another person: %d", path, a.status)
		}
	}

	v := newVerifier(t, w)
	signed := w.time()
	first, command := v.bundle(b.get(page + "/all").page)
	v.verify(0, signed.Add(time.Hour), first, command)
	v.verify(0, signed.AddDate(2, 0, 0), first, command) // the key ended a year ago
	v.verify(1, signed.AddDate(2, 0, 0), first, []string{"senim", "verify", "--trust", v.trusted, "signed.xml"})
	v.verify(1, signed.AddDate(5, 0, 0), first, command) // so did those of the time-stamps and answers

	w.must(w.office.RenewProofs(t.Context())) // not yet
	if again, _ := v.bundle(b.get(page + "/all").page); len(entries(t, again)) != len(entries(t, first)) {
		t.Errorf("renewed long before the end: %v", entries(t, again))
	}
	w.pass(signed.AddDate(3, 0, -30).Sub(w.time()))
	w.must(w.office.RenewProofs(t.Context())) // the authorities have no later certificates, and there is time
	stamps.installed()
	w.must(w.office.RenewProofs(t.Context()))
	w.must(w.office.RenewProofs(t.Context())) // once is enough
	kept, _, _, err := w.office.SignedAgreement(t.Context(), iinB, strings.TrimPrefix(page, "/me/agreements/"))
	w.must(err)
	sent := httptest.NewRecorder()
	w.must(sendBundle(sent, "agreement", w.time(), kept.Proofs))
	second, command := v.bundle(sent.Body.String())
	if n := len(entries(t, second)) - len(entries(t, first)); n != 3 { // an answer about who stamped, the list, its time-stamp, an answer about who made that
		t.Errorf("%d new files: %v", n, entries(t, second))
	}
	late := signed.AddDate(5, 0, 0)
	v.verify(0, late, second, command)
	v.verify(1, signed.AddDate(7, 0, 0), second, command)

	// Nothing in it may be changed or left out.
	for name, change := range map[string]func([]byte) []byte{
		"signed.xml":  func(b []byte) []byte { return []byte(strings.Replace(string(b), "Первый", "Второй", 1)) },
		"sums-1.txt":  func(b []byte) []byte { return append(b, '\n') },
		"stamp-1.tst": func(b []byte) []byte { return append([]byte{}, b[:len(b)-1]...) },
	} {
		raw, err := os.ReadFile(filepath.Join(second, name))
		w.must(err)
		w.must(os.WriteFile(filepath.Join(second, name), change(raw), 0o600))
		v.verify(map[string]int{"signed.xml": 1, "sums-1.txt": 2, "stamp-1.tst": 2}[name], late, second, command)
		w.must(os.WriteFile(filepath.Join(second, name), raw, 0o600))
	}
	v.verify(1, late, second, slices.DeleteFunc(slices.Clone(command), func(w string) bool { return w == "--ocsp" || strings.HasSuffix(w, ".ocsp") }))
}

// entries are the names in a folder.
func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

// Without a time-stamp the agreement stands, and its absence is said.
func TestAgreementWithoutTimeStamp(t *testing.T) {
	w, s := stampedWorld(t)
	s.down = true
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	b.follow().sign(w.head(iinB, binX)).at("/login/password").post("/login/password", "password", passB).at("/me?done=1")
	page := b.agreement()
	b.says("нет: в момент подписи её не удалось получить")
	if b.get(page + "/stamp"); b.status != 404 {
		t.Errorf("a time-stamp that is not there: %d", b.status)
	}
}

// Published versions never change.
func TestPublishedNeverChanges(t *testing.T) {
	w := newWorld(t)
	same := map[lang.Tag]string{lang.RU: "Первый пункт.\n\nВторой «пункт» & <ещё>.", lang.KK: "Бірінші тармақ.\n\nЕкінші.", lang.EN: "First.\n\nSecond."}
	w.must(w.office.Publish(t.Context(), participant.Agreement{Version: "1.0", From: w.authority.Now.Add(-time.Hour), Text: same}))
	other := map[lang.Tag]string{lang.RU: "а", lang.KK: "ә", lang.EN: "a"}
	for _, a := range []participant.Agreement{{Version: "1.0", From: w.authority.Now.Add(-time.Hour), Text: other}, {Version: "1.0", From: w.authority.Now, Text: same},
		{Version: "1.0", From: w.authority.Now.Add(-time.Hour), MustResignBy: w.authority.Now, Text: same}, {Version: "2.0", From: w.authority.Now, MustResignBy: w.authority.Now.Add(-time.Hour), Text: other},
		{Version: "2.0", From: w.authority.Now, Text: map[lang.Tag]string{lang.RU: "а"}}} {
		if err := w.office.Publish(t.Context(), a); err == nil {
			t.Errorf("published: %+v", a)
		}
	}
}

// A version with must_resign_by is asked for; after that moment the profile opens only the page where it
// is signed.
func TestResign(t *testing.T) {
	w := newWorld(t)
	text := map[lang.Tag]string{lang.RU: "Новый текст.", lang.KK: "Жаңа мәтін.", lang.EN: "New text."}
	w.must(w.office.Publish(t.Context(), participant.Agreement{Version: "2.0", From: w.time().Add(time.Hour), MustResignBy: w.time().AddDate(0, 0, 10), Text: text}))
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me")
	if open, err := w.office.ToResign(t.Context(), iinA); err != nil || len(open) != 0 {
		t.Errorf("before it is in force: %v, %v", open, err)
	}
	w.pass(2 * time.Hour)
	open, err := w.office.ToResign(t.Context(), iinA)
	if err != nil || len(open) != 2 || open[0].Overdue || open[0].Agreement.Version != "2.0" {
		t.Fatalf("to sign again: %+v, %v", open, err)
	}
	b = w.browser()
	b.login(w.head(iinA, binX), passA)
	b.get("/me").at("/me") // there is time until then
	b.get("/me/agreements").says("Подпишите соглашение версии 2.0")

	w.pass(10 * 24 * time.Hour)
	b = w.browser()
	b.login(w.head(iinA, binX), passA)
	if !strings.HasPrefix(b.path, "/me/agreements/sign/") {
		t.Fatalf("stands at %s", b.path)
	}
	page := b.path
	b.says("профиль АО «ТЕСТ» закрыт").says("Новый текст.")
	if b.get("/org/users"); b.path != page {
		t.Errorf("%s is open", b.path)
	}
	b.get(page).signAnyway(w.head(iinC, binX)).refused("CERT_OTHER_PERSON")
	b.get(page).signAnyway(w.head(iinA, binY)).refused("CERT_WRONG_BIN")
	action, answer, _ := b.get(page).signature(w.head(iinA, binX))
	b.post(action, "answer", strings.Replace(answer, "Новый", "Старый", 1)).refused("SIGNATURE_INVALID")
	b.get(page).sign(w.head(iinA, binX)).at("/me/agreements").says("Версия 2.0")
	b.get("/me").at("/me")
	b.get("/org/users").at("/org/users")
	if b.get(page); b.status != 404 {
		t.Errorf("signed already: %d", b.status)
	}
	if open, err := w.office.ToResign(t.Context(), iinA); err != nil || len(open) != 1 || open[0].Profile.TIN != binY || !open[0].Overdue {
		t.Errorf("left to sign: %+v, %v", open, err)
	}
	other := w.browser()
	other.login(w.head(iinB, binX), passA).get(page)
	if other.status == 200 && strings.Contains(other.page, "Новый текст.") {
		t.Error("another person's page is shown")
	}
}

// What is saved in «Мои реквизиты» is signed as a document that lists old and new values.
func TestDetailsSigned(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me").says("Данные реестра").says("данные на").says("Последняя загрузка")
	b.get("/me/details").post("/me/details", "lang", "ru", "phone", "", "docnumber", "N 1", "docdate", "27.02.2020", "docissuer", "МВД РК").at("/me/details/sign").
		says("— → N 1").says("— → МВД РК")
	_, _, document, _ := b.asked()
	for _, want := range []string{`<change field="docnumber"><old></old><new>N 1</new></change>`, "<iin>" + iinA + "</iin>", "<origin>http://localhost:8081</origin>"} {
		if !strings.Contains(document, want) {
			t.Errorf("no %s in %s", want, document)
		}
	}
	action, answer, _ := b.signature(w.personal(iinA))
	b.post(action, "answer", strings.Replace(answer, "N 1", "N 2", 1)).refused("SIGNATURE_INVALID")
	expired := w.issue(iinA, binX, pki.RoleFirstHead, func(s *pkitest.Spec) {
		s.NotBefore, s.NotAfter = w.time().AddDate(-1, 0, 0), w.time().AddDate(0, 0, -1)
	})
	b.get("/me/details/sign").sign(expired).refused("CERT_EXPIRED")
	b.get("/me/details/sign").post(action, "answer", answer).at("/me")
	b.post(action, "answer", answer).refused("ACT_STALE")
	b.get("/me/details").at("/me/details")
	if d, err := w.office.Details(t.Context(), iinA); err != nil || d.Document != (participant.Document{Number: "N 1", Issued: "27.02.2020", Issuer: "МВД РК"}) {
		t.Errorf("details: %+v, %v", d, err)
	}

	// What was shown as old is not true any more.
	first, second := w.browser(), w.browser()
	first.login(w.head(iinA, binX), passA)
	second.login(w.head(iinA, binX), passA)
	first.post("/me/details", "lang", "kk", "phone", "+77011111111", "docnumber", "N 1", "docdate", "27.02.2020", "docissuer", "МВД РК").at("/me/details/sign")
	second.post("/me/details", "lang", "en", "phone", "+77022222222", "docnumber", "N 1", "docdate", "27.02.2020", "docissuer", "МВД РК").at("/me/details/sign")
	first.sign(w.personal(iinA)).at("/me")
	second.sign(w.personal(iinA)).refused("RACE_RETRY")
}

// The power of attorney is the document the head signed; the user and the head may have it, nobody else.
func TestPowerOfAttorney(t *testing.T) {
	w, head := invitedC(t)
	all, err := w.office.Profiles(t.Context(), iinC)
	w.must(err)
	u := all[slices.IndexFunc(all, func(p participant.Profile) bool { return p.Type == participant.TypeUser })]
	head.get("/org/users").says("Скачать подписанную доверенность")
	head.get("/org/proxy/" + u.ID)
	for _, want := range []string{"<proxy>17/26</proxy>", "<permissions>VIEW ISSUE</permissions>", "SignatureValue"} {
		if head.status != 200 || !strings.Contains(head.page, want) {
			t.Errorf("%d, no %s", head.status, want)
		}
	}
	c := w.browser()
	c.login(w.employee(iinC, binX), passC).at("/login/profile").post("/login/profile", "profile", u.ID)
	if c.get("/me").at("/me").get("/me/proxy"); !strings.Contains(c.page, "<proxy>17/26</proxy>") {
		t.Errorf("the user's own: %d %s", c.status, c.page)
	}
	c.get("/org/proxy/" + u.ID).refused("NO_REQUIRED_PERMISSIONS") // a user never heads
	for _, b := range []*browser{head, c} {
		page := map[*browser]string{head: "/org/proxy/" + u.ID, c: "/me/proxy"}[b]
		if b.get(page + "/nothing"); b.status != 404 {
			t.Errorf("a part that is not there: %d", b.status)
		}
		if z, err := zip.NewReader(strings.NewReader(b.get(page+"/all").page), int64(len(b.page))); err != nil || len(z.File) != 3 {
			t.Errorf("the power of attorney, what was checked, and how to verify it: %v", err)
		}
	}
	other := w.browser()
	other.login(w.head(iinA, binY), passA).at("/me")
	if other.get("/org/proxy/" + u.ID); other.status != 404 {
		t.Errorf("the head of another company: %d", other.status)
	}
}

// A sole proprietor who is a notary too, under the same number, signs as each: one signature does not count for the other.
func TestResignAsEach(t *testing.T) {
	w := newWorld(t)
	w.must(w.office.Seed(t.Context(), participant.Seeded{IIN: iinB, Name: "ТЕСТОВ ТЕСТ", Email: "b@example.kz", Password: passB, Lang: lang.RU, Profiles: []participant.SeededProfile{
		{Category: participant.SoleProprietor, TIN: iinB, Name: "ИП ТЕСТОВ"}, {Category: participant.PrivatePractice, TIN: iinB, Name: "Нотариус ТЕСТОВ", Practice: registry.Notary}}}))
	text := map[lang.Tag]string{lang.RU: "Новый текст.", lang.KK: "Жаңа мәтін.", lang.EN: "New text."}
	w.must(w.office.Publish(t.Context(), participant.Agreement{Version: "2.0", From: w.time().Add(time.Minute), MustResignBy: w.time().AddDate(0, 0, 10), Text: text}))
	w.pass(time.Hour)
	left := func(want ...participant.ProfileType) (first string) {
		t.Helper()
		open, err := w.office.ToResign(t.Context(), iinB)
		w.must(err)
		var got []participant.ProfileType
		for _, r := range open {
			got = append(got, r.Profile.Type)
			if r.Profile.Type == want[0] {
				first = r.Profile.ID
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("to sign as %v, want %v", got, want)
		}
		return first
	}
	profile := left(participant.TypeEntrepreneur, participant.TypeNotary)
	b := w.browser()
	b.login(w.personal(iinB), passB).at("/login/profile").post("/login/profile", "profile", profile).at("/me/agreements/sign/" + profile)
	b.sign(w.personal(iinB))
	other := left(participant.TypeNotary)
	b.get("/me/agreements").says("Подпишите соглашение версии 2.0")
	b.get("/me/agreements/sign/" + other).sign(w.personal(iinB))
	if open, err := w.office.ToResign(t.Context(), iinB); err != nil || len(open) != 0 {
		t.Errorf("left: %+v, %v", open, err)
	}
}

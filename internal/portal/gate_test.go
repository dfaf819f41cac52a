package portal

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/internal/registry"
	"senim/internal/store/storetest"
	"senim/pki"
)

func (w *world) issue(iin, bin string, role pki.Role, change func(*pkitest.Spec)) *pkitest.Leaf {
	h := pkitest.Member(role)
	h.IIN, h.BIN = iin, bin
	s := pkitest.Spec{Holder: h}
	if change != nil {
		change(&s)
	}
	return w.authority.Issue(s)
}

// Certificates that are not good are refused at step 1, each by its name, and nothing of the
// registry is told (P-03, P-04, P-05, section 17).
func TestP03P04P05BadCertificates(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	now := w.time()
	revoked := w.head(iinB, binX)
	w.revoke(revoked)
	foreign := pkitest.New(t)
	fh := pkitest.Member(pki.RoleFirstHead)
	for _, c := range []struct {
		name, code string
		key        *pkitest.Leaf
		says       string
	}{
		{"P-03 expired", "CERT_EXPIRED", w.issue(iinB, binX, pki.RoleFirstHead, func(s *pkitest.Spec) {
			s.NotBefore, s.NotAfter = now.AddDate(-1, 0, 0), now.AddDate(0, 0, -1)
		}), now.AddDate(0, 0, -1).Format("02.01.2006")},
		{"P-04 not yet valid", "CERT_NOT_YET_VALID", w.issue(iinB, binX, pki.RoleFirstHead, func(s *pkitest.Spec) {
			s.NotBefore, s.NotAfter = now.AddDate(0, 0, 1), now.AddDate(1, 0, 0)
		}), now.AddDate(0, 0, 1).Format("02.01.2006")},
		{"P-05 revoked", "CERT_REVOKED", revoked, "Компрометация ключа"},
		{"foreign authority", "CERT_UNTRUSTED", foreign.Issue(pkitest.Spec{Holder: fh}), "КУӘЛАНДЫРУШЫ"},
		{"P-24 sign-in key", "CERT_NOT_FOR_SIGNING", w.issue(iinB, binX, pki.RoleFirstHead, func(s *pkitest.Spec) {
			s.Kind, s.Use = algid.RSA, pkitest.ClassicSignIn
		}), "GOST512_"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := w.browser()
			b.begin(participant.LegalEntity).sign(c.key).refused(c.code).says(c.says).silentAbout("АО «ТЕСТ»", "СКРЫТАЯ", "уже зарегистрировано", "ГБД ЮЛ")
			b.get(b.path).at("/1")
			if len(b.codes()) == 0 {
				t.Error("after a reload the page no longer says why")
			}
			b.get(strings.TrimSuffix(b.path, "1") + "2").at("/1") // step 2 stays shut
		})
	}
}

// P-07: what cannot be checked does not pass, and is checked again without another signature.
func TestP07CannotCheck(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	w.silent(true)
	b := w.browser()
	b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).refused("CHECK_UNAVAILABLE").says("Повторить проверку").silentAbout("АО «ТЕСТ»")
	step1 := b.path
	b.post(step1, "act", "recheck").refused("CHECK_UNAVAILABLE")
	w.silent(false)
	b.post(step1, "act", "recheck").at("/2").says("АО «ТЕСТ»")
}

// The registry is too old: not a refusal, not a pass (G8).
func TestG8OldRegistry(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	w.pass(8 * 24 * time.Hour)
	b := w.browser()
	b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).refused("CHECK_UNAVAILABLE").says("данные ГБД ЮЛ слишком старые")
	w.heads(iinA, iinB)
	b.post(b.path, "act", "recheck").at("/2")
}

// P-09 to P-14: the named causes.
func TestP09P11P12P13P14P33Gate(t *testing.T) {
	w := newWorld(t)
	t.Run("P-09 employee", func(t *testing.T) {
		b := w.browser()
		b.begin(participant.LegalEntity).sign(w.issue(iinA, binX, pki.RoleEmployee, nil)).refused("CERT_NO_HEAD_ROLE").says("пригласить")
	})
	t.Run("P-11 registry still names another", func(t *testing.T) {
		monday := w.time().In(lang.Astana)
		for monday = time.Date(monday.Year(), monday.Month(), monday.Day()+1, 9, 30, 0, 0, lang.Astana); monday.Weekday() != time.Monday; {
			monday = monday.AddDate(0, 0, 1)
		}
		w.pass(monday.Sub(w.time()))
		w.heads(iinA, "")
		b := w.browser()
		b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).refused("REGISTRY_OTHER_HEAD").
			says("Юридическое лицо уже зарегистрировано в системе").says("Последняя загрузка пн "+lang.RU.Date(monday)+", 09:30").
			says("Следующая загрузка ср "+lang.RU.Date(monday.AddDate(0, 0, 2))+", 06:00").
			silentAbout("СКРЫТАЯ", "ТЕСТТОВ", iinA, "123 456 789 012")
	})
	t.Run("P-13 already the head", func(t *testing.T) {
		b := w.browser()
		b.begin(participant.LegalEntity).sign(w.head(iinA, binX)).refused("ALREADY_SAME_HEAD")
		_, ways, _ := strings.Cut(b.page, `data-code="ALREADY_SAME_HEAD"`) // below the header, whose menu leads to sign-in too
		for _, path := range []string{"/login", "/login/recover"} {
			if !strings.Contains(ways, `href="`+path+`"`) {
				t.Errorf("no way to %s", path)
			}
		}
	})
	t.Run("personal key for a company", func(t *testing.T) {
		b := w.browser()
		b.begin(participant.LegalEntity).sign(w.personal(iinB)).refused("CERT_NO_HEAD_ROLE").refused("CERT_NO_BIN")
	})
	t.Run("company key for a person", func(t *testing.T) {
		b := w.browser()
		b.begin(participant.Individual).sign(w.head(iinB, binX)).refused("CERT_NOT_PERSONAL")
	})
	t.Run("unknown company", func(t *testing.T) {
		b := w.browser()
		b.begin(participant.LegalEntity).sign(w.head(iinB, "009940000006")).refused("ENTERPRISE_UNKNOWN")
	})
	t.Run("wrong check digit", func(t *testing.T) {
		b := w.browser()
		b.begin(participant.LegalEntity).sign(w.head(iinB, "123456789022")).refused("NUMBER_INVALID")
	})
	t.Run("P-33 unit without a head office", func(t *testing.T) {
		b := w.browser()
		b.begin(participant.StructuralUnit).sign(w.head(iinB, binUnit)).refused("ENTERPRISE_UNKNOWN").says("не указана головная организация")
	})
	t.Run("unit as a legal entity", func(t *testing.T) {
		b := w.browser()
		b.begin(participant.LegalEntity).sign(w.head(iinB, binUnit)).refused("ENTERPRISE_IS_UNIT")
	})
	t.Run("P-12 the previous head", func(t *testing.T) {
		w.heads(iinA, iinB)
		b := w.browser()
		b.begin(participant.LegalEntity).sign(w.head(iinA, binX)).refused("CERT_PREVIOUS_HEAD").says("уже зарегистрировано")
		for _, c := range b.codes() {
			if c == "ALREADY_SAME_HEAD" || c == "REGISTRY_OTHER_HEAD" {
				t.Errorf("also said %s", c)
			}
		}
	})
	t.Run("P-14 appointed from a later day", func(t *testing.T) {
		w := newWorld(t)
		later := registry.DateOf(w.time().AddDate(0, 0, 6))
		w.registry([]registry.Leader{{BIN: binX, IIN: iinA, Surname: "СКРЫТАЯ", Name: "ФАМИЛИЯ", Position: "Директор", AppointedOn: "2020-06-01", DismissedOn: later},
			{BIN: binX, IIN: iinB, Surname: "ТЕСТОВ", Name: "ТЕСТ", Position: "Директор", AppointedOn: later}})
		b := w.browser()
		b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).refused("REGISTRY_HEAD_FUTURE").says(w.time().AddDate(0, 0, 6).Format("02.01.2006"))
	})
	t.Run("dismissed", func(t *testing.T) {
		w := newWorld(t)
		w.registry([]registry.Leader{{BIN: binX, IIN: iinB, Surname: "ТЕСТОВ", Name: "ТЕСТ", Position: "Директор", AppointedOn: "2021-01-01", DismissedOn: "2026-08-01"}})
		b := w.browser()
		b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).refused("REGISTRY_HEAD_DISMISSED").says("01.08.2026")
		b = w.browser()
		b.begin(participant.LegalEntity).sign(w.head(iinC, binX)).refused("REGISTRY_NO_HEAD").silentAbout("01.08.2026")
	})
}

// A second person's registration of the same company waits for the first one's link.
func TestRegistrationPending(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	w.heads(iinA, iinC)
	c := w.browser()
	c.begin(participant.LegalEntity).sign(w.head(iinC, binX)).refused("REGISTRATION_PENDING").silentAbout(iinB, "123 456 789 011")
}

// Two registrations past step 1 both sign; the first to finish wins (P-23, in order).
func TestP23Superseded(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b, again := w.browser(), w.browser()
	again.begin(participant.LegalEntity).sign(w.head(iinB, binX)).at("/2").fill("b2@example.kz", passB).at("/3")
	w.register(b, "b@example.kz", passB)
	first := w.letter("N-15")
	again.sign(w.head(iinB, binX)).at("/4")
	again.follow().sign(w.head(iinB, binX)).post("/login/password", "password", passB).at("/me?done=1")
	b.get(strings.TrimPrefix(first.Vars["link"], "http://localhost:8081")).refused("LINK_STALE")
	b.get("/register").at("/register")
}

// Step 3: the agreement signed by others, altered, or by a key of another company.
func TestP10P16P17Agreement(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).at("/2").fill("b@example.kz", passB).at("/3")
	step3 := b.path

	b.signAnyway(w.head(iinC, binX)).refused("CERT_OTHER_PERSON")
	b.get(step3).at("/3").signAnyway(w.head(iinB, binY)).refused("CERT_WRONG_BIN").says(binX).says(binY)
	b.get(step3).at("/3").sign(w.issue(iinB, binX, pki.RoleFirstHead, func(s *pkitest.Spec) { s.Kind, s.Use = algid.RSA, pkitest.ClassicSignIn })).refused("CERT_NOT_FOR_SIGNING")
	b.get(step3).at("/3").signAnyway(w.personal(iinB)).refused("CERT_NO_HEAD_ROLE")

	action, answer, _ := b.get(step3).at("/3").signature(w.head(iinB, binX))
	b.post(action, "answer", strings.Replace(answer, "Первый", "Второй", 1)).refused("SIGNATURE_INVALID") // P-17
	b.get(step3).post(action, "answer", strings.Replace(answer, "Первый", "Первый\u0021", 1)).refused("SIGNATURE_INVALID")
	b.get(step3).post(action, "answer", "").refused("AGENT_ANSWER")
	b.get(step3).post(action, "answer", answerOf("<agreement/>")).refused("SIGNATURE_INVALID")
	b.get(step3).post(action, "answer", answerOf("senim-challenge 1\n")).refused("SIGNATURE_INVALID")

	// Signed by the right key, but another registration's document.
	other := w.browser()
	other.begin(participant.LegalEntity).sign(w.head(iinB, binX)).at("/2").fill("b@example.kz", passB).at("/3")
	_, foreign, _ := other.signature(w.head(iinB, binX))
	b.get(step3).post(action, "answer", foreign).refused("SIGNATURE_INVALID")

	if w.count("N-15") != 0 {
		t.Error("a letter went out")
	}
	b.get(step3).at("/3").post(action, "answer", answer).at("/4")
}

// R8: another version of the agreement came into force while the page was open.
func TestR8NewVersion(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).at("/2").fill("b@example.kz", passB).at("/3")
	action, old, _ := b.signature(w.head(iinB, binX))
	next := participant.Agreement{Version: "2.0", From: w.time()}
	w.must(json.Unmarshal([]byte(`{"ru":"Новый текст.","kk":"Жаңа мәтін.","en":"New text."}`), &next.Text))
	w.must(w.office.Publish(t.Context(), next))
	b.post(action, "answer", old).refused("AGREEMENT_CHANGED").says("Новый текст.")
	b.sign(w.head(iinB, binX)).at("/4")
}

// P-23: two registrations of X finish at the same instant, on both engines: exactly one completes,
// the other is told that it lost, and X has one active head.
func TestP23Race(t *testing.T) {
	for name, database := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "senim.db") },
		"PostgreSQL": func(t *testing.T) string { return storetest.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, database(t), nil)
			for round := range 5 {
				lead, next := iinA, iinB
				if round%2 == 1 {
					lead, next = iinB, iinA
				}
				w.pass(48 * time.Hour)
				w.heads(lead, next)
				w.race(next)
				if w.statusOf(next, binX) != participant.Active || w.statusOf(lead, binX) != participant.HeadChangeBlocked {
					t.Fatalf("round %d: next %s, previous %s", round, w.statusOf(next, binX), w.statusOf(lead, binX))
				}
			}
		})
	}
}

// race finishes two registrations of one person for X at once.
func (w *world) race(iin string) {
	w.t.Helper()
	all := make([]*browser, 2)
	for i := range all { // both pass step 1 before either signs
		all[i] = w.browser()
		all[i].begin(participant.LegalEntity).sign(w.head(iin, binX)).at("/2")
	}
	for _, b := range all {
		password := passB
		if iin == iinA {
			password = passA
		}
		b.post(b.path, "email", "b@example.kz", "email2", "b@example.kz", "password", password, "password2", password, "current", password).at("/3")
		b.sign(w.head(iin, binX)).at("/4").follow().sign(w.head(iin, binX)).at("/login/password")
	}
	var wg sync.WaitGroup
	for _, b := range all {
		wg.Go(func() {
			password := passB
			if iin == iinA {
				password = passA
			}
			b.post("/login/password", "password", password)
		})
	}
	wg.Wait()
	done := 0
	for _, b := range all {
		if b.status == 200 && strings.HasSuffix(b.path, "/me?done=1") {
			done++
			continue
		}
		codes := b.codes()
		if len(codes) != 1 || codes[0] != "RACE_RETRY" && codes[0] != "SUPERSEDED_BY_OTHER" {
			w.t.Errorf("the loser reads %v at %s (%d)", codes, b.path, b.status)
		}
	}
	if done != 1 {
		w.t.Fatalf("%d registrations completed", done)
	}
}

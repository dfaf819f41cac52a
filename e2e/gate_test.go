package e2e

import (
	"encoding/hex"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"senim/algid"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/internal/registry"
	"senim/internal/revocation"
	"senim/pki"
)

// recheck is the button that checks again what could not be checked.
const recheck = chromedp.CSS("main form:has(input[value=recheck]) button")

// TestStep1 walks the examples of the portal that end at step 1 of a registration: whom the gate stops there,
// what his page says, and what it keeps to itself.
func TestStep1(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, nil)
	now := w.time()
	day := func(n int) time.Time { return now.AddDate(0, 0, n) }
	date := func(at time.Time) string { return at.In(lang.Astana).Format("02.01.2006") }
	// One draft: who is refused tries another key.
	v := w.visitor(t).begin(participant.LegalEntity)
	page := v.where()
	step1 := func(t *testing.T, l *pkitest.Leaf) *visitor {
		t.Helper()
		w.pass(time.Minute)
		v.t = t
		if v.where() != page {
			v.at(page)
		}
		return v.sign(l)
	}
	// Nothing of a company is told to whom the page cannot trust.
	secrets := []string{nameX, "СКРЫТАЯ", "ДРУГАЯ", "уже зарегистрировано"}

	t.Run("P-09 an employee", func(t *testing.T) {
		step1(t, w.key(iinA, binX, pki.RoleEmployee, nil)).refused("CERT_NO_HEAD_ROLE").sees("пригласить")
	})
	t.Run("P-11 the registry names another", func(t *testing.T) {
		v := step1(t, w.head(iinB, binX))
		v.refused("REGISTRY_OTHER_HEAD").sees("Юридическое лицо уже зарегистрировано в системе", "Последняя загрузка", "Следующая загрузка")
		v.silent("СКРЫТАЯ", "ТЕСТТОВ", iinA, "123 456 789 012")
	})
	t.Run("P-13 already the head", func(t *testing.T) {
		v := step1(t, w.head(iinA, binX))
		v.refused("ALREADY_SAME_HEAD").sees("Войти")
		if !v.asks(`main a[href="/login"]`) || !v.asks(`main a[href="/login/recover"]`) {
			t.Errorf("no way to sign in or to recover:\n%s", v.text())
		}
	})
	t.Run("P-14 appointed from a later day", func(t *testing.T) {
		later := registry.DateOf(day(6))
		w.leaders(registry.Leader{BIN: binX, IIN: iinA, Surname: "СКРЫТАЯ", Name: "ФАМИЛИЯ", Position: "Директор", AppointedOn: "2020-06-01", DismissedOn: later},
			registry.Leader{BIN: binX, IIN: iinB, Surname: "ТЕСТОВ", Name: "ТЕСТ", Position: "Директор", AppointedOn: later})
		step1(t, w.head(iinB, binX)).refused("REGISTRY_HEAD_FUTURE").sees(date(day(6)))
	})

	w.heads(iinA, iinB)
	t.Run("P-12 the previous head", func(t *testing.T) {
		step1(t, w.head(iinA, binX)).refused("CERT_PREVIOUS_HEAD").sees("уже зарегистрировано")
	})
	from := func(a, b int) func(*pkitest.Spec) {
		return func(s *pkitest.Spec) { s.NotBefore, s.NotAfter = day(a), day(b) }
	}
	t.Run("P-03 expired yesterday", func(t *testing.T) {
		v := step1(t, w.key(iinB, binX, pki.RoleFirstHead, from(-365, -1)))
		v.refused("CERT_EXPIRED").sees(date(day(-1)))
		v.silent(secrets...)
	})
	t.Run("P-04 starts tomorrow", func(t *testing.T) {
		v := step1(t, w.key(iinB, binX, pki.RoleFirstHead, from(1, 365)))
		v.refused("CERT_NOT_YET_VALID").sees(date(day(1)))
		v.silent(secrets...)
	})
	t.Run("P-05 revoked", func(t *testing.T) {
		l := w.head(iinB, binX)
		w.set(func() { w.revoked[l.Certificate.SerialHex()] = true })
		v := step1(t, l)
		v.refused("CERT_REVOKED").sees("Компрометация ключа", date(w.time().Add(-time.Hour)))
		v.silent(secrets...)
	})
	t.Run("P-07 could not check", func(t *testing.T) {
		w.set(func() { w.down = true })
		v := step1(t, w.head(iinB, binX))
		v.refused("CHECK_UNAVAILABLE").sees("Это не отказ", "Повторить проверку")
		v.silent(secrets...)
		v.press(recheck).refused("CHECK_UNAVAILABLE")
		w.set(func() { w.down = false })
		v.press(recheck)
		v.stands("/2").sees(nameX)
	})
	t.Run("P-08 by lists", func(t *testing.T) {
		lists := t.TempDir()
		lay := func(name string, l pki.ListTemplate) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(lists, name), w.authority.ListOf(l), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		full, delta := now.Add(-5*time.Hour), now.Add(-time.Hour)
		lay("full.crl", pki.ListTemplate{Number: big.NewInt(1), ThisUpdate: full, NextUpdate: day(6)})
		lay("delta.crl", pki.ListTemplate{Number: big.NewInt(2), BaseNumber: big.NewInt(1), ThisUpdate: delta, NextUpdate: now.Add(11 * time.Hour)})
		silent := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) }))
		defer silent.Close()
		w.set(func() {
			w.source = revocation.New(revocation.Config{Responders: map[string]string{hex.EncodeToString(w.authority.CA.SubjectKeyID): silent.URL}, Dir: lists})
		})
		defer w.set(func() { w.source = nil })
		v := step1(t, w.head(iinB, binX)).stands("/2")
		v.at(strings.TrimSuffix(v.where(), "2") + "1").sees("Что проверено")
		v.unfold().sees("Кто ответил", "список отозванных сертификатов", lang.RU.DateTime(full), lang.RU.DateTime(delta))
	})
	t.Run("P-24 a key for sign-in alone", func(t *testing.T) {
		step1(t, w.key(iinB, binX, pki.RoleFirstHead, func(s *pkitest.Spec) { s.Kind, s.Use = algid.RSA, pkitest.ClassicSignIn })).
			refused("CERT_NOT_FOR_SIGNING").sees("GOST512_")
	})
	t.Run("P-33 a unit without a head office", func(t *testing.T) {
		w.visitor(t).begin(participant.StructuralUnit).sign(w.head(iinB, binUnit)).refused("ENTERPRISE_UNKNOWN").sees("не указана головная организация")
	})
	t.Run("R-15 the load is 8 days old", func(t *testing.T) {
		w.pass(8 * 24 * time.Hour)
		w.visitor(t).begin(participant.LegalEntity).sign(w.head(iinB, binX)).refused("CHECK_UNAVAILABLE").sees("данные ГБД ЮЛ слишком старые")
	})
}

// TestStep3 walks what may be wrong with the signature of the agreement: the step stays, and the right one then passes.
func TestStep3(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, nil)
	w.heads(iinA, iinB)
	right := w.head(iinB, binX)
	v := w.visitor(t).begin(participant.LegalEntity).sign(right).step2("b@example.kz")
	step3 := v.where()
	wrong := func(t *testing.T, l *pkitest.Leaf, code string) *visitor {
		t.Helper()
		v.t = t
		v.at(step3).stands("/3").sign(l).refused(code)
		return v
	}
	t.Run("P-16 another person's key", func(t *testing.T) { wrong(t, w.head(iinC, binX), "CERT_OTHER_PERSON") })
	t.Run("P-10 a key of another company", func(t *testing.T) { wrong(t, w.head(iinB, binY), "CERT_WRONG_BIN").sees(binX, binY) })
	t.Run("P-24 a key for sign-in alone", func(t *testing.T) {
		_, signIn := w.authority.ClassicPair(right.Certificate.Holder())
		wrong(t, signIn, "CERT_NOT_FOR_SIGNING").sees("GOST512_")
	})
	t.Run("P-17 one byte changed", func(t *testing.T) {
		v.t = t
		v.at(step3)
		v.answer(strings.Replace(v.signature(right), "Первый", "Второй", 1))
		v.refused("SIGNATURE_INVALID")
		if w.recorded("challenge.failed") == 0 {
			t.Error("nothing was recorded")
		}
	})
	v.t = t
	if w.sent("N-15") != 0 {
		t.Error("a letter went out")
	}
	v.at(step3).stands("/3").sign(right).stands("/4")
}

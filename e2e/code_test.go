package e2e

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"senim/internal/lang"
	"senim/internal/mgov"
	"senim/internal/participant"
	"senim/internal/phone"
	"senim/internal/pkitest"
	"senim/internal/qr"
)

// onPhone presses «Подписать телефоном», and gives what the page's code says.
func (v *visitor) onPhone() string {
	v.t.Helper()
	v.press(css("main form[data-agent] button[formaction]"))
	return v.code()
}

// code is what the page shows for a phone; the page waits.
func (v *visitor) code() string {
	v.t.Helper()
	v.act("wait for the code", chromedp.WaitVisible(css(".senim-qr")), chromedp.WaitVisible(css(".senim-live[data-state=waiting]")))
	return read(v.tab, "read the code", chromedp.Evaluate[string](`document.querySelector('main a[href*="m.egov.kz/mobileSign"]').href`))
}

// phone is one with a key.
func (w *world) phone(l *pkitest.Leaf) *phone.Phone {
	return &phone.Phone{Key: l.Key, Certificate: l.Certificate, Client: http.DefaultClient, Now: w.time}
}

// refusedOnPhone checks that a phone was refused in the words of a code.
func refusedOnPhone(t *testing.T, err error, status int, l lang.Tag, code string) {
	t.Helper()
	want := l.Text("codes." + code)
	if !lang.Has("codes." + code) {
		want = l.Text("web.code." + code)
	}
	if r, ok := errors.AsType[*phone.Refused](err); !ok || r.Status != status || r.Message != want {
		t.Errorf("got %v, want %d %s", err, status, want)
	}
}

// TestCodes walks the pages that wait for a phone: what goes wrong on the phone leaves the page waiting, and only the
// page that made the code goes on. What follows a code that ran out and one that was given up is looked at.
func TestCodes(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, nil)
	w.heads(iinA, iinB)
	key := w.head(iinA, binX)
	look := func(t *testing.T, l *pkitest.Leaf, code string) (*phone.Phone, phone.Paper) {
		t.Helper()
		p := w.phone(l)
		paper, err := p.Look(t.Context(), code)
		if err != nil {
			t.Fatal(err)
		}
		return p, paper
	}

	t.Run("Q-02 Q-05 other bytes, then the right ones twice", func(t *testing.T) {
		v := w.visitor(t).at("/login")
		p, paper := look(t, key, v.onPhone())
		good, err := p.Signed(paper.Package)
		if err != nil {
			t.Fatal(err)
		}
		bad := good
		bad.Documents = []mgov.Document{good.Documents[0].With(good.Documents[0].Content()[1:])}
		refusedOnPhone(t, p.Put(t.Context(), paper.Invitation.Document, bad), http.StatusForbidden, lang.RU, "SIGNATURE_INVALID")
		v.code()
		v.mark()
		w.must(p.Put(t.Context(), paper.Invitation.Document, good))
		v.arrive()
		v.stands("/login/password")
		refusedOnPhone(t, p.Put(t.Context(), paper.Invitation.Document, good), http.StatusForbidden, lang.RU, "QR_SIGNED")
		v.password(passA).stands("/me")
	})
	t.Run("Q-03 another person's phone", func(t *testing.T) {
		right := w.head(iinB, binX)
		v := w.visitor(t).begin(participant.LegalEntity).sign(right).step2("b@example.kz")
		code := v.onPhone()
		p, paper := look(t, w.head(iinC, binX), code)
		refusedOnPhone(t, p.Sign(t.Context(), paper), http.StatusForbidden, lang.RU, "CERT_OTHER_PERSON")
		v.code()
		p, paper = look(t, right, code)
		v.mark()
		w.must(p.Sign(t.Context(), paper))
		v.arrive()
		v.stands("/4")
	})
	t.Run("Q-04 five minutes pass", func(t *testing.T) {
		v := w.visitor(t)
		sight := lookingWith(t, v.tab)
		v.at("/login")
		code := v.onPhone()
		p, _ := look(t, key, code)
		v.mark()
		w.pass(qr.Life + time.Second)
		for _, l := range lang.All() {
			p.Lang = l
			_, err := p.Look(t.Context(), code)
			refusedOnPhone(t, err, http.StatusForbidden, l, "QR_EXPIRED")
		}
		v.arrive() // the page was told
		page := v.where()
		v.sees("Время кода вышло")
		sight.lookAfter("code-over", func() { v.at(page) })
		v.submit(page + "/again")
		p, paper := look(t, key, v.code())
		w.must(p.Sign(t.Context(), paper))
		v.arrive()
	})
	t.Run("Q-06 Q-08 only who made the code goes on", func(t *testing.T) {
		one, two := w.visitor(t).at("/login"), w.beside(t).at("/login")
		code := one.onPhone()
		two.onPhone()
		p, paper := look(t, key, code)
		said := paper.Invitation.Description
		for _, m := range paper.Package.Documents[0].Meta {
			said += "\n" + m.Value
		}
		if !strings.Contains(said, "sign in") || !strings.Contains(said, strings.TrimPrefix(w.origin, "http://")) {
			t.Errorf("the phone does not say where and what for:\n%s", said)
		}
		one.mark()
		w.must(p.Sign(t.Context(), paper))
		one.arrive()
		one.stands("/login/password")
		two.code()
		two.at("/login/password").refused("SIGNIN_STALE")
		two.at("/me").stands("/login")
	})
	t.Run("Q-07 without its token", func(t *testing.T) {
		v := w.visitor(t).at("/login")
		p, paper := look(t, key, v.onPhone())
		with := paper.Invitation.Document
		for _, token := range []string{"", "x"} {
			with.Token = token
			signed, err := p.Signed(paper.Package)
			if err != nil {
				t.Fatal(err)
			}
			refusedOnPhone(t, p.Put(t.Context(), with, signed), http.StatusUnauthorized, lang.RU, "QR_TOKEN")
		}
		v.code()
		page := v.where()
		v.submit("/cancel")
		v.stands("/login")
		sight := lookingWith(t, v.tab)
		sight.lookAfter("code-closed", func() { v.at(page) })
		_, err := p.Look(t.Context(), "mobileSign:"+strings.Replace(with.URI, "/2/", "/1/", 1))
		if r, ok := errors.AsType[*phone.Refused](err); !ok || r.Status != http.StatusForbidden {
			t.Errorf("a code given up: %v", err)
		}
	})
}

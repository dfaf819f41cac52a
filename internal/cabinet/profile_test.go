package cabinet

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/notice"
	"senim/internal/ra"
)

// change goes through «Изменить данные» with another address.
func (b *browser) change(email string) page {
	b.s.t.Helper()
	b.post("/signup", url.Values{"email": {email}, "email2": {email}, "city": {"Алматы"}, "lang": {"ru"}}).has(b.s.t, 200, "Подпишите данные")
	return b.click(b.get("/signup/sign"))
}

// path is the page the link of the newest N-16 opens.
func (s *site) path() string {
	s.t.Helper()
	return strings.TrimPrefix(s.letter("N-16").Vars["link"], origin)
}

// TestC38EmailLink: the GET shows, the POST does, once, for a day; a stale one offers another.
func TestC38EmailLink(t *testing.T) {
	s := newSite(t)
	key := s.personal("123456789013")
	b := s.browser(key)
	b.enter("p@example.kz")
	b.get("/profile").has(t, 200, "Ещё не подтверждён", "Отправить ссылку ещё раз")
	stale := func(p page) {
		t.Helper()
		p.has(t, 422, `data-code="LINK_STALE"`, "Ссылка устарела или уже использована", "24 часа", "Получить новую ссылку", `href="/profile"`)
	}
	stale(b.get("/email/none"))
	first := s.path()
	s.now = s.now.Add(25 * time.Hour)
	stale(b.get(first))
	stale(b.post(first, nil))
	account := func() ra.Account {
		a, err := s.office.Account(t.Context(), "123456789013")
		must(t, err)
		return a
	}
	if a := account(); a.Confirmed() != "" || a.Address(notice.Reminder) != "" {
		t.Error("a stale link confirmed the address")
	}
	b.back()
	b.post("/profile/link", nil).has(t, 200, "Мои данные")
	b.post("/profile/link", nil).has(t, 422, `data-code="LINK_SOON"`, "через 60 с")
	if len(s.lettersOf("N-16")) != 2 {
		t.Errorf("%d letters", len(s.lettersOf("N-16")))
	}
	b.get(s.path()).has(t, 200, "Подтвердить")
	if account().Confirmed() != "" {
		t.Error("looking at the link confirmed the address")
	}
	b.post(s.path(), nil).has(t, 200, "p***@example.kz")
	if account().Confirmed() != "p@example.kz" {
		t.Error("the address is not confirmed")
	}
	stale(b.get(s.path()))
	stale(b.post(s.path(), nil))
	if p := b.get("/profile").has(t, 200, "Подтверждён"); strings.Contains(p.body, "/profile/link") {
		t.Error("a link is offered though nothing waits")
	}
	b.post("/profile/link", nil).has(t, 422, `data-code="NOTHING_TO_CONFIRM"`)
}

// TestChangeOfAddress: the old one is told and stays until the new one is confirmed.
func TestChangeOfAddress(t *testing.T) {
	s := newSite(t)
	s.reach("123456789013", "", "old@example.kz")
	b := s.browser(s.personal("123456789013"))
	b.back()
	b.change("new@example.kz").has(t, 200, "На new@example.kz отправлена ссылка", "по-прежнему приходят на old@example.kz")
	if m := s.letter("N-17"); m.To != "old@example.kz" || m.Vars["masked"] != "n***@example.kz" {
		t.Errorf("%+v", m)
	}
	if m := s.letter("N-16"); m.To != "new@example.kz" {
		t.Errorf("%+v", m)
	}
	b.get("/signup").has(t, 200, `value="new@example.kz"`)
	b.post(s.path(), nil).has(t, 200)
	if p := b.get("/profile").has(t, 200, "new@example.kz"); strings.Contains(p.body, "old@example.kz") {
		t.Error("the old address is still shown")
	}
}

// TestNobodyCanBeWarned: D1 and I5 are said on every page, until they are mended.
func TestNobodyCanBeWarned(t *testing.T) {
	s := newSite(t)
	s.reach("123456789013", "", "")
	b := s.browser(s.personal("123456789013"))
	b.back()
	const none, bad = `data-notice="no-contact"`, `data-notice="address-bad"`
	pages := []string{"/", "/keys", "/keys/reissue", "/applications", "/apply/legal", "/profile", "/check", "/no-such-page", "/applications?number=1"}
	for _, path := range pages {
		if p := b.get(path); !strings.Contains(p.body, none) {
			t.Errorf("%s does not say that there is no contact", path)
		}
	}
	if p := s.browser().get("/"); strings.Contains(p.body, "data-notice") {
		t.Error("a stranger is warned")
	}
	s.reach("123456789013", "+77010000013", "")
	b.get("/profile").has(t, 200, "+7 701 ••• •• 13")
	s.reach("123456789013", "", "p@example.kz")
	must(t, s.office.AddressBad(t.Context(), "p@example.kz", true))
	for _, path := range pages {
		if p := b.get(path); !strings.Contains(p.body, bad) || !strings.Contains(p.body, "Письма на p***@example.kz не доходят. Проверьте адрес") {
			t.Errorf("%s does not say that letters do not arrive", path)
		}
	}
	b.post("/profile/link", nil).has(t, 200, "Письма не доходят")
	b.post(s.path(), nil).has(t, 200)
	for _, path := range pages {
		if p := b.get(path); strings.Contains(p.body, "data-notice") {
			t.Errorf("%s still warns", path)
		}
	}
}

func TestProfile(t *testing.T) {
	s := newSite(t)
	s.reach("123456789013", "", "p@example.kz")
	key := s.personal("123456789013")
	b := s.browser(key)
	b.back()
	b.get("/profile").has(t, 200, "номера нет", "eGov.kz", "123 456 789 013", "Напоминания по e-mail", "Включены")
	p := s.folk["123456789013"]
	p.silent = true
	s.folk["123456789013"] = p
	if got := b.get("/profile").has(t, 200, "не удалось проверить: база не отвечает"); strings.Contains(got.body, "номера нет") {
		t.Error("a silent base is shown as no number")
	}
	b.fill(b.get("/profile"), "/profile/reminders").has(t, 200, "Выключены", "SMS и письма о безопасности приходят")
	a, err := s.office.Account(t.Context(), "123456789013")
	must(t, err)
	if !a.NoReminders || a.Confirmed() == "" {
		t.Errorf("%+v", a)
	}
	b.fill(b.get("/profile"), "/profile/reminders").has(t, 200, "Включены")
	b.get("/keys").has(t, 200, `href="/profile">СЕРИКОВА`)
}

// TestLanguageIsKept: chosen with the data, it is the language of pages and of letters.
func TestLanguageIsKept(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	b.click(b.get("/signin"))
	b.post("/signup", url.Values{"email": {"p@example.kz"}, "email2": {"p@example.kz"}, "city": {"Алматы"}, "lang": {"kk"}, "consent": {"yes"}})
	b.click(b.get("/signup/sign")).has(t, 200, "Менің деректерім")
	b.get("/keys").has(t, 200, `lang="kk"`, "Менің")
	if m := s.letter("N-16"); m.Lang != "kk" {
		t.Errorf("the letter is in %s", m.Lang)
	}
}

// TestS3SwitchingSides: one signature with the other key opens its side.
func TestS3SwitchingSides(t *testing.T) {
	s := newSite(t)
	s.reach("123456789011", "+77010000011", "b@example.kz")
	personal, head := s.personal("123456789011"), s.head("123456789011", binX)
	b := s.browser(personal, head)
	b.back()
	b.get("/profile").has(t, 200, "Личная сторона · вы сейчас здесь", "Перейти: АО «ТЕСТ»", "/signin?side="+binX)
	b.click(b.get("/signin?side="+binX+"&next=%2Fkeys").has(t, 200, "Переход на другую сторону")).has(t, 200, "Мои ключи ЭЦП")
	b.get("/profile").has(t, 200, "АО «ТЕСТ» · вы сейчас здесь", "Перейти: Личная сторона")
	b.keys = b.keys[:1]
	b.click(b.get("/signin?side=personal&next=%2Fprofile")).has(t, 200, "Личная сторона · вы сейчас здесь")
}

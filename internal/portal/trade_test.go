package portal

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/registry"
)

// proprietor is B, a sole proprietor, with C among his users.
func proprietor(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.individual(iinC, "СЕРИКОВА АЙГУЛЬ", "c@example.kz")
	w.must(w.office.Seed(t.Context(), participant.Seeded{IIN: iinB, Name: "ТЕСТОВ ТЕСТ", Email: "b@example.kz", Password: passB, Lang: lang.RU,
		Profiles: []participant.SeededProfile{{Category: participant.SoleProprietor, TIN: iinB, Name: "ИП ТЕСТОВ"}}}))
	head := w.browser()
	head.login(w.personal(iinB), passB).at("/me").fillInvite(0, 30).sign(w.personal(iinB)).says("Приглашение отправлено")
	w.browser().get(w.path("N-24")).acceptAs(w.personal(iinC)).says("Приглашение принято")
	return w
}

// What a sole proprietor heads is blocked as an enterprise: its users with him, his own profile not.
func TestBlockedTrade(t *testing.T) {
	w := proprietor(t)
	w.must(w.office.Seed(t.Context(), participant.Seeded{IIN: iinB, Profiles: []participant.SeededProfile{{Category: participant.Individual, TIN: iinB, Name: "ТЕСТОВ ТЕСТ"}}}))
	kinds := func() map[participant.ProfileType]participant.Status {
		t.Helper()
		found := map[participant.ProfileType]participant.Status{}
		for _, iin := range []ident.IIN{iinB, iinC} {
			all, err := w.office.Profiles(t.Context(), iin)
			w.must(err)
			for _, p := range all {
				if p.TIN == iinB {
					found[p.Type] = p.Status
				}
			}
		}
		return found
	}
	user := w.browser()
	user.login(w.personal(iinC), passC).at("/login/profile").post("/login/profile", "profile", w.profileOf(iinC, iinB).ID).at("/me")
	w.admin(participant.BlockEnterprise, iinB, false, "Не сдан отчёт")
	want := map[participant.ProfileType]participant.Status{participant.TypeIndividual: participant.Active, participant.TypeEntrepreneur: participant.EnterpriseBlocked,
		participant.TypeEntrepreneurUser: participant.EnterpriseBlocked}
	if got := kinds(); !maps.Equal(got, want) {
		t.Errorf("blocked: %v", got)
	}
	user.get("/me").closed("SESSION_PROFILE")
	user.login(w.personal(iinC), passC).get("/login/profile").says("Заблокированный при блокировке предприятия").says("Не сдан отчёт")
	w.taxpayers(registry.Taxpayer{TIN: iinB, Type: registry.TaxEntrepreneur, NameRU: "ИП ТЕСТОВ", IPFrom: "2020-01-01", Practice: registry.Notary})
	w.browser().begin(participant.PrivatePractice).sign(w.personal(iinB)).refused("ENTERPRISE_BLOCKED").says("Не сдан отчёт")
	w.browser().begin(participant.Individual).sign(w.personal(iinB)).refused("ALREADY_REGISTERED") // his own profile is not blocked
	w.admin(participant.BlockEnterprise, iinB, true, "Отчёт сдан")
	want[participant.TypeEntrepreneur], want[participant.TypeEntrepreneurUser] = participant.Active, participant.Active
	if got := kinds(); !maps.Equal(got, want) {
		t.Errorf("lifted: %v", got)
	}
}

// One who registers is known as an enterprise from then on.
func TestRegisteredTradeIsAnEnterprise(t *testing.T) {
	w := newWorld(t)
	w.taxpayers(registry.Taxpayer{TIN: iinB, Type: registry.TaxEntrepreneur, NameRU: "ИП ТЕСТОВ", IPFrom: "2020-01-01"})
	key := w.personal(iinB)
	b := w.browser()
	b.begin(participant.SoleProprietor).sign(key).at("/2").fill("b@example.kz", passB).finish(key, passB).at("/me?done=1")
	w.admin(participant.BlockEnterprise, iinB, false, "Не сдан отчёт")
	b.get("/me").closed("SESSION_PROFILE")
	if s := w.statusOf(iinB, iinB); s != participant.EnterpriseBlocked {
		t.Errorf("the sole proprietor is %s", s)
	}
}

// A person's own registration and that of his trade have one tin: completing one leaves the other as it is.
func TestOneTINTwoRegistrations(t *testing.T) {
	w := newWorld(t)
	w.taxpayers(registry.Taxpayer{TIN: iinB, Type: registry.TaxEntrepreneur, NameRU: "ИП ТЕСТОВ", IPFrom: "2020-01-01"})
	key := w.personal(iinB)
	trade, second, own := w.browser(), w.browser(), w.browser()
	trade.begin(participant.SoleProprietor).sign(key).at("/2").fill("b@example.kz", passB).at("/3").sign(key).at("/4")
	link := w.path("N-15")
	second.begin(participant.SoleProprietor).sign(key).at("/2")
	own.begin(participant.Individual).sign(key).at("/2").fill("b@example.kz", passB).finish(key, passB).at("/me?done=1")
	trade.get(link).sign(key).at("/login/password").post("/login/password", "password", passB).at("/me?done=1").says("ИП ТЕСТОВ")
	second.get(second.path).refused("SUPERSEDED_BY_OTHER") // of the same kind
}

// One person's trade and practice invite under one tin, and each knows its own users, letters and documents only.
func TestOneTINTwoHeads(t *testing.T) {
	w := newWorld(t)
	w.individual(iinC, "СЕРИКОВА АЙГУЛЬ", "c@example.kz")
	w.must(w.office.Seed(t.Context(), participant.Seeded{IIN: iinB, Name: "ТЕСТОВ ТЕСТ", Email: "b@example.kz", Password: passB, Lang: lang.RU, Profiles: []participant.SeededProfile{
		{Category: participant.SoleProprietor, TIN: iinB, Name: "ИП ТЕСТОВ"}, {Category: participant.PrivatePractice, TIN: iinB, Name: "Нотариус ТЕСТОВ", Practice: registry.Notary}}}))
	key := w.personal(iinB)
	head := map[participant.ProfileType]*browser{}
	all, err := w.office.Profiles(t.Context(), iinB)
	w.must(err)
	for _, p := range all {
		head[p.Type] = w.browser()
		head[p.Type].login(key, passB).at("/login/profile").post("/login/profile", "profile", p.ID).at("/me")
	}
	trade, notary := head[participant.TypeEntrepreneur], head[participant.TypeNotary]
	trade.fillInvite(0, 30, "proxy", "ИП-1").sign(key).says("Приглашение отправлено")
	first := w.path("N-24")
	notary.fillInvite(0, 30, "proxy", "Н-2").sign(key).says("Приглашение отправлено")
	w.browser().get(w.path("N-24")).acceptAs(w.personal(iinC)).says("Приглашение принято")
	w.browser().get(first).acceptAs(w.personal(iinC)).says("Приглашение принято") // the notary's did not end it
	users, err := w.office.Profiles(t.Context(), iinC)
	w.must(err)
	seen := 0
	for _, p := range users {
		own, other, proxy := trade, notary, "ИП-1"
		switch p.Type {
		case participant.TypeNotaryUser:
			own, other, proxy = notary, trade, "Н-2"
		case participant.TypeEntrepreneurUser:
		default:
			continue
		}
		seen++
		own.get("/org/users").says(proxy)
		if own.get("/org/proxy/" + p.ID); !strings.Contains(own.page, proxy) {
			t.Errorf("%s: the power of attorney is another one:\n%s", p.Type, own.page)
		}
		other.get("/org/users").silentAbout(proxy)
		if other.get("/org/proxy/" + p.ID); other.status != http.StatusNotFound {
			t.Errorf("%s: the other head reads the power of attorney (%d)", p.Type, other.status)
		}
		other.get("/org/users/sign?do=remove&user=" + p.ID).refused("USERS_OTHER")
	}
	if seen != 2 {
		t.Errorf("profiles of the invited person: %+v", users)
	}
}

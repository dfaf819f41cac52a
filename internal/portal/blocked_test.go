package portal

import (
	"testing"

	"senim/internal/participant"
)

// admin blocks, or lifts with two signatures.
func (w *world) admin(kind participant.AdminKind, object string, lift bool, reason string) {
	w.t.Helper()
	one, two := participant.Administrator{IIN: "009900000008", Serial: "01"}, participant.Administrator{IIN: "009900000909", Serial: "02"}
	a, err := w.office.Administer(w.t.Context(), one, kind, object, lift, reason)
	w.must(err)
	_, err = w.office.SignAdmin(w.t.Context(), one, a.ID, []byte("<one/>"))
	w.must(err)
	if lift {
		_, err = w.office.SignAdmin(w.t.Context(), two, a.ID, []byte("<two/>"))
		w.must(err)
	}
}

// A blocked enterprise, profile and account say so with the reason, at sign-in and at registration; their
// sessions end, and what is lifted opens again.
func TestBlockedSaysWhy(t *testing.T) {
	w := newWorld(t)
	x, y := w.browser(), w.browser()
	x.login(w.head(iinA, binX), passA).at("/me")
	y.login(w.head(iinA, binY), passA).at("/me")
	w.admin(participant.BlockEnterprise, binX, false, "Не сдан отчёт")
	x.get("/me").closed("SESSION_PROFILE")
	y.get("/me").at("/me").says("Заблокированный при блокировке предприятия").says("Не сдан отчёт")
	x = w.browser()
	x.login(w.head(iinA, binX), passA).at("/login/profile").says("Предприятие заблокировано: Не сдан отчёт").says("обратитесь к администратору")
	w.heads(iinA, iinB)
	b := w.browser()
	b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).refused("ENTERPRISE_BLOCKED").says("Не сдан отчёт")
	w.browser().begin(participant.LegalEntity).silentAbout("Не сдан отчёт")
	w.admin(participant.BlockEnterprise, binX, true, "Отчёт сдан")
	b.post(b.path, "act", "recheck").at("/2")
	w.heads(iinA, "")
	x.get("/login/profile")
	x = w.browser()
	x.login(w.head(iinA, binX), passA).at("/me").says("Активный")

	// Blocked between step 3 and the link: the head stays, the new one is refused.
	w.heads(iinA, iinB)
	b = w.browser()
	w.register(b, "b@example.kz", passB)
	w.admin(participant.BlockEnterprise, binX, false, "Проверка")
	b.follow().sign(w.head(iinB, binX)).at("/login/password").post("/login/password", "password", passB).refused("ENTERPRISE_BLOCKED").says("Проверка")
	w.admin(participant.BlockEnterprise, binX, true, "Закончена")

	all, err := w.office.Profiles(t.Context(), iinA)
	w.must(err)
	for _, p := range all {
		if p.TIN == binY {
			w.admin(participant.BlockProfile, p.ID, false, "По заявлению")
		}
	}
	y.get("/me").closed("SESSION_PROFILE")
	y = w.browser()
	y.login(w.head(iinA, binY), passA).at("/login/profile").says("Заблокированный администратором системы").says("По заявлению")
	if w.statusOf(iinA, binX) != participant.Active {
		t.Error("blocking one profile touched another (M2)")
	}

	x = w.browser()
	x.login(w.head(iinA, binX), passA).at("/me")
	w.admin(participant.BlockAccount, iinA, false, "Утерян ключ")
	x.get("/me").closed("SESSION_BLOCKED")
	w.browser().get("/login").sign(w.personal(iinA)).refused("ACCOUNT_BLOCKED").says("Утерян ключ")
	w.browser().begin(participant.Individual).sign(w.personal(iinA)).refused("ACCOUNT_BLOCKED").says("Утерян ключ")
	w.admin(participant.BlockAccount, iinA, true, "Ключ заменён")
	w.browser().login(w.head(iinA, binX), passA).at("/me")
}

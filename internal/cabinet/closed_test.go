package cabinet

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/audit"
)

// refuse makes the audit of a database take nothing, past the store.
func refuse(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "create trigger refuse before insert on audit begin select raise(abort, 'no'); end")
	must(t, err)
}

// When nothing can be recorded, nothing is done and the person is told so; what is there can be seen.
func TestSec6NothingIsDoneUnrecorded(t *testing.T) {
	s := newSite(t)
	key := s.personal("123456789013")
	b := s.browser(key)
	b.enter("")
	step2 := b.draft()
	made := b.click(step2).has(t, 200, "Шаг 3 из 5")
	revoke := b.post("/keys/revoke", url.Values{"serial": {key.Certificate.SerialHex()}, "reason": {"keyCompromise"}})
	refuse(t, s.file)

	const told = `data-code="NOT_RECORDED"`
	closed := func(p page) {
		t.Helper()
		p.has(t, 503, told, "Сейчас ничего нельзя изменить", "Ничего не изменилось")
		if strings.Contains(p.body, "trigger") || strings.Contains(p.body, "abort") {
			t.Error("the page tells of what is inside")
		}
	}
	closed(b.click(made))                                                                                               // the applicant signs
	closed(b.post(made.path+"/withdraw", nil))                                                                          // withdraws
	closed(b.post(made.path+"/edit", url.Values{"email": {"q@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}})) // edits
	if strings.Contains(revoke.body, "data-agent") {
		closed(b.click(revoke))
	} else {
		closed(b.click(b.get("/keys/revoke/sign")))
	}
	stranger := s.browser(s.personal("123456789011"))
	closed(stranger.click(stranger.get("/signin")))
	if k, err := s.ca.Key(t.Context(), key.Certificate.SerialHex()); err != nil || !k.RevokedAt.IsZero() {
		t.Errorf("revoked unrecorded: %v %v", k.RevokedAt, err)
	}
	for _, path := range []string{"/keys", "/applications", "/profile", "/"} {
		b.get(path).has(t, 200)
	}
	b.post("/signout", nil).has(t, 200)
}

// A full disk is noticed by the first request that writes, and told in the same way.
func TestSec6FullDisk(t *testing.T) {
	s := newSiteOf(t, 400)
	b := s.browser(s.personal("123456789013"))
	b.enter("")
	s.fill(t)
	p := b.post("/keys/reissue", url.Values{"email": {"p@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}})
	p.has(t, 503, `data-code="NOT_RECORDED"`, "Сейчас ничего нельзя изменить")
	b.get("/keys").has(t, 200)
	b.get("/applications").has(t, 200)
}

// fill records until the database takes no more, and goes on until not even a small row fits.
func (s *site) fill(t *testing.T) {
	t.Helper()
	detail := map[string]string{}
	for i := range 30 {
		detail[fmt.Sprint(i)] = strings.Repeat("x", 500)
	}
	deadline := time.Now().Add(time.Minute)
	for _, d := range []map[string]string{detail, nil} {
		for s.store.Record(t.Context(), audit.Event{Action: "test.fill", Detail: d}) == nil {
			if time.Now().After(deadline) {
				t.Fatal("the database is never full")
			}
		}
	}
}

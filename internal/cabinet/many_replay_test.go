//go:build !race

package cabinet

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/robot"
	"senim/pki"
)

// TestManySignedReplayed: what the old keys of a bulk renewal signed was captured. It serves nobody else, nor the maker again: an
// application is signed once, in its own batch, by its maker's session, in the revision that was signed.
func TestManySignedReplayed(t *testing.T) {
	s := newSite(t)
	a := s.accountant()
	key := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: s.holder(1, binX, pki.RoleLegal, pki.RoleEmployee)}))
	a.put(key)
	a.use(a.get("/many"), "/many/list", robot.Choice{Passwords: a.passwords})
	form := url.Values{"serial": {key.Certificate.SerialHex()}, "storage": {"PKCS12"}, "email": {"a@example.kz"}}
	p := a.post("/many/batches", form).has(t, 200, "Шаг 1")
	at := p.path
	p = a.use(p, "/keys", robot.Choice{Folder: a.folder})

	captured := ""
	a.use(p, "/sign", robot.Choice{Passwords: a.passwords}, func(answer string) string {
		captured = answer
		return answer // and it arrives: the application is signed
	})
	signed := func() ra.Application {
		t.Helper()
		_, lines, err := s.office.Batch(t.Context(), accountantIIN, strings.TrimPrefix(at, "/many/"))
		must(t, err)
		if len(lines) != 1 || lines[0].Application == nil {
			t.Fatalf("%+v", lines)
		}
		return *lines[0].Application
	}
	was := signed()
	if was.State == ra.Draft {
		t.Fatalf("%s", was.State)
	}
	again := url.Values{"answer": {captured}}

	// The maker again: the same fact, refused, and nothing moves.
	a.post(at+"/sign", again)
	if now := signed(); now.State != was.State || now.SignedHash != was.SignedHash || !now.SignedAt.Equal(was.SignedAt) {
		t.Errorf("signed again: %+v", now)
	}
	// Another person in his own session, with his own batch, and without any.
	other := s.browser(s.personal("123456789013"))
	other.enter("o@example.kz")
	if got := other.post(at+"/sign", again); got.status == 200 || !strings.Contains(got.body, `data-code="BATCH_UNKNOWN"`) {
		t.Errorf("another's batch: %d", got.status)
	}
	other.post("/applications/"+was.Number+"/sign", again)
	nobody := s.browser()
	if got := nobody.post(at+"/sign", again); got.path != "/signin" {
		t.Errorf("without a session: %d %s", got.status, got.path)
	}
	if now := signed(); now.State != was.State || now.SignedHash != was.SignedHash {
		t.Errorf("by another: %+v", now)
	}

	// Another application of the same key, whose document the captured signature is not of.
	_, err := s.office.Withdraw(t.Context(), was.Subject.IIN, was.Number)
	must(t, err)
	q := a.post("/many/batches", form).has(t, 200, "Шаг 1")
	fresh := q.path
	a.use(q, "/keys", robot.Choice{Folder: a.folder})
	_, lines, err := s.office.Batch(t.Context(), accountantIIN, strings.TrimPrefix(fresh, "/many/"))
	must(t, err)
	next := *lines[0].Application
	var answer map[string][]map[string]any
	must(t, json.Unmarshal([]byte(captured), &answer))
	answer["documents"][0]["id"] = next.ID()
	moved, err := json.Marshal(answer)
	must(t, err)
	for _, text := range []string{captured, string(moved)} {
		a.post(fresh+"/sign", url.Values{"answer": {text}})
		_, lines, err := s.office.Batch(t.Context(), accountantIIN, strings.TrimPrefix(fresh, "/many/"))
		must(t, err)
		if lines[0].Application.State != ra.Draft {
			t.Fatalf("a captured signature signs %s", lines[0].Application.ID())
		}
	}
	if _, lines, err := s.office.Batch(t.Context(), accountantIIN, strings.TrimPrefix(fresh, "/many/")); err != nil || lines[0].Item.Reason.Code != "SIGNATURE_INVALID" && lines[0].Item.Reason.Code != "DOCUMENT_CHANGED" {
		t.Errorf("%+v %v", lines[0].Item.Reason, err)
	}
}

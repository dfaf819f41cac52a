package desk_test

import (
	"context"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/desk"
	"senim/internal/ra"
)

func actForm(act string) url.Values {
	return url.Values{"act": {act}, "reason": {"keyCompromise"}, "document": {"045678901"}, "text": {"по заявлению"}}
}

// A hold is set and lifted by two operators, and by no fewer.
func TestHoldTakesTwo(t *testing.T) {
	w := newWorld(t)
	one, two := w.clerks()
	serial := w.back.key(visitor).SerialHex()
	one.get("/desk/keys/"+serial).has(t, 200, `value="hold"`)
	one.post("/desk/keys/"+serial, actForm("lift")).has(t, 422, "NOT_ON_HOLD")
	bare := actForm("hold")
	bare.Del("text")
	one.post("/desk/keys/"+serial, bare).has(t, 422, `id="text-error"`)
	at := one.post("/desk/keys/"+serial, actForm("hold"))
	at.has(t, 200, `data-state="draft"`)
	two.get(at.path).has(t, 404)
	// What is signed says where and when.
	if text := html.UnescapeString(at.body); !strings.Contains(text, `\u003ctime\u003e`+time.Now().UTC().Format("2006-01-02T")) || !strings.Contains(text, `\u003corigin\u003e`+w.site.URL) {
		t.Errorf("the document has no time or origin: %s", text)
	}
	at = one.click(at)
	at.has(t, 200, `data-state="waiting"`)
	if k, _ := w.back.Key(t.Context(), serial); !k.RevokedAt.IsZero() {
		t.Error("one operator put it on hold")
	}
	two.get("/desk/").has(t, 200, at.path)
	ask := two.get(at.path)
	one.post(at.path, url.Values{"do": {"confirm"}, "answer": {one.agent(ask)}}).has(t, 422, "SAME_OPERATOR")
	two.post(at.path, url.Values{"do": {"confirm"}, "answer": {`["<x/>"]`}}).has(t, 422, "SIGNATURE_INVALID")
	two.click(ask).has(t, 200, `data-state="done"`)
	two.post(at.path, url.Values{"do": {"confirm"}, "answer": {two.agent(ask)}}).has(t, 422, "ACT_STATE")
	if k, _ := w.back.Key(t.Context(), serial); k.Reason != "certificateHold" {
		t.Errorf("key %+v", k)
	}

	one.post("/desk/keys/"+serial, actForm("hold")).has(t, 422, "ALREADY_ON_HOLD")
	lift := two.click(two.post("/desk/keys/"+serial, actForm("lift")))
	lift.has(t, 200, `data-state="waiting"`)
	if len(w.back.lifted) != 0 {
		t.Error("one operator lifted it")
	}
	one.click(one.get(lift.path)).has(t, 200, `data-state="done"`)
	want := "cert:" + two.leaf.Certificate.SerialHex() + " cert:" + one.leaf.Certificate.SerialHex()
	if !slices.Equal(w.back.lifted, []string{want}) {
		t.Errorf("lifted by %v", w.back.lifted)
	}
	for _, action := range []string{"hold.set ok", "hold.lifted ok", "desk.act_signed ok", "desk.refused SAME_OPERATOR"} {
		if !slices.Contains(w.back.actions(t), action) {
			t.Errorf("%s is not recorded", action)
		}
	}
}

// One operator revokes after he identified the holder, for the reasons operators may use.
func TestRevokeAtTheDesk(t *testing.T) {
	w := newWorld(t)
	one, two := w.clerks()
	serial := w.back.key(visitor).SerialHex()
	owners := actForm("revoke")
	owners.Set("reason", "superseded")
	one.post("/desk/keys/"+serial, owners).has(t, 422, `id="text-error"`)
	nobody := actForm("revoke")
	nobody.Set("document", "")
	one.post("/desk/keys/"+serial, nobody).has(t, 422, `id="document-error"`)
	dropped := one.click(one.post("/desk/keys/"+serial, actForm("hold")))
	two.post(dropped.path, url.Values{"do": {"reject"}}).has(t, 200, `data-state="rejected"`)
	one.click(one.post("/desk/keys/"+serial, actForm("revoke"))).has(t, 200, `data-state="done"`)
	if k, _ := w.back.Key(t.Context(), serial); k.Reason != "keyCompromise" {
		t.Errorf("key %+v", k)
	}
	one.post("/desk/keys/"+serial, actForm("revoke")).has(t, 422, "ALREADY_REVOKED")
	one.get("/desk/keys/"+strings.Repeat("0", 40)).has(t, 404)
	one.get("/desk/acts/none").has(t, 404)
	one.post("/desk/acts/none", url.Values{"do": {"record"}}).has(t, 404)
	if !slices.Contains(w.back.actions(t), "desk.revoked ok") {
		t.Error("the revocation is not recorded")
	}
}

// walk gives the board keys that end in these numbers of days.
type walk []int

func (w walk) Expiring(_ context.Context, from, to time.Time, f func(ra.Key) error) error {
	for _, days := range w {
		k := ra.Key{IIN: visitor, NotAfter: from.AddDate(0, 0, 30+days).Add(time.Hour)}
		if k.NotAfter.Before(to) {
			if err := f(k); err != nil {
				return err
			}
		}
	}
	return nil
}

// The board counts what there is, and the list leaves as a file that no spreadsheet runs.
func TestBoard(t *testing.T) {
	w := newWorldOf(t, func(c *desk.Config) { c.Figures = walk{-3, -2, 1, 2, 9, 300} })
	one, two := w.clerks()
	at := one.post("/desk/take", takeForm())
	w.back.people[newHead] = ra.PersonAnswer{Verdict: "good", Surname: "=HYPERLINK()", Name: "Х"}
	formula := takeForm()
	formula.Set("iin", newHead)
	one.post("/desk/take", formula)
	two.post(at.path+"/reject", url.Values{"text": {"не он"}})
	board := two.get("/desk/")
	board.has(t, 200, "Отказал оператор", "<svg", "Истекли без замены за 30 дней")
	if !strings.Contains(board.body, `class="govuk-summary-list__value">2</dd>`) {
		t.Errorf("two lapsed keys are not counted: %s", board.body)
	}
	two.get("/desk/list?state=REJECTED").has(t, 200, at.path)
	two.get("/desk/list?state=DRAFT").has(t, 200) // not a list operators have: the queue instead
	file := two.post("/desk/list", url.Values{"state": {"AWAITING_DESK"}})
	file.has(t, 200, "\ufeffНомер;", "'=HYPERLINK() Х", newHead)
	if !slices.Contains(w.back.actions(t), "desk.listed ok") {
		t.Error("the list is not recorded")
	}
}

// Every page of the office stands in every language.
func TestOfficeLanguages(t *testing.T) {
	w := newWorldOf(t, func(c *desk.Config) { c.Figures = walk{1} })
	one, two := w.clerks()
	serial := w.back.key(visitor).SerialHex()
	w.lose(1)
	one.post("/desk/reports", url.Values{"which": {"weeks"}, "format": {"csv"}})
	one.post("/desk/find", url.Values{"q": {visitor}})
	at := one.identified(takeForm(), papers())
	act := one.click(one.post("/desk/keys/"+serial, actForm("hold")))
	two.post("/desk/find", url.Values{"q": {visitor}})
	for _, path := range []string{"/desk/", "/desk/find", "/desk/folder", "/desk/take", "/desk/list", "/desk/reports", "/desk/keys/" + serial, act.path, at.path,
		at.path + "/examine", at.path + "/change", at.path + "/reject", at.path + "/contact", at.path + "/receipt"} {
		for _, tag := range []string{"kk", "ru", "en"} {
			p := two.get(path + "?lang=" + tag)
			p.has(t, 200, `lang="`+tag+`"`)
			for _, area := range []string{"[desk.", "[cabinet.", "[codes.", "[web."} {
				if strings.Contains(p.body, area) {
					t.Errorf("%s %s: a text is missing: %s", path, tag, p.body[strings.Index(p.body, area):][:60])
				}
			}
		}
	}
}

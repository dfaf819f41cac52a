package desk_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"senim/internal/notice"
	"senim/internal/ra"
	"senim/pki"
)

// silent takes letters, and never says whether it took a short message.
type silent struct{}

func (silent) Send(context.Context, notice.Short) ([]string, notice.Outcome) {
	return nil, notice.Outcome{State: notice.Uncertain, Code: 503}
}

// letters takes letters.
type letters struct{}

func (letters) Send(context.Context, notice.Letter) error { return nil }

// lose sends a short message of which nobody knows whether it went.
func (w *world) lose(id int64) {
	w.t.Helper()
	err := w.back.store.RA().Update(w.t.Context(), func(tx ra.Tx) error {
		return tx.Notify(w.t.Context(), notice.Message{N: "N-14", Channel: notice.SMS, To: "+77010000117", Key: notice.Key("N-14", strconv.FormatInt(id, 10), "", ""),
			Vars: map[string]string{"time": notice.Moment(time.Now())}})
	})
	if err == nil {
		err = w.try(id)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) try(id int64) error {
	payload, err := json.Marshal(notice.Job{ID: id})
	if err != nil {
		return err
	}
	return w.sender.Do(w.t.Context(), payload)
}

func (w *world) message(id int64) (o notice.Outgoing) {
	w.t.Helper()
	err := w.back.store.Notice().View(w.t.Context(), func(tx notice.Tx) (err error) {
		o, err = tx.Outgoing(w.t.Context(), id)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// TestNT10OperatorSettles: a message in doubt is on the board until an operator says what became of it.
func TestNT10OperatorSettles(t *testing.T) {
	w := newWorld(t)
	one, _ := w.clerks()
	for id := range int64(3) {
		w.lose(id + 1)
	}
	board := one.get("/desk/")
	board.has(t, 200, "Сообщения, о которых неизвестно, ушли ли", "SMS N-14", `data-message="1"`, `data-message="3"`, "3 из 2. Близко к пределу", "Адресов, на которые письма не доходят")
	if strings.Contains(board.body, "Самое старое") {
		t.Error("no message is late, and the board says by how much")
	}
	if strings.Contains(board.body, "+7701") {
		t.Error("the board tells a phone")
	}
	for id, as := range map[int64]string{1: "sent", 2: "failed", 3: "again"} {
		one.post("/desk/messages/"+strconv.FormatInt(id, 10), url.Values{"as": {as}}).has(t, 200, "Очередь оператора")
	}
	if a, b, c := w.message(1), w.message(2), w.message(3); a.State != notice.Sent || b.State != notice.Failed || c.State != notice.Waiting {
		t.Errorf("%s, %s, %s", a.State, b.State, c.State)
	}
	if p := one.get("/desk/"); strings.Contains(p.body, "data-message=") {
		t.Error("settled messages are in doubt still")
	}
	one.post("/desk/messages/1", url.Values{"as": {"again"}}).has(t, 422, `data-code="MESSAGE_SETTLED"`)
	for _, path := range []string{"/desk/messages/99", "/desk/messages/x"} {
		one.post(path, url.Values{"as": {"sent"}}).has(t, 404)
	}
	one.post("/desk/messages/3", url.Values{"as": {"lost"}}).has(t, 404)
	settled := 0
	for _, a := range w.back.actions(t) {
		if strings.HasPrefix(a, "notice.settled ") {
			settled++
		}
	}
	if settled != 3 {
		t.Errorf("%d settled in the record", settled)
	}
	stranger := w.person(visitor, "", pki.RoleIndividual)
	if p := stranger.post("/desk/messages/3", url.Values{"as": {"failed"}}); w.message(3).State != notice.Waiting {
		t.Errorf("a stranger settles: %d", p.status)
	}
}

// The desk's reports: asked for, made by a job, fetched at the desk only, by who asked.
func TestOperatorReports(t *testing.T) {
	w := newWorld(t)
	one, two := w.clerks()
	one.post("/desk/reports", url.Values{"which": {"mine"}, "format": {"csv"}}).has(t, 422, `data-code="REPORT_UNKNOWN"`)
	for _, kind := range []string{"weeks", "no_contact", "lapsed"} {
		at := one.post("/desk/reports", url.Values{"which": {kind}, "format": {"csv"}})
		at.has(t, 200, "Отчёт готовится")
		id := strings.TrimPrefix(at.path, "/desk/reports/")
		if err := w.back.office.MakeReport(t.Context(), ra.ReportTask{ID: id}); err != nil {
			t.Fatal(kind, err)
		}
		one.get(at.path).has(t, 200, "Отчёт готов", "Скачать файл")
		one.post(at.path, nil).has(t, 200, "\ufeff")
		two.get(at.path).has(t, 404, `data-code="REPORT_NOT_FOUND"`)
		two.post(at.path, nil).has(t, 404, `data-code="REPORT_NOT_FOUND"`)
	}
	one.get("/desk/reports").has(t, 200, "Ключи, которые закончатся, по неделям", "Закончились без продления за 30 дней")
}

// An address told at the desk is confirmed on the spot by the code of its letter; tries are counted.
func TestContactOnTheSpot(t *testing.T) {
	w := newWorld(t)
	one, _ := w.clerks()
	at := one.post("/desk/take", takeForm())
	path := at.path + "/contact"
	one.post(path+"/code", url.Values{"code": {"123456"}}).has(t, 422)
	one.post(path, url.Values{"email": {"v@example.kz"}}).has(t, 200, "Введите код из письма", "v@example.kz")
	code := ""
	for id := int64(1); code == ""; id++ {
		if o := w.message(id); o.N == "N-21" {
			if o.To != "v@example.kz" || o.Channel != notice.Email || o.Expires.IsZero() {
				t.Fatalf("%+v", o)
			}
			code = o.Vars["code"]
		}
	}
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	one.post(path+"/code", url.Values{"code": {wrong}}).has(t, 422, `id="code-error"`, "v@example.kz")
	if a, err := w.back.office.Account(t.Context(), visitor); err != nil || a.Confirmed() != "" {
		t.Fatalf("confirmed by a wrong code: %v", err)
	}
	one.post(path+"/code", url.Values{"code": {code[:3] + " " + code[3:]}}).has(t, 200, "Адрес v@example.kz подтверждён")
	if a, err := w.back.office.Account(t.Context(), visitor); err != nil || a.Confirmed() != "v@example.kz" {
		t.Errorf("%+v, %v", a, err)
	}
	all := strings.Join(w.back.actions(t), ", ")
	for _, want := range []string{"factor.started ok", "factor.failed CODE_WRONG", "factor.passed ok", "email.confirmed ok"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not recorded", want)
		}
	}
	one.post(path+"/code", url.Values{"code": {code}}).has(t, 422, `data-code="NOTHING_TO_CONFIRM"`)
}

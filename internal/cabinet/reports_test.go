package cabinet

import (
	"bytes"
	"database/sql"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/store"
	"senim/internal/trust"
	"senim/pki"
)

// report asks for a report and lets the job make it.
func (b *browser) report(which, format string) (path string) {
	b.s.t.Helper()
	p := b.post("/reports", url.Values{"which": {which}, "format": {format}}).has(b.s.t, 200, "Отчёт готовится", `http-equiv="refresh"`)
	must(b.s.t, b.s.office.MakeReport(b.s.t.Context(), ra.ReportTask{ID: strings.TrimPrefix(p.path, "/reports/")}))
	b.get(p.path).has(b.s.t, 200, "Отчёт готов", "Скачать файл")
	return p.path
}

func TestReportOfAllMyKeys(t *testing.T) {
	s := newSite(t)
	h := person("=СЕРИКОВА ӘЙГЕРІМ", "СЕРИКОВА", "БОЛАТҚЫЗЫ", "123456789013")
	key := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: h}))
	s.personal("123456789014")
	b := s.browser(key)
	b.enter("")
	b.get("/reports").has(t, 200, "Все мои ключи", "Заменённые, но ещё действующие ключи")
	b.post("/reports", url.Values{"which": {"weeks"}, "format": {"csv"}}).has(t, 422, "Выберите отчёт")
	b.post("/reports", url.Values{"which": {"mine"}, "format": {"exe"}}).has(t, 422, `data-code="REPORT_UNKNOWN"`)
	b.post("/reports", url.Values{"which": {"expiring-30"}, "format": {"csv"}}).has(t, 422, `data-code="REPORT_NOT_YOURS"`)

	path := b.report("mine", "csv")
	csv := b.post(path, nil).has(t, 200)
	if !strings.HasPrefix(csv.body, "\ufeffСерийный номер;") || strings.Count(csv.body, "\r\n") != 2 || !strings.Contains(csv.body, key.Certificate.SerialHex()) {
		t.Errorf("the file: %q", csv.body)
	}
	pdf := b.post(b.report("mine", "pdf"), nil).has(t, 200)
	if !strings.HasPrefix(pdf.body, "%PDF-") {
		t.Fatalf("the file begins with %q", pdf.body[:min(len(pdf.body), 10)])
	}
	t.Run("text of the PDF", func(t *testing.T) {
		if _, err := exec.LookPath("pdftotext"); err != nil {
			t.Skip("pdftotext of poppler is not installed: the text of the PDF was not read")
		}
		cmd := exec.CommandContext(t.Context(), "pdftotext", "-layout", "-", "-")
		cmd.Stdin = bytes.NewReader([]byte(pdf.body))
		out, err := cmd.Output()
		must(t, err)
		for _, want := range []string{"Все мои ключи", "ӘЙГЕРІМ БОЛАТҚЫЗЫ", "Как опознан"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("lacks %q:\n%s", want, out)
			}
		}
	})

	// For the person who asked alone; recorded; gone after a day, and from the database too.
	stranger := s.browser(s.personal("123456789015"))
	stranger.enter("")
	stranger.get(path).has(t, 404, `data-code="REPORT_NOT_FOUND"`)
	stranger.post(path, nil).has(t, 404, `data-code="REPORT_NOT_FOUND"`)
	for action, n := range map[string]int{"report.made": 2, "report.downloaded": 2} {
		found, err := s.store.FindAudit(t.Context(), store.AuditQuery{Action: action, Limit: 10})
		must(t, err)
		if len(found) != n || found[0].Detail["kind"] != "mine" {
			t.Errorf("%s: %+v", action, found)
		}
	}
	id := strings.TrimPrefix(path, "/reports/")
	if b := s.sealed(t, id); len(b) == 0 || bytes.Contains(b, []byte("СЕРИКОВА")) {
		t.Errorf("%d bytes are kept, or not sealed", len(b))
	}
	if s.office.WipeReport(t.Context(), ra.ReportTask{ID: id}) == nil {
		t.Error("wiped before its time")
	}
	s.now = s.now.Add(ra.ReportTTL)
	b.click(b.get("/signin"))
	b.get(path).has(t, 200, "Срок отчёта вышел")
	b.post(path, nil).has(t, 422, `data-code="REPORT_OVER"`)
	must(t, s.office.WipeReport(t.Context(), ra.ReportTask{ID: id}))
	if b := s.sealed(t, id); len(b) != 0 {
		t.Errorf("%d bytes are kept after a day", len(b))
	}
}

// sealed reads what the database keeps of a report.
func (s *site) sealed(t *testing.T, id string) (b []byte) {
	t.Helper()
	db, err := sql.Open("sqlite", s.file)
	must(t, err)
	defer db.Close()
	must(t, db.QueryRowContext(t.Context(), `select sealed from ra_reports where id = $1`, id).Scan(&b))
	return b
}

// A head's report of what ends: who, when reminded, whether there is an application; nobody else's company.
func TestReportOfExpiringKeys(t *testing.T) {
	s := newSite(t)
	s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789011", Organization: "АО «ТЕСТ»", AsOf: s.now}
	staff := func(iin, name, bin string, until time.Time) {
		h := person(name, name, "", iin, pki.RoleLegal, pki.RoleSignRight)
		h.BIN, h.Organization = bin, "АО «ТЕСТ»"
		s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: h, NotBefore: s.now.AddDate(-1, 0, 0), NotAfter: until}))
	}
	staff("123456789012", "СКОРО", binX, s.now.AddDate(0, 0, 10))
	staff("123456789015", "НЕСКОРО", binX, s.now.AddDate(0, 0, 40))
	staff("123456789016", "ЧУЖОЙ", binY, s.now.AddDate(0, 0, 10))
	b := s.browser(s.head("123456789011", binX))
	b.enter("")
	b.get("/reports").has(t, 200, "Ключи, которые закончатся за 7 дней")
	path := b.report("expiring-14", "csv")
	got := b.post(path, nil).has(t, 200, "СКОРО", "не отправлялось", "заявки нет", "Сотрудник с правом подписи")
	if strings.Contains(got.body, "НЕСКОРО") || strings.Contains(got.body, "ЧУЖОЙ") {
		t.Errorf("too much: %s", got.body)
	}
	week := b.post(b.report("expiring-7", "csv"), nil).has(t, 200)
	if strings.Contains(week.body, "СКОРО") {
		t.Errorf("too much: %s", week.body)
	}
	s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789019", AsOf: s.now} // another head now
	b.post(path, nil).has(t, 422, `data-code="REPORT_NOT_YOURS"`)
}

func TestReportOfReplacedKeys(t *testing.T) {
	s := newSite(t)
	old, next := s.personal("123456789013"), s.personal("123456789013")
	s.ca.keys[0].ReplacedBy = next.Certificate.SerialHex()
	b := s.browser(old)
	b.enter("")
	got := b.post(b.report("replaced", "csv"), nil).has(t, 200, old.Certificate.SerialHex(), next.Certificate.SerialHex())
	if strings.Count(got.body, "\r\n") != 2 {
		t.Errorf("%q", got.body)
	}
}

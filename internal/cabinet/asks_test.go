package cabinet

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/ra"
	"senim/internal/trust"
)

// Of ten organisations an hour the registry is asked with one key, by either form; the own one and the last one do not
// count again, and another person's key has its own ten.
func TestOrganisationsAreAskedAboutTenAnHour(t *testing.T) {
	s := newSite(t)
	b := s.browser(s.personal("123456789013"))
	b.enter("p@example.kz")
	bins := make([]string, 12)
	for i := range bins {
		bins[i] = binOf(t, i)
		s.registry[ident.BIN(bins[i])] = ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789013", Organization: "ТОО «ТЕСТ»", AsOf: s.now}
	}
	for i, bin := range bins[:10] {
		path := map[bool]string{true: "/apply/legal", false: "/apply/legal/employee"}[i%2 == 0]
		if p := b.post(path, url.Values{"bin": {bin}}); p.status == 429 {
			t.Fatalf("the %d. organisation: %d %s", i+1, p.status, p.path)
		}
	}
	if p := b.post("/apply/legal", url.Values{"bin": {bins[9]}}); p.status == 429 {
		t.Error("the same organisation counts again")
	}
	for _, p := range []page{b.post("/apply/legal", url.Values{"bin": {bins[10]}}), b.get("/apply/legal/data?bin=" + bins[10]),
		b.post("/apply/legal/employee", url.Values{"bin": {bins[11]}}), b.post("/apply/legal/data", url.Values{"bin": {bins[11]}})} {
		p.has(t, 429, `data-code="TOO_MANY_BINS"`)
		if strings.Contains(p.body, "ТОО «ТЕСТ»") {
			t.Error("the refusal tells of the organisation")
		}
	}
	other := s.browser(s.personal("123456789011"))
	other.enter("o@example.kz")
	if p := other.post("/apply/legal", url.Values{"bin": {bins[10]}}); p.status == 429 {
		t.Error("one person's questions count for another")
	}
	s.now = s.now.Add(time.Hour)
	b.click(b.get("/signin"))
	if p := b.post("/apply/legal", url.Values{"bin": {bins[10]}}); p.status == 429 {
		t.Error("refused after an hour")
	}
}

// binOf is a number that passes the check digit and belongs to nobody (month 99).
func binOf(t *testing.T, i int) string {
	t.Helper()
	for n := 0; n < 10; n++ {
		if bin, err := ident.ParseBIN(fmt.Sprintf("009940%05d%d", 100+i, n)); err == nil {
			return string(bin)
		}
	}
	t.Fatal("no such number")
	return ""
}

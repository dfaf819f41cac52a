package main

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/registry"
)

// The figures of the registries are read on their own address, and on no other: loads with age and refused rows, answers by
// source and verdict, state services by outcome and time. No number of a person is in them.
func TestMetricsOfTheRegistries(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir(), "-metrics", "127.0.0.1:0")
	runs(t, s)
	ctx := t.Context()
	read := func(address string) (string, int) {
		t.Helper()
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b), resp.StatusCode
	}
	figures, code := read(s.c.metrics.origin)
	if code != http.StatusOK || !strings.Contains(figures, `senim_registry_load_number{source="bmg"}`) || !strings.Contains(figures, "go_goroutines") {
		t.Fatalf("%d\n%s", code, figures)
	}
	for _, site := range []string{s.c.cabinet.origin, s.c.portal.origin, s.c.responder.origin} {
		if said, code := read(site); code == http.StatusOK || strings.Contains(said, "senim_registry") {
			t.Errorf("%s tells figures to anybody: %d", site, code)
		}
	}

	load, out, err := s.book.Load(ctx, registry.Batch{Source: registry.SourceMobile, Full: true, AsOf: time.Now(), Operator: "system",
		Contacts: []registry.MobileContact{{IIN: "123456789011", Phone: "+77011234567"}, {IIN: "009900000960", Phone: "+77011234568"}}})
	if err != nil || len(out) != 1 {
		t.Fatalf("%v %v", out, err)
	}
	if a := s.book.Phone(ctx, "123456789011"); a.Verdict != registry.Good {
		t.Fatalf("%+v", a)
	}
	s.book.Phone(ctx, ident.IIN("009900000008"))
	s.book.Many(ctx, []ident.IIN{"123456789011"}, nil, true)
	s.meters.asked(audit.Event{Action: "registry.answer.given", Result: "LIVE_SILENT", Object: "h:123456789011", Detail: map[string]string{
		"source": "gbdul", "purpose": "register", "verdict": "unknown", "remembered": "false", "ms": "10000"}})
	figures, _ = read(s.c.metrics.origin)
	for _, want := range []string{ // reminders ask too, so that there may be more answers than ours
		`senim_registry_load_number\{source="bmg"\} ` + strconv.FormatInt(load.Number, 10),
		`senim_registry_load_refused_rows\{source="bmg"\} 1`,
		`senim_registry_load_rows\{source="bmg"\} 1`,
		`senim_registry_load_missed\{source="bmg"\} 0`,
		`senim_registry_load_old\{source="bmg"\} 0`,
		`senim_registry_answers_total\{source="bmg",verdict="good"\} ([2-9]|\d\d)`,
		`senim_registry_answers_total\{source="bmg",verdict="bad"\} [1-9]`,
		`senim_registry_look_seconds_count [1-9]`,
		`senim_registry_service_answers_total\{code="LIVE_SILENT",purpose="register",remembered="false",source="gbdul",verdict="unknown"\} 1`,
		`senim_registry_service_seconds_sum\{source="gbdul"\} 10`,
	} {
		if !regexp.MustCompile(`(?m)^` + want).MatchString(figures) {
			t.Errorf("no figure %s", want)
		}
	}
	age := regexp.MustCompile(`(?m)^senim_registry_load_age_seconds\{source="bmg"\} (\S+)$`).FindStringSubmatch(figures)
	if age == nil {
		t.Error("no age of the load")
	} else if s, err := strconv.ParseFloat(age[1], 64); err != nil || s <= 0 || s > 600 {
		t.Errorf("the load of this minute is %s seconds old: %v", age[1], err)
	}
	if t.Failed() {
		t.Log(regexp.MustCompile(`(?m)^(#|go_|process_|promhttp_).*\n`).ReplaceAllString(figures, ""))
	}
	if strings.Contains(figures, "123456789011") || strings.Contains(figures, "7701") {
		t.Error("a person is in the figures")
	}
}

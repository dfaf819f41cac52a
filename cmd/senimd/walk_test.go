package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/courier"
	"senim/internal/lang"
	"senim/internal/mailbox"
	"senim/internal/notice"
)

// served runs a server until the test ends.
func served(t *testing.T, s *server) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.serve(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-done:
		done <- err
		t.Fatal(err)
	}
}

// planned lists the reminders written about keys, as "N-01 28d", in order.
func planned(t *testing.T, s *server, serials ...string) (all []string) {
	t.Helper()
	nodes, err := s.store.AuditNodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range nodes {
		var records []audit.Record
		for after := int64(0); ; after = records[len(records)-1].Seq {
			if records, err = s.store.AuditRecords(t.Context(), node, after, 1000); err != nil {
				t.Fatal(err)
			}
			if len(records) == 0 {
				break
			}
			for _, r := range records {
				if serial, ok := strings.CutPrefix(r.Object, "keyset:"); ok && r.Action == "notice.planned" && slices.Contains(serials, serial) {
					all = append(all, r.Detail["n"]+" "+r.Detail["stage"])
				}
			}
		}
	}
	return all
}

func serialsOf(t *testing.T, s *server, iin, bin string) (all []string) {
	t.Helper()
	infos, err := s.ca.ByHolder(t.Context(), iin, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range infos {
		if i.BIN == bin {
			all = append(all, i.Serial)
		}
	}
	return all
}

// lettersAbout lists the letters to an address whose subject begins so.
func lettersAbout(s *server, to, subject string) (all []mailbox.Letter) {
	for _, l := range s.mail.Letters(to) {
		if strings.HasPrefix(l.Subject, subject) {
			all = append(all, l)
		}
	}
	return all
}

// A year on the virtual clock: every letter of every person of the demo comes once, on its day; lists, answers
// and time-stamps go on.
func TestNT01AYearOnTheVirtualClock(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir(), "-clock")
	t.Cleanup(s.close)
	served(t, s)
	begin := s.now()
	first, err := s.mail.Wait(t.Context(), func(l mailbox.Letter) bool { return l.To[0] == "person@example.kz" })
	if err != nil || !strings.Contains(first.Subject, "осталось дней 20") && !strings.Contains(first.Subject, "осталось дней 19") {
		t.Fatalf("the first letter: %q %v", first.Subject, err)
	}
	for range 12 { // twelve months, as a person would press the button
		if err := s.walking.Walk(t.Context(), s.now().AddDate(0, 1, 0), false); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.now().Sub(begin); got < 364*24*time.Hour {
		t.Errorf("the clock walked %v", got)
	}
	year := []string{"N-01 28d", "N-01 14d", "N-02 sms10d", "N-01 7d"}
	legal := []string{"N-03 1m", "N-03 14d", "N-03 7d"}
	for _, c := range []struct {
		iin, bin string
		want     []string
	}{
		{"123456789013", "", year}, // the 28-day stage was missed and is made up for on the first day
		{"123456789012", "", year}, {"123456789011", "", year}, {"123456789012", binX, legal}, {"123456789012", binY, legal},
	} {
		if got := planned(t, s, serialsOf(t, s, c.iin, c.bin)...); !slices.Equal(got, c.want) {
			t.Errorf("%s %s: planned %q, want %q", c.iin, c.bin, got, c.want)
		}
	}
	days := map[string]int{}
	for _, l := range s.mail.Letters("person@example.kz") {
		if strings.Contains(l.Subject, "истекает") {
			days[l.Subject]++
			if hour := l.Time.UTC().Hour(); l.ID != first.ID && hour != 5 {
				t.Errorf("%q came at %v, not at ten in Astana", l.Subject, l.Time)
			}
		}
	}
	if len(days) != 3 || days[first.Subject] != 1 {
		t.Errorf("letters: %v", days)
	}
	for who, words := range map[string]string{"old-head": "истёкшие ключи продлить нельзя", "accountant": "должен подтвердить руководитель"} {
		if all := lettersAbout(s, who+"@example.kz", "Ключи ЭЦП "+orgX); len(all) != 3 || !strings.Contains(all[0].Text, words) {
			t.Errorf("%s: %d letters, not saying %q", who, len(all), words)
		}
	}
	if loads, err := s.book.Loads(t.Context(), 1); err != nil || s.now().Sub(loads[0].Received) > 7*24*time.Hour {
		t.Errorf("the registry grew old: %v", err)
	}
	if good, err := s.store.VerifyAudit(t.Context()); err != nil || good == 0 {
		t.Errorf("the audit: %d %v", good, err)
	}
	if l, err := s.ca.CRL(t.Context(), "gost", false); err != nil || !l.NextUpdate.After(s.now()) {
		t.Errorf("no list: %v", err)
	}
}

// A clock that is moved to a moment has reached it, however fine the moment it was moved at: a walk that stopped
// a part of a millisecond before the hour of reminders went past that day.
func TestClockReachesWhereItIsMoved(t *testing.T) {
	t.Parallel()
	at := time.Date(2027, 4, 28, 5, 0, 0, 0, time.UTC)
	for _, now := range []time.Time{at.Add(-24*time.Hour + 1), at.Add(-time.Second - 999_999), at.Add(-1), at.Add(-time.Hour)} {
		c, err := openClock(t.TempDir(), func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		moved, err := c.move(at.Sub(now))
		if got := c.Now(); err != nil || got.Before(at) || got.Sub(at) >= time.Millisecond || !now.Add(moved).Equal(got) {
			t.Errorf("moved from %v by %v to %v, want %v: %v", now, moved, got, at, err)
		}
	}
}

// busy is a mail server that is busy at the first try of every letter.
type busy struct {
	notice.Courier
	mu    sync.Mutex
	tried map[string]bool
}

func (b *busy) Send(ctx context.Context, l notice.Letter) error {
	b.mu.Lock()
	again := b.tried[l.ID]
	b.tried[l.ID] = true
	b.mu.Unlock()
	if !again {
		return errors.New("busy")
	}
	return b.Courier.Send(ctx, l)
}

// A letter that is sent at the second try still comes on its day: no day is walked past what waits to be tried again.
func TestWalkWaitsForASecondTry(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir(), "-clock")
	t.Cleanup(s.close)
	way, err := courier.New(courier.Config{URL: "smtp://" + s.c.sink.address + "?tls=none", From: "senim@example.kz", Connections: 1, Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	sender, err := notice.NewSender(notice.SenderConfig{Store: s.store.Notice(), Still: s.scanner, Courier: &busy{Courier: way, tried: map[string]bool{}}, Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	*s.sender = *sender
	served(t, s)
	if err := s.walking.Walk(t.Context(), s.now().AddDate(0, 0, 15), false); err != nil {
		t.Fatal(err)
	}
	days := regexp.MustCompile(`осталось дней (\d+)`)
	ends, came := s.personEnds(t), 0
	for _, l := range s.mail.Letters("person@example.kz") {
		if m := days.FindStringSubmatch(l.Subject); m != nil {
			if came++; m[1] != strconv.Itoa(lang.DaysLeft(l.Time, ends)) {
				t.Errorf("on %v came %q", l.Time, l.Subject)
			}
		}
	}
	if came != 3 {
		t.Errorf("%d letters, want those of the first day, of 14 and of 7 days", came)
	}
}

// personEnds is when the key of the demo's person ends.
func (s *server) personEnds(t *testing.T) time.Time {
	t.Helper()
	infos, err := s.ca.ByHolder(t.Context(), "123456789013", "")
	if err != nil || len(infos) != 1 {
		t.Fatal(infos, err)
	}
	return infos[0].NotAfter
}

// The page of the clock moves it by what was pressed, and shows the letters that came.
func TestClockPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir, "-clock")
	t.Cleanup(func() { s.close() })
	served(t, s)
	if _, err := s.mail.Wait(t.Context(), func(l mailbox.Letter) bool { return l.To[0] == "person@example.kz" }); err != nil {
		t.Fatal(err)
	}
	do := func(req *http.Request, err error) (int, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Language", "ru")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	post := func(step, origin string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.c.mail.origin+"/clock", strings.NewReader(url.Values{"step": {step}}.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", origin)
		return do(req, err)
	}
	before := s.now()
	if status, _ := post("month", "https://elsewhere.example"); status != http.StatusForbidden || s.now().Sub(before) > time.Hour {
		t.Errorf("another site moves the clock: %d", status)
	}
	if status, _ := post("century", s.c.mail.origin); status != http.StatusBadRequest {
		t.Errorf("an unknown step: %d", status)
	}
	had := len(s.mail.Letters(""))
	status, page := post("day", s.c.mail.origin)
	quiet := len(s.mail.Letters("")) == had // whether somebody is written to on that day depends on the day of the week
	if status != 200 || strings.Contains(page, "Писем не было") != quiet || s.now().Sub(before) < 24*time.Hour || s.now().Sub(before) > 25*time.Hour {
		t.Errorf("a day: %d, %v\n%s", status, s.now().Sub(before), page)
	}
	for press := 0; !strings.Contains(page, "осталось дней 14"); press++ {
		had := len(s.mail.Letters(""))
		if status, page = post("letter", s.c.mail.origin); status != 200 || press > 20 || len(s.mail.Letters("")) == had || strings.Contains(page, "осталось дней 7") {
			t.Fatalf("to the next letter: %d\n%s", status, page)
		}
	}
	at := s.now()
	if again, err := openClock(dir, time.Now); err != nil || again.Now().Before(at) {
		t.Errorf("a second start goes back in time: %v", err)
	}
}

func TestClockIsForDemonstrationsOnly(t *testing.T) {
	for _, args := range [][]string{{"-clock", "-cast=false"}, {"-clock", "-smtp.url", "smtp://127.0.0.1:25"}, {"-clock", "-tsa.clock", "kernel"}} {
		if _, _, err := parse(args, io.Discard); err == nil || !strings.Contains(err.Error(), "-clock") {
			t.Errorf("%v: %v", args, err)
		}
	}
	s := mustOpen(t, t.TempDir())
	defer s.close()
	if s.walking != nil {
		t.Error("the clock can be moved without being asked for")
	}
}

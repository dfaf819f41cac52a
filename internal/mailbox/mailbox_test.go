package mailbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/smtp"
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/courier"
	"senim/internal/lang"
	"senim/internal/mailbox"
	"senim/internal/notice"
)

// post starts a mailbox and a courier that brings letters to it.
func post(t *testing.T) (*mailbox.Mailbox, *courier.SMTP, string) {
	t.Helper()
	box := mailbox.New(nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- box.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	c, err := courier.New(courier.Config{URL: "smtp://" + l.Addr().String() + "?tls=none", From: "noreply@senim.example", Bounce: "bounce@senim.example"})
	if err != nil {
		t.Fatal(err)
	}
	return box, c, l.Addr().String()
}

func letter(t *testing.T, to string) notice.Letter {
	t.Helper()
	l, err := notice.Render(notice.Message{N: "N-15", To: to, Lang: lang.KK, Key: notice.Key("N-15", "1", "", to), Vars: map[string]string{
		"link": "http://localhost:8081/confirm?t=abc", "time": notice.Moment(time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC))}}, "Senim")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestALetterArrives(t *testing.T) {
	box, c, _ := post(t)
	sent := letter(t, "b@example.kz")
	if err := c.Send(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	got, err := box.Wait(t.Context(), func(l mailbox.Letter) bool { return l.To[0] == "b@example.kz" })
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != "ЭШФ АЖ-де тіркеуді аяқтаңыз" || got.Text != sent.Text || got.From != "bounce@senim.example" {
		t.Errorf("got %+v", got)
	}
	if got.MessageID != sent.ID+"@senim.example" {
		t.Errorf("Message-ID %q", got.MessageID)
	}
	if len(got.Links) != 1 || got.Links[0] != "http://localhost:8081/confirm?t=abc" {
		t.Errorf("links %q", got.Links)
	}
	if !strings.Contains(got.HTML, `<a href="http://localhost:8081/confirm?t=abc">`) {
		t.Errorf("HTML %s", got.HTML)
	}
}

func TestPages(t *testing.T) {
	box, c, _ := post(t)
	for _, to := range []string{"a@example.kz", "b@example.kz"} {
		if err := c.Send(t.Context(), letter(t, to)); err != nil {
			t.Fatal(err)
		}
	}
	site := httptest.NewServer(box.Handler())
	defer site.Close()
	get := func(path string) string {
		t.Helper()
		r, err := http.Get(site.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != 200 {
			t.Fatalf("%s: %d %v", path, r.StatusCode, err)
		}
		return string(b)
	}
	if p := get("/"); strings.Index(p, "/letters/2") > strings.Index(p, "/letters/1") {
		t.Error("the newest is not first")
	}
	if p := get("/letters/1"); !strings.Contains(p, `<a href="http://localhost:8081/confirm?t=abc">`) {
		t.Errorf("no link in %s", p)
	}
	var all []mailbox.Letter
	if err := json.Unmarshal([]byte(get("/letters.json?to=B@example.kz")), &all); err != nil || len(all) != 1 || all[0].ID != 2 {
		t.Errorf("json: %v %+v", err, all)
	}
	r, _ := http.NewRequest("GET", site.URL+"/letters.json", nil)
	r.Host = "evil.example"
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign name reads letters: %d", answer.StatusCode)
	}
}

// still is a clock that stands.
type still struct{}

func (still) Now() time.Time                              { return time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC) }
func (still) Walk(context.Context, time.Time, bool) error { return nil }

// TestEveryPageLeadsToTheOthers: letters, short messages, the clock where there is one, and the languages. A language
// chosen here or on another page of this machine is that of what follows, whatever the browser wishes.
func TestEveryPageLeadsToTheOthers(t *testing.T) {
	for _, walks := range []bool{false, true} {
		box, _, _ := post(t)
		if walks {
			box.Walk(still{})
		}
		site := httptest.NewServer(box.Handler())
		defer site.Close()
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		client := http.Client{Jar: jar}
		get := func(path string) string {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Language", "en")
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			b, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("%s: %d %v", path, answer.StatusCode, err)
			}
			return string(b)
		}
		has := func(page string, words ...string) {
			t.Helper()
			for _, w := range words {
				if !strings.Contains(page, w) {
					t.Errorf("no %s in %s", w, page)
				}
			}
		}
		paths := []string{"/", "/sms"}
		if walks {
			paths = append(paths, "/clock")
		}
		for _, path := range paths {
			p := get(path)
			has(p, `<html lang="en">`, `href="/"`, `href="/sms"`, `href="`+path+`" aria-current="page"`, `href="`+path+`?lang=kk"`)
			if strings.Contains(p, `href="/clock"`) != walks {
				t.Errorf("%s with a clock %t: %s", path, walks, p)
			}
		}
		has(get("/?to=a%40example.kz&lang=kk"), `<html lang="kk">`, `href="/?lang=ru&amp;to=a%40example.kz"`)
		has(get("/sms"), `<html lang="kk">`)
		has(get("/sms?lang=xx"), `<html lang="kk">`)
		at, err := url.Parse(site.URL)
		if err != nil {
			t.Fatal(err)
		}
		jar.SetCookies(at, []*http.Cookie{{Name: "senim-lang", Value: "ru", Path: "/"}}) // as the cabinet sets it
		has(get("/"), `<html lang="ru">`)
	}
}

func TestOnlyThisMachine(t *testing.T) {
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Skip(err)
	}
	if err := mailbox.New(nil).Serve(t.Context(), l); err == nil {
		t.Error("serves every address")
	}
}

func TestForeignLetters(t *testing.T) {
	box, _, at := post(t)
	for name, text := range map[string]string{
		"bare":     "Subject: hi\r\n\r\nhello https://a.example/x.\r\n",
		"nested":   "Subject: =?utf-8?B?0L/RgNC40LLQtdGC?=\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\naGk=\r\n--b--\r\n--a--\r\n",
		"no parts": "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a--\r\n",
	} {
		if err := smtp.SendMail(at, nil, "x@example.kz", []string{"y@example.kz"}, []byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := smtp.SendMail(at, nil, "x@example.kz", []string{"y@example.kz"}, []byte("no header here\r\n\r\nx\r\n")); err == nil {
		t.Error("a broken letter was taken")
	}
	if n := len(box.Letters("y@example.kz")); n != 3 {
		t.Errorf("%d letters", n)
	}
	box.Clear()
	if len(box.Letters("")) != 0 {
		t.Error("not cleared")
	}
}

func TestCourierTellsRefusalsFromTroubles(t *testing.T) {
	_, c, _ := post(t)
	big := letter(t, "b@example.kz")
	big.Text = strings.Repeat("x", 2<<20)
	var refused *notice.RefusedError
	if err := c.Send(t.Context(), big); !errors.As(err, &refused) {
		t.Errorf("too big: %v", err)
	}
	bad := letter(t, "b@example.kz")
	bad.To = "b@example.kz\r\nBcc: all@example.kz"
	if err := c.Send(t.Context(), bad); !errors.As(err, &refused) {
		t.Errorf("injection: %v", err)
	}
	gone, err := courier.New(courier.Config{URL: "smtp://127.0.0.1:1?tls=none", From: "noreply@senim.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Send(t.Context(), letter(t, "secret@example.kz")); err == nil || errors.As(err, &refused) || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there: %v", err)
	}
}

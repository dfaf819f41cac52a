package cabinet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/trust"
)

// letters is the sender behind the cabinet, with the letter's name for a token.
type letters struct {
	*notice.Sender
	got []notice.Letter
}

func (l *letters) Send(_ context.Context, one notice.Letter) error {
	l.got = append(l.got, one)
	return nil
}

// withLetters is a cabinet whose letters come to the test.
func withLetters(t *testing.T) (*site, *letters) {
	t.Helper()
	s := newSite(t)
	l := &letters{}
	var err error
	l.Sender, err = notice.NewSender(notice.SenderConfig{Store: s.store.Notice(), Courier: l, Now: func() time.Time { return s.now }})
	must(t, err)
	judge, err := trust.New(trust.Config{Pool: s.ca.Pool(), Revocation: s.ca, Now: func() time.Time { return s.now }})
	must(t, err)
	h, err := New(Config{Origin: origin, Auth: s.desk, Office: s.office, Judge: judge, Keys: s.ca, Letters: l, Now: func() time.Time { return s.now }})
	must(t, err)
	s.server.Close()
	s.server = httptest.NewServer(h)
	t.Cleanup(s.server.Close)
	return s, l
}

// remind puts a letter into the outbox and tries to send it.
func (l *letters) remind(t *testing.T, s *site, id int, n string) notice.State {
	t.Helper()
	const to = "p@example.kz"
	must(t, s.store.Notice().Update(t.Context(), func(tx notice.Tx) error {
		return tx.Notify(t.Context(), notice.Message{N: n, To: to, Lang: lang.RU, Key: notice.Key(n, fmt.Sprint(id), "", to), Vars: map[string]string{
			"name": "А", "date": "2026-10-01", "days": "30", "link": origin + "/keys", "time": "2026-09-01T10:00:00Z", "reason": "x", "serial4": "0001"}})
	}))
	must(t, l.Do(t.Context(), fmt.Appendf(nil, `{"id":%d}`, id)))
	var o notice.Outgoing
	must(t, s.store.Notice().View(t.Context(), func(tx notice.Tx) (err error) { o, err = tx.Outgoing(t.Context(), int64(id)); return err }))
	return o.State
}

// NT-22: one POST by the mail program, without cookies and without the page, ends the reminders and not
// the security letters; NT-23: looking at the link changes nothing.
func TestNT22OneClickUnsubscribes(t *testing.T) {
	s, l := withLetters(t)
	if got := l.remind(t, s, 1, "N-01"); got != notice.Sent {
		t.Fatal(got)
	}
	link := "/unsubscribe/" + l.got[0].ID
	for _, tag := range []string{"kk", "ru", "en"} {
		b := s.browser()
		b.lang = tag
		b.get(link).has(t, http.StatusOK, `<form method="post"`)
	}
	if got := l.remind(t, s, 2, "N-01"); got != notice.Sent {
		t.Fatalf("after the link was looked at: %s", got)
	}
	for range 2 {
		s.browser().post(link, url.Values{"List-Unsubscribe": {"One-Click"}}).has(t, http.StatusOK, "Напоминания письмами больше не приходят")
	}
	if got := l.remind(t, s, 3, "N-01"); got != notice.Stopped {
		t.Errorf("the next reminder: %s", got)
	}
	if got := l.remind(t, s, 4, "N-14"); got != notice.Sent {
		t.Errorf("a security letter: %s", got)
	}
	for _, bad := range []string{"/unsubscribe/" + strings.Repeat("ab", 20), "/unsubscribe/x"} {
		s.browser().get(bad).has(t, http.StatusNotFound, "Такая ссылка нам неизвестна")
		s.browser().post(bad, nil).has(t, http.StatusNotFound, "Такая ссылка нам неизвестна")
	}
}

// NT-23: a program that opens every link of the letter about a new address confirms nothing.
func TestNT23AScannerConfirmsNothing(t *testing.T) {
	s, l := withLetters(t)
	b := s.browser(s.personal("123456789013"))
	b.enter("p@example.kz")
	must(t, l.Do(t.Context(), []byte(`{"id":1}`)))
	if len(l.got) != 1 {
		t.Fatalf("%d letters", len(l.got))
	}
	links := regexp.MustCompile(`https?://[^\s<>"]+`).FindAllString(l.got[0].Text, -1)
	if len(links) == 0 {
		t.Fatalf("no link in %s", l.got[0].Text)
	}
	for range 3 {
		for _, link := range links {
			s.browser().get(strings.TrimRight(strings.TrimPrefix(link, origin), ".")).has(t, http.StatusOK)
		}
	}
	b.get("/profile").has(t, http.StatusOK, "Ещё не подтверждён")
	s.browser().post(strings.TrimRight(strings.TrimPrefix(links[0], origin), "."), nil).has(t, http.StatusOK)
	if strings.Contains(b.get("/profile").body, "Ещё не подтверждён") {
		t.Error("the button confirms nothing either: the test shows nothing")
	}
}

// NT-13: confirming an address by its link lets letters go there again.
func TestNT13ConfirmingClearsABadAddress(t *testing.T) {
	s, l := withLetters(t)
	b := s.browser(s.personal("123456789013"))
	b.enter("p@example.kz")
	must(t, l.Do(t.Context(), []byte(`{"id":1}`)))
	must(t, l.Returned(t.Context(), notice.Returned{ID: l.got[0].ID, Fate: notice.Hard, Status: "5.1.1"}))
	if got := l.remind(t, s, 2, "N-01"); got != notice.Stopped {
		t.Fatalf("to a bad address: %s", got)
	}
	link := regexp.MustCompile(`/email/[\w-]+`).FindString(l.got[0].Text)
	s.now = s.now.Add(time.Hour)
	heard := make(chan error)
	s.store.Handle(notice.OwnerKind, func(ctx context.Context, payload []byte) error {
		var o notice.Owner
		err := json.Unmarshal(payload, &o)
		heard <- errors.Join(err, l.HearOwner(ctx, o))
		return nil
	})
	must(t, s.store.Start(t.Context()))
	s.browser().post(link, nil).has(t, http.StatusOK)
	must(t, <-heard)
	must(t, s.store.Stop(t.Context()))
	if got := l.remind(t, s, 3, "N-01"); got != notice.Sent {
		t.Errorf("after it was confirmed: %s", got)
	}
}

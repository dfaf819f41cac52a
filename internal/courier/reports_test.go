package courier

import (
	"context"
	"errors"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"senim/internal/notice"
)

// NT-13: the house's mail server hands reports in over SMTP; ours are taken once each, forged and other
// letters are not.
func TestNT13ReportsComeOverSMTP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tokens := testTokens(t)
	var got []notice.Returned
	var fails error
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Reports{Tokens: tokens, Take: func(_ context.Context, r notice.Returned) error {
			if fails != nil {
				return fails
			}
			got = append(got, r)
			return nil
		}}.Serve(ctx, l)
	}()
	ours, err := tokens.envelope("bounce@senim.example", reminder.ID)
	if err != nil {
		t.Fatal(err)
	}
	bring := func(to, letter string) error {
		return smtp.SendMail(l.Addr().String(), nil, "", []string{to}, []byte(letter))
	}
	if err := bring(ours, failed("5.1.1")); err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(ours, "+", "+aaaa", 1)
	for _, to := range []string{"bounce@senim.example", forged, "postmaster@senim.example"} {
		if err := bring(to, failed("5.1.1")); err == nil || !strings.Contains(err.Error(), "550") {
			t.Errorf("%s: %v", to, err)
		}
	}
	if err := bring(ours, "Subject: I am away\r\n\r\nuntil Monday\r\n"); err != nil {
		t.Errorf("an answer by a machine: %v", err)
	}
	fails = errors.New("no room")
	if err := bring(ours, failed("5.1.1")); err == nil || !strings.Contains(err.Error(), "451") {
		t.Errorf("one that could not be kept: %v", err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(got) != 1 || got[0] != (notice.Returned{ID: reminder.ID, Fate: notice.Hard, Status: "5.1.1"}) {
		t.Errorf("%+v", got)
	}
}

func TestReportsAreTakenOnThisMachineOnly(t *testing.T) {
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := (Reports{Tokens: testTokens(t)}).Serve(t.Context(), l); err == nil {
		t.Error("it serves the world")
	}
}

// The token of a link that unsubscribes is no token of an envelope, nor the other way round.
func TestTokensAreOfOneKind(t *testing.T) {
	tokens := testTokens(t)
	link, err := tokens.Unsubscribe(reminder.ID)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := tokens.Unsubscribed(link); err != nil || id != reminder.ID {
		t.Errorf("%q %v", id, err)
	}
	back, err := tokens.envelope("bounce@senim.example", reminder.ID)
	if err != nil {
		t.Fatal(err)
	}
	envelope := back[strings.IndexByte(back, '+')+1 : strings.IndexByte(back, '@')]
	for name, token := range map[string]string{"of an envelope": envelope, "none": "", "cut": link[:len(link)-8], "longer": link + link} {
		if id, err := tokens.Unsubscribed(token); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %q %v", name, id, err)
		}
	}
	if _, err := tokens.Letter("bounce+" + link + "@senim.example"); !errors.Is(err, ErrToken) {
		t.Errorf("a link's token in an envelope: %v", err)
	}
}

func TestLetterSink(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "letters")
	s, err := NewLetterSink(Config{From: "noreply@senim.example"}, dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Send(t.Context(), reminder); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, reminder.ID+".eml")
	b, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(b), "Message-ID: <"+reminder.ID+"@senim.example>") {
		t.Errorf("%v %s", err, b)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	bad := reminder
	bad.To = "a@b.kz\r\nBcc: c@d.kz"
	if err := s.Send(t.Context(), bad); !errors.As(err, new(*notice.RefusedError)) {
		t.Errorf("%v", err)
	}
	if _, err := NewLetterSink(Config{From: "nobody"}, dir); err == nil {
		t.Error("a sender that is none")
	}
}

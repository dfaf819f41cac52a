package courier

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"senim/internal/notice"
)

// dsn is a report as mail servers write it (RFC 3464).
func dsn(fields string) string {
	return strings.ReplaceAll(`From: MAILER-DAEMON@mail.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

It did not arrive.
--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example
Arrival-Date: Mon, 2 Mar 2026 11:00:00 +0500

`+fields+`
--b1
Content-Type: message/rfc822

Subject: our letter

text
--b1--
`, "\n", "\r\n")
}

func failed(code string) string {
	return dsn("Final-Recipient: rfc822; b@example.kz\nAction: failed\nStatus: " + code + "\nDiagnostic-Code: smtp; 550 no such user\n")
}

// NT-13: the report of a real server's envelope, with our token, tells of the letter; a forged one
// tells nothing.
func TestNT13AReportWithOurTokenTells(t *testing.T) {
	o := &office{}
	tokens := testTokens(t)
	s := courier(t, Config{URL: "smtp://" + o.serve(t, nil, false) + "?tls=none", Bounce: "bounce@senim.example", Tokens: tokens})
	if err := s.Send(t.Context(), reminder); err != nil {
		t.Fatal(err)
	}
	back := o.all()[0].from // where the server would send its report
	if !strings.HasPrefix(back, "bounce+") || !strings.HasSuffix(back, "@senim.example") {
		t.Fatalf("envelope sender %q", back)
	}
	r, err := tokens.Read(back, strings.NewReader(failed("5.1.1")))
	if err != nil || r != (Report{ID: reminder.ID, Fate: notice.Hard, Status: "5.1.1"}) {
		t.Errorf("%+v %v", r, err)
	}
	if r, err := tokens.Read(strings.ToUpper(back), strings.NewReader(failed("5.1.1"))); err != nil || r.ID != reminder.ID {
		t.Errorf("in capitals: %+v %v", r, err)
	}
	other, err := NewTokens([]byte(strings.Repeat("o", 32)))
	if err != nil {
		t.Fatal(err)
	}
	forged, err := other.envelope("bounce@senim.example", reminder.ID)
	if err != nil {
		t.Fatal(err)
	}
	last := strings.Index(back, "@") - 1
	for _, to := range []string{forged, "bounce@senim.example", "bounce+@senim.example", "nobody", "", "bounce+aaaa@senim.example",
		back[:last] + string('a'+(back[last]-'a'+1)%26) + back[last+1:]} {
		if r, err := tokens.Read(to, strings.NewReader(failed("5.1.1"))); !errors.Is(err, ErrToken) || r != (Report{}) {
			t.Errorf("%s: %+v %v", to, r, err)
		}
	}
}

func TestNT13FatesOfReports(t *testing.T) {
	tokens := testTokens(t)
	to, err := tokens.envelope("bounce@senim.example", reminder.ID)
	if err != nil {
		t.Fatal(err)
	}
	complaint := strings.NewReplacer("delivery-status", "feedback-report").Replace(dsn("Feedback-Type: abuse\n"))
	for name, c := range map[string]struct {
		letter string
		fate   Fate
	}{
		"no such user":        {failed("5.1.1"), notice.Hard},
		"no such domain":      {failed("5.1.2"), notice.Hard},
		"box switched off":    {failed("5.2.1"), notice.Hard},
		"domain takes none":   {failed("5.1.10"), notice.Hard},
		"box full":            {failed("5.2.2"), notice.Soft},
		"given up":            {failed("4.4.7"), notice.Soft},
		"policy":              {failed("5.7.1"), notice.Soft},
		"said in the text":    {dsn("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.1.1 unknown\n"), notice.Hard},
		"said nowhere":        {dsn("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 go away\n"), notice.Soft},
		"still trying":        {dsn("Action: delayed\nStatus: 4.4.1\n"), notice.Delayed},
		"delivered":           {dsn("Action: delivered\nStatus: 2.1.5\n"), notice.Arrived},
		"two, one failed":     {dsn("Action: delivered\nStatus: 2.1.5\n\nAction: failed\nStatus: 5.1.1\n"), notice.Hard},
		"status with comment": {failed("5.1.1 (bad destination)"), notice.Hard},
		"complaint":           {complaint, notice.Complaint},
	} {
		if r, err := tokens.Read(to, strings.NewReader(c.letter)); err != nil || r.Fate != c.fate || r.ID != reminder.ID {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
	for name, letter := range map[string]string{
		"answer of a person":  "From: b@example.kz\r\nSubject: Re\r\nContent-Type: text/plain\r\n\r\n5.1.1 Action: failed",
		"answer of a machine": "From: b@example.kz\r\nAuto-Submitted: auto-replied\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n--b1--",
		"no status":           failed("none"),
		"no action":           dsn("Status: 5.1.1\n"),
		"unknown action":      dsn("Action: lost\nStatus: 5.1.1\n"),
		"too long":            failed("5.1.1") + strings.Repeat("x", maxReport),
		"no header":           "",
	} {
		if r, err := tokens.Read(to, strings.NewReader(letter)); !errors.Is(err, ErrReport) || r.Fate != "" {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
}

func FuzzReport(f *testing.F) {
	tokens := testTokens(f)
	to, err := tokens.envelope("bounce@senim.example", reminder.ID)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(to, failed("5.1.1"))
	f.Add("bounce+aaaa@senim.example", dsn("Action: delayed\nStatus: 4.4.1\n"))
	f.Fuzz(func(t *testing.T, recipient, letter string) {
		r, err := tokens.Read(recipient, strings.NewReader(letter))
		if err == nil && (r.ID == "" || r.Fate == "") {
			t.Errorf("a report without a letter or a fate: %+v", r)
		}
		if r.ID != "" {
			if again, err := tokens.envelope("bounce@senim.example", r.ID); err != nil || !strings.HasSuffix(strings.ToLower(recipient), strings.TrimPrefix(again[:strings.Index(again, "@")], "bounce")+recipient[strings.Index(recipient, "@"):]) && !strings.Contains(strings.ToLower(recipient), again[len("bounce+"):strings.Index(again, "@")]) {
				t.Errorf("a letter from a token that is not ours: %q", recipient)
			}
		}
	})
}

func TestTokensRefuse(t *testing.T) {
	if _, err := NewTokens([]byte("short")); err == nil {
		t.Error("a short key is taken")
	}
	tokens := testTokens(t)
	for _, id := range []string{"", "xyz", "abc", strings.Repeat("ab", 21)} {
		if a, err := tokens.envelope("bounce@senim.example", id); err == nil {
			t.Errorf("%q: %s", id, a)
		}
	}
	long := fmt.Sprintf("%s@senim.example", strings.Repeat("b", 20))
	if _, err := New(Config{URL: "smtp://mail.example", From: "noreply@senim.example", Bounce: long, Tokens: tokens}); err == nil {
		t.Error("an address without room for a token is taken")
	}
	s := courier(t, Config{URL: "smtp://localhost?tls=none", Tokens: tokens})
	l := reminder
	l.ID = "notHex"
	if err := s.Send(t.Context(), l); !errors.As(err, new(*notice.RefusedError)) {
		t.Errorf("%v", err)
	}
}

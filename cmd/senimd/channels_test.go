package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/mailbox"
	"senim/internal/notice"
)

// runs serves until the test ends.
func runs(t *testing.T, s *server) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.serve(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.close()
	})
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
}

// code writes a code into the outbox: phones ring for it at any hour.
func code(t *testing.T, s *server) {
	t.Helper()
	err := s.store.Notice().Update(t.Context(), func(tx notice.Tx) error {
		return tx.Notify(t.Context(), notice.Message{N: "N-21", Channel: notice.SMS, To: "+77011234567", Key: notice.Key("N-21", t.Name(), "", ""),
			Vars: map[string]string{"code": "123456", "action": "sign-in"}})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("never %s", what)
		}
	}
}

// delivered counts the short messages that phones have.
func delivered(t *testing.T, s *server) int {
	t.Helper()
	r, err := s.sender.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r.Ended[notice.Delivered]
}

// NT-27, NT-32: the gateway is asked with the password of the file, and says on the cabinet's address what
// became of the message: signed, and once.
func TestNT27TheGatewayAndItsReceipts(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "sms")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	asked := make(chan http.Header, 10)
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte("0: Accepted for delivery"))
	}))
	t.Cleanup(gateway.Close)
	s := mustOpen(t, t.TempDir(), "-smshttp.url", gateway.URL+"/cgi-bin/sendsms", "-smshttp.user", "senim", "-sms.password-file", secret, "-sms.from", "EGOV")
	runs(t, s)
	code(t, s)
	var h http.Header
	select {
	case h = <-asked:
	case <-time.After(time.Minute):
		t.Fatal("the gateway was not asked")
	}
	callback := h.Get("X-Kannel-Dlr-Url")
	if h.Get("X-Kannel-Password") != "s3cret" || h.Get("X-Kannel-From") != "EGOV" || !strings.HasPrefix(callback, s.c.cabinet.origin+receiptPath+"?ref=") {
		t.Fatalf("asked with %v", h)
	}
	say := func(address string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	for _, bad := range []string{s.c.cabinet.origin + receiptPath, strings.Replace(callback, "mac=", "mac=00", 1), strings.Replace(callback, "ref=", "ref=00", 1)} {
		if got := say(strings.Replace(bad, "%d", "1", 1)); got != http.StatusNotFound || delivered(t, s) != 0 {
			t.Errorf("%d for an address that is not signed", got)
		}
	}
	for _, state := range []string{"1", "1", "2"} {
		if got := say(strings.Replace(callback, "%d", state, 1)); got != http.StatusOK || delivered(t, s) != 1 {
			t.Errorf("%d for state %s, %d delivered", got, state, delivered(t, s))
		}
	}
}

// Without settings for SMS the demo's mail box shows them.
func TestShortMessagesOfTheDemo(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir())
	runs(t, s)
	code(t, s)
	eventually(t, "in the mail box", func() bool { return len(s.mail.Texts("+77011234567")) == 1 })
	if got := s.mail.Texts("")[0].Text; got != "Senim: sign-in үшін код 123456. Ешкімге айтпаңыз." {
		t.Errorf("%q", got)
	}
}

// NT-13: the house's mail server hands a report in at -bounce.listen, and the address is bad.
func TestNT13ReportsAreHandedIn(t *testing.T) {
	t.Parallel()
	theirs := mailbox.New(nil)
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- theirs.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	s := mustOpen(t, t.TempDir(), "-smtp.url", "smtp://"+ln.Addr().String()+"?tls=none", "-smtp.from", "noreply@senim.example", "-bounce.listen", "127.0.0.1:0")
	runs(t, s)
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	l, err := theirs.Wait(wait, func(mailbox.Letter) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(l.From, "bounce+") || !strings.HasSuffix(l.From, "@senim.example") {
		t.Fatalf("the envelope is from %q", l.From)
	}
	dsn := strings.ReplaceAll("Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n"+
		"Reporting-MTA: dns; mail.example\n\nFinal-Recipient: rfc822; "+l.To[0]+"\nAction: failed\nStatus: 5.1.1\n\n--b--\n", "\n", "\r\n")
	eventually(t, "taken and counted", func() bool {
		if err := smtp.SendMail(s.c.messages.reports.address, nil, "", []string{l.From}, []byte(dsn)); err != nil {
			t.Fatal(err)
		}
		bad, err := s.sender.AddressBad(t.Context(), l.To[0])
		if err != nil {
			t.Fatal(err)
		}
		return bad
	})
}

func TestMessageFlagsAreChecked(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"two ways of letters": "-smtp.url smtp://a -smtp.sink x", "two ways of SMS": "-sms.sink x -smpp.url smpp://u@h:1 -sms.password-file p",
		"no selector": "-smtp.dkim-key k", "no user": "-smshttp.url https://h/x -sms.password-file p", "no password": "-smpp.url smpp://u@h:1",
		"password in the open": "-smpp.url smpp://u:p@h:1 -sms.password-file p", "a password for nobody": "-sms.password-file p",
		"hours": "-sms.hours 20-9", "hours with more": "-sms.hours 9-20h", "language": "-sms.lang de", "sender": "-smtp.from nobody", "bound": "-notify.cap.sms -1",
	} {
		if _, _, err := parse(strings.Fields(args), &bytes.Buffer{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	_, c, err := parse(strings.Fields("-cast=false -sms.hours 8-21 -sms.lang ru"), &bytes.Buffer{})
	if err != nil || c.messages.hours != (notice.Hours{From: 8, To: 21}) || c.messages.unknown != "ru" || c.messages.capAddress != 5 || c.messages.capSMS != 50000 {
		t.Errorf("%v %+v", err, c.messages)
	}
}

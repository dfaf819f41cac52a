package courier

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/fiorix/go-smpp/smpp/pdu"
	"github.com/fiorix/go-smpp/smpp/smpptest"

	"senim/internal/ident"
)

// journal is a log that everything is written to.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

// NT-20: whatever failing providers say, and however often, what a courier gives to a log has no
// address, phone, text or password in it. A quarter of
// the sends finds nobody there.
func TestNT20NothingPersonalInLogs(t *testing.T) {
	t.Parallel()
	each := 2500 // each of four ways, with SENIM_LONG: 10,000 sends
	if os.Getenv("SENIM_LONG") == "" {
		each = 250
	}
	j := &journal{}
	log := slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))

	post := &office{rcpt: func(to string) error {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "box of " + to + " is full, ask secret-password"}
	}}
	letters := courier(t, Config{URL: "smtp://" + post.serve(t, nil, false) + "?tls=none"})
	refusing := courier(t, Config{URL: "smtp://" + (&office{rcpt: func(to string) error {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no " + to}
	}}).serve(t, nil, false) + "?tls=none"})

	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader([]int{http.StatusServiceUnavailable, http.StatusForbidden, http.StatusAccepted}[len(body)%3])
		_, _ = fmt.Fprintf(w, "%s to %s: %s", r.Header.Get("X-Kannel-Password"), r.Header.Get("X-Kannel-To"), body)
	}))
	t.Cleanup(web.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	texters := map[string]Texter{}
	for name, address := range map[string]string{"gateway": web.URL, "nobody": "http://" + closed.Addr().String()} {
		g, err := NewGateway(GatewayConfig{URL: address, User: "senim", Password: "secret-password", From: "SENIM"})
		if err != nil {
			t.Fatal(err)
		}
		texters[name] = g
	}
	smsc := newCentre(t)
	smsc.User, smsc.Passwd = "client", "secretpw"
	smsc.submit = func(c smpptest.Conn, n int, p pdu.Body) {
		if n%100 == 0 {
			_ = c.Close() // the line breaks, and is made again
			return
		}
		take(c, p, 0x45)
	}
	texters["smpp"] = bind(t, smsc, func(c *SMPPConfig) {
		c.URL = "smpp://client:secretpw@" + smsc.Addr()
		c.Log = log
		c.shortest = time.Millisecond
	})

	var wg sync.WaitGroup
	sms := func(name string) {
		for i := range each {
			m := SMS{Ref: fmt.Sprintf("reference%012d", i), To: ident.Phone(fmt.Sprintf("+7701%07d", 1000000+i)), Text: strings.Repeat("х", 1+i%3) + " secret-text"}
			parts, o := texters[name].Send(t.Context(), m)
			if o.State == Accepted {
				t.Errorf("%s: accepted by a failing provider", name)
				return
			}
			log.Warn("short message not sent", "outcome", fmt.Sprintf("%+v", o), "parts", fmt.Sprint(parts))
		}
	}
	mail := func(s *SMTP, n int) {
		for i := range n {
			l := reminder
			l.To, l.Text = fmt.Sprintf("person%d@example.kz", i), "secret-text"
			err := s.Send(t.Context(), l)
			if err == nil {
				t.Error("taken by a failing server")
				return
			}
			log.Warn("letter not sent", "err", err, "whole", fmt.Sprintf("%+v", err))
		}
	}
	wg.Go(func() { sms("gateway") })
	wg.Go(func() { sms("nobody") })
	wg.Go(func() { sms("smpp") })
	wg.Go(func() { mail(letters, each/2); mail(refusing, each/2) })
	wg.Wait()

	j.mu.Lock()
	defer j.mu.Unlock()
	said := j.b.String()
	if lines := strings.Count(said, "\n"); lines < 4*each {
		t.Fatalf("%d lines of %d sends", lines, 4*each)
	}
	for _, secret := range []string{"@example.kz", "person", "7701", "secret"} {
		if i := strings.Index(said, secret); i >= 0 {
			t.Errorf("the log has %q: %s", secret, said[max(0, i-200):min(len(said), i+100)])
		}
	}
}

package courier

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-smtp"

	"senim/internal/notice"
)

// posted is a letter as a server took it.
type posted struct {
	from, to string
	tls      bool
	data     []byte
}

func (p posted) header(t *testing.T) mail.Header {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(p.data))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header
}

// office is a mail server in the test.
type office struct {
	mu      sync.Mutex
	letters []posted
	calls   int
	// answer, when set, is what a server says to a recipient, or after the letter.
	rcpt, data func(to string) error
	talks      []*smtp.Conn
}

func (o *office) all() []posted {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]posted{}, o.letters...)
}

type talk struct {
	o *office
	c *smtp.Conn
	p posted
}

func (s *talk) Mail(from string, _ *smtp.MailOptions) error { s.p.from = from; return nil }
func (s *talk) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.p.to = to
	if s.o.rcpt != nil {
		return s.o.rcpt(to)
	}
	return nil
}

func (s *talk) Data(r io.Reader) error {
	var err error
	if s.p.data, err = io.ReadAll(r); err != nil {
		return err
	}
	_, s.p.tls = s.c.TLSConnectionState()
	s.o.mu.Lock()
	s.o.letters = append(s.o.letters, s.p)
	s.o.mu.Unlock()
	if s.o.data != nil {
		return s.o.data(s.p.to)
	}
	return nil
}
func (s *talk) Reset()        { s.p = posted{} }
func (s *talk) Logout() error { return nil }

// certificate is one for 127.0.0.1, and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.TLS.Certificates[0], pool
}

// serve starts the server; cert nil: it knows no TLS; implicit: TLS from the first byte.
func (o *office) serve(t *testing.T, cert *tls.Certificate, implicit bool) string {
	t.Helper()
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.calls++
		o.talks = append(o.talks, c)
		return &talk{o: o, c: c}, nil
	}))
	s.Domain = "mail.example"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if cert != nil {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*cert}}
	}
	if implicit {
		l = tls.NewListener(l, s.TLSConfig)
	}
	s.ErrorLog = quiet{}
	done := make(chan struct{})
	go func() { _ = s.Serve(l); close(done) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return l.Addr().String()
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

var reminder = notice.Letter{ID: strings.Repeat("ab", 20), To: "b@example.kz", Subject: "Кілт", Text: "сәлем\n", HTML: "<p>сәлем</p>", Class: notice.Reminder}

func courier(t *testing.T, c Config) *SMTP {
	t.Helper()
	if c.From == "" {
		c.From = "noreply@senim.example"
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTLSIsRequired(t *testing.T) {
	cert, pool := certificate(t)
	trusting := &tls.Config{RootCAs: pool}
	for _, c := range []struct {
		name     string
		cert     *tls.Certificate
		implicit bool
		mode     string
		client   *tls.Config
		arrives  bool
	}{
		{"STARTTLS", &cert, false, "", trusting, true},
		{"STARTTLS named", &cert, false, "?tls=starttls", trusting, true},
		{"TLS from the first byte", &cert, true, "?tls=implicit", trusting, true},
		{"no STARTTLS offered", nil, false, "", trusting, false},
		{"a certificate nobody trusts", &cert, false, "", &tls.Config{RootCAs: x509.NewCertPool()}, false},
		{"the same from the first byte", &cert, true, "?tls=implicit", &tls.Config{RootCAs: x509.NewCertPool()}, false},
		{"open on this machine", nil, false, "?tls=none", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := &office{}
			s := courier(t, Config{URL: "smtp://" + o.serve(t, c.cert, c.implicit) + c.mode, TLS: c.client})
			err := s.Send(t.Context(), reminder)
			var refused *notice.RefusedError
			if (err == nil) != c.arrives || errors.As(err, &refused) {
				t.Errorf("arrives %v, got %v", c.arrives, err)
			}
			all := o.all()
			if c.arrives && (len(all) != 1 || all[0].tls != (c.cert != nil)) || !c.arrives && len(all) != 0 {
				t.Errorf("the server has %+v", all)
			}
		})
	}
}

// NT-09: what the server took and we did not hear of goes again, as the same letter.
func TestNT09TheSecondSendingIsTheSameLetter(t *testing.T) {
	o := &office{}
	first := true
	o.data = func(string) error {
		if first {
			first = false
			return &smtp.SMTPError{Code: 451, Message: "taken, and the answer lost"}
		}
		return nil
	}
	s := courier(t, Config{URL: "smtp://" + o.serve(t, nil, false) + "?tls=none"})
	if err := s.Send(t.Context(), reminder); err == nil {
		t.Fatal("a lost answer is a success")
	}
	if err := s.Send(t.Context(), reminder); err != nil {
		t.Fatal(err)
	}
	all := o.all()
	if len(all) != 2 {
		t.Fatalf("%d letters", len(all))
	}
	a, b := all[0].header(t).Get("Message-ID"), all[1].header(t).Get("Message-ID")
	if a != b || a != "<"+reminder.ID+"@senim.example>" {
		t.Errorf("Message-ID %q, then %q", a, b)
	}
}

// A server that takes the letter and refuses the RSET behind it has taken the letter.
func TestWhatFailsAfterDeliveryIsNotAFailure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		p := textproto.NewConn(c)
		_ = p.PrintfLine("220 mail.example")
		for {
			line, err := p.ReadLine()
			if err != nil {
				return
			}
			switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); verb {
			case "DATA":
				_ = p.PrintfLine("354 go on")
				_, _ = p.ReadDotBytes()
				_ = p.PrintfLine("250 taken")
			case "RSET":
				_ = p.PrintfLine("550 no such thing")
			default:
				_ = p.PrintfLine("250 yes")
			}
		}
	}()
	s := courier(t, Config{URL: "smtp://" + l.Addr().String() + "?tls=none"})
	if err := s.Send(t.Context(), reminder); err != nil {
		t.Errorf("taken, and yet %v", err)
	}
}

// NT-18: no value adds a header or an envelope.
func TestNT18NoValueMakesAHeader(t *testing.T) {
	const evil = "x\r\nBcc: all@example.kz\r\n\r\nbody"
	o := &office{}
	c := Config{URL: "smtp://" + o.serve(t, nil, false) + "?tls=none", Unsubscribe: func(notice.Letter) string { return "https://senim.example/" + evil }}
	s := courier(t, c)
	for name, change := range map[string]func(*notice.Letter){
		"identifier":  func(l *notice.Letter) { l.ID = evil; l.Class = notice.Business },
		"address":     func(l *notice.Letter) { l.To = "b@example.kz" + evil; l.Class = notice.Business },
		"unsubscribe": func(*notice.Letter) {},
	} {
		l := reminder
		change(&l)
		var refused *notice.RefusedError
		if err := s.Send(t.Context(), l); !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(o.all()); n != 0 {
		t.Fatalf("%d letters went", n)
	}
	l := reminder
	l.Class, l.Subject, l.Text, l.HTML = notice.Business, evil, evil, evil
	if err := s.Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	got := o.all()[0]
	if h := got.header(t); h.Get("Bcc") != "" || got.to != "b@example.kz" {
		t.Errorf("envelope %q, header %v", got.to, h)
	}
	c.From, c.Name = "noreply@senim.example", evil
	if _, err := New(c); err == nil {
		t.Error("a sender's name of two lines is taken")
	}
}

func TestOnlyRemindersCanBeUnsubscribed(t *testing.T) {
	o := &office{}
	s := courier(t, Config{URL: "smtp://" + o.serve(t, nil, false) + "?tls=none", Unsubscribe: func(l notice.Letter) string { return "https://senim.example/unsubscribe/" + l.ID }})
	for _, class := range []notice.Class{notice.Reminder, notice.Business, notice.Security, notice.Transaction} {
		l := reminder
		l.Class = class
		if err := s.Send(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range o.all() {
		h := p.header(t)
		want, post := "", ""
		if i == 0 {
			want, post = "<https://senim.example/unsubscribe/"+reminder.ID+">", "List-Unsubscribe=One-Click"
		}
		if got := strings.Join(strings.Fields(h.Get("List-Unsubscribe")), ""); got != want || h.Get("List-Unsubscribe-Post") != post {
			t.Errorf("letter %d: %q, %q", i, got, h.Get("List-Unsubscribe-Post"))
		}
	}
}

func TestDKIM(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey, "ed25519": edKey} {
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if ed, ok := key.Public().(ed25519.PublicKey); ok {
			der = ed
		}
		record := "v=DKIM1; k=" + name + "; p=" + base64.StdEncoding.EncodeToString(der)
		verify := func(letter []byte) error {
			all, err := dkim.VerifyWithOptions(bytes.NewReader(letter), &dkim.VerifyOptions{LookupTXT: func(at string) ([]string, error) {
				if at != "s1._domainkey.senim.example" {
					return nil, errors.New("no such record")
				}
				return []string{record}, nil
			}})
			if err == nil && len(all) != 1 {
				err = errors.New("not one signature")
			}
			if err == nil {
				err = all[0].Err
			}
			return err
		}
		o := &office{}
		s := courier(t, Config{URL: "smtp://" + o.serve(t, nil, false) + "?tls=none", DKIM: &DKIM{Selector: "s1", Key: key},
			Unsubscribe: func(notice.Letter) string { return "https://senim.example/u" }})
		if err := s.Send(t.Context(), reminder); err != nil {
			t.Fatal(err)
		}
		letter := o.all()[0].data
		if err := verify(letter); err != nil {
			t.Errorf("%s: %v\n%s", name, err, letter)
		}
		for what, changed := range map[string][]byte{
			"body":        bytes.Replace(letter, []byte("<p>"), []byte("<b>"), 1),
			"reader":      bytes.Replace(letter, []byte("b@example.kz"), []byte("c@example.kz"), 1),
			"unsubscribe": bytes.Replace(letter, []byte("https://senim.example/u"), []byte("https://other.example/u"), 1),
			"second From": append([]byte("From: <evil@example.kz>\r\n"), letter...),
		} {
			if bytes.Equal(changed, letter) {
				t.Fatalf("%s: nothing to change in\n%s", what, letter)
			}
			if verify(changed) == nil {
				t.Errorf("%s: a letter with a changed %s is still signed", name, what)
			}
		}
	}
}

func TestDKIMRefuses(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this Go makes no short keys")
	}
	for name, d := range map[string]*DKIM{"short": {Selector: "s", Key: weak}, "no key": {Selector: "s"}, "no selector": {Key: weak}} {
		if _, err := New(Config{URL: "smtp://mail.example", From: "noreply@senim.example", DKIM: d}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestARefusalCarriesItsCode(t *testing.T) {
	o := &office{rcpt: func(to string) error {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no " + to + " here"}
	}}
	s := courier(t, Config{URL: "smtp://" + o.serve(t, nil, false) + "?tls=none"})
	err := s.Send(context.Background(), reminder)
	refused, ok := errors.AsType[*notice.RefusedError](err)
	if !ok || refused.Code != 550 || refused.Status != "5.1.1" || notice.FateOf(refused.Status) != notice.Hard || strings.Contains(err.Error(), "example") {
		t.Errorf("%v", err)
	}
}

// Connections stay open for the next letter, at most a hundred letters long and so many at a time.
func TestConnectionsStayOpen(t *testing.T) {
	o := &office{}
	s := courier(t, Config{URL: "smtp://" + o.serve(t, nil, false) + "?tls=none", Connections: 2})
	defer func() { _ = s.Close() }()
	for range lettersPerCall + 50 {
		if err := s.Send(t.Context(), reminder); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(o.all()); n != lettersPerCall+50 || o.calls != 2 {
		t.Errorf("%d letters over %d connections", n, o.calls)
	}
	now, most := 0, 0
	var mu sync.Mutex
	two := make(chan struct{})
	o.data = func(string) error {
		mu.Lock()
		if now++; now == 2 && most < 2 {
			close(two)
		}
		most = max(most, now)
		mu.Unlock()
		<-two
		mu.Lock()
		now--
		mu.Unlock()
		return nil
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if err := s.Send(t.Context(), reminder); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most != 2 {
		t.Errorf("%d at a time", most)
	}
}

// A server that hung up meanwhile gets the letter over a new connection, once.
func TestAConnectionThatEndedIsMadeAnew(t *testing.T) {
	o := &office{}
	s := courier(t, Config{URL: "smtp://" + o.serve(t, nil, false) + "?tls=none", Connections: 1})
	defer func() { _ = s.Close() }()
	for i := range 3 {
		if err := s.Send(t.Context(), reminder); err != nil {
			t.Fatalf("letter %d: %v", i, err)
		}
		o.mu.Lock()
		for _, c := range o.talks {
			_ = c.Conn().Close()
		}
		o.mu.Unlock()
	}
	if n := len(o.all()); n != 3 || o.calls != 3 {
		t.Errorf("%d letters over %d connections", n, o.calls)
	}
}

func testTokens(t testing.TB) *Tokens {
	t.Helper()
	k, err := NewTokens([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

package courier

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	netsmtp "net/smtp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/fiorix/go-smpp/smpp/pdu"
	"github.com/fiorix/go-smpp/smpp/pdu/pdufield"
	"github.com/fiorix/go-smpp/smpp/smpptest"

	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/store"
	"senim/internal/store/storetest"
)

// house is a whole installation's messages: an outbox with its jobs, and real ways out and back.
type house struct {
	t      *testing.T
	store  *store.Store
	sender *notice.Sender
	now    time.Time
}

// newHouse begins at noon, when phones may ring, whatever the time is.
func newHouse(t *testing.T) *house {
	h := &house{t: t, now: time.Date(2026, 3, 2, 12, 0, 0, 0, lang.Astana)}
	h.store = storetest.Open(t, store.Config{URL: t.TempDir() + "/senim.db", Now: func() time.Time { return h.now }})
	return h
}

func (h *house) start(c notice.SenderConfig) {
	h.t.Helper()
	c.Store, c.Now = h.store.Notice(), func() time.Time { return h.now }
	var err error
	if h.sender, err = notice.NewSender(c); err != nil {
		h.t.Fatal(err)
	}
	h.store.Handle(notice.Kind, h.sender.Do)
	if err := h.store.Start(context.WithoutCancel(h.t.Context())); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) notify(m notice.Message) {
	h.t.Helper()
	if err := h.store.Notice().Update(h.t.Context(), func(tx notice.Tx) error { return tx.Notify(h.t.Context(), m) }); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) state(id int64) notice.State {
	h.t.Helper()
	var o notice.Outgoing
	err := h.store.Notice().View(h.t.Context(), func(tx notice.Tx) (err error) { o, err = tx.Outgoing(h.t.Context(), id); return err })
	if err != nil {
		h.t.Fatal(err)
	}
	return o.State
}

// NT-16, NT-17, NT-27, NT-32 end to end: what is told in a transaction goes by its job through a real
// Kannel to its fake message centre, whole, and the receipts come back signed and end it.
func TestNT17FromTheOutboxThroughKannelAndBack(t *testing.T) {
	said, address := kannel(t)
	h := newHouse(t)
	var handler http.Handler
	callbacks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(callbacks.Close)
	g := gateway(t, GatewayConfig{URL: address, Tokens: testTokens(t), Callback: callbacks.URL + "/sms",
		OnReceipt: func(ctx context.Context, r Receipt) error { return h.sender.Receive(ctx, r) }})
	handler = g.Receipts()
	h.start(notice.SenderConfig{Courier: nobody{}, Texter: g})
	org := string([]rune(strings.Repeat("Товарищество «Ромашка» ", 8))[:180])
	var want []string
	for i, m := range []notice.Message{
		{N: "N-02", Vars: map[string]string{"date": "2026-05-01"}},
		{N: "N-21", Lang: lang.EN, Vars: map[string]string{"code": "123456", "action": "sign-in"}},
		{N: "N-04", Lang: lang.RU, Vars: map[string]string{"date": "2026-05-01", "org": org}},
		{N: "N-14", Lang: lang.RU, Vars: map[string]string{"time": "2026-03-02T06:00:00Z"}},
	} {
		m.Channel, m.To, m.Key = notice.SMS, string(message.To), notice.Key(m.N, "", "", "")
		text, err := notice.RenderShort(m, "Senim", lang.KK)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, text)
		h.notify(m)
		h.notify(m) // once for ever
		until(t, "delivered: "+text, func() bool { return h.state(int64(i+1)) == notice.Delivered })
	}
	if got := shown(said.String()); !slices.Equal(got, want) {
		t.Errorf("phones show\n%q\nwant\n%q", got, want)
	}
	if want[0] != "Senim: ЭЦҚ кілтінің мерзімі 01.05.2026 бітеді. Осы күнге дейін жеке кабинетте ұзартыңыз." || !strings.Contains(want[2], "… истекают 01.05.2026.") {
		t.Errorf("%q", want)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if code := receive(t, g, method, "/sms?ref=0123456789abcdef&state=2"); code != http.StatusNotFound {
			t.Errorf("an unsigned callback: %d", code)
		}
	}
}

// nobody brings no letters.
type nobody struct{}

func (nobody) Send(context.Context, notice.Letter) error { return errors.New("nobody is there") }

// A letter goes by its job over TLS to a real mail server, signed with DKIM so that a verifier agrees;
// the server's report about it comes back and makes the address bad (NT-13).
func TestNT13FromTheOutboxOverSMTPAndBack(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	cert, pool := certificate(t)
	o, tokens, h := &office{}, testTokens(t), newHouse(t)
	h.start(notice.SenderConfig{Courier: courier(t, Config{URL: "smtp://" + o.serve(t, &cert, false), TLS: &tls.Config{RootCAs: pool}, Bounce: "bounce@senim.example", Tokens: tokens,
		DKIM: &DKIM{Selector: "s1", Key: key}, Connections: 4, Unsubscribe: func(l notice.Letter) string {
			token, err := tokens.Unsubscribe(l.ID)
			if err != nil {
				t.Error(err)
			}
			return "https://senim.example/unsubscribe/" + token
		}})})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Reports{Tokens: tokens, Take: h.sender.Returned}.Serve(ctx, l) }()

	m := notice.Message{N: "N-01", To: "gone@example.kz", Key: notice.Key("N-01", "1", "28d", ""), Vars: map[string]string{
		"name": "Айгүл", "date": "2026-05-01", "days": "28", "link": "https://senim.example/keys"}}
	h.notify(m)
	until(t, "sent", func() bool { return h.state(1) == notice.Sent })
	letter := o.all()[0]
	all, err := dkim.VerifyWithOptions(bytes.NewReader(letter.data), &dkim.VerifyOptions{LookupTXT: func(string) ([]string, error) {
		return []string{"v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)}, nil
	}})
	if err != nil || len(all) != 1 || all[0].Err != nil || all[0].Domain != "senim.example" || !letter.tls {
		t.Errorf("the signature: %v %+v, TLS %v", err, all, letter.tls)
	}
	link := strings.Trim(letter.header(t).Get("List-Unsubscribe"), "<>")
	if id, err := tokens.Unsubscribed(link[strings.LastIndexByte(link, '/')+1:]); err != nil || id != m.Key[:40] {
		t.Errorf("List-Unsubscribe %q: %q %v", link, id, err)
	}
	if err := netsmtp.SendMail(l.Addr().String(), nil, "", []string{letter.from}, []byte(failed("5.1.1"))); err != nil {
		t.Fatal(err)
	}
	m.Key = notice.Key("N-01", "1", "14d", "")
	h.notify(m)
	until(t, "stopped", func() bool { return h.state(2) == notice.Stopped })
	if bad, err := h.sender.AddressBad(t.Context(), m.To); err != nil || !bad || h.state(1) != notice.Failed || len(o.all()) != 1 {
		t.Errorf("bad %v %v, the letter %s, %d letters", bad, err, h.state(1), len(o.all()))
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The same by SMPP: two parts, each with a receipt; the message is delivered with the second.
func TestNT17FromTheOutboxBySMPPAndBack(t *testing.T) {
	h, c := newHouse(t), newCentre(t)
	line := make(chan smpptest.Conn, 10)
	c.submit = func(conn smpptest.Conn, _ int, p pdu.Body) {
		take(conn, p, 0)
		line <- conn
	}
	s := bind(t, c, func(c *SMPPConfig) {
		c.OnReceipt = func(ctx context.Context, r Receipt) error { return h.sender.Receive(ctx, r) }
	})
	h.start(notice.SenderConfig{Courier: nobody{}, Texter: s})
	h.notify(notice.Message{N: "N-04", Channel: notice.SMS, To: string(message.To), Lang: lang.KK, Key: notice.Key("N-04", "", "", ""),
		Vars: map[string]string{"date": "2026-05-01", "org": strings.Repeat("«Ромашка» ЖШС ", 12)}})
	until(t, "sent", func() bool { return h.state(1) == notice.Sent })
	sent := c.all()
	if len(sent) != 2 || field(sent[0], pdufield.DataCoding) != "8" {
		t.Fatalf("%d parts, alphabet %s", len(sent), field(sent[0], pdufield.DataCoding))
	}
	conn := <-line
	for i, p := range sent {
		if got := h.state(1); got != notice.Sent {
			t.Errorf("before receipt %d: %s", i, got)
		}
		text := fmt.Sprintf("id:id-%d sub:001 dlvrd:001 submit date:2603021200 done date:2603021201 stat:DELIVRD err:000 text:", p.Header().Seq)
		if err := conn.Write(deliver{class: 4, text: text}); err != nil {
			t.Fatal(err)
		}
		if a := <-c.answered; a.Header().Status != 0 {
			t.Errorf("receipt %d is answered %x", i, uint32(a.Header().Status))
		}
	}
	if got := h.state(1); got != notice.Delivered {
		t.Errorf("after both: %s", got)
	}
}

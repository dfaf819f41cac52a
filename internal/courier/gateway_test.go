package courier

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"senim/internal/notice"
)

var message = SMS{Ref: "0123456789abcdef0123", To: "+77011234567", Text: "ЭЦҚ кілті"}

func gateway(t *testing.T, c GatewayConfig) *Gateway {
	t.Helper()
	c.User, c.Password, c.From = "senim", "s3cret", "SENIM"
	g, err := NewGateway(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGatewayIsAskedAsKannelWants(t *testing.T) {
	for _, get := range []bool{false, true} {
		var got func(string) string
		var text string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = func(name string) string { return r.Header.Get("X-Kannel-" + name) }
			if body, _ := io.ReadAll(r.Body); !get {
				text = string(body) + " " + r.Header.Get("Content-Type") + r.URL.RawQuery
				return202(w)
				return
			}
			got, text = r.URL.Query().Get, r.URL.Query().Get("text")+" "+r.URL.Query().Get("charset")
			return202(w)
		}))
		g := gateway(t, GatewayConfig{URL: s.URL + "/cgi-bin/sendsms", Get: get, Callback: "https://senim.example/sms", Tokens: testTokens(t),
			OnReceipt: func(context.Context, Receipt) error { return nil }})
		parts, o := g.Send(t.Context(), message)
		s.Close()
		if o.State != Accepted || len(parts) != 0 {
			t.Fatalf("%v %+v", parts, o)
		}
		for name, want := range map[string]string{"username": "senim", "password": "s3cret", "from": "SENIM", "to": "+77011234567", "coding": "2", "dlr-mask": "31", "dlr-url": "https://senim.example/sms?ref=" + message.Ref + "&mac=" + g.mac(message.Ref) + "&state=%d"} {
			if got(name) != want {
				t.Errorf("%s: %q", name, got(name))
			}
		}
		if want := map[bool]string{true: "ЭЦҚ кілті UTF-8", false: "ЭЦҚ кілті text/plain; charset=UTF-8"}[get]; text != want {
			t.Errorf("text %q", text)
		}
	}
}

func return202(w http.ResponseWriter) {
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, "0: Accepted for delivery")
}

func TestGatewayAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		code int
		text string
		want State
	}{
		"accepted":           {202, "0: Accepted for delivery", Accepted},
		"queued":             {202, "3: Queued for later delivery", Accepted},
		"an older Kannel":    {200, "0: Accepted for delivery", Accepted},
		"wrong password":     {403, "Authorization failed for sendsms", Failed},
		"bad request":        {400, "no", Failed},
		"too many":           {429, "wait", Throttled},
		"sent elsewhere":     {302, "", Failed},
		"temporal failure":   {503, "Temporal failure, try again later.", Uncertain},
		"broken":             {500, "", Uncertain},
		"taken, it says not": {200, "<html>Welcome to the hotel", Uncertain},
		"says nothing":       {202, "", Uncertain},
	} {
		var asked atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if c.code == 302 {
				w.Header().Set("Location", "/elsewhere")
			}
			w.WriteHeader(c.code)
			_, _ = io.WriteString(w, c.text)
		}))
		_, o := gateway(t, GatewayConfig{URL: s.URL}).Send(t.Context(), message)
		s.Close()
		if o.State != c.want || o.Code != c.code || asked.Load() != 1 || (o.State == Throttled) != (o.After > 0) {
			t.Errorf("%s: %+v after %d requests", name, o, asked.Load())
		}
	}
}

// NT-10: no answer in time, or a connection that breaks over the question, is "uncertain", and the
// gateway is asked once.
func TestNT10NobodyKnowsAndNothingGoesTwice(t *testing.T) {
	for _, get := range []bool{false, true} {
		var asked atomic.Int32
		release := make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1); stop(); <-release }))
		_, o := gateway(t, GatewayConfig{URL: s.URL, Get: get}).Send(ctx, message)
		if o.State != Uncertain || asked.Load() != 1 {
			t.Errorf("given up: %+v after %d requests", o, asked.Load())
		}
		_, o = gateway(t, GatewayConfig{URL: s.URL, Get: get, Timeout: time.Second}).Send(t.Context(), message)
		close(release)
		s.Close()
		if o.State != Uncertain || asked.Load() != 2 {
			t.Errorf("in time: %+v after %d requests", o, asked.Load())
		}

		asked.Store(0)
		s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) == 1 {
				_, _ = io.WriteString(w, "0: Accepted for delivery")
				return
			}
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = c.Close() // the second question, were the connection the first one's, net/http would repeat
			}
		}))
		g := gateway(t, GatewayConfig{URL: s.URL, Get: get})
		_, first := g.Send(t.Context(), message)
		_, second := g.Send(t.Context(), message)
		s.Close()
		if first.State != Accepted || second.State != Uncertain || asked.Load() != 2 {
			t.Errorf("a broken connection: %+v, %+v after %d requests", first, second, asked.Load())
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if _, o := gateway(t, GatewayConfig{URL: "http://" + l.Addr().String()}).Send(t.Context(), message); o.State != Throttled || o.After <= 0 {
		t.Errorf("nobody was asked: %+v", o)
	}
}

// ledger keeps states as an outbox would.
type ledger struct {
	state   State
	changes int
}

func (l *ledger) take(_ context.Context, r Receipt) error {
	if r.Ref != message.Ref {
		return errors.New("no such message")
	}
	next, changed := notice.Advance(l.state, r.State)
	l.state = next
	if changed {
		l.changes++
	}
	return nil
}

func receive(t *testing.T, g *Gateway, method, address string) int {
	t.Helper()
	w := httptest.NewRecorder()
	g.Receipts().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, address, nil))
	return w.Code
}

// NT-27: what is not signed is not found, and changes nothing.
func TestNT27AnUnsignedCallbackIsNotFound(t *testing.T) {
	l := &ledger{state: Accepted}
	g := gateway(t, GatewayConfig{URL: "https://sms.example", Callback: "https://senim.example/sms", Tokens: testTokens(t), OnReceipt: l.take})
	mac := g.mac(message.Ref)
	for _, q := range []string{"", "?ref=" + message.Ref + "&state=1", "?ref=" + message.Ref + "&mac=&state=1", "?ref=" + message.Ref + "&mac=" + strings.Repeat("0", 20) + "&state=1",
		"?ref=" + message.Ref + "&mac=" + mac, "?ref=" + message.Ref + "&mac=" + mac + "&state=7", "?ref=aaaaaaaaaaaaaaaaaaaa&mac=" + mac + "&state=1", "?mac=" + g.mac("") + "&state=1",
		"?ref=" + message.Ref + "&mac=" + strings.ToUpper(mac) + "&state=1"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if code := receive(t, g, method, "/sms"+q); code != http.StatusNotFound {
				t.Errorf("%s %q: %d", method, q, code)
			}
		}
	}
	if code := receive(t, g, http.MethodPut, "/sms?ref="+message.Ref+"&mac="+mac+"&state=1"); code != http.StatusNotFound {
		t.Errorf("PUT: %d", code)
	}
	if l.state != Accepted || l.changes != 0 {
		t.Errorf("%+v", l)
	}
	bounce := testTokens(t).mac("bounce", []byte(message.Ref))
	if mac == string(bounce) {
		t.Error("a bounce's token signs callbacks")
	}
}

// NT-32: a callback said again changes nothing again; nor does one that contradicts the end.
func TestNT32AReplayedCallbackChangesNothing(t *testing.T) {
	l := &ledger{state: Accepted}
	g := gateway(t, GatewayConfig{URL: "https://sms.example", Callback: "https://senim.example/sms", Tokens: testTokens(t), OnReceipt: l.take})
	signed := "/sms?ref=" + message.Ref + "&mac=" + g.mac(message.Ref) + "&state="
	for i, state := range []string{"8", "1", "1", "2", "16"} {
		if code := receive(t, g, http.MethodPost, signed+state); code != http.StatusOK {
			t.Errorf("callback %d: %d", i, code)
		}
	}
	if l.state != Delivered || l.changes != 1 {
		t.Errorf("%+v", l)
	}
	unknown := "abcdefabcdefabcdef00"
	if code := receive(t, g, http.MethodPost, "/sms?ref="+unknown+"&mac="+g.mac(unknown)+"&state=1"); code != http.StatusServiceUnavailable {
		t.Errorf("one that could not be kept: %d", code)
	}
}

func TestNewGatewayRefuses(t *testing.T) {
	good := GatewayConfig{URL: "https://sms.example/send", User: "u", Password: "p", From: "SENIM", Callback: "https://senim.example/sms", Tokens: testTokens(t),
		OnReceipt: func(context.Context, Receipt) error { return nil }}
	if _, err := NewGateway(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*GatewayConfig){
		"open":            func(c *GatewayConfig) { c.URL = "http://sms.example/send" },
		"password in URL": func(c *GatewayConfig) { c.URL = "https://u:p@sms.example/send" },
		"query":           func(c *GatewayConfig) { c.URL += "?x=1" },
		"no password":     func(c *GatewayConfig) { c.Password = "" },
		"two lines":       func(c *GatewayConfig) { c.Password = "p\r\nX-Kannel-To: +77" },
		"long sender":     func(c *GatewayConfig) { c.From = "SENIMSENIMSENIM" },
		"no tokens":       func(c *GatewayConfig) { c.Tokens = nil },
		"no reader":       func(c *GatewayConfig) { c.OnReceipt = nil },
		"open callback":   func(c *GatewayConfig) { c.Callback = "http://senim.example/sms" },
	} {
		c := good
		change(&c)
		if _, err := NewGateway(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	g := gateway(t, GatewayConfig{URL: "https://sms.example"})
	for name, m := range map[string]SMS{
		"short ref": {Ref: "abc", To: message.To, Text: "x"}, "ref of another kind": {Ref: "0123456789abcdef&mac", To: message.To, Text: "x"},
		"no phone": {Ref: message.Ref, To: "+7701123456700000", Text: "x"}, "no text": {Ref: message.Ref, To: message.To},
		"long text": {Ref: message.Ref, To: message.To, Text: strings.Repeat("ә", 135)},
	} {
		if _, o := g.Send(t.Context(), m); o.State != Failed {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

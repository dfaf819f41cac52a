package courier

import (
	"context"
	"crypto/hmac"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"senim/internal/gsm"
)

// GatewayConfig says through which HTTP gateway and as whom.
type GatewayConfig struct {
	// URL is the gateway's "sendsms" address; http only for a gateway on this machine.
	URL            string
	User, Password string
	// From is the sender's name, at most 11 ASCII characters, a short number, or a +number.
	From string
	// Callback is the address of [Gateway.Receipts] as the gateway reaches it; empty: no receipts.
	Callback string
	// Tokens sign the addresses that receipts come to. Required with Callback.
	Tokens *Tokens
	// OnReceipt gets what the gateway says later. Required with Callback.
	OnReceipt func(context.Context, Receipt) error
	// Get asks with GET, for gateways that do not know Kannel's POST: password, phone and text then
	// stand in the address, and so in the logs of whatever is on the way.
	Get bool
	// Timeout bounds one request; 30 s when zero.
	Timeout time.Duration
	// TLS is for private authorities; nil means the system's.
	TLS *tls.Config
}

// Gateway sends short messages through an HTTP gateway of Kannel's kind. It is safe for concurrent
// use.
type Gateway struct {
	c      GatewayConfig
	client *http.Client
}

// NewGateway checks the configuration. It does not connect.
func NewGateway(c GatewayConfig) (*Gateway, error) {
	if !safe(c.URL) || strings.ContainsAny(c.URL, "?#") {
		return nil, errors.New("new gateway: the URL is not https, or http on this machine, without a query")
	}
	if strange := func(r rune) bool { return r <= ' ' || r > '~' }; c.User == "" || c.Password == "" || strings.ContainsFunc(c.User+c.Password, strange) {
		return nil, errors.New("new gateway: user and password must be printable ASCII")
	}
	if _, err := source(c.From); err != nil {
		return nil, fmt.Errorf("new gateway: %w", err)
	}
	if c.Callback != "" && (!safe(c.Callback) || strings.ContainsAny(c.Callback, "?#%") || c.Tokens == nil || c.OnReceipt == nil) {
		return nil, errors.New("new gateway: the callback needs an https address without a query, tokens, and a reader")
	}
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	return &Gateway{c, &http.Client{
		Timeout: c.Timeout,
		// A connection of its own for each request: over a used one, net/http repeats a request that
		// got no answer, and the message would go twice.
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: c.TLS, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // not elsewhere with the password
	}}, nil
}

func safe(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.User == nil && u.Hostname() != "" && (u.Scheme == "https" || u.Scheme == "http" && local(u.Hostname()))
}

// Send hands over a message. The gateway names no parts: receipts come by the message's Ref. Only
// when the gateway was certainly not asked is it Throttled; an answer that is no answer is
// Uncertain.
func (g *Gateway) Send(ctx context.Context, m SMS) ([]string, Outcome) {
	shaped, err := gsm.Shape(m.Text, gsm.MaxParts)
	if err != nil || !checked(m) {
		return nil, Outcome{State: Failed}
	}
	var asked atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { asked.Store(true) }})
	req, err := g.request(ctx, m, shaped.Coding)
	if err != nil {
		return nil, Outcome{State: Failed}
	}
	r, err := g.client.Do(req)
	if err != nil { // its text holds the address asked, so it goes nowhere
		if !asked.Load() {
			return nil, Outcome{State: Throttled, After: linePause}
		}
		return nil, Outcome{State: Uncertain}
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(r.Body, 256))
	return nil, answered(r.StatusCode, string(text), err)
}

// answered reads what Kannel says: "0: Accepted for delivery" or "3: Queued for later delivery".
func answered(code int, text string, err error) Outcome {
	taken := strings.HasPrefix(text, "0:") || strings.HasPrefix(text, "3:")
	switch {
	case code >= 200 && code < 300 && err == nil && taken:
		return Outcome{State: Accepted, Code: code}
	case code == http.StatusTooManyRequests:
		return Outcome{State: Throttled, Code: code, After: throttlePause}
	case code >= 300 && code < 500:
		return Outcome{State: Failed, Code: code}
	}
	return Outcome{State: Uncertain, Code: code}
}

// values are what Kannel wants to know, by the names it has in an address.
func (g *Gateway) values(m SMS, coding byte) url.Values {
	v := url.Values{"username": {g.c.User}, "password": {g.c.Password}, "from": {g.c.From}, "to": {string(m.To)}, "coding": {"0"}}
	if coding != 0 {
		v.Set("coding", "2") // Kannel's number for UCS-2, not SMPP's
	}
	if g.c.Callback != "" {
		v.Set("dlr-mask", "31")
		v.Set("dlr-url", g.c.Callback+"?ref="+m.Ref+"&mac="+g.mac(m.Ref)+"&state=%d") // the gateway writes the state for %d
	}
	return v
}

func (g *Gateway) mac(ref string) string {
	return hex.EncodeToString(g.c.Tokens.mac("receipt", []byte(ref)))
}

func (g *Gateway) request(ctx context.Context, m SMS, coding byte) (*http.Request, error) {
	v := g.values(m, coding)
	if g.c.Get {
		v.Set("text", m.Text)
		v.Set("charset", "UTF-8")
		return http.NewRequestWithContext(ctx, http.MethodGet, g.c.URL+"?"+v.Encode(), nil)
	}
	// Kannel takes no form: what is not the text stands in header fields, and the alphabet nowhere
	// but here.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.c.URL, strings.NewReader(m.Text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "text/plain; charset=UTF-8")
	for name := range v {
		req.Header.Set("X-Kannel-"+name, v.Get(name))
	}
	return req, nil
}

// Receipts takes what the gateway says later of messages, at the address given as Callback. What is
// not signed by us, or says nothing, is "not found". When OnReceipt fails it answers 503.
func (g *Gateway) Receipts() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		state, known := kannelStates[q.Get("state")]
		ref := q.Get("ref")
		if g.c.Callback == "" || r.Method != http.MethodGet && r.Method != http.MethodPost || !known || len(ref) < 16 || !plainID(ref) ||
			!hmac.Equal([]byte(q.Get("mac")), []byte(g.mac(ref))) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		if err := g.c.OnReceipt(r.Context(), Receipt{Ref: ref, State: state}); err != nil {
			http.Error(w, "not kept: say it again", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
}

// kannelStates are the values of %d in Kannel's dlr-url.
var kannelStates = map[string]State{"1": Delivered, "2": Failed, "4": Accepted, "8": Accepted, "16": Failed}

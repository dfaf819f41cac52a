// Package statetest is the state's services for tests: servers made from their published shapes, which
// answer well until they are told to answer otherwise.
//
// [NewGateway] is the e-government gateway with the registers behind it, [NewTax] the tax committee's
// API, [NewOpen] open data. Each checks what it is asked and fails the test when that is not as published.
package statetest

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/dsig"
	"senim/internal/pkitest"
	"senim/internal/state"
	"senim/pki"
)

// Answer is what the gateway is about to send.
type Answer struct {
	Service string // that was asked
	Number  string // that was asked about

	ID, Correlation string
	At              time.Time
	Code            string
	Data            string // the document of the register
	Element         bool   // put as an element, not as a text
	SignData        bool   // the register signs its document too
	Signer          *pkitest.Leaf
	// Change rewrites the signed message; Raw, Status and Silence stand for it.
	Change  func(string) string
	Raw     string
	Status  int
	Silence time.Duration
	Break   bool // the connection is broken
}

// Gateway is a fake of SyncChannel. Safe for concurrent use.
type Gateway struct {
	URL    string
	Signer *pkitest.Leaf // of its answers

	t      testing.TB
	ours   *pkitest.Leaf
	now    func() time.Time
	mu     sync.Mutex
	data   map[string]string // under mu: by service and number
	twist  func(*Answer)     // under mu
	asked  int               // under mu
	number int               // under mu: of the next answer
	last   string            // under mu: the last message sent
}

// NewGateway starts one whose certificates come from an authority.
func NewGateway(t testing.TB, a *pkitest.Authority, now func() time.Time) *Gateway {
	t.Helper()
	g := &Gateway{t: t, Signer: a.InfoSystem(), ours: a.InfoSystem(), now: now, data: map[string]string{}}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	g.URL = server.URL + "/SyncChannel"
	return g
}

// Config is what senim needs to ask this gateway.
func (g *Gateway) Config() state.Gateway {
	return state.Gateway{URL: g.URL, Sender: "senim", Password: "quiet-word", Requestor: "009940000006", Key: g.ours.Key, Certificate: g.ours.Certificate,
		Signers: []*pki.Certificate{g.Signer.Certificate}, Legal: "GBDULINFO", Person: "GBDFLINFO", Mobile: "MCDB_SERVICE", OK: []string{"SCSS001"}}
}

// Put keeps what a service answers about a number.
func (g *Gateway) Put(service, number, document string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.data[service+" "+number] = document
}

// Twist changes every answer from now on; nil makes them good again.
func (g *Gateway) Twist(f func(*Answer)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.twist = f
}

// Asked counts the questions so far.
func (g *Gateway) Asked() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked
}

// Last is the last message that was sent, for whoever replays it.
func (g *Gateway) Last() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last
}

func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.asked++
	g.mu.Unlock()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	info, data, err := g.question(raw)
	if err != nil {
		g.t.Errorf("the gateway was asked wrongly: %v", err)
		http.Error(w, "wrong", http.StatusBadRequest)
		return
	}
	a := Answer{Service: text(info, "serviceId"), Number: number(data), Correlation: text(info, "messageId"), At: g.now(), Code: "SCSS001", Signer: g.Signer, Status: http.StatusOK}
	g.mu.Lock()
	g.number++
	a.ID = fmt.Sprintf("answer-%d", g.number)
	a.Data = g.data[a.Service+" "+a.Number]
	if a.Data == "" {
		a.Data = Nobody
	}
	if g.twist != nil {
		g.twist(&a)
	}
	g.mu.Unlock()
	if a.Silence > 0 {
		select {
		case <-r.Context().Done():
		case <-time.After(a.Silence):
		}
		return
	}
	if a.Break {
		panic(http.ErrAbortHandler)
	}
	message := a.Raw
	if message == "" {
		message = g.message(a)
	}
	g.mu.Lock()
	g.last = message
	g.mu.Unlock()
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, message)
}

// question checks the message as the gateway does: signed body, signed data in it, both by our system.
func (g *Gateway) question(raw []byte) (info, data *dsig.Element, err error) {
	doc, err := dsig.Parse(raw)
	if err != nil {
		return nil, nil, err
	}
	v, err := doc.VerifyBody()
	if err != nil {
		return nil, nil, err
	}
	request := v.Element.At("SendMessage", "request")
	info = request.Child("requestInfo")
	inner, err := dsig.Parse([]byte(request.At("requestData", "data").Text))
	if err != nil {
		return nil, nil, err
	}
	one, err := inner.VerifyOne()
	if err != nil {
		return nil, nil, err
	}
	for _, c := range []*pki.Certificate{v.Certificate, one.Certificate} {
		if c.SerialHex() != g.ours.Certificate.SerialHex() {
			return nil, nil, fmt.Errorf("signed by somebody else")
		}
	}
	if text(info, "sender", "senderId") != "senim" || text(info, "sender", "password") != "quiet-word" {
		return nil, nil, fmt.Errorf("an unknown sender")
	}
	return info, one.Element, nil
}

// message is the signed envelope of an answer.
func (g *Gateway) message(a Answer) string {
	data := a.Data
	if a.SignData {
		signed, err := dsig.SignEnveloped(rand.Reader, []byte(data), dsig.Options{Key: a.Signer.Key, Certificate: a.Signer.Certificate})
		if err != nil {
			g.t.Errorf("sign data: %v", err)
		}
		data = string(signed)
	}
	if !a.Element {
		data = strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(data)
	}
	correlation := ""
	if a.Correlation != "" {
		correlation = "<correlationId>" + a.Correlation + "</correlationId>"
	}
	envelope := `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><ns2:SendMessageResponse xmlns:ns2="http://bip.bee.kz/SyncChannel/v10/Types"><response>` +
		`<responseInfo><messageId>` + a.ID + `</messageId>` + correlation + `<responseDate>` + a.At.Format("2006-01-02T15:04:05.000-07:00") + `</responseDate>` +
		`<status><code>` + a.Code + `</code><message>Message has been processed</message></status><sessionId>{0a}</sessionId></responseInfo>` +
		`<responseData><data>` + data + `</data></responseData></response></ns2:SendMessageResponse></soap:Body></soap:Envelope>`
	signed, err := dsig.SignBody(rand.Reader, []byte(envelope), dsig.Options{Key: a.Signer.Key, Certificate: a.Signer.Certificate})
	if err != nil {
		g.t.Errorf("sign an answer: %v", err)
	}
	if a.Change != nil {
		return a.Change(string(signed))
	}
	return string(signed)
}

func text(e *dsig.Element, path ...string) string {
	if found := e.At(path...); found != nil {
		return found.Text
	}
	return ""
}

// number is what the question of any of the registers is about.
func number(e *dsig.Element) string {
	for _, name := range []string{"BIN", "iin", "uin"} {
		if n := text(e, name); n != "" {
			return n
		}
	}
	return ""
}

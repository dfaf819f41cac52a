// Package statetest is the state's services for tests: servers made from their published shapes, which
// answer well until they are told to answer otherwise.
//
// [NewGateway] is the e-government gateway with the registers behind it, [NewTax] the tax committee's
// API, [NewOpen] open data. Each checks what it is asked and fails the test when that is not as published.
package statetest

import (
	"crypto/rand"
	"errors"
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
	texts  int               // under mu: messages to people for their consent
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
		Signers: []*pki.Certificate{g.Signer.Certificate}, Legal: "GBDULINFO", Person: "GBDFLINFO", Mobile: "MCDB_SERVICE", OK: []string{"SCSS001"},
		Access: access, Company: "ТЕСТ", NoConsent: []string{NoConsent}}
}

// Put keeps what a service answers about a number.
func (g *Gateway) Put(service, number, document string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.data[service+" "+number] = document
}

// access is the service of access to personal data.
const access = "KDP_SERVICE"

// NoConsent is the code by which the register of persons says that a consent does not hold.
const NoConsent = "KDP001"

// Consent gives a person's consent, by the token that the register of persons will see; an empty one withdraws it.
func (g *Gateway) Consent(iin, token string) {
	document := "<status>PENDING</status>"
	if token != "" {
		document = "<status>VALID</status><code>" + token + "</code><publickey>key of " + token + "</publickey>"
	}
	g.Put(access, iin, document)
}

// Texts counts the messages that people were sent for their consent.
func (g *Gateway) Texts() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.texts
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
	switch {
	case a.Service == access:
		a.Element = true
		if a.Data == "" {
			a.Data = "<status>PENDING</status>"
		}
		if text(data, "omit-sms") == "false" {
			g.texts++
		}
	case data.Child("kdpToken") != nil && !g.consented(a.Number, data):
		a.Data = unconsented
	case a.Data == "":
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

// consented: the question carries the token the person gave, with its key. Under mu.
func (g *Gateway) consented(iin string, data *dsig.Element) bool {
	token := text(data, "kdpToken")
	return token != "" && g.data[access+" "+iin] == "<status>VALID</status><code>"+token+"</code><publickey>"+text(data, "publicKey")+"</publickey>"
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
	if sender := info.Child("sender"); text(sender, "senderId") != "senim" || text(sender, "password") != "quiet-word" {
		return nil, nil, fmt.Errorf("an unknown sender")
	}
	data = request.At("requestData", "data")
	if text(info, "serviceId") == access { // its fields stand in the message itself
		return info, data, g.signed(v.Certificate)
	}
	inner, err := dsig.Parse([]byte(data.Text))
	if err != nil {
		return nil, nil, err
	}
	one, err := inner.VerifyOne()
	if err != nil {
		return nil, nil, err
	}
	return info, one.Element, errors.Join(g.signed(v.Certificate), g.signed(one.Certificate))
}

// signed: by our system's key.
func (g *Gateway) signed(c *pki.Certificate) error {
	if c.SerialHex() != g.ours.Certificate.SerialHex() {
		return errors.New("signed by somebody else")
	}
	return nil
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

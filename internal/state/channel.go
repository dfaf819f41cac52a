package state

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"senim/dsig"
	"senim/internal/lang"
	"senim/internal/registry"
	"senim/pki"
)

// Gateway is the e-government gateway (ШЭП) and who we are there: the service SyncChannel, SOAP 1.1
// (registries.md §11.1).
type Gateway struct {
	// URL of SyncChannel, over https or on this machine.
	URL string
	// AllowHTTP takes another URL over http, too: for a gateway to which the way is sealed otherwise, by a VPN.
	AllowHTTP bool
	// Sender and Password are of our system in the gateway's register.
	Sender, Password string
	// Requestor is the BIN on whose behalf is asked.
	Requestor string
	// Key and Certificate sign our questions. Required.
	Key         crypto.Signer
	Certificate *pki.Certificate
	// Signers are the certificates that answers may be signed with, exactly these. Required.
	Signers []*pki.Certificate
	// Legal, Person and Mobile are the names of the services in the gateway's register; empty ones are off.
	Legal, Person, Mobile string
	// OK are the status codes of answers; Unknown those that say that a BIN is not registered
	// (031, 034, 035 by default).
	OK, Unknown []string
	// States tells what a status of an organisation means, by its code or its Russian name; one that
	// is not listed makes the answer unknown. See [DefaultStates].
	States map[string]registry.Status
	// PersonStates tells what statuses of a person mean; one that is not listed makes the answer unknown. See
	// [DefaultPersonStates].
	PersonStates map[string]PersonState
	// Skew is how far the gateway's clock may be behind ours; nothing by default.
	Skew time.Duration
	// Access is the name of the service of access to personal data (КДП), which asks a person for the consent that
	// the register of persons wants; empty: nobody can be asked for it.
	Access string
	// Company is the name of Requestor, as the person reads it in the message that asks for the consent.
	Company string
	// NoConsent are the codes by which the register of persons says that a consent does not hold.
	NoConsent []string
}

// Namespaces of the envelope.
const (
	spaceSOAP  = "http://schemas.xmlsoap.org/soap/envelope/"
	spaceTypes = "http://bip.bee.kz/SyncChannel/v10/Types"
)

// ahead is how far the gateway's clock may be before ours: no answer of another day.
const ahead = 5 * time.Minute

// channel is the way through the gateway. Safe for concurrent use.
type channel struct {
	Gateway
	s    *Services
	seen *otter.Cache[string, bool] // ids of answers, until they are too old to come again
}

func newChannel(s *Services, g Gateway) (*channel, error) {
	if g.Key == nil || g.Certificate == nil || len(g.Signers) == 0 || len(g.OK) == 0 {
		return nil, errors.New("the gateway needs a key with its certificate, trusted signers and the codes that are good")
	}
	if len(g.Unknown) == 0 {
		g.Unknown = []string{"031", "034", "035"}
	}
	if g.States == nil {
		g.States = DefaultStates()
	}
	if g.PersonStates == nil {
		g.PersonStates = DefaultPersonStates()
	}
	return &channel{Gateway: g, s: s, seen: otter.Must(&otter.Options[string, bool]{MaximumSize: 1 << 16, Executor: func(f func()) { f() },
		ExpiryCalculator: otter.ExpiryWriting[string, bool](ahead + g.Skew + time.Hour)})}, nil
}

// question is one message through the gateway.
type question struct {
	id   string
	asks time.Time
}

func (c *channel) question() (question, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return question{}, fmt.Errorf("number a question: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return question{h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], c.s.c.Now().Truncate(time.Millisecond)}, nil
}

// date is a moment as the gateway writes it.
func (q question) date() string {
	return q.asks.In(lang.Astana).Format("2006-01-02T15:04:05.000-07:00")
}

// ask sends data, signed, to a service behind the gateway and gives the root of what it answered and the
// moment of the answer. Everything given was signed by a trusted signer.
func (c *channel) ask(ctx context.Context, q question, service, data string) (*dsig.Element, time.Time, error) {
	inner, err := dsig.SignEnveloped(rand.Reader, []byte(data), dsig.Options{Key: c.Key, Certificate: c.Certificate})
	if err != nil {
		return nil, time.Time{}, fail(Failed, "our question could not be signed")
	}
	answer, at, err := c.send(ctx, q, service, `xsi:type="xs:string">`+escape(string(inner)))
	if err != nil {
		return nil, at, err
	}
	root, err := c.payload(answer)
	return root, at, err
}

// send carries a message with data, its type and content as XML, and gives the element data of the answer, nil when
// there is none, and the moment of the answer.
func (c *channel) send(ctx context.Context, q question, service, data string) (*dsig.Element, time.Time, error) {
	message, err := dsig.SignBody(rand.Reader, c.envelope(q, service, data), dsig.Options{Key: c.Key, Certificate: c.Certificate})
	if err != nil {
		return nil, time.Time{}, fail(Failed, "our message could not be signed")
	}
	status, raw, err := c.s.exchange(ctx, request{method: http.MethodPost, address: c.URL, body: message,
		header: http.Header{"Content-Type": {"text/xml; charset=utf-8"}, "Soapaction": {`""`}}})
	if err != nil {
		return nil, time.Time{}, err
	}
	doc, err := dsig.Parse(raw)
	if err != nil {
		if status != http.StatusOK {
			return nil, time.Time{}, refusal(status)
		}
		return nil, time.Time{}, fail(Unreadable, "the answer is no XML of the profile")
	}
	if fault := doc.RootWithoutSignatures().At("Body", "Fault"); fault != nil {
		return nil, time.Time{}, fail(Fault, "the gateway answers a fault "+faultCode(fault))
	}
	if status != http.StatusOK {
		return nil, time.Time{}, refusal(status)
	}
	body, err := doc.VerifyBody()
	if err != nil {
		return nil, time.Time{}, alarm(Unsigned, "the signature of the answer does not verify")
	}
	if err := c.trusted(body); err != nil {
		return nil, time.Time{}, err
	}
	return c.open(q, body.Element)
}

// trusted: the signature is by a configured certificate that is in force.
func (c *channel) trusted(v *dsig.Verified) error {
	now := c.s.c.Now()
	for _, one := range c.Signers {
		if bytes.Equal(one.Raw, v.Certificate.Raw) && !v.Weak && !now.Before(one.NotBefore) && !now.After(one.NotAfter) {
			return nil
		}
	}
	return alarm(Unsigned, "the answer is not signed by a trusted signer in force")
}

// open reads the body of an answer: that it answers this question, newly, and the data it carries.
func (c *channel) open(q question, body *dsig.Element) (*dsig.Element, time.Time, error) {
	none := time.Time{}
	message := body.Child("SendMessageResponse")
	if message == nil || message.Space != spaceTypes {
		return nil, none, fail(Unreadable, "the body holds no answer of SyncChannel")
	}
	response := message.Child("response")
	info, payload := response.At("responseInfo"), response.At("responseData", "data")
	if info == nil {
		return nil, none, fail(Unreadable, "the answer has no responseInfo")
	}
	at, err := time.Parse(time.RFC3339, textOf(info.Child("responseDate")))
	id, correlated := textOf(info.Child("messageId")), info.Child("correlationId")
	switch now := c.s.c.Now(); {
	case err != nil || id == "":
		return nil, none, fail(Unreadable, "the answer has no number or no date")
	case at.Before(q.asks.Add(-c.Skew)), at.After(now.Add(ahead)):
		return nil, none, alarm(Stale, "the answer is not newer than the question")
	case correlated != nil && textOf(correlated) != q.id:
		return nil, none, alarm(Stale, "the answer is to another question")
	}
	if _, fresh := c.seen.SetIfAbsent(id, true); !fresh {
		return nil, none, alarm(Stale, "an answer of this number came before")
	}
	if code := textOf(info.At("status", "code")); !slices.Contains(c.OK, code) {
		return nil, none, fail(Status, "the gateway answers status "+short(code))
	}
	return payload, at, nil
}

// payload is the data of an answer: an element, or a text that holds a document. A document may be
// signed too, by a trusted signer then.
func (c *channel) payload(data *dsig.Element) (*dsig.Element, error) {
	switch {
	case data == nil:
		return nil, fail(Unreadable, "the answer has no data")
	case len(data.Children) == 1:
		return data.Children[0], nil
	case len(data.Children) > 1:
		return nil, fail(Unreadable, "the answer has two data")
	}
	doc, err := dsig.Parse([]byte(strings.TrimSpace(data.Text)))
	if err != nil {
		return nil, fail(Unreadable, "the data of the answer are no XML of the profile")
	}
	v, err := doc.VerifyOne()
	switch {
	case errors.Is(err, dsig.ErrUnsigned):
		return doc.RootWithoutSignatures(), nil // the signature of the body covers it
	case err != nil:
		return nil, alarm(Unsigned, "the signature of the data does not verify")
	}
	return v.Element, c.trusted(v)
}

func (c *channel) envelope(q question, service, data string) []byte {
	var b bytes.Buffer
	put := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "<%s>%s</%s>", name, escape(value), name)
		}
	}
	fmt.Fprintf(&b, `<s:Envelope xmlns:s="%s"><s:Body><t:SendMessage xmlns:t="%s"><request><requestInfo>`, spaceSOAP, spaceTypes)
	put("messageId", q.id)
	put("serviceId", service)
	put("messageDate", q.date())
	b.WriteString("<sender>")
	put("senderId", c.Sender)
	put("password", c.Password)
	b.WriteString(`</sender></requestInfo><requestData><data xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema" `)
	b.WriteString(data)
	b.WriteString("</data></requestData></request></t:SendMessage></s:Body></s:Envelope>")
	return b.Bytes()
}

// faultCode is the code of a fault's detail; what else it says may repeat what was asked.
func faultCode(fault *dsig.Element) string {
	if detail := fault.Child("detail"); detail != nil && len(detail.Children) == 1 {
		return short(textOf(detail.Children[0].Child("errorCode")))
	}
	return ""
}

// short keeps a code for logs: letters and digits, no number of a person.
func short(code string) string {
	if len(code) > 10 || strings.ContainsFunc(code, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '_' && r != '-' && r != '.'
	}) {
		return "of another shape"
	}
	return code
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;")

// escape writes text for XML content.
func escape(s string) string { return escaper.Replace(s) }

// textOf is the text of an element that has no others in it; nothing of none.
func textOf(e *dsig.Element) string {
	if e == nil || len(e.Children) > 0 {
		return ""
	}
	return strings.TrimSpace(e.Text)
}

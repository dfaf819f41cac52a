// Package client is how a program renews keys in the cabinet without a browser: what the page of many
// keys does, as JSON.
//
// [New] names the cabinet; [Client.Challenge] and [Client.SignIn] begin a session, [Client.Start] opens a
// renewal of the keys whose certificates are given, [Client.Answer] gives back what the signing agent did
// for one of its steps; [Client.Keys] lists the keys of the person. A renewal lives on the server: who comes back signs in and finds it by
// [Client.List] where it stood.
//
// It follows no redirect, speaks https or to this machine alone, and reads at most 16 MiB of an answer.
// A client is one session; it is safe for concurrent use as http.Client is.
package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// The steps of a renewal, in their order.
const (
	StepKeys    = "keys"
	StepSign    = "sign"
	StepInstall = "install"
)

// Key is one key of a renewal.
type Key struct {
	Serial string `json:"serial"` // of the certificate that is renewed
	ID     string `json:"id"`     // of its application; empty when there is none
	// State is what it waits for: keys, sign, issuing, director, desk, install, done, or not when it is not
	// renewed, and then Reason is the code and Text says why.
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
	Text   string `json:"text,omitempty"`
}

// Step is what the agent is asked next: a call of kz.senim.keys, and the step its result answers.
type Step struct {
	Name string          `json:"name"`
	Call json.RawMessage `json:"call"`
}

// Factor says that a code is needed before the signatures.
type Factor struct {
	To   string `json:"to"`   // where it goes, masked
	Sent bool   `json:"sent"` // it is on its way
}

// Renewal is where a renewal of one or many keys stands.
type Renewal struct {
	ID      string  `json:"id"`
	Keys    []Key   `json:"keys"`
	Steps   []Step  `json:"steps"`
	Waiting bool    `json:"waiting"` // something goes on by itself: ask again
	Factor  *Factor `json:"factor,omitempty"`
}

// ListedKey is a key of the person that is not over.
type ListedKey struct {
	Certificate []byte `json:"certificate"`    // DER
	Held        bool   `json:"held,omitempty"` // on hold
}

// Listed is the keys of who signed in: with a key of an organisation, those in its name alone, as on the
// cabinet's page. More says that there are more than MaxListed.
type Listed struct {
	Keys []ListedKey `json:"keys"`
	More bool        `json:"more,omitempty"`
}

// MaxListed bounds the keys of one list.
const MaxListed = 500

// Challenge is what must be signed to sign in.
type Challenge struct {
	Challenge []byte `json:"challenge"`
}

// Refusal is the cabinet's no: a code of its catalogue, and the sentence for people.
type Refusal struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

func (r *Refusal) Error() string { return "the cabinet refuses: " + r.Code }

// NoAccount is the code for a person the cabinet does not know yet: he registers there first.
const NoAccount = "NO_ACCOUNT"

// Client is one session with a cabinet.
type Client struct {
	origin, lang string
	http         *http.Client
}

// New makes a client of the cabinet with this origin; texts come in lang. A nil transport is the usual one.
func New(origin, lang string, transport http.RoundTripper) (*Client, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return nil, errors.New("the cabinet is named by its origin, as https://cabinet.example.kz")
	}
	ip := net.ParseIP(u.Hostname())
	if here := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback(); u.Scheme != "https" && (u.Scheme != "http" || !here) {
		return nil, errors.New("the cabinet is reached by https")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Client{origin: origin, lang: lang, http: &http.Client{
		Jar: jar, Timeout: time.Minute, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Origin names the cabinet.
func (c *Client) Origin() string { return c.origin }

// Challenge begins a session.
func (c *Client) Challenge(ctx context.Context) ([]byte, error) {
	var out Challenge
	err := c.post(ctx, "/api/renewals/challenge", url.Values{}, &out)
	return out.Challenge, err
}

// SignIn brings the detached CMS signature (DER) over the challenge.
func (c *Client) SignIn(ctx context.Context, signature []byte) error {
	answer, err := json.Marshal([]string{base64.StdEncoding.EncodeToString(signature)})
	if err != nil {
		return err
	}
	return c.post(ctx, "/api/renewals/signin", url.Values{"answer": {string(answer)}}, nil)
}

// List gives the renewals of the person that are not at their end.
func (c *Client) List(ctx context.Context) ([]Renewal, error) {
	var out []Renewal
	return out, c.do(ctx, http.MethodGet, "/api/renewals", nil, &out)
}

// Start opens a renewal of the keys with these certificates (DER).
func (c *Client) Start(ctx context.Context, certificates [][]byte) (Renewal, error) {
	form := url.Values{}
	for _, der := range certificates {
		form.Add("certificate", base64.StdEncoding.EncodeToString(der))
	}
	var out Renewal
	return out, c.post(ctx, "/api/renewals", form, &out)
}

// Keys lists the person's keys that are not over, latest first.
func (c *Client) Keys(ctx context.Context) (Listed, error) {
	var out Listed
	if err := c.do(ctx, http.MethodGet, "/api/keys", nil, &out); err != nil {
		return Listed{}, err
	}
	if len(out.Keys) > MaxListed {
		return Listed{}, errors.New("the cabinet lists too many keys")
	}
	return out, nil
}

// Renewal reads one again.
func (c *Client) Renewal(ctx context.Context, id string) (Renewal, error) {
	var out Renewal
	return out, c.do(ctx, http.MethodGet, "/api/renewals/"+url.PathEscape(id), nil, &out)
}

// Answer brings the result of a step's call.
func (c *Client) Answer(ctx context.Context, id, step string, result any) (Renewal, error) {
	answer, err := json.Marshal(result)
	if err != nil {
		return Renewal{}, err
	}
	var out Renewal
	return out, c.post(ctx, "/api/renewals/"+url.PathEscape(id)+"/"+step, url.Values{"answer": {string(answer)}}, &out)
}

// Code sends the code that was typed; an empty one asks for a code to be sent.
func (c *Client) Code(ctx context.Context, id, code string) (Renewal, error) {
	var out Renewal
	return out, c.post(ctx, "/api/renewals/"+url.PathEscape(id)+"/code", url.Values{"code": {code}}, &out)
}

func (c *Client) post(ctx context.Context, path string, form url.Values, out any) error {
	return c.do(ctx, http.MethodPost, path, strings.NewReader(form.Encode()), out)
}

// maxAnswer bounds what is read of one answer.
const maxAnswer = 16 << 20

func (c *Client) do(ctx context.Context, method, path string, body io.Reader, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.origin+path, body)
	if err != nil {
		return fmt.Errorf("ask the cabinet: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Language", c.lang)
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the cabinet: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("read the cabinet's answer: %w", err)
	case len(b) > maxAnswer:
		return errors.New("the cabinet's answer is too long")
	case !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json"):
		return fmt.Errorf("the cabinet answers %s", resp.Status)
	case resp.StatusCode != http.StatusOK:
		no := &Refusal{}
		if err := json.Unmarshal(b, no); err != nil || no.Code == "" {
			return fmt.Errorf("the cabinet answers %s", resp.Status)
		}
		return no
	case out == nil:
		return nil
	}
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(out); err != nil {
		return fmt.Errorf("read the cabinet's answer: %w", err)
	}
	return nil
}

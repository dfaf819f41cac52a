package qr

import (
	"errors"
	"slices"
	"time"

	"senim/internal/auth"
	"senim/internal/mgov"
	"senim/internal/trust"
)

const (
	// Life is how long a phone may sign, and how long after that the page may go on.
	Life = 5 * time.Minute
	// keep is how long a request that is over stays, to be told "over" and not "unknown".
	keep = time.Hour
	// maxContent bounds everything that is handed out.
	maxContent = 2 << 20
)

// State is where a request stands.
type State string

// The states. A request that waits and is over has no state of its own: time says so.
const (
	Waiting   State = "waiting"
	Signed    State = "signed"
	Taken     State = "taken"
	Cancelled State = "cancelled"
)

// Item is one document that is handed out.
type Item struct {
	Method  mgov.Method
	Mime    string // of a file
	Content []byte
}

// Ask is what a page wants signed, and how its form goes on.
type Ask struct {
	// Purpose is that of a challenge, as "sign-in"; empty for a document.
	Purpose string
	// What is the act in the words of the page's button and in its language, shown where a purpose has
	// no words of its own.
	What string
	// IIN and BIN are who must sign; empty: anybody.
	IIN, BIN string
	// Items are what is handed out, in order.
	Items []Item
	// Action is the path of the form, Field its field for the answer, Fields its others; Back is the page.
	Action, Field, Back string
	Fields              map[string][]string
	// Digest of a challenge, so that another can be made for a new code.
	Digest string
	// Until bounds the life of the request below [Life]; zero does not.
	Until time.Time
}

func (a Ask) check() error {
	size := 0
	for _, i := range a.Items {
		size += len(i.Content)
		switch {
		case len(i.Content) == 0:
			return errors.New("ask for a signature by QR: an empty document")
		case i.Method != mgov.XML && i.Method != mgov.CMSWithData && i.Method != mgov.CMSSignOnly:
			return errors.New("ask for a signature by QR: a document without a method")
		}
	}
	if len(a.Items) == 0 || size > maxContent || a.Action == "" || a.Field == "" {
		return errors.New("ask for a signature by QR: nothing to sign, too much, or no form")
	}
	return nil
}

func (a Ask) purpose() string {
	if a.Purpose == "" {
		return "document"
	}
	return a.Purpose
}

// use is what the certificate must be for. Challenges beside that of sign-in are looked at by their pages.
func (a Ask) use() trust.Purpose {
	switch a.Purpose {
	case "":
		return trust.Signing
	case "sign-in":
		return trust.SignIn
	}
	return trust.Any
}

// method is that of the whole package.
func (a Ask) method() mgov.Method {
	first := a.Items[0].Method
	if slices.ContainsFunc(a.Items, func(i Item) bool { return i.Method != first }) {
		return mgov.Mix
	}
	return first
}

// Request is one request for a signature on a phone. It is a value: its methods give the next one.
type Request struct {
	// Handle names the request for its page, 256 random bits.
	Handle string
	// Code and Token are the hashes of the id in the addresses and of the token, Session of the browser's session.
	Code, Token, Session string
	Site                 string
	State                State
	Ask                  Ask
	// Answer is what was signed, one text for each document, as the signing agent gives it.
	Answer                []string
	Made, Expires, Signed time.Time
}

func newRequest(key []byte, site, sid string, a Ask, now time.Time) Request {
	h := random()
	r := Request{Handle: h, Code: hash("id", secret(key, "id", h)), Token: hash("token", secret(key, "token", h)), Session: hash("session", sid), Site: site,
		State: Waiting, Ask: a, Made: now.UTC().Truncate(time.Millisecond), Expires: now.UTC().Truncate(time.Millisecond).Add(Life)}
	if !a.Until.IsZero() && a.Until.Before(r.Expires) {
		r.Expires = a.Until.UTC()
	}
	return r
}

// Name names the request in records: it opens nothing.
func (r Request) Name() string { return r.Code[:16] }

func (r Request) of(site, sid string) bool {
	return sid != "" && r.Site == site && same(r.Session, hash("session", sid))
}

// Over reports whether nobody may sign any more because time has passed.
func (r Request) Over(now time.Time) bool { return r.State == Waiting && now.After(r.Expires) }

// Left is how long a phone may still sign.
func (r Request) Left(now time.Time) time.Duration { return max(0, r.Expires.Sub(now)) }

// open refuses a request that a phone may not sign at now.
func (r Request) open(now time.Time) error {
	switch {
	case r.State == Cancelled:
		return &auth.Refusal{Code: CodeCancelled}
	case r.State != Waiting:
		return &auth.Refusal{Code: CodeSigned}
	case r.Over(now):
		return &auth.Refusal{Code: CodeExpired}
	}
	return nil
}

// sign is the request with its answer.
func (r Request) sign(answer []string, now time.Time) (Request, error) {
	if err := r.open(now); err != nil {
		return r, err
	}
	r.State, r.Answer, r.Signed = Signed, answer, now.UTC().Truncate(time.Millisecond)
	return r, nil
}

// take is the request after its form had the answer: that form, in time, once.
func (r Request) take(path string, now time.Time) (Request, error) {
	switch {
	case r.Ask.Action != path:
		return r, ErrNotFound
	case r.State == Waiting && !r.Over(now):
		return r, &auth.Refusal{Code: CodeWaiting}
	case r.State == Cancelled:
		return r, &auth.Refusal{Code: CodeCancelled}
	case r.State == Taken:
		return r, &auth.Refusal{Code: CodeSigned}
	case r.State != Signed || now.Sub(r.Signed) > Life:
		return r, &auth.Refusal{Code: CodeExpired}
	}
	r.State, r.Answer, r.Ask.Items, r.Ask.Fields = Taken, nil, nil, nil
	return r, nil
}

func (r Request) cancel() (Request, error) {
	if r.State == Signed || r.State == Taken {
		return r, &auth.Refusal{Code: CodeSigned}
	}
	r.State, r.Ask.Items, r.Ask.Fields = Cancelled, nil, nil
	return r, nil
}

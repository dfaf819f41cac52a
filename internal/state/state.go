// Package state asks the state's own services who is who: the registers of legal entities and of
// persons and the mobile citizens base over the e-government gateway (ШЭП), the tax committee's public
// API, and open data.
//
// [New] makes [Services], a registry.Live. Every answer has three values: a service that is silent, says
// something else than was asked, or whose signature does not verify is unknown, with a code that says
// which. [Services.Names] gives names of open data, which prefill forms and decide nothing.
//
// It refuses: hosts other than the configured ones, redirects, answers over a mebibyte, XML with a DOCTYPE,
// gateway answers that are not signed by a configured certificate, older than the question, or seen before.
// Numbers, names and phones go into no log, error or audit record.
package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/registry"
)

// Codes of answers that could not be used.
const (
	Silent      = "LIVE_SILENT"       // no answer in time
	Unreachable = "LIVE_UNREACHABLE"  // no connection
	Failed      = "LIVE_FAILED"       // the service says that it failed
	Fault       = "LIVE_FAULT"        // a SOAP fault
	Status      = "LIVE_STATUS"       // a status that is not configured to be good
	Unreadable  = "LIVE_UNREADABLE"   // not of the published shape
	Unsigned    = "LIVE_SIGNATURE"    // not signed by a trusted signer
	Stale       = "LIVE_STALE"        // older than the question, or seen before
	OtherNumber = "LIVE_OTHER_NUMBER" // about somebody else
	NewStatus   = "LIVE_NEW_STATUS"   // it says something of the person that is not known here
	Token       = "LIVE_TOKEN"        // the service does not know our token
	Busy        = "LIVE_BUSY"         // too many questions wait
	Open        = "LIVE_OPEN"         // it failed too often; not asked for a while
	Unrecorded  = "LIVE_UNRECORDED"   // the audit took nothing
)

// Config says which services are asked; nil ones are off.
type Config struct {
	Gateway *Gateway
	Tax     *Tax
	Open    *OpenData
	// Rules say which test identities may stand in answers.
	Rules ident.Rules
	// Bounds of every service; zero fields have their defaults.
	Bounds Bounds
	// Audit records that a question was answered; required: what cannot be recorded is unknown.
	Audit func(ctx context.Context, e audit.Event) error
	// Consents keeps people's consents; required where they can be asked for one (Gateway.Access).
	Consents Consents
	// Hash is the keyed hash of a number, for the audit. Required.
	Hash func(string) string
	// Transport carries the questions; the default one of this package when nil.
	Transport http.RoundTripper
	// Log takes alerts; nothing by default.
	Log *slog.Logger
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Services are the state services of an installation. Safe for concurrent use.
type Services struct {
	c       Config
	http    *http.Client
	legal   *line[registry.Legal]
	persons *line[registry.Person]
	phones  *line[registry.MobileContact]
	tax     *line[registry.Taxpayer]
	names   *line[Names]
	// consents is the way to the service of access to personal data.
	consents *line[consent]
	gateway  *channel
	asker    string // personal number of who asks; empty: the system
}

// By is the same services for a person who asks: the records name him by a keyed hash.
func (s *Services) By(asker string) registry.Live {
	one := *s
	one.asker = asker
	return &one
}

var _ registry.Live = (*Services)(nil)

// New checks the configuration.
func New(c Config) (*Services, error) {
	if c.Audit == nil || c.Hash == nil {
		return nil, errors.New("new state services: no audit or no hash")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Consents == nil && c.Gateway != nil && c.Gateway.Access != "" {
		return nil, errors.New("new state services: nowhere to keep consents")
	}
	c.Bounds = c.Bounds.orDefault()
	s := &Services{c: c}
	hosts, err := c.hosts()
	if err != nil {
		return nil, fmt.Errorf("new state services: %w", err)
	}
	transport := c.Transport
	if transport == nil {
		transport = c.Bounds.transport()
	}
	s.http = &http.Client{Transport: only{hosts, transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if g := c.Gateway; g != nil {
		if s.gateway, err = newChannel(s, *g); err != nil {
			return nil, fmt.Errorf("new state services: %w", err)
		}
	}
	s.legal = newLine[registry.Legal](s, registry.SourceLegal)
	s.persons = newLine[registry.Person](s, registry.SourcePersons)
	s.phones = newLine[registry.MobileContact](s, registry.SourceMobile)
	s.tax = newLine[registry.Taxpayer](s, registry.SourceTax)
	s.names = newLine[Names](s, SourceOpen)
	s.consents = newLine[consent](s, sourceConsents)
	return s, nil
}

// hosts are where questions may go: those of the configured addresses and nowhere else.
func (c Config) hosts() (map[string]bool, error) {
	var all []string
	if c.Gateway != nil {
		all = append(all, c.Gateway.URL)
	}
	if c.Tax != nil {
		all = append(all, c.Tax.URL)
	}
	if c.Open != nil {
		all = append(all, c.Open.Stat, c.Open.Data)
	}
	hosts := map[string]bool{}
	for _, one := range all {
		if one == "" {
			continue
		}
		u, err := url.Parse(one)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
			return nil, errors.New("an address is not scheme://host/path")
		}
		hosts[u.Scheme+"://"+u.Host] = true
	}
	if g := c.Gateway; g != nil && (g.URL == "" || !g.AllowHTTP && !confidential(g.URL)) {
		return nil, errors.New("the gateway is asked over https only: people's numbers go there, and a password")
	}
	if c.Tax != nil && !confidential(c.Tax.URL) || c.Open != nil && c.Open.Key != "" && !confidential(c.Open.Data) {
		return nil, errors.New("a token goes over https only")
	}
	return hosts, nil
}

// confidential: nobody between reads what is sent.
func confidential(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost")
}

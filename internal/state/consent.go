package state

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/registry"
)

// consentLife is for how long a consent is asked: a registration with its letter takes less.
const consentLife = 30 * time.Minute

// sourceConsents names the service of consents in logs and records.
const sourceConsents = "consent"

// consentGiven is the status of an answer that carries a consent; no other opens anything.
const consentGiven = "VALID"

// consent is what the register of persons wants to see: the person's token and its key.
type consent struct{ token, key string }

func needed() error {
	return &trouble{code: registry.ConsentNeeded, why: "the register of persons wants the person's consent", calm: true}
}

// Consents keeps consents for all nodes of an installation; the store does. A person is named by his number.
type Consents interface {
	// Consent gives the one that holds now.
	Consent(ctx context.Context, iin string) (token, key string, ok bool, err error)
	KeepConsent(ctx context.Context, iin, token, key string, until time.Time) error
	DropConsent(ctx context.Context, iin string) error
	// MayAsk notes that a person is sent the message that asks for one, unless he was sent one within pause, or day
	// of them within a day.
	MayAsk(ctx context.Context, iin string, pause time.Duration, day int) (may bool, err error)
	// NotAsked takes the last note of MayAsk back: the message was not sent.
	NotAsked(ctx context.Context, iin string) error
}

// How often one person may be sent the message that asks for a consent.
const (
	asksPause = time.Minute
	asksDay   = 5
)

// CanAskConsent reports that people can be asked for the consent the register of persons wants.
func (s *Services) CanAskConsent() bool {
	return s.gateway != nil && s.gateway.Access != "" && s.gateway.Gateway.Person != ""
}

// AskConsent has the state's service send a person the message that asks for his consent to look at his record. It
// reports true when the consent is there already. [registry.ErrAskedLately] keeps people from being sent many.
func (s *Services) AskConsent(ctx context.Context, iin ident.IIN) (given bool, err error) {
	if !s.CanAskConsent() {
		return false, errors.New("ask for a consent: no service does")
	}
	may, err := s.c.Consents.MayAsk(ctx, string(iin), asksPause, asksDay)
	if err != nil {
		return false, fmt.Errorf("ask for a consent: %w", err)
	}
	if !may {
		return false, fmt.Errorf("ask for a consent: %w", registry.ErrAskedLately)
	}
	given, err = s.consentOf(ctx, iin, true)
	if t, ok := errors.AsType[*trouble](err); ok && t.unsent() {
		// Noted before and taken back after: what ends in between leaves a message too few, never one too many.
		if back := s.c.Consents.NotAsked(context.WithoutCancel(ctx), string(iin)); back != nil {
			err = errors.Join(err, fmt.Errorf("ask for a consent: %w", back))
		}
	}
	return given, err
}

// ConsentGiven looks whether a person has given the consent meanwhile; nothing is sent to him.
func (s *Services) ConsentGiven(ctx context.Context, iin ident.IIN) (bool, error) {
	if !s.CanAskConsent() {
		return false, nil
	}
	return s.consentOf(ctx, iin, false)
}

// consentOf asks the service, and records a message that was sent: the person himself asks for it.
func (s *Services) consentOf(ctx context.Context, iin ident.IIN, send bool) (bool, error) {
	_, err := s.gateway.access(ctx, iin, send)
	t, _ := errors.AsType[*trouble](err)
	result := "ok"
	switch {
	case t != nil && t.code == registry.ConsentNeeded:
		err = nil // it is asked for, and not there yet
	case t != nil:
		if result = t.code; t.alert {
			s.c.Log.Error("ALERT: a state service answered what must not be used", "service", sourceConsents, "code", t.code, "why", t.why)
		}
	case err != nil:
		result = Failed
	}
	if send {
		recorded := s.c.Audit(ctx, audit.Event{Action: "registry.consent.asked", Actor: s.c.Hash(string(iin)), Object: s.c.Hash(string(iin)), Result: result,
			Detail: map[string]string{"source": registry.SourcePersons}})
		err = errors.Join(err, recorded)
	}
	if err != nil {
		return false, fmt.Errorf("ask about a consent: %w", err)
	}
	return t == nil, nil
}

// consent is a person's consent: the one that is kept, or the one the service knows of when a gate asks. Nobody is
// sent a message for it.
func (c *channel) consent(ctx context.Context, iin ident.IIN, gate bool) (consent, error) {
	if c.Access == "" {
		return consent{}, needed()
	}
	token, key, ok, err := c.s.c.Consents.Consent(ctx, string(iin))
	switch {
	case err != nil:
		return consent{}, fail(Failed, "the consent that is kept could not be read")
	case ok:
		return consent{token, key}, nil
	case !gate:
		return consent{}, needed()
	}
	given, err := c.access(ctx, iin, false)
	if t, ok := errors.AsType[*trouble](err); ok {
		other := *t
		other.calm = true // the register of persons, whose line this is, did nothing wrong
		err = &other
	}
	return given, err
}

// access asks the service of access to personal data for a consent, with or without a message to the person: on a line
// of its own, so that pages that wait for a consent take no turn of the gates.
func (c *channel) access(ctx context.Context, iin ident.IIN, send bool) (consent, error) {
	a, err := c.s.consents.through(ctx, func(ctx context.Context) (a registry.Answer[consent], err error) {
		a.Value, err = c.askAccess(ctx, iin, send)
		return a, err
	})
	return a.Value, err
}

// askAccess is the question itself. Its answer names no person: that it answers this question is said by the envelope.
func (c *channel) askAccess(ctx context.Context, iin ident.IIN, send bool) (given consent, err error) {
	q, err := c.question()
	if err != nil {
		return given, err
	}
	data, _, err := c.send(ctx, q, c.Access, `xsi:type="getUserDataRequest"><uin>`+escape(string(iin))+`</uin><company>`+escape(c.Company)+
		`</company><company_bin>`+escape(c.Requestor)+`</company_bin><access_name>`+escape(c.Gateway.Person)+`</access_name><personal_data_name></personal_data_name><expiresIn>`+
		strconv.FormatInt(consentLife.Milliseconds(), 10)+`</expiresIn><omit-sms>`+strconv.FormatBool(!send)+`</omit-sms>`)
	if err != nil {
		return given, err
	}
	if data == nil || len(data.All("status")) != 1 || len(data.All("code")) > 1 || len(data.All("publickey")) > 1 {
		return given, fail(Unreadable, "the data are no answer of the service of access to personal data")
	}
	given = consent{textOf(data.Child("code")), textOf(data.Child("publickey"))}
	if textOf(data.Child("status")) != consentGiven || given.token == "" {
		return consent{}, needed()
	}
	if err := c.s.c.Consents.KeepConsent(ctx, string(iin), given.token, given.key, c.s.c.Now().Add(consentLife)); err != nil {
		c.s.c.Log.Error("state service: a consent could not be kept; it is asked about again", "service", sourceConsents, "error", err)
	}
	return given, nil
}

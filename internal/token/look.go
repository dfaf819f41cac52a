package token

import (
	"errors"
	"fmt"
)

// Plugged is a token a driver sees, and what it shows to everybody.
type Plugged struct {
	Label  string `json:"label"`
	Serial string `json:"serial,omitempty"`
	// Low, Final and Locked are what the token says of its PIN: one was wrong, one try is left, none is.
	Low    bool `json:"low,omitempty"`
	Final  bool `json:"final,omitempty"`
	Locked bool `json:"locked,omitempty"`
	// Certificates are those of its public objects that have an identifier, at most [MaxCertificates].
	Certificates []Certificate `json:"certificates,omitempty"`
	// Problem says why it cannot be read, or not all of it; empty when it can. The others are shown all the same.
	Problem string `json:"problem,omitempty"`
}

// Certificate is one on a token, with the identifier it shares with its key.
type Certificate struct {
	ID  []byte `json:"id"`
	DER []byte `json:"der"`
}

// Bounds of what is shown; more is not. A certificate is [MaxCertificate] bytes at most.
const (
	MaxTokens       = 16
	MaxCertificates = 32 // of one token: the old ones stay
	MaxCertificate  = 4 << 10
	maxProblem      = 200
)

// Look asks the driver which tokens are plugged in and what they show without a PIN. Of the
// configuration it needs the program and the driver.
func Look(c Config) ([]Plugged, error) {
	if c.Program == "" || c.Module == "" {
		return nil, errors.New("look for tokens: program and module are wanted")
	}
	c.complete()
	p, err := launch(c)
	if err != nil {
		return nil, err
	}
	a, err := p.ask(request{Op: opLook, Module: c.Module}, c.Timeout)
	if err == nil {
		err = a.failure()
	}
	if ended := p.end(); err == nil {
		err = ended
	}
	if err != nil {
		return nil, fmt.Errorf("look for tokens: %w", err)
	}
	for i := range a.Plugged {
		a.Plugged[i].Problem = clean(a.Plugged[i].Problem, nil, maxProblem)
	}
	return a.Plugged, nil
}

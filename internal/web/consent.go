package web

import (
	"context"
	"errors"

	"senim/internal/ident"
	"senim/internal/registry"
)

// Consents asks people for the consent that the register of persons wants before it tells of them; the state services do.
type Consents interface {
	// AskConsent has the person sent a message that asks for it; true when it is given already. Its error is
	// [registry.ErrAskedLately] when he was sent one a moment ago.
	AskConsent(ctx context.Context, iin ident.IIN) (given bool, err error)
	// ConsentGiven looks whether it is given; nobody is sent anything.
	ConsentGiven(ctx context.Context, iin ident.IIN) (bool, error)
}

// WantsConsent reports by the evidence of a check that it stayed unknown for want of the person's consent.
func WantsConsent(evidence map[string]string) bool {
	return evidence["cause"] == registry.ConsentNeeded
}

// AskConsent has the message sent, and reports that one is on its way: that now, or one of a moment ago.
func AskConsent(ctx context.Context, c Consents, iin ident.IIN) bool {
	_, err := c.AskConsent(ctx, iin)
	return err == nil || errors.Is(err, registry.ErrAskedLately)
}

// ConsentView is the page that waits for a person's consent. It changes nothing: going on is the person's own act.
type ConsentView struct {
	// Stands is how it stands: waits, given or unknown.
	Stands string
	// Back is where the person came from, Ask sends the message again.
	Back, Ask string
	// Go goes on once it is given, by a form with the value Act when there is one.
	Go, Act string
}

// LookForConsent says how it stands. Where look is false the service is not asked: it was a moment ago.
func LookForConsent(ctx context.Context, c Consents, iin ident.IIN, look bool) string {
	if !look {
		return "waits"
	}
	switch given, err := c.ConsentGiven(ctx, iin); {
	case err != nil:
		return "unknown"
	case given:
		return "given"
	}
	return "waits"
}

// refresh is how often the page looks for the answer, in seconds; 0 once it is there.
func (v ConsentView) refresh() int {
	if v.Stands == "given" {
		return 0
	}
	return 5
}

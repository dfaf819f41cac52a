package ra

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"senim/internal/ident"
	"senim/internal/trust"
)

// FactorKind is a way to prove a second time who one is (cabinet.md §9).
type FactorKind string

// The kinds.
const (
	// FactorSMS sends a code to the person's phone in the mobile citizens base.
	FactorSMS FactorKind = "sms"
	// FactorEmail sends it to the address confirmed at least [FactorAge] ago.
	FactorEmail FactorKind = "email"
	// FactorDocument takes the code of a digital document; there must be [FactorConfig.Documents].
	FactorDocument FactorKind = "egov-document"
	// FactorNone, alone, asks nothing.
	FactorNone FactorKind = "none"
)

// The acts that need a second factor; what one is passed for is named "act:what", as
// "reissue:2611-2700-0015-r1" ([Application.FactorAbout], [Revocation.FactorAbout]).
const (
	ActReissue    = string(Reissue)
	ActFirstHead  = string(FirstHead)
	ActEmployee   = string(Employee)
	ActRevocation = "revocation" // of somebody else's key
	ActDelegation = "delegation"
)

// Bounds of codes (cabinet.md §9) and of what they open.
const (
	FactorTTL    = 5 * time.Minute
	FactorTries  = 5
	FactorResend = time.Minute
	FactorPerDay = 5
	// FactorAge is how long an address must have been confirmed to serve as the factor.
	FactorAge = 24 * time.Hour
	// FactorPass is how long a passed factor counts for what it was passed for.
	FactorPass = time.Hour
)

// Documents checks codes shown by digital documents, as those of eGov Mobile. It is bounded in time
// by itself and answers unknown rather than failing.
type Documents interface {
	Code(ctx context.Context, iin ident.IIN, code string) trust.Verdict
}

// FactorConfig says which second factor is asked for; the zero value asks none.
type FactorConfig struct {
	// Kinds in the order they are offered.
	Kinds []FactorKind
	// For are the acts that need it; all of them by default.
	For []string
	// Documents is the adapter for [FactorDocument].
	Documents Documents
}

func (c FactorConfig) check() error {
	for i, k := range c.Kinds {
		switch {
		case k != FactorSMS && k != FactorEmail && k != FactorDocument && k != FactorNone:
			return fmt.Errorf("second factor: unknown kind %q", k)
		case k == FactorNone && len(c.Kinds) > 1:
			return errors.New("second factor: none goes alone")
		case k == FactorDocument && c.Documents == nil:
			return errors.New("second factor: egov-document needs an adapter, and none is set")
		case slices.Contains(c.Kinds[:i], k):
			return fmt.Errorf("second factor: %s twice", k)
		}
	}
	for _, act := range c.For {
		if !slices.Contains(factorActs(), act) {
			return fmt.Errorf("second factor: unknown act %q", act)
		}
	}
	return nil
}

func factorActs() []string {
	return []string{ActReissue, ActFirstHead, ActEmployee, ActRevocation, ActDelegation}
}

// needs reports whether what about names needs a second factor.
func (c FactorConfig) needs(about string) bool {
	act, _, _ := strings.Cut(about, ":")
	return len(c.Kinds) > 0 && c.Kinds[0] != FactorNone && (len(c.For) == 0 || slices.Contains(c.For, act))
}

var factorAbout = regexp.MustCompile(`^[a-z-]{1,20}:[0-9A-Za-z-]{1,80}$`)

// FactorAbout names this revision of an application for the second factor.
func (a *Application) FactorAbout() string {
	return string(a.Kind) + ":" + FormatNumber(a.Number) + "-r" + itoa(a.Revision)
}

// FactorAbout names the revocation, and those asked for in the same act, for the second factor.
func (v Revocation) FactorAbout() string {
	all := v.With
	if len(all) == 0 {
		all = []string{v.Serial}
	}
	all = slices.Sorted(slices.Values(all))
	return ActRevocation + ":" + hexSum([]byte(strings.Join(all, "\n")))
}

// FactorAbout names the giving of this delegation, or its end, for the second factor.
func (d Delegation) FactorAbout(end bool) string {
	if end {
		return ActDelegation + ":" + d.ID + "-end"
	}
	return ActDelegation + ":" + d.ID
}

// FactorAbout names the dismissal for the second factor: it revokes another person's keys.
func (d Dismissal) FactorAbout() string { return ActRevocation + ":" + d.ID }

// Factor is one code that was asked for, and what became of it.
type Factor struct {
	// Handle names it; it is random and no secret.
	Handle string
	IIN    string
	About  string
	Kind   FactorKind
	// Sum is the keyed hash of the code; empty for a document's.
	Sum  string
	Sent time.Time
	// Wrong counts the wrong codes; PassedAt is zero until the right one came.
	Wrong    int
	PassedAt time.Time
	// Exempt: a non-resident, of whom no code is asked.
	Exempt bool
}

// Expires is when the code ends.
func (f Factor) Expires() time.Time { return f.Sent.Add(FactorTTL) }

// Left is how many codes may still be tried.
func (f Factor) Left() int { return max(0, FactorTries-f.Wrong) }

// Open reports whether a code may still be typed.
func (f Factor) Open(now time.Time) bool {
	return f.PassedAt.IsZero() && f.Left() > 0 && now.Before(f.Expires())
}

// passed reports whether it was passed, and not too long ago.
func (f Factor) passed(now time.Time) bool {
	return !f.PassedAt.IsZero() && now.Sub(f.PassedAt) <= FactorPass
}

// closed says why no code is taken any more; nil while one is.
func (f Factor) closed(now time.Time) error {
	switch {
	case !f.PassedAt.IsZero():
		return refuse("CODE_USED")
	case f.Left() == 0:
		return refuse("CODE_EXHAUSTED", "until", f.Sent.Add(FactorResend).UTC().Format(time.RFC3339))
	case !now.Before(f.Expires()):
		return refuse("CODE_EXPIRED")
	}
	return nil
}

// try counts one typed code, of which right tells whether it was the one.
func (f *Factor) try(right bool, now time.Time) error {
	if err := f.closed(now); err != nil {
		return err
	}
	if right {
		f.PassedAt = now
		return nil
	}
	f.Wrong++
	if err := f.closed(now); err != nil {
		return err
	}
	return refuse("CODE_WRONG", "n", itoa(f.Left()))
}

// same compares a typed code's hash in constant time.
func (f Factor) same(sum string) bool {
	return f.Sum != "" && subtle.ConstantTimeCompare([]byte(f.Sum), []byte(sum)) == 1
}

// mayStart bounds how often codes are asked for: of one matter once a minute, of all five in a day. had are
// the person's of the last day, latest first.
func mayStart(had []Factor, about string, now time.Time) error {
	had = slices.DeleteFunc(slices.Clone(had), func(f Factor) bool { return f.Exempt })
	for _, f := range had {
		if f.About != about {
			continue
		}
		if again := f.Sent.Add(FactorResend); now.Before(again) {
			return refuse("CODE_SOON", "n", itoa(int((again.Sub(now)+time.Second-1)/time.Second)))
		}
		break
	}
	if len(had) >= FactorPerDay {
		return refuse("CODE_LIMIT", "until", had[FactorPerDay-1].Sent.Add(24*time.Hour).UTC().Format(time.RFC3339))
	}
	return nil
}

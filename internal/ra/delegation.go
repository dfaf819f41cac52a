package ra

import (
	"slices"
	"strings"
	"time"
)

// The powers a delegation gives.
const (
	PowerConfirm = "confirm"
	PowerRevoke  = "revoke"
)

// Ending is why a delegation is over.
type Ending string

// The endings. A term that has run out ends it even before anybody writes that down.
const (
	EndTerm         Ending = "term"
	EndWithdrawn    Ending = "withdrawn"
	EndKey          Ending = "key"
	EndHeadChanged  Ending = "head-changed"
	EndDismissed    Ending = "dismissed"
	EndEntityClosed Ending = "entity-ended"
)

// Delegation lets an employee confirm or revoke instead of the head.
type Delegation struct {
	// ID is random, 32 hex digits; it makes what is signed different each time.
	ID                string
	BIN, Organization string
	// Head gave it; nobody else can, and it lives no longer than he heads the organisation.
	Head string
	// IIN and Name are the employee's, from his certificate.
	IIN, Name   string
	Powers      []string
	From, Until time.Time
	Made        time.Time
	// Signed is the document with the head's signature, Serial his certificate.
	Signed []byte
	Serial string
	// Ended is empty while nothing but its term ends it.
	Ended     Ending
	EndedAt   time.Time
	EndSigned []byte
}

// Living reports whether the delegation counts at a moment, for all that it says itself. Who uses
// it also asks whether its head still heads and its holder's key is valid: [Office.StandingOf].
func (d Delegation) Living(at time.Time) bool {
	return d.EndedAt.IsZero() && !at.Before(d.From) && at.Before(d.Until)
}

// Over reports whether it will never count again.
func (d Delegation) Over(at time.Time) bool { return !d.EndedAt.IsZero() || !at.Before(d.Until) }

// Allows reports whether a power was given.
func (d Delegation) Allows(power string) bool { return slices.Contains(d.Powers, power) }

// gives reports whether by itself it gives a power, or any when power is empty, in an organisation at a
// moment.
func (d Delegation) gives(bin, power string, at time.Time) bool {
	return bin != "" && d.BIN == bin && (power == "" || d.Allows(power)) && d.Living(at)
}

// Check refuses what no head may give: no power or an unknown one, a term that is over, begins
// before today, or is longer than a year; and a delegation to himself.
func (d Delegation) Check(now time.Time) error {
	if d.IIN == d.Head {
		return refuse("DELEGATE_SELF")
	}
	known := []string{PowerConfirm, PowerRevoke}
	for i, p := range d.Powers {
		if !slices.Contains(known, p) || slices.Contains(d.Powers[:i], p) {
			return refuse("DELEGATION_POWERS")
		}
	}
	switch {
	case len(d.Powers) == 0:
		return refuse("DELEGATION_POWERS")
	case !d.From.Before(d.Until), !now.Before(d.Until), now.Sub(d.From) > 24*time.Hour, d.Until.After(d.From.AddDate(1, 0, 1)):
		return refuse("DELEGATION_TERM")
	}
	return nil
}

// End ends it before its term, once.
func (d *Delegation) End(why Ending, at time.Time) error {
	if !d.EndedAt.IsZero() {
		return refuse("DELEGATION_ENDED", "date", d.EndedAt.UTC().Format(time.RFC3339))
	}
	d.Ended, d.EndedAt = why, at
	return nil
}

// due says what has ended a delegation by now: its term, or the loss of its holder's last valid key
// with the right to sign. Empty while it goes on.
func (d Delegation) due(keys []Key, now time.Time) Ending {
	switch {
	case !now.Before(d.Until):
		return EndTerm
	case !d.held(keys, now) && !d.paused(keys, now):
		return EndKey
	}
	return ""
}

// held reports whether the holder has a valid key with the right to sign of this organisation.
func (d Delegation) held(keys []Key, now time.Time) bool { return d.heldAt(keys, now) >= 0 }

// paused reports that such a key is on hold: the delegation gives nothing until that is lifted, and ends with the key.
func (d Delegation) paused(keys []Key, now time.Time) bool {
	return slices.ContainsFunc(keys, func(k Key) bool {
		return k.onHold() && k.BIN == d.BIN && !now.After(k.NotAfter) && k.Role() == RoleSignRight && k.signs()
	})
}

// heldAt is the place of that key; -1 when there is none. A key for sign-in alone is not one.
func (d Delegation) heldAt(keys []Key, now time.Time) int {
	return slices.IndexFunc(keys, func(k Key) bool { return k.BIN == d.BIN && k.Live(now) && k.Role() == RoleSignRight && k.signs() })
}

// Document is the XML the head signs: act is "give" or "end".
func (d Delegation) Document(act, origin string) string {
	var b strings.Builder
	b.WriteString(`<delegation version="1" act="` + escape(act) + `">`)
	for _, f := range [][2]string{{"id", d.ID}, {"bin", d.BIN}, {"organization", d.Organization}, {"head", d.Head}, {"iin", d.IIN}, {"name", d.Name},
		{"powers", strings.Join(d.Powers, " ")}, {"from", d.From.UTC().Format(time.RFC3339)}, {"until", d.Until.UTC().Format(time.RFC3339)},
		{"time", d.Made.UTC().Format(time.RFC3339)}, {"origin", origin}} {
		element(&b, f[0], f[1])
	}
	b.WriteString("</delegation>")
	return b.String()
}

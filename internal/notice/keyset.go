package notice

import (
	"time"

	"senim/internal/lang"
)

// KeySet is the certificates issued by one application: one, or a pair. One reminder speaks of all.
type KeySet struct {
	// ID names the set for good. Serials are those of all its certificates, ID among them.
	ID      string
	Serials []string
	// Capacity is the same for sets of one person in one capacity (IIN, BIN, role) and only for
	// those. It is compared, and kept nowhere.
	Capacity string
	Legal    bool
	// Head: a key of the organisation's head, whose application no person confirms.
	Head     bool
	Issued   time.Time
	NotAfter time.Time
	// SignIn and Signing say what the set's certificates are for, together.
	SignIn, Signing bool
	Revoked         bool
	// Held: every certificate of the set is on hold. Reminders go on when the hold is lifted.
	Held bool
	// Ended is not empty when the person may not act any more in this capacity: "dismissed",
	// "head-changed", "liquidated", "excluded" (dead, or excluded from the registry of persons).
	Ended string
	// Others are the living sets of the same capacity; the set itself may be among them. Their own Others
	// are empty.
	Others []KeySet

	// To is the confirmed e-mail of the person, or of the organisation's key set; empty when
	// there is none. EmailBad: letters to it come back. Unsubscribed: he wants no reminders there.
	To           string
	EmailBad     bool
	Unsubscribed bool
	// Phone is where short messages go: the person's, for an organisation its head's; empty for none.
	// PhoneUnknown: the registry could not tell now.
	Phone        string
	PhoneLang    lang.Tag // of who has it; empty when it is not known
	PhoneUnknown bool
	Lang         lang.Tag
	// Name, Org and Role fill the text; Link leads to the cabinet.
	Name, Org, Role, Link string
}

// Reasons why a reminder is not sent. KeySet.Ended is one too.
const (
	Successor    = "successor"
	Revoked      = "revoked"
	OnHold       = "hold"
	Unsubscribed = "unsubscribed"
	NoAddress    = "no-address"
	BadAddress   = "bad-address"
	NoPhone      = "no-phone"
	// byMail: letters arrive, so the head of an organisation gets no short message (D2).
	byMail = "by-mail"
)

// Stop gives the reason why nobody is reminded of a set (notifications.md §2.1), empty when they
// are. Others are the sets of the same capacity, set itself may be among them. Successors live longer,
// are neither revoked nor on hold, and together cover the same use.
func Stop(set KeySet, others []KeySet) string {
	switch {
	case set.Revoked:
		return Revoked
	case set.Ended != "":
		return set.Ended
	}
	var signIn, signing, later bool
	for _, o := range others {
		if o.ID != set.ID && o.Capacity == set.Capacity && !o.Revoked && !o.Held && o.NotAfter.After(set.NotAfter) {
			later, signIn, signing = true, signIn || o.SignIn, signing || o.Signing
		}
	}
	switch {
	case later && (signIn || !set.SignIn) && (signing || !set.Signing):
		return Successor
	case set.Held:
		return OnHold
	}
	return ""
}

// stop is [Stop] by a channel: who wants no letters still gets short messages.
func stop(set KeySet, c Channel) string {
	why := Stop(set, set.Others)
	if why == "" && c == Email && set.Unsubscribed {
		why = Unsubscribed
	}
	return why
}

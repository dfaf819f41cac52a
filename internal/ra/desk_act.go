package ra

import (
	"slices"
	"strings"
	"time"
)

// What a desk does to a key.
const (
	// ActHold and ActLift take two operators.
	ActHold = "hold"
	ActLift = "lift"
	// ActRevoke takes one, after he identified the holder.
	ActRevoke = "revoke"
)

// ActState is where an act stands.
type ActState string

// The states; the last three are final.
const (
	ActDraft    ActState = "draft"   // not signed
	ActWaiting  ActState = "waiting" // for a second operator
	ActDecided  ActState = "decided" // and not carried out yet
	ActDone     ActState = "done"
	ActRejected ActState = "rejected"
	ActExpired  ActState = "expired" // nobody decided in time
)

// KeyAct is something done to a key at a desk.
type KeyAct struct {
	ID, Serial, Act string
	// IIN is the holder's. Document is the number of the paper he was identified by, or of the order
	// that asks for the act.
	IIN, Document string
	// Reason is a name of RFC 5280; certificateHold for a hold, empty when one is lifted. Text is why.
	Reason, Text string
	State        ActState
	// Made is by the operator who began, Decided by the second.
	Made, Decided Mark
	By            string // IIN of who began
	// Hold is since when the hold stands that is to be lifted: a later one is not this act's.
	Hold time.Time
	// Void is why an act that was decided could not be carried out any more; "" when it was.
	Void string
	// At is the moment of revocation as the authority gave it.
	At, Created, Changed time.Time
}

// late reports that nobody may sign the act any more: a draft ends sooner than what waits for its second operator.
func (k KeyAct) late(draft, confirm time.Duration, at time.Time) bool {
	switch k.State {
	case ActDraft:
		return at.Sub(k.Created) > draft
	case ActWaiting:
		return at.Sub(k.Made.At) > confirm
	case ActDecided, ActDone, ActRejected, ActExpired:
	}
	return false
}

// DeskReasons are the reasons operators may revoke for (cabinet.md §11).
func DeskReasons() []string { return []string{"keyCompromise", "affiliationChanged", "unspecified"} }

// XML is what an operator signs on a site: do is "record" or "confirm". Its time is when the act was begun, for the
// second operator when the first signed.
func (k KeyAct) XML(do, origin string) string {
	var b strings.Builder
	put := func(name, value string) {
		b.WriteString("<" + name + ">" + escape(value) + "</" + name + ">")
	}
	b.WriteString(`<key-act version="1">`)
	put("do", do)
	put("id", k.ID)
	put("act", k.Act)
	put("serial", k.Serial)
	put("iin", k.IIN)
	put("document", k.Document)
	put("reason", k.Reason)
	put("text", k.Text)
	at := k.Created
	if do == "confirm" {
		at = k.Made.At
		put("first", k.Made.Hash)
	}
	put("time", at.UTC().Format(time.RFC3339))
	put("origin", origin)
	b.WriteString("</key-act>")
	return b.String()
}

// check refuses an act that the rules do not know, or that the key's state makes void.
func (k KeyAct) check(by Operator, key Key) error {
	hold := !key.RevokedAt.IsZero() && key.Reason == "certificateHold"
	switch {
	case by.IIN == "" || by.IIN == k.IIN:
		return refuse("OPERATOR_SELF")
	case !documentNumber(k.Document):
		return refuse("DOCUMENT_INVALID")
	case longest(k.Text) > MaxReason:
		return refuse("REASON_LONG")
	case !key.RevokedAt.IsZero() && !hold:
		return refuse("ALREADY_REVOKED", "date", key.RevokedAt.UTC().Format(time.RFC3339))
	}
	switch k.Act {
	case ActRevoke:
		if !slices.Contains(DeskReasons(), k.Reason) {
			return refuse("REASON_INVALID")
		}
		if k.Reason == "unspecified" && k.Text == "" {
			return refuse("REASON_REQUIRED")
		}
		return nil
	case ActHold:
		if hold {
			return refuse("ALREADY_ON_HOLD")
		}
	case ActLift:
		if !hold {
			return refuse("NOT_ON_HOLD")
		}
	default:
		return refuse("REASON_INVALID")
	}
	if k.Text == "" {
		return refuse("REASON_REQUIRED")
	}
	return nil
}

// Record keeps the signature of who began. A revocation needs nobody else.
func (k *KeyAct) Record(by Operator, key Key, signed []byte, at time.Time) error {
	if err := k.check(by, key); err != nil {
		return err
	}
	if k.State != ActDraft {
		return refuse("ACT_STATE")
	}
	if k.By != by.IIN {
		return refuse("NOT_EXAMINED")
	}
	k.Made, k.State, k.Changed = Mark{by, at, signed, hexSum(signed)}, ActWaiting, at
	if k.Act == ActRevoke {
		k.State = ActDecided
	}
	return nil
}

// Confirm keeps the signature of another operator.
func (k *KeyAct) Confirm(by Operator, key Key, signed []byte, at time.Time) error {
	if k.State != ActWaiting {
		return refuse("ACT_STATE")
	}
	if err := k.check(by, key); err != nil {
		return err
	}
	if k.Made.IIN == by.IIN {
		return refuse("SAME_OPERATOR")
	}
	k.Decided, k.State, k.Changed = Mark{by, at, signed, hexSum(signed)}, ActDecided, at
	if k.Act == ActLift {
		k.Hold = key.RevokedAt
	}
	return nil
}

// Reject ends an act that waits; any operator but the holder may.
func (k *KeyAct) Reject(by Operator, at time.Time) error {
	if by.IIN == k.IIN {
		return refuse("OPERATOR_SELF")
	}
	if k.State != ActWaiting && k.State != ActDraft {
		return refuse("ACT_STATE")
	}
	k.Decided, k.State, k.Changed = Mark{Operator: by, At: at}, ActRejected, at
	return nil
}

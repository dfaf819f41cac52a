package registry

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"senim/internal/ident"
	"senim/internal/paper"
)

// State is where a clerk's change of head stands.
type State string

// The states: a draft is signed by the clerk who made it and then waits for another, who confirms
// or rejects it.
const (
	Draft     State = "draft"
	Waiting   State = "waiting"
	Confirmed State = "confirmed"
	Rejected  State = "rejected"
)

// Clerk is who acts at the desk: the holder of an operator's certificate.
type Clerk struct {
	IIN ident.IIN
	// Serial is of the certificate he signs with.
	Serial string
}

// Change is a change of head recorded by one clerk and confirmed by another (registries.md §10).
type Change struct {
	// ID is random, 32 hex digits; it makes what is signed different each time.
	ID string
	Leader
	// Former is the head the registry named when the change was made; empty when none.
	Former ident.IIN
	// Document is the number of the order or decision.
	Document string
	// Scan is a scan of it; the zero Scan in changes of before scans were kept.
	Scan  paper.Scan
	State State

	Made      time.Time
	MadeBy    Clerk
	Decided   time.Time
	DecidedBy Clerk
	// MadeXML and DecidedXML are the change as each clerk signed it.
	MadeXML, DecidedXML []byte
	// Load is the number of the load it became.
	Load int64
}

// Refusal is why a clerk's act is refused; Code is a key of desk texts.
type Refusal struct{ Code string }

func (r *Refusal) Error() string { return "change of head: " + r.Code }

// Codes of a [Refusal].
const (
	NumberInvalid = "NUMBER_INVALID"
	FieldMissing  = "FIELD_REQUIRED"
	FieldInvalid  = "FIELD_INVALID" // too long, or no plain text
	DateInvalid   = "DATE_INVALID"
	SameHead      = "SAME_HEAD"     // he heads it already
	ClerkIsParty  = "CLERK_PARTY"   // a clerk is the old or the new head
	SameClerk     = "SAME_CLERK"    // who made it may not confirm it
	NotWaiting    = "CHANGE_STATE"  // it was decided meanwhile
	HeadMoved     = "HEAD_MOVED"    // the registry names another former head by now
	NotTheMaker   = "NOT_THE_MAKER" // another clerk's draft
	ScanMissing   = "SCAN_MISSING"
	ScanTooLarge  = "SCAN_TOO_LARGE"
	ScanInvalid   = "SCAN_INVALID" // neither PDF nor JPEG nor PNG
)

// party refuses a clerk who is the old or the new head, or was when the change was made.
func (c Change) party(k Clerk) error {
	if k.IIN == "" || k.IIN == c.IIN || k.IIN == c.Former {
		return &Refusal{ClerkIsParty}
	}
	return nil
}

// sign moves a draft to waiting.
func (c Change) sign(by Clerk, at time.Time, xml []byte) (Change, error) {
	switch {
	case c.State != Draft:
		return c, &Refusal{NotWaiting}
	case by.IIN != c.MadeBy.IIN:
		return c, &Refusal{NotTheMaker}
	}
	if err := c.party(by); err != nil {
		return c, err
	}
	c.State, c.Made, c.MadeBy, c.MadeXML = Waiting, at, by, xml
	return c, nil
}

// decide confirms or rejects a waiting change. Who made it may reject it, and not confirm it.
func (c Change) decide(by Clerk, at time.Time, confirm bool, xml []byte) (Change, error) {
	if c.State != Waiting {
		return c, &Refusal{NotWaiting}
	}
	c.State = Rejected
	if confirm {
		c.State = Confirmed
		if by.IIN == c.MadeBy.IIN || by.Serial == c.MadeBy.Serial {
			return c, &Refusal{SameClerk}
		}
		if err := c.party(by); err != nil {
			return c, err
		}
	}
	c.Decided, c.DecidedBy, c.DecidedXML = at, by, xml
	return c, nil
}

// XML is the change as a clerk signs it: act is "record" or "confirm". Every field stands in it, so
// nothing can be changed between the signatures.
func (c Change) XML(act string) []byte {
	var b strings.Builder
	b.WriteString(`<headChange xmlns="urn:senim:registry:1"`)
	fmt.Fprintf(&b, ` act="%s" id="%s">`, escape(act), escape(c.ID))
	fields := [][2]string{
		{"bin", string(c.BIN)}, {"iin", string(c.IIN)}, {"surname", c.Surname}, {"name", c.Name}, {"patronymic", c.Patronymic},
		{"position", c.Position}, {"appointedOn", string(c.AppointedOn)}, {"document", c.Document}, {"formerHead", string(c.Former)},
		{"recordedBy", string(c.MadeBy.IIN)},
	}
	if c.Scan.Hash != "" {
		fields = append(fields, [2]string{"documentScan", c.Scan.Hash})
	}
	for _, f := range fields {
		fmt.Fprintf(&b, "<%s>%s</%s>", f[0], escape(f[1]), f[0])
	}
	b.WriteString("</headChange>")
	return []byte(b.String())
}

// escape writes text for XML content and attributes; control characters were refused before.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}

func newID(random []byte) string { return hex.EncodeToString(random) }

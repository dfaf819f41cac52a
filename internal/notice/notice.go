// Package notice knows what Senim says to people: which message, in which language, when, and when
// not any more. It sends nothing itself: a [Courier] brings letters, a [Texter] short messages.
//
// Work packages put a [Message] into the transaction of the change it speaks about with the Notify
// method of their transaction. [Sender] sends it from there, once, and takes what comes back: reports
// of letters, receipts of short messages, readers who want no more reminders. [Render] makes the
// letter, [RenderShort] the short message. [Scanner] plans the reminders before a key expires.
package notice

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"senim/internal/lang"
)

// Message asks for one letter to one address.
type Message struct {
	// N is the number of the text, as "N-05" (notifications.md §3 and §6). Required.
	N string
	// Channel is how it goes; empty is [Email].
	Channel Channel
	// To is an e-mail address, or the phone of an [SMS] in E.164 form. Required. It is kept
	// encrypted and never logged.
	To string
	// Lang is the reader's language; empty when unknown: Kazakh, then Russian, in one letter.
	Lang lang.Tag
	// Vars are the values of the text's {placeholders}. Dates and times are given as written for
	// people, links are whole https addresses. Kept encrypted.
	Vars map[string]string
	// Key makes the message one of its kind: a second one with the same key is dropped. Required;
	// see [Key].
	Key string
	// Expires is when a code or a link in it dies: it is not sent afterwards. Zero: never.
	Expires time.Time
	// About names what the message speaks about, as "keyset:17", so that [Sender] can ask again
	// just before sending whether it is still true. Empty when nothing can make it untrue.
	About string
}

// Channel is the way a message goes.
type Channel string

// The channels. One N may have a text for each (N-12, N-14, N-21).
const (
	Email Channel = "" // by SMTP
	SMS   Channel = "sms"
)

// Key makes an idempotency key (rule I1) from the number, the subject's id, the stage or the event's
// id, and the address: 64 hex digits that tell nothing of them.
func Key(n, subject, event, to string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{"senim-notice/1", n, subject, event, to}, "\x00")))
	return hex.EncodeToString(sum[:])
}

// Identity is what makes a message one of its kind in the outbox: its key, and for a short message
// the channel too, so that one event may use one key for both.
func (m Message) Identity() string {
	if m.Channel == Email {
		return m.Key
	}
	return Key(string(m.Channel), m.Key, "", "")
}

// Kind is the job that sends a message of the outbox; its payload is [Job].
const Kind = "notice.send"

// Job is the payload of [Kind].
type Job struct {
	ID int64 `json:"id"`
}

// State is where a message of the outbox stands.
type State string

// The states. A worker claims a Waiting message as Sending, so that two never send it. Throttled is
// only of outcomes: nothing was taken. Nothing follows Stopped, Failed and Delivered but a report of a
// letter that came back; after Uncertain nobody may send again but an operator (rule I2), though a
// receipt still tells how it ended.
const (
	Waiting   State = "waiting"
	Sending   State = "sending"
	Throttled State = "throttled" // not now: nothing was sent
	Sent      State = "sent"      // the mail server, or the message centre, has it
	Delivered State = "delivered" // the phone has it
	Uncertain State = "uncertain" // it may have been sent
	Stopped   State = "stopped"   // not true any more, or not wanted
	Failed    State = "failed"    // refused for good, undeliverable, or tried too often
)

// Check reports what keeps a message from being written down.
func (m Message) Check() error {
	switch {
	case m.N == "" || m.Key == "" || m.To == "":
		return fmt.Errorf("message %q: number, address and key are required", m.N)
	case strings.ContainsAny(m.To, "\r\n"):
		return fmt.Errorf("message %s: address of more than one line", m.N)
	case m.Channel != Email && m.Channel != SMS:
		return fmt.Errorf("message %s: no channel %q", m.N, m.Channel)
	}
	return nil
}

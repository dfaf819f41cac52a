package notice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"senim/internal/audit"
	"senim/internal/lang"
)

// KeySets tells the [Scanner] of certificates; the authority and the registration office know.
type KeySets interface {
	// Due calls f with the sets of a window that its stage was not examined of, some hundreds at a
	// time, by their end, and stops at f's first error. Revoked sets and those on hold are among them.
	// There may be very many: it keeps no more than one batch.
	Due(ctx context.Context, w Window, f func([]KeySet) error) error
	// KeySet reads one set, with its phone when c asks for one; ErrNotFound when there is none.
	KeySet(ctx context.Context, id string, c Channel) (KeySet, error)
}

// ScanKind is the job that looks for reminders that are due; ask for it every few minutes.
const ScanKind = "notice.scan"

// maxErrors bounds how many failures of one scan are told.
const maxErrors = 100

// ScannerConfig is what a [Scanner] needs.
type ScannerConfig struct {
	Store Store
	Sets  KeySets
	Plan  Plan
	// Beside is asked about messages that are not of the scanner; nil: those are always true.
	Beside Still
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Scanner plans the reminders of expiry: each stage of each key set is looked at once, whoever and
// how often asks. It also is the [Still] of the reminders it planned.
type Scanner struct {
	c ScannerConfig

	mu sync.Mutex
	// Under mu: the windows of the last scan that left nothing open, and when it was.
	done   []Window
	doneAt time.Time
}

// again is how long what was looked at whole is believed to have nothing new: keys issued to end within days.
const again = time.Hour

// NewScanner joins the outbox and the key sets.
func NewScanner(c ScannerConfig) *Scanner {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Scanner{c: c}
}

// Do is the handler of [ScanKind] jobs.
func (s *Scanner) Do(ctx context.Context, _ []byte) error { return s.Scan(ctx) }

// Scan puts every reminder that is due into the outbox. A set that fails does not stop the others;
// the errors come back together.
func (s *Scanner) Scan(ctx context.Context) error {
	now := s.c.Now()
	windows := s.c.Plan.Windows(now)
	s.mu.Lock()
	defer s.mu.Unlock() // a second scan of this process waits, and finds it done
	if now.Sub(s.doneAt).Abs() < again && slices.Equal(windows, s.done) {
		return nil
	}
	var errs []error
	open := false
	for _, w := range windows {
		err := s.c.Sets.Due(ctx, w, func(sets []KeySet) error {
			decided := make([]decision, 0, len(sets))
			for _, set := range sets {
				if d := s.c.Plan.decide(set, w, now); d.later {
					open = true // left for the next scan
				} else {
					decided = append(decided, d)
				}
			}
			failed := s.batch(ctx, w, decided, now)
			errs = append(errs, failed[:min(len(failed), maxErrors-len(errs))]...)
			return ctx.Err()
		})
		if err != nil {
			return errors.Join(append(errs, fmt.Errorf("scan for reminders: %w", err))...)
		}
	}
	if len(errs) == 0 && !open {
		s.done, s.doneAt = windows, now
	}
	return errors.Join(errs...)
}

// batch writes down what was decided about a stage of some sets, in one transaction; when that fails, each
// in its own.
func (s *Scanner) batch(ctx context.Context, w Window, decided []decision, now time.Time) []error {
	err := s.c.Store.UpdateMany(ctx, func(tx Tx) error { return s.examine(ctx, tx, w, decided, now) })
	if err == nil || ctx.Err() != nil {
		return nil
	}
	var errs []error
	for i, d := range decided {
		err := s.c.Store.Update(ctx, func(tx Tx) error { return s.examine(ctx, tx, w, decided[i:i+1], now) })
		if err != nil {
			errs = append(errs, fmt.Errorf("remind of key set %s: %w", d.set.ID, err))
		}
	}
	return errs
}

// examine notes the stage of the sets, once for ever, and does what was decided about those it is the first to.
func (s *Scanner) examine(ctx context.Context, tx Tx, w Window, decided []decision, now time.Time) error {
	if len(decided) == 0 {
		return nil
	}
	var serials []string
	for _, d := range decided {
		serials = append(serials, d.set.Serials...)
	}
	first, err := tx.ExamineAll(ctx, w.Stage, serials, now)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, d := range decided {
		if !first[d.set.ID] || d.quiet {
			continue
		}
		e := audit.Event{Action: "notice.planned", Actor: "system", Object: "keyset:" + d.set.ID, Result: "ok",
			Detail: map[string]string{"n": d.message.N, "stage": w.Stage}}
		if what, counted := map[string]string{"": countReminded, NoAddress: countNoContact}[d.why]; counted {
			counts[what]++
		}
		if d.why != "" {
			e.Action, e.Result = "notice.stopped", d.why
		} else if err := tx.Notify(ctx, d.message); err != nil {
			return err
		}
		if err := tx.Audit(ctx, e); err != nil {
			return err
		}
	}
	for what, n := range counts {
		if err := tx.Count(ctx, dayOf(now), what, n); err != nil {
			return err
		}
	}
	return nil
}

// decision is what becomes of one stage of one set.
type decision struct {
	set     *KeySet
	message Message
	// why is the reason there is no message; empty when there is one.
	why string
	// quiet: nothing was to be said, so nothing is recorded.
	quiet bool
	// later: it could not be told now.
	later bool
}

// decide applies the rules of notifications.md §2. Letters that come back are replaced by short messages
// where there is a phone (I5); an organisation's head gets one only when there is no working address (D2).
func (p Plan) decide(set KeySet, w Window, now time.Time) decision {
	d := decision{set: &set, why: stop(set, w.Channel)}
	if set.NotAfter.Before(w.From) || !set.NotAfter.Before(w.To) {
		d.quiet = true // one of its certificates ends a day later than the set
		return d
	}
	working := set.To != "" && !set.EmailBad
	channel := w.Channel
	if d.why == "" {
		switch {
		case channel == SMS && set.Legal && working && !p.SMSAlways:
			d.why, d.quiet = byMail, true
		case channel == Email && set.To == "":
			d.why = NoAddress
		case channel == Email && set.EmailBad:
			channel = SMS
		}
	}
	if d.why == "" && channel == SMS && set.Phone == "" {
		d.later = set.PhoneUnknown
		d.why = NoPhone
		if w.Channel == Email {
			d.why = BadAddress
		}
	}
	d.message = reminder(set, w.Stage, channel, now)
	return d
}

// reminder is the message of a stage.
func reminder(set KeySet, stage string, c Channel, now time.Time) Message {
	m := Message{N: "N-01", Channel: c, To: set.To, Lang: set.Lang, About: "keyset:" + set.ID, Vars: map[string]string{"date": Day(set.NotAfter)}}
	switch {
	case c == SMS:
		m.N, m.To, m.About = "N-02", set.Phone, "keyset-sms:"+set.ID
		if set.Legal {
			m.N, m.Lang, m.Vars["org"] = "N-04", set.PhoneLang, set.Org // its reader is the head
		}
	case set.Legal:
		m.N, m.Vars["org"], m.Vars["role"], m.Vars["advice"] = "N-03", set.Org, set.Role, "@notice.n03.advice_staff"
		if set.Head {
			m.Vars["advice"] = "@notice.n03.advice_head"
		}
		fallthrough
	default:
		m.Vars["days"], m.Vars["name"], m.Vars["link"] = strconv.Itoa(lang.DaysLeft(now, set.NotAfter)), set.Name, set.Link
	}
	m.Key = Key(m.N, set.ID, stage, m.To)
	return m
}

// Still is asked just before a reminder is sent.
func (s *Scanner) Still(ctx context.Context, about string) (string, error) {
	kind, id, _ := strings.Cut(about, ":")
	c := Email
	switch kind {
	case "keyset":
	case "keyset-sms":
		c = SMS
	default:
		if s.c.Beside == nil {
			return "", nil
		}
		return s.c.Beside.Still(ctx, about)
	}
	set, err := s.c.Sets.KeySet(ctx, id, c)
	if errors.Is(err, ErrNotFound) {
		return "gone", nil
	}
	if err != nil {
		return "", fmt.Errorf("check key set %s: %w", id, err)
	}
	if lang.DaysLeft(s.c.Now(), set.NotAfter) < 1 {
		return "expired", nil // waited too long in the outbox
	}
	return stop(set, c), nil
}

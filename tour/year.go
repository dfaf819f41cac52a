package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/internal/lang"
	"senim/internal/robot"
)

// message is a letter of the mail box.
type message struct {
	ID      int       `json:"id"`
	To      []string  `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	Time    time.Time `json:"time"`
}

// short is a short message there.
type short struct {
	ID   int       `json:"id"`
	To   string    `json:"to"`
	Text string    `json:"text"`
	Time time.Time `json:"time"`
}

// year is story D: a year passes on the virtual clock; every message is read and counted.
func (t *tour) year() error {
	t.say(storyD + ": who is reminded, and when")
	var letters []message
	var texts []short
	first, err := t.messages(&letters, &texts)
	if err != nil {
		return err
	}
	begun := time.Now() // the virtual clock is the real one until its first step
	for month := range 12 {
		t.next("Month %d", month+1)
		if _, err := robot.Post(t.ctx, t.sys.Mailbox+"/clock", "application/x-www-form-urlencoded", []byte("step=month")); err != nil {
			return err
		}
		had, rung := len(letters), len(texts)
		if _, err := t.messages(&letters, &texts); err != nil {
			return err
		}
		t.note("%d letters, %d short messages", len(letters)-had, len(texts)-rung)
		for _, l := range letters[had:] {
			t.note("  %s  %s  «%s»", lang.RU.DateTime(l.Time), strings.Join(l.To, ", "), l.Subject)
		}
	}
	letters, texts = after(letters, first.letters, func(m message) int { return m.ID }), after(texts, first.texts, func(m short) int { return m.ID })
	// What the other stories did is told a moment later, or at the end of the quiet hours, and reminds nobody.
	kept := func(at time.Time) bool {
		hour := at.In(lang.Astana).Hour()
		return hour != 10 && at.Before(begun.Add(time.Minute)) || hour == 9 && at.Before(begun.Add(24*time.Hour))
	}
	letters = slices.DeleteFunc(letters, func(m message) bool { return kept(m.Time) })
	texts = slices.DeleteFunc(texts, func(m short) bool { return kept(m.Time) })
	if err := sound(letters, texts); err != nil {
		return err
	}
	return t.counted(letters, texts)
}

// places are the newest messages of a moment.
type places struct{ letters, texts int }

// messages reads the mail box, oldest first, and says which are the newest.
func (t *tour) messages(letters *[]message, texts *[]short) (p places, err error) {
	for path, to := range map[string]any{"/letters.json": letters, "/sms.json": texts} {
		b, err := robot.Get(t.ctx, t.sys.Mailbox+path)
		if err != nil {
			return p, err
		}
		if err := json.Unmarshal(b, to); err != nil {
			return p, fmt.Errorf("read %s: %w", path, err)
		}
	}
	if len(*letters) > 0 {
		p.letters = (*letters)[0].ID // newest first
	}
	if len(*texts) > 0 {
		p.texts = (*texts)[0].ID
	}
	slices.Reverse(*letters)
	slices.Reverse(*texts)
	return p, nil
}

// after keeps what came after a place.
func after[M any](all []M, place int, id func(M) int) []M {
	return slices.DeleteFunc(all, func(m M) bool { return id(m) <= place })
}

// sound fails for a message with a hole, at another hour than that of reminders, or that came twice on one day.
func sound(letters []message, texts []short) error {
	seen := map[string]bool{}
	one := func(to, said string, at time.Time) error {
		switch key := to + lang.RU.Date(at) + said; {
		case strings.ContainsAny(said, "{}[]") || strings.Contains(said, "@notice."):
			return fmt.Errorf("a hole in what %s reads: %s", to, said)
		case at.In(lang.Astana).Hour() != 10:
			return fmt.Errorf("at %s, not at ten, %s reads: %s", lang.RU.DateTime(at), to, said)
		case seen[key]:
			return fmt.Errorf("twice on one day %s reads: %s", to, said)
		default:
			seen[key] = true
			return nil
		}
	}
	for _, l := range letters {
		if err := one(strings.Join(l.To, ","), l.Subject+"\n"+l.Text, l.Time); err != nil {
			return err
		}
	}
	for _, s := range texts {
		if err := one(s.To, s.Text, s.Time); err != nil {
			return err
		}
	}
	return nil
}

// counted holds the year against the plan: three letters and a short message about a personal key, three letters
// about a company's, none about keys that were revoked, or that are of a company somebody directs no more.
func (t *tour) counted(letters []message, texts []short) error {
	t.next("Counted: %d letters, %d short messages", len(letters), len(texts))
	for _, c := range []struct {
		who, folder          string
		wantLetters, wantSMS int
	}{{"newcomer", "personal", 3, 1}, {"new-head", "personal", 3, 1}, {"deputy", "company-X", 3, 0}, {"owner", "company-Z", 6, 0}, // of Z and W on one day
		{"old-head", "company-Y", 6, 1}, // of Y and his own; of X he is the director no more
		{"person", "personal", 0, 0}, {"leaver", "company-X", 0, 0}, {"expired", "personal", 0, 0}} {
		who := t.sys.Person(c.who)
		cert, err := certificateOf(key(who, c.folder))
		if err != nil {
			return err
		}
		ends := lang.RU.Date(cert.NotAfter)
		wrote, rang := 0, 0
		for _, l := range letters {
			if l.To[0] == who.Email && strings.Contains(l.Subject, ends) {
				wrote++
			}
		}
		for _, s := range texts {
			if s.To == who.Phone && strings.Contains(s.Text, ends) {
				rang++
			}
		}
		if wrote != c.wantLetters || rang != c.wantSMS {
			return fmt.Errorf("%s, %s, which ends on %s: %d letters and %d short messages, want %d and %d", c.who, c.folder, ends, wrote, rang, c.wantLetters, c.wantSMS)
		}
		t.note("%-10s %-10s ends %s: letters %d, short messages %d", c.who, c.folder, ends, wrote, rang)
	}
	return nil
}

package ra

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"senim/internal/job"
	"senim/internal/lang"
	"senim/internal/notice"
)

// JobRemind reminds of keys not installed, or of old keys still valid: the handler calls [Office.Remind].
const JobRemind = "ra.remind"

// Reminder is the payload of [JobRemind]: which number is due about an application, and how often it went.
type Reminder struct {
	Task
	N    string `json:"n"`
	Sent int    `json:"sent"`
}

// remindAfter says on which days after the event each number goes.
func remindAfter(n string) []int {
	if n == "N-22" {
		return []int{7, 30}
	}
	return []int{1, 3, 7}
}

// remind asks for the next reminder of a number about an event; after the last it asks for nothing.
func (o *Office) remind(ctx context.Context, tx Tx, a *Application, n string, sent int, event time.Time) error {
	days := remindAfter(n)
	if sent >= len(days) {
		return nil
	}
	y, m, d := event.In(lang.Astana).Date()
	at := time.Date(y, m, d+days[sent], 0, 0, 0, 0, lang.Astana).Add(o.c.Plan.At)
	return tx.Enqueue(ctx, job.Job{Kind: JobRemind, Payload: Reminder{Task{a.Number, a.Revision}, n, sent}, At: at,
		Unique: a.ID() + " " + n + " " + itoa(sent)})
}

// Remind tells the owner what is still to be done: install the keys (N-13), revoke the old one (N-22). It
// does nothing when that was done meanwhile.
func (o *Office) Remind(ctx context.Context, r Reminder) error {
	a, err := o.load(ctx, r.Number)
	if errors.Is(err, ErrNotFound) || err == nil && a.Revision != r.Revision {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remind of %s: %w", FormatNumber(r.Number), err)
	}
	due, old, err := o.due(ctx, a, r.N)
	if err != nil || due == dueNever {
		return err
	}
	event := a.Changed // of an application issued nothing changes until it is installed
	if r.N == "N-22" {
		event = a.InstalledAt
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		first, err := tx.Examine(ctx, "application:"+a.ID(), r.N+" "+itoa(r.Sent), o.c.Now())
		if err != nil || !first {
			return err
		}
		if due == dueNow {
			if err := o.tellOwner(ctx, tx, &a, r, old); err != nil {
				return err
			}
		}
		return o.remind(ctx, tx, &a, r.N, r.Sent+1, event)
	})
	if err != nil {
		return fmt.Errorf("remind of %s: %w", FormatNumber(r.Number), err)
	}
	return nil
}

func (o *Office) tellOwner(ctx context.Context, tx Tx, a *Application, r Reminder, old Key) error {
	account, err := tx.Account(ctx, a.Subject.IIN)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	to := account.Address(notice.ClassOf(r.N))
	if to == "" {
		return nil
	}
	m := notice.Message{N: r.N, To: to, Lang: letterLang(a.Lang, account.Lang),
		Key:   notice.Key(r.N, a.ID(), itoa(r.Sent), to),
		About: r.N + ":" + FormatNumber(a.Number), Vars: map[string]string{"number": FormatNumber(a.Number), "link": o.c.Origin + "/applications/" + a.Number}}
	if r.N == "N-22" {
		m.Vars = map[string]string{"date": notice.Day(old.NotAfter), "link": o.c.Origin + "/keys"}
	}
	return tx.Notify(ctx, m)
}

// Still is asked just before a reminder of [Office.Remind] is sent, or a letter that asks to confirm
// (N-10): that one is over once this revision does not wait any more.
func (o *Office) Still(ctx context.Context, about string) (string, error) {
	n, number, _ := strings.Cut(about, ":")
	if n != "N-10" && n != "N-13" && n != "N-22" {
		return "", nil
	}
	number, revision, _ := strings.Cut(number, "-r")
	a, err := o.load(ctx, strings.Map(digit, number))
	if errors.Is(err, ErrNotFound) {
		return "gone", nil
	}
	if err != nil {
		return "", err
	}
	done := a.State != AwaitingDirector || itoa(a.Revision) != revision
	if n != "N-10" {
		var d due
		d, _, err = o.due(ctx, a, n)
		done = d != dueNow
	}
	if err == nil && done {
		return "done", nil
	}
	return "", err
}

func digit(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return r
}

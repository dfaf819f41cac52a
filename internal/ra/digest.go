package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/trust"
)

// JobDigest sends the lists that are due; ask for it every few minutes. The handler calls [Office.SendLists].
const JobDigest = "ra.digest"

// listed is how far ahead the lists of ends look.
const (
	listed   = 30 * 24 * time.Hour
	listPage = 200
)

// SendLists sends heads the weekly list of staff keys that end soon (N-25), from Monday on, and whoever asked
// for it the daily list of the keys he looks after (N-29); each once, whoever and how often asks.
func (o *Office) SendLists(ctx context.Context) error {
	now := o.c.Now()
	// A day of letters begins at the hour of reminders, a week with its Monday.
	day := now.In(lang.Astana).Add(-o.c.Plan.At)
	year, week := day.ISOWeek()
	return errors.Join(
		o.once(ctx, fmt.Sprintf("%d-W%02d", year, week), o.weekly),
		o.once(ctx, day.Format(time.DateOnly), o.daily))
}

// once runs f to its end once for a stage; interrupted, it is run again, and f leaves out what it did.
func (o *Office) once(ctx context.Context, stage string, f func(context.Context, string) error) error {
	const all = "lists"
	var done bool
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		done, err = tx.WasExamined(ctx, all, stage)
		return err
	})
	if err != nil || done {
		return err
	}
	if err := f(ctx, stage); err != nil {
		return err
	}
	return o.c.Store.Update(ctx, func(tx Tx) error {
		_, err := tx.Examine(ctx, all, stage, o.c.Now())
		return err
	})
}

// weekly goes through the organisations with keys that end soon.
func (o *Office) weekly(ctx context.Context, week string) error {
	if o.c.Companies == nil {
		return nil
	}
	now := o.c.Now()
	var errs []error
	for after := ""; ; {
		bins, err := o.c.Companies(ctx, now, now.Add(listed), after, listPage)
		if err != nil {
			return fmt.Errorf("weekly lists: %w", err)
		}
		for _, bin := range bins {
			if err := o.staffList(ctx, bin, week); err != nil {
				errs = append(errs, err)
			}
			after = bin
		}
		if len(bins) < listPage || ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
	}
}

// staffList tells the head of an organisation which keys of his staff end soon; his own he is told of himself.
func (o *Office) staffList(ctx context.Context, bin, week string) error {
	head := o.c.Registry.Head(ctx, "", ident.BIN(bin))
	if head.unknown() {
		return fmt.Errorf("weekly list: the registry does not know now who heads an organisation")
	}
	if head.Verdict != trust.Good {
		return nil
	}
	keys, err := o.c.Keys.OfCompany(ctx, bin)
	if err != nil {
		return fmt.Errorf("weekly list: %w", err)
	}
	var staff []KeysTogether
	now := o.c.Now()
	for _, k := range needCare(Together(keys), now, now, now.Add(listed)) {
		if k.IIN != head.IIN {
			staff = append(staff, k)
		}
	}
	bad, err := o.unreached(ctx, staff)
	if err != nil {
		return err
	}
	return o.sendList(ctx, list{N: "N-25", To: head.IIN, Subject: "company:" + notice.Key("N-25", bin, "", ""), Stage: week, Link: "/company", Keys: staff, Bad: bad})
}

// unreached counts the people of a list at whose confirmed address letters do not arrive.
func (o *Office) unreached(ctx context.Context, all []KeysTogether) (n int, err error) {
	var people []string
	for _, k := range all {
		if !slices.Contains(people, k.IIN) {
			people = append(people, k.IIN)
		}
	}
	accounts, err := o.AccountsOf(ctx, people)
	for _, a := range accounts {
		if a.Bad && a.Confirmed() != "" {
			n++
		}
	}
	return n, err
}

// daily goes through those who asked for the list.
func (o *Office) daily(ctx context.Context, day string) error {
	now := o.c.Now()
	var errs []error
	for after := ""; ; {
		var iins []string
		err := o.c.Store.View(ctx, func(tx Tx) (err error) { iins, err = tx.Digests(ctx, after, listPage); return err })
		if err != nil {
			return fmt.Errorf("daily lists: %w", err)
		}
		for _, iin := range iins {
			ends, replaced, err := o.lookedAfter(ctx, iin, now, now.Add(listed))
			if err == nil {
				err = o.sendList(ctx, list{N: "N-29", To: iin, Subject: "person:" + notice.Key("N-29", iin, "", ""), Stage: day, Link: "/calendar", Keys: ends, Companies: true,
					Replaced: replaced})
			}
			if err != nil {
				errs = append(errs, err)
			}
			after = iin
		}
		if len(iins) < listPage || ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
	}
}

// list is one letter with a list of keys.
type list struct {
	N, To, Subject, Stage, Link string
	Keys                        []KeysTogether
	Companies                   bool // rows name the organisation
	// Bad is how many of those in the list letters do not reach (rule I5).
	Bad int
	// Replaced is how many keys beside these have another in their place and force still.
	Replaced int
}

// sendList writes a list down once; an empty one, or one for nobody, is nothing.
func (o *Office) sendList(ctx context.Context, l list) error {
	if len(l.Keys) == 0 {
		return nil
	}
	return o.c.Store.Update(ctx, func(tx Tx) error {
		account, err := tx.Account(ctx, l.To)
		if err != nil {
			if errors.Is(err, ErrNotFound) {
				return nil
			}
			return err
		}
		to := account.Address(notice.ClassOf(l.N))
		if to == "" {
			return nil
		}
		first, err := tx.Examine(ctx, l.Subject, l.N+" "+l.Stage, o.c.Now())
		if err != nil || !first {
			return err
		}
		t := letterLang(account.Lang)
		m := notice.Message{N: l.N, To: to, Lang: t, Key: notice.Key(l.N, l.Subject, l.Stage, to),
			Vars: map[string]string{"n": strconv.Itoa(len(l.Keys)), "org": l.Keys[0].Holder.Organization, "list": l.rows(t), "link": o.c.Origin + l.Link}}
		if l.Bad > 0 {
			m.N += ".bad"
			m.Vars["bad"] = strconv.Itoa(l.Bad)
		}
		if l.Replaced > 0 {
			m.N += ".replaced"
			m.Vars["replaced"], m.Vars["keys"] = strconv.Itoa(l.Replaced), o.c.Origin+"/many"
		}
		return tx.Notify(ctx, m)
	})
}

// rows writes the list, by date; [notice.Render] cuts it after ten and counts the rest.
func (l list) rows(t lang.Tag) string {
	var rows []string
	for _, k := range l.Keys {
		row := t.Date(k.NotAfter) + " · " + ShortName(k.Holder)
		if word := "web.role." + roleWord(k.Role); lang.Has(word) {
			row += " · " + t.Text(word)
		}
		if l.Companies && k.Holder.Organization != "" {
			row += " · " + notice.Cut(k.Holder.Organization, 80)
		}
		rows = append(rows, row)
	}
	return strings.Join(rows, "\n")
}

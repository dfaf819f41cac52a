package ra

import (
	"context"
	"errors"
	"slices"

	"senim/internal/notice"
)

// askConfirmers notes who is asked to confirm an application that begins to wait for its head, and
// writes to them (N-10): the head and the delegates, never the applicant. The letter leads to
// signing in; nothing is confirmed from it.
func (o *Office) askConfirmers(ctx context.Context, tx Tx, a *Application, head HeadAnswer) error {
	if a.State != AwaitingDirector {
		return nil
	}
	all, err := tx.DelegationsOf(ctx, a.Subject.BIN)
	if err != nil {
		return err
	}
	var delegates []string
	for _, d := range all {
		if d.gives(a.Subject.BIN, PowerConfirm, o.c.Now()) && d.Head == head.IIN {
			delegates = append(delegates, d.IIN)
		}
	}
	a.Asked = nil
	if slices.ContainsFunc(all, func(d Delegation) bool { return d.IIN == a.Subject.IIN && d.gives(a.Subject.BIN, "", o.c.Now()) }) {
		delegates = nil // a delegate's own: the head alone
	}
	for _, iin := range append([]string{head.IIN}, delegates...) {
		if iin != "" && iin != a.Subject.IIN && !slices.Contains(a.Asked, iin) {
			a.Asked = append(a.Asked, iin)
		}
	}
	return o.tellConfirmers(ctx, tx, a, "N-10", a.Asked, map[string]string{
		"link": o.c.Origin + "/confirm", "date": notice.Day(a.SignedAt.Add(o.c.Terms.Confirm))})
}

// tellConfirmers writes to those of them who have a confirmed address.
func (o *Office) tellConfirmers(ctx context.Context, tx Tx, a *Application, n string, who []string, vars map[string]string) error {
	for _, iin := range who {
		account, err := tx.Account(ctx, iin)
		if errors.Is(err, ErrNotFound) || (err == nil && account.Confirmed() == "") {
			continue
		}
		if err != nil {
			return err
		}
		t := letterLang(account.Lang, a.Lang)
		if err := o.write(ctx, tx, a, n, account, t, vars); err != nil {
			return err
		}
	}
	return nil
}

// heard is everybody who was asked about this revision or decided about it.
func (a *Application) heard() []string {
	all := slices.Clone(a.Asked)
	for _, p := range a.Approvals {
		if !slices.Contains(all, p.IIN) {
			all = append(all, p.IIN)
		}
	}
	return all
}

// tellEnded writes N-11 about an edit, a withdrawal or the end of the time to the applicant and to
// those who were asked to confirm: what they saw, or decided, counts no more.
func (o *Office) tellEnded(ctx context.Context, tx Tx, a *Application, who []string, why string) error {
	vars := map[string]string{"reason": "@confirm.letter." + why, "advice": "@confirm.letter." + why + ".advice"}
	if why == "edited" {
		vars["status"] = "@confirm.letter.edited.status"
	}
	account, err := tx.Account(ctx, a.Subject.IIN)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err == nil && account.Confirmed() != "" {
		if err := o.write(ctx, tx, a, "N-11", account, letterLang(a.Lang, account.Lang), vars); err != nil {
			return err
		}
	}
	vars["link"], vars["advice"] = o.c.Origin+"/confirm", "@confirm.letter."+why+".confirmer"
	return o.tellConfirmers(ctx, tx, a, "N-11", who, vars)
}

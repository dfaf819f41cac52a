package ra

import (
	"context"
	"errors"
	"maps"

	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/trust"
)

// tell puts a letter about an application into the transaction. It goes to the applicant's
// confirmed address; without one there is no letter (I6), and the pages say so.
func (o *Office) tell(ctx context.Context, tx Tx, a *Application, n string) error {
	account, err := tx.Account(ctx, a.Subject.IIN)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return o.write(ctx, tx, a, n, account, letterLang(account.Lang, a.Lang), nil)
}

// write puts the letter itself; more are values that differ from the usual ones.
func (o *Office) write(ctx context.Context, tx Tx, a *Application, n string, to Account, t lang.Tag, more map[string]string) error {
	vars := map[string]string{
		"number": FormatNumber(a.Number), "status": t.Text("cabinet.state." + string(a.State)),
		"link": o.c.Origin + "/applications/" + a.Number, "name": a.Subject.CommonName, "org": a.Subject.Organization,
		"role": t.Text("web.role." + roleWord(a.Role)), "reason": a.Reason.words(t), "advice": t.Text("cabinet.letter.advice"),
	}
	if len(a.Certificates) > 0 {
		vars["date"] = t.Date(a.Certificates[0].NotAfter)
	}
	if !a.InstalledAt.IsZero() {
		vars["time"] = t.DateTime(a.InstalledAt)
		vars["link"] = o.c.Origin + "/keys"
	}
	maps.Copy(vars, more)
	address := to.Address(notice.ClassOf(n))
	if address == "" {
		return nil
	}
	about := "application:" + FormatNumber(a.Number)
	if n == "N-10" { // asked again before it goes
		about = "N-10:" + FormatNumber(a.Number) + "-r" + itoa(a.Revision)
	}
	return tx.Notify(ctx, notice.Message{N: n, To: address, Lang: t, Vars: vars,
		Key: notice.Key(n, a.Number, itoa(a.Revision)+string(a.State), address), About: about})
}

// tellInstalled writes N-12 to the owner, and as a short message where he has a phone: who did not
// install keys is to hear of it at once.
func (o *Office) tellInstalled(ctx context.Context, tx Tx, a *Application, phone PhoneAnswer) error {
	n := "N-12"
	if a.Replaces == "" {
		n = "N-12.first"
	}
	if err := o.tell(ctx, tx, a, n); err != nil || len(a.Certificates) == 0 {
		return err
	}
	switch phone.Verdict {
	case trust.Good:
	case trust.Bad:
		return nil
	default: // the mobile base is silent: asked again, so that the message is not lost
		return o.tellLater(ctx, tx, Telling{Task: Task{a.Number, a.Revision}}, a.ID())
	}
	account, err := tx.Account(ctx, a.Subject.IIN)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return tx.Notify(ctx, notice.Message{N: n, Channel: notice.SMS, To: string(phone.Phone), Lang: account.Lang,
		Key: notice.Key(n, a.Number, itoa(a.Revision)+string(a.State), string(phone.Phone)), About: "application:" + FormatNumber(a.Number),
		Vars: map[string]string{"date": notice.Day(a.Certificates[0].NotAfter)}})
}

func letterLang(tags ...lang.Tag) lang.Tag {
	for _, t := range tags {
		if _, ok := lang.Parse(string(t)); ok {
			return t
		}
	}
	return lang.RU
}

// words is a reason in a language.
func (r Reason) words(t lang.Tag) string {
	if r.Text != "" {
		return r.Text
	}
	for _, area := range []string{"codes.", "cabinet.code."} {
		if lang.Has(area + r.Code) {
			vars := []any{}
			for k, v := range r.Evidence {
				vars = append(vars, k, v)
			}
			return t.Text(area+r.Code, vars...)
		}
	}
	if r.Code != "" {
		return r.Code
	}
	return "–"
}

// roleWord is the role's name in the catalogue.
func roleWord(role string) string {
	if role == RoleHead {
		return "first-head"
	}
	return role
}

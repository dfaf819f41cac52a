package participant

import (
	"context"
	"strconv"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/notice"
)

// timeVars is the value "time" written as a moment in the reader's language.
func timeVars(l lang.Tag, at time.Time) map[string]string {
	return map[string]string{"time": reader(l).DateTime(at)}
}

// mayWrite says whether one more letter may go out for the registration now: so many in all, one in a while, and
// so many a day for one person, whatever he begins anew.
func (o *Office) mayWrite(ctx context.Context, tx Tx, r Registration) error {
	now, c := o.now(), o.c.Register
	if r.Letters >= c.MaxLetters {
		return deny("TOO_MANY_LETTERS")
	}
	if again := r.LastLetter.Add(c.ResendWait); !r.LastLetter.IsZero() && now.Before(again) {
		return deny("LETTER_TOO_SOON", "until", stamp(again))
	}
	sent, err := tx.LettersSince(ctx, r.IIN, now.Add(-24*time.Hour))
	if err == nil && sent >= c.DayLetters {
		return deny("LETTERS_TODAY")
	}
	return err
}

// letter sends N-15 with a fresh link and counts it. It writes the registration.
func (o *Office) letter(ctx context.Context, tx Tx, r *Registration) error {
	token, err := newToken(o.c.Random)
	if err != nil {
		return err
	}
	to, err := o.address(ctx, tx, *r)
	if err != nil {
		return err
	}
	now := o.now()
	r.Letters++
	r.LastLetter = now
	if err := tx.PutLink(ctx, hashToken(token), r.ID, now); err != nil {
		return err
	}
	if err := tx.PutRegistration(ctx, *r); err != nil {
		return err
	}
	vars := timeVars(r.Lang, r.Expires)
	vars["link"] = o.c.Origin + "/register/confirm?t=" + token
	m := notice.Message{N: "N-15", To: to, Lang: r.Lang, Vars: vars, Expires: r.Expires, Key: notice.Key("N-15", r.ID, strconv.Itoa(r.Letters)+" "+stamp(now), to)}
	if err := tx.Notify(ctx, m); err != nil {
		return err
	}
	return tx.Audit(ctx, event(tx, "reg.mail.sent", *r, "ok", map[string]string{"letter": strconv.Itoa(r.Letters)}))
}

// address is where the letters of a registration go: the account's confirmed address when it
// exists, else the one typed at step 2.
func (o *Office) address(ctx context.Context, tx Tx, r Registration) (string, error) {
	if !r.Known {
		return r.Entered.Email, nil
	}
	a, err := tx.Account(ctx, r.IIN)
	if err != nil {
		return "", err
	}
	return a.Email, nil
}

// Address is the masked address the letter went to (R9).
func (o *Office) Address(ctx context.Context, r Registration) (string, error) {
	var to string
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		to, err = o.address(ctx, tx, r)
		return err
	})
	if err != nil {
		return "", err
	}
	return ident.MaskEmail(ident.Email(to)), nil
}

// warnHead tells the present heads that someone signed the agreement as the new one (N-08).
func (o *Office) warnHead(ctx context.Context, tx Tx, r Registration) error {
	if !r.Category.Enterprise() {
		return nil
	}
	heads, err := o.heads(ctx, tx, r)
	if err != nil {
		return err
	}
	for _, h := range heads {
		if err := o.tell(ctx, tx, "N-08", h.IIN, r.ID, o.headVars(h, r.SignedAt)); err != nil {
			return err
		}
	}
	return nil
}

// headVars are the values of a letter to a head about what happened to his enterprise, and when.
func (o *Office) headVars(head Profile, at time.Time) func(lang.Tag) map[string]string {
	return func(l lang.Tag) map[string]string {
		v := timeVars(l, at)
		v["org"], v["link"] = head.Name, o.c.Origin+"/"
		return v
	}
}

// heads lists the active heads of the registration's enterprise other than its own person: one at
// most, by the index.
func (o *Office) heads(ctx context.Context, tx Tx, r Registration) ([]Profile, error) {
	all, err := tx.ProfilesOf(ctx, r.TIN)
	if err != nil {
		return nil, err
	}
	var heads []Profile
	for _, p := range all {
		if p.Type == TypeHead && p.Status == Active && p.IIN != r.IIN {
			heads = append(heads, p)
		}
	}
	return heads, nil
}

// tell writes a letter to a person with a confirmed address; without one there is nobody to tell.
func (o *Office) tell(ctx context.Context, tx Tx, n string, iin ident.IIN, about string, vars func(lang.Tag) map[string]string) error {
	a, err := tx.Account(ctx, iin)
	if err != nil {
		return err
	}
	if a.Email == "" || a.EmailConfirmed.IsZero() {
		return nil
	}
	return tx.Notify(ctx, notice.Message{N: n, To: a.Email, Lang: a.Lang, Vars: vars(reader(a.Lang)),
		Key: notice.Key(n, tx.Hash(string(iin)), about, a.Email)})
}

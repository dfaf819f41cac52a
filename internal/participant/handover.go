package participant

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"senim/internal/audit"
)

// activateAccount makes a pending account active with what was typed in the registration whose link was used:
// its address is the one the link confirms. Another account, and its person's document, is left as it is.
func (o *Office) activateAccount(ctx context.Context, tx Tx, r Registration, now time.Time) error {
	a, err := tx.Account(ctx, r.IIN)
	if err != nil {
		return err
	}
	if a.State != AccountPending {
		return nil
	}
	if r.Password == "" || r.Entered.Email == "" {
		return ErrRace
	}
	was := a.State
	if a, err = a.step(AccountCompleted); err != nil {
		return err
	}
	if err := o.accountMoved(ctx, tx, r.IIN, was, AccountCompleted); err != nil {
		return err
	}
	a.Name, a.Password, a.Lang = r.Person.Name(), r.Password, r.Lang
	a.Email, a.Phone, a.EmailConfirmed = r.Entered.Email, r.Entered.Phone, now
	d := Document{Number: r.Entered.DocNumber, Issued: r.Entered.DocDate, Issuer: r.Entered.DocIssuer}
	if d != (Document{}) {
		if err := tx.PutDocument(ctx, r.IIN, d); err != nil {
			return err
		}
	}
	return tx.PutAccount(ctx, a)
}

// putEnterprise keeps what is known of whatever the registration makes its person the head of.
func (o *Office) putEnterprise(ctx context.Context, tx Tx, r Registration, s Subject, now time.Time) error {
	if !r.ProfileType().Heads() {
		return nil
	}
	e, err := tx.Enterprise(ctx, r.TIN)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	e.TIN, e.Category, e.Name, e.HeadOffice, e.RecordID, e.Updated = r.TIN, r.Category, cmp.Or(s.Name, r.Person.Name()), s.HeadOffice, s.RecordID, now
	return tx.PutEnterprise(ctx, e)
}

// blockHeads blocks the active head of the enterprise, if there is another one, ends his sessions
// that act for it, and settles the invited users.
func (o *Office) blockHeads(ctx context.Context, tx Tx, r Registration, now time.Time, evidence string) ([]Profile, error) {
	if !r.Category.Enterprise() {
		return nil, nil
	}
	heads, err := o.blockActive(ctx, tx, r, now, evidence)
	if err != nil {
		return nil, err
	}
	early, err := o.blockedBefore(ctx, tx, r, heads)
	if err != nil {
		return nil, err
	}
	return append(heads, early...), o.settleInvited(ctx, tx, r, now, evidence)
}

// blockActive blocks the active head other than the registration's person and tells him (N-06).
func (o *Office) blockActive(ctx context.Context, tx Tx, r Registration, now time.Time, evidence string) ([]Profile, error) {
	heads, err := o.heads(ctx, tx, r)
	if err != nil {
		return nil, err
	}
	for i, p := range heads {
		if heads[i], err = o.block(ctx, tx, p, now, evidence); err != nil {
			return nil, err
		}
		if err := o.tell(ctx, tx, "N-06", p.IIN, r.ID, o.headVars(p, now)); err != nil {
			return nil, err
		}
	}
	return heads, nil
}

// blockEarly blocks the previous head as soon as the new one has signed the agreement, where
// rereg.block_previous_at says so.
func (o *Office) blockEarly(ctx context.Context, tx Tx, r Registration, now time.Time, evidence string) error {
	if o.c.BlockPreviousAt != AtAgreement || !r.Category.Enterprise() {
		return nil
	}
	_, err := o.blockActive(ctx, tx, r, now, evidence)
	return err
}

// blockedBefore lists the head whom a registration blocked at step 3 and nobody has followed since, whatever became
// of that registration: it may have been given up and begun anew. just lists those blocked now.
func (o *Office) blockedBefore(ctx context.Context, tx Tx, r Registration, just []Profile) ([]Profile, error) {
	if len(just) > 0 {
		return nil, nil // somebody became the head after him, and that was announced
	}
	all, err := tx.ProfilesOf(ctx, r.TIN)
	if err != nil {
		return nil, err
	}
	var early []Profile
	var came []Change // heads who came into office
	for _, p := range all {
		if p.Type != TypeHead {
			continue
		}
		if p.Status == HeadChangeBlocked && p.IIN != r.IIN {
			early = append(early, p)
		}
		changes, err := tx.Changes(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		came = append(came, slices.DeleteFunc(changes, func(c Change) bool { return c.To != Active })...)
	}
	return slices.DeleteFunc(early, func(p Profile) bool {
		return slices.ContainsFunc(came, func(c Change) bool { return c.Profile != p.ID && (c.At.After(p.Since) || c.Evidence == p.Evidence) })
	}), nil
}

// block is one profile blocked by the change of head, with its history and its sessions.
func (o *Office) block(ctx context.Context, tx Tx, p Profile, now time.Time, evidence string) (Profile, error) {
	p, c, err := p.step(ProfileReplaced, ReasonHeadChange, now, evidence)
	if err != nil {
		return p, err
	}
	if err := o.putProfile(ctx, tx, p, c); err != nil {
		return p, err
	}
	return p, o.closeActing(ctx, tx, p, endedByHead)
}

func (o *Office) putProfile(ctx context.Context, tx Tx, p Profile, c Change) error {
	if err := tx.PutProfile(ctx, p); err != nil {
		return err
	}
	if err := tx.AddChange(ctx, c); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Event{Action: "profile.status", Actor: "system", Object: p.ID, Result: "ok", Detail: map[string]string{
		"from": string(c.From), "to": string(c.To), "reason": c.Reason, "person": tx.Hash(string(p.IIN)), "evidence": c.Evidence}})
}

// settleInvited does to the users a previous head invited what the setting says.
func (o *Office) settleInvited(ctx context.Context, tx Tx, r Registration, now time.Time, evidence string) error {
	if o.c.Invited == Keep {
		return nil
	}
	all, err := tx.ProfilesOf(ctx, r.TIN)
	if err != nil {
		return err
	}
	for _, p := range all {
		if !p.Type.Invited() || p.Status != Active {
			continue
		}
		if p.IIN == r.IIN {
			continue // was a user and is the head now: nobody confirms himself
		}
		n := "N-07.closed"
		if o.c.Invited == Block {
			p, err = o.block(ctx, tx, p, now, evidence)
		} else {
			n = "N-07"
			p.ReconfirmBy = now.AddDate(0, 0, o.c.ReconfirmDays)
			err = errors.Join(tx.PutProfile(ctx, p), tx.Enqueue(ctx, reconfirmJob(p)))
		}
		if err != nil {
			return err
		}
		if err := o.tellUser(ctx, tx, n, p, r.ID, p.ReconfirmBy); err != nil {
			return err
		}
	}
	return nil
}

// activateProfile makes the person's profile for the tin, or revives the one he had (P-32).
func (o *Office) activateProfile(ctx context.Context, tx Tx, r Registration, s Subject, now time.Time, evidence string) (Profile, error) {
	all, err := tx.Profiles(ctx, r.IIN)
	if err != nil {
		return Profile{}, err
	}
	p := Profile{IIN: r.IIN, TIN: r.TIN, Type: r.ProfileType()}
	for _, had := range all {
		if had.TIN == p.TIN && had.Type == p.Type {
			p = had
		}
	}
	if p.ID == "" {
		if p.ID, err = newID(o.c.Random); err != nil {
			return p, err
		}
	}
	p.Category, p.Name = r.Category, cmp.Or(s.Name, r.Person.Name())
	p, c, err := p.activate(now, evidence)
	if err != nil {
		return p, err
	}
	return p, o.putProfile(ctx, tx, p, c)
}

// supersedeOthers cancels every other unfinished registration that would make a profile of the same tin and type: a
// person's own, his trade and his practice have one tin, and go on beside each other.
func (o *Office) supersedeOthers(ctx context.Context, tx Tx, r Registration, now time.Time) error {
	all, err := tx.OpenRegistrations(ctx, r.TIN)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.ID == r.ID || other.ProfileType() != r.ProfileType() {
			continue
		}
		if other, err = other.supersede(now); err != nil {
			return err
		}
		if err := tx.PutRegistration(ctx, other); err != nil {
			return err
		}
		if err := o.forgetAccount(ctx, tx, other.IIN); err != nil {
			return err
		}
		if err := tx.Audit(ctx, event(tx, "reg.refused", other, "SUPERSEDED_BY_OTHER", nil)); err != nil {
			return err
		}
	}
	return nil
}

package participant

import (
	"context"
	"errors"
	"time"

	"senim/internal/audit"
)

// activateAccount makes a pending account active with its address confirmed by the link; another
// one is left as it is.
func (o *Office) activateAccount(ctx context.Context, tx Tx, r Registration, now time.Time) error {
	a, err := tx.Account(ctx, r.IIN)
	if err != nil {
		return err
	}
	if a.State != AccountPending {
		return nil
	}
	a.State, a.EmailConfirmed = AccountActive, now
	return tx.PutAccount(ctx, a)
}

func (o *Office) putEnterprise(ctx context.Context, tx Tx, r Registration, s Subject, now time.Time) error {
	if !r.Category.Enterprise() {
		return nil
	}
	e, err := tx.Enterprise(ctx, r.TIN)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	e.TIN, e.Category, e.Name, e.HeadOffice, e.RecordID, e.Updated = r.TIN, r.Category, s.Name, s.HeadOffice, s.RecordID, now
	return tx.PutEnterprise(ctx, e)
}

// blockHeads blocks the active head of the enterprise, if there is another one, ends his sessions
// that act for it, and settles the invited users.
func (o *Office) blockHeads(ctx context.Context, tx Tx, r Registration, now time.Time, evidence string) ([]Profile, error) {
	if !r.Category.Enterprise() {
		return nil, nil
	}
	heads, err := o.heads(ctx, tx, r)
	if err != nil {
		return nil, err
	}
	for i, p := range heads {
		if heads[i], err = o.block(ctx, tx, p, now, evidence); err != nil {
			return nil, err
		}
	}
	return heads, o.settleInvited(ctx, tx, r, now, evidence)
}

// block is one profile blocked by the change of head, with its history and its sessions.
func (o *Office) block(ctx context.Context, tx Tx, p Profile, now time.Time, evidence string) (Profile, error) {
	p, c := p.blockByHeadChange(now, evidence)
	if err := o.putProfile(ctx, tx, p, c); err != nil {
		return p, err
	}
	_, err := tx.EndSessions(ctx, o.c.Site, p.IIN, p.TIN)
	return p, err
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
		if p.Type != TypeUser || p.Status != Active {
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
	p := Profile{IIN: r.IIN, TIN: r.TIN, Type: r.Category.ProfileType()}
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
	p.Category, p.Name = r.Category, s.Name
	if !r.Category.Enterprise() {
		p.Name = r.Person.Name()
	}
	p, c := p.activate(now, evidence)
	return p, o.putProfile(ctx, tx, p, c)
}

// supersedeOthers cancels every other unfinished registration of the same tin.
func (o *Office) supersedeOthers(ctx context.Context, tx Tx, r Registration, now time.Time) error {
	all, err := tx.OpenRegistrations(ctx, r.TIN)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.ID == r.ID {
			continue
		}
		other = other.supersede(now)
		if err := tx.PutRegistration(ctx, other); err != nil {
			return err
		}
		if err := tx.DeletePending(ctx, other.IIN); err != nil {
			return err
		}
		if err := tx.Audit(ctx, event(tx, "reg.refused", other, "SUPERSEDED_BY_OTHER", nil)); err != nil {
			return err
		}
	}
	return nil
}

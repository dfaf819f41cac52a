package participant

import (
	"context"
	"errors"
	"slices"

	"senim/internal/ident"
)

// target is what an administrator's act is about, as it stands now.
type target struct {
	account    Account
	profile    Profile
	enterprise Enterprise
	kind       AdminKind
	members    []Profile // of the enterprise
}

func (t target) name() string {
	switch t.kind {
	case BlockAccount:
		return t.account.Name
	case BlockProfile:
		return t.profile.Name
	case BlockEnterprise:
		return t.enterprise.Name
	}
	return ""
}

// party refuses an administrator whom the act is about.
func (t target) party(by Administrator) error {
	own := t.kind == BlockAccount && t.account.IIN == by.IIN || t.kind == BlockProfile && t.profile.IIN == by.IIN
	for _, p := range t.members {
		own = own || p.IIN == by.IIN
	}
	if own {
		return deny("OPERATOR_SELF")
	}
	return nil
}

// administered reads what an act is about and refuses what its tables have no step for: an account that
// is blocked already, a profile that is not.
func (o *Office) administered(ctx context.Context, tx Tx, a AdminAct) (t target, err error) {
	t.kind = a.Kind
	possible := false
	switch a.Kind {
	case BlockAccount:
		if t.account, err = tx.Account(ctx, ident.IIN(a.Object)); err == nil {
			_, possible = t.account.State.Next(accountEvent(a))
		}
	case BlockProfile:
		if t.profile, err = tx.Profile(ctx, a.Object); err == nil {
			_, possible = t.profile.state().Next(profileEvent(a))
		}
	case BlockEnterprise:
		if t.enterprise, err = tx.Enterprise(ctx, a.Object); err == nil {
			possible = t.enterprise.Blocked == a.Lift
			t.members, err = tx.ProfilesOf(ctx, a.Object)
			t.members = slices.DeleteFunc(t.members, func(p Profile) bool { return !p.Type.Trades() })
		}
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return t, deny("PARTICIPANT_UNKNOWN")
	case err == nil && !possible:
		return t, deny("ADMIN_STATE")
	}
	return t, err
}

// applyAdmin does what was signed. Sessions that act for what is blocked end at once, on every node.
func (o *Office) applyAdmin(ctx context.Context, tx Tx, a AdminAct, t target) error {
	switch a.Kind {
	case BlockAccount:
		next, err := t.account.step(accountEvent(a))
		if err != nil {
			return err
		}
		if err := o.accountMoved(ctx, tx, next.IIN, o.accountState(t.account), accountEvent(a)); err != nil {
			return err
		}
		next.BlockedReason = noteOf(a)
		if err := tx.PutAccount(ctx, next); err != nil || a.Lift {
			return err
		}
		return o.closeSessions(ctx, tx, next.IIN, endedByBlock)
	case BlockProfile:
		reason := ReasonAdministrator
		if a.Lift {
			reason = ReasonLifted
		}
		return o.adminProfile(ctx, tx, t.profile, profileEvent(a), reason, a)
	case BlockEnterprise:
		t.enterprise.Blocked, t.enterprise.BlockedReason, t.enterprise.Updated = !a.Lift, noteOf(a), o.now()
		if err := tx.PutEnterprise(ctx, t.enterprise); err != nil {
			return err
		}
		for _, p := range t.members {
			if err := o.adminMember(ctx, tx, p, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// adminMember shuts one profile of a blocked enterprise, or gives it back the status it had.
func (o *Office) adminMember(ctx context.Context, tx Tx, p Profile, a AdminAct) error {
	if !a.Lift {
		if p.Status == EnterpriseBlocked {
			return nil
		}
		return o.adminProfile(ctx, tx, p, ProfileShut, ReasonEnterprise, a)
	}
	if p.Status != EnterpriseBlocked {
		return nil // opened while the enterprise was blocked: there is no such way, and nothing to give back
	}
	changes, err := tx.Changes(ctx, p.ID)
	if err != nil {
		return err
	}
	reason := ReasonLifted
	if p.Previous != Active { // closed before, and closed again for the reason it had
		for _, c := range changes {
			if c.To != EnterpriseBlocked {
				reason = c.Reason
			}
		}
	}
	if err := o.adminProfile(ctx, tx, p, ProfileReopened, reason, a); err != nil || p.ReconfirmBy.IsZero() {
		return err
	}
	if p.ReconfirmBy.Before(o.now()) {
		p.ReconfirmBy = o.now()
	}
	return tx.Enqueue(ctx, reconfirmJob(p)) // the one that came meanwhile left him alone
}

func (o *Office) adminProfile(ctx context.Context, tx Tx, p Profile, e ProfileEvent, reason string, a AdminAct) error {
	p, c, err := p.step(e, reason, o.now(), a.ID)
	if err != nil {
		return err
	}
	switch {
	case e == ProfileStopped || e == ProfileShut && p.Previous != Blocked:
		p.Note = a.Reason
	case p.Status == Active || p.Status == HeadChangeBlocked:
		p.Note = ""
	}
	if err := o.putProfile(ctx, tx, p, c); err != nil || a.Lift {
		return err
	}
	return o.closeActing(ctx, tx, p, endedByProfile)
}

// noteOf is what stands beside the block while it stands.
func noteOf(a AdminAct) string {
	if a.Lift {
		return ""
	}
	return a.Reason
}

func accountEvent(a AdminAct) AccountEvent {
	if a.Lift {
		return AccountLifted
	}
	return AccountStopped
}

func profileEvent(a AdminAct) ProfileEvent {
	if a.Lift {
		return ProfileLifted
	}
	return ProfileStopped
}

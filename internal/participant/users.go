package participant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/internal/lang"
)

// UserAction is what a head does to users of his enterprise.
type UserAction string

// The actions.
const (
	ReconfirmUsers UserAction = "reconfirm" // after a change of head
	RemoveUsers    UserAction = "remove"
)

// ParseUserAction reads an action from a form.
func ParseUserAction(s string) (a UserAction, ok bool) {
	a = UserAction(s)
	return a, a == ReconfirmUsers || a == RemoveUsers
}

// User is a user of an enterprise with the name of the person.
type User struct {
	Profile
	Person string
}

// Users lists the users of the head's enterprise and its invitations nobody has accepted yet.
func (o *Office) Users(ctx context.Context, head Profile) ([]User, []Invitation, error) {
	var users []User
	var waiting []Invitation
	err := o.c.Store.View(ctx, func(tx Tx) error {
		all, err := tx.ProfilesOf(ctx, head.TIN)
		if err != nil {
			return err
		}
		users = nil
		for _, p := range all {
			if !head.invites(p) {
				continue
			}
			u, err := userOf(ctx, tx, p)
			if err != nil {
				return err
			}
			users = append(users, u)
		}
		now := o.now()
		invited, err := tx.Invitations(ctx, head.TIN, now)
		if err != nil {
			return err
		}
		waiting = nil
		for _, i := range invited {
			if i.Open(now) && i.By == head.ID {
				waiting = append(waiting, i)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list users: %w", err)
	}
	return users, waiting, nil
}

func userOf(ctx context.Context, tx Tx, p Profile) (User, error) {
	a, err := tx.Account(ctx, p.IIN)
	return User{Profile: p, Person: a.Name}, err
}

// UsersDocument gives the users of the head's enterprise with these profiles and the document he signs
// to do the action to all of them. USERS_OTHER when one is not there, is not of his enterprise, or the
// action cannot be done to it now.
func (o *Office) UsersDocument(ctx context.Context, head Profile, action UserAction, profiles []string) ([]User, []byte, error) {
	var users []User
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		users, err = o.chosen(ctx, tx, head, action, profiles)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("choose users: %w", err)
	}
	doc, err := usersDocument(head, action, users, o.c.Origin)
	return users, doc, err
}

func (o *Office) chosen(ctx context.Context, tx Tx, head Profile, action UserAction, profiles []string) ([]User, error) {
	var users []User
	seen := map[string]bool{}
	for _, id := range profiles {
		p, err := tx.Profile(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		able := p.Removable()
		if action == ReconfirmUsers {
			able = p.Confirmable(o.now()) && p.IIN != head.IIN
		}
		if err != nil || !head.invites(p) || !able || seen[id] {
			return nil, deny("USERS_OTHER")
		}
		seen[id] = true
		u, err := userOf(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	if len(users) == 0 {
		return nil, deny("USERS_OTHER")
	}
	return users, nil
}

// SettleUsers takes the head's one signature over the action and does it to every user in it: all, or
// none. SIGNATURE_INVALID, CERT_OTHER_PERSON, CERT_WRONG_BIN, RACE_RETRY, or a closed gate.
func (o *Office) SettleUsers(ctx context.Context, head Profile, action UserAction, profiles []string, signed []byte) error {
	_, doc, err := o.UsersDocument(ctx, head, action, profiles)
	if err != nil {
		return err
	}
	s, err := o.signedDocument(ctx, signed, doc, head.signer())
	if err == nil {
		err = raced(o.settleUsers(ctx, head, action, profiles, s))
	}
	code := refusalCode(err)
	if code == "" {
		return err
	}
	aerr := o.c.Store.Update(ctx, func(tx Tx) error {
		e := audit.Event{Action: "invite.removed", Actor: tx.Hash(string(head.IIN)), Object: head.ID, Result: code}
		if action == ReconfirmUsers {
			e.Action = "invite.reconfirmed"
		}
		return tx.Audit(ctx, e)
	})
	if aerr != nil {
		return fmt.Errorf("refuse signature (%w): %w", err, aerr)
	}
	return err
}

func (o *Office) settleUsers(ctx context.Context, head Profile, action UserAction, profiles []string, s signing) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		if err := o.stillHead(ctx, tx, head); err != nil {
			return err
		}
		users, err := o.chosen(ctx, tx, head, action, profiles)
		if refusalCode(err) != "" {
			return ErrRace
		}
		if err != nil {
			return err
		}
		again, err := usersDocument(head, action, users, o.c.Origin)
		if err != nil {
			return err
		}
		if string(again) != string(s.ours) {
			return ErrRace
		}
		signature, err := o.keepSigned(ctx, tx, ActUsers, head.IIN, s)
		if err != nil {
			return err
		}
		for _, u := range users {
			if action == ReconfirmUsers {
				err = o.reconfirm(ctx, tx, head, u.Profile, signature)
			} else {
				err = o.remove(ctx, tx, head, u.Profile, signature)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle users: %w", err)
	}
	return nil
}

// reconfirm keeps a user for the new head, or opens the one that was closed by the change of head.
func (o *Office) reconfirm(ctx context.Context, tx Tx, head, p Profile, signature string) error {
	p.ReconfirmBy = time.Time{}
	p, c, err := p.step(ProfileConfirmed, ReasonReconfirmed, o.now(), signature)
	if err != nil {
		return err
	}
	if err := o.putProfile(ctx, tx, p, c); err != nil {
		return err
	}
	return tx.Audit(ctx, userEvent(tx, "invite.reconfirmed", head, p))
}

// remove takes a user's access, ends his sessions that act for the enterprise, and his invitations.
func (o *Office) remove(ctx context.Context, tx Tx, head, p Profile, signature string) error {
	p.ReconfirmBy = time.Time{}
	p, c, err := p.step(ProfileRemoved, ReasonRemoved, o.now(), signature)
	if err != nil {
		return err
	}
	if err := o.putProfile(ctx, tx, p, c); err != nil {
		return err
	}
	if err := o.closeActing(ctx, tx, p, endedByProfile); err != nil {
		return err
	}
	all, err := tx.Invitations(ctx, p.TIN, o.now())
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.IIN != p.IIN || i.State != InviteSent {
			continue
		}
		same, err := invitedAs(ctx, tx, i, p.Type)
		if err != nil {
			return err
		}
		if !same {
			continue
		}
		if err := tx.PutInvitation(ctx, i.ended(InviteWithdrawn, o.now())); err != nil {
			return err
		}
	}
	return tx.Audit(ctx, userEvent(tx, "invite.removed", head, p))
}

func userEvent(tx Tx, action string, head, p Profile) audit.Event {
	return audit.Event{Action: action, Actor: tx.Hash(string(head.IIN)), Object: p.ID, Result: "ok",
		Detail: map[string]string{"tin": tx.Hash(p.TIN), "person": tx.Hash(string(p.IIN)), "evidence": p.Evidence}}
}

// ReconfirmKind is the job that closes a user whom the new head has not confirmed in time; its payload
// is [ReconfirmJob].
const ReconfirmKind = "participant.reconfirm"

// ReconfirmJob is the payload of [ReconfirmKind].
type ReconfirmJob struct {
	Profile string `json:"profile"`
}

func reconfirmJob(p Profile) job.Job {
	return job.Job{Kind: ReconfirmKind, Payload: ReconfirmJob{Profile: p.ID}, At: p.ReconfirmBy, Unique: p.ID + " " + stamp(p.ReconfirmBy)}
}

// CloseUnconfirmed closes a user whose time to be confirmed by the new head is over and tells him
// (P-31); one that was confirmed, removed, or has time left, is left alone.
func (o *Office) CloseUnconfirmed(ctx context.Context, profile string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		p, err := tx.Profile(ctx, profile)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		by := p.ReconfirmBy
		p, c, due := p.unconfirmed(o.now())
		if !due {
			return nil
		}
		if err := o.putProfile(ctx, tx, p, c); err != nil {
			return err
		}
		if err := o.closeActing(ctx, tx, p, endedByProfile); err != nil {
			return err
		}
		return o.tellUser(ctx, tx, "N-07.closed", p, stamp(by), by)
	})
	if err != nil {
		return fmt.Errorf("close unconfirmed user: %w", err)
	}
	return nil
}

// tellUser writes N-07 or N-07.closed.
func (o *Office) tellUser(ctx context.Context, tx Tx, n string, p Profile, about string, by time.Time) error {
	vars := func(l lang.Tag) map[string]string { return map[string]string{"org": p.Name, "date": l.Date(by)} }
	return o.tell(ctx, tx, n, p.IIN, p.ID+" "+about, vars)
}

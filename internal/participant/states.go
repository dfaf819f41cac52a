package participant

import (
	"fmt"
	"time"
)

// The three tables of section 11 are three pure types: what an account, a profile and a registration may
// become. Whatever changes one of them asks its table first; a step that is not in it is an error of ours. Two steps
// of an account nobody makes: that a lock is over and that a password is old follows from times ([Account.Standing]).

// errStep is a step a table does not have.
func errStep(what string, from, event any) error {
	return fmt.Errorf("%s: no step from %q by %s", what, from, event)
}

// AccountEvent is what happens to an account.
type AccountEvent string

// The events of an account.
const (
	AccountSigned    AccountEvent = "signed"    // step 3 of a first registration
	AccountCompleted AccountEvent = "completed" // the registration was completed
	AccountForgotten AccountEvent = "forgotten" // it was not: the draft is over
	AccountFailed    AccountEvent = "failed"    // wrong passwords, as many as lock
	AccountWaited    AccountEvent = "waited"    // the lock's time is over
	AccountAged      AccountEvent = "aged"      // the password is older than password.max_age
	AccountReset     AccountEvent = "reset"     // a new password was set
	AccountStopped   AccountEvent = "stopped"   // an administrator blocked it
	AccountLifted    AccountEvent = "lifted"    // two administrators lifted that
)

// Next is the table of accounts; the state "" is no account. False: there is no such step. An
// administrator blocks an account that is locked or whose password is too old as one that is active.
func (s AccountState) Next(e AccountEvent) (AccountState, bool) {
	switch s {
	case "":
		if e == AccountSigned {
			return AccountPending, true
		}
	case AccountPending:
		switch e {
		case AccountSigned: // signed again, after the address was corrected
			return AccountPending, true
		case AccountCompleted:
			return AccountActive, true
		case AccountForgotten:
			return "", true
		case AccountFailed: // at the link: the lock delays the completion
			return AccountPending, true
		case AccountWaited, AccountAged, AccountReset, AccountStopped, AccountLifted:
		}
	case AccountActive, AccountLocked, AccountPasswordExpired:
		return s.open(e)
	case AccountBlocked:
		if e == AccountLifted {
			return AccountActive, true
		}
	}
	return s, false
}

// open is the part of the table about accounts that are not blocked.
func (s AccountState) open(e AccountEvent) (AccountState, bool) {
	switch e {
	case AccountFailed:
		return AccountLocked, s != AccountLocked
	case AccountWaited:
		return AccountActive, s == AccountLocked
	case AccountAged:
		return AccountPasswordExpired, s == AccountActive
	case AccountReset:
		return AccountActive, true
	case AccountStopped:
		return AccountBlocked, true
	case AccountSigned, AccountCompleted, AccountForgotten, AccountLifted:
	}
	return s, false
}

// Standing is the account's state at the moment: LOCKED and PASSWORD_EXPIRED are not kept, they follow
// from times. maxAge is password.max_age; zero: passwords do not age.
func (a Account) Standing(at time.Time, maxAge time.Duration) AccountState {
	switch {
	case a.State != AccountActive:
		return a.State
	case at.Before(a.LockedUntil):
		return AccountLocked
	case maxAge > 0 && !at.Before(a.PasswordChanged.Add(maxAge)):
		return AccountPasswordExpired
	}
	return AccountActive
}

// step moves the account by its table; what is kept of LOCKED and PASSWORD_EXPIRED is ACTIVE.
func (a Account) step(e AccountEvent) (Account, error) {
	next, ok := a.State.Next(e)
	if !ok {
		return a, errStep("account", a.State, e)
	}
	if next == AccountLocked || next == AccountPasswordExpired {
		next = AccountActive
	}
	a.State = next
	return a, nil
}

// ProfileEvent is what happens to a profile.
type ProfileEvent string

// The events of a profile.
const (
	ProfileOpened    ProfileEvent = "opened"    // a registration was completed, or an invitation accepted
	ProfileConfirmed ProfileEvent = "confirmed" // a new head confirmed an invited user
	ProfileReplaced  ProfileEvent = "replaced"  // another head completed his registration
	ProfileForgotten ProfileEvent = "forgotten" // the new head did not confirm an invited user in time
	ProfileRemoved   ProfileEvent = "removed"   // the head took an invited user's access
	ProfileStopped   ProfileEvent = "stopped"   // an administrator blocked it
	ProfileLifted    ProfileEvent = "lifted"    // two administrators lifted that
	ProfileShut      ProfileEvent = "shut"      // its enterprise was blocked
	ProfileReopened  ProfileEvent = "reopened"  // its enterprise is not blocked any more
)

// ProfileState is what the table of profiles looks at.
type ProfileState struct {
	Status Status
	Before Status // remembered while ENTERPRISE_BLOCKED
	// ByHead: BLOCKED by its head, who may invite the person again; what an administrator blocked only
	// administrators open.
	ByHead bool
}

// Next is the table of profiles; the status "" is no profile. False: there is no such step.
func (s ProfileState) Next(e ProfileEvent) (ProfileState, bool) {
	to := func(status Status) (ProfileState, bool) { return ProfileState{Status: status}, true }
	if e == ProfileShut && s.Status != "" && s.Status != EnterpriseBlocked {
		return ProfileState{Status: EnterpriseBlocked, Before: s.Status, ByHead: s.ByHead}, true
	}
	switch s.Status {
	case "":
		if e == ProfileOpened {
			return to(Active)
		}
	case Active:
		switch e {
		case ProfileOpened, ProfileConfirmed: // a newer invitation was accepted; the mark is taken off
			return to(Active)
		case ProfileReplaced, ProfileForgotten:
			return to(HeadChangeBlocked)
		case ProfileRemoved:
			return ProfileState{Status: Blocked, ByHead: true}, true
		case ProfileStopped:
			return to(Blocked)
		case ProfileLifted, ProfileShut, ProfileReopened:
		}
	case HeadChangeBlocked:
		switch e {
		case ProfileOpened, ProfileConfirmed:
			return to(Active)
		case ProfileRemoved:
			return ProfileState{Status: Blocked, ByHead: true}, true
		case ProfileReplaced, ProfileForgotten, ProfileStopped, ProfileLifted, ProfileShut, ProfileReopened:
		}
	case Blocked:
		if e == ProfileOpened && s.ByHead || e == ProfileLifted && !s.ByHead {
			return to(Active)
		}
	case EnterpriseBlocked:
		if e == ProfileReopened {
			return ProfileState{Status: s.Before, ByHead: s.ByHead && s.Before == Blocked}, true
		}
	}
	return s, false
}

// state is what the table looks at.
func (p Profile) state() ProfileState {
	s := ProfileState{Status: p.Status, ByHead: p.Status == Blocked && p.Reason == ReasonRemoved}
	if p.Status == EnterpriseBlocked {
		s.Before = p.Previous
	}
	return s
}

// RegistrationEvent is what happens to a registration.
type RegistrationEvent string

// The events of a registration.
const (
	RegistrationPassed     RegistrationEvent = "passed"     // step 1: the gate let the certificate through
	RegistrationStopped    RegistrationEvent = "stopped"    // step 1: it did not
	RegistrationEntered    RegistrationEvent = "entered"    // step 2, also to correct the address after signing
	RegistrationSigned     RegistrationEvent = "signed"     // step 3, or the kept signature counts on
	RegistrationCompleted  RegistrationEvent = "completed"  // the link, key and password
	RegistrationRefused    RegistrationEvent = "refused"    // the gate refused at completion
	RegistrationUnchecked  RegistrationEvent = "unchecked"  // the gate could not check at completion
	RegistrationExpired    RegistrationEvent = "expired"    // reg.draft_ttl or reg.link_ttl is over
	RegistrationCancelled  RegistrationEvent = "cancelled"  // by its person
	RegistrationSuperseded RegistrationEvent = "superseded" // another one of the same tin was completed
)

// Next is the table of registrations. False: there is no such step.
func (s State) Next(e RegistrationEvent) (State, bool) {
	if !s.Open() {
		return s, false
	}
	signed := s == StateSigned
	switch e {
	case RegistrationPassed:
		return StateCert, !signed
	case RegistrationStopped:
		return StateCategory, !signed
	case RegistrationEntered:
		return StateData, s != StateCategory
	case RegistrationSigned:
		return StateSigned, s == StateData
	case RegistrationCompleted:
		return StateCompleted, signed
	case RegistrationRefused:
		return StateRefused, signed
	case RegistrationUnchecked:
		return StateSigned, signed
	case RegistrationExpired:
		return StateExpired, true
	case RegistrationCancelled, RegistrationSuperseded:
		return StateCancelled, true
	}
	return s, false
}

// step moves the registration by its table.
func (r Registration) step(e RegistrationEvent) (Registration, error) {
	next, ok := r.State.Next(e)
	if !ok {
		return r, errStep("registration", r.State, e)
	}
	r.State = next
	return r, nil
}

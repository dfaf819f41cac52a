package participant

import (
	"testing"
	"time"
)

// The tables of section 11, whole: every state with every event. What is not named is no step.

func TestAccountTable(t *testing.T) {
	states := []AccountState{"", AccountPending, AccountActive, AccountLocked, AccountPasswordExpired, AccountBlocked}
	events := []AccountEvent{AccountSigned, AccountCompleted, AccountForgotten, AccountFailed, AccountWaited, AccountAged, AccountReset, AccountStopped, AccountLifted}
	type step struct {
		from AccountState
		by   AccountEvent
	}
	want := map[step]AccountState{
		{"", AccountSigned}: AccountPending, {AccountPending, AccountSigned}: AccountPending, {AccountPending, AccountCompleted}: AccountActive, {AccountPending, AccountForgotten}: "", {AccountPending, AccountFailed}: AccountPending,
		{AccountActive, AccountFailed}: AccountLocked, {AccountActive, AccountAged}: AccountPasswordExpired, {AccountActive, AccountReset}: AccountActive, {AccountActive, AccountStopped}: AccountBlocked,
		{AccountLocked, AccountWaited}: AccountActive, {AccountLocked, AccountReset}: AccountActive, {AccountLocked, AccountStopped}: AccountBlocked,
		{AccountPasswordExpired, AccountReset}: AccountActive, {AccountPasswordExpired, AccountFailed}: AccountLocked, {AccountPasswordExpired, AccountStopped}: AccountBlocked,
		{AccountBlocked, AccountLifted}: AccountActive,
	}
	for _, s := range states {
		for _, e := range events {
			next, ok := s.Next(e)
			to, has := want[step{s, e}]
			if ok != has || ok && next != to {
				t.Errorf("%q by %s: %q %v, want %q %v", s, e, next, ok, to, has)
			}
		}
	}
}

// LOCKED and PASSWORD_EXPIRED are not kept: what the times say agrees with the table.
func TestStandingFollowsTheTable(t *testing.T) {
	at := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	const age = 90 * 24 * time.Hour
	a := Account{State: AccountActive, PasswordChanged: at}
	step := func(e AccountEvent, now time.Time, next Account) {
		t.Helper()
		want, ok := a.Standing(now, age).Next(e)
		if a = next; !ok || a.Standing(now, age) != want {
			t.Errorf("by %s: stands %s, the table says %s %v", e, a.Standing(now, age), want, ok)
		}
	}
	locked := a
	for range failLock {
		locked, _ = locked.failed(at, SignInConfig{}.complete())
	}
	step(AccountFailed, at, locked)
	if got := a.Standing(a.LockedUntil, age); got != AccountActive {
		t.Errorf("when the lock is over: %s", got)
	}
	later := at.Add(age)
	if got := a.Standing(later, age); got != AccountPasswordExpired || a.Standing(later, 0) != AccountActive {
		t.Errorf("after password.max_age: %s", got)
	}
	reset := a.passed()
	reset.PasswordChanged = later
	step(AccountReset, later, reset)
	blocked, err := a.step(AccountStopped)
	if err != nil {
		t.Fatal(err)
	}
	step(AccountStopped, later, blocked)
	if _, err := a.step(AccountCompleted); err == nil {
		t.Error("a blocked account was completed")
	}
}

func TestProfileTable(t *testing.T) {
	byHead := ProfileState{Status: Blocked, ByHead: true}
	plain := func(s Status) ProfileState { return ProfileState{Status: s} }
	shut := func(s ProfileState) ProfileState {
		return ProfileState{Status: EnterpriseBlocked, Before: s.Status, ByHead: s.ByHead}
	}
	open := []ProfileState{plain(Active), plain(HeadChangeBlocked), plain(Blocked), byHead}
	states := append([]ProfileState{plain("")}, open...)
	for _, s := range open {
		states = append(states, shut(s))
	}
	events := []ProfileEvent{ProfileOpened, ProfileConfirmed, ProfileReplaced, ProfileForgotten, ProfileRemoved, ProfileStopped, ProfileLifted, ProfileShut, ProfileReopened}
	type step struct {
		from ProfileState
		by   ProfileEvent
	}
	want := map[step]ProfileState{
		{plain(""), ProfileOpened}:     plain(Active),
		{plain(Active), ProfileOpened}: plain(Active), {plain(Active), ProfileConfirmed}: plain(Active), {plain(Active), ProfileReplaced}: plain(HeadChangeBlocked),
		{plain(Active), ProfileForgotten}: plain(HeadChangeBlocked), {plain(Active), ProfileRemoved}: byHead, {plain(Active), ProfileStopped}: plain(Blocked),
		{plain(HeadChangeBlocked), ProfileOpened}: plain(Active), {plain(HeadChangeBlocked), ProfileConfirmed}: plain(Active), {plain(HeadChangeBlocked), ProfileRemoved}: byHead,
		{plain(Blocked), ProfileLifted}: plain(Active), {byHead, ProfileOpened}: plain(Active),
	}
	for _, s := range open {
		want[step{s, ProfileShut}] = shut(s)
		want[step{shut(s), ProfileReopened}] = s // exactly the remembered one
	}
	for _, s := range states {
		for _, e := range events {
			next, ok := s.Next(e)
			to, has := want[step{s, e}]
			if ok != has || ok && next != to {
				t.Errorf("%+v by %s: %+v %v, want %+v %v", s, e, next, ok, to, has)
			}
		}
	}
}

func TestRegistrationTable(t *testing.T) {
	states := []State{StateCategory, StateCert, StateData, StateSigned, StateCompleted, StateExpired, StateCancelled, StateRefused}
	events := []RegistrationEvent{RegistrationPassed, RegistrationStopped, RegistrationEntered, RegistrationSigned, RegistrationCompleted, RegistrationRefused,
		RegistrationUnchecked, RegistrationExpired, RegistrationCancelled, RegistrationSuperseded}
	type step struct {
		from State
		by   RegistrationEvent
	}
	want := map[step]State{
		{StateCert, RegistrationEntered}: StateData, {StateData, RegistrationEntered}: StateData, {StateSigned, RegistrationEntered}: StateData,
		{StateData, RegistrationSigned}: StateSigned, {StateSigned, RegistrationCompleted}: StateCompleted, {StateSigned, RegistrationRefused}: StateRefused,
		{StateSigned, RegistrationUnchecked}: StateSigned,
	}
	for _, s := range []State{StateCategory, StateCert, StateData, StateSigned} {
		want[step{s, RegistrationExpired}], want[step{s, RegistrationCancelled}], want[step{s, RegistrationSuperseded}] = StateExpired, StateCancelled, StateCancelled
		if s != StateSigned {
			want[step{s, RegistrationPassed}], want[step{s, RegistrationStopped}] = StateCert, StateCategory
		}
	}
	for _, s := range states {
		for _, e := range events {
			next, ok := s.Next(e)
			to, has := want[step{s, e}]
			if ok != has || ok && next != to {
				t.Errorf("%s by %s: %s %v, want %s %v", s, e, next, ok, to, has)
			}
		}
	}
}

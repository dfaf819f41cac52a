package participant

import (
	"strconv"
	"time"
)

// Defaults of signin.fail_lock and signin.fail_day, section 15.
const (
	failLock   = 5
	firstLock  = 15 * time.Minute
	longLock   = 24 * time.Hour
	failPerDay = 20
)

// Locked reports whether wrong passwords have closed the account at the moment, and until when.
func (a Account) Locked(at time.Time) (until time.Time, locked bool) {
	return a.LockedUntil, at.Before(a.LockedUntil)
}

// usable says why the account may not sign in at all, whatever the password: "" or a code.
func (a Account) usable() string {
	switch a.State {
	case AccountActive, AccountPending:
		return ""
	case AccountLocked, AccountPasswordExpired, AccountBlocked:
	}
	return "ACCOUNT_BLOCKED"
}

// failed counts a wrong password: by default the fifth in a row locks for 15 minutes, the next five for
// 30, and so on up to a day; twenty in a day lock for a day. It is called only after a certificate was
// verified, so that a stranger cannot lock a person out.
func (a Account) failed(at time.Time, c SignInConfig) (next Account, locked bool) {
	if at.Sub(a.DayStart) >= longLock {
		a.DayStart, a.DayFailed = at, 0
	}
	a.Failed++
	a.DayFailed++
	lock := time.Duration(0)
	if a.Failed >= c.FailLock {
		lock = c.LockFor
		for range a.Locks {
			if lock >= longLock {
				break
			}
			lock *= 2
		}
		lock = min(lock, longLock)
	}
	if a.DayFailed >= c.FailDay {
		lock = longLock
		a.DayFailed, a.DayStart = 0, at
	}
	if lock == 0 {
		return a, false
	}
	a.Failed = 0
	a.Locks++
	a.LockedUntil = at.Add(lock)
	return a, true
}

// passed forgets the wrong passwords after a right one.
func (a Account) passed() Account {
	a.Failed, a.Locks, a.LockedUntil = 0, 0, time.Time{}
	return a
}

// activate is the row of a person whose registration completes, new or revived (P-32).
func (p Profile) activate(at time.Time, evidence string) (Profile, Change, error) {
	reason := ReasonRegistered
	if p.Status != "" {
		reason = ReasonRevived
	}
	return p.step(ProfileOpened, reason, at, evidence)
}

// step moves the profile by its table and writes the line of its history.
func (p Profile) step(e ProfileEvent, reason string, at time.Time, evidence string) (Profile, Change, error) {
	next, ok := p.state().Next(e)
	if !ok {
		return p, Change{}, errStep("profile", p.Status, e)
	}
	c := Change{Profile: p.ID, From: p.Status, To: next.Status, Reason: reason, At: at, Evidence: evidence}
	p.Previous, p.Status, p.Reason, p.Since, p.Evidence = p.Status, next.Status, reason, at, evidence
	return p, c, nil
}

// Stamp changes with the password: whoever was let in by another one is not in any more, even when the session
// was begun after sessions were ended.
func (a Account) Stamp() string { return strconv.FormatInt(a.PasswordChanged.UnixMilli(), 36) }

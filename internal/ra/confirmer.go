package ra

import "time"

// Confirmer is who decides about another's application, as his certificate and the registry show.
type Confirmer struct {
	IIN, BIN, Serial string
	// Role of the certificate: RoleHead, RoleSignRight, RoleHR, …
	Role string
	// Leader reports that the registry names this person head of BIN now; Registry says whence
	// that is known.
	Leader   bool
	Registry map[string]string
	// Delegation is the id of a delegation to confirm that counts now; empty for none.
	Delegation string
	grounds    grounds
	// Peer reports that the applicant is a delegate himself: only the head decides then.
	Peer bool
	// TTL is [Terms.Confirm]; the usual one when zero.
	TTL time.Duration
}

func (by Confirmer) ttl() time.Duration { return Terms{Confirm: by.TTL}.OrUsual().Confirm }

// mayDecide checks C1 and C2: another person, whatever certificate he uses; of the same BIN; head or
// delegate, never HR.
func (a *Application) mayDecide(by Confirmer) error {
	if by.IIN == a.Subject.IIN {
		return refuse("SELF_CONFIRM")
	}
	if by.BIN == "" || by.BIN != a.Subject.BIN {
		return refuse("NOT_YOUR_APPLICATION")
	}
	switch {
	case by.Role == RoleHead && by.Leader:
		return nil
	case by.Role == RoleHead:
		return &Refusal{Code: "NOT_HEAD_NOW", Evidence: by.Registry}
	case by.Role == RoleSignRight && by.Delegation != "" && by.Peer:
		return refuse("HEAD_CONFIRMS_DELEGATE")
	case by.Role == RoleSignRight && by.Delegation != "":
		return nil
	}
	return refuse("ROLE_CANNOT_CONFIRM")
}

// decided says why nothing can be decided about an application that does not wait for its head.
func (a *Application) decided() error {
	switch a.State {
	case Approved, Issued, Installed:
		return refuse("ALREADY_CONFIRMED")
	case Withdrawn:
		return refuse("APPLICATION_WITHDRAWN")
	case Rejected:
		return refuse("APPLICATION_REJECTED")
	case Expired:
		return refuse("APPLICATION_EXPIRED")
	case Draft, Signed, AwaitingDirector, AwaitingDesk:
	}
	return refuse("APPLICATION_STATE", "state", string(a.State))
}

// decidable refuses a decision about another text than the one that waits now, and a late one.
func (a *Application) decidable(by Confirmer, c Choice, late bool) error {
	if err := a.mayDecide(by); err != nil {
		return err
	}
	if a.State.Final() && a.State != Installed {
		return a.decided()
	}
	if c.Revision != a.Revision || c.Hash != a.SignedHash {
		return refuse("REVISION_CHANGED", "n", itoa(a.Revision))
	}
	if a.State != AwaitingDirector {
		return a.decided()
	}
	if late {
		return refuse("APPLICATION_EXPIRED")
	}
	return nil
}

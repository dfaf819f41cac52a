package ra

// Confirmer is who decides about another's application, as his certificate and the registry show.
type Confirmer struct {
	IIN, BIN, Serial string
	// Role of the certificate: RoleHead, RoleSignRight, RoleHR, …
	Role string
	// Leader reports that the registry names this person head of BIN now.
	Leader bool
	// Delegation is the id of a living delegation to confirm; empty for none.
	Delegation string
}

// mayDecide checks C1 and C2: another person, of the same BIN, head or delegate, never HR.
func (a *Application) mayDecide(by Confirmer) error {
	if by.BIN == "" || by.BIN != a.Subject.BIN {
		return refuse("NOT_YOUR_APPLICATION")
	}
	if by.IIN == a.Subject.IIN {
		return refuse("SELF_CONFIRM")
	}
	head := by.Role == RoleHead && by.Leader
	delegate := by.Role == RoleSignRight && by.Delegation != ""
	if by.Role == RoleHR || (!head && !delegate) {
		return refuse("ROLE_CANNOT_CONFIRM")
	}
	return nil
}

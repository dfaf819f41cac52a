package ra

import (
	"time"
)

// Terms are how long things wait; zero ones are as usual (cabinet.md §15).
type Terms struct {
	// Confirm is how long a signed application waits for a confirmation (application.confirm_ttl). Paper that
	// must be brought to a desk has its own days.
	Confirm time.Duration
	// Draft is how long an unsigned application is kept (draft.ttl).
	Draft time.Duration
	// Install is after how long keys that were issued and not installed are offered for revocation (install.ttl).
	Install time.Duration
}

// The usual terms.
const (
	ConfirmTTL = 30 * 24 * time.Hour
	DraftTTL   = 7 * 24 * time.Hour
	InstallTTL = 30 * 24 * time.Hour
)

// OrUsual fills what is zero.
func (t Terms) OrUsual() Terms {
	for _, one := range []struct {
		to    *time.Duration
		usual time.Duration
	}{{&t.Confirm, ConfirmTTL}, {&t.Draft, DraftTTL}, {&t.Install, InstallTTL}} {
		if *one.to == 0 {
			*one.to = one.usual
		}
	}
	return t
}

// Terms are the office's.
func (o *Office) Terms() Terms { return o.c.Terms }

// move refuses a transition the table does not have.
func (a *Application) move(to State, at time.Time, from ...State) error {
	for _, s := range from {
		if a.State == s {
			a.State, a.Changed = to, at
			return nil
		}
	}
	return refuse("APPLICATION_STATE", "state", string(a.State))
}

// Sign fixes a draft: its document was signed by the right key. Checking the signature is the
// office's; here only the state counts.
func (a *Application) Sign(signed []byte, hash string, at time.Time) error {
	if len(a.Requests) == 0 || a.Document == "" {
		return refuse("APPLICATION_STATE", "state", string(a.State))
	}
	if err := a.move(Signed, at, Draft); err != nil {
		return err
	}
	a.SignedDocument, a.SignedHash, a.SignedAt = signed, hash, at
	a.Reason = Reason{}
	return nil
}

// Route sends a signed application on: an employee's to the head, an individual's and (when the
// registry names him) the head's to issuing. A registry that could not answer leaves it where it is; who
// turns out to be the head himself is told to apply as such.
func (a *Application) Route(head HeadAnswer, at time.Time) error {
	if a.State != Signed {
		return refuse("APPLICATION_STATE", "state", string(a.State))
	}
	if head.Organization != "" && a.Subject.Organization == "" {
		a.Subject.Organization = head.Organization // it was silent when he applied
	}
	switch {
	case head.unknown():
		a.Reason = Reason{Code: "REG_UNAVAILABLE", Evidence: head.evidence()}
		if head.Code != "" {
			a.Reason.Evidence["cause"] = head.Code
		}
		a.Changed = at
		return nil
	case head.bad():
		return a.move2(AwaitingDesk, Reason{Code: head.code(), Evidence: head.evidence()}, at)
	case a.Kind == Employee && head.IIN == a.Subject.IIN:
		return a.RejectBy(Reason{Code: "HEAD_APPLIES_AS_HEAD"}, at)
	case a.Subject.BIN == "":
		a.Reason = Reason{}
		return a.move(Approved, at, Signed)
	case a.Role != RoleHead:
		a.Reason = Reason{}
		return a.move(AwaitingDirector, at, Signed)
	case head.IIN != a.Subject.IIN:
		return a.move2(AwaitingDesk, Reason{Code: "HEAD_NOT_IN_REGISTRY", Evidence: head.evidence()}, at)
	}
	a.Reason = Reason{}
	return a.move(Approved, at, Signed)
}

func (a *Application) move2(to State, why Reason, at time.Time) error {
	if err := a.move(to, at, Signed); err != nil {
		return err
	}
	a.Reason = why
	return nil
}

// Confirm records the approval of the head or his delegate (C1, C2): by revision and hash, so that
// a confirmation of an older text counts for nothing. Evidence is the hash of the signed decision.
func (a *Application) Confirm(by Confirmer, revision int, hash, evidence string, at time.Time) error {
	if err := a.decidable(by, Choice{a.Number, revision, hash}, at.Sub(a.SignedAt) > by.ttl()); err != nil {
		return err
	}
	a.Approvals = append(a.Approvals, by.approval(revision, hash, evidence, at))
	return a.move(Approved, at, AwaitingDirector)
}

// Reject ends a waiting application; a reason is required.
func (a *Application) Reject(by Confirmer, revision int, hash, evidence, text string, at time.Time) error {
	if err := a.decidable(by, Choice{a.Number, revision, hash}, at.Sub(a.SignedAt) > by.ttl()); err != nil {
		return err
	}
	if text == "" {
		return refuse("REASON_REQUIRED")
	}
	if err := a.move(Rejected, at, AwaitingDirector); err != nil {
		return err
	}
	rejection := by.approval(revision, hash, evidence, at)
	a.Rejection, a.Reason = &rejection, Reason{Code: "REJECTED_BY_HEAD", Text: text}
	return nil
}

func (by Confirmer) approval(revision int, hash, evidence string, at time.Time) Approval {
	return Approval{IIN: by.IIN, Serial: by.Serial, Revision: revision, Hash: hash, Evidence: evidence, At: at, Delegation: by.Delegation}
}

// RejectBy ends an application for a cause of the system: OLD_KEY_REVOKED, HEAD_CHANGED,
// NOT_EMPLOYED, or a refusal of the authority.
func (a *Application) RejectBy(why Reason, at time.Time) error {
	if err := a.move(Rejected, at, Signed, AwaitingDirector, AwaitingDesk, Approved); err != nil {
		return err
	}
	a.Reason = why
	return nil
}

// Edit goes back to a draft of the next revision: signature, requests and approvals are gone,
// because e-mail and storage are inside the requests.
func (a *Application) Edit(email, city string, storage Storage, at time.Time) error {
	if a.IssueBegun || a.Kind == Issuance { // without a key there is nothing to sign again with
		return refuse("APPLICATION_STATE", "state", string(a.State))
	}
	had := a.State != Draft || len(a.Requests) > 0
	if err := a.move(Draft, at, Draft, Signed, AwaitingDirector, AwaitingDesk, Approved); err != nil {
		return err
	}
	if had {
		a.Revision++
	}
	a.Email, a.City, a.Storage = email, city, storage
	a.Requests, a.Document, a.SignedDocument, a.SignedHash, a.SignedAt = nil, "", nil, "", time.Time{}
	a.Approvals, a.Reason, a.Asked, a.Visit = nil, Reason{}, nil, Visit{}
	a.Batch = "" // who edits goes on by himself
	return nil
}

// Withdraw ends an application at the wish of its applicant, before issuing began.
func (a *Application) Withdraw(at time.Time) error {
	if a.IssueBegun {
		return refuse("APPLICATION_STATE", "state", string(a.State))
	}
	return a.move(Withdrawn, at, Draft, Signed, AwaitingDirector, AwaitingDesk, Approved)
}

// BeginIssue marks that orders go out; nothing can be edited or withdrawn from here on.
func (a *Application) BeginIssue(at time.Time) error {
	if a.State != Approved {
		return refuse("APPLICATION_STATE", "state", string(a.State))
	}
	a.IssueBegun, a.Changed = true, at
	return nil
}

// Issue records the certificates, one for each request.
func (a *Application) Issue(certs []Certificate, at time.Time) error {
	if len(certs) != len(a.Requests) || !a.IssueBegun {
		return refuse("APPLICATION_STATE", "state", string(a.State))
	}
	if err := a.move(Issued, at, Approved); err != nil {
		return err
	}
	a.Certificates, a.Reason = certs, Reason{}
	return nil
}

// Install records that the agent wrote every key of the set.
func (a *Application) Install(serials []string, at time.Time) error {
	if a.State == Installed {
		return nil // reported twice: the same fact
	}
	reported := map[string]bool{}
	for _, s := range serials {
		reported[s] = true
	}
	for _, c := range a.Certificates {
		if !reported[c.Serial] {
			return refuse("CERT_KEY_MISMATCH")
		}
		delete(reported, c.Serial)
	}
	if len(reported) > 0 {
		return refuse("CERT_KEY_MISMATCH")
	}
	if err := a.move(Installed, at, Issued); err != nil {
		return err
	}
	a.InstalledAt = at
	return nil
}

// Expire ends an application nobody confirmed in time.
func (a *Application) Expire(ttl time.Duration, at time.Time) error {
	if !at.After(a.Deadline(ttl)) {
		return refuse("APPLICATION_STATE", "state", string(a.State))
	}
	return a.move(Expired, at, AwaitingDirector, AwaitingDesk)
}

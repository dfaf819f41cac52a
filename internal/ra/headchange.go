package ra

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/lang"
)

// JobPreviousHead revokes the keys of a former head; its payload is [CompanyTask], the handler calls
// [Office.RevokePrevious].
const JobPreviousHead = "ra.previous_head"

// CompanyTask names an organisation.
type CompanyTask struct {
	BIN string `json:"bin"`
}

// AutoRevoke is the setting head_change.auto_revoke: whether the keys of a former head are only
// offered to the new one for revocation (zero), or revoked now or after some days. It is a flag.Value.
type AutoRevoke struct {
	On   bool
	Days int
}

// String writes it as an operator does.
func (a AutoRevoke) String() string {
	switch {
	case !a.On:
		return "offer"
	case a.Days == 0:
		return "now"
	}
	return "after_days:" + itoa(a.Days)
}

// Set reads offer, now or after_days:N.
func (a *AutoRevoke) Set(s string) error {
	switch days, after := strings.CutPrefix(s, "after_days:"); {
	case s == "offer":
		*a = AutoRevoke{}
	case s == "now":
		*a = AutoRevoke{On: true}
	case after:
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > 365 {
			return fmt.Errorf("%q: after_days: takes 1 to 365 days", s)
		}
		*a = AutoRevoke{On: true, Days: n}
	default:
		return fmt.Errorf("%q: it is offer, after_days:N or now", s)
	}
	return nil
}

// HeadChanged follows a change of head, once, also when a load of the registry and the portal both tell of it: the delegations of the organisation end,
// what waits is rejected, the new head is offered the keys of the former one (N-23) or, as the setting
// has it, they are revoked. Change names the event. Of the former head nothing but his head's keys of
// this organisation is touched.
func (o *Office) HeadChanged(ctx context.Context, bin, change string) error {
	head := o.c.Registry.Head(ctx, "", ident.BIN(bin))
	if head.unknown() {
		return errors.New("follow a change of head: the registry does not answer")
	}
	leader := ""
	var previous []Key
	var err error
	if !head.bad() { // else the next head is offered them
		leader = head.IIN
		if previous, err = o.previousKeys(ctx, leader, bin); err != nil {
			return err
		}
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		first, err := tx.BeginChange(ctx, bin, "head "+change)
		if err == nil && first && leader != "" {
			first, err = tx.BeginChange(ctx, bin, "leader "+tx.Hash(leader)+" "+head.Appointed)
		}
		if err != nil || !first {
			return err
		}
		if err := o.endCompany(ctx, tx, bin, EndHeadChanged, func(d Delegation) bool { return d.Head != leader }); err != nil {
			return err
		}
		why := Reason{Code: "HEAD_CHANGED", Evidence: head.evidence()}
		err = o.rejectWaiting(ctx, tx, bin, why, func(a Application) bool { return a.Role != RoleHead || a.Subject.IIN != leader })
		if err != nil || len(previous) == 0 {
			return err
		}
		err = tx.Audit(ctx, audit.Event{Action: "head_change.offered", Actor: "system", Object: "organization " + tx.Hash(bin), Result: "ok",
			Detail: map[string]string{"change": change, "keys": itoa(len(previous)), "head": tx.Hash(leader), "auto_revoke": o.c.AutoRevoke.String()}})
		if err != nil {
			return err
		}
		err = o.tellPerson(ctx, tx, leader, "N-23", bin, change, func(lang.Tag) map[string]string {
			return map[string]string{"n": itoa(len(previous)), "link": o.c.Origin + "/keys"}
		})
		if err != nil || !o.c.AutoRevoke.On {
			return err
		}
		return tx.Enqueue(ctx, job.Job{Kind: JobPreviousHead, Payload: CompanyTask{bin}, At: o.c.Now().AddDate(0, 0, o.c.AutoRevoke.Days), Unique: tx.Hash(bin) + change})
	})
	if err != nil {
		return fmt.Errorf("follow a change of head: %w", err)
	}
	return nil
}

// EntityEnded follows the end of an organisation in the registry, once: no key of it is issued any
// more, and nobody acts for its head.
func (o *Office) EntityEnded(ctx context.Context, bin, change string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		if first, err := tx.BeginChange(ctx, bin, "end "+change); err != nil || !first {
			return err
		}
		if err := o.endCompany(ctx, tx, bin, EndEntityClosed, func(Delegation) bool { return true }); err != nil {
			return err
		}
		return o.rejectWaiting(ctx, tx, bin, Reason{Code: "ORGANISATION_ENDED"}, func(Application) bool { return true })
	})
	if err != nil {
		return fmt.Errorf("follow the end of an organisation: %w", err)
	}
	return nil
}

// endCompany ends delegations of an organisation that have not ended.
func (o *Office) endCompany(ctx context.Context, tx Tx, bin string, why Ending, which func(Delegation) bool) error {
	all, err := tx.DelegationsOf(ctx, bin)
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.EndedAt.IsZero() && which(d) {
			if err := o.endDelegation(ctx, tx, d, why, "system"); err != nil {
				return err
			}
		}
	}
	return nil
}

// RevokePrevious revokes the keys of former heads of an organisation, as the registry names them at
// this moment: the handler of [JobPreviousHead].
func (o *Office) RevokePrevious(ctx context.Context, t CompanyTask) error {
	head := o.c.Registry.Head(ctx, "", ident.BIN(t.BIN))
	if head.unknown() {
		return errors.New("revoke keys of a former head: the registry does not answer")
	}
	if head.bad() {
		return nil // nobody heads it now: the next head is offered them
	}
	keys, err := o.previousKeys(ctx, head.IIN, t.BIN)
	if err != nil || len(keys) == 0 {
		return err
	}
	task := RevokeTask{Reason: "affiliationChanged", By: "system"}
	for _, k := range keys {
		task.Serials = append(task.Serials, k.Serial)
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error { return askRevocations(ctx, tx, task, "system", "") })
	if err != nil {
		return fmt.Errorf("revoke keys of a former head: %w", err)
	}
	return o.RevokeAll(ctx, task)
}

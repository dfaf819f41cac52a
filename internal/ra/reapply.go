package ra

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"senim/internal/audit"
)

// Recorded is a record of the audit about an application, a delegation, a dismissal, or a key to be revoked.
type Recorded struct {
	At     time.Time
	Action string // others than those [Reapply] follows are passed over
	Actor  string
	Object string
	Detail map[string]string
}

// Holders says whose key a serial is; [ErrNoKey] for a serial that is not known. It is not asked inside a
// transaction.
type Holders func(ctx context.Context, serial string) (iin, bin, name string, err error)

// Reapplied counts what [Reapply] did.
type Reapplied struct {
	Applications, Delegations, Dismissals int
	// Unknown are dismissed persons of whom no key is known here: their marks could not be put back.
	Unknown int
}

// Reapply brings back what was taken back after an older copy of the database was made: applications that
// were withdrawn, refused or changed, delegations that ended, persons who were dismissed. What was given
// since (applications, delegations, lifted marks) is lost with its documents: it is asked for again, and
// never put back from the audit. Acts come in the order of each node's chain.
func Reapply(ctx context.Context, s Store, acts []Recorded, holders Holders, by string) (done Reapplied, err error) {
	acts = slices.Clone(acts)
	slices.SortStableFunc(acts, func(a, b Recorded) int { return a.At.Compare(b.At) })
	dismissed, unknown, err := dismissals(ctx, acts, holders)
	if err != nil {
		return done, fmt.Errorf("bring back dismissals: %w", err)
	}
	err = s.Update(ctx, func(tx Tx) error {
		done = Reapplied{Unknown: unknown}
		for _, a := range told(acts) {
			changed, err := a.reapply(ctx, tx)
			if err != nil {
				return fmt.Errorf("application %s: %w", FormatNumber(a.number), err)
			}
			done.Applications += count(changed)
		}
		for _, a := range acts {
			if a.Action != "delegation.ended" {
				continue
			}
			changed, err := reapplyEnding(ctx, tx, a)
			if err != nil {
				return fmt.Errorf("%s: %w", a.Object, err)
			}
			done.Delegations += count(changed)
		}
		for _, d := range dismissed {
			was, err := tx.Dismissal(ctx, d.BIN, d.IIN)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if err == nil && !was.At.Before(d.At) {
				continue
			}
			if err := tx.PutDismissal(ctx, d); err != nil {
				return err
			}
			done.Dismissals++
		}
		if done == (Reapplied{}) {
			return nil
		}
		return tx.Audit(ctx, audit.Event{Action: "application.reconciled", Actor: by, Result: "ok", Detail: map[string]string{
			"applications": itoa(done.Applications), "delegations": itoa(done.Delegations), "dismissals": itoa(done.Dismissals), "unknown": itoa(done.Unknown)}})
	})
	return done, err
}

func count(changed bool) int {
	if changed {
		return 1
	}
	return 0
}

// toldApplication is the last that was said of an application.
type toldApplication struct {
	number   string
	revision int
	state    State
	code     string
	at       time.Time
}

// told gathers the last word on every application, by number.
func told(acts []Recorded) []toldApplication {
	last := map[string]toldApplication{}
	for _, a := range acts {
		name, ok := strings.CutPrefix(a.Object, "application ")
		if !ok || a.Detail["state"] == "" {
			continue
		}
		number, err := ParseNumber(name)
		if err != nil {
			continue
		}
		revision, err := strconv.Atoi(a.Detail["revision"])
		if err != nil {
			continue
		}
		last[number] = toldApplication{number, revision, State(a.Detail["state"]), a.Detail["code"], a.At}
	}
	all := make([]toldApplication, 0, len(last))
	for _, a := range last {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b toldApplication) int { return cmp.Compare(a.number, b.number) })
	return all
}

// reapply changes an application that is here; of one that is not, its number is not given again, for
// orders are named by it.
func (t toldApplication) reapply(ctx context.Context, tx Tx) (changed bool, err error) {
	a, err := tx.Application(ctx, t.number)
	if errors.Is(err, ErrNotFound) {
		return false, skipNumber(ctx, tx, t.number)
	}
	if err != nil || a.State.Final() {
		return false, err
	}
	switch {
	case t.state.Final() && t.state != Installed:
		a.State, a.Revision = t.state, max(a.Revision, t.revision)
		a.Reason = Reason{Code: t.code}
	case t.revision > a.Revision && (t.state == Issued || t.state == Installed || a.IssueBegun):
		a.State, a.Reason = Rejected, Reason{Code: "ORDER_CLOSED"} // what was issued is with its holder
	case t.revision > a.Revision || t.state == Draft && a.State != Draft:
		if err := a.Edit(a.Email, a.City, a.Storage, t.at); err != nil {
			return false, err
		}
		a.Revision = max(a.Revision, t.revision)
	default:
		return false, nil
	}
	a.Changed = t.at
	return true, tx.Put(ctx, a)
}

// skipNumber makes the counter of a number's day go past it.
func skipNumber(ctx context.Context, tx Tx, number string) error {
	given, err := strconv.Atoi(number[6:11])
	if err != nil {
		return err
	}
	for n := 0; n < given; {
		if n, err = tx.Counter(ctx, number[:6]); err != nil {
			return err
		}
	}
	return nil
}

// reapplyEnding ends a delegation that is here and open.
func reapplyEnding(ctx context.Context, tx Tx, a Recorded) (changed bool, err error) {
	id, _ := strings.CutPrefix(a.Object, "delegation ")
	d, err := tx.Delegation(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil || !d.EndedAt.IsZero() {
		return false, err
	}
	if err := d.End(Ending(a.Detail["reason"]), a.At); err != nil {
		return false, err
	}
	return true, tx.PutDelegation(ctx, d)
}

// dismissals are the marks that were set. Persons are in the audit as hashes only, so the mark is found
// by the keys that the same signature asked to be revoked.
func dismissals(ctx context.Context, acts []Recorded, holders Holders) (all []Dismissal, unknown int, err error) {
	lifted := map[string]bool{}
	for _, a := range acts {
		if a.Action == "employee.returned" {
			lifted[a.Object] = true
		}
	}
	for i, a := range acts {
		if a.Action != "employee.dismissed" || lifted[a.Object] {
			continue
		}
		id, _ := strings.CutPrefix(a.Object, "employment ")
		d := Dismissal{ID: id, At: a.At.UTC().Truncate(time.Second)}
		for _, r := range acts[i:] {
			if r.At.Sub(a.At) > time.Minute {
				break
			}
			if r.Action != "cert.revocation.asked" || r.Actor != a.Actor || r.Detail["signer"] != a.Detail["signer"] || itoa(len(d.Serials)) == a.Detail["keys"] {
				continue
			}
			d.Serials = append(d.Serials, r.Object)
			if d.IIN != "" {
				continue
			}
			d.IIN, d.BIN, d.Name, err = holders(ctx, r.Object)
			if err != nil && !errors.Is(err, ErrNoKey) {
				return nil, 0, err
			}
		}
		if d.IIN == "" || d.BIN == "" {
			unknown++
			continue
		}
		all = append(all, d)
	}
	return all, unknown, nil
}

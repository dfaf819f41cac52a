package ra

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/audit"
	"senim/internal/lang"
)

// Folder is what an operator sees of a person.
type Folder struct {
	Person       PersonAnswer
	Phone        PhoneAnswer
	Account      Account
	Applications []Application
	Keys         []Key
}

// Folder gathers what is known of a person, for an operator.
func (o *Office) Folder(ctx context.Context, by Operator, typed string) (Folder, string, error) {
	iin, err := o.c.Identities.AdmitIIN(typed)
	if err != nil {
		return Folder{}, "", refuse("IIN_INVALID")
	}
	f := Folder{Person: o.c.People.Person(ctx, by.IIN, iin), Phone: o.c.People.Phone(ctx, by.IIN, iin)}
	if f.Keys, err = o.c.Keys.Of(ctx, string(iin)); err != nil {
		return Folder{}, "", fmt.Errorf("open a folder: %w", err)
	}
	err = o.c.Store.View(ctx, func(tx Tx) error {
		f.Account, err = tx.Account(ctx, string(iin))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		f.Applications, err = tx.OfPerson(ctx, string(iin))
		f.Applications = slices.DeleteFunc(f.Applications, func(a Application) bool { return a.State == Draft })
		return err
	})
	return f, string(iin), err
}

// Sought writes down that an operator looked a person up, whether or not anything is known of him.
func (o *Office) Sought(ctx context.Context, by Operator, iin string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "check.searched", Actor: tx.Hash(by.IIN), Object: tx.Hash(iin), Result: "ok", Detail: map[string]string{"signer": by.Serial}})
	})
	if err != nil {
		return fmt.Errorf("look a person up: %w", err)
	}
	return nil
}

// maxListed bounds the lists of the desk.
const maxListed = 5000

// Board is what the desk has before it.
type Board struct {
	// Identify waits for a first operator, Approve for a second, Acts for a second too.
	Identify, Approve []Application
	Acts              []KeyAct
	Tallies           []Tally
	// IssuedToday counts applications whose certificates are of this day (Astana).
	IssuedToday int
	// Failures are the causes for which applications ended without keys in the last 30 days, most first.
	Failures []Cause
	// Unreachable are accounts without a confirmed address.
	Unreachable int
}

// Cause is a code with how often it was met.
type Cause struct {
	Code string
	N    int
}

// Board gathers the desk's queue and numbers.
func (o *Office) Board(ctx context.Context) (b Board, err error) {
	now := o.c.Now()
	err = o.c.Store.View(ctx, func(tx Tx) error {
		waiting, err := tx.InState(ctx, AwaitingDesk, time.Time{}, maxListed)
		if err != nil {
			return err
		}
		for _, a := range waiting {
			if a.Visit.First.Done() {
				b.Approve = append(b.Approve, a)
			} else {
				b.Identify = append(b.Identify, a)
			}
		}
		if b.Acts, err = tx.ActsIn(ctx, ActWaiting, maxListed); err != nil {
			return err
		}
		if b.Tallies, err = tx.Tallies(ctx); err != nil {
			return err
		}
		if b.Unreachable, err = tx.Unreachable(ctx); err != nil {
			return err
		}
		if b.IssuedToday, err = issuedSince(ctx, tx, midnight(now)); err != nil {
			return err
		}
		b.Failures, err = failures(ctx, tx, now.AddDate(0, 0, -30))
		return err
	})
	return b, err
}

func midnight(at time.Time) time.Time {
	y, m, d := at.In(lang.Astana).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, lang.Astana)
}

func issuedSince(ctx context.Context, tx Tx, since time.Time) (n int, err error) {
	for _, s := range []State{Issued, Installed} {
		all, err := tx.InState(ctx, s, since, maxListed)
		if err != nil {
			return 0, err
		}
		for _, a := range all {
			if len(a.Certificates) > 0 && !a.Certificates[0].NotBefore.Before(since) {
				n++
			}
		}
	}
	return n, nil
}

func failures(ctx context.Context, tx Tx, since time.Time) ([]Cause, error) {
	count := map[string]int{}
	for _, s := range []State{Rejected, Expired} {
		all, err := tx.InState(ctx, s, since, maxListed)
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			code := a.Reason.Code
			if s == Expired || code == "" {
				code = "APPLICATION_" + string(s)
			}
			count[code]++
		}
	}
	causes := make([]Cause, 0, len(count))
	for code, n := range count {
		causes = append(causes, Cause{code, n})
	}
	slices.SortFunc(causes, func(a, b Cause) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Code, b.Code)) })
	return causes, nil
}

// Listed lists the applications in a state for an operator, who waits longest first. taken says that
// the list leaves with him as a file, which is written down.
func (o *Office) Listed(ctx context.Context, by Operator, s State, taken bool) (all []Application, err error) {
	read := func(tx Tx) (err error) {
		if all, err = tx.InState(ctx, s, time.Time{}, maxListed); err != nil || !taken {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "desk.listed", Actor: tx.Hash(by.IIN), Object: string(s), Result: "ok", Detail: map[string]string{"rows": itoa(len(all))}})
	}
	if taken {
		err = o.c.Store.Update(ctx, read)
	} else {
		err = o.c.Store.View(ctx, read)
	}
	return all, err
}

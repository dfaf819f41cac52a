package ra

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"senim/pki"
)

// BatchLine is an item of a batch with its key and its application as they stand.
type BatchLine struct {
	Item        BatchItem
	Certificate *pki.Certificate
	// Application is nil where there is none, none any more, or its owner has taken it over.
	Application *Application
}

// Waits reports that the application goes on by itself, without anybody.
func (l BatchLine) Waits() bool {
	return l.Application != nil && (l.Application.State == Signed || l.Application.State == Approved)
}

// Batch gives a batch to its maker; everybody else gets the answer for one that does not exist.
func (o *Office) Batch(ctx context.Context, iin, id string) (Batch, []BatchLine, error) {
	var b Batch
	var lines []BatchLine
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		if b, err = batchOf(ctx, tx, iin, id); err != nil {
			return err
		}
		lines = make([]BatchLine, len(b.Items))
		for i, item := range b.Items {
			lines[i].Item = item
			if item.Number == "" {
				continue
			}
			a, err := tx.Application(ctx, item.Number)
			switch {
			case errors.Is(err, ErrNotFound):
				lines[i].Item.Reason = Reason{Code: "APPLICATION_GONE"}
			case err != nil:
				return err
			case a.Batch != id:
				lines[i].Item.Reason = Reason{Code: "APPLICATION_TAKEN"}
			default:
				lines[i].Application = &a
			}
		}
		return nil
	})
	if err != nil {
		return Batch{}, nil, err
	}
	for i := range lines {
		k, err := o.c.Keys.Key(ctx, lines[i].Item.Serial)
		if err != nil {
			return Batch{}, nil, fmt.Errorf("read a batch: %w", err)
		}
		if lines[i].Certificate, err = pki.ParseCertificate(k.Raw); err != nil {
			return Batch{}, nil, fmt.Errorf("read a batch: %w", err)
		}
	}
	slices.SortStableFunc(lines, func(a, b BatchLine) int { return a.Certificate.NotAfter.Compare(b.Certificate.NotAfter) })
	return b, lines, nil
}

// Batches lists a person's batches, latest first.
func (o *Office) Batches(ctx context.Context, iin string) (list []Batch, err error) {
	err = o.c.Store.View(ctx, func(tx Tx) error {
		list, err = tx.Batches(ctx, iin)
		return err
	})
	return list, err
}

func batchOf(ctx context.Context, tx Tx, iin, id string) (Batch, error) {
	b, err := tx.Batch(ctx, id)
	if errors.Is(err, ErrNotFound) || (err == nil && b.IIN != iin) {
		return Batch{}, refuse("BATCH_UNKNOWN")
	}
	return b, err
}

// BatchAnswer is what the agent did for one application of a batch.
type BatchAnswer struct {
	// ID is [Application.ID].
	ID string
	// Requests, Signed or Serials, by what was asked.
	Requests [][]byte
	Signed   []byte
	Serials  []string
	First    []KeySignature // what the new keys signed, with Serials
	// Refused is the agent's reason, as "not_unlocked"; empty when it did it.
	Refused string
}

// BatchRequests takes the certificate requests of the drafts of a batch. What is wrong with one
// stays with its item and stops no other, here and in the following.
func (o *Office) BatchRequests(ctx context.Context, iin, id string, answers []BatchAnswer) error {
	return o.answered(ctx, iin, id, answers, func(a Application, ans BatchAnswer) error {
		old, err := o.c.Keys.Of(ctx, a.Subject.IIN)
		if err != nil {
			return fmt.Errorf("take requests: %w", err)
		}
		_, err = o.changeIn(ctx, id, a.Subject.IIN, a.Number, "application.requests", func(tx Tx, a *Application) error {
			if a.State != Draft {
				return refuse("APPLICATION_STATE", "state", string(a.State))
			}
			return o.takeRequests(ctx, tx, a, ans.Requests, old)
		})
		return err
	})
}

// BatchFactorAbout names a batch for the second factor, which is its maker's, once for all of it.
func BatchFactorAbout(id string) string { return ActReissue + ":batch-" + id }

// ownFactor refuses to renew somebody else's personal key, or a head's, on the strength of the maker's
// second factor: nobody else confirms such an application (cabinet.md §6.4), so the code is its holder's.
func (o *Office) ownFactor(s Subject, role, maker string) error {
	if (s.BIN == "" || role == RoleHead) && s.IIN != maker && o.c.Factor.needs(ActReissue) {
		return refuse("FACTOR_OWNER")
	}
	return nil
}

// BatchSign takes the signed documents of a batch. Each is verified as if its applicant had sent it:
// the signature of the old key is what authorises the renewal, and makes the draft his application.
func (o *Office) BatchSign(ctx context.Context, iin, id string, answers []BatchAnswer) error {
	switch open, err := o.FactorOpen(ctx, iin, BatchFactorAbout(id)); {
	case err != nil:
		return fmt.Errorf("sign a batch: %w", err)
	case !open:
		return refuse("FACTOR_NEEDED")
	}
	return o.answered(ctx, iin, id, answers, func(a Application, ans BatchAnswer) error {
		if a.State != Draft || a.Document == "" {
			return refuse("APPLICATION_STATE", "state", string(a.State))
		}
		if err := o.ownFactor(a.Subject, a.Role, iin); err != nil {
			return err
		}
		if err := o.verify(ctx, a, ans.Signed); err != nil {
			return err
		}
		if err := o.notDismissed(ctx, a.Subject, a.Role); err != nil {
			return err
		}
		document, head := a.Document, o.answers(ctx, a)
		_, err := o.changeIn(ctx, id, a.Subject.IIN, a.Number, "application.signed", func(tx Tx, a *Application) error {
			if a.Document != document {
				return refuse("REVISION_CHANGED", "n", itoa(a.Revision))
			}
			if open, err := openFor(ctx, tx, *a, func(s State) bool { return s.waits() || s == Issued }); err != nil {
				return err
			} else if open {
				return refuse("APPLICATION_OPEN")
			}
			// The key has signed: its holder trusts the maker with it, who may hear when it ends.
			if err := tx.LookAfter(ctx, iin, []Holder{{IIN: a.Subject.IIN, BIN: a.Subject.BIN}}, o.c.Now()); err != nil {
				return err
			}
			return o.takeSignature(ctx, tx, a, ans.Signed, head)
		})
		return err
	})
}

// openFor reports whether another application to renew the same key is in one of the states. It is asked only when
// the key itself has signed, so that it tells nobody what is not his to know.
func openFor(ctx context.Context, tx Tx, a Application, in func(State) bool) (bool, error) {
	all, err := tx.OfPerson(ctx, a.Subject.IIN)
	return slices.ContainsFunc(all, func(b Application) bool {
		return b.Number != a.Number && b.Kind == Reissue && b.SignerSerial == a.SignerSerial && in(b.State)
	}), err
}

// BatchInstalled records which keys of a batch stand in their files. In the list of keys looked
// after, the new key takes the place of the old one.
func (o *Office) BatchInstalled(ctx context.Context, iin, id string, answers []BatchAnswer) error {
	return o.answered(ctx, iin, id, answers, func(a Application, ans BatchAnswer) error {
		a, err := o.Installed(ctx, a.Subject.IIN, a.Number, ans.Serials, ans.First...)
		if err != nil {
			return err
		}
		var fresh []string // what was issued, whatever the answer says: of keys installed before nothing is compared
		for _, c := range a.Certificates {
			fresh = append(fresh, c.Serial)
		}
		return o.c.Store.Update(ctx, func(tx Tx) error {
			if err := tx.Unwatch(ctx, iin, []string{a.Replaces}); err != nil {
				return err
			}
			return tx.Watch(ctx, iin, fresh, o.c.Now())
		})
	})
}

var agentReason = regexp.MustCompile(`^[a-z_]{1,40}$`)

// refusedBy is the reason of an item the agent did not do.
func refusedBy(reason string) Reason {
	switch reason {
	case "not_unlocked":
		return Reason{Code: "AGENT_NOT_UNLOCKED"}
	case "does_not_fit":
		return Reason{Code: "AGENT_DOES_NOT_FIT"}
	}
	if !agentReason.MatchString(reason) {
		reason = "internal"
	}
	return Reason{Code: "AGENT_FAILED", Evidence: map[string]string{"reason": reason}}
}

// answered lets act take each answer, one transaction each, and notes on the items what came of it.
// An answer for an application that is not this batch's refuses them all before any is taken.
func (o *Office) answered(ctx context.Context, iin, id string, answers []BatchAnswer, act func(Application, BatchAnswer) error) error {
	_, lines, err := o.Batch(ctx, iin, id)
	if err != nil {
		return err
	}
	of := map[string]Application{}
	for _, l := range lines {
		if l.Application != nil {
			of[l.Application.ID()] = *l.Application
		}
	}
	for _, ans := range answers {
		if _, ok := of[ans.ID]; !ok {
			return refuse("BATCH_ANSWER")
		}
	}
	what := map[string]Reason{}
	var broken error
	for _, ans := range answers {
		a := of[ans.ID]
		if ans.Refused != "" {
			what[a.Number] = refusedBy(ans.Refused)
			continue
		}
		err := act(a, ans)
		var no *Refusal
		switch {
		case errors.As(err, &no):
			what[a.Number] = Reason{Code: no.Code, Evidence: no.Evidence}
		case err != nil:
			broken = errors.Join(broken, err) // what went before stays, and is noted
		default:
			what[a.Number] = Reason{}
		}
		if broken != nil {
			break
		}
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		b, err := batchOf(ctx, tx, iin, id)
		if err != nil {
			return err
		}
		for i, item := range b.Items {
			if why, ok := what[item.Number]; ok && item.Number != "" {
				b.Items[i].Reason = why
			}
		}
		return tx.PutBatch(ctx, b)
	})
	if err = errors.Join(broken, err); err != nil {
		return fmt.Errorf("work on a batch: %w", err)
	}
	return nil
}

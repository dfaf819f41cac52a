package registry

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"senim/internal/job"
	"senim/internal/trust"
)

// goOn takes a staged batch as far as it goes now: to its confirmation, or into force.
func (m *Importer) goOn(ctx context.Context, id int64) (i Import, err error) {
	mine := false
	err = m.store.Update(ctx, func(tx Tx) error {
		if mine, err = tx.ClaimImport(ctx, id, m.c.Node, m.now(), m.now().Add(lease)); err != nil {
			return err
		}
		i, err = tx.Import(ctx, id)
		return err
	})
	if err != nil || !mine {
		return i, err
	}
	for _, step := range []struct {
		at ImportState
		do func(context.Context, Import) (Import, error)
	}{{Unverified, m.reverify}, {Released, m.beginMerge}, {Merging, m.merge}} {
		if i.State != step.at {
			continue
		}
		if i, err = step.do(ctx, i); err != nil {
			return i, err
		}
	}
	if i.State == Refused {
		return i, &ImportRefusal{Code: i.Code}
	}
	return i, nil
}

// reverify looks at the signature, now as it goes on, and then at what the batch would change.
func (m *Importer) reverify(ctx context.Context, i Import) (Import, error) {
	i, good, err := m.signed(ctx, i)
	if err != nil || !good {
		return i, err
	}
	e, err := m.effect(ctx, i)
	if err != nil {
		return i, err
	}
	i.Code, i.Detail = "", nil
	i.Guards = m.c.Guard.trips(i.Full, e)
	if i.ByHand && i.Rows[AreaEntity] > 0 { // a row without a leader ends one
		i.Guards = append(i.Guards, GuardByHand)
	}
	if len(i.Guards) > 0 {
		i.State = Held
		return m.wait(ctx, i, Unverified, strings.Join(i.Guards, ","), e.numbers())
	}
	i.State = Released
	return m.put(ctx, i, Unverified, func(Tx) error { return nil })
}

// signed looks at the signature: a batch whose signer is not good is refused, one that cannot be checked waits.
func (m *Importer) signed(ctx context.Context, i Import) (_ Import, good bool, err error) {
	if i.ByHand {
		return i, true, nil
	}
	serial, verdict, code, evidence := m.verify(ctx, i.Manifest, i.Signature)
	switch {
	case verdict == trust.Bad:
		i.State, i.Code, i.Detail = Refused, code, evidence
		return i, false, m.end(ctx, i.ID, code, evidence)
	case verdict == trust.Good:
		return i, true, nil
	case i.Code == code:
		return i, false, nil // said already
	}
	i.Code, i.Signer = code, serial
	i, err = m.wait(ctx, i, i.State, code, nil)
	return i, false, err
}

// put writes how a batch stands, unless somebody decided about it meanwhile: then it stays as he left it.
func (m *Importer) put(ctx context.Context, i Import, was ImportState, more func(Tx) error) (left Import, err error) {
	err = m.store.Update(ctx, func(tx Tx) error {
		if left, err = tx.Import(ctx, i.ID); err != nil || left.State != was {
			return err
		}
		left = i
		if err := tx.PutImport(ctx, i); err != nil {
			return err
		}
		return more(tx)
	})
	return left, err
}

// wait keeps a batch waiting, and says so.
func (m *Importer) wait(ctx context.Context, i Import, was ImportState, why string, detail map[string]string) (Import, error) {
	m.c.Log.Error("ALERT: a batch of the registry waits; the load before it stays in force", "import", i.ID, "source", i.Source, "state", i.State, "code", why)
	return m.put(ctx, i, was, func(tx Tx) error { return m.note(ctx, tx, "registry.load.waiting", i, why, detail) })
}

// effect counts what a batch would change.
func (m *Importer) effect(ctx context.Context, i Import) (e effect, err error) {
	e = effect{inForce: map[Area]int64{}, ended: map[Area]int64{}, rows: i.Total(), refused: i.Quarantined()}
	if !i.Full {
		return e, nil
	}
	return e, m.store.View(ctx, func(tx Tx) error {
		for _, a := range areas(i) {
			if a == AreaLeader {
				if e.led, err = tx.InForce(ctx, a, i.Source); err != nil {
					return err
				}
				if e.changed, err = tx.OtherHeads(ctx, i.Source); err != nil {
					return err
				}
				continue
			}
			if e.inForce[a], err = tx.InForce(ctx, a, i.Source); err != nil {
				return err
			}
			if e.ended[a], err = tx.Lacking(ctx, a, i.Source); err != nil {
				return err
			}
		}
		return nil
	})
}

// numbers are the counts for an operator.
func (e effect) numbers() map[string]string {
	all := map[string]string{"heads": strconv.FormatInt(e.changed, 10), "refused": strconv.FormatInt(e.refused, 10)}
	for a, n := range e.ended {
		all["ended_"+string(a)] = strconv.FormatInt(n, 10)
	}
	return all
}

// beginMerge gives a batch the number of its load. From here on no other load of the source comes between.
func (m *Importer) beginMerge(ctx context.Context, i Import) (Import, error) {
	// It may have waited long for its confirmation: the signer must be good now.
	i, good, err := m.signed(ctx, i)
	if err != nil || !good {
		return i, err
	}
	i.Code = ""
	err = m.store.Update(ctx, func(tx Tx) error {
		if err := m.hold(ctx, tx, i.ID); err != nil {
			return err
		}
		err := m.c.Book.follows(ctx, tx, Batch{Source: i.Source, Full: i.Full, AsOf: i.AsOf, Previous: i.Previous}, i.SHA256)
		if err != nil {
			return refusalOf(err)
		}
		if i.Load, err = tx.NextLoad(ctx); err != nil {
			return err
		}
		i.State = Merging
		return tx.PutImport(ctx, i)
	})
	if refusal, ok := errors.AsType[*ImportRefusal](err); ok {
		return i, errors.Join(refusal, m.end(ctx, i.ID, refusal.Code, nil))
	}
	return i, err
}

// merge writes the records and brings them into force. It may be begun again wherever it was interrupted.
func (m *Importer) merge(ctx context.Context, i Import) (Import, error) {
	for _, a := range areas(i) {
		whole, err := m.whole(ctx, i, a)
		if err == nil && !whole {
			i.State, i.Code = Refused, LoadInterrupted
			return i, m.abandon(ctx, i)
		}
		if err == nil {
			err = m.mergeArea(ctx, i, a)
		}
		if err != nil {
			return i, fmt.Errorf("take in %s: %w", a, err)
		}
	}
	i, err := m.flip(ctx, i)
	if err != nil {
		return i, err
	}
	for _, a := range areas(i) {
		if err := m.store.Update(ctx, func(tx Tx) error { return tx.ClearStage(ctx, a) }); err != nil {
			m.c.Log.Warn("staged rows of the registry are left; the next batch clears them", "error", err)
		}
	}
	return i, nil
}

// whole reports that the database still has what was staged.
func (m *Importer) whole(ctx context.Context, i Import, a Area) (is bool, err error) {
	err = m.store.View(ctx, func(tx Tx) error {
		n, err := tx.StagedRows(ctx, a)
		is = n == i.Rows[a]
		return err
	})
	return is, err
}

// abandon takes back what a batch wrote, and refuses it.
func (m *Importer) abandon(ctx context.Context, i Import) error {
	for _, a := range areas(i) {
		if err := m.store.Update(ctx, func(tx Tx) error { return tx.Unmerge(ctx, a, i.Source, i.Load) }); err != nil {
			return err
		}
	}
	return m.end(ctx, i.ID, LoadInterrupted, nil)
}

func (m *Importer) mergeArea(ctx context.Context, i Import, a Area) error {
	write := func(f func(tx Tx) error) error {
		return m.store.Update(ctx, func(tx Tx) error {
			if err := m.hold(ctx, tx, i.ID); err != nil {
				return err
			}
			return f(tx)
		})
	}
	have, last := false, int64(0)
	err := m.store.View(ctx, func(tx Tx) (err error) {
		if have, err = tx.HasAny(ctx, a, i.Source); err == nil {
			last, err = tx.LastStaged(ctx, a)
		}
		return err
	})
	if err != nil {
		return err
	}
	if !have {
		for after := int64(0); after < last; after += piece {
			if err := write(func(tx Tx) error { return tx.MergeNew(ctx, a, i.Source, i.Load, after, after+piece) }); err != nil {
				return err
			}
		}
		return nil
	}
	err = m.store.View(ctx, func(tx Tx) error {
		return tx.WalkChanged(ctx, a, i.Source, func(lines []int64) error {
			return write(func(tx Tx) error { return tx.MergeLines(ctx, a, i.Source, i.Load, lines) })
		})
	})
	if err != nil || !i.Full || a == AreaLeader {
		return err
	}
	return m.store.View(ctx, func(tx Tx) error {
		return tx.WalkLacking(ctx, a, i.Source, func(records []int64, keys []string) error {
			return write(func(tx Tx) error { return tx.EndRecords(ctx, a, i.Source, i.Load, records, keys) })
		})
	})
}

// flip is the switch: with the load's row its records are in force, all at once (L1).
func (m *Importer) flip(ctx context.Context, i Import) (Import, error) {
	err := m.store.Update(ctx, func(tx Tx) error {
		if err := m.hold(ctx, tx, i.ID); err != nil {
			return err
		}
		_, err := tx.LastLoad(ctx, i.Source)
		first := errors.Is(err, ErrNotFound)
		if err != nil && !first {
			return err
		}
		load := Load{Number: i.Load, Source: i.Source, Full: i.Full, AsOf: i.AsOf, Received: i.Received, SHA256: i.SHA256, Operator: i.Operator,
			Entities: int(i.Rows[AreaEntity]), Leaders: int(i.Rows[AreaLeader]), Quarantined: int(i.Quarantined())}
		for _, a := range []Area{AreaPerson, AreaContact, AreaTaxpayer, AreaAccount, AreaBank} {
			load.Persons += int(i.Rows[a])
		}
		if err := tx.InsertNumbered(ctx, load); err != nil {
			return err
		}
		i.State, i.Ended, i.Manifest, i.Signature = Accepted, m.now(), nil, nil
		if first {
			i.Told = toldAll // there was nothing to change
		}
		if err := tx.PutImport(ctx, i); err != nil {
			return err
		}
		if !first {
			if err := tx.Enqueue(ctx, job.Job{Kind: KindCompare, Payload: Compare{i.ID}}); err != nil {
				return err
			}
		}
		if i.Rows[AreaCalendar] > 0 {
			if err := m.note(ctx, tx, "registry.calendar.changed", i, "ok", nil); err != nil {
				return err
			}
		}
		return m.note(ctx, tx, "registry.load.accepted", i, "ok", map[string]string{"load": strconv.FormatInt(i.Load, 10), "quarantined": strconv.Itoa(load.Quarantined)})
	})
	return i, err
}

// Tick goes on with every batch that can go on: one whose signer could not be checked, one an operator
// confirmed, one that a server left when it was stopped. It reports how many it brought into force.
func (m *Importer) Tick(ctx context.Context) (accepted int, err error) {
	if !m.one.TryLock() {
		return 0, nil
	}
	defer m.one.Unlock()
	var open []Import
	if err := m.store.View(ctx, func(tx Tx) (err error) { open, err = tx.OpenImports(ctx); return err }); err != nil {
		return 0, err
	}
	var errs []error
	for _, i := range open {
		switch i.State {
		case Held:
		case Staging:
			errs = append(errs, m.interrupted(ctx, i))
		default:
			i, err := m.goOn(ctx, i.ID)
			if _, refused := errors.AsType[*ImportRefusal](err); err != nil && !refused {
				errs = append(errs, err)
			}
			if i.State == Accepted {
				accepted++
			}
		}
	}
	return accepted, errors.Join(errs...)
}

// interrupted refuses a batch that nobody stages any more.
func (m *Importer) interrupted(ctx context.Context, i Import) error {
	mine := false
	err := m.store.Update(ctx, func(tx Tx) (err error) {
		mine, err = tx.ClaimImport(ctx, i.ID, m.c.Node, m.now(), m.now().Add(lease))
		return err
	})
	if err != nil || !mine {
		return err
	}
	return m.end(ctx, i.ID, LoadInterrupted, nil)
}

// Confirm lets a batch that a guard holds come into force. Who brought it by hand does not confirm it, nor
// whom it makes a head or no head any more.
func (m *Importer) Confirm(ctx context.Context, id int64, by Clerk) error {
	return m.decide(ctx, id, by, true)
}

// Reject refuses a batch that waits.
func (m *Importer) Reject(ctx context.Context, id int64, by Clerk) error {
	return m.decide(ctx, id, by, false)
}

func (m *Importer) decide(ctx context.Context, id int64, by Clerk, confirm bool) error {
	return m.store.Update(ctx, func(tx Tx) error {
		i, err := tx.Import(ctx, id)
		if err != nil {
			return err
		}
		actor := tx.Hash(string(by.IIN))
		switch {
		case confirm && i.State != Held, !i.Waits():
			return &Refusal{NotWaiting}
		case confirm && i.ByHand && i.Operator == actor:
			return &Refusal{SameClerk}
		case confirm && i.ByHand:
			if party, err := tx.PartyTo(ctx, i.Source, by.IIN); err != nil {
				return err
			} else if party {
				return &Refusal{ClerkIsParty}
			}
		}
		i.ConfirmedBy = actor
		result := "ok"
		if !confirm {
			result = LoadRejected
		}
		if err := m.note(ctx, tx, "registry.load.confirmed", i, result, map[string]string{"by": actor, "serial": by.Serial}); err != nil {
			return err
		}
		if !confirm {
			for _, a := range areas(i) {
				if err := tx.ClearStage(ctx, a); err != nil {
					return err
				}
			}
			return m.refuse(ctx, tx, i, LoadRejected, nil)
		}
		i.State = Released
		return tx.PutImport(ctx, i)
	})
}

// Imports lists the newest batches; Import reads one; Refused lists its refused rows in pieces.
func (m *Importer) Imports(ctx context.Context, limit int) (all []Import, err error) {
	err = m.store.View(ctx, func(tx Tx) error { all, err = tx.Imports(ctx, limit); return err })
	return all, err
}

// Import reads a batch; ErrNotFound.
func (m *Importer) Import(ctx context.Context, id int64) (i Import, err error) {
	err = m.store.View(ctx, func(tx Tx) error { i, err = tx.Import(ctx, id); return err })
	return i, err
}

// Refused calls f with every refused row of a batch, by file and line.
func (m *Importer) Refused(ctx context.Context, id int64, f func(Quarantined) error) error {
	for after, more := (Quarantined{}), true; more; {
		var rows []Quarantined
		if err := m.store.View(ctx, func(tx Tx) (err error) { rows, err = tx.Refused(ctx, id, after, 2000); return err }); err != nil {
			return err
		}
		for _, q := range rows {
			if err := f(q); err != nil {
				return err
			}
			after = q
		}
		more = len(rows) > 0
	}
	return nil
}

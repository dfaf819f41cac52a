package registry

import (
	"context"
	"slices"
	"strconv"

	"senim/internal/audit"
	"senim/internal/batchfile"
)

const (
	// piece is how many rows one transaction takes.
	piece = 10_000
	// few is how many keys that stand twice one transaction judges.
	few = 500
	// maxRefused is how many refused rows of a batch are kept; with more it is refused whole.
	maxRefused = 200_000
)

// stage reads the files of a batch, keeps the good rows aside, and checks them against each other.
func (m *Importer) stage(ctx context.Context, i Import, b *batchfile.Batch) (Import, error) {
	if err := m.complete(ctx, i, b); err != nil {
		return i, err
	}
	for _, a := range areas(i) {
		if err := m.store.Update(ctx, func(tx Tx) error { return tx.ClearStage(ctx, a) }); err != nil {
			return i, err
		}
	}
	for _, kind := range batchfile.Kinds() {
		at := slices.IndexFunc(b.Files, func(f batchfile.File) bool { return f.Kind() == kind })
		if at < 0 {
			continue
		}
		s := &stager{m: m, i: &i, reader: reader{checker{m.c.Book.c.Rules}, kind}, rows: map[Area][]Staged{}}
		if err := b.Rows(b.Files[at], func(r *batchfile.Row) error { return s.row(ctx, r) }); err != nil {
			return i, err
		}
		if kind == batchfile.Entities && i.Full && !s.led && b.Files[at].Rows > 0 { // it would end every head
			return i, &batchfile.Error{Code: batchfile.CodeColumn, File: b.Files[at].Name, Column: "leader_iin"}
		}
		if err := s.flush(ctx); err != nil {
			return i, err
		}
		if err := m.settle(ctx, s, areaOf(kind)); err != nil {
			return i, err
		}
	}
	return i, m.store.Update(ctx, func(tx Tx) error {
		for _, a := range areas(i) {
			n, err := tx.StagedRows(ctx, a)
			if err != nil {
				return err
			}
			i.Rows[a] = n
		}
		i.State = Unverified
		if err := tx.PutImport(ctx, i); err != nil {
			return err
		}
		for code, n := range i.Out {
			if err := tx.Audit(ctx, audit.Event{Action: "registry.row.quarantined", Actor: i.Operator, Object: "import:" + strconv.FormatInt(i.ID, 10), Result: code,
				Detail: map[string]string{"count": strconv.FormatInt(n, 10)}}); err != nil {
				return err
			}
		}
		return m.note(ctx, tx, "registry.load.staged", i, "ok", map[string]string{"rows": strconv.FormatInt(i.Total(), 10), "quarantined": strconv.FormatInt(i.Quarantined(), 10)})
	})
}

// complete refuses a full batch that lacks a file of which the book has records: they would look as new as the
// batch, and stay as they were. The calendar is the exception, it comes once a year.
func (m *Importer) complete(ctx context.Context, i Import, b *batchfile.Batch) error {
	if !i.Full {
		return nil
	}
	return m.store.View(ctx, func(tx Tx) error {
		for _, kind := range batchfile.Kinds() {
			here := slices.ContainsFunc(b.Files, func(f batchfile.File) bool { return f.Kind() == kind })
			if here || kind == batchfile.Calendar || !brings(i.Source, kind) {
				continue
			}
			have, err := tx.HasAny(ctx, areaOf(kind), i.Source)
			if err != nil {
				return err
			}
			if have {
				return &batchfile.Error{Code: LoadIncomplete, File: kind}
			}
		}
		return nil
	})
}

// stager gathers rows into transactions.
type stager struct {
	m *Importer
	i *Import
	reader
	rows map[Area][]Staged
	out  []Quarantined
	n    int
	led  bool // the file speaks of leaders
}

func (s *stager) row(ctx context.Context, r *batchfile.Row) error {
	s.led = s.led || r.Has("leader_iin")
	staged, bad, err := s.read(r)
	if err != nil {
		return err
	}
	a := areaOf(s.kind)
	for n, one := range staged {
		if n == 1 { // the leader of a legal entity
			a = AreaLeader
		}
		s.rows[a] = append(s.rows[a], one)
	}
	s.out = append(s.out, bad...)
	if s.n++; s.n < piece {
		return nil
	}
	return s.flush(ctx)
}

func (s *stager) flush(ctx context.Context) error {
	for _, q := range s.out {
		s.i.Out[q.Code]++
	}
	if s.i.Quarantined() > maxRefused {
		return &ImportRefusal{Code: LoadQuarantine}
	}
	err := s.m.store.Update(ctx, func(tx Tx) error {
		for a, rows := range s.rows {
			if err := tx.Stage(ctx, a, rows); err != nil {
				return err
			}
		}
		if err := s.m.hold(ctx, tx, s.i.ID); err != nil {
			return err
		}
		return tx.PutRefused(ctx, s.i.ID, s.out)
	})
	for a, rows := range s.rows {
		s.rows[a] = rows[:0]
	}
	s.out, s.n = s.out[:0], 0
	return err
}

// hold keeps a batch ours.
func (m *Importer) hold(ctx context.Context, tx Tx, id int64) error {
	switch mine, err := tx.ClaimImport(ctx, id, m.c.Node, m.now(), m.now().Add(lease)); {
	case err != nil:
		return err
	case !mine:
		return ErrBusy
	}
	return nil
}

// settle judges keys that stand twice, and finds units without a head office.
func (m *Importer) settle(ctx context.Context, s *stager, a Area) error {
	for _, one := range []Area{a, AreaLeader} {
		if one == AreaLeader && a != AreaEntity {
			continue
		}
		if err := m.store.Update(ctx, func(tx Tx) error { return tx.SettleStage(ctx, one) }); err != nil {
			return err
		}
	}
	for after, more := "", true; more; {
		var keys []string
		if err := m.store.View(ctx, func(tx Tx) (err error) { keys, err = tx.StagedTwice(ctx, a, after, 20*few); return err }); err != nil {
			return err
		}
		if more = len(keys) > 0; !more {
			break
		}
		after = keys[len(keys)-1]
		for some := range slices.Chunk(keys, few) {
			if err := m.twice(ctx, s, a, some); err != nil {
				return err
			}
		}
	}
	if a != AreaEntity {
		return nil
	}
	for after, more := int64(0), true; more; {
		var lines []int64
		if err := m.store.View(ctx, func(tx Tx) (err error) { lines, err = tx.Orphans(ctx, s.i.Source, after, 2000); return err }); err != nil {
			return err
		}
		if more = len(lines) > 0; !more {
			break
		}
		after = lines[len(lines)-1]
		for _, line := range lines {
			s.out = append(s.out, Quarantined{File: s.kind, Row: int(line), Field: "head_bin", Code: NoHeadOffice, Kept: true})
		}
		if err := s.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// twice judges rows with the same key.
func (m *Importer) twice(ctx context.Context, s *stager, a Area, keys []string) error {
	var judged verdicts
	err := m.store.Update(ctx, func(tx Tx) error {
		rows, err := tx.StagedOf(ctx, a, keys)
		if err != nil {
			return err
		}
		var leaders []Staged
		if a == AreaEntity {
			if leaders, err = tx.StagedOf(ctx, AreaLeader, keys); err != nil {
				return err
			}
		}
		judged = judgeTwice(rows, leaders)
		for op, lines := range map[string][]int64{OpHold: judged.held, "": judged.same} {
			if err := tx.Restage(ctx, a, op, lines); err != nil {
				return err
			}
		}
		if err := tx.Restage(ctx, AreaLeader, OpHold, judged.leaders); a == AreaEntity && err != nil {
			return err
		}
		return tx.Dispute(ctx, judged.disputed)
	})
	if err != nil {
		return err
	}
	for _, q := range judged.out {
		q.File = s.kind
		s.out = append(s.out, q)
	}
	return s.flush(ctx)
}

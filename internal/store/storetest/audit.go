package storetest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/store"
)

// Audit has the cases of the audit: checkpoints, how far they were exported, and the search.
func Audit(t *testing.T, s *store.Store) {
	t.Run("checkpoints", func(t *testing.T) { checkpoints(t, s) })
	t.Run("exported", func(t *testing.T) { exported(t, s) })
	t.Run("search", func(t *testing.T) { search(t, s) })
	t.Run("import", func(t *testing.T) { imported(t, s) })
}

func checkpoints(t *testing.T, s *store.Store) {
	ctx := t.Context()
	if c, err := s.LastCheckpoint(ctx, "test"); err != nil || c.Number != 0 || c.Note != nil {
		t.Fatalf("of a node without any: %+v %v", c, err)
	}
	note := func(node string, number int64) audit.Statement {
		text := fmt.Sprintf("senim-audit/%s\n%d\n%s=\nnumber %d\nhead %064x\nprevious %064x\ntime 2026-09-01T10:00:00.000Z\nstamp none\n\n— senim-audit AAAAAA==\n",
			node, number*10, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", number, number, 0)
		return audit.Statement{Checkpoint: audit.Checkpoint{Node: node, Number: number, Size: number * 10}, Note: []byte(text),
			Token: []byte{byte(number)}, Tree: [][]byte{bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)}}
	}
	for n := int64(1); n <= 3; n++ {
		for _, node := range []string{"test", "other"} {
			if err := s.AddCheckpoint(ctx, note(node, n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.AddCheckpoint(ctx, note("test", 3)); err == nil {
		t.Error("a number was given twice")
	}
	last, err := s.LastCheckpoint(ctx, "test")
	want := note("test", 3)
	if err != nil || last.Number != 3 || last.Size != 30 || !bytes.Equal(last.Note, want.Note) || !bytes.Equal(last.Token, want.Token) ||
		len(last.Tree) != 2 || last.Tree[1][0] != 2 || last.Head[31] != 3 || !last.At.Equal(time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v %v", last, err)
	}
	all, err := s.Checkpoints(ctx, "test", 1, 1)
	if err != nil || len(all) != 1 || all[0].Number != 2 || all[0].Node != "test" {
		t.Errorf("%+v %v", all, err)
	}
	if nodes, err := s.AuditNodes(ctx); err != nil || len(nodes) != 2 || nodes[0] != "other" {
		t.Errorf("%v %v", nodes, err)
	}
}

func exported(t *testing.T, s *store.Store) {
	ctx := t.Context()
	for _, step := range []struct{ set, want int64 }{{0, 0}, {3, 3}, {5, 5}, {4, 5}} {
		if step.set > 0 {
			if err := s.SetExported(ctx, "test", step.set); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := s.Exported(ctx, "test"); err != nil || n != step.want {
			t.Errorf("after %d: %d %v, want %d", step.set, n, err, step.want)
		}
	}
	if n, err := s.Exported(ctx, "other"); err != nil || n != 0 {
		t.Errorf("another node: %d %v", n, err)
	}
}

func search(t *testing.T, s *store.Store) {
	ctx := t.Context()
	for _, e := range []audit.Event{
		{Action: "ca.will_sign", Actor: "application 1", Object: "0a"}, {Action: "ca.issued", Actor: "application 1", Object: "0a", Detail: map[string]string{"order": "1-k0"}},
		{Action: "caz.other", Actor: "system", Object: "0b", Detail: map[string]string{"about": "0a"}}, {Action: "test.act", Object: "10a"},
	} {
		if err := s.Record(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		q    store.AuditQuery
		want int
	}{
		"all": {store.AuditQuery{}, 4}, "about": {store.AuditQuery{About: "0a"}, 3}, "a detail": {store.AuditQuery{About: "1-k0"}, 1}, "part of a value": {store.AuditQuery{About: "1-k"}, 0},
		"actor": {store.AuditQuery{Actor: "application 1"}, 2}, "action": {store.AuditQuery{Action: "ca.issued"}, 1}, "actions": {store.AuditQuery{Action: "ca."}, 2},
		"node": {store.AuditQuery{Node: "another"}, 0}, "later": {store.AuditQuery{From: time.Now().Add(time.Hour).UnixMilli()}, 0}, "until": {store.AuditQuery{To: 1}, 0},
		"quotes": {store.AuditQuery{About: `' or 1=1 --`}, 0}, "more than one": {store.AuditQuery{About: "0a", Action: "ca.", Node: "test"}, 2},
	} {
		c.q.Limit = 10
		if got, err := s.FindAudit(ctx, c.q); err != nil || len(got) != c.want {
			t.Errorf("%s: %d records, %v, want %d", name, len(got), err, c.want)
		}
	}
	if got, err := s.FindAudit(ctx, store.AuditQuery{Limit: 2}); err != nil || len(got) != 2 || got[0].Seq > got[1].Seq {
		t.Errorf("with a limit: %v %v", got, err)
	}
	if _, err := s.FindAudit(ctx, store.AuditQuery{}); err == nil {
		t.Error("without a limit")
	}
	if r, err := s.LastAudit(ctx, "ca.issued"); err != nil || r.Object != "0a" {
		t.Errorf("last: %+v %v", r, err)
	}
	if r, err := s.LastAudit(ctx, "ca.none"); err != nil || r.Seq != 0 {
		t.Errorf("last of none: %+v %v", r, err)
	}
}

// imported puts records of another node back, and refuses what does not follow.
func imported(t *testing.T, s *store.Store) {
	ctx := t.Context()
	var records []audit.Record
	var last audit.Record
	for range 3 {
		next, err := audit.Next(last, "lost", time.Unix(1, 0), audit.Event{Action: "test.act"})
		if err != nil {
			t.Fatal(err)
		}
		records, last = append(records, next), next
	}
	point := func(number, size int64) audit.Statement {
		return audit.Statement{Checkpoint: audit.Checkpoint{Node: "lost", Number: number, Size: size}, Note: []byte("x")}
	}
	if err := s.ImportAudit(ctx, records[1:], point(1, 3)); err == nil {
		t.Error("a gap was taken")
	}
	if err := s.ImportAudit(ctx, records[:2], point(1, 3)); err == nil {
		t.Error("a checkpoint over a record that is missing was taken")
	}
	if err := s.ImportAudit(ctx, records[:2], point(1, 2)); err != nil {
		t.Fatal(err)
	}
	other := records[1]
	other.Hash[0] ^= 1
	if err := s.ImportAudit(ctx, []audit.Record{other, records[2]}, point(2, 3)); err == nil {
		t.Error("a record other than the one here was taken")
	}
	if err := s.ImportAudit(ctx, records[1:], point(2, 3)); err != nil {
		t.Fatal(err)
	}
	if all, err := s.AuditRecords(ctx, "lost", 0, 10); err != nil || len(all) != 3 || all[2].Hash != last.Hash {
		t.Errorf("%+v %v", all, err)
	}
	if n, err := s.Exported(ctx, "lost"); err != nil || n != 2 {
		t.Errorf("exported %d %v", n, err)
	}
}

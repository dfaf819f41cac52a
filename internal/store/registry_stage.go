package store

import (
	"context"
	"fmt"

	"senim/internal/registry"
)

// areaSQL is where an area's records are and how they are told apart. Names are ours, nobody's text.
type areaSQL struct {
	table, key, stage string
	// more are further columns, and what of a staged row s fills them.
	more, from string
}

var areasSQL = map[registry.Area]areaSQL{
	registry.AreaEntity:   {table: "registry_entity", key: "bin", stage: "registry_stage_entity"},
	registry.AreaLeader:   {table: "registry_leader", key: "bin", stage: "registry_stage_leader", more: ", appointed_on, disputed", from: ", s.appointed_on, s.disputed"},
	registry.AreaPerson:   {table: "registry_person", key: "iin", stage: "registry_stage_person"},
	registry.AreaContact:  {table: "registry_contact", key: "iin", stage: "registry_stage_contact"},
	registry.AreaTaxpayer: {table: "registry_taxpayer", key: "tin", stage: "registry_stage_taxpayer"},
	registry.AreaAccount:  {table: "registry_account", key: "account", stage: "registry_stage_account", more: ", tin", from: ", substr(s.key, 1, 12)"},
	registry.AreaBank:     {table: "registry_bank", key: "bik", stage: "registry_stage_bank"},
	registry.AreaCalendar: {table: "registry_calendar", key: "slot", stage: "registry_stage_calendar"},
}

func sqlOf(a registry.Area) (areaSQL, error) {
	s, ok := areasSQL[a]
	if !ok {
		return s, fmt.Errorf("store: no records of kind %q", a)
	}
	return s, nil
}

// ClearStage empties the place of an area.
func (t registryTx) ClearStage(ctx context.Context, a registry.Area) error {
	s, err := sqlOf(a)
	if err != nil {
		return err
	}
	sql := `delete from ` + s.stage
	if t.s.engine.name() == "postgres" {
		sql = `truncate ` + s.stage
	}
	_, err = t.exec(ctx, sql)
	return err
}

var (
	stageColumns       = []string{"line", "op", "key", "content"}
	stageEntityColumns = []string{"line", "op", "key", "content", "head"}
	stageLeaderColumns = []string{"line", "op", "key", "content", "iin", "appointed_on", "dismissed_on", "disputed"}
)

// Stage adds rows.
func (t registryTx) Stage(ctx context.Context, a registry.Area, rows []registry.Staged) error {
	s, err := sqlOf(a)
	if err != nil || len(rows) == 0 {
		return err
	}
	columns := stageColumns
	all := make([][]any, len(rows))
	for i, r := range rows {
		all[i] = []any{r.Line, r.Op, r.Key, r.Content}
		switch a {
		case registry.AreaEntity:
			columns, all[i] = stageEntityColumns, append(all[i], r.Head)
		case registry.AreaLeader:
			columns, all[i] = stageLeaderColumns, append(all[i], r.IIN, string(r.AppointedOn), string(r.DismissedOn), bit(r.Disputed))
		default:
		}
	}
	return t.note(t.c.bulk(ctx, s.stage, columns, all))
}

// SettleStage lets PostgreSQL know how much there is, here and among the records: it guesses few of what it never
// counted, and then looks through all for each. SQLite looks keys up one by one in any case.
func (t registryTx) SettleStage(ctx context.Context, a registry.Area) error {
	s, err := sqlOf(a)
	if err != nil || t.s.engine.name() != "postgres" {
		return err
	}
	_, err = t.exec(ctx, `analyze `+s.stage+`, `+s.table)
	return err
}

// StagedRows counts rows.
func (t registryTx) StagedRows(ctx context.Context, a registry.Area) (int64, error) {
	s, err := sqlOf(a)
	if err != nil {
		return 0, err
	}
	return one(ctx, t.tx, errNoRow, value[int64], `select count(*) from `+s.stage)
}

// LastStaged is the last line.
func (t registryTx) LastStaged(ctx context.Context, a registry.Area) (int64, error) {
	s, err := sqlOf(a)
	if err != nil {
		return 0, err
	}
	return one(ctx, t.tx, errNoRow, value[int64], `select coalesce(max(line), 0) from `+s.stage)
}

// StagedTwice lists keys that several rows have.
func (t registryTx) StagedTwice(ctx context.Context, a registry.Area, after string, limit int) ([]string, error) {
	s, err := sqlOf(a)
	if err != nil {
		return nil, err
	}
	return list(ctx, t.tx, value[string], `select key from `+s.stage+` where key > $1 group by key having count(*) > 1 order by key limit $2`, after, limit)
}

// StagedOf lists the rows of keys.
func (t registryTx) StagedOf(ctx context.Context, a registry.Area, keys []string) ([]registry.Staged, error) {
	s, err := sqlOf(a)
	if err != nil {
		return nil, err
	}
	columns, scan := `line, op, key, content`, func(r row) (g registry.Staged, err error) {
		return g, r.Scan(&g.Line, &g.Op, &g.Key, &g.Content)
	}
	if a == registry.AreaLeader {
		columns, scan = `line, op, key, content, iin, appointed_on, dismissed_on, disputed`, func(r row) (g registry.Staged, err error) {
			var disputed int64
			err = r.Scan(&g.Line, &g.Op, &g.Key, &g.Content, &g.IIN, &g.AppointedOn, &g.DismissedOn, &disputed)
			g.Disputed = disputed == 1
			return g, err
		}
	}
	return many(ctx, t.tx, keys, scan, `select `+columns+` from `+s.stage+` where key in (`+places(1, `?`)+`) order by key, line`)
}

// Restage gives rows another op; without one they go.
func (t registryTx) Restage(ctx context.Context, a registry.Area, op string, lines []int64) error {
	s, err := sqlOf(a)
	if err != nil {
		return err
	}
	return eachLines(lines, func(some []any) error {
		if op == "" {
			_, err := t.exec(ctx, `delete from `+s.stage+` where line in (`+places(1, `?`)+`)`, some...)
			return err
		}
		_, err := t.exec(ctx, `update `+s.stage+` set op = $1 where line in (`+places(2, `?`)+`)`, append([]any{op}, some...)...)
		return err
	})
}

// Dispute marks leaders who are not dismissed.
func (t registryTx) Dispute(ctx context.Context, lines []int64) error {
	return eachLines(lines, func(some []any) error {
		_, err := t.exec(ctx, `update registry_stage_leader set disputed = 1 where dismissed_on = '' and line in (`+places(1, `?`)+`)`, some...)
		return err
	})
}

// eachLines calls f with pieces of lines, each filled up as [chunked] does.
func eachLines(lines []int64, f func([]any) error) error {
	for len(lines) > 0 {
		n := min(len(lines), chunk)
		args := make([]any, chunk)
		for i := range args {
			args[i] = lines[min(i, n-1)]
		}
		if err := f(args); err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}

// Orphans lists lines of units whose head office nobody knows.
func (t registryTx) Orphans(ctx context.Context, source string, after int64, limit int) ([]int64, error) {
	return list(ctx, t.tx, value[int64], `select s.line from registry_stage_entity s where s.op = 'U' and s.head <> '' and s.line > $1
		and not exists (select 1 from registry_stage_entity o where o.key = s.head and o.op <> 'D')
		and not exists (select 1 from registry_entity r where r.bin = s.head and r.source = $2 and r.until_load = 0)
		order by s.line limit $3`, after, source, limit)
}

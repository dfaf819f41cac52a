package store

import (
	"context"

	"senim/internal/ident"
	"senim/internal/registry"
)

// HasAny reports whether a source has any record.
func (t registryTx) HasAny(ctx context.Context, a registry.Area, source string) (bool, error) {
	s, err := sqlOf(a)
	if err != nil {
		return false, err
	}
	n, err := one(ctx, t.tx, errNoRow, value[int64], `select count(*) from (select 1 from `+s.table+` where source = $1 and until_load = 0 limit 1) x`, source)
	return n > 0, err
}

// InForce counts records, of leaders their organisations.
func (t registryTx) InForce(ctx context.Context, a registry.Area, source string) (int64, error) {
	s, err := sqlOf(a)
	if err != nil {
		return 0, err
	}
	what := `count(*)`
	if a == registry.AreaLeader {
		what = `count(distinct bin)`
	}
	return one(ctx, t.tx, errNoRow, value[int64], `select `+what+` from `+s.table+` where source = $1 and until_load = 0`, source)
}

// lacking are the records r of a source that the stage does not have.
func (s areaSQL) lacking() string {
	return ` from ` + s.table + ` r where r.source = $1 and r.until_load = 0 and not exists (select 1 from ` + s.stage + ` s where s.key = r.` + s.key + `)`
}

// Lacking counts them.
func (t registryTx) Lacking(ctx context.Context, a registry.Area, source string) (int64, error) {
	s, err := sqlOf(a)
	if err != nil {
		return 0, err
	}
	return one(ctx, t.tx, errNoRow, value[int64], `select count(*)`+s.lacking(), source)
}

// OtherHeads counts organisations of the stage whose last head is not among its leaders who are not dismissed.
func (t registryTx) OtherHeads(ctx context.Context, source string) (int64, error) {
	return one(ctx, t.tx, errNoRow, value[int64], `select count(*) from
		(select bin, max(appointed_on) as day from registry_leader where source = $1 and until_load = 0 group by bin) l
		join registry_leader r on r.bin = l.bin and r.appointed_on = l.day and r.source = $1 and r.until_load = 0
		where exists (select 1 from registry_stage_entity s where s.key = r.bin and s.op = 'U')
		and not exists (select 1 from registry_stage_leader s where s.key = r.bin and s.op = 'U' and s.dismissed_on = ''
			and r.content like '%"IIN":"' || s.iin || '"%')`, source)
}

// PartyTo reports whether the stage makes a person a head, or ends that he is one.
func (t registryTx) PartyTo(ctx context.Context, source string, iin ident.IIN) (bool, error) {
	if source != registry.SourceLegal {
		return false, nil // the stage of leaders is of another batch
	}
	n, err := one(ctx, t.tx, errNoRow, value[int64], `select count(*) from (
		select 1 from registry_stage_leader s where s.iin = $2 and s.op = 'U' and not exists (select 1 from registry_leader r
			where r.bin = s.key and r.source = $1 and r.until_load = 0 and r.appointed_on = s.appointed_on and r.content = s.content)
		union all select 1 from registry_leader r join registry_stage_entity e on e.key = r.bin and e.op <> 'K'
			where r.source = $1 and r.until_load = 0 and r.content like '%"IIN":"' || $2 || '"%' and not exists (select 1 from registry_stage_leader s
				where s.key = r.bin and s.content = r.content)) x`, source, string(iin))
	return n > 0, err
}

// WalkLacking calls f with pieces of what must end.
func (t registryTx) WalkLacking(ctx context.Context, a registry.Area, source string, f func([]int64, []string) error) error {
	s, err := sqlOf(a)
	if err != nil {
		return err
	}
	r, err := t.query(ctx, `select r.record, r.`+s.key+s.lacking(), source)
	if err != nil {
		return err
	}
	defer r.Close()
	var records []int64
	var keys []string
	for r.Next() {
		var record int64
		var key string
		if err := r.Scan(&record, &key); err != nil {
			return t.note(err)
		}
		records, keys = append(records, record), append(keys, key)
		if len(records) == walkPiece {
			if err := f(records, keys); err != nil {
				return err
			}
			records, keys = records[:0], keys[:0]
		}
	}
	if err := r.Err(); err != nil || len(records) == 0 {
		return t.note(err)
	}
	return f(records, keys)
}

// walkPiece is how many rows are handed over at once.
const walkPiece = 5000

// headless says of a staged organisation s that it has no leader; of a refused row nobody knows.
const headless = `s.op = 'U' and not exists (select 1 from registry_stage_leader o where o.key = s.key)`

// WalkChanged calls f with pieces of the lines that change something.
func (t registryTx) WalkChanged(ctx context.Context, a registry.Area, source string, f func([]int64) error) error {
	s, err := sqlOf(a)
	if err != nil {
		return err
	}
	// Each question is one join of whole tables where that is fastest.
	same := ` r where r.` + s.key + ` = s.key and r.source = $1 and r.until_load = 0`
	differs := ` and r.content = s.content`
	if a == registry.AreaLeader {
		differs += ` and r.appointed_on = s.appointed_on and r.disputed = s.disputed`
	}
	questions := []string{
		`select s.line from ` + s.stage + ` s where s.op = 'U' and not exists (select 1 from ` + s.table + same + differs + `) order by s.line`,
		`select s.line from ` + s.stage + ` s where s.op = 'D' and exists (select 1 from ` + s.table + same + `) order by s.line`,
	}
	if a == registry.AreaEntity { // the source names no head any more
		questions = append(questions, `select s.line from registry_stage_entity s where `+headless+` and exists (select 1 from registry_leader`+same+`) order by s.line`)
	}
	if a == registry.AreaLeader { // the source took a later appointment back
		questions = append(questions, `select s.line from registry_stage_leader s
			join (select key, max(appointed_on) as day from registry_stage_leader where op = 'U' group by key) l on l.key = s.key and l.day = s.appointed_on
			join registry_leader r on r.bin = s.key and r.appointed_on > l.day and r.source = $1 and r.until_load = 0
			where s.op = 'U' order by s.line`)
	}
	for _, q := range questions {
		if err := t.walkLines(ctx, q, source, f); err != nil {
			return err
		}
	}
	return nil
}

func (t registryTx) walkLines(ctx context.Context, sql, source string, f func([]int64) error) error {
	r, err := t.query(ctx, sql, source)
	if err != nil {
		return err
	}
	defer r.Close()
	var lines []int64
	for r.Next() {
		var line int64
		if err := r.Scan(&line); err != nil {
			return t.note(err)
		}
		if lines = append(lines, line); len(lines) == walkPiece {
			if err := f(lines); err != nil {
				return err
			}
			lines = lines[:0]
		}
	}
	if err := r.Err(); err != nil || len(lines) == 0 {
		return t.note(err)
	}
	return f(lines)
}

// insert writes staged rows s of some lines: $1 is the load, $2 the source.
func (s areaSQL) insert(lines, more string) string {
	return `insert into ` + s.table + ` (record, source, ` + s.key + `, content, from_load, until_load` + s.more + `)
		select (select coalesce(max(record), 0) from ` + s.table + `) + row_number() over (order by s.line), cast($2 as text), s.key, s.content, cast($1 as bigint), 0` + s.from + `
		from ` + s.stage + ` s where s.op = 'U' and ` + lines + more
}

// MergeNew writes rows of a source that has nothing yet.
func (t registryTx) MergeNew(ctx context.Context, a registry.Area, source string, load, after, upto int64) error {
	s, err := sqlOf(a)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, s.insert(`s.line > $3 and s.line <= $4`, ``), load, source, after, upto)
	return err
}

// MergeLines ends and writes what rows change. Lines that stand close together are taken as a span: what is
// between them changes nothing, which is asked again here.
func (t registryTx) MergeLines(ctx context.Context, a registry.Area, source string, load int64, lines []int64) error {
	s, err := sqlOf(a)
	if err != nil || len(lines) == 0 {
		return err
	}
	first, last := lines[0], lines[len(lines)-1]
	if last-first < 2*int64(len(lines)) {
		return t.mergeSome(ctx, a, s, `s.line >= $3 and s.line <= $4`, []any{load, source, first, last})
	}
	which := `s.line in (` + places(3, `?`) + `)`
	return eachLines(lines, func(some []any) error { return t.mergeSome(ctx, a, s, which, append([]any{load, source}, some...)) })
}

func (t registryTx) mergeSome(ctx context.Context, a registry.Area, s areaSQL, lines string, args []any) error {
	of := s.table
	end := `update ` + of + ` set until_load = $1 from ` + s.stage + ` s where ` + lines + ` and ` + of + `.` + s.key + ` = s.key and ` + of + `.source = $2
		and ` + of + `.until_load = 0 and ` + of + `.from_load <> $1`
	missing := ` and not exists (select 1 from ` + of + ` r where r.` + s.key + ` = s.key and r.source = $2 and r.until_load = 0`
	if a == registry.AreaLeader {
		end += ` and s.op = 'U' and (registry_leader.appointed_on = s.appointed_on and not exists (select 1 from registry_stage_leader o
				where o.key = s.key and o.op = 'U' and o.appointed_on = registry_leader.appointed_on and o.content = registry_leader.content and o.disputed = registry_leader.disputed)
			or registry_leader.appointed_on > (select max(o.appointed_on) from registry_stage_leader o where o.key = s.key and o.op = 'U'))`
		missing += ` and r.appointed_on = s.appointed_on and r.content = s.content and r.disputed = s.disputed`
	} else {
		end += ` and (s.op = 'D' or s.op = 'U' and s.content <> ` + of + `.content)`
	}
	all := []string{end, s.insert(lines, missing+`)`)}
	if a == registry.AreaEntity {
		all = append(all, `update registry_leader set until_load = $1 from registry_stage_entity s where `+lines+` and (s.op = 'D' or `+headless+`)
			and registry_leader.bin = s.key and registry_leader.source = $2 and registry_leader.until_load = 0 and registry_leader.from_load <> $1`)
	}
	for _, sql := range all {
		if _, err := t.exec(ctx, sql, args...); err != nil {
			return err
		}
	}
	return nil
}

// EndRecords ends records, and leaders of organisations.
func (t registryTx) EndRecords(ctx context.Context, a registry.Area, source string, load int64, records []int64, keys []string) error {
	s, err := sqlOf(a)
	if err != nil {
		return err
	}
	err = eachLines(records, func(some []any) error {
		_, err := t.exec(ctx, `update `+s.table+` set until_load = $1 where until_load = 0 and record in (`+places(2, `?`)+`)`, append([]any{load}, some...)...)
		return err
	})
	if err != nil || a != registry.AreaEntity {
		return err
	}
	return chunked(keys, func(some []any) error {
		_, err := t.exec(ctx, `update registry_leader set until_load = $1 where until_load = 0 and source = $2 and bin in (`+places(3, `?`)+`)`,
			append([]any{load, source}, some...)...)
		return err
	})
}

// Unmerge takes back what a load wrote and ended.
func (t registryTx) Unmerge(ctx context.Context, a registry.Area, source string, load int64) error {
	s, err := sqlOf(a)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `delete from `+s.table+` where source = $1 and from_load = $2`, source, load); err != nil {
		return err
	}
	_, err = t.exec(ctx, `update `+s.table+` set until_load = 0 where source = $1 and until_load = $2 and until_load <> 0`, source, load)
	return err
}

// Touched lists organisations whose records a load brought or ended.
func (t registryTx) Touched(ctx context.Context, source string, load int64, after string, limit int) ([]string, error) {
	return list(ctx, t.tx, value[string], `select bin from (
			select bin from registry_leader where source = $1 and from_load = $2
			union select bin from registry_leader where source = $1 and until_load = $2 and until_load <> 0
			union select bin from registry_entity where source = $1 and until_load = $2 and until_load <> 0) x
		where bin > $3 order by bin limit $4`, source, load, after, limit)
}

// before says of a record r what was in force before a load of a source.
const before = `(r.source = $2 and r.from_load < $3 and (r.until_load = 0 or r.until_load >= $3) or r.source <> $2 and ` + inForce + `)`

// Before reads what was in force of an organisation before a load.
func (t registryTx) Before(ctx context.Context, source string, load int64, bin string) ([]registry.Kept[registry.LegalEntity], []registry.KeptLeader, error) {
	entities, err := list(ctx, t.tx, scanKept[registry.LegalEntity],
		`select record, source, from_load, content from registry_entity r where bin = $1 and `+before+` order by record`, bin, source, load)
	if err != nil {
		return nil, nil, err
	}
	leaders, err := list(ctx, t.tx, scanLeader, `select record, source, from_load, content, disputed from registry_leader r
		where bin = $1 and `+before+` order by appointed_on, record`, bin, source, load)
	return entities, leaders, err
}

// Phones lists the phones a load changed.
func (t registryTx) Phones(ctx context.Context, source string, load int64, after string, limit int) ([]registry.ChangedPhone, error) {
	return list(ctx, t.tx, func(r row) (p registry.ChangedPhone, err error) {
		var was, is string
		if err = r.Scan(&p.Was.Record, &was, &p.Is.Record, &is); err != nil {
			return p, err
		}
		p.Was.Source, p.Is.Source, p.Is.Load = source, source, load
		if err = fromText(was, &p.Was.Value); err != nil {
			return p, err
		}
		return p, fromText(is, &p.Is.Value)
	}, `select o.record, o.content, n.record, n.content from registry_contact o
		join registry_contact n on n.iin = o.iin and n.source = o.source and n.from_load = $2
		where o.source = $1 and o.until_load = $2 and o.until_load <> 0 and o.iin > $3 order by o.iin limit $4`, source, load, after, limit)
}

// Account lists the records in force for an account.
func (t registryTx) Account(ctx context.Context, tin, iik string) ([]registry.Kept[registry.BankAccount], error) {
	return list(ctx, t.tx, scanKept[registry.BankAccount],
		`select record, source, from_load, content from registry_account r where account = $1 and `+inForce+` order by record`, registry.AccountKey(tin, iik))
}

// Bank lists the records in force for a bank.
func (t registryTx) Bank(ctx context.Context, bik string) ([]registry.Kept[registry.Bank], error) {
	return list(ctx, t.tx, scanKept[registry.Bank],
		`select record, source, from_load, content from registry_bank r where bik = $1 and `+inForce+` order by record`, bik)
}

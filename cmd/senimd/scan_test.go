package main

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"senim/internal/ca"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/registry"
	"senim/internal/store"
	"senim/internal/store/storetest"
)

// records shows the certificates of a store as the authority does.
type records struct {
	authority
	store ca.Store
}

func (r records) Living(ctx context.Context, iins []string, from time.Time) (all []ca.Info, err error) {
	err = r.store.View(ctx, func(tx ca.Tx) error {
		found, err := tx.Living(ctx, iins, from)
		for _, c := range found {
			all = append(all, ca.Info{Serial: c.Serial, Order: c.Order, Profile: c.Profile, IIN: c.IIN, BIN: c.BIN, Name: c.Name,
				NotBefore: c.NotBefore, NotAfter: c.NotAfter, IssuedAt: c.Created, Revoked: c.Revoked, Raw: c.Raw})
		}
		return err
	})
	return all, err
}

// officeOf is the office as far as a scan asks it.
func officeOf(t *testing.T, s *store.Store, now func() time.Time) *ra.Office {
	t.Helper()
	o, err := ra.New(ra.Config{Store: s.RA(), Judge: noJudge{}, Registry: heads{}, People: people{}, Keys: issued{}, Issuer: issued{}, Revoker: issued{},
		Origin: "https://cabinet.example", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

type noJudge struct{ ra.Judge }

// The daily scan of very many certificates on PostgreSQL: how long it takes, and how much memory. SENIM_LONG is how
// many certificates (1: a million). The day before is taken as done, so that this is a day like any other.
func TestScanOfMillions(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("SENIM_LONG"))
	if err != nil {
		t.Skip("fills a database for minutes: SENIM_LONG=1 or the number of certificates")
	}
	if n < 1000 {
		n *= 1_000_000
	}
	now := time.Date(2026, 9, 1, 10, 0, 1, 0, lang.Astana)
	clock := func() time.Time { return now }
	url := storetest.PostgresURL(t)
	s := storetest.Open(t, store.Config{URL: url, Now: clock})
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(t.Context())) }() // the database is dropped
	fill(t, db, n, now)

	book, err := registry.New(registry.Config{Store: s.Registry(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	sets := keySets{ca: records{store: s.CA()}, office: officeOf(t, s, clock), book: book, notices: s.Notice(), here: true}
	scanner := notice.NewScanner(notice.ScannerConfig{Store: s.Notice(), Sets: sets, Now: clock})
	for _, what := range []string{"the daily scan", "the next scan of the day"} {
		took, peak := storetest.Measured(t, func() error { return scanner.Scan(t.Context()) })
		counts := map[string]int{}
		rows, err := db.Query(t.Context(), `select action, count(*) from audit group by action union all select 'letters '||n, count(*) from outbox group by n`)
		if err != nil {
			t.Fatal(err)
		}
		var action string
		var count int
		if _, err := pgx.ForEachRow(rows, []any{&action, &count}, func() error { counts[action] = count; return nil }); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s over %d certificates: %v, heap at most %d MiB, %v", what, n, took.Round(time.Millisecond), peak>>20, counts)
		if counts["notice.planned"] < n/1000 {
			t.Errorf("%s planned only %d", what, counts["notice.planned"])
		}
		if peak > 256<<20 {
			t.Errorf("%s took %d MiB", what, peak>>20)
		}
	}
}

// fill makes n certificates that end evenly over a year: one in five of organisations of five people, one in ten renewed
// already, six in ten people with an account and seven with a phone.
func fill(t *testing.T, db *pgx.Conn, n int, now time.Time) {
	t.Helper()
	a := pkitest.New(t)
	person, staff := a.Individual().Certificate.Raw, a.Employee().Certificate.Raw
	ms, year := now.UnixMilli(), int64(365*24*3600*1000)
	run := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Exec(t.Context(), sql, args...); err != nil {
			t.Fatalf("%v in %s", err, sql)
		}
	}
	begin := time.Now()
	const insert = `insert into ca_certificates (serial, ca, order_id, key_hash, profile, state, raw, iin, bin, name, replaces, not_before, not_after, created) `
	run(insert+`select lpad(to_hex(i), 40, '0'), 'gost', 'load-'||i||'-k0', 'k'||i, case when i % 5 = 0 then 'employee' else 'individual' end, 'issued',
		case when i % 5 = 0 then $3::bytea else $2::bytea end, lpad(i::text, 12, '0'), case when i % 5 = 0 then '5'||lpad((i / 25)::text, 11, '0') else '' end, 'ТЕСТ ТЕСТ', '',
		$4::bigint - $5::bigint + (i * $5::bigint / $1::bigint), $4::bigint + (i * $5::bigint / $1::bigint), $4::bigint - $5::bigint + (i * $5::bigint / $1::bigint) from generate_series(1::bigint, $1::bigint) i`, int64(n), person, staff, ms, year)
	run(insert+`select 'f'||lpad(to_hex(i), 39, '0'), 'gost', 'again-'||i||'-k0', 'a'||i, case when i % 5 = 0 then 'employee' else 'individual' end, 'issued',
		case when i % 5 = 0 then $3::bytea else $2::bytea end, lpad(i::text, 12, '0'), case when i % 5 = 0 then '5'||lpad((i / 25)::text, 11, '0') else '' end, 'ТЕСТ ТЕСТ', '',
		$4::bigint, $4::bigint + $5::bigint, $4::bigint from generate_series(1::bigint, $1::bigint, 10) i`, int64(n), person, staff, ms, year)
	run(`insert into ra_accounts (iin, email, city, lang, confirmed, consent, created, changed)
		select lpad(i::text, 12, '0'), 'p'||i||'@example.kz', '', 'ru', 1, 1, 1, 1 from generate_series(1, $1::int) i where i % 10 < 6`, n)
	run(`insert into registry_load (number, source, full_load, as_of, received, sha256, operator, entities, leaders, persons, quarantined)
		select i, s, 1, $1::bigint, $1::bigint, s, 'load', 1, 1, 1, 0 from unnest(array['gbdul', 'gbdfl', 'bmg']) with ordinality x(s, i)`, ms-1000)
	run(`insert into registry_person (record, source, iin, content, from_load, until_load)
		select i, 'gbdfl', lpad(i::text, 12, '0'), '{"IIN":"'||lpad(i::text, 12, '0')||'","Surname":"ТЕСТ","Name":"ТЕСТ"}', 2, 0 from generate_series(1, $1::int) i`, n)
	run(`insert into registry_contact (record, source, iin, content, from_load, until_load)
		select i, 'bmg', lpad(i::text, 12, '0'), '{"IIN":"'||lpad(i::text, 12, '0')||'","Phone":"+77010000000"}', 3, 0 from generate_series(1, $1::int) i where i % 10 < 7`, n)
	run(`insert into registry_entity (record, source, bin, content, from_load, until_load)
		select i, 'gbdul', '5'||lpad(i::text, 11, '0'), '{"BIN":"'||'5'||lpad(i::text, 11, '0')||'","Kind":"LE","NameRU":"АО","Status":"ACTIVE"}', 1, 0 from generate_series(0, $1::int / 25) i`, n)
	run(`insert into registry_leader (record, source, bin, appointed_on, content, disputed, from_load, until_load)
		select i, 'gbdul', '5'||lpad(i::text, 11, '0'), '2020-01-01', '{"BIN":"'||'5'||lpad(i::text, 11, '0')||'","IIN":"'||lpad((i * 25 + 1)::text, 12, '0')||'","AppointedOn":"2020-01-01"}', 0, 1, 0
		from generate_series(0, $1::int / 25) i`, n)
	for _, w := range (notice.Plan{}).Windows(now.Add(-24 * time.Hour)) {
		run(`insert into reminder (key_set, stage, examined) select serial, $1::text, $5::bigint from ca_certificates
			where not_after >= $2 and not_after < $3 and (case when bin = '' then 0 else 1 end) = $4 on conflict do nothing`,
			w.Stage, ms, w.To.UnixMilli(), map[bool]int{true: 1}[w.Legal], ms)
	}
	run(`analyze`)
	t.Logf("filled in %v", time.Since(begin).Round(time.Second))
}

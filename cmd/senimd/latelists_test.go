package main

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"senim/internal/ca"
	"senim/internal/store/storetest"
)

// kept is a log that can be read while it is written.
type kept struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (k *kept) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.b.Write(b)
}

func (k *kept) count(text string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return strings.Count(k.b.String(), text)
}

// A revocation that no list tells in time is an alarm: in the log and the audit once, in /health and the figures until a list
// tells it. OCSP tells it all the while. On both engines.
func TestListIsLate(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]func(t *testing.T, dir string) (flags []string, exec func(sql string)){
		"sqlite": func(t *testing.T, dir string) ([]string, func(string)) {
			return nil, func(text string) {
				t.Helper()
				db, err := sql.Open("sqlite", filepath.Join(dir, "senim.db")+"?_pragma=busy_timeout(10000)")
				if err == nil {
					defer func() { _ = db.Close() }()
					_, err = db.ExecContext(t.Context(), strings.NewReplacer("FUNCTION", "", "ROW", "begin select raise(abort, 'no'); end", "DROP", "").Replace(text))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		},
		"postgres": func(t *testing.T, _ string) ([]string, func(string)) {
			url := storetest.PostgresURL(t)
			return []string{"-db", url}, func(text string) {
				t.Helper()
				db, err := pgx.Connect(t.Context(), url)
				if err == nil {
					defer func() { _ = db.Close(context.WithoutCancel(t.Context())) }()
					_, err = db.Exec(t.Context(), strings.NewReplacer("FUNCTION", "create or replace function late() returns trigger as $$ begin raise exception 'no'; end $$ language plpgsql;",
						"ROW", "for each row execute function late()", "DROP", " on ca_published").Replace(text))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, log := t.TempDir(), &kept{}
			flags, exec := engine(t, dir)
			_, c, err := parse(append([]string{"-data", dir, "-cabinet", "127.0.0.1:0", "-portal", "127.0.0.1:0", "-responder", "127.0.0.1:0", "-mailbox", "127.0.0.1:0",
				"-mailbox.smtp", "127.0.0.1:0", "-rsa-bits", "2048", "-metrics", "127.0.0.1:0", "-log", "none", "-crl.max_delay", "10m"}, flags...), &bytes.Buffer{})
			if err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var ahead time.Duration
			now := func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				return time.Now().Add(ahead)
			}
			s, err := open(t.Context(), c, now, slog.New(slog.NewTextHandler(log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.close)
			served(t, s)
			const alert = "ALERT: a revocation is not in a published list in time"
			well := func(want string, age func(string) bool, step string) {
				t.Helper()
				if code, text := say(t, s, "/health"); (code == http.StatusOK) != (want == "") || !strings.Contains(text, want) {
					t.Errorf("%s: health %d %q, want %q", step, code, text, want)
				}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.c.metrics.origin+"/metrics", nil)
				if err != nil {
					t.Fatal(err)
				}
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = res.Body.Close() }()
				b, err := io.ReadAll(res.Body)
				m := regexp.MustCompile(`senim_crl_unlisted_seconds\{ca="gost"\} (\S+)`).FindSubmatch(b)
				if err != nil || m == nil || !age(string(m[1])) {
					t.Errorf("%s: figures %q %v", step, m, err)
				}
			}
			none, some := func(v string) bool { return v == "0" }, func(v string) bool { return v != "0" }
			if err := s.tend(t.Context()); err != nil {
				t.Fatal(err)
			}
			well("", none, "before")

			exec("FUNCTION create trigger late before insert on ca_published ROW")
			of := ""
			for _, i := range live(t, s) {
				if i.CA == "gost" {
					of = i.Serial
				}
			}
			if _, err := s.ca.Revoke(t.Context(), of, ca.Superseded, "tester", time.Time{}); err != nil {
				t.Fatal(err)
			}
			if err := s.tend(t.Context()); err == nil {
				t.Fatal("a list was made")
			}
			well("lists or services", some, "not yet late") // it failed, and the time is not over
			if log.count(alert) != 0 {
				t.Error("an alarm before the time")
			}
			mu.Lock()
			ahead = 10*time.Minute + 5*time.Second
			mu.Unlock()
			for range 2 {
				if err := s.tend(t.Context()); err == nil {
					t.Fatal("a list was made")
				}
			}
			well("-crl.max_delay", some, "late")
			if n := log.count(alert); n != 1 {
				t.Errorf("%d alarms", n)
			}
			exec("drop trigger lateDROP")
			if err := s.tend(t.Context()); err != nil {
				t.Fatal(err)
			}
			well("", none, "published")
			if log.count("a late list was published") != 1 || log.count(alert) != 1 {
				t.Error("the end is not told, or the alarm again")
			}
			records, err := s.store.AuditRecords(t.Context(), s.store.Node(), 0, 10000)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, r := range records {
				if r.Action == "ca.list_late" && r.Object == "gost" {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d records", n)
			}
		})
	}
}

// Only a time that makes sense is taken.
func TestListDelayFlag(t *testing.T) {
	for v, ok := range map[string]bool{"15m": true, "1m": true, "24h": true, "59s": false, "25h": false, "": false, "-15m": false} {
		_, c, err := parse([]string{"-crl.max_delay", v}, &bytes.Buffer{})
		if (err == nil) != ok {
			t.Errorf("%q: %v", v, err)
		}
		if want, _ := time.ParseDuration(v); ok && c.listDelay != want {
			t.Errorf("%q: %v", v, c.listDelay)
		}
	}
	if _, c, err := parse(nil, &bytes.Buffer{}); err != nil || c.listDelay != 15*time.Minute {
		t.Errorf("by default %v %v", c.listDelay, err)
	}
}

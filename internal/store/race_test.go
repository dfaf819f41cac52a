package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"senim/internal/audit"
	"senim/internal/store"
)

// Sixteen goroutines each read a number, and write it back greater: none may be lost. Repeated,
// since a wrong store passes once by luck.
func TestReadThenWrite(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, store.Config{URL: url, Node: "test"})
		ctx := t.Context()
		do(t, s, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `create table counter (id bigint primary key, n bigint not null)`)
			return err
		})
		const goroutines, each, rounds = 16, 4, 5
		for round := range rounds {
			do(t, s, func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, `insert into counter (id, n) values ($1, 0)`, round)
				return err
			})
			var wait sync.WaitGroup
			for range goroutines {
				wait.Go(func() {
					for range each {
						err := s.Do(ctx, func(tx *store.Tx) error {
							n, err := tx.Int(ctx, `select n from counter where id = $1`, round)
							if err != nil {
								return fmt.Errorf("read: %v", err) //nolint:errorlint // hides the cause on purpose
							}
							_, err = tx.Exec(ctx, `update counter set n = $1 where id = $2`, n+1, round)
							if err != nil {
								return fmt.Errorf("write: %v", err) //nolint:errorlint // likewise
							}
							return tx.Audit(ctx, audit.Event{Action: "test.count", Object: fmt.Sprint(n)})
						})
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			wait.Wait()
			do(t, s, func(tx *store.Tx) error {
				n, err := tx.Int(ctx, `select n from counter where id = $1`, round)
				if err == nil && n != goroutines*each {
					t.Errorf("round %d: %d of %d writes kept", round, n, goroutines*each)
				}
				return err
			})
		}
		if good, err := s.VerifyAudit(ctx); err != nil || good != goroutines*each*rounds {
			t.Errorf("audit: %d good, %v", good, err)
		}
	})
}

// Two of several doctors on duty may not both leave: the case that only serializable keeps.
func TestWriteSkew(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, store.Config{URL: url})
		ctx := t.Context()
		do(t, s, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `create table duty (round bigint not null, doctor bigint not null, primary key (round, doctor))`)
			return err
		})
		leave := func(round, doctor int) error {
			return s.Do(ctx, func(tx *store.Tx) error {
				n, err := tx.Int(ctx, `select count(*) from duty where round = $1`, round)
				if err != nil {
					return err
				}
				if n < 2 {
					return errAlone
				}
				_, err = tx.Exec(ctx, `delete from duty where round = $1 and doctor = $2`, round, doctor)
				return err
			})
		}
		for round := range 20 {
			do(t, s, func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, `insert into duty (round, doctor) values ($1, 1), ($1, 2)`, round)
				return err
			})
			var wait sync.WaitGroup
			for doctor := 1; doctor <= 2; doctor++ {
				wait.Go(func() {
					if err := leave(round, doctor); err != nil && !errors.Is(err, errAlone) {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			do(t, s, func(tx *store.Tx) error {
				n, err := tx.Int(ctx, `select count(*) from duty where round = $1`, round)
				if n != 1 {
					t.Errorf("round %d: %d on duty", round, n)
				}
				return err
			})
		}
	})
}

var errAlone = errors.New("nobody else is on duty")

func do(t *testing.T, s *store.Store, f func(*store.Tx) error) {
	t.Helper()
	if err := s.Do(context.WithoutCancel(t.Context()), f); err != nil {
		t.Fatal(err)
	}
}

func TestViewDoesNotWrite(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, store.Config{URL: url})
		err := s.See(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `delete from setting`)
			return err
		})
		if err == nil {
			t.Error("a view deleted rows")
		}
	})
}

// What people who trade in their own names head becomes an enterprise by a migration, a block of one stays.
func TestTradesBecomeEnterprises(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, store.Config{URL: url})
		do(t, s, func(tx *store.Tx) error {
			for id, p := range map[string]string{"1": "ENTREPRENEUR", "2": "NOTARY", "3": "INDIVIDUAL", "4": "ENTREPRENEUR"} {
				tin := "tin-" + id
				if id == "2" {
					tin = "tin-1" // one person's practice beside his trade
				}
				if _, err := tx.Exec(t.Context(), `insert into participant_profiles (id, iin, tin, type, name, category, status, previous, reason, since, evidence, reconfirm_by)
					values ($1, $2, $2, $3, 'name', '', 'ACTIVE', '', '', 0, '', 0)`, id, tin, p); err != nil {
					return err
				}
			}
			_, err := tx.Exec(t.Context(), `insert into participant_enterprises (tin, name, category, head_office, record, blocked, blocked_reason, updated)
				values ('tin-4', 'name', '', '', '', 1, 'reason', 0)`)
			return err
		})
		if err := s.MigrateAgain(t.Context()); err != nil {
			t.Fatal(err)
		}
		do(t, s, func(tx *store.Tx) error {
			n, err := tx.Int(t.Context(), `select count(*) * 10 + sum(blocked) from participant_enterprises`)
			if n != 21 {
				t.Errorf("enterprises and blocked ones: %d, want two and one", n)
			}
			return err
		})
	})
}

func TestMigrationsRunTwice(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, store.Config{URL: url})
		if err := s.MigrateAgain(t.Context()); err != nil {
			t.Error(err)
		}
		do(t, s, func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `insert into migration (name, sha256, applied) values ('9999_future', '', 0)`)
			return err
		})
		if later, err := store.Open(t.Context(), store.Config{URL: url}); err == nil {
			t.Error("opened a database of a newer version")
			_ = later.Close()
		}
	})
}

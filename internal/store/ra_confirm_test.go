package store_test

import (
	"testing"
	"time"

	"senim/internal/ra"
	"senim/internal/store"
)

// A delegation gives its powers from its first moment until its last, or until it is ended.
func TestLivingDelegation(t *testing.T) {
	from := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	engines(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, store.Config{URL: url})
		put := func(id, bin, iin, powers string, ended time.Time) {
			err := s.Do(ctx, func(tx *store.Tx) error {
				at := int64(0)
				if !ended.IsZero() {
					at = ended.UnixMilli()
				}
				_, err := tx.Exec(ctx, `insert into ra_delegations (id, bin, iin, powers, from_at, until_at, ended_at, body) values ($1, $2, $3, $4, $5, $6, $7, '{}')`,
					id, bin, iin, powers, from.UnixMilli(), from.AddDate(0, 0, 10).UnixMilli(), at)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		put("both", "X", "S", "confirm revoke", time.Time{})
		put("ended", "X", "E", "confirm", from.Add(time.Hour))
		put("revoke", "X", "R", "revoke", time.Time{})
		put("lookalike", "X", "L", "confirmation", time.Time{})
		for _, c := range []struct {
			name, bin, iin, power string
			after                 time.Duration
			want                  string
		}{
			{"first moment", "X", "S", ra.PowerConfirm, 0, "both"},
			{"before", "X", "S", ra.PowerConfirm, -time.Millisecond, ""},
			{"last moment", "X", "S", ra.PowerConfirm, 10*24*time.Hour - time.Millisecond, "both"},
			{"over", "X", "S", ra.PowerConfirm, 10 * 24 * time.Hour, ""},
			{"another power", "X", "S", ra.PowerRevoke, time.Hour, "both"},
			{"not his power", "X", "R", ra.PowerConfirm, time.Hour, ""},
			{"a longer word", "X", "L", ra.PowerConfirm, time.Hour, ""},
			{"another company", "Y", "S", ra.PowerConfirm, time.Hour, ""},
			{"another person", "X", "D", ra.PowerConfirm, time.Hour, ""},
			{"not ended yet", "X", "E", ra.PowerConfirm, time.Hour - time.Millisecond, "ended"},
			{"ended", "X", "E", ra.PowerConfirm, time.Hour, ""},
		} {
			err := s.RA().View(ctx, func(tx ra.Tx) error {
				got, err := tx.LivingDelegation(ctx, c.bin, c.iin, c.power, from.Add(c.after))
				if got != c.want {
					t.Errorf("%s: %q, want %q", c.name, got, c.want)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		err := s.RA().View(ctx, func(tx ra.Tx) error {
			all, err := tx.Delegates(ctx, "X", ra.PowerConfirm, from.Add(2*time.Hour))
			if len(all) != 1 || all[0] != "S" {
				t.Errorf("delegates %v", all)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

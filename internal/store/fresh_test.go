package store_test

import (
	"testing"

	"senim/internal/store"
	"senim/internal/store/storetest"
)

// Who begins to write sees all that was committed before, also when writers share transactions: a transaction that
// looked at the database earlier does not take him in. PostgreSQL only: an SQLite transaction that writes is the only one.
func TestSharedTransactionIsNotOlderThanItsWriters(t *testing.T) {
	url := storetest.PostgresURL(t)
	n := newNotes(t, url)
	elsewhere := open(t, store.Config{URL: url, Node: "elsewhere"})
	do(t, elsewhere, func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `create table claim (id bigint primary key, state bigint)`)
		return err
	})
	var claimed int64
	err := n.together(t, func() {}, func() {
		// the first writer's transaction has its view of the database by now
		do(t, elsewhere, func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `insert into claim (id, state) values (1, 7)`)
			return err
		})
		err := n.Do(t.Context(), func(tx *store.Tx) (err error) {
			claimed, err = tx.Int(t.Context(), `select coalesce(max(state), 0) from claim`)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	if claimed != 7 {
		t.Errorf("a writer who came after the commit sees %d", claimed)
	}
}

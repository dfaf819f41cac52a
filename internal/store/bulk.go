package store

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// bulk is COPY.
func (c postgresConn) bulk(ctx context.Context, table string, columns []string, rows [][]any) error {
	ctx, err := c.context(ctx)
	if err != nil {
		return err
	}
	_, err = c.t.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
	return err
}

// bulkRows is how many rows one statement of SQLite writes.
const bulkRows = 100

// bulk is inserts of many rows each, with a text that stays the same, and so prepared.
func (c *sqliteConn) bulk(ctx context.Context, table string, columns []string, rows [][]any) error {
	args := make([]any, 0, bulkRows*len(columns))
	for len(rows) > 0 {
		n := bulkRows
		if len(rows) < n {
			n = 1
		}
		args = args[:0]
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		if _, err := c.exec(ctx, insertOf(table, columns, n), args); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

var bulkTexts sync.Map

// insertOf is the text of an insert of n rows.
func insertOf(table string, columns []string, n int) string {
	name := table + "/" + strconv.Itoa(n)
	if s, ok := bulkTexts.Load(name); ok {
		return s.(string) //nolint:forcetypeassert // only texts are kept
	}
	var b strings.Builder
	b.WriteString("insert into " + table + " (" + strings.Join(columns, ", ") + ") values ")
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		for j := range columns {
			b.WriteString(map[bool]string{true: "(", false: ", "}[j == 0] + "$" + strconv.Itoa(i*len(columns)+j+1))
		}
		b.WriteString(")")
	}
	bulkTexts.Store(name, b.String())
	return b.String()
}

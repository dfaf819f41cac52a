package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
)

// openPool is sql.Open with connections that keep what they have prepared: compiling a statement takes
// SQLite longer than running a small one.
func openPool(dsn string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(keeping{c}), nil
}

type keeping struct{ driver.Connector }

// Connect opens one connection.
func (k keeping) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	p, ok := c.(physical)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a connection of type %T", c), c.Close())
	}
	return &keptConn{physical: p, kept: map[string]*keptStatement{}}, nil
}

// physical is what database/sql asks of the driver's connection.
type physical interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keptConn is a connection with its prepared statements. Like every connection it is used by one
// goroutine at a time.
type keptConn struct {
	physical
	kept map[string]*keptStatement
}

type keptStatement struct {
	statement
	busy bool // its rows are being read: it cannot be run again meanwhile
}

type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// maxKept bounds the statements of one connection. Ours are constants, and not that many; whatever is
// made up beyond runs as without this.
const maxKept = 300

// find returns the prepared statement, nil when there is none to be had: a script of several, one that
// is being read, one too many.
func (c *keptConn) find(ctx context.Context, q string) (*keptStatement, error) {
	if s := c.kept[q]; s != nil {
		if s.busy {
			return nil, nil
		}
		return s, nil
	}
	if len(c.kept) >= maxKept || strings.Contains(q, ";") {
		return nil, nil
	}
	p, err := c.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	s, ok := p.(statement)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a statement of type %T", p), p.Close())
	}
	k := &keptStatement{statement: s}
	c.kept[q] = k
	return k, nil
}

// ExecContext runs a statement.
func (c *keptConn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.find(ctx, q)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.physical.ExecContext(ctx, q, args)
	}
	return s.ExecContext(ctx, args)
}

// QueryContext runs a select; the statement is busy until its rows are closed.
func (c *keptConn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.find(ctx, q)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.physical.QueryContext(ctx, q, args)
	}
	r, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return keptRows{r, s}, nil
}

type keptRows struct {
	driver.Rows
	s *keptStatement
}

// Close gives the statement back.
func (r keptRows) Close() error {
	r.s.busy = false
	return r.Rows.Close()
}

// Close closes the statements and the connection.
func (c *keptConn) Close() error {
	var err error
	for _, s := range c.kept {
		err = errors.Join(err, s.Close())
	}
	c.kept = nil
	return errors.Join(err, c.physical.Close())
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// OpenAudit opens a database to read its audit, changing nothing: no table is brought up to date, no
// key is asked for. Only the methods that read the audit work on what it returns.
func OpenAudit(ctx context.Context, at string) (*Store, error) {
	s := &Store{now: time.Now, log: slog.New(slog.DiscardHandler), handled: map[string]handling{}}
	var err error
	if strings.HasPrefix(at, "postgres://") || strings.HasPrefix(at, "postgresql://") {
		s.engine, err = openPostgres(ctx, at, s.log)
	} else {
		s.engine, err = readSQLite(at)
	}
	if err != nil {
		return nil, err
	}
	s.writers.begin, s.writers.long, s.writers.late = s.engine.share, groupLong, s.engine.single()
	if _, err := s.AuditNodes(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the audit: %w", err), s.engine.close())
	}
	return s, nil
}

func readSQLite(path string) (*sqliteEngine, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	if _, err := os.Stat(path); err != nil { // a reader must not make the file
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path}).String()+"?mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	return &sqliteEngine{write: db, read: db}, nil
}

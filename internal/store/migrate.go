package store

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed migrations/*.sql migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// migrate runs River's migrations and then ours, in the order of their names, each in its own
// transaction together with the note that it was run. What only one engine understands, triggers,
// stands in a file of the same name in its folder and is run with it.
func (s *Store) migrate(ctx context.Context) error {
	if err := s.engine.migrateJobs(ctx); err != nil {
		return fmt.Errorf("migrate jobs: %w", err)
	}
	err := s.update(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `create table if not exists migration (name text primary key, sha256 text not null, applied bigint not null)`)
		return err
	})
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	ours := map[string]bool{}
	for _, path := range names {
		name := strings.TrimSuffix(strings.TrimPrefix(path, "migrations/"), ".sql")
		ours[name] = true
		text, err := migrations.ReadFile(path)
		if err != nil {
			return fmt.Errorf("migrate %s: %w", name, err)
		}
		own, err := migrations.ReadFile("migrations/" + s.engine.name() + "/" + name + ".sql")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("migrate %s: %w", name, err)
		}
		if err := s.apply(ctx, name, string(text)+string(own)); err != nil {
			return fmt.Errorf("migrate %s: %w", name, err)
		}
	}
	return s.view(ctx, func(t *tx) error { // a newer Senim was here: its rows may mean what we do not know
		applied, err := list(ctx, t, value[string], `select name from migration order by name`)
		for _, name := range applied {
			if !ours[name] {
				return fmt.Errorf("migrate: the database has %s, which this program does not know: it is of a newer version", name)
			}
		}
		return err
	})
}

func (s *Store) apply(ctx context.Context, name, text string) error {
	sum := sha256.Sum256([]byte(text))
	hash := hex.EncodeToString(sum[:])
	return s.update(ctx, func(t *tx) error {
		had, err := one(ctx, t, errNoRow, value[string], `select sha256 from migration where name = $1`, name)
		switch {
		case err == nil && had == hash:
			return nil
		case err == nil:
			return errors.New("was changed after it had been applied to this database; add a new one instead")
		case !errors.Is(err, errNoRow):
			return err
		}
		if _, err := t.exec(ctx, text); err != nil {
			return err
		}
		_, err = t.exec(ctx, `insert into migration (name, sha256, applied) values ($1, $2, $3)`, name, hash, ms(t.now()))
		return err
	})
}

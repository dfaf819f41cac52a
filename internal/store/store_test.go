package store_test

import (
	"context"
	"path/filepath"
	"testing"

	"senim/internal/store"
	"senim/internal/store/storetest"
)

func TestSQLite(t *testing.T) { storetest.Run(t, storetest.SQLite) }

func TestPostgres(t *testing.T) { storetest.Run(t, storetest.Postgres) }

// engines runs a test on the URL of a new, empty database of each engine.
func engines(t *testing.T, f func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, filepath.Join(t.TempDir(), "senim.db")) })
	t.Run("postgres", func(t *testing.T) { f(t, storetest.PostgresURL(t)) })
}

func open(t *testing.T, c store.Config) *store.Store { return storetest.Open(t, c) }

// Two nodes start at the same moment on an empty database.
func TestOpenTogether(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		errs := make(chan error, 4)
		for range cap(errs) {
			go func() {
				s, err := store.Open(context.Background(), store.Config{URL: url, Node: "n"})
				if err == nil {
					err = s.Close()
				}
				errs <- err
			}()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestOpenRefusesAnotherKey(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		key := make([]byte, 32)
		s := open(t, store.Config{URL: url, Key: key})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for name, other := range map[string][]byte{"another": append(make([]byte, 31), 1), "none": nil, "short": make([]byte, 16)} {
			if s, err := store.Open(t.Context(), store.Config{URL: url, Key: other}); err == nil {
				t.Errorf("%s key: opened", name)
				_ = s.Close()
			}
		}
		if h := open(t, store.Config{URL: url, Key: key}).Hash("123456789011"); len(h) != 18 || h[:2] != "h:" {
			t.Errorf("hash %q", h)
		}
	})
}

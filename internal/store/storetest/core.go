package storetest

import (
	"testing"

	"senim/internal/store"
)

// Core has the cases of what all domains share: letters, audit, jobs.
func Core(t *testing.T, s *store.Store) {}

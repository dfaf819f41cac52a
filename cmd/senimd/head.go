package main

import (
	"context"
	"strconv"

	"senim/internal/registry"
)

// headChanged follows a change of head that a load of the registry brought.
func (s *server) headChanged(ctx context.Context, e registry.HeadChanged) error {
	return s.office.HeadChanged(ctx, string(e.BIN), strconv.FormatInt(e.Load, 10))
}

// entityEnded follows the end of an organisation.
func (s *server) entityEnded(ctx context.Context, e registry.EntityEnded) error {
	return s.office.EntityEnded(ctx, string(e.BIN), strconv.FormatInt(e.Load, 10))
}

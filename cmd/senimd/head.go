package main

import (
	"context"
	"errors"
	"strconv"

	"senim/internal/participant"
	"senim/internal/registry"
)

// headChanged follows a change of head that a load of the registry brought. One load may bring two: a head who leaves,
// and later another who comes.
func (s *server) headChanged(ctx context.Context, e registry.HeadChanged) error {
	return s.office.HeadChanged(ctx, string(e.BIN), strconv.FormatInt(e.Load, 10)+" "+string(e.AppointedOn))
}

// headRegistered follows a change of head that the portal saw first: a state service named the new head, and no load
// has yet.
func (s *server) headRegistered(ctx context.Context, e participant.HeadChanged) error {
	bin, err := s.participants.CompanyOf(ctx, e)
	if err != nil {
		return err
	}
	return s.office.HeadChanged(ctx, bin, "registration "+e.Registration)
}

// entityEnded follows the end of an organisation: at the cabinet nobody acts for it any more, at the portal its head
// and users are told.
func (s *server) entityEnded(ctx context.Context, e registry.EntityEnded) error {
	return errors.Join(s.office.EntityEnded(ctx, string(e.BIN), strconv.FormatInt(e.Load, 10)), s.participants.EntityEnded(ctx, e.BIN, e.Load))
}

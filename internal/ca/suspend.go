package ca

import (
	"errors"
	"fmt"
)

// ErrSuspended says that the authority does nothing until it is reconciled: its records are older than
// what it has published.
var ErrSuspended = errors.New("the authority is suspended")

// Suspend stops everything that would rest on the records: issuing, revoking, lists, OCSP answers,
// time-stamps. It stays until [Service.Reconcile] or the end of the process.
func (s *Service) Suspend(why string) { s.suspended.Store(&why) }

// Suspended says why the authority does nothing, or "".
func (s *Service) Suspended() string {
	if why := s.suspended.Load(); why != nil {
		return *why
	}
	return ""
}

// running is nil unless the authority is suspended.
func (s *Service) running() error {
	if why := s.Suspended(); why != "" {
		return fmt.Errorf("%w: %s", ErrSuspended, why)
	}
	return nil
}

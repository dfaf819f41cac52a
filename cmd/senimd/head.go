package main

import (
	"context"
	"errors"
	"strconv"

	"senim/internal/notice"
	"senim/internal/ra"
	"senim/internal/registry"
)

// headChanged tells the new head of a company, when he has an address with us, that keys of the
// previous head still work (N-23). Which they are, and revoking them, is in the cabinet.
func (s *server) headChanged(ctx context.Context, e registry.HeadChanged) error {
	answer := s.book.Head(ctx, e.BIN, s.now())
	if answer.Verdict != registry.Good {
		return nil // changed again meanwhile; that change has its own job
	}
	head := string(answer.Value.Leader.IIN)
	keys, err := s.office.PreviousHead(ctx, ra.Viewer{IIN: head, BIN: string(e.BIN)})
	if err != nil || len(keys) == 0 {
		return err
	}
	account, err := s.office.Account(ctx, head)
	if errors.Is(err, ra.ErrNotFound) || err == nil && account.Confirmed() == "" {
		return nil
	}
	if err != nil {
		return err
	}
	return s.store.RA().Update(ctx, func(tx ra.Tx) error {
		return tx.Notify(ctx, notice.Message{N: "N-23", To: account.Confirmed(), Lang: account.Lang,
			Key:  notice.Key("N-23", string(e.BIN), strconv.FormatInt(e.Load, 10), account.Confirmed()),
			Vars: map[string]string{"n": strconv.Itoa(len(keys)), "link": s.c.cabinet.origin + "/keys"}})
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/ca"
	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/ra"
	"senim/internal/registry"
	"senim/internal/trust"
)

// issued shows the registration authority what the certification authority has issued, and carries
// its orders and revocations there. In one process it is a call; the interfaces are the same when
// the two sit on different machines.
type issued struct{ ca authority }

func (i issued) Key(ctx context.Context, serial string) (ra.Key, error) {
	info, err := i.ca.Certificate(ctx, serial)
	if errors.Is(err, ca.ErrNotFound) {
		return ra.Key{}, ra.ErrNoKey
	}
	if err != nil {
		return ra.Key{}, err
	}
	return key(*info), nil
}

func (i issued) Of(ctx context.Context, iin string) ([]ra.Key, error) { return i.list(ctx, iin, "") }

func (i issued) OfCompany(ctx context.Context, bin string) ([]ra.Key, error) {
	return i.list(ctx, "", bin)
}

// Ending walks what ends in a time and is not revoked.
func (i issued) Ending(ctx context.Context, from, to time.Time, f func(ra.Key) error) error {
	return i.ca.Expiring(ctx, from, to, func(info ca.Info) error { return f(key(info)) })
}

func (i issued) list(ctx context.Context, iin, bin string) ([]ra.Key, error) {
	infos, err := i.ca.ByHolder(ctx, iin, bin)
	if err != nil {
		return nil, err
	}
	keys := make([]ra.Key, len(infos))
	for n, info := range infos {
		keys[n] = key(info)
	}
	slices.SortStableFunc(keys, func(a, b ra.Key) int { return b.NotAfter.Compare(a.NotAfter) })
	return keys, nil
}

func key(i ca.Info) ra.Key {
	k := ra.Key{Serial: i.Serial, Profile: i.Profile, Order: i.Order, IIN: i.IIN, BIN: i.BIN, NotBefore: i.NotBefore, NotAfter: i.NotAfter,
		ReplacedBy: i.ReplacedBy, Raw: i.Raw}
	if i.Revoked != nil {
		k.RevokedAt, k.Reason = i.Revoked.At, trust.ReasonName(int(i.Revoked.Reason))
	}
	return k
}

func (i issued) Issue(ctx context.Context, o ra.Order) (ra.Certificate, error) {
	c, err := i.ca.Issue(ctx, ca.Order{ID: o.ID, Profile: o.Profile, CSR: o.CSR, Storage: o.Storage, Replaces: o.Replaces, By: o.By, Identity: o.Identity,
		Subject: ca.Subject{CommonName: o.Subject.CommonName, Surname: o.Subject.Surname, Patronymic: o.Subject.Patronymic,
			IIN: o.Subject.IIN, Organization: o.Subject.Organization, BIN: o.Subject.BIN, Email: o.Email}})
	if refused, ok := errors.AsType[*ca.Refusal](err); ok {
		return ra.Certificate{}, &ra.Refusal{Code: refused.Code, Err: err}
	}
	if errors.Is(err, ca.ErrClosed) || errors.Is(err, ca.ErrOtherOrder) {
		return ra.Certificate{}, &ra.Refusal{Code: "ORDER_CLOSED", Err: err}
	}
	if err != nil {
		return ra.Certificate{}, err
	}
	return ra.Certificate{Serial: c.Serial, DER: c.Raw, NotBefore: c.NotBefore, NotAfter: c.NotAfter}, nil
}

func (i issued) Revoke(ctx context.Context, serial, reason string, invalidity time.Time, by string) (time.Time, error) {
	for _, r := range []ca.Reason{ca.Unspecified, ca.KeyCompromise, ca.AffiliationChanged, ca.Superseded, ca.CessationOfOperation, ca.CertificateHold} {
		if trust.ReasonName(int(r)) == reason {
			done, err := i.ca.Revoke(ctx, serial, r, by, invalidity)
			if err != nil {
				return time.Time{}, err
			}
			return done.At, nil
		}
	}
	return time.Time{}, fmt.Errorf("revoke: no reason %q", reason)
}

// askedBy is the registry for a person who asks.
func askedBy(r participant.Registry, by ident.IIN) participant.Registry {
	if b, ok := r.(*registry.Book); ok {
		return b.By(by)
	}
	return r
}

// people answers the registration authority about persons from the registry.
type people struct{ book *registry.Book }

func (p people) Person(ctx context.Context, by string, iin ident.IIN) ra.PersonAnswer {
	a := p.book.By(ident.IIN(by)).Person(ctx, iin)
	out := ra.PersonAnswer{Verdict: trust.Verdict(a.Verdict), Code: a.Code, AsOf: a.AsOf, Source: a.Source, Load: a.LoadID}
	if a.Verdict == registry.Good {
		out.Surname, out.Name, out.Patronymic, out.Nonresident = a.Value.Surname, a.Value.Name, a.Value.Patronymic, a.Value.Nonresident
	}
	return out
}

func (p people) Phone(ctx context.Context, by string, iin ident.IIN) ra.PhoneAnswer {
	a := p.book.By(ident.IIN(by)).Phone(ctx, iin)
	out := ra.PhoneAnswer{Verdict: trust.Verdict(a.Verdict), Code: a.Code}
	if a.Verdict == registry.Good {
		out.Phone = a.Value.Phone
	}
	return out
}

// heads answers the registration authority from the registry.
type heads struct {
	book *registry.Book
	now  func() time.Time
}

func (h heads) Head(ctx context.Context, by string, bin ident.BIN) ra.HeadAnswer {
	return headAnswer(h.book.By(ident.IIN(by)).Head(ctx, bin, h.now()))
}

// counted answers from the loads.
type counted struct {
	heads
	people
}

func headAnswer(a registry.Answer[registry.Head]) ra.HeadAnswer {
	out := ra.HeadAnswer{Verdict: trust.Verdict(a.Verdict), Code: a.Code, AsOf: a.AsOf, Source: a.Source, Load: a.LoadID}
	if a.Verdict == registry.Good {
		out.IIN, out.Organization = string(a.Value.Leader.IIN), a.Value.Entity.NameRU
		out.Appointed = string(a.Value.Leader.AppointedOn)
	}
	if since, err := time.Parse(time.RFC3339, a.Detail["t"]); err == nil {
		out.Since = since
	}
	return out
}

package oidc

import (
	"context"
	"errors"

	"github.com/ory/fosite"

	"senim/internal/relying"
)

// spent is what one request to the token endpoint took out of the table before it was decided: the challenge of its
// code. The library takes it before it looks at the verifier, so that nobody tries twice.
type spent struct {
	code      string
	challenge relying.Token
}

type spentKey struct{}

// spending gives a request a place for what it takes.
func spending(ctx context.Context) (context.Context, *spent) {
	s := &spent{}
	return context.WithValue(ctx, spentKey{}, s), s
}

// spend drops a code's challenge, and notes it.
func (s *storage) spend(ctx context.Context, code string) error {
	if taken, ok := ctx.Value(spentKey{}).(*spent); ok {
		t, err := s.p.keeper.Find(ctx, relying.Challenge, code)
		if err != nil {
			return err
		}
		*taken = spent{code, t}
	}
	return s.p.keeper.Drop(ctx, relying.Challenge, code)
}

// unspend puts the challenge back when nothing was given and the verifier was right: the code may be shown again.
func (p *Provider) unspend(ctx context.Context, taken *spent, why error) error {
	if taken.code == "" || !errors.Is(why, fosite.ErrTemporarilyUnavailable) {
		return why
	}
	if err := p.keeper.Put(context.WithoutCancel(ctx), taken.code, taken.challenge); err != nil {
		return errors.Join(why, err)
	}
	return why
}

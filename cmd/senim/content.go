package main

import (
	"context"
	"errors"
	"io"

	"senim/cms"
)

// overContent verifies a message over the content beside it, which is read once and may have any
// size, or over the content inside when none is given. See unreadable for its errors.
func (c *verify) overContent(ctx context.Context, p *program, sd *cms.SignedData) ([]cms.Verified, error) {
	if c.Content == "" {
		return sd.VerifyReader(nil)
	}
	content, err := p.stream(ctx, c.Content)
	if err != nil {
		return nil, &unread{err}
	}
	defer content.Close()
	return sd.VerifyReader(io.Reader(content))
}

// unreadable tells a content that could not be read from a signature that does not hold.
func unreadable(err error) bool {
	_, yes := errors.AsType[*unread](err)
	return yes
}

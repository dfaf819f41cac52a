package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"senim/internal/lang"
	"senim/internal/notice"
	"senim/pki"
)

// Account is where a person reads letters.
type Account struct {
	Address string // confirmed; "" when there is none
	Lang    lang.Tag
}

// Accounts knows them by IIN; one that is not known is the zero Account.
type Accounts interface {
	LetterAccount(ctx context.Context, iin string) (Account, error)
}

// LettersConfig is what [Letters] needs.
type LettersConfig struct {
	Store    Store
	Accounts Accounts
	// Link leads to the holder's keys, where he can revoke them.
	Link string
	Log  *slog.Logger // nil discards
	// Poll is how often it is asked what is new; zero is half a second.
	Poll time.Duration
}

// Letters writes to the holder of every certificate issued (N-28): to the confirmed address of his account. The one in
// the certificate was typed by whoever asked, and a slip of the hand would tell a stranger of the person and his
// organisation (I6). What asked for the certificate does not matter, a letter comes from the record of its issue.
type Letters struct{ c LettersConfig }

// lettersFeed is the name of the letters' cursors.
const lettersFeed = "letters"

// OpenLetters opens them. The first time in an installation they begin with what is issued from now on:
// nobody is written to about certificates he has had for years.
func OpenLetters(ctx context.Context, c LettersConfig) (*Letters, error) {
	if c.Store == nil || c.Accounts == nil {
		return nil, errors.New("open letters of issue: a part is missing")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Poll == 0 {
		c.Poll = 500 * time.Millisecond
	}
	err := c.Store.Update(ctx, func(tx Tx) error {
		begun, err := tx.Begun(ctx, lettersFeed)
		if err != nil || begun {
			return err
		}
		nodes, err := tx.Nodes(ctx)
		if err != nil {
			return err
		}
		for _, node := range nodes {
			tail, err := tx.Tail(ctx, node)
			if err != nil {
				return err
			}
			if err := tx.SetCursor(ctx, lettersFeed, node, tail); err != nil {
				return err
			}
		}
		return tx.SetCursor(ctx, lettersFeed, "", 0) // no node's: it says that we began, even with nothing
	})
	if err != nil {
		return nil, fmt.Errorf("open letters of issue: %w", err)
	}
	return &Letters{c}, nil
}

// Run follows what is issued until ctx ends. Trouble does not end it: it is reported, and tried again.
func (l *Letters) Run(ctx context.Context) error {
	last := ""
	for ctx.Err() == nil {
		node, err := l.step(ctx, last)
		pause := l.c.Poll
		switch {
		case err == nil && node != "":
			last, pause = node, 0
		case errors.Is(err, errMoved):
			pause = 0
		case err != nil && ctx.Err() == nil:
			l.c.Log.ErrorContext(ctx, "letters about certificates issued stand still", "error", err)
			pause = 10 * l.c.Poll
		}
		if !wait(ctx, pause) {
			break
		}
	}
	return nil
}

// step writes the letters about the next certificates, and returns the node they are of.
func (l *Letters) step(ctx context.Context, last string) (string, error) {
	b, err := next(ctx, l.c.Store, lettersFeed, last)
	if err != nil {
		return "", err
	}
	if b.last == b.after {
		return "", nil
	}
	var all []notice.Message
	for _, i := range b.issued {
		some, err := l.write(ctx, i)
		if err != nil {
			return "", fmt.Errorf("record %d of node %s: %w", i.Seq, i.Node, err)
		}
		all = append(all, some...)
	}
	err = l.c.Store.Update(ctx, func(tx Tx) error {
		for _, m := range all {
			if err := tx.Notify(ctx, m); err != nil {
				return err
			}
		}
		return b.advance(ctx, tx, lettersFeed)
	})
	return b.node, err
}

// write makes the letters about one certificate.
func (l *Letters) write(ctx context.Context, i Issued) ([]notice.Message, error) {
	c, err := pki.ParseCertificate(i.Raw)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", i.Serial, err)
	}
	var a Account
	if i.IIN != "" {
		if a, err = l.c.Accounts.LetterAccount(ctx, i.IIN); err != nil {
			return nil, fmt.Errorf("account of the holder of %s: %w", i.Serial, err)
		}
	}
	h := c.Holder()
	if a.Address == "" {
		l.c.Log.WarnContext(ctx, "nobody to write to about a certificate issued", "serial", i.Serial)
		return nil, nil
	}
	m := notice.Message{N: "N-28", To: a.Address, Lang: a.Lang, Key: notice.Key("N-28", i.Serial, "", a.Address),
		Vars: map[string]string{"serial4": i.Serial[max(0, len(i.Serial)-4):], "kind": kind(h), "from": notice.Day(c.NotBefore), "to": notice.Day(c.NotAfter), "link": l.c.Link}}
	if h.Organization != "" {
		m.N, m.Vars["org"] = "N-28.org", h.Organization
	}
	return []notice.Message{m}, nil
}

// kind is what the certificate is, as a key of the catalogue: the reader's language is not known here.
func kind(h pki.Holder) string {
	for n := len(h.Roles) - 1; n >= 0; n-- {
		if key := "web.role." + h.Roles[n].String(); lang.Has(key) {
			return "@" + key
		}
	}
	return "@notice.kind"
}

package audit

import (
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"
)

// Stamper gives time-stamps: the DER of an RFC 3161 token over a SHA-256 digest.
type Stamper interface {
	Stamp(ctx context.Context, digest []byte) (token []byte, err error)
}

// Chain is where a node's records and checkpoints are kept.
type Chain interface {
	// AuditRecords reads up to limit records with numbers greater than after, in order.
	AuditRecords(ctx context.Context, node string, after int64, limit int) ([]Record, error)
	// LastCheckpoint is the newest one, or the zero Statement.
	LastCheckpoint(ctx context.Context, node string) (Statement, error)
	AddCheckpoint(ctx context.Context, s Statement) error
}

// KeeperConfig is what a [Keeper] works with. Chain, Node, Key, Rand and Now are required.
type KeeperConfig struct {
	Chain Chain
	Node  string
	// Key signs the checkpoints, and nothing else.
	Key  crypto.Signer
	Rand io.Reader
	Now  func() time.Time
	// Stamper is nil where there is no time-stamping authority: checkpoints then say they carry none.
	Stamper Stamper
	// Told hears of a time-stamp that could not be had; nil means nobody.
	Told func(error)
	// Every is how old a checkpoint may be while new records stand after it. Default: a minute.
	Every time.Duration
	// Records is how many new records call for a checkpoint at once. Default: 1000.
	Records int
}

// Keeper makes the checkpoints of one node. Use it from one goroutine.
type Keeper struct {
	c      KeeperConfig
	signer *signer
}

// NewKeeper checks its configuration.
func NewKeeper(c KeeperConfig) (*Keeper, error) {
	if c.Chain == nil || c.Node == "" || c.Key == nil || c.Rand == nil || c.Now == nil {
		return nil, errors.New("audit keeper: chain, node, key, randomness or clock is missing")
	}
	if c.Every <= 0 {
		c.Every = time.Minute
	}
	if c.Records <= 0 {
		c.Records = 1000
	}
	s, err := newSigner(c.Key, c.Rand)
	if err != nil {
		return nil, err
	}
	return &Keeper{c, s}, nil
}

// Keep makes the checkpoints that are due, with now also over records too new to be due, and returns
// how many. Only records since the last checkpoint are read, and they must follow it: a [*BrokenError]
// or [*CheckpointError] means that somebody changed what was recorded, and nothing is signed over it.
func (k *Keeper) Keep(ctx context.Context, now bool) (made int, err error) {
	for {
		again, err := k.keep(ctx, now)
		if err != nil {
			return made, fmt.Errorf("audit checkpoint: %w", err)
		}
		if !again {
			return made, nil
		}
		made++
	}
}

func (k *Keeper) keep(ctx context.Context, now bool) (bool, error) {
	last, err := k.c.Chain.LastCheckpoint(ctx, k.c.Node)
	if err != nil {
		return false, err
	}
	last.Node = k.c.Node
	if last.Number > 0 {
		if _, err := k.signer.Open(last.Note); err != nil {
			return false, &CheckpointError{k.c.Node, last.Number, err.Error()}
		}
	}
	records, err := k.c.Chain.AuditRecords(ctx, k.c.Node, max(last.Size-1, 0), k.c.Records+1)
	if err != nil {
		return false, err
	}
	if last.Size > 0 {
		switch {
		case len(records) == 0 || records[0].Seq != last.Size:
			return false, &BrokenError{k.c.Node, last.Size, "it is missing, and a checkpoint was signed over it"}
		case records[0].Hash != last.Head:
			return false, &BrokenError{k.c.Node, last.Size, "it is not the one a checkpoint was signed over"}
		}
		records = records[1:]
	}
	records = records[:min(len(records), k.c.Records)]
	at := k.c.Now().UTC().Truncate(time.Millisecond)
	if len(records) == 0 || (len(records) < k.c.Records && !now && at.Sub(last.At) < k.c.Every) {
		return false, nil
	}
	t, err := After(last, nil)
	if err != nil {
		return false, err
	}
	for _, r := range records {
		if err := t.Add(r); err != nil {
			return false, err
		}
	}
	s, err := k.state(ctx, t, at)
	if err != nil {
		return false, err
	}
	return true, k.c.Chain.AddCheckpoint(ctx, s)
}

// state signs what the trail has come to.
func (k *Keeper) state(ctx context.Context, t *Trail, at time.Time) (Statement, error) {
	root, err := rootOf(t.tree)
	if err != nil {
		return Statement{}, err
	}
	c := Checkpoint{Node: t.node, Number: t.point.Number + 1, Size: t.last.Seq, Root: root, Head: t.last.Hash, At: at, Stamped: k.c.Stamper != nil}
	if t.point.Number > 0 {
		c.Previous = t.point.Digest()
	}
	s, err := k.signer.statement(c)
	if err == nil && c.Stamped {
		digest := sha256.Sum256(s.Note)
		if s.Token, err = k.c.Stamper.Stamp(ctx, digest[:]); err != nil || len(s.Token) == 0 {
			if k.c.Told != nil {
				k.c.Told(fmt.Errorf("time-stamp of audit checkpoint %d: %w", c.Number, err))
			}
			c.Stamped = false // a checkpoint without a time-stamp is better than none, and says so
			s, err = k.signer.statement(c)
		}
	}
	s.Tree = t.tree.Hashes()
	return s, err
}

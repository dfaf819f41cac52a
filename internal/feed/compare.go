package feed

import (
	"context"
	"fmt"
	"time"

	"senim/internal/tlog"
)

// Comparison is what the public log and the database say of each other.
type Comparison struct {
	// Entries is the length of the log, Same how many of them are exactly a certificate issued.
	Entries, Same int64
	// Waiting certificates are issued and not in the log yet; Oldest is when the first of them was.
	Waiting int64
	Oldest  time.Time
	// Different are serials whose entry is not that of the certificate issued; Unknown, serials in the
	// log that no audit record knows; Twice, serials that stand there more than once.
	Different, Unknown, Twice []string
}

// maxNamed bounds each list of a comparison: a log of another installation would fill memory.
const maxNamed = 100

func name(list *[]string, serial string) {
	if len(*list) < maxNamed {
		*list = append(*list, serial)
	}
}

// Compare recomputes the log of a checkpoint and holds it against every certificate the audit says was
// issued. An error says that the log itself is not in order, or that something could not be read.
func Compare(ctx context.Context, s Store, l *tlog.Log, at tlog.Checkpoint) (c Comparison, err error) {
	c.Entries = at.Size
	leaves := map[string][32]byte{}
	err = l.Recompute(at, func(index int64, raw []byte) error {
		e, err := tlog.Parse(raw)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if _, ok := leaves[e.SerialHex()]; ok {
			name(&c.Twice, e.SerialHex())
		}
		leaves[e.SerialHex()] = tlog.Leaf(raw)
		return ctx.Err()
	})
	if err != nil {
		return c, err
	}
	var nodes []string
	if err := s.View(ctx, func(tx Tx) (err error) { nodes, err = tx.Nodes(ctx); return err }); err != nil {
		return c, err
	}
	for _, node := range nodes {
		if err := c.node(ctx, s, node, leaves); err != nil {
			return c, err
		}
	}
	for serial := range leaves {
		name(&c.Unknown, serial)
	}
	return c, nil
}

// node holds the certificates of a chain against their entries, and takes those out.
func (c *Comparison) node(ctx context.Context, s Store, node string, leaves map[string][32]byte) error {
	for after := int64(0); ; {
		var issued []Issued
		var salts map[string][]byte
		last := after
		err := s.View(ctx, func(tx Tx) (err error) {
			if issued, last, err = tx.Issued(ctx, node, after, piece); err != nil {
				return err
			}
			holders := make([]string, len(issued))
			for n, i := range issued {
				holders[n] = i.Holder()
			}
			salts, err = tx.Salts(ctx, holders)
			return err
		})
		if err != nil {
			return err
		}
		if last == after {
			return nil
		}
		after = last
		for _, i := range issued {
			c.one(i, salts[i.Holder()], leaves)
		}
	}
}

func (c *Comparison) one(i Issued, salt []byte, leaves map[string][32]byte) {
	leaf, ok := leaves[i.Serial]
	if !ok {
		if c.Waiting++; c.Oldest.IsZero() || i.At.Before(c.Oldest) {
			c.Oldest = i.At
		}
		return
	}
	delete(leaves, i.Serial)
	if len(salt) == tlog.SaltSize {
		if raw, err := entry(i, tlog.Salt(salt)); err == nil && tlog.Leaf(raw) == leaf {
			c.Same++
			return
		}
	}
	name(&c.Different, i.Serial)
}

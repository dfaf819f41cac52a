// Package feed follows what was issued: it reads the audit chain of every node for certificates issued,
// in order, and has each of them told to whom it concerns, whoever had asked for it.
//
// [Log] puts them into the public log; [Letters] writes to the holder. Each keeps its own place in the
// chain of every node ([Tx.SetCursor]), so issuing carries no extra writes and never waits, and what
// was issued while they did not run is done afterwards.
//
// A record that cannot be followed stops its follower and is reported; nothing is ever skipped.
package feed

import (
	"context"
	"errors"
	"time"

	"senim/internal/audit"
	"senim/internal/notice"
)

// Issued is a certificate issued, by its audit record.
type Issued struct {
	Node string
	Seq  int64
	At   time.Time
	// Actor is who approved it, as the audit knows him.
	Actor            string
	Serial           string
	IIN, BIN         string
	Raw              []byte // DER; empty when the certificate is gone
	CA, Profile, Sum string // Sum is the SHA-256 of the certificate, in hex, as the audit has it
}

// Holder is whose salt hides the certificate: the person's IIN, a system's BIN.
func (i Issued) Holder() string {
	if i.IIN != "" {
		return i.IIN
	}
	return i.BIN
}

// State is the public log as the database knows it.
type State struct {
	// Origin and Key name the log for ever; Secret is its signing key, kept sealed.
	Origin, Key string
	Secret      []byte
	// Writer is who may write until Until.
	Writer string
	Until  time.Time
	// Planned entries have their place; Written ones are known to stand there, under Root.
	Planned, Written int64
	Root             [32]byte
}

// Place is where a certificate stands in the log.
type Place struct {
	Position int64
	Serial   string
	Leaf     [32]byte // the entry's hash
}

// Errors of a store.
var (
	// ErrNotFound: there is no such thing.
	ErrNotFound = errors.New("not found")
	// ErrExists: a place or a serial is taken.
	ErrExists = errors.New("already exists")
)

// Store keeps the places of the followers. Update runs f in one serializable transaction, maybe again.
type Store interface {
	Update(ctx context.Context, f func(Tx) error) error
	View(ctx context.Context, f func(Tx) error) error
}

// Tx is one transaction.
type Tx interface {
	// Nodes lists the nodes that have an audit chain; Tail is the number of a chain's last record.
	Nodes(ctx context.Context) ([]string, error)
	Tail(ctx context.Context, node string) (int64, error)
	// Issued reads at most limit records of a chain after a number; those of certificates issued are
	// returned, and last is the number of the last one read (after, when there is none).
	Issued(ctx context.Context, node string, after int64, limit int) (all []Issued, last int64, err error)
	// Cursor is how far a feed has read a chain, 0 at first; Begun, whether it has any cursor.
	Cursor(ctx context.Context, feed, node string) (int64, error)
	SetCursor(ctx context.Context, feed, node string, seq int64) error
	Begun(ctx context.Context, feed string) (bool, error)

	// State reads the log's row; ErrNotFound before the first.
	State(ctx context.Context) (State, error)
	// SaveState writes the log's row; the keys and the origin of one that is there stay.
	SaveState(ctx context.Context, s State) error
	// Salts reads the salts of holders (IIN or BIN), as many as there are; AddSalt keeps a new one and
	// answers ErrExists when the holder has one.
	Salts(ctx context.Context, holders []string) (map[string][]byte, error)
	AddSalt(ctx context.Context, holder string, salt []byte) error
	// AddPlaces keeps places; ErrExists when one of them or a serial is taken.
	AddPlaces(ctx context.Context, all []Place) error
	// Place finds a serial's place; ErrNotFound when it has none. Places lists them from a position on.
	Place(ctx context.Context, serial string) (Place, error)
	Places(ctx context.Context, from int64, limit int) ([]Place, error)
	// Placed tells which of the serials have a place.
	Placed(ctx context.Context, serials []string) (map[string]bool, error)
	// Certificate reads a certificate that was issued; ErrNotFound.
	Certificate(ctx context.Context, serial string) (Issued, error)

	Notify(ctx context.Context, m notice.Message) error
	Audit(ctx context.Context, e audit.Event) error
}

// piece is how many audit records are read at a time.
const piece = 4096

// batch is the next of what was issued, of one node.
type batch struct {
	node        string
	after, last int64
	issued      []Issued
}

// next reads on in the chain of the first node that has something new, beginning with the one behind
// last, so that a busy node does not keep the others waiting.
func next(ctx context.Context, s Store, feed, last string) (b batch, err error) {
	err = s.View(ctx, func(tx Tx) error {
		nodes, err := tx.Nodes(ctx)
		if err != nil {
			return err
		}
		turn := 0
		for turn < len(nodes) && nodes[turn] <= last {
			turn++
		}
		for _, node := range append(nodes[turn:len(nodes):len(nodes)], nodes[:turn]...) {
			after, err := tx.Cursor(ctx, feed, node)
			if err != nil {
				return err
			}
			issued, last, err := tx.Issued(ctx, node, after, piece)
			if err != nil {
				return err
			}
			if last > after {
				b = batch{node, after, last, issued}
				return nil
			}
		}
		b = batch{}
		return nil
	})
	return b, err
}

// errMoved says that another follower of the same feed was faster.
var errMoved = errors.New("the cursor has moved")

// advance moves the cursor over a batch, in its transaction.
func (b batch) advance(ctx context.Context, tx Tx, feed string) error {
	now, err := tx.Cursor(ctx, feed, b.node)
	if err != nil {
		return err
	}
	if now != b.after {
		return errMoved
	}
	return tx.SetCursor(ctx, feed, b.node, b.last)
}

// wait sleeps, or ends early with ctx.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

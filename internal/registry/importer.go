package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"senim/internal/audit"
	"senim/internal/batchfile"
	"senim/internal/ident"
	"senim/internal/trust"
)

// ImportConfig is what an [Importer] needs.
type ImportConfig struct {
	Book *Book
	// Judge decides about signers' certificates. Required.
	Judge Judge
	// Signers are the keys that may sign manifests; none: batches come by hand only.
	Signers []Signer
	Guard   Guard
	// Bounds limit a batch; the zero value is the usual bounds.
	Bounds batchfile.Bounds
	// Keep keeps the files of batches; nil keeps none.
	Keep Keeper
	// Node names this process among those that share the store.
	Node string
	Log  *slog.Logger
}

// Keeper keeps the files of a batch as they are read.
type Keeper interface {
	// Keep gives the files to read, which are kept under a name when done is told so.
	Keep(name string, files fs.FS) (copied fs.FS, done func(keep bool) error, err error)
}

// Importer takes in batches of files. It is safe for concurrent use; of several with one store each batch
// is worked at by one, and one process works at one batch.
type Importer struct {
	c       ImportConfig
	signers map[Signer]bool
	store   Store
	one     sync.Mutex // a batch at a time
}

// NewImporter checks the configuration.
func NewImporter(c ImportConfig) (*Importer, error) {
	if c.Book == nil || c.Judge == nil || c.Node == "" {
		return nil, errors.New("new importer: book, judge and node are required")
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	m := &Importer{c: c, signers: map[Signer]bool{}, store: c.Book.c.Store}
	for _, s := range c.Signers {
		m.signers[s] = true
	}
	return m, nil
}

// Receipt says how a batch came.
type Receipt struct {
	// ByHand is the operator who gives it by hand, and so answers for it: it needs no signature. Nil: the
	// manifest must be signed.
	ByHand *Clerk
}

// lease is how long a node may be silent about a batch before another takes it over.
const lease = 10 * time.Minute

// ErrBusy says that another batch is being taken in: try again.
var ErrBusy = errors.New("another batch is being taken in")

// Receive reads a batch, stages it and, unless it must wait, brings it into force. Its errors are
// *[ImportRefusal], with the Import as it is kept; [ErrLoaded], when the same manifest is in force or was;
// [ErrBusy]; or a failure, after which the same batch may be given again.
func (m *Importer) Receive(ctx context.Context, files fs.FS, r Receipt) (Import, error) {
	if !m.one.TryLock() {
		return Import{}, ErrBusy
	}
	defer m.one.Unlock()
	now := m.now()
	i := Import{Received: now, Operator: "system", State: Staging, Rows: map[Area]int64{}, Out: map[string]int64{}}
	b, err := batchfile.Open(files, m.c.Bounds)
	if err != nil {
		return m.turnAway(ctx, i, r, err)
	}
	i.Source, i.Full, i.AsOf, i.Previous, i.SHA256 = b.Source, b.Full, b.AsOf, b.Previous, b.SHA256()
	i.Manifest, i.Signature = b.Raw, b.Signature
	for _, f := range b.Files {
		i.Files = append(i.Files, ImportFile(f))
	}
	if !allowed(b) {
		return m.turnAway(ctx, i, r, &ImportRefusal{Code: LoadSource})
	}
	if i.AsOf.After(now) {
		return m.turnAway(ctx, i, r, &ImportRefusal{Code: LoadFuture})
	}
	if r.ByHand == nil {
		serial, verdict, code, evidence := m.verify(ctx, b.Raw, b.Signature)
		i.Signer = serial
		if verdict == trust.Bad {
			i.Detail = evidence
			return m.turnAway(ctx, i, r, &ImportRefusal{Code: code})
		}
	}
	if i, err = m.begin(ctx, i, r); err != nil {
		if refusal, ok := errors.AsType[*ImportRefusal](err); ok && refusal.Code != LoadLoaded {
			return m.turnAway(ctx, i, r, err)
		}
		return i, err
	}
	done := func(bool) error { return nil }
	if m.c.Keep != nil {
		if files, done, err = m.c.Keep.Keep(strconv.FormatInt(i.ID, 10), files); err != nil {
			return i, errors.Join(err, m.end(ctx, i.ID, LoadInterrupted, nil))
		}
		if b, err = batchfile.Open(files, m.c.Bounds); err != nil || b.SHA256() != i.SHA256 {
			return i, errors.Join(&ImportRefusal{Code: batchfile.CodeChanged}, err, done(false), m.end(ctx, i.ID, batchfile.CodeChanged, nil))
		}
	}
	if i, err = m.stage(ctx, i, b); err == nil && r.ByHand != nil {
		err = m.notParty(ctx, i, r.ByHand.IIN)
	}
	if err != nil {
		code, detail := codeOf(err)
		if refused := m.end(context.WithoutCancel(ctx), i.ID, code, detail); refused != nil {
			return i, errors.Join(err, refused, done(false))
		}
		i.State, i.Code = Refused, code
		if code != LoadInterrupted {
			err = &ImportRefusal{Code: code, Err: err}
		}
		return i, errors.Join(err, done(false))
	}
	if err := done(true); err != nil {
		return i, errors.Join(err, m.end(ctx, i.ID, LoadInterrupted, nil))
	}
	return m.goOn(ctx, i.ID)
}

// notParty refuses a batch that changes the head who its operator is, or makes him one.
func (m *Importer) notParty(ctx context.Context, i Import, iin ident.IIN) error {
	return m.store.View(ctx, func(tx Tx) error {
		if party, err := tx.PartyTo(ctx, i.Source, iin); err != nil || !party {
			return err
		}
		return &ImportRefusal{Code: LoadParty}
	})
}

func (m *Importer) now() time.Time { return m.c.Book.c.Now() }

// codeOf names what a failed batch is refused with.
func codeOf(err error) (code string, detail map[string]string) {
	if e, ok := errors.AsType[*batchfile.Error](err); ok {
		detail = map[string]string{"file": e.File}
		if e.Column != "" {
			detail["column"] = e.Column
		}
		if e.Line > 0 {
			detail["line"] = strconv.Itoa(e.Line)
		}
		return e.Code, detail
	}
	if r, ok := errors.AsType[*ImportRefusal](err); ok {
		return r.Code, nil
	}
	return LoadInterrupted, nil
}

// begin writes a batch down, in the place of one of its source that waits.
func (m *Importer) begin(ctx context.Context, i Import, r Receipt) (Import, error) {
	err := m.store.Update(ctx, func(tx Tx) error {
		if r.ByHand != nil {
			i.ByHand, i.Operator = true, tx.Hash(string(r.ByHand.IIN))
		}
		if err := m.c.Book.follows(ctx, tx, Batch{Source: i.Source, Full: i.Full, AsOf: i.AsOf, Previous: i.Previous}, i.SHA256); err != nil {
			return refusalOf(err)
		}
		open, err := tx.OpenImports(ctx)
		if err != nil {
			return err
		}
		for _, o := range open {
			if o.Source != i.Source {
				continue
			}
			switch mine, err := tx.ClaimImport(ctx, o.ID, m.c.Node, m.now(), m.now().Add(lease)); {
			case err != nil:
				return err
			case !mine || o.State == Merging || o.State == Released && o.Code == "": // with a code it waits for its signer
				return ErrBusy
			case o.SHA256 == i.SHA256 && o.State != Staging:
				return ErrBusy // it waits already
			case o.AsOf.After(i.AsOf):
				return &ImportRefusal{Code: LoadOlder}
			}
			code := LoadSuperseded
			if o.State == Staging {
				code = LoadInterrupted
			}
			if err := m.refuse(ctx, tx, o, code, nil); err != nil {
				return err
			}
		}
		if i.ID, err = tx.InsertImport(ctx, i); err != nil {
			return err
		}
		if _, err := tx.ClaimImport(ctx, i.ID, m.c.Node, m.now(), m.now().Add(lease)); err != nil {
			return err
		}
		return m.note(ctx, tx, "registry.load.received", i, "ok", nil)
	})
	return i, err
}

// refusalOf turns what the order of loads forbids into a refusal.
func refusalOf(err error) error {
	switch {
	case errors.Is(err, ErrLoaded):
		return &ImportRefusal{LoadLoaded, err}
	case errors.Is(err, ErrGap):
		return &ImportRefusal{LoadGap, err}
	case errors.Is(err, ErrOlder):
		return &ImportRefusal{LoadOlder, err}
	}
	return err
}

// turnAway keeps that a batch was refused before anything of it was taken.
func (m *Importer) turnAway(ctx context.Context, i Import, r Receipt, why error) (Import, error) {
	code, detail := codeOf(why)
	if code == LoadInterrupted {
		return i, why
	}
	maps.Copy(orNew(&i.Detail), detail)
	err := m.store.Update(ctx, func(tx Tx) (err error) {
		if r.ByHand != nil {
			i.ByHand, i.Operator = true, tx.Hash(string(r.ByHand.IIN))
		}
		if i.ID, err = tx.InsertImport(ctx, i); err != nil {
			return err
		}
		return m.refuse(ctx, tx, i, code, i.Detail)
	})
	i.State, i.Code = Refused, code
	if err != nil {
		return i, err
	}
	if refusal, ok := errors.AsType[*ImportRefusal](why); ok {
		return i, refusal
	}
	return i, &ImportRefusal{Code: code, Err: why}
}

func orNew(m *map[string]string) map[string]string {
	if *m == nil {
		*m = map[string]string{}
	}
	return *m
}

// refuse ends a batch within a transaction. The last load stays in force; who looks after the server is told.
func (m *Importer) refuse(ctx context.Context, tx Tx, i Import, code string, detail map[string]string) error {
	i.State, i.Code, i.Detail, i.Ended, i.Manifest, i.Signature = Refused, code, detail, m.now(), nil, nil
	if err := tx.PutImport(ctx, i); err != nil {
		return err
	}
	if code == LoadRejected { // an operator did it
		m.c.Log.Warn("a batch of the registry was rejected: the load before it stays in force", "import", i.ID, "source", i.Source)
	} else {
		m.c.Log.Error("ALERT: a batch of the registry was refused; the load before it stays in force", "import", i.ID, "source", i.Source, "code", code)
	}
	return m.note(ctx, tx, "registry.load.refused", i, code, detail)
}

// end refuses a batch and empties its stage.
func (m *Importer) end(ctx context.Context, id int64, code string, detail map[string]string) error {
	err := m.store.Update(ctx, func(tx Tx) error {
		i, err := tx.Import(ctx, id)
		if err != nil || i.State.Ended() {
			return err
		}
		for _, a := range areas(i) {
			if err := tx.ClearStage(ctx, a); err != nil {
				return err
			}
		}
		return m.refuse(ctx, tx, i, code, detail)
	})
	if err != nil {
		return fmt.Errorf("refuse a batch: %w", err)
	}
	return nil
}

// areas lists what the files of a batch fill.
func areas(i Import) (all []Area) {
	for _, kind := range batchfile.Kinds() {
		if slices.ContainsFunc(i.Files, func(f ImportFile) bool { return batchfile.File(f).Kind() == kind }) {
			all = append(all, areaOf(kind))
			if kind == batchfile.Entities {
				all = append(all, AreaLeader)
			}
		}
	}
	return all
}

// note records what happened to a batch.
func (m *Importer) note(ctx context.Context, tx Tx, action string, i Import, result string, detail map[string]string) error {
	all := map[string]string{"source": i.Source, "sha256": i.SHA256}
	if i.Signer != "" {
		all["signer"] = i.Signer
	}
	maps.Copy(all, detail)
	return tx.Audit(ctx, audit.Event{Action: action, Actor: i.Operator, Object: "import:" + strconv.FormatInt(i.ID, 10), Result: result, Detail: all})
}

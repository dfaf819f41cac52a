package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"senim/internal/audit"
	"senim/internal/batchfile"
)

// KindPull is the job that fetches a source's batch when the calendar expects one; its payload is a [PullJob].
const KindPull = "registry.pull"

// PullJob names the source to be fetched.
type PullJob struct {
	Source string `json:"source"`
}

// Codes of a fetch that brought nothing, beside those batches are refused with.
const (
	PullAbsent      = "LOAD_ABSENT"      // nothing new lies there yet
	PullUnreachable = "LOAD_UNREACHABLE" // the place did not answer, or broke off
)

// Origin is where a source lays its batches.
type Origin interface {
	// Open gives the batch that lies there; fs.ErrNotExist when there is none.
	Open(ctx context.Context) (Offer, error)
}

// Offer is a batch at its origin. Its manifest and signature stay the same however often they are read.
type Offer interface {
	fs.FS
	// Err is what kept files from being read and may pass: the network, not the files.
	Err() error
	Close() error
}

// Pull is how the fetching of a source's batches goes.
type Pull struct {
	Source string
	// Slot is the slot of the calendar that was tried last, Tried when, Tries how often.
	Slot, Tried time.Time
	Tries       int
	// Code says why nothing came; empty when something did.
	Code string
	// Refused is the hash of a manifest that was refused for good: it is not fetched again.
	Refused string
}

// pullTx keeps it.
type pullTx interface {
	// Pull reads it; ErrNotFound.
	Pull(ctx context.Context, source string) (Pull, error)
	PutPull(ctx context.Context, p Pull) error
}

// Puller fetches batches at the calendar's slots and gives them to an [Importer], whose gates are the same for every
// batch. It is safe for concurrent use, by several nodes with one store.
type Puller struct {
	m       *Importer
	origins map[string]Origin
}

// NewPuller fetches for an importer; origins are by source.
func NewPuller(m *Importer, origins map[string]Origin) (*Puller, error) {
	for source := range origins {
		if !slices.Contains(Sources(), source) {
			return nil, fmt.Errorf("fetch batches: %q is no source: it is one of %v", source, Sources())
		}
	}
	return &Puller{m, origins}, nil
}

// Try fetches a source's batch when the newest slot passed without one, nothing of the source is on its way, and the
// last try was long enough ago. A try that brings nothing is no error: it is noted, told of once, and made again.
func (p *Puller) Try(ctx context.Context, source string) error {
	origin := p.origins[source]
	if origin == nil {
		return nil
	}
	state, told, due, err := p.claim(ctx, source)
	if err != nil || !due {
		return err
	}
	before := state.Code
	state, err = p.fetch(ctx, origin, state)
	if ctx.Err() != nil { // the server stops: whoever is next tries at once
		state.Tries, state.Tried, state.Code = state.Tries-1, time.Time{}, before
	}
	return p.told(context.WithoutCancel(ctx), state, told, err)
}

// claim writes a try down before it is made, so that no other node makes it too. told is the trouble that was told of
// for the slot.
func (p *Puller) claim(ctx context.Context, source string) (state Pull, told string, due bool, err error) {
	err = p.m.store.Update(ctx, func(tx Tx) error {
		due = false
		now := p.m.now()
		slot, waits, err := p.m.c.Book.awaited(ctx, tx, source, now)
		if err != nil || !waits {
			return err
		}
		state, err = tx.Pull(ctx, source)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		told = state.Code
		if !state.Slot.Equal(slot) {
			told, state.Source, state.Slot, state.Tries = "", source, slot, 0
		} else if now.Before(state.Tried.Add(pause(state.Tries))) {
			return nil
		}
		state.Tried, due = now, true
		state.Tries++
		return tx.PutPull(ctx, state)
	})
	if err != nil {
		return state, "", false, fmt.Errorf("fetch a batch: %w", err)
	}
	return state, told, due, nil
}

// pause is how long a place is left alone after so many tries for a slot: a minute at first, at most a quarter of an hour.
func pause(tries int) time.Duration {
	return min(time.Minute<<min(max(tries-1, 0), 10), 15*time.Minute)
}

// awaited is the newest slot of a source, and whether its load has not come and is not on its way.
func (b *Book) awaited(ctx context.Context, tx Tx, source string, now time.Time) (slot time.Time, waits bool, err error) {
	calendar, err := b.calendarIn(ctx, tx)
	if err != nil {
		return slot, false, err
	}
	if slot = calendar.Of(source).Last(now); slot.IsZero() {
		return slot, false, nil
	}
	last, err := tx.LastLoad(ctx, source)
	if err != nil && !errors.Is(err, ErrNotFound) || err == nil && !last.Received.Before(slot) {
		return slot, false, err
	}
	open, err := tx.OpenImports(ctx)
	return slot, !slices.ContainsFunc(open, func(i Import) bool { return i.Source == source }), err
}

// fetch makes the try. The error is for the log, when there is more to say than the code.
func (p *Puller) fetch(ctx context.Context, origin Origin, state Pull) (_ Pull, err error) {
	offer, err := origin.Open(ctx)
	if err != nil {
		if state.Code = PullUnreachable; errors.Is(err, fs.ErrNotExist) {
			state.Code, err = PullAbsent, nil
		}
		return state, err
	}
	defer func() { err = errors.Join(err, offer.Close()) }()
	hash := ""
	if b, err := batchfile.Open(offer, p.m.c.Bounds); err == nil {
		hash = b.SHA256()
		if b.Source != state.Source {
			state.Code, state.Refused = LoadSource, hash
			return state, errors.New("the batch is another source's")
		}
		if hash == state.Refused {
			return state, nil // the code that says why stands
		}
	}
	_, err = p.m.Receive(ctx, offer, Receipt{})
	refusal, refused := errors.AsType[*ImportRefusal](err)
	switch {
	case err == nil:
		state.Code, state.Refused = "", ""
	case errors.Is(err, ErrBusy): // another batch: the next try is no later for it
		state.Tries--
		return state, nil
	case offer.Err() != nil:
		state.Code = PullUnreachable
	case refused && refusal.Code == LoadLoaded:
		state.Code, err = PullAbsent, nil
	case refused:
		state.Code = refusal.Code
		if !mayMend(refusal.Code) {
			state.Refused = hash
		}
	default:
		state.Code = LoadInterrupted
	}
	return state, err
}

// mayMend: files that are not those of their manifest may be in the middle of being laid there.
func mayMend(code string) bool {
	return slices.Contains([]string{batchfile.CodeFile, batchfile.CodeChanged, batchfile.CodeManifest, LoadInterrupted}, code)
}

// told writes down what came of a try. Trouble is told of when it begins and when it becomes another.
func (p *Puller) told(ctx context.Context, state Pull, told string, why error) error {
	trouble := state.Code != "" && state.Code != PullAbsent && state.Code != told
	if trouble {
		p.m.c.Log.Error("ALERT: a batch of the registry could not be fetched; the load before it stays in force", "source", state.Source,
			"expected", state.Slot, "code", state.Code, "error", why)
	}
	err := p.m.store.Update(ctx, func(tx Tx) error {
		if err := tx.PutPull(ctx, state); err != nil || !trouble {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "registry.pull.failed", Actor: "system", Object: "source:" + state.Source, Result: state.Code,
			Detail: map[string]string{"expected": state.Slot.UTC().Format(time.RFC3339), "tries": strconv.Itoa(state.Tries)}})
	})
	if err != nil {
		return fmt.Errorf("fetch a batch: %w", err)
	}
	return nil
}

package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"senim/algid"
	"senim/gost"
	"senim/internal/archive"
	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/store"
	"senim/internal/tsa"
	"senim/internal/vault"
	"senim/tsp"
)

const (
	auditKey     = "audit"     // in the vault
	auditKeyFile = "audit.pub" // in the data folder: whoever verifies wants it, from elsewhere
	// auditPulse is how often it is looked whether a checkpoint is due.
	auditPulse = 2 * time.Second
	// drift is how far the clock may be set without a word.
	drift = time.Second
)

// auditChain is a chain of records that is signed and exported.
type auditChain struct {
	keeper  *audit.Keeper
	shipper *archive.Shipper // nil when nothing is exported
}

// keep makes the checkpoints of every chain that are due.
func (a *auditor) keep(ctx context.Context, now bool) error {
	var failed []error
	for _, one := range a.chains {
		_, err := one.keeper.Keep(ctx, now)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// auditor makes the checkpoints of this process and takes them off the machine.
type auditor struct {
	store  *store.Store
	log    *slog.Logger
	now    func() time.Time
	alarm  time.Duration
	config string       // digest
	chains []auditChain // this process's own first, then those of the commands at the console
	ocsp   func() ca.Counts

	work    sync.Mutex // held while checkpoints are made and sent; guards what follows
	started bool
	clock   time.Time // when it was last looked at
	counted ca.Counts // of answers, that are on record
	trouble string    // what was logged last

	mu     sync.Mutex // guards what follows
	broken error      // why there are no checkpoints
}

// openAudit finds the key of the audit, or makes it where nothing was ever signed with one.
func (s *server) openAudit(ctx context.Context) error {
	passphrase, err := s.passphrase()
	if err != nil {
		return err
	}
	keys, err := vault.Open(filepath.Join(s.c.data, "vault"), passphrase)
	if err != nil {
		return err
	}
	key, err := keys.Key(ctx, auditKey)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = s.makeAuditKey(ctx, keys)
	}
	if err != nil {
		return fmt.Errorf("audit key: %w", err)
	}
	public, err := audit.EncodePublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.c.data, auditKeyFile), public, 0o600); err != nil {
		return fmt.Errorf("audit key: %w", err)
	}
	a := &auditor{store: s.store, ocsp: func() ca.Counts { return ca.Counts{} }, log: s.log, now: s.now, alarm: s.c.exportAlarm, config: s.store.Hash(fmt.Sprintf("%+v", s.c))}
	c := audit.KeeperConfig{Chain: s.store, Key: key, Rand: rand.Reader, Now: s.now,
		Told: func(err error) { s.log.Warn("audit", "error", err) }}
	if s.ca != nil {
		a.ocsp, c.Stamper = s.ca.Counts, stamper{s.stamps}
	}
	var sink archive.Sink
	if s.c.export != "" {
		if sink, err = archive.Open(s.c.export); err != nil {
			return err
		}
	}
	nodes, err := s.auditNodes(ctx)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		var one auditChain
		c.Node = node
		if one.keeper, err = audit.NewKeeper(c); err != nil {
			return err
		}
		if sink != nil {
			one.shipper = &archive.Shipper{Source: s.store, Sink: sink, Node: node, Key: public}
		}
		a.chains = append(a.chains, one)
	}
	s.auditor = a
	s.background = append(s.background, a.run)
	return nil
}

// auditNodes are the chains this process signs: its own, that of the commands at this machine's console, and
// those that commands of a restore left, each under a name of its own, since they were at work while the
// console's own may have been among what was put back.
func (s *server) auditNodes(ctx context.Context) ([]string, error) {
	all, err := s.store.AuditNodes(ctx)
	if err != nil {
		return nil, err
	}
	nodes := []string{s.store.Node(), store.ConsoleNode()}
	for _, n := range all {
		if strings.HasPrefix(n, store.ConsoleNode()+"-") {
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

func (s *server) makeAuditKey(ctx context.Context, keys *vault.Vault) (crypto.Signer, error) {
	if s.suspended() {
		return nil, errors.New("it is not in the vault, and the database is an older copy: bring the vault back too")
	}
	last, err := s.store.LastCheckpoint(ctx, s.store.Node())
	if err != nil {
		return nil, err
	}
	if last.Number > 0 {
		return nil, errors.New("it is gone from the vault, and checkpoints were signed with it: bring the vault back from the backup")
	}
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if err := s.store.Record(ctx, audit.Event{Action: "audit.key_made", Actor: "system", Object: hex.EncodeToString(algid.KeyID(key.Public())), Result: "ok"}); err != nil {
		return nil, err
	}
	return key, keys.Keep(ctx, auditKey, key)
}

// start records that the server starts, and that it was not stopped properly before, and signs the
// chain as it stands. A chain that was tampered with starts nothing.
func (a *auditor) start(ctx context.Context) error {
	a.work.Lock()
	defer a.work.Unlock()
	begun, err := a.store.LastAudit(ctx, "server.started")
	if err != nil {
		return err
	}
	ended, err := a.store.LastAudit(ctx, "server.stopped")
	if err != nil {
		return err
	}
	if begun.Seq > ended.Seq {
		a.log.Warn("the server was not stopped properly the last time", "started", begun.At)
		err = a.store.Record(ctx, audit.Event{Action: "server.crashed", Actor: "system", Result: "ok", Detail: map[string]string{"started": fmt.Sprint(begun.Seq)}})
		if err != nil {
			return err
		}
	}
	err = a.store.Record(ctx, audit.Event{Action: "server.started", Actor: "system", Result: "ok",
		Detail: map[string]string{"version": version(), "go": runtime.Version(), "config": a.config}})
	if err != nil {
		return err
	}
	a.started = true
	if err := a.checkClock(ctx, max(begun.At.UnixMilli(), ended.At.UnixMilli())); err != nil {
		return err
	}
	if err := a.keep(ctx, true); err != nil {
		return fmt.Errorf("%w; `senim audit verify` says more", err)
	}
	if a.chains[0].shipper == nil {
		a.log.Warn("the audit is kept on this machine only: -audit.export takes it elsewhere")
	}
	return nil
}

// version is that of the program, with the revision it was built from.
func version() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := b.Main.Version
	for _, s := range b.Settings {
		if s.Key == "vcs.revision" || (s.Key == "vcs.modified" && s.Value == "true") {
			v += " " + s.Key[len("vcs."):] + " " + s.Value
		}
	}
	return v
}

// checkClock records whether the clock stands behind the last record of a run, or was set since it
// was looked at last: the monotonic clock knows. It asks no other clock.
func (a *auditor) checkClock(ctx context.Context, last int64) error {
	now := a.now()
	result, step := "ok", time.Duration(0)
	switch {
	case now.UnixMilli() < last:
		result, step = "behind", time.Duration(last-now.UnixMilli())*time.Millisecond
	case !a.clock.IsZero():
		step = now.Round(0).Sub(a.clock.Round(0)) - now.Sub(a.clock)
		if step.Abs() > drift {
			result = "stepped"
		}
	}
	if result != "ok" {
		a.log.Error("the clock is not steady", "finding", result, "by", step)
	}
	a.clock = now
	return a.store.Record(ctx, audit.Event{Action: "clock.checked", Actor: "system", Result: result, Detail: map[string]string{"ms": fmt.Sprint(step.Milliseconds())}})
}

// stamper time-stamps checkpoints.
type stamper struct{ tsa *tsa.Authority }

// Stamp implements audit.Stamper.
func (s stamper) Stamp(ctx context.Context, digest []byte) ([]byte, error) {
	h := algid.SHA256
	return s.tsa.Stamp(ctx, tsp.Imprint{Hash: h, HashOID: h.OID(), Digest: digest}, nil)
}

// summary records how many answers were given: each in a record of its own would cost more than it
// tells (security.md §4: OCSP answers by sample).
func (a *auditor) summary(ctx context.Context) error {
	now, was := a.ocsp(), a.counted
	answered := now.Kept + now.Good + now.Revoked + now.Never - was.Kept - was.Good - was.Revoked - was.Never
	if answered == 0 {
		return nil
	}
	err := a.store.Record(ctx, audit.Event{Action: "ocsp.answered", Actor: "system", Result: "ok", Detail: map[string]string{
		"count": fmt.Sprint(answered), "signed": fmt.Sprint(now.Signed - was.Signed)}})
	if err == nil {
		a.counted = now
	}
	return err
}

// run makes and sends checkpoints until ctx ends.
func (a *auditor) run(ctx context.Context) error {
	t := time.NewTicker(auditPulse)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			a.pulse(ctx)
		}
	}
}

func (a *auditor) pulse(ctx context.Context) {
	a.work.Lock()
	defer a.work.Unlock()
	if !a.started {
		return
	}
	if a.now().Sub(a.clock) >= clockEvery {
		a.tell(errors.Join(a.checkClock(ctx, 0), a.summary(ctx)))
	}
	a.turn(ctx, false)
}

// turn makes what is due and sends what is made.
func (a *auditor) turn(ctx context.Context, now bool) {
	err := a.keep(ctx, now)
	a.mu.Lock()
	a.broken = err
	a.mu.Unlock()
	for _, one := range a.chains {
		if one.shipper != nil {
			_, shipped := one.shipper.Ship(ctx)
			err = errors.Join(err, shipped)
		}
	}
	a.tell(err)
}

// tell logs a trouble when it begins and when it is over, not every two seconds.
func (a *auditor) tell(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch text {
	case a.trouble:
	case "":
		a.log.Info("audit: checkpoints are made and exported again")
	default:
		a.log.Error("audit", "error", text)
	}
	a.trouble = text
}

// Answers of health: strangers read them.
var (
	errAuditBroken = errors.New("audit checkpoints cannot be made")
	errAuditBehind = errors.New("the export of the audit is behind")
)

// health fails when checkpoints cannot be made, or did not leave the machine for too long.
func (a *auditor) health(ctx context.Context) error {
	a.mu.Lock()
	broken := a.broken
	a.mu.Unlock()
	if broken != nil {
		return errAuditBroken
	}
	for _, one := range a.chains {
		if one.shipper == nil {
			continue
		}
		if behind, err := one.shipper.Behind(ctx, a.now()); err != nil || behind > a.alarm {
			return errAuditBehind
		}
	}
	return nil
}

// stop records the orderly end, signs over it and sends it, after the last job has ended.
func (a *auditor) stop() {
	a.work.Lock()
	defer a.work.Unlock()
	if !a.started {
		return
	}
	a.started = false
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := errors.Join(a.store.Stop(ctx), a.summary(ctx))
	err = errors.Join(err, a.store.Record(ctx, audit.Event{Action: "server.stopped", Actor: "system", Result: "ok", Detail: map[string]string{"version": version()}}))
	if err != nil {
		a.log.Error("audit: the end was not recorded", "error", err)
	}
	a.turn(ctx, true)
}

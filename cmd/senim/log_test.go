package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/feed"
	"senim/internal/logdir"
	"senim/internal/pkitest"
	"senim/internal/store"
	"senim/internal/tlog"
	"senim/pki"
)

// house is an authority's data folder with its log, served.
type house struct {
	t     *testing.T
	dir   string
	url   string
	store *store.Store
	log   *feed.Log
}

// newHouse issues certificates and has them logged.
func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir()}
	h.put("installation.key", []byte(strings.Repeat("0a", 32)+"\n"))
	s, err := store.Open(t.Context(), store.Config{URL: filepath.Join(h.dir, "senim.db"), Key: bytes.Repeat([]byte{10}, 32), Node: "n"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	h.store = s
	folder := filepath.Join(h.dir, "log")
	h.log, err = feed.OpenLog(t.Context(), feed.LogConfig{Store: s.Feed(), Fetch: logdir.Fetch(folder), Origin: "test.example/log", Poll: time.Millisecond,
		Open: func(ctx context.Context, secret string) (feed.Folder, error) { return logdir.Open(ctx, folder, secret) }})
	if err != nil {
		t.Fatal(err)
	}
	key, err := h.log.Key(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.put("log.pub", []byte(key+"\n"))
	server := httptest.NewServer(logdir.Service{Files: logdir.Fetch(folder), Key: key}.Handler("/log/"))
	t.Cleanup(server.Close)
	h.url = server.URL + "/log/"
	return h
}

func (h *house) put(name string, b []byte) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), b, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// issue records a certificate as the authority does, under an audit action.
func (h *house) issue(c *pki.Certificate, action string) {
	h.t.Helper()
	who, sum, key := c.Holder(), sha256.Sum256(c.Raw), sha256.Sum256(c.RawSPKI)
	r := ca.Record{CA: "gost", Serial: c.SerialHex(), Order: c.SerialHex(), Key: hex.EncodeToString(key[:]), Profile: "individual", State: ca.Reserved,
		IIN: who.IIN, BIN: who.BIN, NotBefore: c.NotBefore, NotAfter: c.NotAfter, Created: c.NotBefore}
	err := h.store.CA().Update(h.t.Context(), func(tx ca.Tx) error {
		done := r
		done.State, done.Raw = ca.Done, c.Raw
		return errors.Join(tx.Reserve(h.t.Context(), r), tx.Advance(h.t.Context(), done), tx.Audit(h.t.Context(),
			audit.Event{Action: action, Actor: "test", Object: r.Serial, Result: "ok", Detail: map[string]string{"sha256": hex.EncodeToString(sum[:])}}))
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// follow runs the log until it has size entries.
func (h *house) follow(size int64) {
	h.t.Helper()
	ctx, stop := context.WithTimeout(h.t.Context(), time.Minute)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- h.log.Run(ctx) }()
	for ctx.Err() == nil && h.log.Health().Size != size {
		<-time.After(time.Millisecond)
	}
	stop()
	if err := <-done; err != nil || h.log.Health().Size != size {
		h.t.Fatalf("%+v, %v", h.log.Health(), err)
	}
}

func (h *house) receipt(name string, c *pki.Certificate) {
	h.t.Helper()
	r, err := h.log.Receipt(h.t.Context(), c.SerialHex())
	if err != nil {
		h.t.Fatal(err)
	}
	h.put(name, r.Marshal())
}

// senim runs the command and wants a status and words in what it says.
func (h *house) senim(status int, words string, args ...string) {
	h.t.Helper()
	var out bytes.Buffer
	p := &program{Args: args, Dir: h.dir, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: time.Now}
	if got := p.Run(h.t.Context()); got != status || !strings.Contains(strings.Join(strings.Fields(out.String()), " "), words) {
		h.t.Errorf("senim %s\nexits with %d, want %d and %q:\n%s", strings.Join(args, " "), got, status, words, out.String())
	}
}

func TestLogCommands(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := pkitest.New(t)
	mine, other, secret, late := a.Individual().Certificate, a.InfoSystem().Certificate, a.Individual().Certificate, a.Individual().Certificate
	for name, c := range map[string]*pki.Certificate{"my.cer": mine, "other.cer": other, "secret.cer": secret} {
		h.put(name, c.Raw)
	}
	h.issue(mine, "ca.issued")
	h.issue(other, "ca.issued")
	h.follow(2)
	h.receipt("my.senim-proof", mine)
	h.receipt("other.senim-proof", other)
	log := []string{"--key", "log.pub", "--state", "state"}
	with := func(command string, more ...string) []string {
		return append(append([]string{"log", command}, log...), more...)
	}

	// In hand, against the log, and by search.
	h.senim(0, "the certificate stands in the public log", with("check", "--receipt", "my.senim-proof", "my.cer")...)
	h.senim(0, "It was not seen from here before", with("check", "--receipt", "my.senim-proof", "--log", h.url, "my.cer")...)
	h.senim(0, "It only grew since it was last seen here, with 2 entries", with("check", "--salt-file", "my.senim-proof", "--log", h.url, "my.cer")...)
	h.senim(0, `"index": 0`, with("check", "--json", "--salt-file", "my.senim-proof", "--log", "log", "my.cer")...)
	h.senim(1, "does not prove this certificate", with("check", "--receipt", "my.senim-proof", "other.cer")...)
	h.senim(1, "is not of this certificate under this salt", with("check", "--salt-file", "other.senim-proof", "--log", h.url, "my.cer")...)
	h.senim(1, "is not in the log of 2 entries", with("check", "--salt-file", "my.senim-proof", "--log", h.url, "secret.cer")...)
	h.senim(2, "nothing to check against", with("check", "my.cer")...)
	h.senim(2, "salt is needed", with("check", "--log", h.url, "my.cer")...)
	h.senim(2, "not the public key of a log", "log", "check", "--key", "my.cer", "--receipt", "my.senim-proof", "my.cer")

	// A certificate the holder never asked for.
	h.senim(0, "1 entry of 2 in the log", with("mine", "--salt-file", "my.senim-proof", "--log", h.url)...)
	h.issue(secret, "ca.issued")
	h.follow(3)
	h.senim(0, secret.SerialHex(), with("mine", "--salt-file", "my.senim-proof", "--log", h.url)...)
	h.senim(0, `"size": 3`, with("mine", "--json", "--salt-file", "my.senim-proof", "--log", h.url)...)

	// The auditor: nothing missing, nothing else.
	h.senim(0, "3 entries give the signed root", with("verify", h.url)...)
	h.senim(0, "3 certificates the database knows as issued, exactly", with("verify", "--data", ".", h.url)...)
	h.issue(late, "ca.issued")
	h.senim(0, "1 certificate not in the log yet", with("verify", "--data", ".", h.url)...)
	h.senim(1, "1 certificate not in the log yet", with("verify", "--data", ".", "--late", "1ns", h.url)...)
	h.follow(4)
	h.senim(0, `"Same": 4`, with("verify", "--json", "--data", ".", h.url)...)
	err := h.store.CA().Update(t.Context(), func(tx ca.Tx) error { // the database is changed: another certificate with this serial
		r, err := tx.BySerial(t.Context(), late.SerialHex())
		r.Raw = secret.Raw
		return errors.Join(err, tx.Advance(t.Context(), r))
	})
	if err != nil {
		t.Fatal(err)
	}
	h.senim(1, late.SerialHex()+" is not in the log as it was issued", with("verify", "--data", ".", h.url)...)
	h.senim(2, "no such file", with("verify", "--data", "nowhere", h.url)...)
}

// Everything that can be done to a log behind its readers' backs is found.
func TestLogTampered(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := pkitest.New(t)
	for range 3 {
		h.issue(a.Individual().Certificate, "ca.issued")
	}
	h.follow(3)
	state := []string{"--key", "log.pub", "--state", "state"}
	verify := func(status int, words, dir string) {
		t.Helper()
		h.senim(status, words, append(append([]string{"log", "verify"}, state...), dir)...)
	}
	copied := func(name string) string {
		if err := os.CopyFS(filepath.Join(h.dir, name), os.DirFS(filepath.Join(h.dir, "log"))); err != nil {
			t.Fatal(err)
		}
		return name
	}
	old := copied("old")
	h.issue(a.Individual().Certificate, "ca.issued")
	h.follow(4)
	verify(0, "4 entries give the signed root", "log")
	verify(1, "contradict each other", old) // cut off
	if both, _ := filepath.Glob(filepath.Join(h.dir, "state*")); len(both) != 2 {
		t.Errorf("the evidence is not kept: %v", both)
	}
	for name, c := range map[string]struct{ file, words string }{
		"entry": {"tile/entries/000.p/4", "do not give the signed root"}, "tile": {"tile/0/000.p/4", "not what the entries give"}, "checkpoint": {"checkpoint", "not a state of this log"},
	} {
		file := filepath.Join(h.dir, copied("bad-"+name), filepath.FromSlash(c.file))
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b[40] ^= 1
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if name == "entry" { // the tile is looked at first
			c.words = "not what the entries give"
		}
		verify(1, c.words, "bad-"+name)
	}

	// Another history, signed with the same key: the fork is found by who saw the first.
	var s feed.State
	if err := h.store.Feed().View(t.Context(), func(tx feed.Tx) (err error) { s, err = tx.State(t.Context()); return err }); err != nil {
		t.Fatal(err)
	}
	f, err := logdir.Open(t.Context(), filepath.Join(h.dir, "fork"), string(s.Secret))
	if err != nil {
		t.Fatal(err)
	}
	var entries [][]byte
	for range 5 {
		entries = append(entries, []byte("another entry"))
	}
	if err := errors.Join(f.Append(t.Context(), 0, entries), f.Close()); err != nil {
		t.Fatal(err)
	}
	verify(1, "contradict each other", "fork")
}

// smuggle writes the entry of a certificate into the log, twice, past the feed.
func (h *house) smuggle(c *pki.Certificate) {
	h.t.Helper()
	var s feed.State
	if err := h.store.Feed().View(h.t.Context(), func(tx feed.Tx) (err error) { s, err = tx.State(h.t.Context()); return err }); err != nil {
		h.t.Fatal(err)
	}
	f, err := logdir.Open(h.t.Context(), filepath.Join(h.dir, "log"), string(s.Secret))
	if err != nil {
		h.t.Fatal(err)
	}
	e, err := tlog.New(c, tlog.Salt{})
	if err != nil {
		h.t.Fatal(err)
	}
	raw, err := e.Marshal()
	if err = errors.Join(err, f.Append(h.t.Context(), 0, [][]byte{raw, raw}), f.Close()); err != nil {
		h.t.Fatal(err)
	}
}

// An entry for what was never issued, and one that stands there twice, are found with the database.
func TestLogOfWhatWasNotIssued(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := pkitest.New(t)
	c := a.Individual().Certificate
	h.issue(c, "ca.closed") // the audit knows no issue
	h.smuggle(c)
	h.senim(1, c.SerialHex()+" is in the log and was not issued", "log", "verify", "--key", "log.pub", "--state", "state", "--data", ".", h.url)
	h.senim(1, c.SerialHex()+" is in the log more than once", "log", "verify", "--key", "log.pub", "--state", "state", "--data", ".", h.url)
}

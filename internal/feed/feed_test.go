package feed_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/feed"
	"senim/internal/lang"
	"senim/internal/logdir"
	"senim/internal/notice"
	"senim/internal/pkitest"
	"senim/internal/store"
	"senim/internal/store/storetest"
	"senim/internal/tlog"
	"senim/pki"
)

var people = sync.OnceValue(func() []pki.Holder {
	one, other := pkitest.Person(), pkitest.Member(pki.RoleFirstHead)
	other.IIN, other.CommonName, other.Email = "123456789013", "СЕРИКОВА АЙГУЛЬ", "other@example.kz"
	system := pki.Holder{UID: "1.2.398.3.14.1.1", CommonName: "ИС ТЕСТ", Organization: `АО "ТЕСТ"`, BIN: "123456789021",
		Roles: []pki.Role{pki.RoleLegal, pki.RoleInfoSystem}}
	return []pki.Holder{one, other, system}
})

var made struct {
	sync.Once
	all []*pki.Certificate
}

// certificates are made once for all tests: people's in turn.
func certificates(t *testing.T) []*pki.Certificate {
	made.Do(func() {
		a := pkitest.New(t)
		for n := range 48 {
			made.all = append(made.all, a.Issue(pkitest.Spec{Holder: people()[n%len(people())]}).Certificate)
		}
	})
	return made.all
}

// world is an installation: a database and a log's folder.
type world struct {
	t   *testing.T
	s   *store.Store
	dir string
	all []*pki.Certificate // issued
}

func newWorld(t *testing.T) *world {
	return &world{t: t, s: storetest.SQLite(t), dir: filepath.Join(t.TempDir(), "log")}
}

// issue records n certificates as the authority does.
func (w *world) issue(n int) {
	w.t.Helper()
	for range n {
		c := certificates(w.t)[len(w.all)]
		w.all = append(w.all, c)
		w.record(w.s, c)
	}
}

func (w *world) record(s *store.Store, c *pki.Certificate) {
	w.t.Helper()
	h, sum, key := c.Holder(), sha256.Sum256(c.Raw), sha256.Sum256(c.RawSPKI)
	r := ca.Record{CA: "gost", Serial: c.SerialHex(), Order: "o-" + c.SerialHex(), Key: hex.EncodeToString(key[:]), Profile: "individual", State: ca.Reserved,
		IIN: h.IIN, BIN: h.BIN, Name: h.CommonName, NotBefore: c.NotBefore, NotAfter: c.NotAfter, Created: c.NotBefore}
	err := s.CA().Update(w.t.Context(), func(tx ca.Tx) error {
		done := r
		done.State, done.Raw = ca.Done, c.Raw
		return errors.Join(tx.Reserve(w.t.Context(), r), tx.Advance(w.t.Context(), done),
			tx.Audit(w.t.Context(), audit.Event{Action: "ca.will_sign", Actor: "test", Object: r.Serial, Result: "ok"}),
			tx.Audit(w.t.Context(), audit.Event{Action: "ca.issued", Actor: "test", Object: r.Serial, Result: "ok", Detail: map[string]string{"sha256": hex.EncodeToString(sum[:])}}))
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// config is that of a log over the world; wrap may change its folder.
func (w *world) config(node string, wrap func(feed.Folder) feed.Folder) feed.LogConfig {
	return feed.LogConfig{Store: w.s.Feed(), Fetch: logdir.Fetch(w.dir), Origin: "test.example/log", Node: node, Poll: 2 * time.Millisecond,
		Lease: 200 * time.Millisecond, Open: func(ctx context.Context, secret string) (feed.Folder, error) {
			f, err := logdir.Open(ctx, w.dir, secret)
			if err != nil || wrap == nil {
				return f, err
			}
			return wrap(f), nil
		}}
}

func (w *world) open(c feed.LogConfig) *feed.Log {
	w.t.Helper()
	l, err := feed.OpenLog(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// until runs a log until good says so.
func (w *world) until(l *feed.Log, good func() bool) {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	for end := time.Now().Add(60 * time.Second); !good() && time.Now().Before(end); {
		<-time.After(2 * time.Millisecond)
	}
	ok := good()
	stop()
	if err := <-done; err != nil {
		w.t.Error(err)
	}
	if !ok {
		w.t.Fatalf("not in time: %+v", l.Health())
	}
}

// catchUp runs a log until everything issued is in it.
func (w *world) catchUp() *feed.Log {
	w.t.Helper()
	l := w.open(w.config("final", nil))
	w.until(l, func() bool { h := l.Health(); return h.Writing && h.Size == int64(len(w.all)) })
	return l
}

func (w *world) reader() (*tlog.Log, tlog.Key) {
	w.t.Helper()
	text, err := w.open(w.config("reader", nil)).Key(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	key, err := tlog.ParseKey(text)
	if err != nil {
		w.t.Fatal(err)
	}
	return tlog.NewLog(key, logdir.Fetch(w.dir)), key
}

// audit recomputes the log and wants every certificate in it, once, and nothing else.
func (w *world) audit() {
	w.t.Helper()
	r, _ := w.reader()
	at, err := r.Checkpoint()
	if err != nil {
		w.t.Fatal(err)
	}
	seen := map[string]int{}
	if err := r.Recompute(at, func(_ int64, raw []byte) error {
		e, err := tlog.Parse(raw)
		seen[e.SerialHex()]++
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	for _, c := range w.all {
		if seen[c.SerialHex()] != 1 {
			w.t.Errorf("certificate %s stands in the log %d times", c.SerialHex(), seen[c.SerialHex()])
		}
	}
	if int(at.Size) != len(w.all) {
		w.t.Errorf("%d entries for %d certificates", at.Size, len(w.all))
	}
}

// Every certificate gets into the log, the holder's receipt proves his, and nobody else's proves anything.
func TestEveryCertificateGetsIntoTheLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issue(7)
	w.catchUp()
	w.issue(5) // after a pause
	l := w.catchUp()
	w.audit()
	_, key := w.reader()
	var salts []tlog.Salt
	for i, c := range w.all {
		got, err := l.Receipt(t.Context(), c.SerialHex())
		if err != nil {
			t.Fatal(err)
		}
		salts = append(salts, got.Salt)
		kept, err := tlog.ParseReceipt(got.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kept.Check(key, c); err != nil {
			t.Errorf("certificate %d: %v", i, err)
		}
		if _, err := kept.Check(key, w.all[(i+1)%len(w.all)]); err == nil {
			t.Errorf("the receipt of certificate %d proves another", i)
		}
	}
	if salts[0] != salts[3] || salts[0] == salts[1] || salts[2] != salts[5] {
		t.Error("salts do not belong to holders")
	}
	if _, err := l.Receipt(t.Context(), strings.Repeat("0", 40)); !errors.Is(err, feed.ErrNotFound) {
		t.Errorf("receipt of no certificate: %v", err)
	}
}

// Nothing in the folder tells whose certificates they are, and entries of one person share nothing.
func TestTheLogTellsNobodyWhoseItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issue(12)
	l := w.catchUp()
	var all []string
	for _, h := range people() {
		for _, v := range []string{h.IIN, h.BIN, h.CommonName, h.Surname, h.Given, h.Email, h.Organization, h.UID} {
			if v != "" {
				all = append(all, v, strings.ToLower(v), hex.EncodeToString([]byte(v)))
			}
		}
	}
	for _, c := range w.all {
		all = append(all, string(c.RawSPKI), string(c.RawSubject), string(c.SubjectKeyID), string(c.SignatureValue))
		sum := sha256.Sum256(c.Raw)
		all = append(all, string(sum[:]))
	}
	files := 0
	err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		for _, v := range all {
			if strings.Contains(string(b), v) {
				t.Errorf("%s holds %q", path, v)
			}
		}
		return err
	})
	if err != nil || files < 4 {
		t.Fatalf("%d files, %v", files, err)
	}
	r, _ := w.reader()
	at, err := r.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := l.Receipt(t.Context(), w.all[0].SerialHex())
	if err != nil {
		t.Fatal(err)
	}
	hashes, mine := map[[32]byte]int64{}, 0
	if err := r.Walk(at, func(index int64, raw []byte) error {
		e, err := tlog.Parse(raw)
		if e.Mine(receipt.Salt) {
			mine++
		}
		for _, v := range append(e.Values, tlog.Value{Hash: e.Finder}, tlog.Value{Hash: e.Commitment}) {
			if other, ok := hashes[v.Hash]; ok {
				t.Errorf("entries %d and %d share a hash of %s", other, index, v.Label)
			}
			hashes[v.Hash] = index
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if mine != 4 {
		t.Errorf("the holder finds %d of his 4 entries", mine)
	}
}

// broken is a folder whose Append fails once: before it did anything, after a part, or after all.
type broken struct {
	feed.Folder
	part func(n int) int
	done *bool
}

var errCrash = errors.New("crash")

func (b broken) Append(ctx context.Context, first int64, entries [][]byte) error {
	if *b.done {
		return b.Folder.Append(ctx, first, entries)
	}
	*b.done = true
	if err := b.Folder.Append(ctx, first, entries[:b.part(len(entries))]); err != nil {
		return err
	}
	return errCrash
}

func TestACrashLosesNothingAndWritesNothingTwice(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]func(int) int{
		"before": func(int) int { return 0 }, "in between": func(n int) int { return n / 2 }, "after": func(n int) int { return n },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.issue(9)
			done := false
			l := w.open(w.config("n1", func(f feed.Folder) feed.Folder { return broken{f, part, &done} }))
			w.until(l, func() bool { return l.Health().Size == 9 })
			if !done {
				t.Fatal("nothing crashed")
			}
			w.audit()
			w.issue(3)
			w.catchUp()
			w.audit()
		})
	}
}

// A real process is killed again and again while it writes.
func TestKilled(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("FEED_TEST_CHILD"); dir != "" {
		w := &world{t: t, dir: filepath.Join(dir, "log"), s: storetest.Open(t, store.Config{URL: filepath.Join(dir, "senim.db"), Node: "child"})}
		l := w.open(w.config("child", nil))
		_ = l.Run(t.Context())
		return
	}
	dir := t.TempDir()
	w := &world{t: t, dir: filepath.Join(dir, "log"), s: storetest.Open(t, store.Config{URL: filepath.Join(dir, "senim.db")})}
	for n := range 6 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), "FEED_TEST_CHILD="+dir)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		w.issue(7)
		<-time.After(time.Duration(17*n) * time.Millisecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // killed
	}
	w.catchUp()
	w.audit()
}

// Two processes, one folder: one writes; when it ends the other takes over.
func TestOneWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issue(4)
	long := func(node string) feed.LogConfig {
		c := w.config(node, nil)
		c.Lease = time.Hour
		return c
	}
	a, b := w.open(long("a")), w.open(long("b"))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for a.Health().Size != 4 {
		<-time.After(time.Millisecond)
	}
	waited, enough := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer enough()
	if err := b.Run(waited); err != nil {
		t.Error(err)
	}
	if b.Health().Writing || b.Health().Trouble != "" {
		t.Errorf("two write: %+v", b.Health())
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.issue(4)
	w.until(b, func() bool { return b.Health().Size == 8 })
	w.audit()
}

// A folder that is not this log is not written to.
func TestAnotherFolderIsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, w *world){
		"empty": func(t *testing.T, w *world) { w.dir = filepath.Join(t.TempDir(), "new") },
		"an older copy": func(t *testing.T, w *world) {
			old := filepath.Join(t.TempDir(), "old")
			if err := os.CopyFS(old, os.DirFS(w.dir)); err != nil {
				t.Fatal(err)
			}
			w.issue(4)
			w.settle(w.catchUp())
			w.dir = old
		},
		"another log": func(t *testing.T, w *world) {
			other := newWorld(t) // the same certificates, other salts
			other.issue(len(w.all))
			other.catchUp()
			w.dir = other.dir
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.issue(6)
			w.settle(w.catchUp())
			spoil(t, w)
			w.issue(1)
			l := w.open(w.config("n", nil))
			w.until(l, func() bool { return strings.Contains(l.Health().Trouble, "nothing is written") })
		})
	}
}

// settle runs a log until the database knows what stands in the folder.
func (w *world) settle(l *feed.Log) {
	w.t.Helper()
	w.until(l, func() bool {
		var s feed.State
		if err := w.s.Feed().View(w.t.Context(), func(tx feed.Tx) (err error) { s, err = tx.State(w.t.Context()); return err }); err != nil {
			w.t.Fatal(err)
		}
		return s.Written == int64(len(w.all)) && s.Planned == s.Written
	})
}

// A database put back from a backup learns from the log what it forgot, and the log goes on.
func TestAnOlderDatabaseLearnsFromTheLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	w.s = storetest.Open(t, store.Config{URL: filepath.Join(dir, "a.db"), Key: make([]byte, 32)})
	w.issue(3)
	w.settle(w.catchUp())
	if err := w.s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b.db"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	w.s = storetest.Open(t, store.Config{URL: filepath.Join(dir, "a.db"), Key: make([]byte, 32)})
	w.issue(3)
	w.settle(w.catchUp())
	w.s = storetest.Open(t, store.Config{URL: filepath.Join(dir, "b.db"), Key: make([]byte, 32)})
	w.issue(2)
	w.catchUp()
	w.audit()
}

// A certificate that is not the one the audit speaks of stops the log and is not skipped.
func TestAChangedCertificateStopsTheLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issue(2)
	other := certificates(t)[9]
	err := w.s.CA().Update(t.Context(), func(tx ca.Tx) error {
		r, err := tx.BySerial(t.Context(), w.all[1].SerialHex())
		r.Raw = other.Raw
		return errors.Join(err, tx.Advance(t.Context(), r))
	})
	if err != nil {
		t.Fatal(err)
	}
	l := w.open(w.config("n", nil))
	w.until(l, func() bool { return strings.Contains(l.Health().Trouble, "not the one the audit says") })
}

// Waiting certificates are an alarm.
func TestLateIsAnAlarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issue(1)
	c := w.config("n", func(feed.Folder) feed.Folder { return nil })
	c.Open = func(context.Context, string) (feed.Folder, error) { return nil, errors.New("no disk") }
	c.Late = time.Millisecond
	l := w.open(c)
	w.until(l, func() bool { h := l.Health(); return h.Late && h.Lag > 0 && h.Trouble == "no disk" && !h.Writing })
}

type accounts map[string]feed.Account

func (a accounts) LetterAccount(_ context.Context, iin string) (feed.Account, error) {
	return a[iin], nil
}

// Whoever asked for a certificate, its holder is told: once to each of his addresses.
func TestLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issue(3) // before the letters began: nobody is told
	c := feed.LettersConfig{Store: w.s.Feed(), Link: "https://cabinet.example/keys", Poll: time.Millisecond,
		Accounts: accounts{"123456789011": {Address: "test@example.kz", Lang: lang.RU}, "123456789013": {Address: "at-home@example.kz"}}}
	run := func() {
		t.Helper()
		l, err := feed.OpenLetters(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		for at, end := int64(0), int64(1); at < end; <-time.After(time.Millisecond) {
			if err := w.s.Feed().View(t.Context(), func(tx feed.Tx) (err error) {
				if end, err = tx.Tail(t.Context(), "test"); err == nil {
					at, err = tx.Cursor(t.Context(), "letters", "test")
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	run()
	w.issue(3)
	var wg sync.WaitGroup // on two nodes, and again after a restart
	wg.Go(run)
	wg.Go(run)
	wg.Wait()
	run()
	got := map[string]int{}
	for id := range int64(20) {
		err := w.s.Notice().View(t.Context(), func(tx notice.Tx) error {
			o, err := tx.Outgoing(t.Context(), id)
			if err == nil {
				got[fmt.Sprint(o.N, " ", o.To, " ", o.Vars["serial4"])]++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	four := func(n int) string { s := w.all[n].SerialHex(); return s[len(s)-4:] }
	want := []string{"N-28 test@example.kz " + four(3), "N-28.org at-home@example.kz " + four(4)}
	for _, key := range want {
		if got[key] != 1 {
			t.Errorf("%s: %d", key, got[key])
		}
	}
	if len(got) != len(want) {
		t.Errorf("letters: %v", got)
	}
}

// TestLogKeyIsRecorded once, however often the log is opened.
func TestLogKeyIsRecorded(t *testing.T) {
	w := newWorld(t)
	w.open(w.config("a", nil))
	w.open(w.config("b", nil))
	all, err := w.s.AuditRecords(t.Context(), w.s.Node(), 0, 100)
	if err != nil || len(all) != 1 || all[0].Action != "log.key_made" || all[0].Object != "test.example/log" {
		t.Errorf("%+v, %v", all, err)
	}
}

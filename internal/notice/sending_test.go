package notice_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/store"
	"senim/internal/store/storetest"
)

// post is a way out that does as it is told and remembers.
type post struct {
	mu      sync.Mutex
	letters []notice.Letter
	texts   []notice.Short
	// letter and text say how the next hand-overs end; nil: well.
	letter func(notice.Letter) error
	text   func(notice.Short) ([]string, notice.Outcome)
}

type mailman struct{ *post }

func (p mailman) Send(_ context.Context, l notice.Letter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.letters = append(p.letters, l)
	if p.letter == nil {
		return nil
	}
	return p.letter(l)
}

type phones struct{ *post }

func (p phones) Send(_ context.Context, m notice.Short) ([]string, notice.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.texts = append(p.texts, m)
	if p.text == nil {
		return nil, notice.Outcome{State: notice.Sent}
	}
	return p.text(m)
}

// house is an outbox with its sender, at a time of its own.
type house struct {
	t      *testing.T
	now    time.Time
	store  *store.Store
	sender *notice.Sender
	config notice.SenderConfig
	out    *post
	log    *bytes.Buffer
	last   int64
}

// noon is a moment when phones may ring.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, lang.Astana)

// everywhere runs a test over both databases.
func everywhere(t *testing.T, f func(t *testing.T, h *house)) {
	t.Helper()
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return t.TempDir() + "/senim.db" },
		"postgres": func(t *testing.T) string { return storetest.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			h := &house{t: t, now: noon, out: &post{}, log: &bytes.Buffer{}}
			h.store = storetest.Open(t, store.Config{URL: url(t), Now: func() time.Time { return h.now }})
			h.with(func(*notice.SenderConfig) {})
			f(t, h)
		})
	}
}

// with makes the sender anew, as a process that starts again does.
func (h *house) with(change func(*notice.SenderConfig)) {
	h.t.Helper()
	if h.config.Store == nil {
		h.config = notice.SenderConfig{Store: h.store.Notice(), Courier: mailman{h.out}, Texter: phones{h.out}, DailyCap: 5,
			Log: slog.New(slog.NewTextHandler(h.log, nil)), Now: func() time.Time { return h.now }}
	}
	change(&h.config)
	var err error
	if h.sender, err = notice.NewSender(h.config); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) update(f func(notice.Tx) error) {
	h.t.Helper()
	if err := h.store.Notice().Update(h.t.Context(), f); err != nil {
		h.t.Fatal(err)
	}
}

// notify puts a message into the outbox and gives its number.
func (h *house) notify(n string, channel notice.Channel, to, event string) int64 {
	h.t.Helper()
	return h.put(notice.Message{N: n, Channel: channel, To: to, Lang: lang.RU, Key: notice.Key(n, event, "", to), Vars: everyVar()})
}

func (h *house) put(m notice.Message) int64 {
	h.t.Helper()
	h.update(func(tx notice.Tx) error { return tx.Notify(h.t.Context(), m) })
	h.last++
	return h.last
}

func everyVar() map[string]string {
	v := map[string]string{"date": "2026-05-01", "time": "2026-03-02T06:00:00Z", "link": "https://senim.example/x", "n": "3", "days": "7", "code": "123456"}
	for _, name := range []string{"name", "org", "role", "number", "status", "reason", "serial4", "action"} {
		v[name] = name
	}
	return v
}

// do is one run of the job, and how the message stands afterwards.
func (h *house) do(id int64) notice.Outgoing {
	h.t.Helper()
	if err := h.sender.Do(h.t.Context(), fmt.Appendf(nil, `{"id":%d}`, id)); err != nil {
		h.t.Fatal(err)
	}
	return h.read(id)
}

func (h *house) read(id int64) (o notice.Outgoing) {
	h.t.Helper()
	err := h.store.Notice().View(h.t.Context(), func(tx notice.Tx) (err error) { o, err = tx.Outgoing(h.t.Context(), id); return err })
	if err != nil {
		h.t.Fatal(err)
	}
	return o
}

// recorded are the actions of the audit that begin with some prefix, with their results.
func (h *house) recorded(prefixes ...string) (all []string) {
	h.t.Helper()
	records, err := h.store.AuditRecords(h.t.Context(), "test", 0, 100000)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range records {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(r.Event.Action, p) }) {
			all = append(all, r.Event.Action+"("+r.Event.Result+")")
		}
	}
	return all
}

func (h *house) want(what string, got notice.Outgoing, state notice.State, why string) {
	h.t.Helper()
	if got.State != state || got.Why != why {
		h.t.Errorf("%s: %s %q, want %s %q", what, got.State, got.Why, state, why)
	}
}

func (h *house) report() notice.Report {
	h.t.Helper()
	r, err := h.sender.Report(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

var errBusy = errors.New("busy")

// NT-08: the same event told three times by two nodes, and its job run by both at once, is one letter.
func TestNT08OneLetterWhoeverAsks(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		id := h.notify("N-01", notice.Email, "a@example.kz", "28d")
		for range 2 {
			h.notify("N-01", notice.Email, "a@example.kz", "28d")
		}
		var wg sync.WaitGroup
		other := *h.sender
		for _, s := range []*notice.Sender{h.sender, &other, h.sender, &other} {
			wg.Go(func() {
				if err := s.Do(t.Context(), fmt.Appendf(nil, `{"id":%d}`, id)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		h.want("the letter", h.read(id), notice.Sent, "")
		if len(h.out.letters) != 1 {
			t.Errorf("%d letters", len(h.out.letters))
		}
		err := h.store.Notice().View(t.Context(), func(tx notice.Tx) error { _, err := tx.Outgoing(t.Context(), id+1); return err })
		if !errors.Is(err, notice.ErrNotFound) {
			t.Errorf("a second row: %v", err)
		}
	})
}

// One event may be told by letter and by short message under one key; each once (I1).
func TestKeysAreOfAChannel(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		key := notice.Key("N-14", "serial", "revoked", "")
		for range 2 {
			for channel, to := range map[notice.Channel]string{notice.Email: "a@example.kz", notice.SMS: "+77011234567"} {
				h.update(func(tx notice.Tx) error {
					return tx.Notify(t.Context(), notice.Message{N: "N-14", Channel: channel, To: to, Lang: lang.KK, Key: key, Vars: everyVar()})
				})
			}
		}
		for id := range int64(2) {
			h.want("either", h.do(id+1), notice.Sent, "")
		}
		if len(h.out.letters) != 1 || len(h.out.texts) != 1 || h.out.texts[0].Text != "Senim: ЭЦҚ кілті 02.03.2026 11:00 (Астана уақыты) қайтарып алынды" {
			t.Errorf("%d letters, texts %+v", len(h.out.letters), h.out.texts)
		}
	})
}

// killed runs a job in a process that dies over the hand-over: nothing is written down afterwards.
func (h *house) killed(id int64) {
	h.t.Helper()
	dead := h.config
	dead.Store = dying{h.store.Notice(), 2}
	s, err := notice.NewSender(dead)
	if err != nil {
		h.t.Fatal(err)
	}
	d := dead.Store.(dying)
	_ = d
	if err := s.Do(h.t.Context(), fmt.Appendf(nil, `{"id":%d}`, id)); !errors.Is(err, errDead) {
		h.t.Fatalf("the process lives: %v", err)
	}
}

var errDead = errors.New("killed")

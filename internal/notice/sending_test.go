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
	for _, name := range []string{"name", "org", "role", "number", "status", "reason", "serial4", "action", "advice"} {
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

// dying is the store of a process that is killed when it writes down how the hand-over ended.
type dying struct {
	notice.Store
	updates *int
}

var errDead = errors.New("killed")

func (d dying) Update(ctx context.Context, f func(notice.Tx) error) error {
	if *d.updates--; *d.updates < 0 {
		return errDead
	}
	return d.Store.Update(ctx, f)
}

// killed runs a job in a process that dies after the hand-over.
func (h *house) killed(id int64, updates int) {
	h.t.Helper()
	c := h.config
	c.Store = dying{h.store.Notice(), &updates}
	s, err := notice.NewSender(c)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := s.Do(h.t.Context(), fmt.Appendf(nil, `{"id":%d}`, id)); !errors.Is(err, errDead) {
		h.t.Fatalf("the process lives: %v", err)
	}
}

// NT-09: killed after the mail server took the letter, it goes once more as the same letter, and not a
// third time; a short message never goes again.
func TestNT09KilledBeforeTheMark(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		once := h.notify("N-20", notice.Email, "once@example.kz", "1")
		h.killed(once, 1)
		h.want("while the claim is fresh", h.do(once), notice.Sending, "")
		if len(h.out.letters) != 1 {
			t.Fatalf("%d letters while another worker may still be at it", len(h.out.letters))
		}
		h.now = h.now.Add(10 * time.Minute)
		h.want("after the restart", h.do(once), notice.Sent, "")
		if l := h.out.letters; len(l) != 2 || l[0].ID != l[1].ID || l[0].ID == "" {
			t.Errorf("not the same letter twice: %+v", l)
		}

		twice := h.notify("N-20", notice.Email, "twice@example.kz", "2")
		h.killed(twice, 1)
		h.now = h.now.Add(10 * time.Minute)
		h.killed(twice, 2)
		h.now = h.now.Add(10 * time.Minute)
		h.want("killed twice", h.do(twice), notice.Uncertain, "interrupted")
		if len(h.out.letters) != 4 {
			t.Errorf("%d letters, want two of each", len(h.out.letters))
		}

		sms := h.notify("N-14", notice.SMS, "+77011234567", "3")
		h.killed(sms, 1)
		h.now = h.now.Add(10 * time.Minute)
		o := h.do(sms)
		h.want("the short message", o, notice.Uncertain, "interrupted")
		if len(h.out.texts) != 1 || h.out.texts[0].Ref != o.Ref || o.Ref == "" {
			t.Errorf("%d texts, the name kept %q", len(h.out.texts), o.Ref)
		}
		if err := h.sender.Receive(t.Context(), notice.Receipt{Ref: o.Ref, State: notice.Delivered}); err != nil {
			t.Fatal(err)
		}
		h.want("a receipt still tells", h.read(sms), notice.Delivered, "")
	})
}

// NT-10: nobody knows whether the message went; it does not go again, and the operator sees it and
// decides.
func TestNT10NobodyKnows(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		h.out.text = func(notice.Short) ([]string, notice.Outcome) {
			return nil, notice.Outcome{State: notice.Uncertain, Code: 503}
		}
		id := h.notify("N-14", notice.SMS, "+77011234567", "1")
		code := h.notify("N-21", notice.SMS, "+77011234567", "2")
		for range 3 {
			h.want("the message", h.do(id), notice.Uncertain, "no answer")
			h.do(code)
		}
		if len(h.out.texts) != 2 {
			t.Errorf("%d messages went", len(h.out.texts))
		}
		doubts := h.report().Uncertain
		if len(doubts) != 2 || doubts[1].ID != id || doubts[1].N != "N-14" || doubts[1].Code != 503 || !doubts[1].Again || doubts[0].Again {
			t.Fatalf("the operator sees %+v", doubts)
		}
		if err := h.sender.Settle(t.Context(), code, notice.Waiting, "op:1"); !errors.Is(err, notice.ErrSettled) {
			t.Errorf("a code nobody waits for goes again: %v", err)
		}
		if o := h.read(code); o.To != "" || o.Vars != nil {
			t.Errorf("the code is kept: %+v", o)
		}
		h.out.text = nil
		for as, id := range map[notice.State]int64{notice.Waiting: id, notice.Failed: code} {
			if err := h.sender.Settle(t.Context(), id, as, "op:1"); err != nil {
				t.Fatal(err)
			}
			if err := h.sender.Settle(t.Context(), id, as, "op:1"); !errors.Is(err, notice.ErrSettled) {
				t.Errorf("settled twice: %v", err)
			}
		}
		h.want("told to go again", h.do(id), notice.Sent, "")
		if len(h.out.texts) != 3 || h.out.texts[2].Ref == h.out.texts[0].Ref || len(h.report().Uncertain) != 0 {
			t.Errorf("%+v, %+v", h.out.texts, h.report().Uncertain)
		}
		want := []string{"notice.uncertain(no answer)", "notice.uncertain(no answer)", "notice.settled(failed)", "notice.settled(waiting)", "notice.sent(ok)"}
		got := h.recorded("notice.")
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("recorded %q", got)
		}
	})
}

// NT-13: a report with our token makes the address bad at once; nothing but security letters goes there
// until its owner confirms it.
func TestNT13AHardBounceEndsTheAddress(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		const to = "gone@example.kz"
		h.want("the letter", h.do(h.notify("N-01", notice.Email, to, "28d")), notice.Sent, "")
		back := notice.Returned{ID: h.out.letters[0].ID, Fate: notice.Hard, Status: "5.1.1"}
		bad := func() bool {
			is, err := h.sender.AddressBad(t.Context(), to)
			if err != nil {
				t.Fatal(err)
			}
			return is
		}
		if err := h.sender.Returned(t.Context(), notice.Returned{ID: strings.Repeat("ab", 20), Fate: notice.Hard, Status: "5.1.1"}); err != nil || bad() {
			t.Errorf("a letter we do not know: %v, bad %v", err, bad())
		}
		for range 2 {
			if err := h.sender.Returned(t.Context(), back); err != nil || !bad() {
				t.Fatalf("%v, bad %v", err, bad())
			}
		}
		h.want("the letter that came back", h.read(1), notice.Failed, "bounced 5.1.1")
		h.want("the next stage", h.do(h.notify("N-01", notice.Email, to, "14d")), notice.Stopped, "address-bad")
		h.want("business", h.do(h.notify("N-09", notice.Email, to, "9")), notice.Stopped, "address-bad")
		h.want("security", h.do(h.notify("N-14", notice.Email, to, "14")), notice.Sent, "")
		h.want("the phone", h.do(h.notify("N-02", notice.SMS, "+77011234567", "10d")), notice.Sent, "")
		if r := h.report(); r.Bad != 1 || r.Why["bounced 5.1.1"] != 1 || r.Ended[notice.Stopped] != 2 {
			t.Errorf("the report: %+v", r)
		}
		h.now = h.now.Add(time.Hour)
		if err := h.confirmed(to); err != nil || bad() {
			t.Fatalf("confirmed: %v, bad %v", err, bad())
		}
		h.want("after that", h.do(h.notify("N-01", notice.Email, to, "7d")), notice.Sent, "")
		if got := h.recorded("address.", "notice.bounced"); !slices.Equal(got, []string{"notice.bounced(bounced 5.1.1)", "address.bad(hard)", "address.cleared(confirmed)"}) {
			t.Errorf("recorded %q", got)
		}
	})
}

// A refusal while sending is a failure of the address when it says so, and not when it speaks of us.
func TestRefusalsCount(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		for status, want := range map[string]bool{"5.1.1": true, "5.7.1": false, "": false} {
			h.out.letter = func(notice.Letter) error { return &notice.RefusedError{Code: 550, Status: status} }
			to := "r" + strings.ReplaceAll(status, ".", "") + "@example.kz"
			if o := h.do(h.notify("N-01", notice.Email, to, "28d")); o.State != notice.Failed || o.Code != 550 {
				t.Errorf("%s: %+v", status, o)
			}
			if bad, err := h.sender.AddressBad(t.Context(), to); err != nil || bad != want {
				t.Errorf("%q: bad %v, %v", status, bad, err)
			}
		}
	})
}

// NT-14: of four letters that came back in seven days the third makes the address bad.
func TestNT14TheThirdSoftBounceInAWeek(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		const to = "full@example.kz"
		var ids []string
		for i := range 4 {
			h.do(h.notify("N-14", notice.Email, to, fmt.Sprint(i)))
			ids = append(ids, h.out.letters[i].ID)
		}
		for i, id := range ids {
			for range 2 { // the same report again is not another failure
				if err := h.sender.Returned(t.Context(), notice.Returned{ID: id, Fate: notice.Soft, Status: "4.2.2"}); err != nil {
					t.Fatal(err)
				}
			}
			if bad, err := h.sender.AddressBad(t.Context(), to); err != nil || bad != (i >= 2) {
				t.Errorf("after %d: bad %v, %v", i+1, bad, err)
			}
			h.now = h.now.Add(36 * time.Hour)
		}
	})
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/store"
)

// Core has the cases of what all domains share: letters, audit, jobs.
func Core(t *testing.T, s *store.Store) {
	t.Run("audit", func(t *testing.T) { auditChain(t, s) })
	t.Run("outbox", func(t *testing.T) { outbox(t, s) })
	t.Run("capped", func(t *testing.T) { capped(t, s) })
	t.Run("reminder", func(t *testing.T) { reminder(t, s) })
}

func auditChain(t *testing.T, s *store.Store) {
	ctx := t.Context()
	errNo := errors.New("no")
	for n := range 6 {
		err := s.Notice().Update(ctx, func(tx notice.Tx) error {
			err := tx.Audit(ctx, audit.Event{Action: "test.act", Actor: s.Hash("123456789011"), Object: fmt.Sprint(n), Result: "ok", Detail: map[string]string{"a": "1", "b": "2"}})
			if n%3 == 2 {
				err = errors.Join(err, errNo)
			}
			return err
		})
		if (n%3 == 2) != errors.Is(err, errNo) {
			t.Fatal(err)
		}
	}
	err := s.Notice().Update(ctx, func(tx notice.Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "test.act", Object: "123456789011"})
	})
	if err == nil {
		t.Error("a personal number was recorded")
	}
	records, err := s.AuditRecords(ctx, "test", 0, 100)
	if err != nil || len(records) != 4 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if good, err := s.VerifyAudit(ctx); err != nil || good != 4 {
		t.Errorf("%d good, %v", good, err)
	}
}

// courier fails as it is told, and remembers.
type courier struct {
	mu   sync.Mutex
	fail []error // of the next sends
	sent []notice.Letter
	seen chan struct{}
}

func (c *courier) Send(_ context.Context, l notice.Letter) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.seen <- struct{}{} }()
	if len(c.fail) > 0 {
		err := c.fail[0]
		c.fail = c.fail[1:]
		if err != nil {
			return err
		}
	}
	c.sent = append(c.sent, l)
	return nil
}

type still func(about string) (string, error)

func (f still) Still(_ context.Context, about string) (string, error) { return f(about) }

func message(key string) notice.Message {
	return notice.Message{N: "N-20", To: key + "@example.kz", Lang: lang.RU, Key: notice.Key("N-20", key, "", ""),
		Vars: map[string]string{"time": notice.Moment(time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC))}}
}

// outbox: a letter is sent if and only if its transaction committed, once for each key, and stands
// in the end as what became of it.
func outbox(t *testing.T, s *store.Store) {
	ctx := t.Context()
	refused := &notice.RefusedError{Code: 550}
	c := &courier{seen: make(chan struct{}, 10)}
	sender, err := notice.NewSender(notice.SenderConfig{Store: s.Notice(), Courier: c, Still: still(func(about string) (string, error) {
		return map[string]string{"gone": "successor"}[about], nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	notify := func(m notice.Message, result error) {
		t.Helper()
		err := s.Notice().Update(ctx, func(tx notice.Tx) error { return errors.Join(tx.Notify(ctx, m), result) })
		if !errors.Is(err, result) {
			t.Fatal(err)
		}
	}
	notify(message("rolled-back"), errors.New("no"))
	notify(message("one"), nil)
	notify(message("one"), nil)
	stopped := message("stopped")
	stopped.About = "gone"
	notify(stopped, nil)
	do := func(id int64) notice.Outgoing {
		t.Helper()
		if err := sender.Do(ctx, fmt.Appendf(nil, `{"id":%d}`, id)); err != nil {
			t.Fatal(err)
		}
		var o notice.Outgoing
		err := s.Notice().View(ctx, func(tx notice.Tx) (err error) { o, err = tx.Outgoing(ctx, id); return err })
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	if o := do(1); o.State != notice.Sent || o.To == "" || o.Vars != nil { // the address may be wanted when it comes back
		t.Errorf("sent: %+v", o)
	}
	if do(1); len(c.sent) != 1 || c.sent[0].To != "one@example.kz" {
		t.Errorf("sent again: %d", len(c.sent))
	}
	if o := do(2); o.State != notice.Stopped || o.Why != "successor" || o.To != "" || len(c.sent) != 1 {
		t.Errorf("stopped: %+v", o)
	}
	notify(message("refused"), nil)
	c.fail = []error{refused}
	if o := do(3); o.State != notice.Failed || o.Why != "refused" {
		t.Errorf("refused: %+v", o)
	}
	notify(message("later"), nil)
	for n := 1; n <= 5; n++ {
		c.fail = []error{errors.New("busy")}
		if o := do(4); o.State != notice.Waiting || o.Attempts != n || o.To != "later@example.kz" || o.Due.Before(time.Now()) {
			t.Errorf("try %d: %+v", n, o)
		}
	}
	c.fail = []error{errors.New("busy")}
	if o := do(4); o.State != notice.Failed || o.Why != "unreachable" {
		t.Errorf("gave up: %+v", o)
	}
	err = s.Notice().View(ctx, func(tx notice.Tx) error { _, err := tx.Outgoing(ctx, 99); return err })
	if !errors.Is(err, notice.ErrNotFound) {
		t.Errorf("no such message: %v", err)
	}
	for len(c.seen) > 0 {
		<-c.seen
	}
	// and by itself, through the jobs
	s.Handle(notice.Kind, sender.Do)
	if err := s.Start(context.WithoutCancel(ctx)); err != nil {
		t.Fatal(err)
	}
	notify(message("job"), nil)
	select {
	case <-c.seen:
	case <-time.After(20 * time.Second):
		t.Error("the job sent nothing")
	}
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func reminder(t *testing.T, s *store.Store) {
	ctx := t.Context()
	var firsts []bool
	for _, stage := range []string{"28d", "28d", "14d"} {
		err := s.Notice().Update(ctx, func(tx notice.Tx) error {
			first, err := tx.Examine(ctx, "set-1", stage, time.Now())
			firsts = append(firsts, first)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(firsts) != "[true false true]" {
		t.Errorf("first: %v", firsts)
	}
}

// capped: one address gets two business letters a day; security letters go all the same (NT-19).
func capped(t *testing.T, s *store.Store) {
	ctx := t.Context()
	c := &courier{seen: make(chan struct{}, 10)}
	sender, err := notice.NewSender(notice.SenderConfig{Store: s.Notice(), Courier: c, DailyCap: 2})
	if err != nil {
		t.Fatal(err)
	}
	var first int64
	for id := int64(1); first == 0; id++ {
		err := s.Notice().View(ctx, func(tx notice.Tx) error { _, err := tx.Outgoing(ctx, id); return err })
		if errors.Is(err, notice.ErrNotFound) {
			first = id
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for n, number := range []string{"N-09", "N-20", "N-09", "N-09", "N-20"} {
		m := message("capped")
		m.N, m.Key = number, notice.Key(number, fmt.Sprint(n), "", "")
		m.Vars["number"], m.Vars["status"] = "1", "x"
		err := s.Notice().Update(ctx, func(tx notice.Tx) error { return tx.Notify(ctx, m) })
		if err != nil {
			t.Fatal(err)
		}
		if err := sender.Do(ctx, fmt.Appendf(nil, `{"id":%d}`, first+int64(n))); err != nil {
			t.Fatal(err)
		}
	}
	var waits notice.Outgoing
	err = s.Notice().View(ctx, func(tx notice.Tx) (err error) { waits, err = tx.Outgoing(ctx, first+3); return err })
	if err != nil || waits.State != notice.Waiting || waits.Attempts != 0 || waits.Due.Before(time.Now().Add(23*time.Hour)) || len(c.sent) != 4 {
		t.Errorf("%d sent, the fourth: %+v %v", len(c.sent), waits, err)
	}
}

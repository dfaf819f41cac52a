package notice_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"senim/internal/notice"
)

// NT-32: a receipt said again, late or against the end changes nothing, and leaves one record; a message
// of two parts is delivered when both are.
func TestNT32AReceiptAgainChangesNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		receive := func(r notice.Receipt, want error) {
			t.Helper()
			if err := h.sender.Receive(t.Context(), r); !errors.Is(err, want) {
				t.Errorf("%+v: %v", r, err)
			}
		}
		id := h.notify("N-14", notice.SMS, "+77011234567", "1")
		ref := h.do(id).Ref
		for _, state := range []notice.State{notice.Sent, notice.Delivered, notice.Delivered, notice.Failed, notice.Sent} {
			receive(notice.Receipt{Ref: ref, State: state}, nil)
		}
		h.want("by its name", h.read(id), notice.Delivered, "")
		receive(notice.Receipt{Ref: "0123456789abcdef", State: notice.Failed}, nil)
		receive(notice.Receipt{State: notice.Failed}, nil)

		h.out.text = func(notice.Short) ([]string, notice.Outcome) {
			return []string{"p1", "p2"}, notice.Outcome{State: notice.Sent}
		}
		receive(notice.Receipt{Part: "p1", State: notice.Delivered}, notice.ErrNotFound) // faster than the answer: say it again
		two := h.notify("N-14", notice.SMS, "+77011234567", "2")
		h.do(two)
		receive(notice.Receipt{Part: "p1", State: notice.Delivered}, nil)
		h.want("half of it", h.read(two), notice.Sent, "")
		receive(notice.Receipt{Part: "p1", State: notice.Failed}, nil)
		receive(notice.Receipt{Part: "p2", State: notice.Delivered}, nil)
		h.want("all of it", h.read(two), notice.Delivered, "")

		h.out.text = func(notice.Short) ([]string, notice.Outcome) {
			return []string{"q1"}, notice.Outcome{State: notice.Uncertain}
		}
		half := h.notify("N-14", notice.SMS, "+77011234567", "3")
		h.do(half)
		receive(notice.Receipt{Part: "q1", State: notice.Delivered}, nil)
		h.want("one part arrived, the other has no name", h.read(half), notice.Uncertain, "no answer")
		receive(notice.Receipt{Part: "q1", State: notice.Failed}, nil)

		h.out.text = func(m notice.Short) ([]string, notice.Outcome) {
			return []string{"r" + m.Ref}, notice.Outcome{State: notice.Sent}
		}
		lost := h.notify("N-14", notice.SMS, "+77011234567", "4")
		receive(notice.Receipt{Part: "r" + h.do(lost).Ref, State: notice.Failed}, nil)
		h.want("undeliverable", h.read(lost), notice.Failed, "undeliverable")
		want := []string{"notice.sent(ok)", "notice.delivered(ok)", "notice.sent(ok)", "notice.delivered(ok)", "notice.uncertain(no answer)", "notice.sent(ok)", "notice.failed(undeliverable)"}
		if got := h.recorded("notice."); !slices.Equal(got, want) {
			t.Errorf("recorded %q", got)
		}
	})
}

// A receipt may come before the worker has written down what the gateway answered.
func TestAReceiptMayBeFaster(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		var wg sync.WaitGroup
		h.out.text = func(m notice.Short) ([]string, notice.Outcome) {
			wg.Go(func() {
				if err := h.sender.Receive(t.Context(), notice.Receipt{Ref: m.Ref, State: notice.Delivered}); err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			return nil, notice.Outcome{State: notice.Sent}
		}
		h.want("the message", h.do(h.notify("N-14", notice.SMS, "+77011234567", "1")), notice.Delivered, "")
	})
}

// NT-20: of all the sender does with failing providers who repeat what they hear, the log, the audit and
// the jobs hold no address, phone, value or word of theirs. 10,000 sends with SENIM_LONG=1.
func TestNT20TheSenderSaysNothingPersonal(t *testing.T) {
	each := int64(250)
	if os.Getenv("SENIM_LONG") != "" {
		each = 5000
	}
	everywhere(t, func(t *testing.T, h *house) {
		n := 0
		h.out.letter = func(l notice.Letter) error {
			switch n++; n % 4 {
			case 0:
				panic(l)
			case 1:
				return &notice.RefusedError{Code: 550, Status: "5.1.1"}
			}
			return errBusy
		}
		h.out.text = func(m notice.Short) ([]string, notice.Outcome) {
			switch n++; n % 4 {
			case 0:
				panic(m)
			case 1:
				return nil, notice.Outcome{State: notice.Failed, Code: 403}
			case 2:
				return []string{"name-of-a-part"}, notice.Outcome{State: notice.Uncertain, Code: 503}
			}
			return nil, notice.Outcome{State: notice.Throttled}
		}
		h.update(func(tx notice.Tx) error {
			for i := range each {
				v := everyVar()
				v["reason"], v["time"] = "secret-value", "secret-value"
				for channel, to := range map[notice.Channel]string{notice.Email: fmt.Sprintf("person%d@example.kz", i), notice.SMS: fmt.Sprintf("+7701%07d", 1000000+i)} {
					if err := tx.Notify(t.Context(), notice.Message{N: "N-14", Channel: channel, To: to, Key: notice.Key("N-14", "", "", to), Vars: v}); err != nil {
						return err
					}
				}
			}
			return nil
		})
		for id := range 2 * each {
			h.do(id + 1)
		}
		records, err := h.store.AuditRecords(t.Context(), "test", 0, 1000000)
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, r := range records {
			fmt.Fprintf(&all, "%+v\n", r)
		}
		said := h.log.String() + all.String() + fmt.Sprintf("%+v", h.report())
		if lines := strings.Count(h.log.String(), "\n"); int64(lines) < 2*each || len(records) == 0 {
			t.Fatalf("%d lines, %d records of %d sends", lines, len(records), 2*each)
		}
		for _, secret := range []string{"@example", "person", "+7701", "7701100", "secret", "Senim:", "name-of-a-part"} {
			if i := strings.Index(said, secret); i >= 0 {
				t.Errorf("%q is said: %s", secret, said[max(0, i-200):min(len(said), i+100)])
			}
		}
	})
}

// What ended long ago is forgotten, what waits is not.
func TestSweep(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		old := h.notify("N-14", notice.Email, "a@example.kz", "1")
		h.do(old)
		waits := h.notify("N-14", notice.Email, "a@example.kz", "2")
		for _, days := range []int{179, 181} {
			h.now = noon.AddDate(0, 0, days)
			if err := h.sender.Sweep(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			err := h.store.Notice().View(t.Context(), func(tx notice.Tx) error { _, err := tx.Outgoing(t.Context(), old); return err })
			if gone := errors.Is(err, notice.ErrNotFound); gone != (days > 180) {
				t.Errorf("after %d days: %v", days, err)
			}
			h.read(waits)
		}
	})
}

package ra

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/trust"
)

// I5: the weekly list of a head counts the people in it whom letters do not reach, and names none of them for it.
func TestTheWeeklyListCountsBadAddresses(t *testing.T) {
	w := newTown(t)
	const bin, head = "123456789021", "123456789011"
	w.heads[bin] = HeadAnswer{Verdict: trust.Good, IIN: head}
	w.confirmed(head)
	account := w.m.d.accounts[head]
	account.Lang = lang.RU
	w.m.d.accounts[head] = account
	w.o.c.Companies = func(_ context.Context, _, _ time.Time, after string, _ int) ([]string, error) {
		if after < bin {
			return []string{bin}, nil
		}
		return nil, nil
	}
	w.now = time.Date(2026, 9, 7, 11, 0, 0, 0, lang.Astana)
	w.staff(bin, 4, w.now.AddDate(0, 0, 20))
	var people []string
	for _, k := range w.keys {
		if k.BIN == bin && k.IIN != head && !slices.Contains(people, k.IIN) {
			people = append(people, k.IIN)
		}
	}
	if len(people) < 3 {
		t.Fatalf("%d people", len(people))
	}
	w.m.d.accounts[people[0]] = Account{IIN: people[0], Email: "gone@example.kz", ConfirmedAt: t0, Bad: true}
	w.m.d.accounts[people[1]] = Account{IIN: people[1], Email: "typo@example.kz", Bad: true} // never confirmed: nobody relies on it
	w.m.d.accounts[people[2]] = Account{IIN: people[2], Email: "good@example.kz", ConfirmedAt: t0}
	w.ok(w.o.SendLists(t.Context()))
	lists := w.m.d.letters
	if len(lists) != 1 || lists[0].N != "N-25.bad" || lists[0].Vars["bad"] != "1" {
		t.Fatalf("%+v", lists)
	}
	letter, err := notice.Render(lists[0], "Senim")
	if err != nil || !strings.Contains(letter.Text, "до которых не доходят письма: 1") || strings.Contains(letter.Text, "gone@") || letter.Class != notice.Reminder {
		t.Errorf("%v\n%s", err, letter.Text)
	}
}

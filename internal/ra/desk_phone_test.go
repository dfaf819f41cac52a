package ra

import (
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/notice"
)

// The phone of the person at a desk is checked by a code that goes to the number of the mobile citizens base: by five
// tries, for five minutes, once a minute, and by nobody for himself.
func TestPhoneCheckedAtTheDesk(t *testing.T) {
	w := newTown(t)
	const number, person = "261124000017", "009900000117"
	by := Operator{IIN: "009900000008", Serial: "aa"}
	w.ok(w.m.Put(t.Context(), Application{Number: number, Revision: 1, Kind: Issuance, State: AwaitingDesk, Subject: Subject{IIN: person}, Changed: w.now, SignedAt: w.now}))
	if got := codeOf(w.o.SendPhoneCode(t.Context(), by, number)); got != "PHONE_UNKNOWN" {
		t.Errorf("without a phone: %s", got)
	}
	w.phones[person] = "+77010000117"
	if got := codeOf(w.o.SendPhoneCode(t.Context(), Operator{IIN: person}, number)); got != "OPERATOR_SELF" {
		t.Errorf("his own: %s", got)
	}
	if masked, err := w.o.DeskPhone(t.Context(), by, number); err != nil || strings.Contains(masked, "0000117") {
		t.Errorf("the operator sees %q %v", masked, err)
	}
	w.ok(w.o.SendPhoneCode(t.Context(), by, number))
	l := w.m.d.letters[len(w.m.d.letters)-1]
	if l.N != "N-21" || l.Channel != notice.SMS || l.To != "+77010000117" || l.Vars["action"] != "@factor.action.phone" {
		t.Errorf("message %+v", l)
	}
	if got := codeOf(w.o.SendPhoneCode(t.Context(), by, number)); got != "CODE_SOON" {
		t.Errorf("again at once: %s", got)
	}
	right := l.Vars["code"]
	wrong := "000000"
	if right == wrong {
		wrong = "000001"
	}
	if got := codeOf(w.o.ConfirmPhone(t.Context(), by, number, wrong)); got != "CODE_WRONG" {
		t.Errorf("a wrong code: %s", got)
	}
	if a, _ := w.m.Application(t.Context(), number); !a.PhoneAt.IsZero() {
		t.Error("checked by a wrong code")
	}
	w.phones[person] = "+77010000118" // the base has another by now
	if got := codeOf(w.o.ConfirmPhone(t.Context(), by, number, right)); got != "CODE_WRONG" {
		t.Errorf("the code of another phone: %s", got)
	}
	w.phones[person] = "+77010000117"
	w.ok(w.o.ConfirmPhone(t.Context(), by, number, right))
	if a, _ := w.m.Application(t.Context(), number); !a.PhoneAt.Equal(w.now) {
		t.Errorf("checked at %v", a.PhoneAt)
	}
	if got := codeOf(w.o.ConfirmPhone(t.Context(), by, number, right)); got != "CODE_USED" {
		t.Errorf("once more: %s", got)
	}
	if open, err := w.o.FactorOpen(t.Context(), person, "reissue:"+FormatNumber(number)); err != nil || open && w.o.c.Factor.needs("reissue:x") {
		t.Errorf("it opens something else: %v %v", open, err)
	}
	for _, action := range []string{"factor.started", "factor.failed", "factor.passed", "phone.checked"} {
		if !slices.ContainsFunc(w.m.d.events, func(e audit.Event) bool { return e.Action == action }) {
			t.Errorf("%s is not recorded", action)
		}
	}
}

// Scans are read on record, and removed three years after the last change of their application.
func TestScansAreRemoved(t *testing.T) {
	w := newTown(t)
	by := Operator{IIN: "009900000008", Serial: "aa"}
	for _, number := range []string{"261124000017", "261124000025"} {
		a := Application{Number: number, Revision: 1, Kind: Issuance, State: Installed, Subject: Subject{IIN: "1"}, Changed: w.now, Visit: Visit{Scan: Scan{Hash: "h"}}}
		if number == "261124000025" {
			a.Changed = w.now.AddDate(1, 0, 0)
		}
		w.ok(w.m.Put(t.Context(), a))
		w.ok(w.m.PutScan(t.Context(), number, Scan{Hash: "h"}, []byte("%PDF-")))
	}
	old, _ := w.m.Application(t.Context(), "261124000017")
	young, _ := w.m.Application(t.Context(), "261124000025")
	if body, err := w.o.Scanned(t.Context(), by, old); err != nil || string(body) != "%PDF-" {
		t.Errorf("%q %v", body, err)
	}
	w.now = w.now.Add(ScanTTL)
	w.ok(w.o.Sweep(t.Context()))
	if _, err := w.o.Scanned(t.Context(), by, old); err != nil {
		t.Errorf("removed too early: %v", err)
	}
	w.now = w.now.Add(time.Second)
	w.ok(w.o.Sweep(t.Context()))
	if _, err := w.o.Scanned(t.Context(), by, old); codeOf(err) != "SCAN_GONE" {
		t.Errorf("after three years: %v", err)
	}
	if _, err := w.o.Scanned(t.Context(), by, young); err != nil {
		t.Errorf("a younger one: %v", err)
	}
	read, removed := 0, 0
	for _, e := range w.m.d.events {
		switch e.Action {
		case "desk.scan_read":
			read++
		case "desk.scans_removed":
			removed++
		}
	}
	if read != 3 || removed != 1 {
		t.Errorf("recorded: %d read, %d removed", read, removed)
	}
}

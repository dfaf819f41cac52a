package ra

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

// code is the code of a refusal, "" of nil.
func code(err error) string {
	if err == nil {
		return ""
	}
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Code
	}
	return err.Error()
}

func want(t *testing.T, what string, err error, code_ string) {
	t.Helper()
	if got := code(err); got != code_ {
		t.Errorf("%s: got %q, want %q", what, got, code_)
	}
}

// signedEmployee is E's application for keys of X, waiting for the head.
func signedEmployee(t *testing.T) *Application {
	t.Helper()
	a := &Application{Number: "260901000014", Revision: 1, Kind: Employee, State: Draft, Role: RoleEmployee,
		Subject: Subject{IIN: "E", BIN: "X"}, Requests: []Request{{}}, Document: "<a/>"}
	want(t, "sign", a.Sign([]byte("signed"), "hash", t0), "")
	want(t, "route", a.Route(HeadAnswer{Verdict: "good", IIN: "D"}, t0), "")
	if a.State != AwaitingDirector {
		t.Fatalf("state %s", a.State)
	}
	return a
}

func director() Confirmer { return Confirmer{IIN: "D", BIN: "X", Role: RoleHead, Leader: true} }

func TestConfirm(t *testing.T) {
	for _, c := range []struct {
		name     string
		by       Confirmer
		revision int
		hash     string
		after    time.Duration
		want     string
	}{
		{"C-08 head", director(), 1, "hash", time.Hour, ""},
		{"C-18 in the last hour", director(), 1, "hash", 30*24*time.Hour - time.Hour, ""},
		{"after 30 days", director(), 1, "hash", 30*24*time.Hour + time.Second, "APPLICATION_EXPIRED"},
		{"C-10 applicant's own certificate", Confirmer{IIN: "E", BIN: "X", Role: RoleHead, Leader: true}, 1, "hash", 0, "SELF_CONFIRM"},
		{"C-11 HR", Confirmer{IIN: "H", BIN: "X", Role: RoleHR, Leader: true, Delegation: "d"}, 1, "hash", 0, "ROLE_CANNOT_CONFIRM"},
		{"C-13 delegate", Confirmer{IIN: "S", BIN: "X", Role: RoleSignRight, Delegation: "d"}, 1, "hash", 0, ""},
		{"C-14 no delegation", Confirmer{IIN: "S", BIN: "X", Role: RoleSignRight}, 1, "hash", 0, "ROLE_CANNOT_CONFIRM"},
		{"head's certificate, not leader any more", Confirmer{IIN: "D", BIN: "X", Role: RoleHead}, 1, "hash", 0, "NOT_HEAD_NOW"},
		{"a delegate's application by another delegate", Confirmer{IIN: "S", BIN: "X", Role: RoleSignRight, Delegation: "d", Peer: true}, 1, "hash", 0, "HEAD_CONFIRMS_DELEGATE"},
		{"C-10 with a personal key", Confirmer{IIN: "E", Role: RoleIndividual}, 1, "hash", 0, "SELF_CONFIRM"},
		{"C-41 head of Y", Confirmer{IIN: "Z", BIN: "Y", Role: RoleHead, Leader: true}, 1, "hash", 0, "NOT_YOUR_APPLICATION"},
		{"no organisation", Confirmer{IIN: "Z", Role: RoleHead, Leader: true}, 1, "hash", 0, "NOT_YOUR_APPLICATION"},
		{"C-39 other revision", director(), 2, "hash", 0, "REVISION_CHANGED"},
		{"other text", director(), 1, "other", 0, "REVISION_CHANGED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := signedEmployee(t)
			want(t, "confirm", a.Confirm(c.by, c.revision, c.hash, "evidence", t0.Add(c.after)), c.want)
			if (a.State == Approved) != (c.want == "") || (len(a.Approvals) == 1) != (c.want == "") {
				t.Errorf("state %s with %d approvals", a.State, len(a.Approvals))
			}
		})
	}
	a := signedEmployee(t)
	want(t, "first", a.Confirm(director(), 1, "hash", "evidence", t0), "")
	want(t, "second at once", a.Confirm(director(), 1, "hash", "evidence", t0), "ALREADY_CONFIRMED")
}

func TestReject(t *testing.T) {
	a := signedEmployee(t)
	want(t, "without a reason", a.Reject(director(), 1, "hash", "evidence", "", t0), "REASON_REQUIRED")
	want(t, "own", a.Reject(Confirmer{IIN: "E", BIN: "X", Role: RoleHead, Leader: true}, 1, "hash", "evidence", "x", t0), "SELF_CONFIRM")
	want(t, "with a reason", a.Reject(director(), 1, "hash", "evidence", "не наш сотрудник", t0), "")
	want(t, "again", a.Reject(director(), 1, "hash", "evidence", "x", t0), "APPLICATION_REJECTED")
	if a.State != Rejected || a.Reason.Text != "не наш сотрудник" || a.Rejection == nil || a.Rejection.IIN != "D" || a.Rejection.Evidence != "evidence" {
		t.Errorf("%s %+v", a.State, a.Reason)
	}
}

func TestC16EditCancelsApprovals(t *testing.T) {
	a := signedEmployee(t)
	want(t, "confirm", a.Confirm(director(), 1, "hash", "evidence", t0), "")
	want(t, "edit", a.Edit("new@example.kz", "Астана", PKCS12, t0), "")
	if a.State != Draft || a.Revision != 2 || len(a.Approvals) != 0 || len(a.Requests) != 0 || a.SignedHash != "" || a.Document != "" {
		t.Errorf("after the edit: %+v", a)
	}
	want(t, "old confirmation replayed", a.Confirm(director(), 1, "hash", "evidence", t0), "REVISION_CHANGED")
	fresh := &Application{State: Draft, Revision: 1}
	want(t, "edit a draft", fresh.Edit("a", "b", PKCS12, t0), "")
	if fresh.Revision != 1 {
		t.Error("a draft without requests got a new revision")
	}
}

func TestC19WithdrawnIsNotConfirmed(t *testing.T) {
	a := signedEmployee(t)
	want(t, "withdraw", a.Withdraw(t0), "")
	want(t, "confirm a withdrawn one", a.Confirm(director(), 1, "hash", "evidence", t0), "APPLICATION_WITHDRAWN")
	b := signedEmployee(t)
	want(t, "confirm", b.Confirm(director(), 1, "hash", "evidence", t0), "")
	want(t, "begin", b.BeginIssue(t0), "")
	want(t, "withdraw after issuing began", b.Withdraw(t0), "APPLICATION_STATE")
	want(t, "edit after issuing began", b.Edit("a", "b", PKCS12, t0), "APPLICATION_STATE")
}

func TestC17Expire(t *testing.T) {
	a := signedEmployee(t)
	want(t, "at 30 days", a.Expire(ConfirmTTL, t0.Add(30*24*time.Hour)), "APPLICATION_STATE")
	want(t, "a second later", a.Expire(ConfirmTTL, t0.Add(30*24*time.Hour+time.Second)), "")
	if a.State != Expired {
		t.Error(a.State)
	}
}

func TestRoute(t *testing.T) {
	good := func(iin string) HeadAnswer { return HeadAnswer{Verdict: "good", IIN: iin} }
	for _, c := range []struct {
		name, role, bin string
		head            HeadAnswer
		state           State
		reason          string
	}{
		{"individual", RoleIndividual, "", good(""), Approved, ""},
		{"individual, register of persons silent", RoleIndividual, "", HeadAnswer{}, Signed, "REG_UNAVAILABLE"},
		{"individual, dead", RoleIndividual, "", HeadAnswer{Verdict: "bad", Code: "PERSON_EXCLUDED"}, AwaitingDesk, "PERSON_EXCLUDED"},
		{"C-09 head, the registry agrees", RoleHead, "X", good("E"), Approved, ""},
		{"C-30 head, another in the registry", RoleHead, "X", good("D"), AwaitingDesk, "HEAD_NOT_IN_REGISTRY"},
		{"C-31 registry silent", RoleHead, "X", HeadAnswer{}, Signed, "REG_UNAVAILABLE"},
		{"organisation gone", RoleHead, "X", HeadAnswer{Verdict: "bad", Code: "ENTERPRISE_LIQUIDATED"}, AwaitingDesk, "ENTERPRISE_LIQUIDATED"},
		{"employee", RoleEmployee, "X", good("D"), AwaitingDirector, ""},
		{"employee, registry silent", RoleEmployee, "X", HeadAnswer{Verdict: "unknown"}, Signed, "REG_UNAVAILABLE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &Application{State: Signed, Role: c.role, Subject: Subject{IIN: "E", BIN: c.bin}}
			want(t, "route", a.Route(c.head, t0), "")
			if a.State != c.state || a.Reason.Code != c.reason {
				t.Errorf("%s %q, want %s %q", a.State, a.Reason.Code, c.state, c.reason)
			}
		})
	}
}

func TestInstall(t *testing.T) {
	issued := func() *Application {
		return &Application{State: Issued, Certificates: []Certificate{{Serial: "a"}, {Serial: "b"}}}
	}
	for name, c := range map[string]struct {
		serials []string
		want    string
	}{"both": {[]string{"b", "a"}, ""}, "one": {[]string{"a"}, "CERT_KEY_MISMATCH"}, "another": {[]string{"a", "b", "c"}, "CERT_KEY_MISMATCH"}, "none": {nil, "CERT_KEY_MISMATCH"}} {
		a := issued()
		want(t, name, a.Install(c.serials, t0), c.want)
		if (a.State == Installed) != (c.want == "") {
			t.Errorf("%s: %s", name, a.State)
		}
	}
	a := issued()
	want(t, "first", a.Install([]string{"a", "b"}, t0), "")
	want(t, "reported twice", a.Install([]string{"a", "b"}, t0), "")
}

func TestFinalStatesStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := &Application{Revision: 1, Kind: Employee, State: Draft, Role: RoleEmployee, Subject: Subject{IIN: "E", BIN: "X"}}
		at := t0
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			before := *a
			at = at.Add(time.Duration(rapid.Int64Range(0, int64(20*24*time.Hour)).Draw(t, "wait")))
			switch rapid.IntRange(0, 9).Draw(t, "event") {
			case 0:
				if a.State == Draft {
					a.Requests, a.Document = []Request{{}}, "<a/>"
				}
			case 1:
				_ = a.Sign([]byte("s"), "hash", at)
			case 2:
				_ = a.Route(HeadAnswer{Verdict: "good", IIN: "D"}, at)
			case 3:
				_ = a.Confirm(director(), a.Revision, a.SignedHash, "evidence", at)
			case 4:
				_ = a.Reject(director(), a.Revision, a.SignedHash, "evidence", "no", at)
			case 5:
				_ = a.Edit("e", "c", PKCS12, at)
			case 6:
				_ = a.Withdraw(at)
			case 7:
				_ = a.Expire(ConfirmTTL, at)
			case 8:
				_ = a.BeginIssue(at)
			case 9:
				_ = a.Issue([]Certificate{{Serial: "a"}}, at)
			}
			if before.State.Final() && a.State != before.State {
				t.Fatalf("%s became %s", before.State, a.State)
			}
			if a.State == Approved && len(a.Approvals) == 0 {
				t.Fatal("approved without an approval")
			}
			if a.State == Issued && len(a.Certificates) != len(a.Requests) {
				t.Fatal("issued without its certificates")
			}
			if a.State == Draft && len(a.Approvals) != 0 {
				t.Fatal("a draft with approvals")
			}
		}
	})
}

func TestNumber(t *testing.T) { // L1
	n, err := NewNumber(t0, 17)
	if err != nil || len(n) != 12 || n[:11] != "26090100017" {
		t.Fatal(n, err)
	}
	for _, typed := range []string{n, FormatNumber(n), " " + n[:4] + " " + n[4:8] + " " + n[8:] + " "} {
		if got, err := ParseNumber(typed); err != nil || got != n {
			t.Errorf("%q: %q %v", typed, got, err)
		}
	}
	// ISO 7064 MOD 11,10 finds every wrong digit.
	rapid.Check(t, func(t *rapid.T) {
		n, err := NewNumber(t0, rapid.IntRange(1, 99999).Draw(t, "n"))
		if err != nil {
			t.Fatal(err)
		}
		i, d := rapid.IntRange(0, 11).Draw(t, "at"), byte('0'+rapid.IntRange(0, 9).Draw(t, "digit"))
		wrong := n[:i] + string(d) + n[i+1:]
		if _, err := ParseNumber(wrong); (err == nil) != (wrong == n) {
			t.Fatalf("%s for %s: %v", wrong, n, err)
		}
	})
	for _, bad := range []string{"", "12345", "26090100017x", "２６０９０１０００１７０"} {
		want(t, bad, func() error { _, err := ParseNumber(bad); return err }(), "NUMBER_INVALID")
	}
	if _, err := NewNumber(t0, 100000); err == nil {
		t.Error("the 100000th number of a day was given")
	}
}

package participant

import (
	"errors"
	"testing"
)

var (
	adminOne = Administrator{IIN: "009900000008", Serial: "01", Name: "О. О."}
	adminTwo = Administrator{IIN: "009900000909", Serial: "02", Name: "Д. Д."}
)

func (w *town) refuses(code string, err error) {
	w.t.Helper()
	var d *Denied
	if !errors.As(err, &d) || d.Code != code {
		w.t.Errorf("%v, want %s", err, code)
	}
}

// admin blocks or lifts, with as many signatures as it takes.
func (w *town) admin(kind AdminKind, object string, lift bool) AdminAct {
	w.t.Helper()
	a, err := w.office.Administer(w.t.Context(), adminOne, kind, object, lift, "  нет\n отчётов ")
	w.must(err)
	a, err = w.office.SignAdmin(w.t.Context(), adminOne, a.ID, []byte("<one/>"))
	w.must(err)
	if lift {
		if a.State != AdminWaiting {
			w.t.Errorf("lifted by one: %s", a.State)
		}
		_, err = w.office.SignAdmin(w.t.Context(), adminOne, a.ID, []byte("<one/>"))
		w.refuses("SAME_OPERATOR", err)
		_, err = w.office.SignAdmin(w.t.Context(), Administrator{IIN: adminTwo.IIN, Serial: adminOne.Serial}, a.ID, []byte("<one/>"))
		w.refuses("SAME_OPERATOR", err)
		a, err = w.office.SignAdmin(w.t.Context(), adminTwo, a.ID, []byte("<two/>"))
		w.must(err)
	}
	if a.State != AdminDone || a.Reason != "нет отчётов" {
		w.t.Errorf("done: %+v", a)
	}
	return a
}

func (w *town) events(action string) (n int) {
	for _, e := range w.store.data.events {
		if e.Action == action {
			n++
		}
	}
	return n
}

// A blocked enterprise remembers the status of each of its profiles, and gives it back.
func TestEnterpriseBlockRemembers(t *testing.T) {
	w := newTown(t)
	for id, p := range map[string]Profile{
		"u1": {Type: TypeUser, Status: Active}, "u2": {Type: TypeUser, Status: HeadChangeBlocked, Reason: ReasonHeadChange},
		"u3": {Type: TypeUser, Status: Blocked, Reason: ReasonRemoved}, "u4": {Type: TypeUser, Status: Blocked, Reason: ReasonAdministrator, Note: "своя причина"},
		"u5": {Type: TypeUser, Status: Active, ReconfirmBy: w.now.AddDate(0, 0, -1)},
	} {
		p.ID, p.IIN, p.TIN, p.Since = id, iinC, binX, w.now
		w.store.data.profiles[id] = p
		w.store.data.changes = append(w.store.data.changes, Change{Profile: id, To: p.Status, Reason: p.Reason})
	}
	before := map[string]Profile{}
	for id, p := range w.store.data.profiles {
		before[id] = p
	}
	w.admin(BlockEnterprise, binX, false)
	for id, p := range w.store.data.profiles {
		if p.TIN != binX {
			if p.Status != before[id].Status {
				t.Errorf("%s of another enterprise: %s", id, p.Status)
			}
			continue
		}
		if p.Status != EnterpriseBlocked || p.Previous != before[id].Status || p.Allowed(binX, w.now) != "ENTERPRISE_BLOCKED" {
			t.Errorf("%s: %+v", id, p)
		}
	}
	if _, err := w.office.Administer(t.Context(), adminOne, BlockEnterprise, binX, false, "ещё раз"); err == nil {
		t.Error("blocked twice")
	}
	jobs := len(w.store.data.jobs)
	w.admin(BlockEnterprise, binX, true)
	for id, p := range w.store.data.profiles {
		if p.TIN != binX {
			continue
		}
		if was := before[id]; p.Status != was.Status || p.Note != was.Note || was.Status == Blocked && p.Reason != was.Reason {
			t.Errorf("%s came back as %+v, was %+v", id, p, was)
		}
	}
	if got := w.store.data.jobs[jobs:]; len(got) != 1 || got[0].Kind != ReconfirmKind || got[0].At.Before(w.now) {
		t.Errorf("the confirmation that ran out meanwhile: %+v", got)
	}
	if w.events("admin.block") != 1 || w.events("admin.unblock") < 2 || w.events("profile.status") < 12 {
		t.Errorf("admin.block %d, admin.unblock %d, profile.status %d", w.events("admin.block"), w.events("admin.unblock"), w.events("profile.status"))
	}
	if e := w.store.data.enterprises[binX]; e.Blocked || e.BlockedReason != "" {
		t.Errorf("enterprise: %+v", e)
	}
}

// Accounts and profiles: one blocks, two lift, nobody decides about himself, and what cannot be done is
// refused.
func TestAdministrators(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	w.admin(BlockAccount, iinA, false)
	if a := w.store.data.accounts[iinA]; a.State != AccountBlocked || a.BlockedReason != "нет отчётов" {
		t.Errorf("account: %+v", a)
	}
	_, err := w.office.Admit(ctx, iinA)
	w.refuses("ACCOUNT_BLOCKED", err)
	if got := w.store.data.ended; len(got) != 1 || got[0] != "portal "+iinA+" " {
		t.Errorf("sessions ended: %v", got)
	}
	w.admin(BlockAccount, iinA, true)
	if _, err := w.office.SignIn(ctx, From{}, iinA, passA); err != nil {
		t.Errorf("after lifting: %v", err)
	}

	x := w.profile(iinA, binX)
	w.admin(BlockProfile, x.ID, false)
	x = w.profile(iinA, binX)
	if x.Status != Blocked || x.Note != "нет отчётов" || w.profile(iinA, binY).Status != Active {
		t.Errorf("profile: %+v", x)
	}
	w.admin(BlockProfile, x.ID, true)
	if x = w.profile(iinA, binX); x.Status != Active || x.Note != "" {
		t.Errorf("lifted: %+v", x)
	}

	for _, c := range []struct {
		code   string
		by     Administrator
		kind   AdminKind
		object string
		lift   bool
	}{
		{"PARTICIPANT_UNKNOWN", adminOne, BlockAccount, "000000000000", false}, {"PARTICIPANT_UNKNOWN", adminOne, BlockProfile, "none", false},
		{"PARTICIPANT_UNKNOWN", adminOne, BlockEnterprise, "000000000000", false}, {"ADMIN_STATE", adminOne, BlockAccount, iinA, true},
		{"ADMIN_STATE", adminOne, BlockProfile, x.ID, true}, {"ADMIN_STATE", adminOne, BlockEnterprise, binX, true},
		{"OPERATOR_SELF", Administrator{IIN: iinA, Serial: "3"}, BlockAccount, iinA, false}, {"OPERATOR_SELF", Administrator{IIN: iinA, Serial: "3"}, BlockProfile, x.ID, false},
		{"OPERATOR_SELF", Administrator{IIN: iinA, Serial: "3"}, BlockEnterprise, binX, false},
	} {
		_, err := w.office.Administer(ctx, c.by, c.kind, c.object, c.lift, "причина")
		w.refuses(c.code, err)
	}
	var wrong FieldErrors
	if _, err := w.office.Administer(ctx, adminOne, BlockAccount, iinA, false, " "); !errors.As(err, &wrong) || wrong["reason"] == "" {
		t.Errorf("without a reason: %v", err)
	}

	// A draft is its maker's own; what waits may be rejected, and then nothing happens.
	w.admin(BlockAccount, iinA, false)
	a, err := w.office.Administer(ctx, adminOne, BlockAccount, iinA, true, "исправлено")
	w.must(err)
	if _, _, err := w.office.AdminAct(ctx, adminTwo, a.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("another's draft: %v", err)
	}
	_, err = w.office.SignAdmin(ctx, adminOne, a.ID, []byte("<one/>"))
	w.must(err)
	_, err = w.office.SignAdmin(ctx, Administrator{IIN: iinA, Serial: "3"}, a.ID, []byte("<own/>"))
	w.refuses("OPERATOR_SELF", err)
	a, err = w.office.RejectAdmin(ctx, adminTwo, a.ID)
	w.must(err)
	if a.State != AdminRejected || w.store.data.accounts[iinA].State != AccountBlocked {
		t.Errorf("rejected: %s, account %s", a.State, w.store.data.accounts[iinA].State)
	}
	_, err = w.office.SignAdmin(ctx, adminTwo, a.ID, []byte("<two/>"))
	w.refuses("ADMIN_STATE", err)
	if all, err := w.office.AdminActs(ctx, 100); err != nil || len(all) < 5 {
		t.Errorf("acts: %d, %v", len(all), err)
	}
}

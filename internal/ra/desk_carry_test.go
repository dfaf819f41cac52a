package ra

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// dying is a store whose process dies at one of its transactions; nothing of that one is written.
type dying struct {
	*memory
	left int
}

var errKilled = errors.New("killed")

func (d *dying) Update(ctx context.Context, f func(Tx) error) error {
	if d.left--; d.left == -1 {
		return errKilled
	}
	return d.memory.Update(ctx, f)
}

// Release lifts a hold, and refuses where there is none, as the authority does.
func (w *town) Release(_ context.Context, serial, _, _ string) error {
	if !w.keys[serial].onHold() {
		return errors.New("not on hold")
	}
	w.lift(serial)
	return nil
}

// acted brings an act of two operators to where the second signs.
func (w *town) acted(act, serial string) KeyAct {
	w.t.Helper()
	w.o.c.Holds = w
	k, err := w.o.BeginAct(w.t.Context(), firstOp, KeyAct{Serial: serial, Act: act, Document: docNumber, Text: "ошибка"})
	w.ok(err)
	k, err = w.o.SignAct(w.t.Context(), firstOp, k.ID, []byte("<a/>"))
	w.ok(err)
	return k
}

// jobsOf are the jobs asked for about an act.
func (w *town) jobsOf(k KeyAct) (n int) {
	for _, j := range w.m.d.jobs {
		if j.Kind == JobAct && j.Payload == any(ActTask{k.ID}) {
			n++
		}
	}
	return n
}

// Whenever the process dies, a decision of two operators is either not taken, or taken and carried out in the end,
// once. Nothing happens to a key without its record.
func TestKilledActIsCarriedOut(t *testing.T) {
	for _, act := range []string{ActHold, ActLift} {
		for at := range 3 {
			w := newTown(t)
			serial := w.add(w.ca.Individual()).Certificate.SerialHex()
			if act == ActLift {
				_, err := w.Revoke(t.Context(), serial, "certificateHold", time.Time{}, "")
				w.ok(err)
			}
			was := w.keys[serial].onHold()
			k := w.acted(act, serial)
			w.o.c.Store = &dying{w.m, at}
			_, err := w.o.SignAct(t.Context(), secondOp, k.ID, []byte("<b/>"))
			w.o.c.Store = w.m
			kept := w.m.acts[k.ID]
			switch changed := w.keys[serial].onHold() != was; {
			case at == 0 && (!errors.Is(err, errKilled) || changed || kept.State != ActWaiting || w.jobsOf(k) != 0):
				t.Fatalf("%s, died while deciding: %v, changed %v, %s", act, err, changed, kept.State)
			case at > 0 && (err != nil || kept.State != []ActState{1: ActDecided, 2: ActDone}[at] || !changed || w.jobsOf(k) != 1):
				t.Fatalf("%s, died after the decision: %v, changed %v, %s", act, err, changed, kept.State)
			case at == 0:
				continue
			}
			w.ok(w.o.CarryOut(t.Context(), ActTask{k.ID}))
			w.ok(w.o.CarryOut(t.Context(), ActTask{k.ID}))
			kept = w.m.acts[k.ID]
			action := map[string]string{ActHold: "hold.set", ActLift: "hold.lifted"}[act]
			n := 0
			for _, e := range w.m.d.events {
				if e.Action == action {
					n++
				}
			}
			if kept.State != ActDone || w.keys[serial].onHold() == was || n != 1 || string(kept.Decided.Signed) != "<b/>" {
				t.Errorf("%s, died at %d: %s, on hold %v, recorded %d times", act, at, kept.State, w.keys[serial].onHold(), n)
			}
		}
	}
}

// The authority is silent when the second operator signs: his signature is kept, and the job carries on.
func TestActWaitsForTheAuthority(t *testing.T) {
	w := newTown(t)
	serial := w.add(w.ca.Individual()).Certificate.SerialHex()
	k := w.acted(ActHold, serial)
	w.o.c.Revoker = silentAuthority{}
	k, err := w.o.SignAct(t.Context(), secondOp, k.ID, []byte("<b/>"))
	w.ok(err)
	if k.State != ActDecided {
		t.Fatal(k.State)
	}
	if err := w.o.CarryOut(t.Context(), ActTask{k.ID}); err == nil {
		t.Error("the job must be tried again")
	}
	other := KeyAct{Serial: serial, Act: ActRevoke, Document: docNumber, Reason: "keyCompromise"}
	other, err = w.o.BeginAct(t.Context(), firstOp, other)
	w.ok(err)
	_, err = w.o.SignAct(t.Context(), firstOp, other.ID, []byte("<c/>"))
	want(t, "another act meanwhile", err, "ACT_UNDERWAY")
	_, err = w.o.RejectAct(t.Context(), firstOp, k.ID)
	want(t, "rejected after the decision", err, "ACT_STATE")
	w.m.d.jobs = nil // dropped after weeks
	w.now = w.now.AddDate(0, 0, 40)
	w.ok(w.o.Sweep(t.Context()))
	if w.jobsOf(k) != 1 {
		t.Error("not asked for again")
	}
	w.o.c.Revoker = w
	w.ok(w.o.CarryOut(t.Context(), ActTask{k.ID}))
	if w.m.acts[k.ID].State != ActDone || !w.keys[serial].onHold() {
		t.Error(w.m.acts[k.ID].State)
	}
}

type silentAuthority struct{}

func (silentAuthority) Revoke(context.Context, string, string, time.Time, string) (time.Time, error) {
	return time.Time{}, errors.New("no answer")
}

// What happened to the key meanwhile decides: another hold is not this act's to lift, and a revoked key has none.
func TestActMadeVoid(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(*town, string)
		state     ActState
		void      string
		hold      bool
	}{
		"lifted, and put on hold again": {func(w *town, serial string) {
			w.lift(serial)
			w.now = w.now.Add(time.Hour)
			_, err := w.Revoke(w.t.Context(), serial, "certificateHold", time.Time{}, "")
			w.ok(err)
		}, ActDone, "", true},
		"revoked": {func(w *town, serial string) {
			k := w.keys[serial]
			k.Reason = "keyCompromise"
			w.keys[serial] = k
		}, ActRejected, "ALREADY_REVOKED", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			serial := w.add(w.ca.Individual()).Certificate.SerialHex()
			_, err := w.Revoke(t.Context(), serial, "certificateHold", time.Time{}, "")
			w.ok(err)
			k := w.acted(ActLift, serial)
			w.o.c.Store = &dying{w.m, 1} // before the lift is noted
			_, err = w.o.SignAct(t.Context(), secondOp, k.ID, []byte("<b/>"))
			w.o.c.Store = w.m
			if w.m.acts[k.ID].State != ActDecided {
				t.Fatal(w.m.acts[k.ID].State, err)
			}
			if c.void != "" { // it had not been lifted after all
				_, err := w.Revoke(t.Context(), serial, "certificateHold", time.Time{}, "")
				w.ok(err)
			}
			c.meanwhile(w, serial)
			w.ok(w.o.CarryOut(t.Context(), ActTask{k.ID}))
			if got := w.m.acts[k.ID]; got.State != c.state || got.Void != c.void || w.keys[serial].onHold() != c.hold {
				t.Errorf("%s %s, on hold %v", got.State, got.Void, w.keys[serial].onHold())
			}
		})
	}
}

// A first signature of last year decides nothing today, also before the sweep has passed.
func TestActsExpire(t *testing.T) {
	w := newTown(t)
	serial := w.add(w.ca.Individual()).Certificate.SerialHex()
	w.ok(w.o.Sweep(t.Context()))
	k := w.acted(ActHold, serial)
	draft, err := w.o.BeginAct(t.Context(), firstOp, KeyAct{Serial: serial, Act: ActHold, Document: docNumber, Text: "ошибка"})
	w.ok(err)
	w.now = t0.Add(ConfirmTTL)
	w.ok(w.o.Sweep(t.Context()))
	if got := w.m.acts[k.ID].State; got != ActWaiting {
		t.Fatal(got)
	}
	w.now = w.now.Add(time.Second)
	_, err = w.o.SignAct(t.Context(), secondOp, k.ID, []byte("<b/>"))
	want(t, "too late", err, "ACT_EXPIRED")
	w.ok(w.o.Sweep(t.Context()))
	for _, id := range []string{k.ID, draft.ID} {
		if got := w.m.acts[id].State; got != ActExpired {
			t.Error(got)
		}
	}
	if w.keys[serial].onHold() || !slices.ContainsFunc(w.actions(), func(s string) bool { return s == "desk.act_expired" }) {
		t.Error("expired without a record, or carried out")
	}
}

func (w *town) actions() (all []string) {
	for _, e := range w.m.d.events {
		all = append(all, e.Action)
	}
	return all
}

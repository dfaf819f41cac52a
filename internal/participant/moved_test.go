package participant

import (
	"crypto/sha256"
	"reflect"
	"testing"

	"senim/internal/trust"
)

// moves are the steps of accounts that were recorded.
func (w *town) moves() (all []string) {
	for _, e := range w.store.data.events {
		if e.Action == "account.status" {
			all = append(all, e.Detail["from"]+"→"+e.Detail["to"]+" by "+e.Detail["by"])
		}
	}
	return all
}

// Every step of an account is one of its table, and is recorded.
func TestStepsOfAnAccountAreRecorded(t *testing.T) {
	w := newTown(t)
	ctx, key := t.Context(), w.key(iinB, binX)
	r, cookie := w.data(key)
	w.signed(r, cookie, key)
	w.must(w.office.Cancel(ctx, r.ID, cookie))
	if _, ok := w.store.data.accounts[iinB]; ok {
		t.Error("the account of a registration given up is still there")
	}
	r, cookie = w.data(key)
	link := w.signed(r, cookie, key)
	_, err := w.office.Complete(ctx, link, iinB)
	w.must(err)
	for range failLock {
		if _, err := w.office.SignIn(ctx, From{}, iinB, "another password"); err == nil {
			t.Fatal("a wrong password opens")
		}
	}
	w.must(w.store.Update(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, iinB)
		if err != nil {
			return err
		}
		return w.office.setPassword(ctx, tx, a, "hash", "password.reset.done", "")
	}))
	want := []string{"→PENDING by signed", "PENDING→ by forgotten", "→PENDING by signed", "PENDING→ACTIVE by completed", "ACTIVE→LOCKED by failed", "LOCKED→ACTIVE by reset"}
	if got := w.moves(); !reflect.DeepEqual(got, want) {
		t.Errorf("recorded %q", got)
	}
	err = w.store.Update(ctx, func(tx Tx) error { return w.office.accountMoved(ctx, tx, iinB, AccountBlocked, AccountCompleted) })
	if err == nil {
		t.Error("a step the table does not have was taken")
	}
}

// What cannot be had of the proof is recorded; what was found about the signer is kept all the same.
func TestProofThatCannotBeHad(t *testing.T) {
	w := newTown(t)
	key := w.key(iinB, binX)
	p, err := w.office.prove(t.Context(), []byte("signed"), key.Certificate, Evidence{ID: "e", At: w.now, Checks: []Check{{Rule: "G1", Verdict: trust.Good}}})
	if err != nil || p.token != nil || len(p.proofs) != 1 || p.proofs[0].Kind != ProofChecks || !p.proofs[0].Ends.IsZero() ||
		!reflect.DeepEqual(p.detail, map[string]string{"timestamp": "none", "answers": "none"}) {
		t.Errorf("%+v, %v", p, err)
	}
}

// A list of digests names the files as they are given, in an order that never changes.
func TestNamesOfProofNeverChange(t *testing.T) {
	first := []Proof{{Kind: ProofStamp, Body: []byte("t1")}, {Kind: ProofAnswer, Body: []byte("o1")}, {Kind: ProofAnswer, Body: []byte("o2")}, {Kind: ProofChecks, Body: []byte("{}")}}
	before := files("signed.xml", []byte("<x/>"), first)
	after := files("signed.xml", []byte("<x/>"), append(first, Proof{Kind: ProofSums, Body: sumsOf(before)}, Proof{Kind: ProofStamp, Body: []byte("t2")}))
	if !reflect.DeepEqual(after[:len(before)], before) {
		t.Errorf("%v became %v", before, after)
	}
	var names []string
	for _, f := range after {
		names = append(names, f.Name)
	}
	if want := []string{"signed.xml", "stamp-1.tst", "answer-1.ocsp", "answer-2.ocsp", "checks-1.json", "sums-1.txt", "stamp-2.tst"}; !reflect.DeepEqual(names, want) {
		t.Errorf("names %q", names)
	}
	if got, want := len(sumsOf(before)), len(before)*(2*sha256.Size+3)+len("signed.xmlstamp-1.tstanswer-1.ocspanswer-2.ocspchecks-1.json"); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}

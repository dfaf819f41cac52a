package ca_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/ca"
	"senim/internal/pkitest"
	"senim/internal/store"
	"senim/internal/store/storetest"
	"senim/ocsp"
	"senim/pki"
)

// TestSec4KilledAtEachStep kills the authority's process at each step of an issue, starts it again, and
// wants nothing lost and nothing twice.
func TestSec4KilledAtEachStep(t *testing.T) {
	for _, tt := range []struct {
		step      string
		state     ca.State // what is found afterwards; "" for nothing
		status    ocsp.Status
		recovered bool // the start alone finishes it
	}{
		{"examined", "", ocsp.Revoked, false},
		{"reserved", ca.Reserved, ocsp.Revoked, false},
		{"linted", ca.Reserved, ocsp.Revoked, false},
		{"intended", ca.Intended, ocsp.Revoked, true},
		{"signed", ca.Intended, ocsp.Revoked, true},
		{"stored", ca.Done, ocsp.Good, true},
	} {
		t.Run(tt.step, func(t *testing.T) {
			t.Parallel()
			at := newPlace(t, "")
			o := order(t, "K-1")
			task := at.task(o)
			task.KillAt = tt.step
			p := spawn(t, task)
			p.start(t)
			if a, ok := p.next(); ok {
				t.Errorf("an answer before it was killed: %v", a)
			}
			p.killed(t)

			s := storetest.Open(t, store.Config{URL: at.url, Node: "next"})
			authority := openAuthority(t, s, at.keys(t))
			left := byKey(t, s, o)
			if left.State != tt.state {
				t.Fatalf("found %q, want %q", left.State, tt.state)
			}
			serial := serialOf(t, o)
			if got := status(t, authority, serial); got != tt.status {
				t.Errorf("before the recovery, OCSP says %v", got)
			}
			if tt.state != "" {
				refuses(t, authority, o)
			}
			if err := authority.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			after := byKey(t, s, o)
			if (after.State == ca.Done) != tt.recovered || left.TBS != nil && !bytes.Equal(after.TBS, left.TBS) {
				t.Errorf("recovered: %q", after.State)
			}
			issued, err := authority.Issue(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			done := byKey(t, s, o)
			cert, err := pki.ParseCertificate(issued.Raw)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(done.Raw, issued.Raw) || !bytes.Equal(cert.RawTBS, done.TBS) || issued.Serial != serial {
				t.Error("the certificate is not what was intended")
			}
			if left.State == ca.Intended && !bytes.Equal(left.TBS, cert.RawTBS) {
				t.Error("other bytes were signed than those of the intent")
			}
			if got := status(t, authority, serial); got != ocsp.Good {
				t.Errorf("issued, but OCSP says %v", got)
			}
			issuedOnce(t, s, serial)
		})
	}
}

// refuses: neither the key of an order goes to another, nor its ID to another key.
func refuses(t *testing.T, authority *ca.Service, o ca.Order) {
	t.Helper()
	otherKey, otherID := order(t, o.ID), o
	otherID.ID = "another order"
	if _, err := authority.Issue(t.Context(), otherKey); !errors.Is(err, ca.ErrOtherOrder) {
		t.Errorf("another key for the order: %v", err)
	}
	_, err := authority.Issue(t.Context(), otherID)
	if r, ok := errors.AsType[*ca.Refusal](err); !ok || r.Code != ca.CodeKeyReused {
		t.Errorf("another order for the key: %v", err)
	}
}

// serialOf is the serial an order will have, by the rule of its key.
func serialOf(t *testing.T, o ca.Order) string {
	t.Helper()
	r, err := pki.ParseRequest(o.CSR)
	if err != nil {
		t.Fatal(err)
	}
	id := bytes.Clone(algid.KeyID(r.PublicKey))
	if id[0] &= 0x7f; id[0] < 0x10 {
		id[0] |= 0x10
	}
	return hex.EncodeToString(id)
}

// byKey is the record of an order's key; the zero Record when there is none.
func byKey(t *testing.T, s *store.Store, o ca.Order) (r ca.Record) {
	t.Helper()
	req, err := pki.ParseRequest(o.CSR)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(req.RawSPKI)
	err = s.CA().View(t.Context(), func(tx ca.Tx) (err error) {
		r, err = tx.ByKey(t.Context(), hex.EncodeToString(sum[:]))
		return err
	})
	if err != nil && !errors.Is(err, ca.ErrNotFound) {
		t.Fatal(err)
	}
	return r
}

// status is what OCSP says of a serial of "gost".
func status(t *testing.T, authority *ca.Service, serial string) ocsp.Status {
	t.Helper()
	var issuer *pki.Certificate
	for _, a := range authority.Authorities() {
		if a.Name == "gost" {
			issuer = a.Certificate
		}
	}
	n, _ := new(big.Int).SetString(serial, 16)
	a, err := authority.OCSP(t.Context(), pkitest.Question(t, algid.SHA256, issuer, n, nil))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ocsp.ParseResponse(a.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ocsp.Verify(r, issuer, time.Now()); err != nil {
		t.Fatal(err)
	}
	one, ok := r.Find(issuer, n)
	if !ok {
		t.Fatal("an answer about another certificate")
	}
	return one.Status
}

// issuedOnce reads the audit chains of all nodes: each of the serials was issued once, and no other.
func issuedOnce(t *testing.T, s *store.Store, serials ...string) {
	t.Helper()
	if _, err := s.VerifyAudit(t.Context()); err != nil {
		t.Error(err)
	}
	got := map[string]int{}
	for _, node := range []string{"next", "child-1", "child-2"} {
		all, err := s.AuditRecords(t.Context(), node, 0, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if r.Action == "ca.issued" {
				got[r.Object]++
			}
		}
	}
	for _, serial := range serials {
		if got[serial] != 1 {
			t.Errorf("%s was issued %d times", serial, got[serial])
		}
	}
	if len(got) != len(serials) {
		t.Errorf("%d were issued, want %d", len(got), len(serials))
	}
}

// TestSec4KilledUnderLoad kills the process while many orders are on their way: every certificate that was
// given out is there, and every other order can still be carried out.
func TestSec4KilledUnderLoad(t *testing.T) {
	t.Parallel()
	at := newPlace(t, "")
	orders := make([]ca.Order, 80)
	for i := range orders {
		orders[i] = order(t, fmt.Sprint("L-", i))
	}
	p := spawn(t, at.task(orders...))
	p.start(t)
	given := map[string]childAnswer{}
	for len(given) < 20 {
		a, ok := p.next()
		if !ok || a.Refused != "" {
			t.Fatalf("the child ended, or %s: %s", a.Refused, &p.trial)
		}
		given[a.Order] = a
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for a, ok := p.next(); ok; a, ok = p.next() { // what it said before it died counts as well
		given[a.Order] = a
	}
	p.killed(t)

	s := storetest.Open(t, store.Config{URL: at.url, Node: "next"})
	authority := openAuthority(t, s, at.keys(t))
	if err := authority.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	var serials []string
	for _, o := range orders {
		r := byKey(t, s, o)
		if a, ok := given[o.ID]; ok && (r.State != ca.Done || !bytes.Equal(r.Raw, a.Raw)) {
			t.Errorf("%s was given out, but is %q", o.ID, r.State)
		}
		if r.State == ca.Intended {
			t.Errorf("%s was not recovered", o.ID)
		}
		issued, err := authority.Issue(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		serials = append(serials, issued.Serial)
	}
	issuedOnce(t, s, serials...)
}

// TestSec4TwoProcesses: two authorities over one database are asked for the same orders at the same moment,
// and for two orders with one key. One certificate for an order, one order for a key.
func TestSec4TwoProcesses(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); twoProcesses(t, "") })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); twoProcesses(t, storetest.PostgresURL(t)) })
}

func twoProcesses(t *testing.T, url string) {
	at := newPlace(t, url)
	var same, pairs []ca.Order
	for i := range 6 {
		same = append(same, order(t, fmt.Sprint("T-", i)))
		one := order(t, fmt.Sprint("U-", i, "-a"))
		two := one
		two.ID = fmt.Sprint("U-", i, "-b")
		pairs = append(pairs, one, two)
	}
	var processes []*process
	for range 2 {
		task := at.task(append(same, pairs...)...)
		task.Times = 3
		processes = append(processes, spawn(t, task))
	}
	said := make([][]childAnswer, len(processes))
	var group sync.WaitGroup
	for i, p := range processes {
		p.start(t)
		group.Go(func() {
			for a, ok := p.next(); ok; a, ok = p.next() {
				said[i] = append(said[i], a)
			}
		})
	}
	group.Wait()
	raws := map[string][]byte{}
	answers := 0
	for i, p := range processes {
		p.ended(t)
		for _, a := range said[i] {
			answers++
			switch {
			case a.Refused != "" && !strings.Contains(a.Refused, ca.CodeKeyReused):
				t.Errorf("%s: %s", a.Order, a.Refused)
			case a.Refused != "":
			case raws[a.Order] == nil:
				raws[a.Order] = a.Raw
			case !bytes.Equal(raws[a.Order], a.Raw):
				t.Errorf("%s: two certificates", a.Order)
			}
		}
	}
	if want := 2 * 3 * (len(same) + len(pairs)); answers != want {
		t.Errorf("%d answers, want %d", answers, want)
	}
	var serials []string
	for _, o := range same {
		if raws[o.ID] == nil {
			t.Errorf("%s: no certificate", o.ID)
		}
		serials = append(serials, serialOf(t, o))
	}
	for i := 0; i < len(pairs); i += 2 {
		if (raws[pairs[i].ID] == nil) == (raws[pairs[i+1].ID] == nil) {
			t.Errorf("%s and %s: not exactly one has a certificate", pairs[i].ID, pairs[i+1].ID)
		}
		serials = append(serials, serialOf(t, pairs[i]))
	}
	issuedOnce(t, storetest.Open(t, store.Config{URL: at.url, Node: "next"}), serials...)
}

package pki_test

import (
	"math/big"
	"testing"

	"senim/internal/pkitest"
	"senim/pki"
)

// A list of a part covers the certificates that name it, and no others; a plain reader refuses it.
func TestPart(t *testing.T) {
	a := pkitest.New(t)
	const one, two = "http://localhost/crl/2-0.crl", "http://localhost/crl/2-1.crl"
	leaf := func(address string) *pki.Certificate {
		return a.Issue(pkitest.Spec{Change: func(tpl *pki.Template) { tpl.CRL = []string{address} }}).Certificate
	}
	list := func(points ...string) *pki.RevocationList {
		t.Helper()
		l, err := pki.ParseRevocationList(a.ListOf(pki.ListTemplate{Number: big.NewInt(1), Points: points}))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	mine, part, all := leaf(one), list(one), list()
	if !part.Covers(mine) || part.Covers(leaf(two)) || part.Covers(a.CA) {
		t.Error("a part covers others than its own")
	}
	if !all.Covers(mine) || all.Covers(a.Root) != (string(a.Root.RawIssuer) == string(a.CA.RawSubject)) {
		t.Error("a list of all covers all of its issuer")
	}
	if foreign := pkitest.New(t, pkitest.Config{Name: "OTHER"}); foreign.Individual() != nil && part.Covers(foreign.Individual().Certificate) {
		t.Error("it covers another issuer's")
	}
	if part.CheckSignatureFrom(a.CA) == nil || part.CheckPartSignatureFrom(a.CA) != nil || all.CheckSignatureFrom(a.CA) != nil {
		t.Error("a plain reader and one who knows of parts are told apart")
	}
	if got, ok := part.Part(); !ok || len(got) != 1 || got[0] != one {
		t.Errorf("part %q, %t", got, ok)
	}
	if _, ok := all.Part(); ok || part.SameScope(all) || !part.SameScope(list(one)) || part.SameScope(list(two)) {
		t.Error("scopes are told apart")
	}
}

// Thin keeps every n-th entry and everything else; Bare reads what Entries reads, but for the serials;
// Twice finds a serial that stands there twice.
func TestThinBareTwice(t *testing.T) {
	a := pkitest.New(t)
	tpl := pki.ListTemplate{Number: big.NewInt(7)}
	for i := range 100 {
		e := pki.Entry{Serial: big.NewInt(int64(1 + i*i)), RevokedAt: a.Now, Reason: pki.Reason(i % 6), HasReason: i%2 == 0}
		if i%3 == 0 {
			e.InvalidAt = a.Now.AddDate(-60, 0, -i)
		}
		tpl.Entries = append(tpl.Entries, e)
	}
	l, err := pki.ParseRevocationList(a.ListOf(tpl))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := l.Thin(10)
	if err != nil {
		t.Fatal(err)
	}
	thin, err := pki.ParseRevocationList(raw)
	if err != nil || thin.Len() != 10 || thin.Number.Cmp(l.Number) != 0 || len(thin.Extensions) != len(l.Extensions) {
		t.Fatalf("%d entries, %v", thin.Len(), err)
	}
	if raw, err := l.Thin(100); err != nil || len(raw) != len(l.Raw) {
		t.Errorf("a short list was thinned: %v", err)
	}
	bare := map[int]pki.Entry{}
	for i, e := range l.Bare {
		bare[i] = e
	}
	for i, e := range l.Entries {
		want := tpl.Entries[i]
		if e.Serial.Cmp(want.Serial) != 0 || !e.InvalidAt.Equal(want.InvalidAt) || e.Reason != want.Reason || !e.RevokedAt.Equal(want.RevokedAt) {
			t.Errorf("entry %d: %+v", i, e)
		}
		if e.Serial = nil; bare[i] != e {
			t.Errorf("entry %d: %+v, want %+v", i, bare[i], e)
		}
	}
	if l.Twice() != nil {
		t.Errorf("%v twice", l.Twice())
	}
	tpl.Entries = append(tpl.Entries, tpl.Entries[50])
	if l, err = pki.ParseRevocationList(a.ListOf(tpl)); err != nil || l.Twice() == nil || l.Twice().Cmp(tpl.Entries[50].Serial) != 0 {
		t.Errorf("%v twice, %v", l.Twice(), err)
	}
}

// What cannot be written is refused, and a list that is ended takes no more.
func TestListWriterRefuses(t *testing.T) {
	a := pkitest.New(t)
	tpl := &pki.ListTemplate{Number: big.NewInt(1), ThisUpdate: a.Now, NextUpdate: a.Now.AddDate(0, 0, 7)}
	w, err := pki.NewListWriter(tpl, a.CA)
	if err != nil {
		t.Fatal(err)
	}
	good := pki.Entry{RevokedAt: a.Now}
	for name, add := range map[string]func() error{
		"no serial":     func() error { return w.Add(nil, good) },
		"serial 0":      func() error { return w.Add([]byte{0, 0}, good) },
		"a long serial": func() error { return w.Add(append([]byte{1}, make([]byte, 20)...), good) },
		"reason 7":      func() error { return w.Add([]byte{1}, pki.Entry{RevokedAt: a.Now, Reason: 7}) },
		"year 10000":    func() error { return w.Add([]byte{1}, pki.Entry{RevokedAt: a.Now.AddDate(9000, 0, 0)}) },
		"year 10000 more": func() error {
			return w.Add([]byte{1}, pki.Entry{RevokedAt: a.Now, InvalidAt: a.Now.AddDate(9000, 0, 0)})
		},
	} {
		if add() == nil {
			t.Errorf("%s was written", name)
		}
	}
	if _, err := w.TBS(); err != nil {
		t.Fatal(err)
	}
	if w.Add([]byte{1}, good) == nil {
		t.Error("an entry after the end")
	}
	tpl.BaseNumber, tpl.Freshest = big.NewInt(1), []string{"http://localhost/d.crl"}
	if _, err := pki.NewListWriter(tpl, a.CA); err == nil {
		t.Error("a delta that tells of deltas")
	}
}

package ca

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/lint"
	"senim/internal/pkitest"
	"senim/ocsp"
	"senim/pki"
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// bench is a created and open authority over a memory store.
type bench struct {
	*Service
	store *memory
	keys  *memoryKeys
	clock *clock
}

var start = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

func gostPlan() Plan {
	return Plan{Name: "gost", Algorithm: algid.GOST512, RootName: "СЕНІМ НЕГІЗГІ ОРТАЛЫҚ (GOST)", IssuingName: "СЕНІМ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (GOST)",
		Organization: "СЕНІМ", Address: "http://localhost:8082/"}
}

func rsaPlan() Plan {
	return Plan{Name: "rsa", Algorithm: algid.RSA, RSABits: 2048, RootName: "СЕНІМ НЕГІЗГІ ОРТАЛЫҚ (RSA)", IssuingName: "СЕНІМ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (RSA)",
		Organization: "СЕНІМ", Address: "http://localhost:8082"}
}

func newBench(t *testing.T, plans ...Plan) *bench {
	t.Helper()
	b := &bench{store: newMemory(), keys: &memoryKeys{}, clock: &clock{t: start}}
	if len(plans) == 0 {
		plans = []Plan{gostPlan()}
	}
	if err := Create(t.Context(), Ceremony{Store: b.store, Keys: b.keys, Plans: plans, By: "tester", Now: b.clock.now}); err != nil {
		t.Fatal(err)
	}
	b.open(t)
	return b
}

func (b *bench) open(t *testing.T) {
	t.Helper()
	s, err := Open(t.Context(), Config{Store: b.store, Keys: b.keys, Now: b.clock.now, IssuedJob: "test.issued", RevokedJob: "test.revoked"})
	if err != nil {
		t.Fatal(err)
	}
	b.Service = s
}

func gostKey(t testing.TB) crypto.Signer { return pkitest.NewKey(t, algid.GOST512) }

// rsaKey is new each time, unlike that of pkitest: the authority takes no key twice.
func rsaKey(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func request(t testing.TB, key crypto.Signer) []byte {
	return pkitest.Request(t, key, pki.Holder{CommonName: "ЧУЖОЕ ИМЯ"})
}

func person() Subject {
	return Subject{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", Patronymic: "ТЕСТОВИЧ", IIN: "123456789011", Email: "b@example.kz"}
}

func head() Subject {
	s := person()
	s.Organization, s.BIN = `АО "ТЕСТ"`, "123456789021"
	return s
}

func order(t testing.TB, id string) Order {
	return Order{ID: id, Profile: "individual", CSR: request(t, gostKey(t)), Subject: person(), By: "tester"}
}

func mustIssue(t testing.TB, b *bench, o Order) (*Issued, *pki.Certificate) {
	t.Helper()
	i, err := b.Issue(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.ParseCertificate(i.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return i, c
}

func TestCreateThenOpen(t *testing.T) {
	b := newBench(t, gostPlan(), rsaPlan())
	pool := pki.NewPool()
	byName := map[string]Authority{}
	for _, a := range b.Authorities() {
		byName[a.Name] = a
		if a.Parent == "" {
			pool.AddRoot(a.Certificate)
		}
	}
	for _, name := range []string{"gost", "rsa"} {
		chain, err := pool.Chain(byName[name].Certificate, start)
		if err != nil || len(chain) != 2 {
			t.Errorf("%s: chain of %d: %v", name, len(chain), err)
		}
		list, err := b.CRL(t.Context(), "root_"+name, false)
		if err != nil {
			t.Fatal(err)
		}
		l, err := pki.ParseRevocationList(list.Raw)
		if err != nil || l.CheckSignatureFrom(byName["root_"+name].Certificate) != nil {
			t.Errorf("%s: list of the root: %v", name, err)
		}
	}
	err := Create(t.Context(), Ceremony{Store: b.store, Keys: b.keys, Plans: []Plan{gostPlan()}, Now: b.clock.now})
	if !errors.Is(err, ErrExists) {
		t.Errorf("created twice: %v", err)
	}
	if _, err := Open(t.Context(), Config{Store: newMemory(), Keys: b.keys}); !errors.Is(err, ErrNotFound) {
		t.Errorf("opened an empty store: %v", err)
	}
}

func TestOpenRefusesAnotherKey(t *testing.T) {
	b := newBench(t)
	b.keys.keys["gost"] = gostKey(t)
	if _, err := b.Issue(t.Context(), order(t, "A-1")); err == nil {
		t.Error("issued with a key that is not the authority's")
	}
}

func TestProfiles(t *testing.T) {
	b := newBench(t, gostPlan(), rsaPlan())
	oid := func(last ...int) string {
		return asn1.ObjectIdentifier(append([]int{1, 2, 398, 3, 3, 4}, last...)).String()
	}
	const mail, client = "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.2"
	for _, tt := range []struct {
		profile string
		rsa     bool
		usages  []string
		usage   pki.KeyUsage
		policy  string
		days    int
		system  bool
	}{
		{"individual", false, []string{mail, oid(1, 1)}, combined, "1.2.398.3.3.2", 365, false},
		{"head", false, []string{mail, oid(1, 2), oid(1, 2, 1)}, combined, "1.2.398.3.3.2", 365, false},
		{"sign-right", false, []string{mail, oid(1, 2), oid(1, 2, 2)}, combined, "1.2.398.3.3.2", 365, false},
		{"employee", false, []string{mail, oid(1, 2), oid(1, 2, 5)}, combined, "1.2.398.3.3.2", 365, false},
		{"operator", false, []string{mail, oid(2, 3)}, combined, "1.2.398.3.3.2", 365, false},
		{"info-system", false, []string{oid(1, 2), oid(1, 2, 6)}, combined, "1.2.398.3.3.2", 1095, true},
		{"individual-auth", true, []string{client, oid(1, 1)}, signIn, "1.2.398.3.3.2.4", 365, false},
		{"individual-sign", true, []string{mail, oid(1, 1)}, signing, "1.2.398.3.3.2.3", 365, false},
		{"head-auth", true, []string{client, oid(1, 2), oid(1, 2, 1)}, signIn, "1.2.398.3.3.2.2", 365, false},
		{"head-sign", false, []string{mail, oid(1, 2), oid(1, 2, 1)}, signing, "1.2.398.3.3.2.1", 365, false},
	} {
		t.Run(tt.profile, func(t *testing.T) {
			o := order(t, "P-"+tt.profile)
			o.Profile = tt.profile
			if tt.rsa {
				o.CSR = request(t, rsaKey(t))
			}
			switch {
			case tt.system:
				o.Subject = Subject{CommonName: "ИС ТЕСТ", Organization: `АО "ТЕСТ"`, BIN: "123456789021", UID: "1.2.398.3.3.4.1.2.6.1"}
			case !slices.Contains([]string{"individual", "individual-auth", "individual-sign"}, tt.profile):
				o.Subject = head()
			}
			i, c := mustIssue(t, b, o)
			var got []string
			for _, id := range c.ExtKeyUsage {
				got = append(got, id.String())
			}
			if !slices.Equal(got, tt.usages) || c.KeyUsage != tt.usage || c.Policies[0].String() != tt.policy {
				t.Errorf("usages %v, key usage %b, policy %v", got, c.KeyUsage, c.Policies)
			}
			if d := c.NotAfter.Sub(c.NotBefore); d != time.Duration(tt.days)*24*time.Hour {
				t.Errorf("life %v", d)
			}
			if i.Serial != c.SerialHex() || c.HasUsage(pki.ClientAuth) != c.ForSignIn() && tt.rsa {
				t.Errorf("serial %s, certificate %s", i.Serial, c.SerialHex())
			}
			if c.Subject.Get(pki.OIDCommonName) == "ЧУЖОЕ ИМЯ" {
				t.Error("the name came from the request")
			}
		})
	}
}

func TestSerialRule(t *testing.T) {
	b := newBench(t)
	for i := range 8 {
		_, c := mustIssue(t, b, order(t, fmt.Sprint("S-", i)))
		want := bytes.Clone(c.SubjectKeyID)
		want[0] &= 0x7f
		if want[0] < 0x10 {
			want[0] |= 0x10
		}
		if c.Serial.Cmp(new(big.Int).SetBytes(want)) != 0 || len(c.SerialHex()) != 40 {
			t.Errorf("serial %s of key %x", c.SerialHex(), c.SubjectKeyID)
		}
	}
}

func TestCarrierAndIdentity(t *testing.T) {
	b := newBench(t)
	o := order(t, "C-1")
	o.Storage, o.Identity = pki.StorageKaztoken, IdentityDesk
	_, c := mustIssue(t, b, o)
	if c.NotAfter.Sub(c.NotBefore) != 1095*24*time.Hour || !c.Storage.Equal(pki.StorageKaztoken) {
		t.Errorf("carrier: %s … %s, %v", c.NotBefore, c.NotAfter, c.Storage)
	}
	if !c.ExtKeyUsage[0].Equal(pki.RoleIdentifiedAtDesk.OID()) {
		t.Errorf("usages %v", c.ExtKeyUsage)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t)
	taken := gostKey(t)
	first := order(t, "taken")
	first.CSR = request(t, taken)
	mustIssue(t, b, first)
	broken := request(t, gostKey(t))
	broken[len(broken)-1] ^= 1
	for _, tt := range []struct {
		name, code string
		change     func(*Order)
	}{
		{"key certified before", CodeKeyReused, func(o *Order) { o.CSR = request(t, taken) }},
		{"no possession", CodeCSRInvalid, func(o *Order) { o.CSR = broken }},
		{"no request", CodeCSRInvalid, func(o *Order) { o.CSR = []byte("x") }},
		{"endless request", CodeCSRInvalid, func(o *Order) { o.CSR = make([]byte, maxCSR+1) }},
		{"no authority for RSA", CodeKeyUnsuitable, func(o *Order) { o.CSR, o.Profile = request(t, rsaKey(t)), "individual-sign" }},
		{"RSA for the combined profile", CodeKeyUnsuitable, func(o *Order) { o.CSR = request(t, rsaKey(t)) }},
		{"unknown profile", CodeProfileUnknown, func(o *Order) { o.Profile = "root" }},
		{"no IIN", CodeSubjectInvalid, func(o *Order) { o.Subject.IIN = "" }},
		{"head without BIN", CodeSubjectInvalid, func(o *Order) { o.Profile = "head" }},
		{"individual with BIN", CodeSubjectInvalid, func(o *Order) { o.Subject = head() }},
		{"dates chosen", CodeDatesInvalid, func(o *Order) { o.NotBefore = start.Add(-time.Hour) }},
		{"name begins with another surname", CodeLintFailed, func(o *Order) { o.Subject.CommonName = "ИВАНОВ ТЕСТ" }},
		{"white space in the name", CodeLintFailed, func(o *Order) { o.Subject.CommonName += " " }},
		{"e-mail without a domain", CodeLintFailed, func(o *Order) { o.Subject.Email = "b@" }},
		{"key store outside its arc", CodeLintFailed, func(o *Order) { o.Storage = asn1.ObjectIdentifier{1, 2, 3} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := order(t, "R-"+tt.name)
			tt.change(&o)
			_, err := b.Issue(t.Context(), o)
			refusal, ok := errors.AsType[*Refusal](err)
			if !ok || refusal.Code != tt.code {
				t.Errorf("got %v, want %s", err, tt.code)
			}
		})
	}
}

func TestSameOrderTwice(t *testing.T) {
	b := newBench(t)
	o := order(t, "A-1")
	first, _ := mustIssue(t, b, o)
	b.clock.move(time.Hour)
	again, _ := mustIssue(t, b, o)
	if !bytes.Equal(first.Raw, again.Raw) {
		t.Error("two certificates for one order")
	}
	other := order(t, "A-1")
	if _, err := b.Issue(t.Context(), other); !errors.Is(err, ErrOtherOrder) {
		t.Errorf("another key under the same order: %v", err)
	}
}

func TestSameOrderAtOnce(t *testing.T) {
	b := newBench(t)
	for round := range 5 {
		o := order(t, fmt.Sprint("A-", round))
		// two services stand for two nodes: their locks do not know each other
		other, err := Open(t.Context(), Config{Store: b.store, Keys: b.keys, Now: b.clock.now})
		if err != nil {
			t.Fatal(err)
		}
		raws := make([][]byte, 8)
		var group sync.WaitGroup
		for i := range raws {
			s := b.Service
			if i%2 == 1 {
				s = other
			}
			group.Go(func() {
				issued, err := s.Issue(t.Context(), o)
				if err != nil {
					t.Error(err)
					return
				}
				raws[i] = issued.Raw
			})
		}
		group.Wait()
		for _, raw := range raws {
			if !bytes.Equal(raw, raws[0]) {
				t.Fatal("two certificates for one order")
			}
		}
	}
	if n := len(b.store.snapshot().records); n != 4+5 {
		t.Errorf("%d records", n)
	}
}

func TestSec4Token(t *testing.T) {
	b := newBench(t)
	a := b.authorities["gost"]
	d, err := b.examine(order(t, "T-1"))
	if err != nil {
		t.Fatal(err)
	}
	tbs, err := d.template.TBS()
	if err != nil {
		t.Fatal(err)
	}
	meant, err := a.meant(d.profile, d.record, d.shard)
	if err != nil {
		t.Fatal(err)
	}
	subject := lint.Subject{Kind: lint.Holder, Issuer: a.cert, MaxDays: 365, Meant: meant}
	prepare := func() *token {
		tok, err := b.practice.prove(b.rand, subject, tbs, d.template.Signature)
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	tok := prepare()
	changed := bytes.Clone(tbs)
	changed[len(changed)-1] ^= 1
	if _, err := a.sign(t.Context(), b.rand, tok, changed); !errors.Is(err, errToken) {
		t.Errorf("a changed byte: %v", err)
	}
	root := b.authorities["root_gost"]
	if _, err := root.sign(t.Context(), b.rand, tok, tbs); !errors.Is(err, errToken) {
		t.Errorf("another issuer: %v", err)
	}
	if _, err := a.sign(t.Context(), b.rand, nil, tbs); !errors.Is(err, errToken) {
		t.Errorf("no token: %v", err)
	}
	if _, err := a.sign(t.Context(), b.rand, tok, tbs); err != nil {
		t.Fatal(err)
	}
	if _, err := a.sign(t.Context(), b.rand, tok, tbs); !errors.Is(err, errSpent) {
		t.Errorf("twice: %v", err)
	}
}

// TestSec4Faults lets every transaction of an issue fail in turn, before and after its effect, and shows:
// nothing unrecorded was signed, and whatever may have been signed can be revoked or is finished.
func TestSec4Faults(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; n <= 4; n++ {
			for _, late := range []bool{false, true} {
				t.Run(fmt.Sprintf("transaction %d, after effect %t, late %t", n, after, late), func(t *testing.T) { fault(t, n, after, late) })
			}
		}
	}
}

func fault(t *testing.T, n int, after, late bool) {
	b := newBench(t)
	signed := 0
	b.keys.watch = func(name string, digest []byte) {
		if name != "gost" {
			return
		}
		signed++
		recorded := false
		for _, r := range b.store.snapshot().records {
			if r.TBS != nil && bytes.Equal(algid.Streebog512.Sum(r.TBS), digest) && r.State == Intended {
				recorded = slices.ContainsFunc(b.store.snapshot().audit, func(e auditEvent) bool { return e.Action == "ca.will_sign" && e.Object == r.Serial })
			}
		}
		if !recorded {
			t.Error("signed what was not recorded")
		}
	}
	o := order(t, "F-1")
	b.store.fail(n, after)
	_, err := b.Issue(t.Context(), o)
	if failed := n <= 3; failed != (err != nil) {
		t.Fatalf("transaction %d: %v", n, err)
	}
	b.store.fail(0, false)
	b.open(t) // the process begins anew
	var maybe []Record
	for _, r := range b.store.snapshot().records {
		if r.Order == o.ID && r.State != Reserved {
			maybe = append(maybe, r)
		}
	}
	if signed > len(maybe) {
		t.Fatalf("signed %d, on record %d", signed, len(maybe))
	}
	if late {
		b.clock.move(intentLife + time.Hour)
	}
	for _, r := range maybe {
		if answer := b.ask(t, r.Serial); r.State == Intended && answer.Status != ocsp.Revoked {
			t.Errorf("an intent is answered %v", answer.Status)
		}
	}
	if late {
		for _, r := range maybe {
			if _, err := b.Revoke(t.Context(), r.Serial, KeyCompromise, "tester", time.Time{}); err != nil {
				t.Errorf("what may have been signed cannot be revoked: %v", err)
			}
		}
	}
	if err := b.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	issued, err := b.Issue(t.Context(), o)
	switch {
	case late && len(maybe) > 0 && maybe[0].State == Intended:
		if !errors.Is(err, ErrClosed) {
			t.Fatalf("a closed order: %v", err)
		}
		return
	case err != nil:
		t.Fatal(err)
	}
	if late && len(maybe) > 0 {
		return // issued, then revoked
	}
	if got := b.ask(t, issued.Serial); got.Status != ocsp.Good {
		t.Errorf("issued, but %v", got.Status)
	}
}

// TestSec4InterruptedCeremony lets every transaction of a creation fail: what is left is never opened.
func TestSec4InterruptedCeremony(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; n <= 10; n++ {
			store, keys := newMemory(), &memoryKeys{}
			store.fail(n, after)
			err := Create(t.Context(), Ceremony{Store: store, Keys: keys, Plans: []Plan{gostPlan()}, Now: func() time.Time { return start }})
			if !errors.Is(err, errFault) {
				t.Fatalf("transaction %d: %v", n, err)
			}
			_, err = Open(t.Context(), Config{Store: store, Keys: keys})
			if recorded := n == 10 && after; recorded != (err == nil) {
				t.Errorf("transaction %d, after %t: %v", n, after, err)
			}
			for _, r := range store.snapshot().records {
				if r.State == Done && len(r.Raw) == 0 || r.TBS == nil {
					t.Errorf("transaction %d: record %s is %s", n, r.Serial, r.State)
				}
			}
			if len(keys.keys) > 4 || n == 1 && len(keys.keys) != 1 {
				t.Errorf("transaction %d: %d keys", n, len(keys.keys))
			}
		}
	}
}

// Recover takes everything that was left open, page by page, and what it cannot finish does not keep it
// from the rest.
func TestRecoverTakesAll(t *testing.T) {
	b := newBench(t)
	const many = 1234
	_, like := mustIssue(t, b, order(t, "like these"))
	err := b.store.Update(t.Context(), func(tx Tx) error {
		for i := range many {
			r := Record{CA: "gost", Serial: fmt.Sprintf("%040x", i+1), Order: fmt.Sprint("open-", i), Key: fmt.Sprint(i), Profile: "individual",
				State: Intended, TBS: like.RawTBS, Created: start.Add(-intentLife)}
			if i == 700 {
				r.Created, r.TBS = start, []byte("no certificate") // to be finished, which these bytes cannot be
			}
			if err := tx.Reserve(t.Context(), r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Recover(t.Context()); err == nil || strings.Count(err.Error(), "recover ") != 1 {
		t.Errorf("the one that cannot be finished: %v", err)
	}
	closed := 0
	d := b.store.snapshot()
	for _, r := range d.records {
		if _, revoked := d.revoked[r.Serial]; r.State == Closed && revoked {
			closed++
		}
	}
	if closed != many-1 {
		t.Errorf("%d of %d were closed and revoked", closed, many-1)
	}
}

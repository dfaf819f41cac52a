package ca

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/ocsp"
	"senim/pki"
)

// another opens a second node over the same store.
func (b *bench) another(t *testing.T) *bench {
	t.Helper()
	n := &bench{store: b.store, keys: b.keys, clock: b.clock}
	n.open(t)
	return n
}

func (b *bench) question(t testing.TB, serial string, nonce []byte) []byte {
	t.Helper()
	der, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{b.id(t, serial)}, Nonce: nonce})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func stands(t testing.TB, a *Answer) ocsp.Status {
	t.Helper()
	r, err := ocsp.ParseResponse(a.Raw)
	if err != nil || r.Status != ocsp.Successful {
		t.Fatalf("%v, %v", r, err)
	}
	return r.Singles[0].Status
}

// TestSec5EveryNode: what one node has confirmed, the very next answer of every other says; and a
// node that does not wait for the leases of others is found out in every round.
func TestSec5EveryNode(t *testing.T) {
	const rounds = 10
	for name, waits := range map[string]time.Duration{"as it is": settleTime, "known wrong": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := newBench(t)
			two := one.another(t)
			one.settles = waits
			issued, _ := mustIssue(t, one, order(t, "A-1"))
			der := one.question(t, issued.Serial, nil)
			ask := func() ocsp.Status {
				a, err := two.OCSP(t.Context(), der)
				if err != nil {
					t.Fatal(err)
				}
				return stands(t, a)
			}
			wrong, late := 0, 0
			for range rounds {
				begun := time.Now()
				for ask() != ocsp.Good { // and a lease just taken, the worst case
					begun = time.Now()
				}
				if _, err := one.Revoke(t.Context(), issued.Serial, CertificateHold, "tester", time.Time{}); err != nil {
					t.Fatal(err)
				}
				if ask() != ocsp.Revoked {
					wrong++
				} else if waits == 0 && time.Since(begun) >= leaseTime { // a busy machine: the lease ran out by itself
					late++
				}
				if err := one.Release(t.Context(), issued.Serial, "tester", "another"); err != nil {
					t.Fatal(err)
				}
			}
			if want := map[bool]int{true: 0, false: max(rounds-late, 1)}[waits > 0]; wrong != want {
				t.Errorf("%d of %d answers from before, want %d", wrong, rounds, want)
			}
		})
	}
}

// TestSec5Crowd asks one certificate from many sides while it is held and released on another node.
func TestSec5Crowd(t *testing.T) {
	one := newBench(t)
	two := one.another(t)
	issued, _ := mustIssue(t, one, order(t, "A-1"))
	der := one.question(t, issued.Serial, nil)
	var mu sync.RWMutex // held for writing while the status is in between
	want := ocsp.Good
	stop := make(chan struct{})
	var crowd sync.WaitGroup
	for range 4 {
		crowd.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				mu.RLock()
				a, err := []*bench{one, two}[n%2].OCSP(t.Context(), der)
				if err != nil || stands(t, a) != want {
					t.Errorf("%v, want %v", err, want)
				}
				mu.RUnlock()
			}
		})
	}
	for n := range 6 {
		mu.Lock()
		var err error
		if n%2 == 0 {
			_, err = one.Revoke(t.Context(), issued.Serial, CertificateHold, "tester", time.Time{})
			want = ocsp.Revoked
		} else {
			err = two.Release(t.Context(), issued.Serial, "tester", "another")
			want = ocsp.Good
		}
		mu.Unlock()
		if err != nil {
			t.Error(err)
		}
	}
	close(stop)
	crowd.Wait()
	if c := two.Counts(); c.Kept == 0 || c.Signed > 20 {
		t.Errorf("%+v: not from memory", c)
	}
}

// TestSec5Blind: when the store cannot be read, nothing is good once the lease is over.
func TestSec5Blind(t *testing.T) {
	b := newBench(t)
	issued, _ := mustIssue(t, b, order(t, "A-1"))
	for _, nonce := range [][]byte{nil, []byte("12345678")} {
		b.store.look(false)
		der := b.question(t, issued.Serial, nonce)
		if _, err := b.OCSP(t.Context(), der); err != nil {
			t.Fatal(err)
		}
		b.store.look(true)
		b.tick = func() time.Time { return time.Now().Add(2 * leaseTime) }
		if a, ok := b.Kept(t.Context(), der); ok {
			t.Errorf("kept: %v", stands(t, a))
		}
		if _, err := b.OCSP(t.Context(), der); !errors.Is(err, errFault) {
			t.Errorf("nonce %x: %v", nonce, err)
		}
		b.tick = time.Now
	}
	if c := b.Counts(); c.Failed != 2 || c.Good != 2 {
		t.Errorf("%+v", c)
	}
}

// TestLease: when a reading is good enough.
func TestLease(t *testing.T) {
	now := time.Now()
	for name, tt := range map[string]struct {
		begun time.Time
		want  bool
	}{
		"after the question": {now.Add(time.Millisecond), true},
		"just before":        {now.Add(1 - leaseTime), true},
		"too long ago":       {now.Add(-leaseTime), false},
		"the wall clock moved while the other stood still": {now.Add(-time.Hour).Round(0), false},
	} {
		if got := (&epochRead{begun: tt.begun}).covers(now); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if (*epochRead)(nil).covers(now) {
		t.Error("never read, and good enough")
	}
	if settleTime <= leaseTime {
		t.Error("a revocation does not wait for the lease")
	}
}

// TestEpochBack: a database exchanged under the running program is answered from, never from memory.
func TestEpochBack(t *testing.T) {
	b := newBench(t)
	issued, _ := mustIssue(t, b, order(t, "A-1"))
	old := b.store.snapshot()
	if _, err := b.Revoke(t.Context(), issued.Serial, Superseded, "x", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if b.ask(t, issued.Serial).Status != ocsp.Revoked {
		t.Fatal("not revoked")
	}
	b.store.mu.Lock()
	b.store.d = old
	b.store.mu.Unlock()
	b.authorities["gost"].lease().end()
	for range 2 {
		if got := b.ask(t, issued.Serial).Status; got != ocsp.Good {
			t.Errorf("the database says good, we say %v", got)
		}
	}
	if _, ok := b.Kept(t.Context(), b.question(t, issued.Serial, nil)); ok {
		t.Error("answered from memory")
	}
}

// TestManyChanges: more revocations at once than are followed one by one.
func TestManyChanges(t *testing.T) {
	b := newBench(t)
	issued, _ := mustIssue(t, b, order(t, "A-1"))
	b.ask(t, issued.Serial)
	err := b.store.Update(t.Context(), func(tx Tx) error {
		for n := range maxChanges + 5 {
			if err := tx.AddRevocation(t.Context(), "gost", pki.SerialHex(big.NewInt(int64(1000+n))), Revocation{At: start}); err != nil {
				return err
			}
		}
		return tx.AddRevocation(t.Context(), "gost", issued.Serial, Revocation{At: start, Reason: KeyCompromise})
	})
	if err != nil {
		t.Fatal(err)
	}
	b.authorities["gost"].lease().end()
	if one := b.ask(t, issued.Serial); one.Status != ocsp.Revoked {
		t.Errorf("%v", one.Status)
	}
}

// TestSec5HalfLife: an answer is signed anew after half its life; when that fails the old one goes on,
// and in its last minutes nothing does.
func TestSec5HalfLife(t *testing.T) {
	b := newBench(t)
	issued, _ := mustIssue(t, b, order(t, "A-1"))
	der := b.question(t, issued.Serial, nil)
	get := func() *Answer {
		t.Helper()
		a, err := b.OCSP(t.Context(), der)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	first := get()
	reads := b.store.look(false)
	if get() != first || b.store.look(false) != reads {
		t.Error("a kept answer costs a look into the store, or a signature")
	}
	b.clock.move(answerLife/2 - time.Second)
	if get() != first {
		t.Error("signed anew too early")
	}
	b.clock.move(2 * time.Second)
	b.rand = strings.NewReader("") // and signing fails
	if get() != first {
		t.Error("the old answer is of use still")
	}
	b.clock.move(answerLife/2 - leastLeft)
	if _, err := b.OCSP(t.Context(), der); err == nil {
		t.Error("given out to the last minute")
	}
	b.open(t)
	second := get()
	if second == first || !second.ThisUpdate.Equal(b.clock.now()) || !second.NextUpdate.After(first.NextUpdate) {
		t.Errorf("%v to %v", second.ThisUpdate, second.NextUpdate)
	}
	b.clock.move(-time.Hour) // a clock set back: thisUpdate must not be ahead
	if third := get(); third.ThisUpdate.After(b.clock.now()) {
		t.Errorf("thisUpdate %v at %v", third.ThisUpdate, b.clock.now())
	}
}

// TestSec5NewResponder: answers of the old responder are not given out when there is a new one, and
// no answer outlives its responder.
func TestSec5NewResponder(t *testing.T) {
	b := newBench(t)
	issued, _ := mustIssue(t, b, order(t, "A-1"))
	b.ask(t, issued.Serial)
	before := b.authorities["gost"].responder.Load()
	b.clock.move(before.cert.NotAfter.Sub(start) - time.Hour)
	if one := b.ask(t, issued.Serial); !one.NextUpdate.Equal(before.cert.NotAfter) {
		t.Errorf("nextUpdate %v, the responder ends %v", one.NextUpdate, before.cert.NotAfter)
	}
	other := b.another(t)
	if err := other.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.clock.move(responderLook)
	r := b.query(t, "gost", ocsp.Request{IDs: []ocsp.CertID{b.id(t, issued.Serial)}})
	if bytes.Equal(r.Certificates[0].Raw, before.cert.Raw) {
		t.Error("the old responder still answers")
	}
}

// TestBoundedMemory: a stranger who asks for everything does not make it grow.
func TestBoundedMemory(t *testing.T) {
	b := newBench(t)
	s, err := Open(t.Context(), Config{Store: b.store, Keys: b.keys, Now: b.clock.now, Answers: 16})
	if err != nil {
		t.Fatal(err)
	}
	b.Service = s
	issued, _ := mustIssue(t, b, order(t, "A-1"))
	for n := range 100 {
		tail := []byte{byte(n), 1, 1, 1, 1}
		for _, serial := range []string{issued.Serial, pki.SerialHex(big.NewInt(int64(n + 1)))} {
			der := b.question(t, serial, nil)
			if serial == issued.Serial {
				der = withExtension(t, der, tail, false)
			}
			if _, err := s.OCSP(t.Context(), der); err != nil {
				t.Fatal(err)
			}
		}
	}
	if r, k := s.requests.EstimatedSize(), s.statuses.EstimatedSize(); r > 16 || k != 1 {
		t.Errorf("%d requests and %d statuses are kept", r, k)
	}
}

// withExtension adds an extension of an OID nobody knows to a request.
func withExtension(t testing.TB, der, value []byte, critical bool) []byte {
	t.Helper()
	in := cryptobyte.String(der)
	var body, tbs cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		t.Fatal("no request")
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(tbs)
			b.AddASN1(cbasn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier([]int{1, 3, 6, 1, 5, 5, 7, 48, 1, 8}) // preferred signature algorithms
						if critical {
							b.AddASN1Boolean(true)
						}
						b.AddASN1OctetString(value)
					})
				})
			})
		})
		if body.Empty() {
			return
		}
		b.AddBytes(body)
	})
	return b.BytesOrPanic()
}

// TestQuestions: every form of a question, and what is said to it.
func TestQuestions(t *testing.T) {
	b := newBench(t, gostPlan(), rsaPlan())
	issued, c := mustIssue(t, b, order(t, "A-1"))
	plain := b.question(t, issued.Serial, nil)
	signed := func() []byte { // with a signature nobody looks at
		in := cryptobyte.String(plain)
		var body cryptobyte.String
		in.ReadASN1(&body, cbasn1.SEQUENCE)
		var w cryptobyte.Builder
		w.AddASN1(cbasn1.SEQUENCE, func(w *cryptobyte.Builder) {
			w.AddBytes(body)
			w.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(w *cryptobyte.Builder) {
				w.AddASN1(cbasn1.SEQUENCE, func(w *cryptobyte.Builder) {
					w.AddBytes(algid.SHA256WithRSA.Identifier())
					w.AddASN1BitString(make([]byte, 256))
				})
			})
		})
		return w.BytesOrPanic()
	}()
	ids := func(n int, h algid.Hash, ca string) (out []ocsp.CertID) {
		for range n {
			id, err := ocsp.NewCertID(h, b.authorities[ca].cert, c.Serial)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, id)
		}
		return out
	}
	write := func(r ocsp.Request) []byte {
		der, err := ocsp.CreateRequest(r)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	type want struct {
		status ocsp.ResponseStatus
		n      int
		nonce  int
		shared bool
	}
	for name, tt := range map[string]struct {
		der []byte
		want
	}{
		"plain":                      {plain, want{n: 1, shared: true}},
		"signed":                     {signed, want{n: 1, shared: true}},
		"preferred algorithms":       {withExtension(t, plain, []byte{0x30, 0}, false), want{n: 1, shared: true}},
		"critical, unknown":          {withExtension(t, plain, []byte{0x30, 0}, true), want{status: ocsp.Malformed}},
		"nonce of 1":                 {b.question(t, issued.Serial, []byte("1")), want{n: 1, nonce: 1}},
		"nonce of 32":                {b.question(t, issued.Serial, make([]byte, 32)), want{n: 1, nonce: 32}},
		"nonce of 33, ignored":       {b.question(t, issued.Serial, make([]byte, 33)), want{n: 1, shared: true}},
		"nonce of 128, ignored":      {b.question(t, issued.Serial, make([]byte, 128)), want{n: 1, shared: true}},
		"bare nonce":                 {write(ocsp.Request{IDs: ids(1, algid.SHA1, "gost"), Nonce: []byte("abcdefgh"), BareNonce: true}), want{n: 1, nonce: 8}},
		"empty bare nonce":           {write(ocsp.Request{IDs: ids(1, algid.SHA1, "gost"), Nonce: []byte{4, 0}, BareNonce: true}), want{status: ocsp.Malformed}},
		"several":                    {write(ocsp.Request{IDs: ids(maxQuestions, algid.SHA256, "gost")}), want{n: maxQuestions}},
		"too many":                   {write(ocsp.Request{IDs: ids(maxQuestions+1, algid.SHA256, "gost")}), want{status: ocsp.Malformed}},
		"of two authorities":         {write(ocsp.Request{IDs: append(ids(1, algid.SHA256, "gost"), ids(1, algid.SHA256, "rsa")...)}), want{status: ocsp.Unauthorized}},
		"of a root":                  {write(ocsp.Request{IDs: ids(1, algid.SHA256, "root_gost")}), want{status: ocsp.Unauthorized}},
		"another authority's serial": {write(ocsp.Request{IDs: ids(1, algid.SHA256, "rsa")}), want{n: 1}},
		"Streebog-512":               {write(ocsp.Request{IDs: ids(1, algid.Streebog512, "gost")}), want{n: 1, shared: true}},
		"Streebog-256":               {write(ocsp.Request{IDs: ids(1, algid.Streebog256, "gost")}), want{n: 1, shared: true}},
		"34.311":                     {write(ocsp.Request{IDs: ids(1, algid.GOST34311, "gost")}), want{n: 1, shared: true}},
		"SHA-1":                      {write(ocsp.Request{IDs: ids(1, algid.SHA1, "gost")}), want{n: 1, shared: true}},
		"trailing byte":              {append(bytes.Clone(plain), 0), want{status: ocsp.Malformed}},
		"no bytes":                   {nil, want{status: ocsp.Malformed}},
	} {
		for range 2 { // the second time from memory, when it may be
			a, err := b.OCSP(t.Context(), tt.der)
			if err != nil {
				t.Fatal(name, err)
			}
			r, err := ocsp.ParseResponse(a.Raw)
			if err != nil {
				t.Fatal(name, err)
			}
			got := want{r.Status, len(r.Singles), len(r.Nonce), !a.NextUpdate.IsZero()}
			if got != tt.want || (a.Tag != "") != got.shared {
				t.Errorf("%s: %+v, want %+v", name, got, tt.want)
			}
			if name == "bare nonce" && !r.BareNonce {
				t.Error("the bare nonce came back in an OCTET STRING")
			}
			for _, one := range r.Singles {
				if good := one.Status == ocsp.Good; good == (name == "another authority's serial") {
					t.Errorf("%s: %v", name, one.Status)
				}
				if one.ThisUpdate.After(b.clock.now()) || one.NextUpdate.IsZero() || r.ProducedAt.After(b.clock.now()) {
					t.Errorf("%s: %+v", name, one)
				}
			}
		}
		if _, kept := b.Kept(t.Context(), tt.der); kept != tt.shared {
			t.Errorf("%s: kept %t", name, kept)
		}
	}
	if _, kept := b.Kept(t.Context(), plain); !kept {
		t.Error("the plain question is not kept")
	}
	if q := len(b.question(t, issued.Serial, make([]byte, 128))); q > maxKeptRequest {
		t.Errorf("a question of %d bytes is not kept", q)
	}
}

// TestSec5OnTheWay: good is said of what is issued, and of nothing on its way there.
func TestSec5OnTheWay(t *testing.T) {
	b := newBench(t)
	for n, s := range []State{Reserved, Intended, Closed} {
		serial := strings.Repeat([]string{"21", "22", "23"}[n], 20)
		err := b.store.Update(t.Context(), func(tx Tx) error {
			return tx.Reserve(t.Context(), Record{CA: "gost", Serial: serial, Order: serial, Key: serial, State: s, TBS: []byte{1}, NotAfter: start.AddDate(1, 0, 0)})
		})
		if err != nil {
			t.Fatal(err)
		}
		if one := b.ask(t, serial); one.Status != ocsp.Revoked || one.Reason != CertificateHold || one.RevokedAt.Unix() != 0 {
			t.Errorf("%s: %+v", s, one)
		}
		if s != Intended {
			continue
		}
		err = b.store.Update(t.Context(), func(tx Tx) error {
			return tx.Advance(t.Context(), Record{CA: "gost", Serial: serial, State: Done, NotAfter: start.AddDate(1, 0, 0)})
		})
		if err != nil {
			t.Fatal(err)
		}
		if one := b.ask(t, serial); one.Status != ocsp.Good {
			t.Errorf("issued a moment later: %+v", one)
		}
	}
}

// TestSec5ForEver: who expired is still answered, and since when such ones are is said.
func TestSec5ForEver(t *testing.T) {
	b := newBench(t)
	live, _ := mustIssue(t, b, order(t, "A-1"))
	ended, _ := mustIssue(t, b, order(t, "A-2"))
	since := start.Add(-48 * time.Hour)
	if _, err := b.Revoke(t.Context(), ended.Serial, KeyCompromise, "x", since); err != nil {
		t.Fatal(err)
	}
	if one := b.ask(t, live.Serial); !one.ArchiveCutoff.IsZero() || !one.InvalidAt.IsZero() {
		t.Errorf("%+v", one)
	}
	if one := b.ask(t, ended.Serial); !one.InvalidAt.Equal(since) {
		t.Errorf("invalid since %v", one.InvalidAt)
	}
	b.clock.move(320 * 24 * time.Hour)
	if err := b.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.clock.move(100 * 24 * time.Hour)
	cutoff := b.authorities["gost"].cert.NotBefore
	for serial, want := range map[string]ocsp.Status{live.Serial: ocsp.Good, ended.Serial: ocsp.Revoked} {
		if one := b.ask(t, serial); one.Status != want || !one.ArchiveCutoff.Equal(cutoff) {
			t.Errorf("%+v", one)
		}
	}
}

// TestAdmit: who is limited still gets what is kept, and nothing that must be signed for him alone.
func TestAdmit(t *testing.T) {
	b := newBench(t)
	issued, _ := mustIssue(t, b, order(t, "A-1"))
	enough := errors.New("enough")
	for name, tt := range map[string]struct {
		der  []byte
		want error
	}{
		"plain":        {b.question(t, issued.Serial, nil), nil},
		"nonce":        {b.question(t, issued.Serial, []byte("12345678")), enough},
		"never issued": {b.question(t, strings.Repeat("11", 20), nil), enough},
	} {
		if _, err := b.Answer(t.Context(), tt.der, func() error { return enough }); err != tt.want { //nolint:errorlint // as it is
			t.Errorf("%s: %v", name, err)
		}
	}
	if c := b.Counts(); c.Refused != 2 || c.Signed != 1 {
		t.Errorf("%+v", c)
	}
}

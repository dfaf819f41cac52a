package tsa_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/audit"
	"senim/internal/pkitest"
	"senim/internal/tsa"
	"senim/pki"
	"senim/tsp"
)

// memory keeps serials; it fails when told to.
type memory struct {
	mu     sync.Mutex
	next   int64
	latest time.Time
	events []audit.Event
	fail   error
}

func (m *memory) Update(_ context.Context, f func(tsa.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next, latest, events := m.next, m.latest, m.events
	if err := f(m); err != nil {
		m.next, m.latest, m.events = next, latest, events
		return err
	}
	return nil
}

func (m *memory) TakeSerials(_ context.Context, n int64, at time.Time) (int64, time.Time, error) {
	first := m.next + 1
	m.next += n
	if at.After(m.latest) {
		m.latest = at
	}
	return first, m.latest, m.fail
}

func (m *memory) Audit(_ context.Context, e audit.Event) error {
	m.events = append(m.events, e)
	return errors.Join(m.fail, e.Check())
}

// signers has one key of each kind.
type signers struct{ gost, rsa *pkitest.Leaf }

func (s *signers) TimeStamper(_ context.Context, k algid.Key) (crypto.Signer, *pki.Certificate, error) {
	l := map[algid.Key]*pkitest.Leaf{algid.GOST512: s.gost, algid.RSA: s.rsa}[k]
	if l == nil {
		return nil, nil, errors.New("no such key")
	}
	return l.Key, l.Certificate, nil
}

// watch is a clock whose error the test chooses.
type watch struct {
	offset time.Duration
	err    error
}

func (w *watch) Offset(context.Context) (time.Duration, error) { return w.offset, w.err }

// world is an authority with everything a test may turn.
type world struct {
	*tsa.Authority
	store   *memory
	signers *signers
	clock   *watch
	now     time.Time
}

func newWorld(t *testing.T, change ...func(*tsa.Config)) *world {
	t.Helper()
	a := pkitest.New(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	gost := a.TSA()
	w := &world{store: &memory{}, clock: &watch{}, now: a.Now,
		signers: &signers{gost: gost, rsa: &pkitest.Leaf{Certificate: rsaStamper(t, key, a.Now), Key: key}}}
	c := tsa.Config{Store: w.store, Signers: w.signers, Clock: w.clock, Now: func() time.Time { return w.now }}
	for _, f := range change {
		f(&c)
	}
	if w.Authority, err = tsa.New(c); err != nil {
		t.Fatal(err)
	}
	if err := w.CheckClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// rsaStamper is a self-signed certificate for time-stamps.
func rsaStamper(t *testing.T, key *rsa.PrivateKey, now time.Time) *pki.Certificate {
	t.Helper()
	der, err := pki.CreateCertificate(rand.Reader, key, &pki.Template{Serial: big.NewInt(7), NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(1, 0, 0),
		Subject:   pki.Name{pki.NewAttribute(pki.OIDCommonName, "TSA")},
		PublicKey: key.Public(), KeyUsage: pki.DigitalSignature, ExtKeyUsage: []asn1.ObjectIdentifier{pki.TimeStamping}, ExtKeyUsageCritical: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ask(t *testing.T, w *world, q tsp.Request) *tsp.Response {
	t.Helper()
	der, err := tsp.CreateRequest(q)
	if err != nil {
		t.Fatal(err)
	}
	r, err := tsp.ParseResponse(w.Answer(t.Context(), der))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func question(h algid.Hash, policy asn1.ObjectIdentifier) tsp.Request {
	return tsp.Request{Imprint: tsp.NewImprint(h, []byte("document")), Policy: policy, Nonce: big.NewInt(42), Certificate: true}
}

func TestPolicyChoosesKey(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		q      tsp.Request
		policy asn1.ObjectIdentifier
		key    algid.Key
	}{
		"GOST512":                     {question(algid.Streebog512, tsp.PolicyGOST512), tsp.PolicyGOST512, algid.GOST512},
		"RSA":                         {question(algid.SHA256, tsp.PolicyRSA), tsp.PolicyRSA, algid.RSA},
		"GOST512 over SHA-256":        {question(algid.SHA256, tsp.PolicyGOST512), tsp.PolicyGOST512, algid.GOST512},
		"RSA over Streebog":           {question(algid.Streebog256, tsp.PolicyRSA), tsp.PolicyRSA, algid.RSA},
		"none, Streebog":              {question(algid.Streebog512, nil), tsp.PolicyGOST512, algid.GOST512},
		"none, 34.311-95":             {question(algid.GOST34311, nil), tsp.PolicyGOST512, algid.GOST512},
		"none, SHA-512 as openssl ts": {question(algid.SHA512, nil), tsp.PolicyRSA, algid.RSA},
	} {
		t.Run(name, func(t *testing.T) {
			r := ask(t, w, c.q)
			if err := r.Answers(c.q); err != nil {
				t.Fatal(err)
			}
			cert, err := r.Token.Verify()
			if err != nil {
				t.Fatal(err)
			}
			if cert.Key != c.key || !r.Token.Policy.Equal(c.policy) {
				t.Errorf("key %s, policy %s", cert.Key, r.Token.Policy)
			}
			if err := r.Token.Covers([]byte("document")); err != nil {
				t.Error(err)
			}
			if got := pki.SerialHex(r.Token.Serial); len(got) != 40 || got[0] != '1' {
				t.Errorf("serial %s: 40 digits, positive, are wanted", got)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	garbled, _ := tsp.CreateRequest(question(algid.SHA256, nil))
	md5 := bytes.Replace(garbled, []byte{0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1}, []byte{0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 99}, 1)
	for name, c := range map[string]struct {
		der  []byte
		want tsp.Failure
	}{
		"no request":            {[]byte("hello"), tsp.BadDataFormat},
		"empty":                 {nil, tsp.BadDataFormat},
		"trailing byte":         {append(bytes.Clone(garbled), 0), tsp.BadDataFormat},
		"too long":              {make([]byte, 65<<10), tsp.BadDataFormat},
		"hash nobody knows":     {md5, tsp.BadAlgorithm},
		"SHA-1":                 {request(t, question(algid.SHA1, nil)), tsp.BadAlgorithm},
		"policy of GOST2004":    {request(t, question(algid.Streebog512, tsp.PolicyGOST2004)), tsp.UnacceptedPolicy},
		"policy nobody defined": {request(t, question(algid.SHA256, asn1.ObjectIdentifier{1, 2, 3})), tsp.UnacceptedPolicy},
	} {
		t.Run(name, func(t *testing.T) { refused(t, w, c.der, c.want) })
	}
	t.Run("SHA-1 where it is admitted", func(t *testing.T) {
		w := newWorld(t, func(c *tsa.Config) { c.SHA1 = true })
		q := question(algid.SHA1, nil)
		if err := ask(t, w, q).Answers(q); err != nil {
			t.Error(err)
		}
	})
}

func request(t *testing.T, q tsp.Request) []byte {
	t.Helper()
	der, err := tsp.CreateRequest(q)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func refused(t *testing.T, w *world, der []byte, want tsp.Failure) {
	t.Helper()
	r, err := tsp.ParseResponse(w.Answer(t.Context(), der))
	if err != nil {
		t.Fatal(err)
	}
	if r.Token != nil || !r.Failed || r.Failure != want {
		t.Errorf("failure %d (%v), token %v; want %d", r.Failure, r.Failed, r.Token != nil, want)
	}
}

// An authority that does not know the time gives none (security.md §5).
func TestSec5StampsOnlyWhileItKnowsTheTime(t *testing.T) {
	good := request(t, question(algid.Streebog512, nil))
	for name, turn := range map[string]func(*world){
		"never checked": func(w *world) {
			fresh, err := tsa.New(tsa.Config{Store: w.store, Signers: w.signers, Clock: w.clock, Now: func() time.Time { return w.now }})
			if err != nil {
				t.Fatal(err)
			}
			w.Authority = fresh
		},
		"checked long ago":        func(w *world) { w.now = w.now.Add(2*time.Hour + time.Second) },
		"checked in the future":   func(w *world) { w.now = w.now.Add(-time.Minute) },
		"too fast":                func(w *world) { w.clock.offset = 1001 * time.Millisecond; _ = w.CheckClock(t.Context()) },
		"too slow":                func(w *world) { w.clock.offset = -1001 * time.Millisecond; _ = w.CheckClock(t.Context()) },
		"could not be compared":   func(w *world) { w.clock.err = errors.New("no answer"); _ = w.CheckClock(t.Context()) },
		"could not be recorded":   func(w *world) { w.store.fail = errors.New("disk full"); _ = w.CheckClock(t.Context()) },
		"behind what was stamped": func(w *world) { w.store.latest = w.now.Add(3 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			turn(w)
			refused(t, w, good, tsp.TimeNotAvailable)
		})
	}
	t.Run("right again", func(t *testing.T) {
		w := newWorld(t)
		w.clock.offset = time.Minute
		if err := w.CheckClock(t.Context()); err == nil || w.Ready() == nil {
			t.Error("a clock a minute off is right")
		}
		w.clock.offset = 900 * time.Millisecond
		if err := w.CheckClock(t.Context()); err != nil || w.Ready() != nil {
			t.Error(err)
		}
		if r := ask(t, w, question(algid.Streebog512, nil)); r.Token == nil {
			t.Errorf("refused: %d", r.Failure)
		}
	})
}

func TestTimeNeverGoesBack(t *testing.T) {
	w := newWorld(t)
	first := ask(t, w, question(algid.Streebog512, nil)).Token.Time
	w.now = w.now.Add(-1500 * time.Millisecond)
	second := ask(t, w, question(algid.Streebog512, nil)).Token.Time
	if second.Before(first) {
		t.Errorf("%s after %s", second, first)
	}
	w.now = w.now.Add(-time.Second) // now 2.5 s behind
	refused(t, w, request(t, question(algid.Streebog512, nil)), tsp.TimeNotAvailable)
}

// Serials grow within a process and over a restart, and every one belongs to a block on record.
func TestSerialsGrow(t *testing.T) {
	w := newWorld(t)
	last := new(big.Int)
	stamp := func() {
		t.Helper()
		r := ask(t, w, tsp.Request{Imprint: tsp.NewImprint(algid.SHA256, nil), Policy: tsp.PolicyGOST512})
		if r.Token == nil {
			t.Fatalf("refused: %d", r.Failure)
		}
		if r.Token.Serial.Cmp(last) <= 0 {
			t.Fatalf("serial %x after %x", r.Token.Serial, last)
		}
		last = r.Token.Serial
	}
	for range 20 {
		stamp()
	}
	again, err := tsa.New(tsa.Config{Store: w.store, Signers: w.signers, Clock: w.clock, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	w.Authority = again
	if err := w.CheckClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	stamp()
	taken := 0
	for _, e := range w.store.events {
		if e.Action == "tsa.serials_taken" {
			taken++
		}
	}
	if taken != 2 {
		t.Errorf("%d blocks on record, want 2", taken)
	}
}

func TestNoSerialWithoutRecord(t *testing.T) {
	w := newWorld(t)
	w.store.fail = errors.New("disk full")
	refused(t, w, request(t, question(algid.Streebog512, nil)), tsp.SystemFailure)
	w.store.fail = nil
	if r := ask(t, w, question(algid.Streebog512, nil)); r.Token == nil {
		t.Errorf("refused: %d", r.Failure)
	}
}

func TestCertificateOutOfItsDates(t *testing.T) {
	w := newWorld(t)
	w.now = w.signers.gost.Certificate.NotAfter.Add(time.Second)
	if err := w.CheckClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused(t, w, request(t, question(algid.Streebog512, nil)), tsp.SystemFailure)
}

func TestManyAtOnce(t *testing.T) {
	w := newWorld(t)
	der := request(t, question(algid.Streebog512, nil))
	var mu sync.Mutex
	seen := map[string]bool{}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 25 {
				r, err := tsp.ParseResponse(w.Answer(t.Context(), der))
				if err != nil || r.Token == nil {
					t.Errorf("no token: %v", err)
					return
				}
				mu.Lock()
				if s := pki.SerialHex(r.Token.Serial); seen[s] {
					t.Errorf("serial %s twice", s)
				} else {
					seen[s] = true
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if len(seen) != 200 {
		t.Errorf("%d serials", len(seen))
	}
}

func TestStampForOurOwnPrograms(t *testing.T) {
	w := newWorld(t)
	der, err := w.Stamp(t.Context(), tsp.NewImprint(algid.Streebog512, []byte("document")), nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := tsp.ParseToken(der)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := token.Verify(); err != nil {
		t.Error(err)
	}
	if !token.Policy.Equal(tsp.PolicyGOST512) || len(token.Certificates()) != 1 {
		t.Errorf("policy %s, %d certificates", token.Policy, len(token.Certificates()))
	}
	w.clock.err = errors.New("no answer")
	_ = w.CheckClock(t.Context())
	if _, err := w.Stamp(t.Context(), tsp.NewImprint(algid.Streebog512, nil), nil); err == nil {
		t.Error("a stamp without knowing the time")
	}
}

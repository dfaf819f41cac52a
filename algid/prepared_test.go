package algid_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"testing"

	"senim/algid"
	"senim/gost"
)

func newPoint(t *testing.T) (*gost.PrivateKey, *gost.PublicKey) {
	t.Helper()
	key, err := gost.GenerateKey(gost.CryptoProA(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return key, key.PublicKey()
}

// useOften uses the key n times and tells whether the last use gave a prepared one.
func useOften(p *algid.PreparedKeys, pub *gost.PublicKey, n int) bool {
	var got crypto.PublicKey
	for range n {
		got = p.Use(pub)
	}
	return got != crypto.PublicKey(pub)
}

func TestPreparedAfterEight(t *testing.T) {
	var p algid.PreparedKeys
	_, pub := newPoint(t)
	if useOften(&p, pub, 8) {
		t.Error("a table after few uses: it costs more than it saves")
	}
	if !useOften(&p, pub, 1) {
		t.Fatal("no table after eight uses")
	}
	first := p.Use(pub)
	if !pub.Equal(first) {
		t.Error("the prepared key is another key")
	}
	again, err := gost.NewPublicKey(pub.Curve(), pub.Bytes()) // the same key, parsed again
	if err != nil {
		t.Fatal(err)
	}
	if p.Use(again) != first {
		t.Error("the table is made again for the same key")
	}
}

// Ready gives what there is and counts nothing.
func TestPreparedReady(t *testing.T) {
	var p algid.PreparedKeys
	_, pub := newPoint(t)
	for range 20 {
		if p.Ready(pub) != crypto.PublicKey(pub) || (*algid.PreparedKeys)(nil).Ready(pub) != crypto.PublicKey(pub) {
			t.Fatal("a table nobody asked for")
		}
	}
	if useOften(&p, pub, 1) || !useOften(&p, pub, 8) || p.Ready(pub) != p.Use(pub) || p.Ready(nil) != nil {
		t.Error("Ready is not what Use gives")
	}
}

// What verifies and what does not is the same with and without a table, for both byte orders.
func TestPreparedVerifies(t *testing.T) {
	var p algid.PreparedKeys
	key, pub := newPoint(t)
	digest := make([]byte, 32)
	rand.Read(digest)
	sig, err := key.Sign(nil, digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	turned := make([]byte, len(sig))
	for i, b := range sig {
		turned[len(sig)-1-i] = b
	}
	for i := range 20 {
		digest[0] ^= 1
		other := algid.GOST2004Sig.VerifyDigest(p.Use(pub), digest, sig)
		otherGT := algid.GTSig.VerifyDigest(p.Use(&algid.GTPublicKey{Point: pub}), digest, turned)
		digest[0] ^= 1
		good := algid.GOST2004Sig.VerifyDigest(p.Use(pub), digest, sig)
		goodGT := algid.GTSig.VerifyDigest(p.Use(&algid.GTPublicKey{Point: pub}), digest, turned)
		if good != nil || goodGT != nil || other == nil || otherGT == nil {
			t.Fatalf("use %d: good %v, %v; another digest %v, %v", i, good, goodGT, other, otherGT)
		}
	}
}

// The same coordinates on another curve, RSA and broken keys are not mixed up with anything.
func TestPreparedLeavesOthers(t *testing.T) {
	var p algid.PreparedKeys
	for _, pub := range []crypto.PublicKey{&rsa.PublicKey{E: 3}, &gost.PublicKey{}, (*gost.PublicKey)(nil), (*algid.GTPublicKey)(nil), nil} {
		for range 20 {
			if got := p.Use(pub); got != pub {
				t.Fatalf("%T: came back as %v", pub, got)
			}
		}
	}
}

func TestPreparedTablesAreBounded(t *testing.T) {
	var p algid.PreparedKeys
	var keys []*gost.PublicKey
	for range 33 {
		_, pub := newPoint(t)
		if keys = append(keys, pub); !useOften(&p, pub, 9) {
			t.Fatal("no table")
		}
		p.Use(keys[0]) // the first stays in use
	}
	if !useOften(&p, keys[0], 1) {
		t.Error("a key in use lost its table")
	}
	if useOften(&p, keys[1], 1) {
		t.Error("33 tables at once")
	}
	for i, pub := range keys[2:] {
		if !useOften(&p, pub, 1) {
			t.Errorf("key %d lost its table for nothing", i+2)
		}
	}
	if !useOften(&p, keys[1], 8) {
		t.Error("a key that comes back gets no table again")
	}
}

func TestPreparedCountsAreBounded(t *testing.T) {
	var p algid.PreparedKeys
	_, first := newPoint(t)
	useOften(&p, first, 8)
	for range 255 {
		_, pub := newPoint(t)
		p.Use(pub)
	}
	if !useOften(&p, first, 1) {
		t.Fatal("256 keys are not counted")
	}
	_, second := newPoint(t)
	useOften(&p, second, 8)
	for range 256 {
		_, pub := newPoint(t)
		p.Use(pub)
	}
	if useOften(&p, second, 1) {
		t.Error("more than 256 keys are counted")
	}
}

// Many goroutines, more keys than tables: every signature verifies, and a table is never another key's.
func TestPreparedAtOnce(t *testing.T) {
	var p algid.PreparedKeys
	type signed struct {
		pub *gost.PublicKey
		sig []byte
	}
	digest := make([]byte, 32)
	rand.Read(digest)
	var all []signed
	for range 40 {
		key, pub := newPoint(t)
		sig, err := key.Sign(nil, digest, nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, signed{pub, sig})
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 * len(all) {
				s := all[(i/10+g)%len(all)]
				key := p.Use(s.pub)
				if i%10 == 9 && algid.GOST2004Sig.VerifyDigest(key, digest, s.sig) != nil {
					t.Error("does not verify")
					return
				}
			}
		})
	}
	wg.Wait()
}

// However many ask for the same key at once, the table is made once.
func TestPreparedOnce(t *testing.T) {
	var p algid.PreparedKeys
	_, pub := newPoint(t)
	var mu sync.Mutex
	seen := map[crypto.PublicKey]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				got := p.Use(pub)
				mu.Lock()
				seen[got] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	delete(seen, crypto.PublicKey(pub))
	if len(seen) != 1 {
		t.Errorf("%d tables were made", len(seen))
	}
}

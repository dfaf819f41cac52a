package weakkey

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"senim/algid"
	"senim/gost"
	"senim/internal/pkitest"
)

// marked makes a modulus that bears the mark of ROCA: primes of the form k·M + 65537^a mod M have
// products that are powers of 65537 modulo each small prime. Found by counting up, since only the
// residues matter to the check: n ≡ 1 modulo the product of the primes it looks at.
func marked(t *testing.T) *big.Int {
	t.Helper()
	m := big.NewInt(1)
	for p := int64(3); p <= 167; p += 2 {
		if big.NewInt(p).ProbablyPrime(10) {
			m.Mul(m, big.NewInt(p))
		}
	}
	n := new(big.Int).SetBit(new(big.Int), 2047, 1)
	n.Add(n, new(big.Int).SetBit(new(big.Int), 2046, 1))
	n.Sub(n, new(big.Int).Mod(n, m)).Add(n, one)
	for {
		if n.Bit(0) == 1 && new(big.Int).GCD(nil, nil, n, smallPrimes()).Cmp(one) == 0 {
			return n
		}
		n.Add(n, m)
	}
}

func prime(t *testing.T, bits int) *big.Int {
	t.Helper()
	p, err := rand.Prime(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// closeTogether is the product of two primes that follow each other.
func closeTogether(t *testing.T) *big.Int {
	t.Helper()
	p := prime(t, 1024)
	q := new(big.Int).Add(p, big.NewInt(2))
	for !q.ProbablyPrime(20) {
		q.Add(q, big.NewInt(2))
	}
	return q.Mul(p, q)
}

func TestRSA(t *testing.T) {
	good := pkitest.NewKey(t, algid.RSA).Public().(*rsa.PublicKey)
	n := func(n *big.Int) *rsa.PublicKey { return &rsa.PublicKey{N: n, E: 65537} }
	p := prime(t, 1024)
	for name, tt := range map[string]struct {
		key  *rsa.PublicKey
		want string
	}{
		"good":           {good, ""},
		"1024 bits":      {n(new(big.Int).Rsh(good.N, 1024)), "1024 bits"},
		"2047 bits":      {n(new(big.Int).Rsh(good.N, 1)), "2047 bits"},
		"2049 bits":      {n(new(big.Int).Lsh(good.N, 1)), "2049 bits"},
		"8200 bits":      {n(new(big.Int).Lsh(good.N, 8200-2048)), "8200 bits"},
		"exponent 3":     {&rsa.PublicKey{N: good.N, E: 3}, "exponent"},
		"exponent 65539": {&rsa.PublicKey{N: good.N, E: 65539}, "exponent"},
		"exponent 1":     {&rsa.PublicKey{N: good.N, E: 1}, "exponent"},
		"even":           {n(new(big.Int).Sub(good.N, one)), "small factor"},
		"factor 751":     {n(multiple(good.N, 751)), "small factor"},
		"factor 3":       {n(multiple(good.N, 3)), "small factor"},
		"a square":       {n(new(big.Int).Mul(p, p)), "Fermat"},
		"close primes":   {n(closeTogether(t)), "Fermat"},
		"ROCA":           {n(marked(t)), "ROCA"},
	} {
		err := Check(tt.key)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// multiple is an odd multiple of f of the length of n.
func multiple(n *big.Int, f int64) *big.Int {
	m := new(big.Int).Mul(new(big.Int).Div(n, big.NewInt(f)), big.NewInt(f))
	if m.Bit(0) == 0 {
		m.Sub(m, big.NewInt(f))
	}
	return m
}

func TestGOST(t *testing.T) {
	c := gost.TC26_512A()
	if err := Check(pkitest.NewKey(t, algid.GOST512).Public()); err != nil {
		t.Error(err)
	}
	multiple := func(d *big.Int) *gost.PublicKey {
		le := make([]byte, c.Size())
		d.FillBytes(le)
		for i, j := 0, len(le)-1; i < j; i, j = i+1, j-1 {
			le[i], le[j] = le[j], le[i]
		}
		key, err := gost.NewPrivateKey(c, le)
		if err != nil {
			t.Fatal(err)
		}
		return key.PublicKey()
	}
	q, _ := new(big.Int).SetString("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF27E69532F48D89116FF22B8D4E0560609B4B38ABFAD2B85DCACDB1411F10B275", 16)
	for name, tt := range map[string]struct {
		d    *big.Int
		weak bool
	}{
		"generator": {one, true}, "2": {big.NewInt(2), true}, "256": {big.NewInt(tiny), true}, "257": {big.NewInt(tiny + 1), false},
		"-1": {new(big.Int).Sub(q, one), true}, "-256": {new(big.Int).Sub(q, big.NewInt(tiny)), true},
	} {
		if err := Check(multiple(tt.d)); (err != nil) != tt.weak {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Off the curve and infinity never become a key; the check would refuse what has no coordinates.
	xy := pkitest.NewKey(t, algid.GOST512).Public().(*gost.PublicKey).Bytes()
	for name, bytes := range map[string][]byte{"zeros": make([]byte, len(xy)), "off the curve": append([]byte{xy[0] ^ 1}, xy[1:]...), "short": xy[1:]} {
		if _, err := gost.NewPublicKey(c, bytes); err == nil {
			t.Errorf("%s: a key", name)
		}
	}
	if err := Check(new(gost.PublicKey)); err == nil {
		t.Error("no point: taken")
	}
	for _, other := range []crypto.PublicKey{nil, "key", &gost.PrivateKey{}} {
		if err := Check(other); err == nil {
			t.Errorf("%T: taken", other)
		}
	}
}

func TestList(t *testing.T) {
	sum := sha256.Sum256([]byte("spki"))
	digits := hex.EncodeToString(sum[:])
	l, err := ParseList([]byte("# known\n\n" + strings.ToUpper(digits) + "  found on a paste site\r\n"))
	if err != nil || len(l) != 1 || !l.Has([]byte("spki")) || l.Has([]byte("other")) {
		t.Errorf("%v, %v", l, err)
	}
	if List(nil).Has([]byte("spki")) {
		t.Error("an empty list has a key")
	}
	for _, bad := range []string{digits[1:], digits + "0", "x" + digits[1:], "key " + digits, strings.Repeat(" ", maxLine) + digits} {
		if _, err := ParseList([]byte(bad)); err == nil {
			t.Errorf("%.20q: taken", bad)
		}
	}
}

func FuzzParseList(f *testing.F) {
	f.Add([]byte("# a\n" + strings.Repeat("0f", 32) + " b\n"))
	f.Add([]byte("0f"))
	f.Fuzz(func(t *testing.T, file []byte) {
		l, err := ParseList(file)
		if err == nil && len(l) > len(file)/64 || err != nil && l != nil {
			t.Errorf("%d keys from %d bytes: %v", len(l), len(file), err)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	for _, kind := range []algid.Key{algid.GOST512, algid.RSA} {
		pub := pkitest.NewKey(b, kind).Public()
		b.Run(kind.String(), func(b *testing.B) {
			for b.Loop() {
				if err := Check(pub); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Package weakkey refuses public keys whose private keys others know or can find.
//
// [Check] looks at the key itself: RSA moduli with small factors, close primes (Fermat) or the mark
// of ROCA (CVE-2017-15361), exponents other than 65537; GOST points that are no point of the right
// group, or a tiny multiple of its generator. [List] holds keys known to be compromised.
//
// It does not find what shows only among many keys (moduli that share a prime), nor keys of broken
// generators such as Debian's of 2008 (CVE-2008-0166): their fingerprints belong on the list.
package weakkey

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/titanous/rocacheck"

	"senim/gost"
)

// What new RSA keys are bounded by (BR 6.1.5, 6.1.6; the upper bound limits the work of readers).
const (
	minBits  = 2048
	maxBits  = 8192
	exponent = 65537
)

// fermatRounds is how many steps of Fermat's method are tried. One or two find every pair of primes
// that was drawn close together; BR 6.1.1.3 asks for 100.
const fermatRounds = 100

// Check says why a certificate must not be given to a key; nil when nothing is known against it.
func Check(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return checkRSA(k)
	case *gost.PublicKey:
		return checkPoint(k)
	}
	return fmt.Errorf("no rules for keys of type %T", pub)
}

func checkRSA(k *rsa.PublicKey) error {
	switch n := k.N.BitLen(); {
	case n < minBits || n > maxBits || n%8 != 0:
		return fmt.Errorf("an RSA modulus of %d bits; %d to %d are taken, in whole octets", n, minBits, maxBits)
	case k.E != exponent:
		return fmt.Errorf("the RSA exponent is not %d", exponent)
	case k.N.Bit(0) == 0 || new(big.Int).GCD(nil, nil, k.N, smallPrimes()).Cmp(big.NewInt(1)) != 0:
		return errors.New("the RSA modulus has a small factor")
	case rocacheck.IsWeak(k):
		return errors.New("the RSA key bears the mark of ROCA (CVE-2017-15361)")
	case closePrimes(k.N):
		return errors.New("the primes of the RSA key are too close together (Fermat)")
	}
	return nil
}

// closePrimes tries Fermat's method: N = a² − b² with a just over the root of N.
func closePrimes(n *big.Int) bool {
	a := new(big.Int).Sqrt(n)
	if new(big.Int).Mul(a, a).Cmp(n) == 0 {
		return true
	}
	a.Add(a, one)
	var b2, b, square big.Int
	for range fermatRounds {
		b2.Sub(b2.Mul(a, a), n)
		if maybeSquare(&b2) {
			if b.Sqrt(&b2); square.Mul(&b, &b).Cmp(&b2) == 0 {
				return true
			}
		}
		a.Add(a, one)
	}
	return false
}

// squareMod has residues of few squares: 1 number in 100 passes and is looked at for true.
const squareMod = 64 * 63 * 65 * 11

var squares = sync.OnceValue(func() *[squareMod]bool {
	var is [squareMod]bool
	for i := range squareMod {
		is[i*i%squareMod] = true
	}
	return &is
})

func maybeSquare(n *big.Int) bool {
	var rest big.Int
	return squares()[rest.Mod(n, big.NewInt(squareMod)).Int64()]
}

var one = big.NewInt(1)

package weakkey

import (
	"math/big"
	"sync"
)

// primeBound is how far small factors are looked for: BR 6.1.6 asks for 752.
const primeBound = 1 << 12

// smallPrimes is the product of the odd primes below primeBound.
var smallPrimes = sync.OnceValue(func() *big.Int {
	product := big.NewInt(1)
	var composite [primeBound]bool
	for p := 3; p < primeBound; p += 2 {
		if composite[p] {
			continue
		}
		product.Mul(product, big.NewInt(int64(p)))
		for m := p * p; m < primeBound; m += p {
			composite[m] = true
		}
	}
	return product
})

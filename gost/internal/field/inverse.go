package field

import "math/bits"

// Inversion modulo an odd m is by the division steps of Bernstein and Yang ("Fast constant-time gcd
// computation and modular inversion", ePrint 2019/266), 62 steps at
// a time; in constant time it is the variant that starts at δ = 1/2 and needs fewer of them. Numbers are limbs of 62 bits with the sign in the highest, so that 62 steps move them by
// exactly one limb.

const (
	steps = 62
	low62 = 1<<steps - 1
)

// inverse62 returns 1/m modulo 2^62, and a little more, for an odd m. Newton's iteration doubles the good
// bits: 3, 6, … 96.
func inverse62(m uint64) uint64 {
	inv := m
	for range 5 {
		inv *= 2 - m*inv
	}
	return inv
}

// transition is what 62 steps do to (f, g), times 2^62: each row has a sum of sizes of at most 2^62.
type transition struct{ u, v, q, r int64 }

// divsteps makes 62 steps on the lowest words of f and g, in constant time. eta is -(δ + 1/2).
func divsteps(eta int64, f, g uint64) (int64, transition) {
	u, v, q, r := uint64(1), uint64(0), uint64(0), uint64(1)
	for range steps {
		// If δ > 0 and g is odd: (f, g) becomes (g, (g-f)/2). Else (f, (g + (g mod 2)·f)/2).
		positive, odd := uint64(eta>>63), -(g & 1)
		g += ((f ^ positive) - positive) & odd
		q += ((u ^ positive) - positive) & odd
		r += ((v ^ positive) - positive) & odd
		both := positive & odd
		eta = (eta ^ int64(both)) - 1
		f += g & both
		u += q & both
		v += r & both
		g >>= 1
		u <<= 1
		v <<= 1
	}
	return eta, transition{int64(u), int64(v), int64(q), int64(r)}
}

// divstepsVarTime is for public numbers: it takes zeros of g together, and clears several bits of g with
// one multiple of f. eta is -δ, which starts at 1.
func divstepsVarTime(eta int64, f, g uint64) (int64, transition) {
	u, v, q, r := uint64(1), uint64(0), uint64(0), uint64(1)
	for left := steps; ; {
		zeros := bits.TrailingZeros64(g | 1<<left)
		g >>= zeros
		u <<= zeros
		v <<= zeros
		eta -= int64(zeros)
		if left -= zeros; left == 0 {
			return eta, transition{int64(u), int64(v), int64(q), int64(r)}
		}
		if eta < 0 {
			eta = -eta
			f, g = g, -f
			u, q = q, -u
			v, r = r, -v
		}
		// No more than eta+1 bits may go before f and g change places again; six are found at once: the
		// product of f and f²-2 is -1 modulo 64, so its -1/f.
		limit := min(uint(eta)+1, uint(left), 6)
		w := (f * g * (f*f - 2)) & (1<<limit - 1)
		g += f * w
		q += u * w
		r += v * w
	}
}

// total is a signed number of 128 bits.
type total struct{ high, low uint64 }

// add adds x·y for y that is not negative.
func (t *total) add(x, y int64) {
	h, l := bits.Mul64(uint64(x), uint64(y))
	h -= uint64(x>>63) & uint64(y)
	var c uint64
	t.low, c = bits.Add64(t.low, l, 0)
	t.high, _ = bits.Add64(t.high, h, c)
}

// addSigned adds x·y.
func (t *total) addSigned(x, y int64) {
	t.add(x, y)
	t.high -= uint64(y>>63) & uint64(x)
}

// next takes away the lowest 62 bits.
func (t *total) next() int64 {
	l := t.low & low62
	t.low = t.low>>62 | t.high<<2
	t.high = uint64(int64(t.high) >> 62)
	return int64(l)
}

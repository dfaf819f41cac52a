//go:build !purego

package streebog

import "golang.org/x/sys/cpu"

// way is an implementation of stages 2 and 3. On an AMD Zen 5 at 3.6 GHz a block takes 105 ns by
// vector, 260 by scalar, 345 by portable. There is none for AVX2: S alone, sixteen shuffles and their
// masks for each half of a state, takes 280 there.
type way uint8

const (
	portable way = iota // Go, everywhere
	scalar              // assembly with the same tables, on every amd64
	vector              // AVX-512 with VBMI and GFNI
)

// best is the way of hashes made from now on. Only tests change it.
var best = fastest()

func fastest() way {
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VBMI && cpu.X86.HasAVX512GFNI {
		return vector
	}
	return scalar
}

// absorb is stage 2 with the whole blocks of p, at least one, each of which counts as so many bits.
func (d *digest) absorb(p []byte, count uint64) {
	switch d.way {
	case vector:
		vectorAbsorb(vectors(), &d.h, &d.n, &d.sigma, &p[0], len(p)/BlockSize, count)
	case scalar:
		scalarAbsorb((*[8][256]uint64)(shared()), &rounds, &d.h, &d.n, &d.sigma, &p[0], len(p)/BlockSize, count)
	default:
		shared().absorb(&d.h, &d.n, &d.sigma, p, count)
	}
}

// close is the end of stage 3: length and sum.
func (d *digest) close() {
	switch d.way {
	case vector:
		vectorFinish(vectors(), &d.h, &d.n, &d.sigma)
	case scalar:
		scalarFinish((*[8][256]uint64)(shared()), &rounds, &d.h, &d.n, &d.sigma)
	default:
		shared().finish(&d.h, &d.n, &d.sigma)
	}
}

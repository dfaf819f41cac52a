// Package field holds the arithmetic under package gost: numbers modulo the primes 2^512 - 569 and
// 2^256 - 617 over which the curves are drawn ([Element512], [Element256]) and modulo the orders of
// their groups ([Scalar512] with [Order512], [Scalar256] with [Order256]).
//
// Elements fold what overflows back by a small multiple; scalars use Montgomery's form. Everything
// is of fixed length and runs in constant time, but for methods that say VarTime in their names,
// which are for public numbers only. SetBytes refuses numbers that are not fully reduced.
//
// The code of both sizes is written by gost/generate.go from the templates in this directory, the assembly by
// tools/asm/field.
package field

// equalWords returns 1 if all words are equal, else 0, in constant time.
func equalWords(x, y []uint64) uint64 {
	var d uint64
	for i := range x {
		d |= x[i] ^ y[i]
	}
	return ((d | -d) >> 63) ^ 1
}

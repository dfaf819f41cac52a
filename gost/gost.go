// Package gost holds keys and signatures of GOST R 34.10-2012 (СТ РК ГОСТ Р 34.10-2015) and of its
// elder GOST R 34.10-2001 (СТ РК ГОСТ 34.310-2004), in the byte forms of Kazakhstan's national PKI.
//
// The two calls most callers want are [NewPublicKey] followed by [PublicKey.Verify], and
// [GenerateKey] followed by [PrivateKey.Sign]. A signature is made over a digest that the caller has
// computed (with package streebog or gost94); this package never hashes a message itself. Who has many
// signatures at once gives them to [VerifyBatch], and who has many by one key calls [PublicKey.Prepare].
//
// Everything is little-endian, as the national PKI writes it: coordinates, scalars, the digest read
// as a number, and both halves of a signature r‖s. That is the exact byte reversal of RFC 9215.
//
// What it refuses: points off the curve or outside the group of prime order, the point at infinity,
// coordinates and scalars that are not fully reduced, signature halves of 0 or not below the order
// of the group, keys made as zero values, and digests whose length is not the curve's.
//
// Operations on secrets run in constant time: no branch, index or length depends on a private key or
// a nonce. Verification works on public data only and takes variable time. Keys are immutable and
// safe for concurrent use. The first signature on a curve builds a table, which takes some milliseconds and up to
// 344 KiB; the first verification one of 32 KiB, the first batch one of 80 KiB.
//
// On amd64 with ADX and BMI2 the inner loops are assembly, chosen at run time; everywhere else, and with the build
// tag purego, they are Go. Both are tested by the same suite. Batches on the 512-bit curve have assembly for AVX-512
// IFMA beside them; without it, and whenever its formulas do not cover a signature, the others give the verdict.
package gost

//go:generate go run generate.go
//go:generate go run -C ../tools/asm ./field -out ../../gost/internal/field/field_amd64.s
//go:generate go run -C ../tools/asm ./group -out ../../gost/internal/group/group_amd64.s
//go:generate go run -C ../tools/asm ./eight -out ../../gost/internal/group/eight_amd64.s

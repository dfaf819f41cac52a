// Package streebog implements the hash functions of GOST R 34.11-2012 (RFC 6986).
package streebog

import "hash"

// Size512, Size256 and BlockSize are in bytes.
const (
	Size512   = 64
	Size256   = 32
	BlockSize = 64
)

// New512 returns a new 512-bit hash.
func New512() hash.Hash { panic("not yet") }

// New256 returns a new 256-bit hash.
func New256() hash.Hash { panic("not yet") }

// Sum512 returns the 512-bit hash of b.
func Sum512(b []byte) [Size512]byte { panic("not yet") }

// Sum256 returns the 256-bit hash of b.
func Sum256(b []byte) [Size256]byte { panic("not yet") }

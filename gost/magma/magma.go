// Package magma implements the block cipher of GOST 28147-89 with the test S-box of GOST R 34.11-94.
package magma

// BlockSize and KeySize are in bytes.
const (
	BlockSize = 8
	KeySize   = 32
)

// Package streebog implements the hash functions of GOST R 34.11-2012 (СТ РК ГОСТ Р 34.11-2015,
// RFC 6986) with 512 and 256 bits of result.
//
// The calls most want are [Sum512] and [New512]. Results are bytes in memory order, as certificates
// and OpenSSL carry them; RFC 6986 prints the same numbers the other way round.
//
// There is nothing to refuse: every input has a hash, up to 2^512 bits.
//
// Three implementations give the same results, and the processor chooses. With AVX-512, VBMI and GFNI
// the state stays in vector registers: no address and no branch depends on the data, so the time does
// not either. Every other amd64 looks bytes up in tables, in assembly; other architectures, and the
// build tag purego, do it in Go. Tables show the data, through the caches, to whoever shares the
// processor. No caller can count on the first, so hash messages and public data with this package,
// never a private key or a nonce.
package streebog

import (
	"encoding/binary"
	"errors"
	"hash"
)

//go:generate go -C ../../tools/asm run ./streebog

// Lengths in bytes.
const (
	Size512   = 64 // result of New512 and Sum512
	Size256   = 32 // result of New256 and Sum256
	BlockSize = 64 // of both
)

// New512 returns a hash with 64 bytes of result. It also implements encoding.BinaryMarshaler,
// encoding.BinaryAppender, encoding.BinaryUnmarshaler and hash.Cloner.
func New512() hash.Hash { return newDigest(Size512) }

// New256 returns a hash with 32 bytes of result; otherwise as [New512].
func New256() hash.Hash { return newDigest(Size256) }

// Sum512 returns the 512-bit hash of b.
func Sum512(b []byte) [Size512]byte {
	var d digest
	d.init(Size512)
	d.write(b)
	return d.finish()
}

// Sum256 returns the 256-bit hash of b.
func Sum256(b []byte) [Size256]byte {
	var d digest
	d.init(Size256)
	d.write(b)
	full := d.finish()
	return [Size256]byte(full[Size512-Size256:])
}

// digest is the state of section 9 between blocks. h, n and sigma are numbers of 512 bits, lowest
// word first; n counts bits.
type digest struct {
	way         way
	h, n, sigma [8]uint64
	block       [BlockSize]byte
	held        int // bytes waiting in block, always < BlockSize
	size        int
}

func newDigest(size int) *digest {
	d := new(digest)
	d.init(size)
	return d
}

func (d *digest) init(size int) {
	*d = digest{way: best, size: size}
	if size == Size256 {
		for i := range d.h {
			d.h[i] = 0x0101010101010101
		}
	}
}

// Reset implements [hash.Hash].
func (d *digest) Reset() { d.init(d.size) }

// Size implements [hash.Hash].
func (d *digest) Size() int { return d.size }

// BlockSize implements [hash.Hash].
func (d *digest) BlockSize() int { return BlockSize }

// Write implements [hash.Hash]; it never fails.
func (d *digest) Write(p []byte) (int, error) {
	d.write(p)
	return len(p), nil
}

func (d *digest) write(p []byte) {
	if d.held > 0 {
		k := copy(d.block[d.held:], p)
		d.held += k
		p = p[k:]
		if d.held < BlockSize {
			return
		}
		d.absorb(d.block[:], 8*BlockSize)
		d.held = 0
	}
	if whole := len(p) &^ (BlockSize - 1); whole > 0 {
		d.absorb(p[:whole], 8*BlockSize)
		p = p[whole:]
	}
	d.held = copy(d.block[:], p)
}

// Sum implements [hash.Hash]: it appends the hash of what was written and changes nothing.
func (d *digest) Sum(b []byte) []byte {
	last := *d
	full := last.finish()
	return append(b, full[Size512-d.size:]...)
}

// Clone implements [hash.Cloner].
func (d *digest) Clone() (hash.Cloner, error) {
	c := *d
	return &c, nil
}

// finish is stage 3: the padded last block, the length and the sum. The result is the whole state;
// the 256-bit hash is its upper half.
func (d *digest) finish() [Size512]byte {
	clear(d.block[d.held:])
	d.block[d.held] = 1
	d.absorb(d.block[:], 8*uint64(d.held))
	d.close()
	var out [Size512]byte
	for i, w := range d.h {
		binary.LittleEndian.PutUint64(out[8*i:], w)
	}
	return out
}

// The marshalled state: a mark, the size, h, n, sigma, the waiting bytes padded, their number.
const (
	mark          = "senim streebog\x01"
	marshaledSize = len(mark) + 1 + 3*64 + BlockSize + 1
)

var errState = errors.New("streebog: not a state of this hash")

// AppendBinary implements encoding.BinaryAppender.
func (d *digest) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, mark...)
	b = append(b, byte(d.size))
	for _, words := range []*[8]uint64{&d.h, &d.n, &d.sigma} {
		for _, w := range words {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
	}
	b = append(b, d.block[:d.held]...)
	b = append(b, make([]byte, BlockSize-d.held)...)
	return append(b, byte(d.held)), nil
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (d *digest) MarshalBinary() ([]byte, error) {
	return d.AppendBinary(make([]byte, 0, marshaledSize))
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (d *digest) UnmarshalBinary(b []byte) error {
	if len(b) != marshaledSize || string(b[:len(mark)]) != mark || int(b[len(mark)]) != d.size ||
		b[len(b)-1] >= BlockSize {
		return errState
	}
	b = b[len(mark)+1:]
	for _, words := range []*[8]uint64{&d.h, &d.n, &d.sigma} {
		for i := range words {
			words[i] = binary.LittleEndian.Uint64(b)
			b = b[8:]
		}
	}
	d.held = int(b[BlockSize])
	copy(d.block[:], b[:BlockSize])
	return nil
}

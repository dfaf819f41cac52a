package pfx

import (
	"bytes"
	"hash"
	"unicode/utf16"
)

// Purposes of the PKCS #12 key derivation, RFC 7292 appendix B.3.
const (
	idKey = 1
	idIV  = 2
	idMAC = 3
)

// bmpPassword is the password as PKCS #12 has it: UTF-16 big-endian with two zero bytes at the end.
func bmpPassword(p string) []byte {
	units := utf16.Encode([]rune(p))
	out := make([]byte, 0, 2*len(units)+2)
	for _, u := range units {
		out = append(out, byte(u>>8), byte(u))
	}
	return append(out, 0, 0)
}

// derive is the key derivation of RFC 7292 appendix B.2, with the letters of the RFC.
func derive(newHash func() hash.Hash, password, salt []byte, iterations int, id byte, n int) []byte {
	h := newHash()
	u, v := h.Size(), h.BlockSize()
	d := bytes.Repeat([]byte{id}, v)
	i := append(fill(salt, v), fill(password, v)...)
	defer clear(i)
	var out []byte
	for {
		h.Reset()
		h.Write(d)
		h.Write(i)
		a := h.Sum(make([]byte, 0, u))
		for range iterations - 1 {
			h.Reset()
			h.Write(a)
			a = h.Sum(a[:0])
		}
		out = append(out, a...)
		if len(out) >= n {
			return out[:n]
		}
		b := fill(a, v)
		for j := 0; j < len(i); j += v {
			addOne(i[j:j+v], b)
		}
	}
}

// fill repeats b up to the next multiple of v bytes; nothing stays nothing.
func fill(b []byte, v int) []byte {
	if len(b) == 0 {
		return nil
	}
	n := (len(b) + v - 1) / v * v
	out := make([]byte, n)
	for i := range out {
		out[i] = b[i%len(b)]
	}
	return out
}

// addOne makes block = block + b + 1 modulo 2^(8·len).
func addOne(block, b []byte) {
	carry := 1
	for k := len(block) - 1; k >= 0; k-- {
		carry += int(block[k]) + int(b[k])
		block[k] = byte(carry)
		carry >>= 8
	}
}

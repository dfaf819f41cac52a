//go:build !amd64 || purego

package streebog

// way is an implementation of stages 2 and 3: here there is one.
type way uint8

const best way = 0

func (d *digest) absorb(p []byte, count uint64) {
	shared().absorb(&d.h, &d.n, &d.sigma, p, count)
}

func (d *digest) close() { shared().finish(&d.h, &d.n, &d.sigma) }

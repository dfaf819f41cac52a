package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"

	"senim/gost"
)

// experiments are the checks of the checker first, then the questions.
func experiments() []experiment {
	list := []experiment{leak(gost.TC26_512A()), control(gost.TC26_512A())}
	for _, c := range []*gost.Curve{gost.TC26_512A(), gost.TC26_256A(), gost.CryptoProA()} {
		list = append(list,
			signKey(c),
			signNonce(c),
			publicKey(c, "1", one(c)),
			publicKey(c, "a power of two", powerOfTwo(c)),
		)
	}
	return list
}

// Scalars of special shape, little-endian.

func one(c *gost.Curve) []byte {
	d := make([]byte, c.Size())
	d[0] = 1
	return d
}

// powerOfTwo has one bit, near the top, and is below the order of every curve.
func powerOfTwo(c *gost.Curve) []byte {
	d := make([]byte, c.Size())
	d[c.Size()-1] = 0x20
	return d
}

// scalar returns the fixed scalar or a random one, in memory of its own either way.
func scalar(c *gost.Curve, fixed bool, d []byte) ([]byte, error) {
	key, err := gost.GenerateKey(c, nil)
	if err != nil {
		return nil, err
	}
	if fixed {
		return bytes.Clone(d), nil
	}
	return key.Bytes(), nil
}

// signKey asks whether a signature takes the key's time: key 1 against random keys. Nonces are random.
func signKey(c *gost.Curve) experiment {
	return sign(c, fmt.Sprintf("sign, %s: key 1 against random keys", c), one(c), nil)
}

// signNonce asks whether it takes the nonce's: without fresh randomness the nonce follows from key and
// digest, so one key has one nonce, and random keys have random ones.
func signNonce(c *gost.Curve) experiment {
	return sign(c, fmt.Sprintf("sign, %s: one key and nonce against random ones", c), powerOfTwo(c), zeros{})
}

func sign(c *gost.Curve, name string, d []byte, random io.Reader) experiment {
	digest := make([]byte, c.Size())
	rand.Read(digest)
	return experiment{name, "secret", func(fixed bool) (func() error, error) {
		d, err := scalar(c, fixed, d)
		if err != nil {
			return nil, err
		}
		key, err := gost.NewPrivateKey(c, d)
		return func() error {
			_, err := key.Sign(random, digest, nil)
			return err
		}, err
	}}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// publicKey asks the same of the multiplication of the base point by a secret.
func publicKey(c *gost.Curve, what string, d []byte) experiment {
	name := fmt.Sprintf("public key, %s: scalar %s against random ones", c, what)
	return experiment{name, "secret", func(fixed bool) (func() error, error) {
		d, err := scalar(c, fixed, d)
		return func() error {
			_, err := gost.NewPrivateKey(c, d)
			return err
		}, err
	}}
}

// control compares random keys with random keys: whatever is found here is a fault of the measurement.
func control(c *gost.Curve) experiment {
	e := sign(c, fmt.Sprintf("control, %s: random keys against random keys", c), nil, nil)
	prepare := e.prepare
	e.kind, e.prepare = "control", func(bool) (func() error, error) { return prepare(false) }
	return e
}

// leak is the multiplication with a leak put beside it: some nanoseconds for each bit that is set, in all
// well under a hundredth of the whole. It has to be found.
func leak(c *gost.Curve) experiment {
	return experiment{fmt.Sprintf("leak made on purpose, %s: a few ns for each bit set", c), "leak", func(fixed bool) (func() error, error) {
		d, err := scalar(c, fixed, one(c))
		return func() error {
			spill(d)
			_, err := gost.NewPrivateKey(c, d)
			return err
		}, err
	}}
}

var spilt uint64

func spill(d []byte) {
	x := spilt | 1
	for _, b := range d {
		for ; b != 0; b >>= 1 {
			if b&1 == 1 {
				x *= x
				x *= x | 3
				x *= x | 5
			}
		}
	}
	spilt = x
}

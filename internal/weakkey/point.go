package weakkey

import (
	"errors"
	"fmt"
	"sync"

	"senim/gost"
)

// tiny is how many multiples of the generator are refused, with their negatives. No random key is
// among them; a program whose generator returned zeros, or counts, makes them.
const tiny = 256

// checkPoint asks once more for what reading a key has asked for: a point of the curve, in the
// subgroup of the generator. Infinity has no coordinates and so no encoding.
func checkPoint(k *gost.PublicKey) error {
	xy := k.Bytes()
	if len(xy) == 0 {
		return errors.New("no point")
	}
	if _, err := gost.NewPublicKey(k.Curve(), xy); err != nil {
		return fmt.Errorf("the point: %w", err)
	}
	if k.Curve() == gost.TC26_512A() && tinyMultiples()[string(xy[:len(xy)/2])] {
		return fmt.Errorf("the point is one of the first %d multiples of the generator", tiny)
	}
	return nil
}

// tinyMultiples are the x coordinates of the first multiples of the generator of the one curve
// certificates are given for. A point and its negative share them.
var tinyMultiples = sync.OnceValue(func() map[string]bool {
	c := gost.TC26_512A()
	all := map[string]bool{}
	for n := 1; n <= tiny; n++ {
		d := make([]byte, c.Size())
		d[0], d[1] = byte(n), byte(n>>8) // little-endian
		key, err := gost.NewPrivateKey(c, d)
		if err != nil { // small positive numbers are private keys of every curve
			panic(err)
		}
		xy := key.PublicKey().Bytes()
		all[string(xy[:len(xy)/2])] = true
	}
	return all
})

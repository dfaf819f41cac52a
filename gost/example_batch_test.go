package gost_test

import (
	"fmt"

	"senim/gost"
	"senim/gost/streebog"
)

func ExampleVerifyBatch() {
	var batch []gost.Signature
	for _, message := range []string{"one", "two", "three"} {
		key, err := gost.GenerateKey(gost.TC26_512A(), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		digest := streebog.Sum512([]byte(message))
		sig, err := key.Sign(nil, digest[:], nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		batch = append(batch, gost.Signature{Key: key.PublicKey(), Digest: digest[:], Bytes: sig})
	}
	batch[1].Key = batch[0].Key
	fmt.Println(gost.VerifyBatch(batch))
	// Output: [true false true]
}

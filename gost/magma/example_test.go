package magma_test

import (
	"fmt"

	"senim/gost/magma"
)

// One block there and back, which is all that the hash needs.
func Example() {
	c, err := magma.New(make([]byte, magma.KeySize))
	if err != nil {
		fmt.Println(err)
		return
	}
	block := []byte("8 octets")
	c.Encrypt(block, block)
	fmt.Println(string(block) == "8 octets")
	c.Decrypt(block, block)
	fmt.Println(string(block))
	// Output:
	// false
	// 8 octets
}

// Keys of another length are refused.
func ExampleNew() {
	_, err := magma.New(make([]byte, 16))
	fmt.Println(err)
	// Output: magma: key of 16 bytes, want 32
}

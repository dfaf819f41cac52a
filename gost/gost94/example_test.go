package gost94_test

import (
	"fmt"
	"io"
	"strings"

	"senim/gost/gost94"
)

// The digest that signatures before 2022 are over.
func ExampleSum() {
	fmt.Printf("%x\n", gost94.Sum([]byte("abc")))
	// Output: f3134348c44fb1b2a277729e2285ebb5cb5e0f29c975bc753b70497c06a4d51d
}

// A stream, in pieces.
func ExampleNew() {
	h := gost94.New()
	if _, err := io.Copy(h, strings.NewReader("message digest")); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%x\n", h.Sum(nil))
	// Output: ad4434ecb18f2c99b60cbe59ec3d2469582b65273f48de72db2fde16a4889a4d
}

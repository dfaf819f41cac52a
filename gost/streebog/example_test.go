package streebog_test

import (
	"fmt"
	"io"
	"strings"

	"senim/gost/streebog"
)

// The digest of bytes at hand.
func ExampleSum512() {
	fmt.Printf("%x\n", streebog.Sum512([]byte("abc")))
	// Output: 28156e28317da7c98f4fe2bed6b542d0dab85bb224445fcedaf75d46e26d7eb8d5997f3e0915dd6b7f0aab08d9c8beb0d8c64bae2ab8b3c8c6bc53b3bf0db728
}

// The shorter one is another function, not the beginning of the longer.
func ExampleSum256() {
	fmt.Printf("%x\n", streebog.Sum256([]byte("abc")))
	// Output: 4e2919cf137ed41ec4fb6270c61826cc4fffb660341e0af3688cd0626d23b481
}

// A stream of any length, in pieces.
func ExampleNew512() {
	h := streebog.New512()
	if _, err := io.Copy(h, strings.NewReader("a document from a file")); err != nil {
		fmt.Println(err)
		return
	}
	whole := streebog.Sum512([]byte("a document from a file"))
	fmt.Println(h.Size(), h.BlockSize(), string(h.Sum(nil)) == string(whole[:]))
	// Output: 64 64 true
}

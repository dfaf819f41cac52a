// Senim-token stands between our programs and the driver of a PKCS #11 token, in a process of its own, so
// that a driver written in C neither crashes the server nor brings cgo into it.
//
// It is started by senimd, senim ca and senim-agent, and spoken to over its standard input and output; package
// token has the other side. The driver needs cgo: build it with
//
//	CGO_ENABLED=1 go build -tags pkcs11 ./cmd/senim-token
//
// Built otherwise it says just that. It keeps no state, opens no file and no socket of its own.
package main

import (
	"fmt"
	"os"

	"senim/internal/token"
)

func main() {
	if err := token.Serve(os.Stdin, os.Stdout, open, look); err != nil {
		fmt.Fprintln(os.Stderr, "senim-token:", err)
		os.Exit(1)
	}
}

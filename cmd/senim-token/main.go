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
	"io"
	"os"
	"slices"

	"senim/internal/token"
)

const about = `senim-token stands between senimd, senim ca, senim-agent and the driver of a PKCS #11 token. They start it and speak to
it over its standard input and output; there is nothing to call by hand.
`

// words answers a person, who calls it with words or from a terminal, with an exit status; programs do neither, and
// asked is false.
func words(args []string, terminal bool, stdout, stderr io.Writer) (asked bool, status int) {
	switch {
	case len(args) == 1 && slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]):
		_, err := io.WriteString(stdout, about)
		if err != nil {
			return true, 1
		}
		return true, 0
	case len(args) > 0 || terminal:
		_, _ = io.WriteString(stderr, about) // nowhere else to say so
		return true, 2
	}
	return false, 0
}

func main() {
	in, err := os.Stdin.Stat()
	if asked, status := words(os.Args[1:], err == nil && in.Mode()&os.ModeCharDevice != 0, os.Stdout, os.Stderr); asked {
		os.Exit(status)
	}
	if err := token.Serve(os.Stdin, os.Stdout, open, look); err != nil {
		fmt.Fprintln(os.Stderr, "senim-token:", err)
		os.Exit(1)
	}
}

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
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"senim/internal/token"
)

func main() {
	var in io.Reader = os.Stdin
	if f, err := os.Stdin.Stat(); err == nil && f.Mode()&os.ModeCharDevice != 0 { // a person's terminal: there is nothing to wait for
		in = strings.NewReader("")
	}
	os.Exit(run(os.Args[1:], in, os.Stdout, os.Stderr))
}

// run serves one program that started us, or says to a person that nobody calls us by hand.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) (status int) {
	if len(args) > 0 {
		if slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
			_, _ = io.WriteString(stdout, what)
			return 0
		}
		_, _ = io.WriteString(stderr, what)
		return 2
	}
	err := token.Serve(stdin, stdout, open, look)
	switch {
	case errors.Is(err, io.EOF): // nothing was asked
		_, _ = io.WriteString(stderr, what)
		return 2
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "senim-token:", err)
		return 1
	}
	return 0
}

// what the program is. It has no catalogue of texts, and nothing else to say to people.
const what = `senim-token токен драйверлерімен жұмыс істейді. Оны senim-agent, senim және senimd өздері іске қосады, қолмен шақырылмайды.
senim-token работает с драйверами токенов. Его запускают сами senim-agent, senim и senimd, вручную его не вызывают.
senim-token works with drivers of tokens. senim-agent, senim and senimd start it themselves; nobody calls it by hand.
`

// Senim is the command line for what the national PKI makes: it inspects certificates, revocation
// lists, requests, key files, CMS, signed XML and PDF, tokens; it signs, verifies, converts, hashes; it makes keys
// and asks for time-stamps and for the status of certificates.
//
//	senim inspect FILE
//	senim sign --format cms --key KEY.p12 --out FILE.p7s FILE
//	senim verify --trust DIR --crl LIST.crl FILE.p7s
//
// It exits with 0 if everything asked for is good, 1 if something is not, or could not be checked,
// and 2 if a file cannot be read or the command is misused. Some commands speak on the network,
// timestamp, ocsp, log, ca and qr-phone, and only to the address they are given; for all others what is trusted and what is
// revoked comes from files; audit may be given the database of a server. It refuses to write over a file
// that exists.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := &program{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now,
		Color: terminal(os.Stdout) && os.Getenv("NO_COLOR") == "", Screen: terminal(os.Stdout), Width: columns(os.Stdout), Live: terminal(os.Stderr),
		Ask: asker(os.Stdin, os.Stderr),
	}
	status := p.Run(ctx)
	stop()
	os.Exit(status)
}

// program is one call of the command, so that tests can make it without a process.
type program struct {
	Args           []string
	Dir            string // names of files are seen from here; empty is the working directory
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time
	Color          bool // stdout is a terminal whose reader wants colours
	Screen         bool // stdout is a terminal
	Width          int  // its columns; 0 where nothing is cut
	Live           bool // stderr is a terminal: progress is shown there
	// Ask asks the person at the terminal for a secret; nil when there is nobody.
	Ask func(ctx context.Context, question string) (string, error)

	model  *kong.Application // the commands, for completion
	unsaid error             // why something could not be written to Stdout
}

// Exit statuses.
const (
	statusGood   = 0
	statusBad    = 1
	statusMisuse = 2
)

type commands struct {
	Inspect    inspect    `cmd:"" help:"Show what a file is and what stands in it, without judging it."`
	Sign       sign       `cmd:"" help:"Sign a file with a key file."`
	Verify     verify     `cmd:"" help:"Check signatures and the certificates behind them."`
	Timestamp  timestamp  `cmd:"" help:"Ask for a time-stamp over a file or a signature, or verify one."`
	OCSP       ocspAsk    `cmd:"" name:"ocsp" help:"Ask a responder whether certificates are revoked."`
	Hash       hashing    `cmd:"" help:"Compute digests of files, or check a list of them."`
	Convert    convert    `cmd:"" help:"Write a file in another form, or take a part out of it."`
	Key        keys       `cmd:"" help:"Make, finish and list key files, change their passwords."`
	CA         authority  `cmd:"" name:"ca" help:"Run a certification authority: ceremonies, shares, offline roots."`
	Audit      auditing   `cmd:"" help:"Verify, search and export the audit of an authority."`
	Log        publicLog  `cmd:"" name:"log" help:"Check the public log of certificates issued."`
	QRPhone    qrPhone    `cmd:"" name:"qr-phone" help:"Sign by a QR code as eGov Mobile does, for tests and demonstrations."`
	Completion completion `cmd:"" help:"Print a script that completes commands in a shell."`
	Version    version    `cmd:"" help:"Print the version, with the revision it was built from."`
}

// command is one of them. Its status counts when there is no error.
type command interface {
	run(ctx context.Context, p *program) (status int, err error)
}

// unjudged is a command that does something and judges nothing: what has no error is good.
type unjudged interface {
	run(ctx context.Context, p *program) error
}

const about = `Certificates, key files and signatures of the national PKI on the command line.

Files may be DER, PEM or base64. Passwords are asked for, or read from a file. Exit status: 0 good,
1 not good or could not be checked, 2 a file cannot be read or the command is misused. What is printed
is English, whatever the language of the system.

  senim inspect key.p12
  senim sign --format cms --key key.p12 --out act.pdf.p7s act.pdf
  senim verify --trust authorities/ --crl nca.crl act.pdf.p7s`

// Run does what the arguments say and returns the exit status.
func (p *program) Run(ctx context.Context) (status int) {
	var c commands
	type exit int
	defer func() { // --help ends here
		if r := recover(); r != nil {
			code, ok := r.(exit)
			if !ok {
				panic(r)
			}
			status = int(code)
		}
	}()
	parser, err := kong.New(&c, kong.Name("senim"), kong.Description(about), kong.Writers(p.Stdout, p.Stderr), kong.KindMapper(reflect.String, kong.MapperFunc(asWritten)),
		kong.Exit(func(code int) { panic(exit(code)) }), kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100}))
	if err != nil {
		return p.fail(err, false)
	}
	call, err := parser.Parse(spelled(p.Args))
	if err != nil {
		return p.fail(&hinted{whole(err), "senim --help shows the commands, senim COMMAND --help their options"}, false)
	}
	selected := call.Selected()
	p.model = call.Model
	switch chosen := selected.Target.Addr().Interface().(type) {
	case command:
		status, err = chosen.run(ctx, p)
	case unjudged:
		status, err = statusGood, chosen.run(ctx, p)
	}
	if err != nil {
		return p.fail(err, asJSON(selected))
	}
	if p.unsaid != nil {
		return p.fail(fmt.Errorf("write the answer: %w", p.unsaid), false)
	}
	return status
}

// spelled are the arguments as the parser knows them, for people used to other programs: help COMMAND is
// COMMAND --help, --version is version.
func spelled(args []string) []string {
	switch {
	case len(args) == 0:
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case args[0] == "--version" || args[0] == "-version":
		return append([]string{"version"}, args[1:]...)
	}
	return args
}

// whole is an error of the parser without dots: where a command is missing it names the first five only.
func whole(err error) error {
	said, ok := errors.AsType[*kong.ParseError](err)
	if !ok || said.Context == nil || said.Context.Error != nil {
		return err
	}
	node := said.Context.Selected()
	if node == nil {
		node = said.Context.Model.Node
	}
	var names []string
	for _, child := range node.Children {
		names = append(names, child.Name)
	}
	if len(names) == 0 {
		return err
	}
	return fmt.Errorf("a command is missing after %s: %s", node.FullPath(), strings.Join(names, ", "))
}

// asWritten takes an argument byte by byte: the parser's own way goes through JSON, and the name of a
// file in an old encoding would become another.
func asWritten(c *kong.DecodeContext, target reflect.Value) error {
	t, err := c.Scan.PopValue("string")
	if err != nil {
		return err
	}
	s, ok := t.Value.(string)
	if !ok {
		return fmt.Errorf("%v is no text", t.Value)
	}
	target.SetString(s)
	return nil
}

// asJSON tells whether a command was asked to answer in JSON.
func asJSON(selected *kong.Node) bool {
	field := selected.Target.FieldByName("JSON")
	return field.IsValid() && field.Bool()
}

// hinted is an error with advice on what to do about it.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// notGood is an error that is a finding: nothing is wrong with the files or the command, but what was
// asked for did not come out good.
type notGood struct{ error }

func (n *notGood) Unwrap() error { return n.error }

// fail reports an error: to people on stderr, to machines on stdout too.
func (p *program) fail(err error, asJSON bool) int {
	advice := ""
	var h *hinted
	if errors.As(err, &h) {
		advice = h.hint
	}
	if asJSON {
		p.json(struct {
			Error string `json:"error"`
			Hint  string `json:"hint,omitempty"`
		}{err.Error(), advice})
	}
	p.tell("senim: %v", err)
	if advice != "" {
		p.tell("hint: %s", advice)
	}
	if _, ok := errors.AsType[*notGood](err); ok {
		return statusBad
	}
	return statusMisuse
}

// tell writes a line to stderr.
func (p *program) tell(format string, args ...any) {
	_, _ = fmt.Fprintln(p.Stderr, printable(fmt.Sprintf(format, args...))) // nowhere else to say so
}

func (p *program) json(v any) {
	e := json.NewEncoder(p.Stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		p.unsaid = err
	}
}

// path is a file's name as the operating system needs it.
func (p *program) path(name string) string {
	if p.Dir == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.Dir, name)
}

// Command senim-agent is the signing agent on a person's machine: web pages ask it over a local
// socket, as they ask NCALayer; it asks the person, in a window of its own.
//
//	senim-agent [flags]              run
//	senim-agent renew [flags]        renew the keys that are due, in the cabinet that --cabinet names
//	senim-agent password [flags]     change the password of a key file
//	senim-agent backup [flags]       copy a key file, and read the copy back
//	senim-agent compare [flags]      hold the keys here against the list of the cabinet that --cabinet names
//	senim-agent install [flags]      put it on this machine: trust of browsers, start at sign-in, menu
//	senim-agent uninstall [flags]    take all of that away
//	senim-agent doctor [flags]       find what keeps pages from it, and say what to do
//	senim-agent status [flags]       who answers at its address
//	senim-agent open [flags]         show its own page; starts it when it does not run
//	senim-agent start [flags]        start it when it does not run, as it was chosen at install
//	senim-agent stop [flags]         end it
//	senim-agent trust [flags]        only make browsers accept its local TLS certificate
//	senim-agent authority …          add, list and remove authorities whose keys and time-stamps are trusted
//	senim-agent version              print the version
//	senim-agent help [command]       say what there is, or what a command takes
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"senim/internal/agent"
	"senim/internal/desktop"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/setup"
	"senim/internal/trustdir"
	"senim/pki"
)

const version = "0.1.0"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	var running *already
	switch {
	case err == nil:
	case errors.As(err, &running): // not a failure: systemd need not try again
		fmt.Fprintln(os.Stderr, "senim-agent:", err)
	case errors.Is(err, errUnsound):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "senim-agent:", err)
		os.Exit(2)
	}
}

// run does what a command line says. Its error is in the words of whoever reads it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	t, err := languageFor(args), dispatch(ctx, args, stdout, stderr)
	if h, ok := errors.AsType[*helpWanted](err); ok {
		return h.print(stdout, t)
	}
	return inWords(ctx, t, err)
}

func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "help":
			return helpCommand(ctx, args[1:], stdout, stderr)
		case "version", "--version", "-version":
			if err := parse(newFlags("senim-agent version"), args[1:]); err != nil {
				return err
			}
			_, err := fmt.Fprintln(stdout, version)
			return err
		case "install":
			return installCommand(ctx, args[1:], os.Stdin, stdout)
		case "uninstall":
			return uninstallCommand(ctx, args[1:], stdout, stderr)
		case "doctor":
			return doctorCommand(ctx, args[1:], stdout, stderr)
		case "status":
			return statusCommand(ctx, args[1:], stdout, stderr)
		case "open":
			return openCommand(ctx, args[1:], stdout)
		case "start":
			return startCommand(ctx, args[1:], stdout)
		case "stop":
			return stopCommand(ctx, args[1:], stdout, stderr)
		case "trust":
			return trustCommand(ctx, args[1:], stdout)
		case "authority":
			return authorityCommand(ctx, args[1:], os.Stdin, stdout)
		case string(agent.ActRenew), string(agent.ActPassword), string(agent.ActBackup), string(agent.ActCompare):
			return actCommand(ctx, agent.Act(args[0]), args[1:], stdout, stderr)
		}
		if !strings.HasPrefix(args[0], "-") {
			return refuse("command.unknown", "word", args[0])
		}
	}
	if path, err := os.Executable(); err == nil && len(args) == 0 && clicked(runtime.GOOS, path) {
		return openCommand(ctx, nil, stdout)
	}
	return serve(ctx, args, stdout, stderr)
}

// clicked tells whether a program without arguments was opened by a click, as programs in an application folder of macOS
// are. There is no mark in the menu bar there, so the click shows the agent's page; the start at sign-in has arguments.
func clicked(system, path string) bool {
	return system == "darwin" && strings.Contains(path, ".app/Contents/MacOS/")
}

const (
	defaultListen = "127.0.0.1:13579"
	largePort     = 24680
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return fmt.Sprint(*l) }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func dataFolder() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		dir = "."
	}
	return filepath.Join(dir, "senim-agent")
}

// checkArguments refuses flags the agent would not start with: they are about to be written where
// nobody sees its complaint.
func checkArguments(args []string) error {
	_, err := configuration("senim-agent", args, io.Discard, io.Discard)
	return err
}

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := configuration("senim-agent", args, stdout, stderr)
	if err != nil {
		return err
	}
	return serveWith(ctx, c, stdout, stderr)
}

func serveWith(ctx context.Context, c settings, stdout, stderr io.Writer) error {
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	own := &surroundings{quit: quit}
	if !c.headless {
		c.Media, c.Notify = desktop.Media, own.remind
	}
	a, err := agent.New(c.Config)
	if err != nil {
		return err
	}
	if err := bind(ctx, a, c.Listen, c.wait, c.language(), stderr, noticeIn(ctx, c.Data, c.browser, c.language())); err != nil {
		return err
	}
	hideNotice(c.Data) // of an earlier time
	if a.LargeError() != nil {
		if _, err := fmt.Fprintln(stderr, setup.PortTaken(portOf(cmp.Or(c.LargeDocuments, c.LargeSwitch))).Found(c.language())+"\n"+c.language().Text("setup.no-large")); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(stdout, "listening", a.Addr()); err != nil {
		return err
	}
	if !c.headless {
		own.show(a)
		defer own.tray.Stop()
	}
	done := recheck(ctx, c.Data, c.Log)
	defer done()
	return a.Serve(ctx)
}

// settings are what the agent is started with.
type settings struct {
	choices
	agent.Config
	services []string // addresses of responders that were named
}

// configuration reads the flags of the agent; a command that opens one window has the same.
func configuration(name string, args []string, stdout, stderr io.Writer) (c settings, err error) {
	if err := c.choices.read(name, args); err != nil {
		return c, err
	}
	if err := checkBrowser(c.browser); err != nil {
		return c, err
	}
	ways, show, say := func() []agent.Way { return agent.Ways(c.browser, c.data) }, (func(string) (func(), error))(nil), sayTo(stdout)
	if c.browser == "none" {
		show = func(url string) (func(), error) { say(url); return nil, nil }
	}
	c.Config = agent.Config{
		Listen: c.listen, Data: c.data, Folders: c.keys, Ways: ways, Unseen: say, Browser: show, Cabinet: c.cabinet,
		SingleUser: c.single, Remember: c.remember, OldKeyFiles: c.old, Version: version, Log: slog.New(slog.NewTextHandler(stderr, nil)), // the agent keeps paths out of it
	}
	if err := c.findTrust(); err != nil {
		return c, err
	}
	if err := c.findTokens(); err != nil {
		return c, err
	}
	c.LargeSwitch = net.JoinHostPort("127.0.0.1", strconv.Itoa(largePort))
	if c.large {
		c.LargeDocuments = c.LargeSwitch
	}
	if c.keychain {
		c.Keychain, c.AskPending = keystore.SystemKeychain(), true
	}
	return c, nil
}

// language is the one asked for, else the system's.
func (c *choices) language() lang.Tag { return languageOr(c.tag) }

// sayTo prints addresses of windows, a line each.
func sayTo(out io.Writer) func(url string) {
	var mu sync.Mutex
	return func(url string) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintln(out, "window", url)
	}
}

// findTrust reads who is trusted, and where is asked about certificates and for time-stamps.
func (c *settings) findTrust() (err error) {
	if c.Pool, err = authoritiesIn(append(packedAuthorities(), c.authorities...)); err != nil {
		return err
	}
	lists := c.crl
	if lists == "" && len(c.authorities) > 0 {
		lists = c.authorities[0]
	}
	if c.Revocation, err = revocationSource(c.responders, lists); err != nil {
		return err
	}
	for _, r := range c.responders {
		_, address, _ := strings.Cut(r, "=")
		c.services = append(c.services, address)
	}
	c.Stamps, err = addresses("--tsp", c.stampers)
	return err
}

// findTokens finds the program that loads drivers of tokens, and the drivers.
func (c *settings) findTokens() (err error) {
	if c.TokenProgram, err = tokenProgram(c.helper); err != nil {
		return err
	}
	if c.Tokens, err = tokenDrivers(c.drivers, c.TokenProgram); err != nil {
		return err
	}
	c.KnownDrivers = keystore.KnownDrivers(runtime.GOOS)
	return nil
}

// authoritiesIn joins the authorities of the folders. A folder with a mistake in it is an error: trust
// is not guessed around.
func authoritiesIn(folders []string) (*pki.Pool, error) {
	pool := pki.NewPool()
	for _, folder := range folders {
		trusted, err := trustdir.Load(folder)
		if err != nil {
			return nil, refuse("command.authorities", "path", folder, "why", err).because(err)
		}
		trusted.AddTo(pool)
	}
	return pool, nil
}

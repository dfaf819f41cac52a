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
//	senim-agent version
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
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
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "senim-agent:", err)
		}
		os.Exit(2)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "version":
			_, err := fmt.Fprintln(stdout, version)
			return err
		case "install":
			return installCommand(ctx, args[1:], os.Stdin, stdout, stderr)
		case "uninstall":
			return uninstallCommand(ctx, args[1:], stdout, stderr)
		case "doctor":
			return doctorCommand(ctx, args[1:], stdout, stderr)
		case "status":
			return statusCommand(ctx, args[1:], stdout, stderr)
		case "open":
			return openCommand(ctx, args[1:], stdout, stderr)
		case "start":
			return startCommand(ctx, args[1:], stdout, stderr)
		case "stop":
			return stopCommand(ctx, args[1:], stdout, stderr)
		case "trust":
			return trustCommand(ctx, args[1:], stdout, stderr)
		case "authority":
			return authorityCommand(ctx, args[1:], os.Stdin, stdout, stderr)
		case string(agent.ActRenew), string(agent.ActPassword), string(agent.ActBackup), string(agent.ActCompare):
			return actCommand(ctx, agent.Act(args[0]), args[1:], stdout, stderr)
		}
	}
	if path, err := os.Executable(); err == nil && len(args) == 0 && clicked(runtime.GOOS, path) {
		return openCommand(ctx, nil, stdout, stderr)
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
	if err := bind(ctx, a, c.Listen, c.wait, systemLanguage(), stderr, noticeIn(c.Data, c.browser, systemLanguage())); err != nil {
		return err
	}
	if a.LargeError() != nil {
		if _, err := fmt.Fprintln(stderr, setup.PortTaken(portOf(cmp.Or(c.LargeDocuments, c.LargeSwitch))).Found(systemLanguage())+"\n"+systemLanguage().Text("setup.no-large")); err != nil {
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
	agent.Config
	headless, wait bool
	browser        string
	services       []string // addresses of responders that were named
}

// configuration reads the flags of the agent; a command that opens one window has the same.
func configuration(name string, args []string, stdout, stderr io.Writer) (c settings, err error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	var keys, authorities, responders, stampers, drivers list
	listen := flags.String("listen", defaultListen, "loopback `address`; port 0 takes a free one")
	data := flags.String("data", dataFolder(), "`folder` of the agent's own files")
	flags.StringVar(&c.browser, "browser", "", "`command` that shows a window; none prints the address instead")
	remember := flags.Bool("remember", false, "keep the certificates of opened keys on disk, so that the next start knows their owners")
	single := flags.Bool("single-user", false, "accept peers whose user this system cannot tell (never on a shared machine)")
	old := flags.Bool("old-key-files", false, "write new key files as the national CA does, for programs that read nothing else (weaker)")
	cabinet := flags.String("cabinet", "", "`origin` of the cabinet in which keys are renewed and revoked, as https://cabinet.example.kz")
	keychain := flags.Bool("keychain", true, "keep secrets in the system's keychain where there is one")
	flags.BoolVar(&c.wait, "wait", false, "when another program has the port, wait until it quits")
	flags.BoolVar(&c.headless, "headless", false, "no tray, no reminders beside the windows, no look at plugged media")
	large := flags.Bool("large-documents", false, "sign documents too large for the socket on port 24680, as KAZTOKEN does; no window shows what is in them")
	flags.Var(&drivers, "token", "`STORAGE=DRIVER` of PKCS #11 tokens beside those that are found, as AKKaztokenStore=/usr/lib/driver.so, may be repeated")
	helper := flags.String("token-program", "", "`path` of senim-token; default: beside this program")
	flags.Var(&keys, "keys", "`folder` with key files, may be repeated")
	flags.Var(&authorities, "trust", "`folder` with certificates of known authorities, may be repeated")
	flags.Var(&responders, "ocsp", "`SKI=URL`: where to ask for the status of certificates of an issuer, may be repeated")
	flags.Var(&stampers, "tsp", "`SKI=URL`: who time-stamps signatures whose certificate is of an issuer, may be repeated")
	crl := flags.String("crl", "", "`folder` with revocation lists; default: the first folder of --trust")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	if err := checkCabinet(*cabinet); err != nil {
		return c, err
	}
	var mu sync.Mutex
	say := func(url string) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintln(stdout, "window", url)
	}
	ways, show := func() []agent.Way { return agent.Ways(c.browser, *data) }, (func(string) (func(), error))(nil)
	if c.browser == "none" {
		show = func(url string) (func(), error) { say(url); return nil, nil }
	}
	c.Config = agent.Config{
		Listen: *listen, Data: *data, Folders: keys, Ways: ways, Unseen: say, Browser: show, Cabinet: *cabinet,
		SingleUser: *single, Remember: *remember, OldKeyFiles: *old, Version: version,
		Log: slog.New(slog.NewTextHandler(stderr, nil)), // the agent keeps paths out of it
	}
	if c.Pool, err = authoritiesIn(append(packedAuthorities(), authorities...)); err != nil {
		return c, err
	}
	if *crl == "" && len(authorities) > 0 {
		*crl = authorities[0]
	}
	if c.Revocation, err = revocationSource(responders, *crl); err != nil {
		return c, err
	}
	for _, r := range responders {
		_, address, _ := strings.Cut(r, "=")
		c.services = append(c.services, address)
	}
	if c.Stamps, err = addresses("--tsp", stampers); err != nil {
		return c, err
	}
	if c.TokenProgram, err = tokenProgram(*helper); err != nil {
		return c, err
	}
	if c.Tokens, err = tokenDrivers(drivers, c.TokenProgram); err != nil {
		return c, err
	}
	c.KnownDrivers = keystore.KnownDrivers(runtime.GOOS)
	c.LargeSwitch = net.JoinHostPort("127.0.0.1", strconv.Itoa(largePort))
	if *large {
		c.LargeDocuments = c.LargeSwitch
	}
	if *keychain {
		c.Keychain, c.AskPending = keystore.SystemKeychain(), true
	}
	return c, nil
}

// authoritiesIn joins the authorities of the folders. A folder with a mistake in it is an error: trust
// is not guessed around.
func authoritiesIn(folders []string) (*pki.Pool, error) {
	pool := pki.NewPool()
	for _, folder := range folders {
		trusted, err := trustdir.Load(folder)
		if err != nil {
			return nil, fmt.Errorf("read authorities: %w", err)
		}
		trusted.AddTo(pool)
	}
	return pool, nil
}

// Command senim-agent is the signing agent on a person's machine: web pages ask it over a local
// socket, as they ask NCALayer; it asks the person, in a window of its own.
//
//	senim-agent [flags]              run
//	senim-agent install [flags]      put it on this machine: trust of browsers, start at sign-in, menu
//	senim-agent uninstall [flags]    take all of that away
//	senim-agent doctor [flags]       find what keeps pages from it, and say what to do
//	senim-agent status [flags]       who answers at its address
//	senim-agent open [flags]         show its own page; starts it when it does not run
//	senim-agent stop [flags]         end it
//	senim-agent trust [flags]        only make browsers accept its local TLS certificate
//	senim-agent version
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"senim/internal/agent"
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
		case "stop":
			return stopCommand(ctx, args[1:], stdout, stderr)
		case "trust":
			return trustCommand(ctx, args[1:], stdout, stderr)
		}
	}
	return serve(ctx, args, stdout, stderr, false)
}

const defaultListen = "127.0.0.1:13579"

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
	return serve(context.Background(), args, io.Discard, io.Discard, true)
}

// serve runs the agent; only looking, it reads its flags and does nothing.
func serve(ctx context.Context, args []string, stdout, stderr io.Writer, looking bool) error {
	flags := flag.NewFlagSet("senim-agent", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var keys, authorities, responders list
	listen := flags.String("listen", defaultListen, "loopback `address`; port 0 takes a free one")
	data := flags.String("data", dataFolder(), "`folder` of the agent's own files")
	browser := flags.String("browser", "", "`command` that shows a window; none prints the address instead")
	remember := flags.Bool("remember", false, "keep the certificates of opened keys on disk, so that the next start knows their owners")
	single := flags.Bool("single-user", false, "accept peers whose user this system cannot tell (never on a shared machine)")
	old := flags.Bool("old-key-files", false, "write new key files as the national CA does, for programs that read nothing else (weaker)")
	wait := flags.Bool("wait", false, "when another program has the port, wait until it quits")
	flags.Var(&keys, "keys", "`folder` with key files, may be repeated")
	flags.Var(&authorities, "trust", "`folder` with certificates of known authorities, may be repeated")
	flags.Var(&responders, "ocsp", "`SKI=URL`: where to ask for the status of certificates of an issuer, may be repeated")
	crl := flags.String("crl", "", "`folder` with revocation lists; default: the first folder of --trust")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	if looking {
		return nil
	}
	pool, err := authoritiesIn(authorities)
	if err != nil {
		return err
	}
	if *crl == "" && len(authorities) > 0 {
		*crl = authorities[0]
	}
	status, err := revocationSource(responders, *crl)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(url string) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintln(stdout, "window", url)
	}
	show := agent.Browser(*browser, *data, say)
	if *browser == "none" {
		show = func(url string) (func(), error) { say(url); return nil, nil }
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	a, err := agent.New(agent.Config{
		Listen: *listen, Data: *data, Folders: keys, Pool: pool, Revocation: status, Browser: show,
		SingleUser: *single, Remember: *remember, OldKeyFiles: *old, Version: version, Log: log,
	})
	if err != nil {
		return err
	}
	if err := bind(ctx, a, *listen, *wait, systemLanguage(), stderr, noticeIn(*data, *browser, systemLanguage())); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(stdout, "listening", a.Addr()); err != nil {
		return err
	}
	done := recheck(ctx, *data, log)
	defer done()
	return a.Serve(ctx)
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
		for _, cert := range trusted.Authorities {
			if string(cert.RawIssuer) == string(cert.RawSubject) {
				pool.AddRoot(cert)
			} else {
				pool.AddIntermediate(cert)
			}
		}
	}
	return pool, nil
}

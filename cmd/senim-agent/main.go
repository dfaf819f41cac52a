// Command senim-agent is the signing agent on a person's machine: web pages ask it over a local
// socket, as they ask NCALayer; it asks the person, in a window of its own.
//
//	senim-agent [flags]          run
//	senim-agent trust [flags]    make browsers accept its local TLS certificate
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
	"senim/pki"
)

const version = "0.1.0"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
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
		case "trust":
			return trustCommand(ctx, args[1:], stdout, stderr)
		}
	}
	return serve(ctx, args, stdout, stderr)
}

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

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("senim-agent", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var keys, authorities, responders list
	listen := flags.String("listen", "127.0.0.1:13579", "loopback `address`; port 0 takes a free one")
	data := flags.String("data", dataFolder(), "`folder` of the agent's own files")
	browser := flags.String("browser", "", "`command` that shows a window; none prints the address instead")
	remember := flags.Bool("remember", false, "keep the certificates of opened keys on disk, so that the next start knows their owners")
	single := flags.Bool("single-user", false, "accept peers whose user this system cannot tell (never on a shared machine)")
	flags.Var(&keys, "keys", "`folder` with key files, may be repeated")
	flags.Var(&authorities, "trust", "`folder` with certificates of known authorities, may be repeated")
	flags.Var(&responders, "ocsp", "`SKI=URL`: where to ask for the status of certificates of an issuer, may be repeated")
	crl := flags.String("crl", "", "`folder` with revocation lists")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	pool, err := authoritiesIn(authorities, stderr)
	if err != nil {
		return err
	}
	status, err := revocationSource(responders, *crl)
	if err != nil {
		return err
	}
	show := agent.Browser(*browser, *data)
	if *browser == "none" {
		var mu sync.Mutex
		show = func(url string) (func(), error) {
			mu.Lock()
			defer mu.Unlock()
			_, err := fmt.Fprintln(stdout, "window", url)
			return nil, err
		}
	}
	a, err := agent.New(agent.Config{
		Listen: *listen, Data: *data, Folders: keys, Pool: pool, Revocation: status, Browser: show,
		SingleUser: *single, Remember: *remember, Version: version, Log: slog.New(slog.NewTextHandler(stderr, nil)),
	})
	if err != nil {
		return err
	}
	if err := a.Listen(); err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%w\nanother program (NCALayer, another agent) has this port: quit it and start again", err)
		}
		return err
	}
	if _, err := fmt.Fprintln(stdout, "listening", a.Addr()); err != nil {
		return err
	}
	return a.Serve(ctx)
}

// authoritiesIn reads every certificate file of the folders: self-signed ones are roots. A file that
// is not a certificate is named and left out.
func authoritiesIn(folders []string, stderr io.Writer) (*pki.Pool, error) {
	pool := pki.NewPool()
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return nil, fmt.Errorf("read authorities: %w", err)
		}
		for _, e := range entries {
			if !e.Type().IsRegular() {
				continue
			}
			switch filepath.Ext(e.Name()) {
			case ".cer", ".crt", ".pem", ".der":
			default:
				continue
			}
			b, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				return nil, fmt.Errorf("read authorities: %w", err)
			}
			if err := addAuthorities(pool, b); err != nil {
				_, _ = fmt.Fprintf(stderr, "senim-agent: %s is not a certificate, left out: %v\n", e.Name(), err)
			}
		}
	}
	return pool, nil
}

func addAuthorities(pool *pki.Pool, file []byte) error {
	blocks, err := pki.Decode(file)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		cert, err := pki.ParseCertificate(b.DER)
		if err != nil {
			return err
		}
		if string(cert.RawIssuer) == string(cert.RawSubject) {
			pool.AddRoot(cert)
		} else {
			pool.AddIntermediate(cert)
		}
	}
	return nil
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"senim/internal/agent"
	"senim/internal/lang"
	"senim/internal/trustdir"
	"senim/pki"
)

// authorityCommand keeps the authorities a person trusts, beside those that came with the program:
// add FILE, national, list, remove FINGERPRINT. An agent that runs sees it at once.
func authorityCommand(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	flags := newFlags("senim-agent authority")
	data := flags.String("data", dataFolder(), "command.flag.data")
	tag := flags.String("lang", "", "command.flag.lang")
	yes := flags.Bool("yes", false, "command.flag.authority.yes")
	words, err := parseWords(flags, args)
	if err != nil {
		return err
	}
	t := languageOr(*tag)
	switch {
	case len(words) == 2 && words[0] == "add":
		return addAuthority(*data, words[1], *yes, t, stdin, stdout)
	case len(words) == 1 && words[0] == "national":
		if err := agent.AddNational(ctx, *data); err != nil {
			return refuse("command.authority.national", "why", err).because(err)
		}
		return listAuthorities(*data, t, stdout)
	case len(words) == 1 && words[0] == "list":
		return listAuthorities(*data, t, stdout)
	case len(words) == 2 && words[0] == "remove":
		err := agent.RemoveAuthority(*data, strings.ToLower(strings.ReplaceAll(words[1], " ", "")))
		if errors.Is(err, fs.ErrNotExist) {
			err = refuse("command.authority.absent", "fingerprint", words[1]).because(err)
		}
		return err
	}
	return refuse("command.authority")
}

// addAuthority shows whose certificate it is and its fingerprint, and asks.
func addAuthority(data, path string, yes bool, t lang.Tag, stdin io.Reader, stdout io.Writer) error {
	file, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	c, err := agent.ReadAuthority(file)
	if err != nil {
		return refuse("command.authority.none", "path", path).because(err)
	}
	if _, err := fmt.Fprintf(stdout, "%s\nSHA-256 %s\n", c.Subject, agent.Fingerprint(c)); err != nil {
		return err
	}
	if !yes {
		if _, err := fmt.Fprint(stdout, t.Text("setup.authority.ask")); err != nil {
			return err
		}
		if !agreed(stdin, stdout) {
			return &told{text: t.Text("setup.install.refused")}
		}
	}
	return agent.AddAuthority(data, c)
}

// agreed reads a yes in one of our languages; without an answer it is no.
func agreed(stdin io.Reader, stdout io.Writer) bool {
	answer, err := bufio.NewReader(io.LimitReader(stdin, 100)).ReadString('\n')
	_, _ = fmt.Fprintln(stdout)
	if err != nil {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes", "д", "да", "и", "иә":
		return true
	}
	return false
}

func listAuthorities(data string, t lang.Tag, stdout io.Writer) error {
	packed, err := authoritiesIn(packedAuthorities())
	if err != nil {
		return err
	}
	all := packed.Certificates()
	if _, err := os.Stat(agent.TrustFolder(data)); err == nil {
		own, err := trustdir.Load(agent.TrustFolder(data))
		if err != nil {
			return refuse("command.authorities", "path", agent.TrustFolder(data), "why", err).because(err)
		}
		all = append(all, own.Authorities...)
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(stdout, t.Text("command.authority.nobody"))
		return err
	}
	for _, c := range all {
		if _, err := fmt.Fprintf(stdout, "%s  %s\n", agent.Fingerprint(c), c.Subject.Get(pki.OIDCommonName)); err != nil {
			return err
		}
	}
	return nil
}

// packedAuthorities is the folder of authorities that whoever built the package put beside the program, if he did. Who
// could put one there could put another program there, too.
func packedAuthorities() []string {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return nil
	}
	return packedBeside(self)
}

func packedBeside(program string) []string {
	beside := filepath.Dir(program)
	for _, folder := range []string{
		filepath.Join(beside, "authorities"),                               // a tar, Windows
		filepath.Join(beside, "..", "share", "senim-agent", "authorities"), // .deb, .rpm
		filepath.Join(beside, "..", "Resources", "authorities"),            // macOS
	} {
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return []string{folder}
		}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"senim/internal/agent"
)

// trustCommand puts the machine's own TLS authority into the certificate stores of browsers, where
// the tool for that is there; else it says what to do by hand. The authority is limited to this
// machine's loopback addresses.
func trustCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("senim-agent trust", flag.ContinueOnError)
	flags.SetOutput(stderr)
	data := flags.String("data", dataFolder(), "`folder` of the agent's own files")
	show := flags.Bool("print", false, "only print the certificate")
	if err := flags.Parse(args); err != nil {
		return err
	}
	path, err := agent.EnsureAuthority(*data)
	if err != nil {
		return err
	}
	if *show {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, err = stdout.Write(b)
		return err
	}
	tool, err := exec.LookPath("certutil")
	if err != nil {
		_, err := fmt.Fprintf(stdout, "No certutil here (Debian: apt install libnss3-tools).\nThe certificate to trust: %s\n"+
			"By hand: Chromium, Settings → Privacy and security → Security → Manage certificates → Authorities → Import;\n"+
			"Firefox, Settings → Privacy & Security → View Certificates → Authorities → Import.\n"+
			"Pages that fall back to plain ws:// work without it.\n", path)
		return err
	}
	var failed error
	for _, db := range nssDatabases() {
		c := exec.CommandContext(ctx, tool, "-d", "sql:"+db, "-A", "-t", "C,,", "-n", "Senim agent on this machine", "-i", path) //nolint:gosec // the tool found above, our own arguments
		if out, err := c.CombinedOutput(); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w: %s", db, err, out))
			continue
		}
		_, _ = fmt.Fprintln(stdout, "trusted in", db)
	}
	return failed
}

// nssDatabases lists the stores of Chromium and of every Firefox profile. Chromium's is made when it
// is missing.
func nssDatabases() []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	list := []string{filepath.Join(home, ".pki", "nssdb")}
	_ = os.MkdirAll(list[0], 0o700)
	for _, pattern := range []string{
		".mozilla/firefox/*/cert9.db", "snap/firefox/common/.mozilla/firefox/*/cert9.db", "snap/chromium/current/.pki/nssdb/cert9.db",
		".var/app/org.mozilla.firefox/.mozilla/firefox/*/cert9.db", ".config/mozilla/firefox/*/cert9.db",
	} {
		found, err := filepath.Glob(filepath.Join(home, pattern))
		if err != nil {
			continue
		}
		for _, f := range found {
			list = append(list, filepath.Dir(f))
		}
	}
	return list
}

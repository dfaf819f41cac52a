package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"senim/internal/ask"
	"senim/internal/tlog"
)

type publicLog struct {
	Check  logCheck  `cmd:"" help:"Prove that a certificate stands in the log."`
	Mine   logMine   `cmd:"" help:"List every certificate the log has in the name of a salt's holder."`
	Verify logVerify `cmd:"" help:"Recompute the whole log, and compare it with the database of the authority."`
}

// logged is which log, whose key, and what was seen of it before.
type logged struct {
	Key     string        `required:"" help:"The log's public key: the line origin+hash+base64, or a file with it." placeholder:"KEY"`
	State   string        `help:"File with the newest state of the log seen; kept by this command (default: in the user's configuration)." placeholder:"FILE"`
	Timeout time.Duration `default:"10s" help:"How long the log's server has for each answer." placeholder:"TIME"`

	where string // address or folder of the log
}

// entryCount counts them in words.
func entryCount(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// key reads the log's public key.
func (c *logged) key(p *program) (tlog.Key, error) {
	text := c.Key
	if !strings.Contains(text, "+") {
		raw, err := p.readUpTo(text, 1<<12)
		if err != nil {
			return tlog.Key{}, err
		}
		text = string(raw)
	}
	k, err := tlog.ParseKey(text)
	if err != nil {
		return k, &hinted{fmt.Errorf("--key: %w", err), "the authority publishes it, and shows it at /log/key"}
	}
	return k, nil
}

// fetch reads the log's files from its address or folder, and from nowhere else.
func (c *logged) fetch(ctx context.Context, p *program) (tlog.Fetch, error) {
	if !strings.Contains(c.where, "://") {
		dir := p.path(c.where)
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, &hinted{fmt.Errorf("%s: no folder", c.where), "give the log's folder, or its address as https://ca.example/log/"}
		}
		return func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))) }, nil
	}
	u, err := url.Parse(c.where)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &hinted{fmt.Errorf("%s: not an address", c.where), "write it whole, as https://ca.example/log/"}
	}
	client := ask.Client()
	return func(name string) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, c.Timeout)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.JoinPath(name).String(), nil)
		if err != nil {
			return nil, err
		}
		return ask.Do(client, req, tlog.MaxFile)
	}, nil
}

// current opens the log at its newest state, and proves that it only grew since it was last seen. What it
// then says is in said.
func (c *logged) current(ctx context.Context, p *program, k tlog.Key) (l *tlog.Log, at tlog.Checkpoint, said string, err error) {
	fetch, err := c.fetch(ctx, p)
	if err != nil {
		return nil, at, "", err
	}
	l = tlog.NewLog(k, fetch)
	if at, err = l.Checkpoint(); err != nil {
		return nil, at, "", &notGood{err}
	}
	file, err := c.stateFile(p, k)
	if err != nil {
		return nil, at, "", err
	}
	raw, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		said = "It was not seen from here before: that it only grows is checked from now on."
	case err != nil:
		return nil, at, "", fmt.Errorf("read %s: %w", file, plain(err))
	default:
		before, err := k.Checkpoint(raw)
		if err != nil {
			return nil, at, "", &hinted{fmt.Errorf("read %s: %w", file, err), "it is not the state of this log: give another --state"}
		}
		if err := l.Follows(before, at); err != nil {
			return nil, at, "", c.forked(p, file, at, err)
		}
		said = fmt.Sprintf("It only grew since it was last seen here, with %s.", entryCount(before.Size))
	}
	return l, at, said, keepState(file, at.Raw)
}

// forked keeps the second of two states that contradict each other: the two together are the evidence.
func (c *logged) forked(p *program, file string, at tlog.Checkpoint, err error) error {
	if !errors.Is(err, tlog.ErrFork) {
		return &notGood{err}
	}
	evidence := fmt.Sprintf("%s.contradicts-%d", file, at.Size)
	if werr := keepState(evidence, at.Raw); werr != nil {
		p.tell("warning: %v", werr)
	}
	return &notGood{&hinted{err, fmt.Sprintf("both are signed by the log: keep %s and %s, and show them to others", file, evidence)}}
}

func (c *logged) stateFile(p *program, k tlog.Key) (string, error) {
	if c.State != "" {
		return p.path(c.State), nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", &hinted{err, "--state FILE says where to keep what was seen of the log"}
	}
	return filepath.Join(dir, "senim", "log", url.PathEscape(k.Origin())+".checkpoint"), nil
}

// keepState writes the newest state whole or not at all.
func keepState(file string, raw []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("keep the log's state: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".state-*")
	if err != nil {
		return fmt.Errorf("keep the log's state: %w", err)
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("keep the log's state: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// salted is how a salt is told: in a file, or typed. It is no argument: those show in lists of processes.
type salted struct {
	SaltFile string `help:"File with the holder's salt: 64 hex digits, or a receipt." placeholder:"FILE"`
}

func (c *salted) salt(ctx context.Context, p *program) (tlog.Salt, error) {
	var text string
	switch {
	case c.SaltFile != "":
		raw, err := p.readUpTo(c.SaltFile, 1<<16)
		if err != nil {
			return tlog.Salt{}, err
		}
		if r, err := tlog.ParseReceipt(raw); err == nil {
			return r.Salt, nil
		}
		text = string(raw)
	case p.Ask == nil:
		return tlog.Salt{}, &hinted{errors.New("the holder's salt is needed"), "--salt-file FILE: the salt, or a receipt of the cabinet"}
	default:
		var err error
		if text, err = p.Ask(ctx, "The holder's salt"); err != nil {
			return tlog.Salt{}, err
		}
	}
	return tlog.ParseSalt(text)
}

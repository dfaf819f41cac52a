package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"senim/internal/feed"
	"senim/internal/store"
	"senim/internal/tlog"
)

type logVerify struct {
	logged
	Data    string        `help:"The authority's data folder: its database is compared with the log." placeholder:"DIR"`
	DB      string        `name:"db" help:"Its database, when it is not senim.db in the folder: postgres://… or a file." placeholder:"URL"`
	KeyFile string        `help:"Its installation key, when it is not installation.key in the folder." placeholder:"FILE"`
	Late    time.Duration `default:"10m" help:"How long a certificate may wait to get into the log; 10m by default." placeholder:"TIME"`
	JSON    bool          `name:"json" help:"Answer in JSON."`
	Where   string        `arg:"" name:"log" help:"The log: its address or its folder."`
}

// Help is what --help adds.
func (*logVerify) Help() string {
	return `The whole tree is made again from the entries; its root has to be the signed one, and every tile what the
entries give. With --data every certificate that the authority's audit says was issued has to stand in the log,
exactly, once, and nothing else may.

  senim log verify --key log.pub https://ca.example/log/
  senim log verify --key log.pub --data /var/lib/senim /var/lib/senim/log

Exit status: 0 all in order, 1 not.`
}

func (c *logVerify) run(ctx context.Context, p *program) (int, error) {
	c.where = c.Where
	k, err := c.key(p)
	if err != nil {
		return 0, err
	}
	l, at, said, err := c.current(ctx, p, k)
	if err != nil {
		return 0, err
	}
	if c.Data != "" || c.DB != "" {
		return c.withDatabase(ctx, p, l, at, said)
	}
	err = l.Recompute(at, watched(ctx, p, at.Size, func(index int64, raw []byte) error {
		if _, err := tlog.Parse(raw); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		return nil
	}))
	if err != nil {
		return 0, &notGood{err}
	}
	if c.JSON {
		p.json(struct {
			Log  string `json:"log"`
			Size int64  `json:"size"`
			Root string `json:"root"`
		}{k.Origin(), at.Size, hex.EncodeToString(at.Root[:])})
		return statusGood, nil
	}
	c.sound(p, k, at, said)
	return statusGood, nil
}

func (c *logVerify) sound(p *program, k tlog.Key, at tlog.Checkpoint, said string) {
	p.line("The log %s is in order: %s give the signed root.", k.Origin(), entryCount(at.Size))
	p.row("root", hex.EncodeToString(at.Root[:]))
	p.line("%s", said)
}

func (c *logVerify) withDatabase(ctx context.Context, p *program, l *tlog.Log, at tlog.Checkpoint, said string) (status int, err error) {
	s, err := c.database(ctx, p)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r, err := feed.Compare(ctx, s.Feed(), l, at)
	if err != nil {
		return 0, &notGood{err}
	}
	late := r.Waiting > 0 && p.Now().Sub(r.Oldest) > c.Late
	status = statusGood
	if late || len(r.Different)+len(r.Unknown)+len(r.Twice) > 0 {
		status = statusBad
	}
	if c.JSON {
		p.json(r)
		return status, nil
	}
	k, err := c.key(p)
	if err != nil {
		return 0, err
	}
	c.sound(p, k, at, said)
	p.line("%s the database knows as issued, exactly.", count(int(r.Same), "certificate"))
	for what, serials := range map[string][]string{"is in the log and was not issued": r.Unknown, "is in the log more than once": r.Twice,
		"is not in the log as it was issued": r.Different} {
		for _, serial := range serials {
			p.line("%s %s.", serial, what)
		}
	}
	if r.Waiting > 0 {
		p.line("%s not in the log yet, the oldest since %s.", count(int(r.Waiting), "certificate"), stamp(r.Oldest))
	}
	return status, nil
}

// database opens the authority's database as its server does.
func (c *logVerify) database(ctx context.Context, p *program) (*store.Store, error) {
	file, db := c.KeyFile, c.DB
	if file == "" {
		file = filepath.Join(c.Data, "installation.key")
	}
	if db == "" {
		db = p.path(filepath.Join(c.Data, "senim.db"))
	}
	if !strings.Contains(db, "://") {
		if _, err := os.Stat(db); err != nil { // opening would make a new one
			return nil, fmt.Errorf("read %s: %w", db, plain(err))
		}
	}
	raw, err := p.private(file)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%s does not hold 64 hex digits", file)
	}
	return store.Open(ctx, store.Config{URL: db, Now: p.Now, Key: key, Node: "log-verify"})
}

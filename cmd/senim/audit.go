package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"senim/internal/audit"
	"senim/internal/store"
)

type auditing struct {
	Verify auditVerify `cmd:"" help:"Check the chains, the checkpoints and their time-stamps, and hold the database against the export."`
	Show   auditShow   `cmd:"" help:"Search the records: the story of a certificate, of a person, of a day."`
	Export auditExport `cmd:"" help:"Write records and checkpoints into a file."`
}

// audited says where the audit is.
type audited struct {
	Data string `help:"Data folder of the server." placeholder:"DIR"`
	DB   string `name:"db" help:"Database: postgres://… or an SQLite file." placeholder:"URL"`
}

// open opens the database for reading; nil when none was named.
func (a *audited) open(ctx context.Context, p *program) (*store.Store, error) {
	at := a.DB
	switch {
	case a.DB != "" && a.Data != "":
		return nil, &hinted{errors.New("--data and --db exclude each other"), "--data DIR means the database senim.db in it"}
	case a.Data != "":
		at = filepath.Join(p.path(a.Data), "senim.db")
	case a.DB == "":
		return nil, nil
	case !strings.Contains(a.DB, "://"):
		at = p.path(a.DB)
	}
	s, err := store.OpenAudit(ctx, at)
	if err != nil {
		return nil, &hinted{err, "an SQLite file is read on the machine of its server; a database older than this program is brought up to date when the server starts"}
	}
	return s, nil
}

// must is open for commands that need a database.
func (a *audited) must(ctx context.Context, p *program) (*store.Store, error) {
	s, err := a.open(ctx, p)
	if err == nil && s == nil {
		err = &hinted{errors.New("no audit was named"), "--data DIR or --db URL says where it is"}
	}
	return s, err
}

type auditExport struct {
	audited
	Node string `help:"The node whose records are written; needed where there are several." placeholder:"NAME"`
	From int64  `help:"Number of the first record." default:"1" placeholder:"N"`
	Out  string `required:"" short:"o" help:"File to write." placeholder:"FILE"`
}

// Help is what --help adds.
func (*auditExport) Help() string {
	return `One line of JSON for each record, and for each checkpoint after the last record it speaks of. The server
itself exports with -audit.export; this is for looking and for carrying by hand.

  senim audit export --data data --from 120000 --out audit.jsonl`
}

func (c *auditExport) run(ctx context.Context, p *program) (err error) {
	s, err := c.must(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	nodes, err := s.AuditNodes(ctx)
	if err != nil {
		return err
	}
	switch {
	case c.Node == "" && len(nodes) == 1:
		c.Node = nodes[0]
	case c.Node == "":
		return &hinted{fmt.Errorf("%d nodes have records: %s", len(nodes), strings.Join(nodes, ", ")), "--node NAME chooses one"}
	}
	if err := p.free(c.Out); err != nil {
		return err
	}
	f, err := os.OpenFile(p.path(c.Out), os.O_WRONLY|os.O_CREATE|os.O_EXCL, modeSecret)
	if err != nil {
		return fmt.Errorf("write %s: %w", c.Out, plain(err))
	}
	w := bufio.NewWriter(f)
	n, err := c.write(ctx, s, w)
	err = errors.Join(err, w.Flush(), f.Sync(), f.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", c.Out, err), os.Remove(f.Name()))
	}
	p.line("%d records of %s are in %s.", n, c.Node, c.Out)
	return nil
}

// write puts each checkpoint after the last record it speaks of.
func (c *auditExport) write(ctx context.Context, s *store.Store, w *bufio.Writer) (n int64, err error) {
	db := newWalk(s, c.Node)
	db.seq = max(c.From-1, 0)
	var line []byte
	put := func() {
		if err == nil {
			_, err = w.Write(line)
		}
	}
	err2 := db.each(ctx, func(r audit.Record) error {
		line, err = audit.AppendRecord(line[:0], r)
		put()
		n++
		return err
	}, func(point audit.Statement) error {
		if point.Size >= c.From {
			line, err = audit.AppendStatement(line[:0], point)
			put()
		}
		return err
	})
	return n, errors.Join(err, err2)
}

// auditWalk reads a node's records and checkpoints from a database, page by page.
type auditWalk struct {
	s      *store.Store
	node   string
	seq    int64 // of the last record read
	number int64 // of the last checkpoint read
	queue  []audit.Statement
	all    bool // no more checkpoints
}

const auditPage = 1000

func newWalk(s *store.Store, node string) *auditWalk { return &auditWalk{s: s, node: node} }

// each calls record for each record and point for each checkpoint, after the records it speaks of
// as far as they are there.
func (w *auditWalk) each(ctx context.Context, record func(audit.Record) error, point func(audit.Statement) error) error {
	next, err := w.point(ctx)
	for err == nil {
		var records []audit.Record
		if records, err = w.s.AuditRecords(ctx, w.node, w.seq, auditPage); err != nil {
			break
		}
		for _, r := range records {
			for ; err == nil && next != nil && next.Size < r.Seq; next, err = w.point(ctx) {
				if err := point(*next); err != nil {
					return err
				}
			}
			if err == nil {
				err = record(r)
			}
			if err != nil {
				return err
			}
			w.seq = r.Seq
		}
		if len(records) < auditPage {
			break
		}
	}
	for ; err == nil && next != nil; next, err = w.point(ctx) {
		if err := point(*next); err != nil {
			return err
		}
	}
	return err
}

// point takes the next checkpoint, nil after the last.
func (w *auditWalk) point(ctx context.Context) (*audit.Statement, error) {
	if len(w.queue) == 0 && !w.all {
		var err error
		if w.queue, err = w.s.Checkpoints(ctx, w.node, w.number, auditPage); err != nil {
			return nil, err
		}
		w.all = len(w.queue) < auditPage
	}
	if len(w.queue) == 0 {
		return nil, nil
	}
	s := w.queue[0]
	w.queue, w.number = w.queue[1:], s.Number
	return &s, nil
}

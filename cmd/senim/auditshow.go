package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"senim/internal/audit"
	"senim/internal/store"
)

type auditShow struct {
	audited
	Actor  string `help:"Who did it, as the record has it." placeholder:"WHO"`
	Action string `help:"What was done; with a dot at the end all that begin so, as \"ca.\"." placeholder:"NAME"`
	Node   string `help:"Of one node." placeholder:"NAME"`
	From   string `help:"From this moment on (RFC 3339)." placeholder:"TIME"`
	To     string `help:"Before this moment (RFC 3339)." placeholder:"TIME"`
	Limit  int    `help:"At most so many records." default:"1000" placeholder:"N"`
	JSON   bool   `name:"json" help:"One line of JSON for each record, as an export has them."`
	About  string `arg:"" optional:"" help:"What it is about: the serial of a certificate, an application, an order."`
}

// Help is what --help adds.
func (*auditShow) Help() string {
	return `With the serial of a certificate it tells its story: the application it came from, the decisions, the signing,
and after a revocation the list that published it. It verifies nothing: senim audit verify does.

  senim audit show --data data 64c75f24a7f2b41f3a3f5b1c4bb2b6ee6f0fcd91
  senim audit show --data data --action ca. --from 2026-09-01T00:00:00Z`
}

func (c *auditShow) run(ctx context.Context, p *program) (status int, err error) {
	q := store.AuditQuery{Node: c.Node, About: c.About, Actor: c.Actor, Action: c.Action, Limit: c.Limit}
	if c.Limit < 1 || c.Limit > 100_000 {
		return 0, errors.New("--limit: 1 to 100000")
	}
	for _, t := range []struct {
		name, text string
		dst        *int64
	}{{"--from", c.From, &q.From}, {"--to", c.To, &q.To}} {
		if t.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, t.text)
		if err != nil {
			return 0, &hinted{fmt.Errorf("%s %s: not a moment in time", t.name, t.text), "write it as 2026-09-01T00:00:00Z"}
		}
		*t.dst = at.UnixMilli()
	}
	s, err := c.must(ctx, p)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	records, err := s.FindAudit(ctx, q)
	if err != nil {
		return 0, err
	}
	if len(records) == c.Limit {
		p.tell("warning: there may be more than %d records: --limit", c.Limit)
	}
	if c.About != "" && len(records) > 0 {
		if records, err = story(ctx, s, q, records); err != nil {
			return 0, err
		}
	}
	if len(records) == 0 {
		p.tell("nothing was recorded about that")
		return statusBad, nil
	}
	for _, r := range records {
		if err := c.show(p, r); err != nil {
			return 0, err
		}
	}
	return statusGood, nil
}

// story adds what belongs to the records about something: the application that asked, and the first
// list after each revocation.
func story(ctx context.Context, s *store.Store, q store.AuditQuery, records []audit.Record) ([]audit.Record, error) {
	all := slices.Clone(records)
	asked := map[string]bool{q.About: true}
	for _, r := range records {
		if strings.HasPrefix(r.Actor, "application ") && !asked[r.Actor] {
			asked[r.Actor] = true
			more, err := s.FindAudit(ctx, store.AuditQuery{About: r.Actor, Limit: q.Limit})
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
		switch r.Action {
		case "ca.revoked", "ca.hold_made_final", "ca.hold_lifted":
			list, err := s.FindAudit(ctx, store.AuditQuery{About: r.Detail["ca"], Action: "ca.list_published", From: r.At.UnixMilli(), Limit: 1})
			if err != nil {
				return nil, err
			}
			all = append(all, list...)
		}
	}
	slices.SortStableFunc(all, func(a, b audit.Record) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Seq, b.Seq))
	})
	return slices.CompactFunc(all, func(a, b audit.Record) bool { return a.Node == b.Node && a.Seq == b.Seq }), nil
}

func (c *auditShow) show(p *program, r audit.Record) error {
	if c.JSON {
		line, err := audit.AppendRecord(nil, r)
		if err == nil {
			p.verbatim(strings.TrimSuffix(string(line), "\n"))
		}
		return err
	}
	var detail []string
	for _, k := range slices.Sorted(maps.Keys(r.Detail)) {
		if r.Detail[k] != "" {
			detail = append(detail, k+"="+r.Detail[k])
		}
	}
	p.line("%s %s/%d %-24s %s by %s on %s %s", r.At.Format(time.RFC3339), r.Node, r.Seq, r.Action, r.Result, cmp.Or(r.Actor, "nobody"), cmp.Or(r.Object, "nothing"), strings.Join(detail, " "))
	return nil
}

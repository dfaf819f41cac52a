package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"senim/internal/archive"
	"senim/internal/audit"
	"senim/internal/store"
	"senim/internal/trust"
	"senim/tsp"
)

type auditVerify struct {
	audited
	Export string `help:"Folder with what was exported off the machine." placeholder:"DIR"`
	Key    string `help:"Public key of the audit, kept apart; by default the one beside the export or in the data folder." placeholder:"FILE"`
	trusting
	JSON bool `name:"json" help:"Answer in JSON."`
}

// Help is what --help adds.
func (*auditVerify) Help() string {
	return `Every record is held against the hash in the next, every checkpoint against the records it was signed over,
the database against the export. What was cut off together with its checkpoints, or signed anew by somebody who
has the audit's key, shows only against an export. Time-stamps are checked; whether their authority can be trusted
is checked with --trust DIR.

  senim audit verify --data data --export /mnt/audit --key audit.pub
  senim audit verify --export /mnt/audit --key audit.pub --trust authorities --crl tsa.crl

Exit status: 0 all of it is good, 1 something is not or could not be checked, 2 it cannot be read.`
}

// nodeAudit is what was found out about one node.
type nodeAudit struct {
	Node        string `json:"node"`
	Records     int64  `json:"records"`
	Checkpoints int64  `json:"checkpoints"`
	// Until is when the newest good checkpoint was made.
	Until      string   `json:"until,omitempty"`
	Unsigned   int64    `json:"unsignedRecords"`
	Unexported int64    `json:"unexportedCheckpoints"`
	Stamps     int      `json:"timestamps"`
	Problems   []string `json:"problems"`
}

func (n *nodeAudit) problem(format string, args ...any) {
	n.Problems = append(n.Problems, fmt.Sprintf(format, args...))
}

// verifying is one call of the command.
type verifying struct {
	c       *auditVerify
	p       *program
	db      *store.Store    // nil: none
	folder  *archive.Folder // nil: none
	key     *audit.Verifier // given; nil: none
	trust   *trusted        // nil: not asked
	judged  map[[32]byte]error
	unknown bool // an authority of time-stamps was not judged
}

func (c *auditVerify) run(ctx context.Context, p *program) (status int, err error) {
	v := &verifying{c: c, p: p, judged: map[[32]byte]error{}}
	if v.db, err = c.open(ctx, p); err != nil {
		return 0, err
	}
	if v.db != nil {
		defer func() { err = errors.Join(err, v.db.Close()) }()
	}
	if c.Export != "" {
		if v.folder, err = archive.OpenFolder(p.path(c.Export)); err != nil {
			return 0, err
		}
	}
	if v.db == nil && v.folder == nil {
		return 0, &hinted{errors.New("no audit was named"), "--data DIR, --db URL or --export DIR says where it is"}
	}
	if c.Key != "" {
		if v.key, err = v.readKey(p.path(c.Key)); err != nil {
			return 0, err
		}
	}
	if c.Trust != "" {
		if v.trust, err = c.gather(p); err != nil {
			return 0, err
		}
		defer v.trust.close()
	}
	found, err := v.nodes(ctx)
	if err != nil {
		return 0, err
	}
	return v.answer(found), nil
}

func (v *verifying) readKey(path string) (*audit.Verifier, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, plain(err))
	}
	return audit.ParsePublicKey(b)
}

// nodes checks every node that the database or the export knows.
func (v *verifying) nodes(ctx context.Context) (all []*nodeAudit, err error) {
	var names []string
	if v.db != nil {
		if names, err = v.db.AuditNodes(ctx); err != nil {
			return nil, err
		}
	}
	if v.folder != nil {
		names = append(names, v.folder.Nodes()...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		n := &nodeAudit{Node: name, Problems: []string{}}
		all = append(all, n)
		if err := v.one(ctx, n); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// keyOf is the key for a node: the one given, or the one that lies beside.
func (v *verifying) keyOf(n *nodeAudit) *audit.Verifier {
	if v.key != nil {
		return v.key
	}
	var key *audit.Verifier
	var err error
	switch {
	case v.folder != nil && len(v.folder.Segments(n.Node)) > 0:
		key, err = v.folder.Key(n.Node)
	case v.c.Data != "":
		key, err = v.readKey(filepath.Join(v.p.path(v.c.Data), "audit.pub"))
	default:
		err = errors.New("none was given")
	}
	if err != nil {
		n.problem("the signatures of checkpoints could not be checked, no public key of the audit: %v (--key FILE)", err)
		return nil
	}
	return key
}

func (v *verifying) one(ctx context.Context, n *nodeAudit) error {
	key := v.keyOf(n)
	var exported *copied
	if v.folder != nil {
		var err error
		if exported, err = v.walkExport(ctx, n, key); err != nil {
			return err
		}
	}
	if v.db == nil {
		return nil
	}
	return v.walkDatabase(ctx, n, key, exported)
}

// copied is what is kept of a node's export while the database is read.
type copied struct {
	digests []([32]byte) // of the checkpoints
	size    int64        // records
}

// finding turns an error that names what is wrong with the audit into a problem; another is returned.
func finding(n *nodeAudit, where string, err error) error {
	var broken *audit.BrokenError
	var point *audit.CheckpointError
	switch {
	case errors.As(err, &broken):
		n.problem("%s: record %d: %s", where, broken.Seq, broken.Why)
	case errors.As(err, &point):
		n.problem("%s: checkpoint %d: %s", where, point.Number, point.Why)
	default:
		return err
	}
	return nil
}

// walkExport checks the segments of a node by themselves.
func (v *verifying) walkExport(ctx context.Context, n *nodeAudit, key *audit.Verifier) (*copied, error) {
	trail, err := audit.NewTrail(n.Node, key)
	if err != nil {
		return nil, err
	}
	c := &copied{}
	for _, number := range v.folder.Segments(n.Node) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if want := trail.Point().Number + 1; number != want {
			n.problem("export: segment %d is missing", want)
			break
		}
		s, err := v.folder.Read(n.Node, number, trail.Add)
		if err == nil {
			if err = trail.Mark(s); err == nil {
				err = v.stamp(ctx, n, s, v.db == nil)
			}
		}
		if finding(n, "export", err) != nil {
			n.problem("export: segment %d: %v", number, err)
		}
		if err != nil {
			break
		}
		c.digests, c.size = append(c.digests, s.Digest()), s.Size
	}
	if v.db == nil {
		v.sum(n, trail)
	}
	return c, nil
}

func (v *verifying) sum(n *nodeAudit, t *audit.Trail) {
	n.Records, n.Checkpoints = t.Records(), t.Point().Number
	n.Unsigned = t.Records() - t.Point().Size
	if n.Checkpoints > 0 {
		n.Until = stamp(t.Point().At)
	} else if len(n.Problems) == 0 {
		n.problem("there is no checkpoint: whether records were cut off or all of it was written anew cannot be said")
	}
}

// walkDatabase checks the chain and holds it against what was exported.
func (v *verifying) walkDatabase(ctx context.Context, n *nodeAudit, key *audit.Verifier, c *copied) error {
	trail, err := audit.NewTrail(n.Node, key)
	if err != nil {
		return err
	}
	var hashes [][32]byte // of the records since the last checkpoint, for as long as one may be far
	first := int64(1)
	err = newWalk(v.db, n.Node).each(ctx, func(r audit.Record) error {
		if err := trail.Add(r); err != nil {
			return err
		}
		if len(hashes) < 2*auditPage {
			hashes = append(hashes, r.Hash)
		}
		return nil
	}, func(s audit.Statement) error {
		marked := trail.Mark(s)
		if i := int(s.Number) - 1; c != nil && i >= 0 && i < len(c.digests) && c.digests[i] != s.Digest() {
			n.problem("database: checkpoint %d is not the one that was exported%s", s.Number, v.differs(n.Node, s.Number, first, hashes))
		}
		if marked != nil {
			return marked
		}
		hashes, first = hashes[:0], s.Size+1
		return v.stamp(ctx, n, s, true)
	})
	if err := finding(n, "database", err); err != nil {
		return err
	}
	if c != nil {
		has := int64(len(c.digests))
		if at := trail.Point().Number; err == nil && at < has {
			n.problem("database: it ends at record %d and checkpoint %d, and %d records with %d checkpoints were exported: "+
				"the tail from record %d on is missing, or an older copy was restored", trail.Records(), at, c.size, has, trail.Records()+1)
		}
		n.Unexported = max(0, trail.Point().Number-has)
	}
	v.sum(n, trail)
	return nil
}

// differs names the first record of an exported segment that is another in the database.
func (v *verifying) differs(node string, number, first int64, hashes [][32]byte) string {
	at, where := 0, ""
	_, err := v.folder.Read(node, number, func(r audit.Record) error {
		if where == "" && (r.Seq != first+int64(at) || at >= len(hashes) || r.Hash != hashes[at]) {
			where = fmt.Sprintf(", from record %d on", r.Seq)
		}
		at++
		return nil
	})
	if err != nil || where == "" {
		return ", over the same records"
	}
	return where
}

// stamp checks the time-stamp of a checkpoint.
func (v *verifying) stamp(ctx context.Context, n *nodeAudit, s audit.Statement, counts bool) error {
	if s.Token == nil {
		return nil
	}
	wrong := func(err error) error {
		return &audit.CheckpointError{Node: n.Node, Number: s.Number, Why: fmt.Sprintf("its time-stamp: %v", err)}
	}
	token, err := tsp.ParseToken(s.Token)
	if err == nil {
		err = token.Covers(s.Note)
	}
	if err != nil {
		return wrong(err)
	}
	cert, err := token.Verify()
	if err != nil {
		return wrong(err)
	}
	at := s.At
	if c, err := audit.ReadNote(s.Note); err == nil {
		at = c.At
	}
	if token.Time.Before(at.Add(-drift)) || token.Time.After(at.Add(drift)) {
		return wrong(fmt.Errorf("it says %s and the checkpoint %s", stamp(token.Time), stamp(at)))
	}
	if counts {
		n.Stamps++
	}
	if v.trust == nil {
		v.unknown = true
		return nil
	}
	print := cert.Fingerprint()
	if err, judged := v.judged[print]; judged {
		return wrapped(err, wrong)
	}
	then := *v.trust
	if v.c.At == "" {
		then.at = token.Time
	}
	report, err := then.certificate(ctx, cert, trust.Any)
	if err != nil {
		return err
	}
	for _, check := range report {
		if check.Verdict != trust.Good && check.Verdict != skipped && err == nil {
			err = fmt.Errorf("its authority: %s: %s", check.Name, joined(" ", check.Code, check.Evidence["error"]))
		}
	}
	v.judged[print] = err
	return wrapped(err, wrong)
}

func wrapped(err error, wrong func(error) error) error {
	if err == nil {
		return nil
	}
	return wrong(err)
}

// answer writes what was found and gives the exit status.
func (v *verifying) answer(all []*nodeAudit) int {
	status := statusGood
	if len(all) == 0 {
		status = statusBad
	}
	for _, n := range all {
		if len(n.Problems) > 0 {
			status = statusBad
		}
	}
	if v.c.JSON {
		v.p.json(struct {
			Good  bool         `json:"good"`
			Nodes []*nodeAudit `json:"nodes"`
		}{status == statusGood, all})
		return status
	}
	if len(all) == 0 {
		v.p.line("No node has an audit record here.")
	}
	for _, n := range all {
		if len(n.Problems) == 0 {
			v.p.line("%s: %d records and %d checkpoints are good, signed until %s.", n.Node, n.Records, n.Checkpoints, n.Until)
		} else {
			v.p.line("%s: NOT GOOD.", n.Node)
		}
		for _, text := range n.Problems {
			v.p.line("  %s", text)
		}
		if n.Unsigned > 0 {
			v.p.line("  %d records stand after the last checkpoint.", n.Unsigned)
		}
		if n.Unexported > 0 {
			v.p.line("  %d checkpoints are not in the export.", n.Unexported)
		}
		if n.Stamps > 0 {
			v.p.line("  %d checkpoints have a time-stamp.", n.Stamps)
		}
	}
	if v.unknown {
		v.p.line("Whether the authority of the time-stamps can be trusted was not checked: --trust DIR does that.")
	}
	if v.folder == nil {
		v.p.line("hint: records cut off together with their checkpoints show only against what left the machine: --export DIR")
	}
	if v.key == nil {
		v.p.line("hint: the audit's public key was taken from beside the data; one kept apart cannot be replaced together with it: --key FILE")
	}
	return status
}

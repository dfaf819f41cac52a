package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/archive"
	"senim/internal/audit"
	"senim/internal/pkitest"
	"senim/internal/store"
	"senim/tsp"
)

// ledger is a data folder with the audit of two nodes, n1 with 35 records and n2 with 12, checkpoints
// over ten each, and its export.
type ledger struct {
	t                *testing.T
	data, export     string
	key, trust, list string // files
	signer           crypto.Signer
	tsa              *pkitest.Leaf
	authority        *pkitest.Authority
}

// Stamp implements audit.Stamper.
func (l *ledger) Stamp(_ context.Context, digest []byte) ([]byte, error) {
	q := tsp.Request{Imprint: tsp.Imprint{Hash: algid.SHA256, Digest: digest}, Certificate: true}
	der, err := tsp.CreateResponse(rand.Reader, l.tsa.Key, l.tsa.Certificate, &q, tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(7), Time: now})
	if err != nil {
		return nil, err
	}
	r, err := tsp.ParseResponse(der)
	if err != nil {
		return nil, err
	}
	return r.Token.Raw(), nil
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	dir := t.TempDir()
	a := pkitest.New(t, pkitest.Config{Now: now})
	l := &ledger{t: t, data: filepath.Join(dir, "data"), export: filepath.Join(dir, "export"), key: filepath.Join(dir, "key.pub"), trust: filepath.Join(dir, "trust"),
		list: filepath.Join(dir, "list.crl"), signer: pkitest.NewKey(t, algid.GOST512), tsa: a.TSA(), authority: a}
	for _, d := range []string{l.data, l.export, l.trust} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	public, err := audit.EncodePublicKey(l.signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{l.key: public, filepath.Join(l.data, "audit.pub"): public, l.list: a.List(),
		filepath.Join(l.trust, "root.cer"): a.Root.Raw, filepath.Join(l.trust, "nca.cer"): a.CA.Raw} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.grow("n1", 35)
	l.grow("n2", 12)
	return l
}

// grow adds records to a node, makes the checkpoints and exports them.
func (l *ledger) grow(node string, n int) {
	l.t.Helper()
	s, err := store.Open(l.t.Context(), store.Config{URL: filepath.Join(l.data, "senim.db"), Node: node, Now: func() time.Time { return now }})
	if err != nil {
		l.t.Fatal(err)
	}
	for i := range n {
		if err := s.Record(l.t.Context(), audit.Event{Action: "test.act", Actor: "h:00", Object: fmt.Sprint(i)}); err != nil {
			l.t.Fatal(err)
		}
	}
	l.keep(s, node, l.signer)
	public, err := audit.EncodePublicKey(l.signer.Public())
	if err != nil {
		l.t.Fatal(err)
	}
	sink, err := archive.Open(l.export)
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := (&archive.Shipper{Source: s, Sink: sink, Node: node, Key: public}).Ship(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		l.t.Fatal(err)
	}
}

func (l *ledger) keep(chain audit.Chain, node string, key crypto.Signer) {
	l.t.Helper()
	k, err := audit.NewKeeper(audit.KeeperConfig{Chain: chain, Node: node, Key: key, Rand: rand.Reader, Now: func() time.Time { return now }, Stamper: l, Records: 10})
	if err == nil {
		_, err = k.Keep(l.t.Context(), true)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// copy is the same ledger in another place, to be spoiled.
func (l *ledger) copy(t *testing.T) *ledger {
	t.Helper()
	c := *l
	c.t, c.data, c.export = t, filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "export")
	for from, to := range map[string]string{l.data: c.data, l.export: c.export} {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	return &c
}

// sql changes the database as its owner can, past the triggers.
func (l *ledger) sql(statements ...string) {
	l.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(l.data, "senim.db"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer db.Close()
	all := []string{"drop trigger if exists audit_no_update", "drop trigger if exists audit_no_delete", "drop trigger if exists audit_at_end",
		"drop trigger if exists audit_checkpoints_no_update", "drop trigger if exists audit_checkpoints_no_delete", "drop trigger if exists audit_checkpoints_at_end"}
	for _, s := range append(all, statements...) {
		if _, err := db.ExecContext(l.t.Context(), s); err != nil {
			l.t.Fatalf("%s: %v", s, err)
		}
	}
}

// again signs the first checkpoints of n1 anew after the records were changed to a chain that is whole.
func (l *ledger) again(key crypto.Signer, change func(*audit.Event)) {
	l.t.Helper()
	s, err := store.OpenAudit(l.t.Context(), filepath.Join(l.data, "senim.db"))
	if err != nil {
		l.t.Fatal(err)
	}
	records, err := s.AuditRecords(l.t.Context(), "n1", 0, 1000)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		l.t.Fatal(err)
	}
	l.sql("delete from audit where node = 'n1'", "delete from audit_checkpoints where node = 'n1'")
	t, err := store.Open(l.t.Context(), store.Config{URL: filepath.Join(l.data, "senim.db"), Node: "n1", Now: func() time.Time { return now }})
	if err != nil {
		l.t.Fatal(err)
	}
	for i, r := range records {
		if i == 16 {
			change(&r.Event)
		}
		if err := t.Record(l.t.Context(), r.Event); err != nil {
			l.t.Fatal(err)
		}
	}
	l.keep(t, "n1", key)
	if err := t.Close(); err != nil {
		l.t.Fatal(err)
	}
}

func (l *ledger) segment(node string, n int) string {
	return filepath.Join(l.export, fmt.Sprintf("%s-%012d.jsonl", node, n))
}

func (l *ledger) rewrite(path string, change func([]byte) []byte) {
	l.t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.Remove(path)
	}
	if err == nil {
		err = os.WriteFile(path, change(b), 0o600)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// verify runs the command over database and export.
func (l *ledger) verify(more ...string) (int, string) {
	l.t.Helper()
	status, out, errs := run(l.t, append([]string{"audit", "verify", "--data", l.data, "--export", l.export, "--key", l.key, "--trust", l.trust, "--crl", l.list}, more...)...)
	return status, out + errs
}

func TestSec6AuditVerify(t *testing.T) {
	if testing.Short() {
		t.Skip("makes checkpoints and time-stamps")
	}
	whole := newLedger(t)
	if status, out := whole.verify(); status != statusGood || !strings.Contains(out, "n1: 35 records and 4 checkpoints are good") || !strings.Contains(out, "n2: 12 records and 2") ||
		!strings.Contains(out, "4 checkpoints have a time-stamp") {
		t.Fatalf("%d\n%s", status, out)
	}
	older := whole.copy(t)
	whole.grow("n1", 8)
	other := pkitest.NewKey(t, algid.GOST512)
	for name, c := range map[string]struct {
		spoil func(*ledger)
		says  string
	}{
		"a flipped bit":     {func(l *ledger) { l.sql("update audit set actor = 'h:01' where node = 'n1' and seq = 17") }, "record 17"},
		"of the other node": {func(l *ledger) { l.sql("update audit set at = at + 1 where node = 'n2' and seq = 4") }, "n2: NOT GOOD.\n  database: record 4"},
		"one dropped":       {func(l *ledger) { l.sql("delete from audit where node = 'n1' and seq = 17") }, "record 17"},
		"two swapped": {func(l *ledger) {
			l.sql("update audit set seq = 900 where node = 'n1' and seq = 17", "update audit set seq = 17 where node = 'n1' and seq = 18", "update audit set seq = 18 where seq = 900")
		}, "record 17"},
		"the tail cut": {func(l *ledger) { l.sql("delete from audit where node = 'n1' and seq > 40") }, "the tail is missing from record 41 on"},
		"the tail cut with its checkpoint": {func(l *ledger) {
			l.sql("delete from audit where node = 'n1' and seq > 30", "delete from audit_checkpoints where node = 'n1' and size > 30")
		}, "the tail from record 31 on is missing"},
		"a whole node gone": {func(l *ledger) {
			l.sql("delete from audit where node = 'n2'", "delete from audit_checkpoints where node = 'n2'")
		}, "the tail from record 1 on is missing"},
		"an older copy restored": {func(l *ledger) {
			if err := os.RemoveAll(l.data); err != nil {
				t.Fatal(err)
			}
			l.data = older.copy(l.t).data
		}, "an older copy was restored"},
		"a checkpoint replaced": {func(l *ledger) {
			l.sql("update audit_checkpoints set note = (select note from audit_checkpoints where node = 'n1' and number = 1) where node = 'n1' and number = 2")
		}, "checkpoint 2"},
		"a time-stamp taken away": {func(l *ledger) { l.sql("update audit_checkpoints set token = x'' where node = 'n1' and number = 3") }, "checkpoint 3"},
		"a time-stamp of another": {func(l *ledger) {
			l.sql("update audit_checkpoints set token = (select token from audit_checkpoints where number = 1) where node = 'n1' and number = 3")
		}, "checkpoint 3: its time-stamp"},
		"signed with another key":      {func(l *ledger) { l.again(other, func(*audit.Event) {}) }, "not signed with the audit key given"},
		"written anew with the key":    {func(l *ledger) { l.again(l.signer, func(e *audit.Event) { e.Actor = "h:01" }) }, "checkpoint 2 is not the one that was exported, from record 17 on"},
		"signed anew over the same":    {func(l *ledger) { l.again(l.signer, func(*audit.Event) {}) }, "checkpoint 1 is not the one that was exported, over the same records"},
		"a segment of the export gone": {func(l *ledger) { _ = os.Remove(l.segment("n1", 2)) }, "export: segment 2 is missing"},
		"the export changed": {func(l *ledger) {
			l.rewrite(l.segment("n1", 2), func(b []byte) []byte { return bytes.Replace(b, []byte("h:00"), []byte("h:01"), 1) })
		}, "export: record 11"},
		"a segment cut off": {func(l *ledger) { l.rewrite(l.segment("n1", 2), func(b []byte) []byte { return b[:len(b)-9] }) }, "segment 2: n1-000000000002.jsonl: line 11 is cut off"},
		"an authority nobody trusts": {func(l *ledger) {
			l.trust = filepath.Join(l.t.TempDir(), "other")
			stranger := pkitest.New(l.t, pkitest.Config{Now: now})
			if err := os.Mkdir(l.trust, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(l.trust, "root.cer"), stranger.Root.Raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "its time-stamp: its authority: chain"},
	} {
		t.Run(name, func(t *testing.T) {
			l := whole.copy(t)
			c.spoil(l)
			status, out := l.verify()
			if status != statusBad || !strings.Contains(out, c.says) {
				t.Errorf("status %d, want %q in\n%s", status, c.says, out)
			}
		})
	}
	if status, out := whole.verify("--json"); status != statusGood || !json.Valid([]byte(out)) || !strings.Contains(out, `"good": true`) {
		t.Errorf("%d\n%s", status, out)
	}
}

// What cannot be checked is never good, and what cannot be seen is said.
func TestSec6AuditVerifySaysWhatItCannotSee(t *testing.T) {
	if testing.Short() {
		t.Skip("makes checkpoints and time-stamps")
	}
	l := newLedger(t)
	status, out, _ := run(t, "audit", "verify", "--data", l.data)
	if status != statusGood || !strings.Contains(out, "show only against what left the machine") || !strings.Contains(out, "--key FILE") || !strings.Contains(out, "--trust DIR") {
		t.Errorf("%d\n%s", status, out)
	}
	if status, out, _ := run(t, "audit", "verify", "--export", l.export, "--key", l.key); status != statusGood || !strings.Contains(out, "n1: 35 records and 4 checkpoints are good") {
		t.Errorf("the export alone: %d\n%s", status, out)
	}
	if status, out, _ := run(t, "audit", "verify", "--db", filepath.Join(l.data, "senim.db")); status != statusBad || !strings.Contains(out, "could not be checked") {
		t.Errorf("without a key: %d\n%s", status, out)
	}
	if status, out, _ := run(t, "audit", "verify", "--export", t.TempDir()); status != statusBad {
		t.Errorf("nothing: %d\n%s", status, out)
	}
	for more, want := range map[string]int{"--no-revocation": statusGood, "--crl " + l.list: statusGood, "": statusBad} {
		if status, out, errs := run(t, append([]string{"audit", "verify", "--data", l.data, "--trust", l.trust}, strings.Fields(more)...)...); status != want {
			t.Errorf("time-stamps with %q: %d\n%s%s", more, status, out, errs)
		}
	}
	fresh := l.copy(t)
	fresh.sql("delete from audit_checkpoints")
	if status, out, _ := run(t, "audit", "verify", "--data", fresh.data); status != statusBad || !strings.Contains(out, "there is no checkpoint") {
		t.Errorf("without checkpoints: %d\n%s", status, out)
	}
	for _, args := range [][]string{{}, {"--data", filepath.Join(l.data, "none")}, {"--data", l.data, "--db", "x"}, {"--export", filepath.Join(l.data, "none")}, {"--data", l.data, "--key", l.list}} {
		if status, out, _ := run(t, append([]string{"audit", "verify"}, args...)...); status != statusMisuse {
			t.Errorf("%v: %d\n%s", args, status, out)
		}
	}
}

func TestAuditExport(t *testing.T) {
	if testing.Short() {
		t.Skip("makes checkpoints and time-stamps")
	}
	l := newLedger(t)
	out := filepath.Join(t.TempDir(), "out.jsonl")
	if status, said, errs := run(t, "audit", "export", "--data", l.data, "--node", "n1", "--from", "15", "--out", out); status != statusGood || !strings.Contains(said, "21 records") {
		t.Fatalf("%d %s %s", status, said, errs)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []string
	for r := audit.NewReader(f); ; {
		line, err := r.Next()
		if err != nil {
			break
		}
		if line.Statement != nil {
			got = append(got, fmt.Sprintf("c%d", line.Statement.Size))
		} else {
			got = append(got, fmt.Sprint(line.Record.Seq))
		}
	}
	if want := "15 16 17 18 19 20 c20 21 22 23 24 25 26 27 28 29 30 c30 31 32 33 34 35 c35"; strings.Join(got, " ") != want {
		t.Errorf("%v", got)
	}
	for name, args := range map[string][]string{"two nodes": {"--out", out + "2"}, "a file that exists": {"--node", "n1", "--out", out}} {
		if status, _, _ := run(t, append([]string{"audit", "export", "--data", l.data}, args...)...); status != statusMisuse {
			t.Errorf("%s: %d", name, status)
		}
	}
}

// One query tells the story of a certificate: application, decision, signing, revocation, publication.
func TestAuditShowTellsTheStory(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Config{URL: filepath.Join(dir, "senim.db"), Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []audit.Event{
		{Action: "application.signed", Actor: "h:00", Object: "application 2026-0000-0017", Result: "ok"}, {Action: "application.signed", Actor: "h:01", Object: "application 2026-0000-0025", Result: "ok"},
		{Action: "application.routed", Actor: "h:00", Object: "application 2026-0000-0017", Result: "ok"}, {Action: "ca.will_sign", Actor: "application 2026-0000-0017", Object: "0a0b", Result: "ok"},
		{Action: "ca.issued", Actor: "application 2026-0000-0017", Object: "0a0b", Result: "ok"}, {Action: "ca.list_published", Object: "gost", Result: "ok", Detail: map[string]string{"number": "1"}},
		{Action: "cert.revocation.asked", Actor: "h:00", Object: "0a0b", Result: "ok"}, {Action: "ca.revoked", Actor: "h:00", Object: "0a0b", Result: "ok", Detail: map[string]string{"ca": "gost"}},
		{Action: "ca.list_published", Object: "rsa", Result: "ok", Detail: map[string]string{"number": "1"}}, {Action: "ca.list_published", Object: "gost", Result: "ok", Detail: map[string]string{"number": "2"}},
	} {
		if err := s.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	status, out, errs := run(t, "audit", "show", "--data", dir, "0a0b")
	var actions []string
	for line := range strings.Lines(out) {
		actions = append(actions, strings.Fields(line)[2])
	}
	want := "application.signed application.routed ca.will_sign ca.issued cert.revocation.asked ca.revoked ca.list_published"
	if got := strings.Join(actions, " "); status != statusGood || got != want || !strings.Contains(out, "number=2") {
		t.Errorf("%d %s\n%s", status, errs, out)
	}
	if status, out, _ := run(t, "audit", "show", "--data", dir, "--json", "--action", "ca.issued"); status != statusGood || !json.Valid([]byte(out)) {
		t.Errorf("%d %s", status, out)
	}
	for args, want := range map[string]int{"0a0c": statusBad, "--from yesterday": statusMisuse, "--limit 0": statusMisuse} {
		if status, out, _ := run(t, append([]string{"audit", "show", "--data", dir}, strings.Fields(args)...)...); status != want {
			t.Errorf("%s: %d %s", args, status, out)
		}
	}
}

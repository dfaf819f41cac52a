package main

import (
	"bufio"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/audit"
	"senim/internal/pkitest"
	"senim/internal/store"
	"senim/pfx"
)

// binary builds the program as it is given to people.
func binary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "senim")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// peak runs the program to its end and gives the most memory it held (VmHWM, which only grows), in
// KiB, and the time it took.
func peak(t *testing.T, path string, args ...string) (int, time.Duration) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	most := 0
	for {
		select {
		case err := <-ended:
			took := time.Since(began)
			if err != nil {
				said, _ := os.ReadFile(out.Name())
				t.Fatalf("senim %s: %v\n%s", strings.Join(args, " "), err, said)
			}
			return most, took
		case <-tick.C:
			most = max(most, held(t, cmd.Process.Pid))
		}
	}
}

// held reads VmHWM of a process; 0 when it is just ending.
func held(t *testing.T, pid int) int {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kib int
		if _, err := fmt.Sscanf(lines.Text(), "VmHWM: %d kB", &kib); err == nil {
			return kib
		}
	}
	return 0
}

// TestBigFile signs, verifies and hashes a file that does not fit into the memory it is allowed: 256
// MiB, or 4 GiB with SENIM_LONG=1.
func TestBigFile(t *testing.T) {
	if testing.Short() {
		t.Skip("hashes for seconds")
	}
	const limit = 64 << 10 // KiB
	size := int64(256 << 20)
	if os.Getenv("SENIM_LONG") != "" {
		size = 4 << 30
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	a := pkitest.New(t, pkitest.Config{Now: time.Now()})
	leaf := a.Individual()
	key, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, "Qwerty12", pfx.NCA)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at("trust"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"key.p12": key, "pw": []byte("Qwerty12"), "trust/root.cer": a.Root.Raw, "trust/nca.cer": a.CA.Raw, "list.crl": a.List(), "big": nil} {
		if err := os.WriteFile(at(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(at("big"), size); err != nil { // sparse: no disk is needed
		t.Fatal(err)
	}
	senim := binary(t)
	for _, args := range [][]string{
		{"sign", "--format", "cms", "--detached", "--key", at("key.p12"), "--password-file", at("pw"), "--out", at("big.p7s"), at("big")},
		{"verify", "--trust", at("trust"), "--crl", at("list.crl"), "--content", at("big"), at("big.p7s")},
		{"hash", "-a", "sha256", at("big")},
	} {
		kib, took := peak(t, senim, args...)
		t.Logf("senim %s of %s: at most %.1f MiB in %.1f s", args[0], amount(size), float64(kib)/1024, took.Seconds())
		if kib == 0 || kib > limit {
			t.Errorf("senim %s held %d KiB, allowed are %d", args[0], kib, limit)
		}
	}
}

// TestBigAudit verifies an audit that does not fit into the memory it is allowed: 50 000 records, or a
// million with SENIM_LONG=1.
func TestBigAudit(t *testing.T) {
	if testing.Short() {
		t.Skip("writes records for seconds")
	}
	const limit = 96 << 10 // KiB
	n := 50_000
	if os.Getenv("SENIM_LONG") != "" {
		n = 1_000_000
	}
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Config{URL: filepath.Join(dir, "senim.db"), Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "senim.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	insert, err := tx.PrepareContext(t.Context(), `insert into audit values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`)
	if err != nil {
		t.Fatal(err)
	}
	defer insert.Close()
	var r audit.Record
	for i := range n { // one transaction: each with its own would take as long as issuing
		e := audit.Event{Action: "ca.issued", Actor: "application 2026-0000-0017", Object: fmt.Sprintf("%040x", i), Result: "ok", Detail: map[string]string{"ca": "gost"}}
		if r, err = audit.Next(r, "n1", now, e); err != nil {
			t.Fatal(err)
		}
		if _, err := insert.ExecContext(t.Context(), r.Node, r.Seq, r.At.UnixMilli(), r.Action, r.Actor, r.Object, r.Result, `{"ca":"gost"}`, r.Prev[:], r.Hash[:]); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	key := pkitest.NewKey(t, algid.GOST512)
	k, err := audit.NewKeeper(audit.KeeperConfig{Chain: s, Node: "n1", Key: key, Rand: rand.Reader, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if made, err := k.Keep(t.Context(), true); err != nil || made != n/1000 {
		t.Fatalf("%d checkpoints, %v", made, err)
	}
	t.Logf("checkpoints over %d records made in %.1f s", n, time.Since(began).Seconds())
	public, err := audit.EncodePublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "audit.pub"), public, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	kib, took := peak(t, binary(t), "audit", "verify", "--data", dir)
	t.Logf("senim audit verify of %d records: at most %.1f MiB in %.1f s, %.0f records/s", n, float64(kib)/1024, took.Seconds(), float64(n)/took.Seconds())
	if kib == 0 || kib > limit {
		t.Errorf("senim audit verify held %d KiB, allowed are %d", kib, limit)
	}
}

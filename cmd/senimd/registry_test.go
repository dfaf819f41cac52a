package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/cms"
	"senim/internal/registry"
	"senim/pfx"
)

// writeBatch writes a full batch of taxpayers into a folder, signed unless the file is nil.
func writeBatch(t *testing.T, signer *pfx.File, asOf time.Time, csv string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "taxpayers-"+asOf.Format("150405"))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(csv))
	m := map[string]any{"format": "senim-registry/1", "source": "kgd", "kind": "full", "as_of": asOf.Format(time.RFC3339),
		"files": []map[string]any{{"name": "taxpayers.csv", "rows": strings.Count(csv, "\n") - 1, "sha256": hex.EncodeToString(sum[:])}}}
	if signer != nil {
		m["signature"] = "manifest.p7s"
	}
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"manifest.json": raw, "taxpayers.csv": []byte(csv)}
	if signer != nil {
		if files["manifest.p7s"], err = cms.Sign(rand.Reader, cms.Options{Key: signer.Key, Certificate: signer.Certificate, Content: raw, Detached: true, SigningTime: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// batchSigner makes an installation in dir, and gives a key of its people.
func batchSigner(t *testing.T, dir string) *pfx.File {
	t.Helper()
	first := mustOpen(t, dir)
	defer first.close()
	return opened(t, first.people[0].Keys["personal"])
}

// A batch is checked and laid into the inbox by command; the server takes it in, keeps its files sealed, and says what
// became of it. An unsigned one is set aside.
func TestInboxTakesSignedBatches(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	signer := batchSigner(t, dir)
	trusted := filepath.Join(t.TempDir(), "signer.cer")
	if err := os.WriteFile(trusted, signer.Certificate.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	// The cast has taxpayers of its own, which this full load ends.
	s := mustOpen(t, dir, "-registry.trusted_signers", trusted, "-registry.guard.ended", "100")
	defer s.close()
	ctx := t.Context()
	inbox := s.c.registry.inbox
	if err := s.takeBatchesOnce(ctx); err != nil { // makes the inbox
		t.Fatal(err)
	}
	command := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		p := program{stdout: &out, stderr: &out, now: time.Now}
		if err := p.run(context.WithoutCancel(ctx), append([]string{"registry"}, args...)); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out.String())
		}
		return out.String()
	}
	const csv = "tin;type;name_ru;ip_from\n123456789011;INDIVIDUAL_ENTREPRENEUR;ИП ТЕСТОВ;2024-01-10\n123456789012;INDIVIDUAL;;\n"
	good := writeBatch(t, signer, time.Now().Add(-time.Hour), csv)
	if out := command("check", "-data", dir, good); !strings.Contains(out, "kgd, full: true") || !strings.Contains(out, "2 rows, 0 refused, signed: true") {
		t.Error(out)
	}
	for range 2 { // the second time it is loaded already
		command("load", "-data", dir, good)
		if err := s.takeBatchesOnce(ctx); err != nil {
			t.Fatal(err)
		}
		if left, _ := filepath.Glob(filepath.Join(inbox, "*")); len(left) != 0 {
			t.Errorf("left in the inbox: %v", left)
		}
	}
	if a := s.book.Taxpayer(ctx, "123456789011"); a.Verdict != registry.Good || !a.Value.SoleProprietor("2024-02-01") {
		t.Errorf("taxpayer: %s %s", a.Verdict, a.Code)
	}
	if out := command("status", "-data", dir); strings.Count(out, "kgd full") != 1 || !strings.Contains(out, "2 rows, 0 refused: accepted") {
		t.Error(out)
	}
	var kept bytes.Buffer
	if err := s.kept.Restore("1", "taxpayers.csv", &kept); err != nil || kept.String() != csv {
		t.Errorf("kept: %q %v", kept.String(), err)
	}

	command("load", "-data", dir, writeBatch(t, nil, time.Now().Add(-time.Minute), strings.Replace(csv, "ТЕСТОВ", "НИКТО", 1)))
	if err := s.takeBatchesOnce(ctx); err != nil {
		t.Fatal(err)
	}
	if aside, _ := filepath.Glob(filepath.Join(inbox, refusedFolder, "*", "manifest.json")); len(aside) != 1 {
		t.Errorf("set aside: %v", aside)
	}
	if out := command("status", "-data", dir); !strings.Contains(out, "refused LOAD_UNSIGNED") {
		t.Error(out)
	}
	if a := s.book.Taxpayer(ctx, "123456789011"); a.Value.NameRU != "ИП ТЕСТОВ" {
		t.Errorf("an unsigned batch was taken in: %s", a.Code)
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"senim/pades"
)

// document is the smallest PDF document with a page.
func document() []byte {
	out := []byte("%PDF-1.7\n")
	return appendObjects(out, map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 144] >>",
	}, "")
}

// appendObjects writes objects, a table and a trailer.
func appendObjects(out []byte, objects map[int]string, trailer string) []byte {
	var rows strings.Builder
	for n := range 100 {
		if text, ok := objects[n]; ok {
			fmt.Fprintf(&rows, "%d 1\n%010d 00000 n \n", n, len(out))
			out = fmt.Appendf(out, "%d 0 obj\n%s\nendobj\n", n, text)
		}
	}
	start := len(out)
	return fmt.Appendf(out, "xref\n0 1\n0000000000 65535 f \n%strailer\n<< /Size 100 /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", rows.String(), trailer, start)
}

// A page is exchanged after the signature: words, status and JSON say so.
func TestChangedDocument(t *testing.T) {
	dir := t.TempDir()
	prepare(t, dir)
	in := func(name string) string { return filepath.Join(dir, name) }
	if status, _, stderr := run(t, "sign", "--format", "pades", "--key", in("individual.p12"), "--password-file", in("pw.txt"), "--out", in("signed.pdf"), in("doc.pdf")); status != 0 {
		t.Fatal(stderr)
	}
	signed, err := os.ReadFile(in("signed.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	from := bytes.LastIndex(signed, []byte("startxref\n"))
	var prev int
	_, _ = fmt.Sscan(string(signed[from+10:]), &prev)
	changed := appendObjects(slices.Clone(signed), map[int]string{3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 30 14] >>"}, fmt.Sprintf("/Prev %d", prev))
	changed = bytes.Replace(changed, []byte("0 1\n0000000000 65535 f \n3 1"), []byte("3 1"), 1)
	if err := os.WriteFile(in("changed.pdf"), changed, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"verify", "--trust", in("trust"), "--crl", in("list.crl")}
	status, stdout, stderr := run(t, append(args, in("changed.pdf"))...)
	for _, want := range []string{
		"changed.pdf: the document was changed after it was signed.", "signature   good", "document    bad", "a page was changed (object 3)", "hint: ask for the document as it was signed",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s%s", want, stdout, stderr)
		}
	}
	if status != statusBad {
		t.Error("status", status)
	}
	_, stdout, _ = run(t, append(args, "--json", in("changed.pdf"))...)
	var r report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if c := r.Subjects[0].Checks[1]; r.Verdict != "bad" || r.Kind != kindPDF || c.Name != checkDocument || c.Code != codeChanged {
		t.Errorf("%+v", r)
	}
	if status, stdout, _ = run(t, append(args, in("signed.pdf"))...); status != statusGood {
		t.Error(stdout)
	}
}

// Documents above what other files may have are signed and read.
func TestLargeDocument(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 70 MiB")
	}
	dir := t.TempDir()
	prepare(t, dir)
	in := func(name string) string { return filepath.Join(dir, name) }
	large := appendObjects([]byte("%PDF-1.7\n%"+strings.Repeat("x", maxFile)+"\n"), map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R >>", 2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", 3: "<< /Type /Page /Parent 2 0 R >>",
	}, "")
	if err := os.WriteFile(in("large.pdf"), large, 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := run(t, "sign", "--format", "pades", "--key", in("head.p12"), "--password-file", in("pw.txt"), "--out", in("signed.pdf"), in("large.pdf")); status != 0 {
		t.Fatal(stderr)
	}
	f, err := os.Open(in("signed.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	d, err := pades.Parse(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	if list, err := d.Verify(); err != nil || list[0].Outcome != pades.Valid {
		t.Error(err, list)
	}
	if status, stdout, _ := run(t, "verify", "--trust", in("trust"), "--crl", in("list.crl"), in("signed.pdf")); status != statusGood {
		t.Error(stdout)
	}
}

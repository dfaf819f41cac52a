package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"senim/internal/pkitest"
	"senim/internal/trust"
)

const at = "2026-09-01T00:00:00Z"

// TestInspectEverything: every file of the real PKI that these formats cover can be shown.
func TestInspectEverything(t *testing.T) {
	root := pkitest.Fixtures(t)
	for _, dir := range []string{"p12", "ca", "certs", "crl", "cms", "xml", "kalkan-oracle"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			ext := filepath.Ext(path)
			if err != nil || d.IsDir() || ext == ".txt" || ext == ".vectors" {
				return err
			}
			password := "Qwerty12"
			if strings.HasSuffix(path, "_2015.p12") {
				password = "Aa123456"
			}
			file := filepath.Join(t.TempDir(), "pw")
			if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
				return err
			}
			for _, form := range []string{"text", "--json"} {
				args := []string{"inspect", "--password-file", file, path}
				if form == "--json" {
					args = append(args, form)
				}
				status, out, errs := run(t, args...)
				if status != statusGood || out == "" {
					t.Errorf("%s %s: status %d, %s", path, form, status, errs)
				}
				if form == "--json" && !json.Valid([]byte(out)) {
					t.Errorf("%s: not JSON: %s", path, out)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestVerifyReal checks real signatures at fixed times; the check named is the only one that may fail.
func TestVerifyReal(t *testing.T) {
	root := pkitest.Fixtures(t)
	path := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	for _, test := range []struct {
		name   string
		args   []string
		status int
		failed string // name and code of the check that is not good, "" for none
	}{
		{"attached", []string{"--at", at, "--no-revocation", path("kalkan-oracle/cades_individual_attached.p7s")}, 0, ""},
		{"detached", []string{"--at", at, "--no-revocation", "--content", path("kalkan-oracle/data.txt"), path("kalkan-oracle/cades_individual_detached.p7s")}, 0, ""},
		{"from hash", []string{"--at", at, "--no-revocation", "--content", path("kalkan-oracle/data.txt"), path("kalkan-oracle/cades_individual_fromhash.p7s")}, 0, ""},
		{"other content", []string{"--at", at, "--no-revocation", "--content", path("README.md"), path("kalkan-oracle/cades_individual_detached.p7s")}, 1, "signature SIGNATURE_INVALID"},
		{"revocation not told", []string{"--at", at, path("kalkan-oracle/cades_individual_attached.p7s")}, 1, "revocation CHECK_UNAVAILABLE"},
		{"expired", []string{"--at", "2028-01-01T00:00:00Z", "--no-revocation", path("kalkan-oracle/cades_individual_attached.p7s")}, 1, "validity CERT_EXPIRED"},
		{"with time stamp", []string{"--at", "2025-03-01T00:00:00Z", "--no-revocation", path("cms/gost512_ceo_attached_cadest_1.p7s")}, 0, "time TIME_UNPROVED"},
		{"list inside its dates", []string{"--at", "2025-05-01T00:00:00Z", "--crl", path("crl/nca_gost2022_test_20250429.crl"), "--crl", path("crl/nca_gost2022_d_test_20250429.crl"), path("cms/gost512_ceo_attached_cadest_1.p7s")}, 0, "time TIME_UNPROVED"},
		{"with time stamp, long after", []string{"--at", "2028-01-01T00:00:00Z", "--no-revocation", path("cms/gost512_ceo_attached_cadest_1.p7s")}, 1, "time TIME_UNPROVED, validity CERT_EXPIRED"},
		{"list past its dates", []string{"--at", at, "--crl", path("crl/nca_gost2022_test_20250429.crl"), path("kalkan-oracle/cades_individual_attached.p7s")}, 1, "revocation CHECK_UNAVAILABLE"},
		{"RSA", []string{"--at", "2021-06-01T00:00:00Z", "--no-revocation", path("cms/ncanode_cms_3.p7s")}, 0, ""},
		{"XML", []string{"--at", "2025-03-01T00:00:00Z", "--no-revocation", path("xml/gost512_ceo_enveloped_test.xml")}, 0, ""},
		{"GOST 2004 certificate", []string{"--at", "2022-06-01T00:00:00Z", "--no-revocation", path("certs/ceo_valid_sign_2004_gost.cer")}, 0, ""},
		{"authority", []string{"--at", at, "--no-revocation", path("ca/test/nca_gost2022_test.cer")}, 0, ""},
		{"root", []string{"--at", at, path("ca/test/root_test_gost_2022.cer")}, 0, ""},
		{"authority of another tree", []string{"--at", at, "--no-revocation", path("ca/prod/nca_gost_2022.pem")}, 1, "chain CERT_UNTRUSTED"},
		{"request", []string{path("kalkan-oracle/gost512_request.p10")}, 0, ""},
		{"list", []string{"--at", "2025-05-01T00:00:00Z", path("crl/nca_gost2022_test_20250429.crl")}, 0, ""},
		{"stale list", []string{"--at", at, path("crl/nca_gost2022_test_20250429.crl")}, 1, "validity LIST_STALE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, out, errs := run(t, append([]string{"verify", "--json", "--trust", path("ca/test")}, test.args...)...)
			if status != test.status {
				t.Errorf("status %d, want %d: %s", status, test.status, errs)
			}
			var r report
			if err := json.Unmarshal([]byte(out), &r); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
			var failed []string
			for _, s := range r.Subjects {
				for _, c := range s.Checks {
					if c.Verdict != trust.Good && c.Verdict != skipped {
						failed = append(failed, c.Name+" "+c.Code)
					}
				}
			}
			if got := strings.Join(failed, ", "); got != test.failed {
				t.Errorf("failed %q, want %q", got, test.failed)
			}
			if (r.Verdict == trust.Good) != (test.status == 0) {
				t.Errorf("verdict %s with status %d", r.Verdict, status)
			}
		})
	}
}

// TestRevokedReal: a revoked test key by the list of its time.
func TestRevokedReal(t *testing.T) {
	root := pkitest.Fixtures(t)
	file := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(file, []byte("Aa123456"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, _ := run(t, "inspect", "--json", "--password-file", file, filepath.Join(root, "p12/ncanode-java/key_ceo_revoked_2015.p12"))
	if !strings.Contains(out, "first-head") {
		t.Fatalf("inspect: %s", out)
	}
	signed := filepath.Join(t.TempDir(), "out.p7s")
	status, _, errs := run(t, "sign", "--format", "cms", "--key", filepath.Join(root, "p12/ncanode-java/key_ceo_revoked_2015.p12"), "--password-file", file, "--out", signed, file)
	if status != 0 || !strings.Contains(errs, "expired") {
		t.Fatalf("sign: status %d, %s", status, errs)
	}
	status, out, _ = run(t, "verify", "--trust", filepath.Join(root, "ca/test"), "--at", "2022-08-01T00:00:00Z", "--crl", filepath.Join(root, "crl/ncanode_nca_gost2022_test.crl"), signed)
	if status != statusBad || !strings.Contains(out, "revoked at 2022-07-27") || !strings.Contains(out, "certificateHold") {
		t.Errorf("status %d:\n%s", status, out)
	}
}

// TestSignReal signs with every key of 2026 and verifies.
func TestSignReal(t *testing.T) {
	root := pkitest.Fixtures(t)
	keys, err := filepath.Glob(filepath.Join(root, "p12/gost512-2026/*.p12"))
	if err != nil || len(keys) == 0 {
		t.Fatal("no keys", err)
	}
	dir := t.TempDir()
	document := filepath.Join(dir, "doc.xml")
	if err := os.WriteFile(document, []byte("<a><b>1</b></a>"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		for _, format := range []string{"cms", "xml"} {
			out := filepath.Join(dir, filepath.Base(key)+"."+format)
			if status, _, errs := run(t, "sign", "--format", format, "--key", key, "--password-file", "-", "--out", out, document); status != 0 {
				t.Errorf("%s as %s: status %d, %s", key, format, status, errs)
				continue
			}
			if status, text, errs := run(t, "verify", "--trust", filepath.Join(root, "ca/test"), "--no-revocation", out); status != 0 {
				t.Errorf("%s as %s: status %d\n%s%s", key, format, status, text, errs)
			}
		}
	}
}

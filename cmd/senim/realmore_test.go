package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"senim/internal/pkitest"
)

// TestConvertReal takes every key file of the national test authority to PEM and back, then changes its
// password.
func TestConvertReal(t *testing.T) {
	root := pkitest.Fixtures(t)
	files, err := filepath.Glob(filepath.Join(root, "p12/*/*.p12"))
	if err != nil || len(files) == 0 {
		t.Fatal("no keys", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			password := "Qwerty12"
			if strings.HasSuffix(file, "_2015.p12") {
				password = "Aa123456"
			}
			for name, text := range map[string]string{"pw": password, "new": "Another12"} {
				if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, args := range [][]string{
				{"convert", "--to", "pem", "--password-file", at("pw"), "--out", at("key.pem"), file},
				{"convert", "--to", "p12", "--password-file", at("pw"), "--out", at("back.p12"), at("key.pem")},
				{"convert", "--to", "certificate", "--password-file", at("pw"), "--out", at("before.pem"), file},
				{"key", "passwd", "--password-file", at("pw"), "--new-password-file", at("new"), at("back.p12")},
				{"convert", "--to", "certificate", "--password-file", at("new"), "--out", at("after.pem"), at("back.p12")},
			} {
				if status, _, errs := run(t, args...); status != statusGood {
					t.Fatalf("%s: status %d, %s", strings.Join(args, " "), status, errs)
				}
			}
			before, err := os.ReadFile(at("before.pem"))
			if err != nil {
				t.Fatal(err)
			}
			if after, err := os.ReadFile(at("after.pem")); err != nil || string(before) != string(after) {
				t.Errorf("another certificate came back: %v", err)
			}
		})
	}
}

// TestOCSPReal reads answers of the national test responder about revoked keys.
func TestOCSPReal(t *testing.T) {
	root := pkitest.Fixtures(t)
	for _, c := range []struct{ answer, issuer, key, password, want string }{
		{"ocsp_response_ceo_2015_revoked.bin", "nca_gost2022_test.cer", "key_ceo_revoked_2015.p12", "Aa123456", "revoked at 2022-07-27T10:25:30Z, reason certificateHold"},
		{"ocsp_response_ceo_sign_2004_revoked.bin", "nca_gost_test.crt", "key_ceo_sign_revoked_2004.p12", "Qwerty12", "revoked at 2022-01-18T06:30:55Z, reason superseded"},
	} {
		dir := t.TempDir()
		pw, cer := filepath.Join(dir, "pw"), filepath.Join(dir, "cer.pem")
		if err := os.WriteFile(pw, []byte(c.password), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, _, errs := run(t, "convert", "--to", "certificate", "--password-file", pw, "--out", cer, filepath.Join(root, "p12/ncanode-java", c.key)); status != statusGood {
			t.Fatal(errs)
		}
		args := []string{"ocsp", "--issuer", filepath.Join(root, "ca/test", c.issuer), "--response", filepath.Join(root, "ocsp", c.answer), "--max-age", "48h", "--at", "2022-09-03T00:00:00Z", cer}
		if status, out, errs := run(t, args...); status != statusBad || !strings.Contains(out, c.want) {
			t.Errorf("%s: status %d\n%s%s", c.answer, status, out, errs)
		}
		args[8] = "2026-09-01T00:00:00Z"
		if status, out, _ := run(t, args...); status != statusBad || strings.Contains(out, c.want) {
			t.Errorf("%s, years later: status %d\n%s", c.answer, status, out)
		}
	}
}

// TestTimestampReal reads a token of the production authority and one of the test authority. What they
// are over is not at hand.
func TestTimestampReal(t *testing.T) {
	root := pkitest.Fixtures(t)
	for token, want := range map[string][]string{
		"tsa_prod_gost2015_token.der": {"imprint     bad", "signature   good", "it claims 2025-06-26", "1.2.398.3.3.2.6.4"},
		"tsp_token.bin":               {"imprint     bad", "signature   good", "it claims 2022-09-18", "SHA-1"},
	} {
		status, out, errs := run(t, "timestamp", "--verify", filepath.Join(root, "tsp", token), filepath.Join(root, "README.md"))
		if status != statusBad {
			t.Errorf("%s: status %d, %s", token, status, errs)
		}
		for _, s := range want {
			if !strings.Contains(out, s) {
				t.Errorf("%s: no %q in\n%s", token, s, out)
			}
		}
	}
}

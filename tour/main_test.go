package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"senim/internal/pkitest"
	"senim/internal/robot"
	"senim/internal/store/storetest"
)

// TestStoriesOfTheReadme: the tour names its stories as README.md does.
func TestStoriesOfTheReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, story := range []string{storyA, storyB, storyC, storyD} {
		if !bytes.Contains(readme, []byte("**"+story+".**")) {
			t.Errorf("README.md does not tell %q", story)
		}
	}
}

// TestTour walks both stories against separate processes, on each engine.
func TestTour(t *testing.T) {
	t.Parallel()
	bin, err := robot.Programs()
	if err != nil {
		t.Fatal(err)
	}
	for name, db := range map[string]func(*testing.T) string{
		"sqlite":     func(*testing.T) string { return "" },
		"postgresql": func(t *testing.T) string { return storetest.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"-bin", bin, "-v"}
			if url := db(t); url != "" {
				args = append(args, "-db", url)
			}
			var out, errs bytes.Buffer
			if err := run(t.Context(), args, &out, &errs); err != nil {
				t.Errorf("%v\n%s\n%s", err, out.String(), errs.String())
			}
		})
	}
}

// TestRealKeys lays the national test authority into the trust folder and walks step 1 of the
// registration with its public test keys. Nobody can be asked about their revocation here, so every
// other check passes and the gate stays closed: could not check is not good.
func TestRealKeys(t *testing.T) {
	t.Parallel()
	fixtures := pkitest.Fixtures(t)
	bin, err := robot.Programs()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	copyFile(t, filepath.Join(fixtures, "ca/test/root_test_gost_2022.cer"), filepath.Join(dir, "server/trust/root_test_gost_2022.cer"))
	copyFile(t, filepath.Join(fixtures, "ca/test/nca_gost2022_test.cer"), filepath.Join(dir, "server/trust/nca_gost2022_test.cer"))
	var out, operators bytes.Buffer
	keys := filepath.Join(fixtures, "p12/gost512-2026")
	sys, err := robot.Start(t.Context(), robot.Config{Bin: bin, Dir: dir, Log: &operators, AgentArgs: []string{"--keys", keys}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Stop(); err != nil || t.Failed() {
			t.Logf("%v\n%s\n%s", err, out.String(), operators.String())
		}
	})
	w := &tour{ctx: t.Context(), out: &out, sys: sys, lang: "ru"}
	if err := w.clerks(sys.Person("new-head")); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]struct{ shown, not string }{
		"ceo_valid.p12":                {shown: "CHECK_UNAVAILABLE", not: "CERT_"},
		"employee_signright_valid.p12": {shown: "CERT_NO_HEAD_ROLE", not: "CERT_UNTRUSTED"},
		"individual_valid.p12":         {shown: "CERT_NO_HEAD_ROLE", not: "CERT_UNTRUSTED"},
	} {
		codes := w.stepOne(t, filepath.Join(keys, file))
		if !codes[want.shown] {
			t.Errorf("%s: refused with %v, want %s among them", file, codes, want.shown)
		}
		for code := range codes {
			if len(want.not) > 0 && len(code) >= len(want.not) && code[:len(want.not)] == want.not {
				t.Errorf("%s: refused with %s", file, code)
			}
		}
	}
}

// stepOne shows a key to step 1 of a company's registration and gives the codes of what failed.
func (t *tour) stepOne(test *testing.T, file string) map[string]bool {
	test.Helper()
	w := t.person().open(t.sys.Portal+"/register").send("category", "category", "legal-entity").use("/1", robot.Choice{Key: file, Password: "Qwerty12"})
	if w.err != nil {
		test.Fatal(w.err)
	}
	codes := map[string]bool{}
	for _, c := range w.p.Codes() {
		codes[c] = true
	}
	return codes
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

package keystore

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

// act is what a killed process was doing, by the name in its environment.
const actVariable, stepVariable, dirVariable = "SENIM_TEST_ACT", "SENIM_TEST_STEP", "SENIM_TEST_DIR"

// stage is what the process works in.
type stage struct{ data, keys, elsewhere string }

func stageIn(dir string) stage {
	return stage{filepath.Join(dir, "data"), filepath.Join(dir, "keys"), filepath.Join(dir, "elsewhere")}
}

// TestKilledHelper is the process that is killed: at the step it was told, by the signal nobody can catch.
func TestKilledHelper(t *testing.T) {
	act := os.Getenv(actVariable)
	if act == "" {
		t.Skip("the other half of TestKilledAtEveryStep")
	}
	last, err := strconv.Atoi(os.Getenv(stepVariable))
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	fault = func(string) {
		if steps++; steps == last {
			me, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = me.Kill()
			}
			t.Fatal("still here", err)
		}
	}
	if err := perform(stageIn(os.Getenv(dirVariable)), act, fault); err != nil {
		t.Fatal(err)
	}
}

// one is an order of one key pair, of the quick kind.
func one(s stage) Order {
	o := order(s.keys)
	o.Profiles = o.Profiles[:1]
	return o
}

// perform does an act the way the agent does.
func perform(s stage, act string, fault func(string)) error {
	der, err := os.ReadFile(filepath.Join(s.data, "certificate"))
	if err != nil && act != "generate" {
		return err
	}
	config := Config{Dir: s.data, Form: pfx.NCA, fault: fault, Now: then}
	path := filepath.Join(s.keys, "GOST512_x.p12")
	switch act {
	case "generate", "install":
		k, err := Open(config)
		if err != nil {
			return err
		}
		if act == "generate" {
			_, err = k.Generate(one(s))
			return err
		}
		cert, err := pki.ParseCertificate(der)
		if err == nil {
			_, err = k.Install([]*pki.Certificate{cert}, password)
		}
		return err
	case "password":
		return ChangePassword(path, password, "Another1")
	case "backup":
		_, err := Backup(path, s.elsewhere, password)
		return err
	}
	return errors.New("no such act")
}

// TestKilledAtEveryStep kills a real process at every step of every act that writes. After each the person
// has either what was before or what was to be, whole, and the same act can be repeated.
func TestKilledAtEveryStep(t *testing.T) {
	authority := pkitest.New(t)
	leaf := authority.Individual()
	for _, act := range []string{"generate", "install", "password", "backup"} {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			least := map[string]int{"generate": 6, "install": 6, "password": 5, "backup": 2}[act]
			s := prepareStage(t, authority, leaf, act)
			back := s.remember(t)
			for step := 1; ; step++ {
				back()
				killed := runKilled(t, s, act, step)
				s.whole(t, act, step)
				if killed {
					if act == "password" {
						if _, err := os.Stat(OldName(filepath.Join(s.keys, "GOST512_x.p12"))); err == nil {
							continue // the old file stands beside: the person sees it, nothing was lost
						}
					}
					if err := perform(s, act, func(string) {}); err != nil {
						t.Fatalf("killed at step %d, repeated: %v", step, err)
					}
					s.whole(t, act, step)
				}
				for _, dir := range []string{s.keys, s.elsewhere} {
					for _, name := range names(t, dir) {
						if act == "install" && !killed && strings.HasPrefix(name, "PENDING_") {
							t.Errorf("%s is left", name)
						}
					}
				}
				if !killed {
					if step <= least {
						t.Errorf("only %d steps", step-1)
					}
					return
				}
			}
		})
	}
}

func prepareStage(t *testing.T, authority *pkitest.Authority, leaf *pkitest.Leaf, act string) stage {
	t.Helper()
	s := stageIn(t.TempDir())
	for _, dir := range []string{s.data, s.keys, s.elsewhere} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	der := leaf.Certificate.Raw
	switch act {
	case "install":
		k, err := Open(Config{Dir: s.data, Form: pfx.NCA, Now: then})
		if err != nil {
			t.Fatal(err)
		}
		notes, err := k.Generate(one(s))
		if err != nil {
			t.Fatal(err)
		}
		der = certify(t, authority, notes)[0].Raw
	case "password", "backup":
		place(t, s.keys, "GOST512_x.p12", leaf)
	}
	if err := os.WriteFile(filepath.Join(s.data, "certificate"), der, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// remember gives a function that puts everything back as it is now.
func (s stage) remember(t *testing.T) (back func()) {
	t.Helper()
	files := map[string][]byte{}
	for _, dir := range []string{s.data, s.keys, s.elsewhere} {
		for _, name := range names(t, dir) {
			content, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Join(dir, name)] = content
		}
	}
	return func() {
		t.Helper()
		for _, dir := range []string{s.data, s.keys, s.elsewhere} {
			for _, name := range names(t, dir) {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for path, content := range files {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func runKilled(t *testing.T, s stage, act string, step int) (killed bool) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestKilledHelper$")
	c.Env = append(os.Environ(), actVariable+"="+act, stepVariable+"="+strconv.Itoa(step), dirVariable+"="+filepath.Dir(s.data))
	out, err := c.CombinedOutput()
	if err == nil {
		return false
	}
	if ended, ok := errors.AsType[*exec.ExitError](err); !ok || ended.Exited() {
		t.Fatalf("step %d: %v\n%s", step, err, out)
	}
	return true
}

// whole checks that every file under a name people see is one that opens.
func (s stage) whole(t *testing.T, act string, step int) {
	t.Helper()
	opened := 0
	for _, dir := range []string{s.keys, s.elsewhere} {
		for _, name := range names(t, dir) {
			content, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case strings.HasSuffix(name, ".p12"), strings.HasSuffix(name, ".old"):
				_, first := decode(content, password)
				_, second := decode(content, "Another1")
				if first != nil && second != nil {
					t.Errorf("%s killed at step %d: %s does not open: %v", act, step, name, first)
				}
				opened++
			case strings.HasPrefix(name, "PENDING_"):
				opened++
			}
		}
	}
	if opened == 0 && act != "generate" {
		t.Errorf("%s killed at step %d: no key is left", act, step)
	}
}

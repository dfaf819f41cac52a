package keystore

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

// act is what a killed process was doing, by the name in its environment.
const actVariable, stepVariable, dirVariable, bareVariable = "SENIM_TEST_ACT", "SENIM_TEST_STEP", "SENIM_TEST_DIR", "SENIM_TEST_BARE"

// bare makes the file system one that has neither links nor moves that replace nothing, until back.
func bare() (back func()) {
	link, move := linkFile, moveFile
	linkFile = func(string, string) error { return errors.ErrUnsupported }
	moveFile = linkFile
	return func() { linkFile, moveFile = link, move }
}

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
	if os.Getenv(bareVariable) != "" {
		defer bare()()
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

// keyFile is the key file an act begins with.
func (s stage) keyFile(act string) string {
	if act == "password jks" {
		return filepath.Join(s.keys, "keys.jks")
	}
	return filepath.Join(s.keys, "GOST512_x.p12")
}

// opensWith opens a key file; of a Java key store every key, of which there are two.
func opensWith(content []byte, word string) error {
	if !isJKS(content) {
		_, err := decode(content, word)
		return err
	}
	all, err := entries(content, word)
	if err == nil && len(all) != 2 {
		err = fmt.Errorf("%d keys in the store", len(all))
	}
	return err
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
	path := s.keyFile(act)
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
	case "password", "password jks":
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
	killedAtEveryStep(t, false, map[string]int{"generate": 6, "install": 6, "password": 5, "password jks": 5, "backup": 2})
}

// TestKilledWithoutLinks does so on a stick, where a kill can leave a short file under the name: whoever repeats
// the act gets the whole one.
func TestKilledWithoutLinks(t *testing.T) {
	killedAtEveryStep(t, true, map[string]int{"install": 9, "password": 9, "password jks": 9, "backup": 6})
}

func killedAtEveryStep(t *testing.T, without bool, acts map[string]int) {
	if without {
		t.Cleanup(bare()) // after the parallel ones
	}
	authority := pkitest.New(t)
	leaf := authority.Individual()
	for act, least := range acts {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			s := prepareStage(t, authority, leaf, act)
			back := s.remember(t)
			short := 0
			for step := 1; ; step++ {
				back()
				killed := runKilled(t, s, act, step, without)
				if !without {
					s.whole(t, act, step)
				} else if s.short(t) {
					short++
				}
				s.kept(t, act, step)
				if killed {
					if err := perform(s, act, func(string) {}); err != nil {
						t.Fatalf("killed at step %d, repeated: %v", step, err)
					}
					s.whole(t, act, step)
					s.kept(t, act, step)
				}
				s.done(t, act, step)
				if !killed {
					if step <= least {
						t.Errorf("only %d steps", step-1)
					}
					if without && short < 2 { // with nothing in it, and with half
						t.Errorf("%d short files were mended", short)
					}
					return
				}
			}
		})
	}
}

// short tells whether a file under a name people see is a part of one.
func (s stage) short(t *testing.T) bool {
	t.Helper()
	for _, dir := range []string{s.keys, s.elsewhere} {
		for _, name := range names(t, dir) {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			whole, err := os.Stat(filepath.Join(dir, ".senim-part-"+name))
			if err == nil && info.Size() < whole.Size() {
				return true
			}
		}
	}
	return false
}

// kept checks that an act which changes nothing of the key, or has not ended, lost none.
func (s stage) kept(t *testing.T, act string, step int) {
	t.Helper()
	if act == "generate" || act == "install" {
		return
	}
	content, err := os.ReadFile(s.keyFile(act))
	if err != nil {
		t.Fatal(err)
	}
	first, second := opensWith(content, password), opensWith(content, "Another1")
	if first != nil && second != nil {
		t.Errorf("%s killed at step %d: the key does not open: %v, %v", act, step, first, second)
	}
}

// done checks what stands when an act came to its end, at once or repeated.
func (s stage) done(t *testing.T, act string, step int) {
	t.Helper()
	opens := func(path, with string) {
		t.Helper()
		content, err := os.ReadFile(path)
		if err == nil {
			err = opensWith(content, with)
		}
		if err != nil {
			t.Errorf("%s killed at step %d: %s: %v", act, step, filepath.Base(path), err)
		}
	}
	switch act {
	case "password", "password jks":
		path := s.keyFile(act)
		opens(path, "Another1")
		opens(OldName(path), password)
	case "backup":
		opens(filepath.Join(s.elsewhere, "GOST512_x.p12"), password)
	case "install":
		found := 0
		for _, name := range names(t, s.keys) {
			switch {
			case strings.HasSuffix(name, ".p12"):
				opens(filepath.Join(s.keys, name), password)
				found++
			default:
				t.Errorf("killed at step %d: %s is left", step, name)
			}
		}
		if found != 1 {
			t.Errorf("killed at step %d: %d files", step, found)
		}
	}
	for _, dir := range []string{s.keys, s.elsewhere} {
		for _, name := range names(t, dir) {
			if strings.HasPrefix(name, ".senim-") {
				t.Errorf("%s killed at step %d: %s is left", act, step, name)
			}
		}
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
	case "password jks":
		jks(t, s.keyFile(act), password, password, leaf, authority.Head())
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

func runKilled(t *testing.T, s stage, act string, step int, without bool) (killed bool) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestKilledHelper$")
	c.Env = append(os.Environ(), actVariable+"="+act, stepVariable+"="+strconv.Itoa(step), dirVariable+"="+filepath.Dir(s.data))
	if without {
		c.Env = append(c.Env, bareVariable+"=1")
	}
	out, err := c.CombinedOutput()
	if err == nil {
		return false
	}
	// Windows has no signals: there a process that was ended says only that it said nothing itself.
	if ended, ok := errors.AsType[*exec.ExitError](err); !ok || ended.Exited() && (runtime.GOOS != "windows" || strings.Contains(string(out), "FAIL")) {
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
			case strings.HasSuffix(name, ".p12"), strings.HasSuffix(name, ".jks"), strings.HasSuffix(name, ".old"):
				first, second := opensWith(content, password), opensWith(content, "Another1")
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

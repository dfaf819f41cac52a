package keystore

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"senim/internal/pkitest"
	"senim/internal/token"
)

const tokenPIN = "2468-user"

// placeOn opens the only token there.
func placeOn(t *testing.T, d TokenDriver) *Place {
	t.Helper()
	seen := ScanTokens([]TokenDriver{d})
	if seen.Err != nil || len(seen.Tokens) != 1 {
		t.Fatalf("%+v", seen)
	}
	place, err := seen.Tokens[0].Open(tokenPIN)
	if err != nil {
		t.Fatal(err)
	}
	return place
}

func tokenOrder(on *Place) Order {
	o := order("")
	o.Storage, o.On = on.Storage, on
	o.Profiles = []Profile{{"RSA2048", "SIGNATURE"}, {"RSA2048", "AUTHENTICATION"}}
	return o
}

// TestKilledOnTokenHelper is the process that is killed while it makes pairs on a token.
func TestKilledOnTokenHelper(t *testing.T) {
	if os.Getenv(actVariable) != "token" {
		t.Skip("the other half of TestKilledOnToken")
	}
	last, err := strconv.Atoi(os.Getenv(stepVariable))
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	k, err := Open(Config{Dir: os.Getenv(dirVariable), Now: then, fault: func(string) {
		if steps++; steps == last {
			me, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = me.Kill()
			}
			t.Fatal("still here", err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	on := placeOn(t, TokenDriver{Storage: "AKKaztokenStore", Program: os.Getenv("SENIM_TEST_PROGRAM"), Module: os.Getenv("SENIM_TEST_MODULE")})
	defer func() { _ = on.Close() }()
	if _, err := k.Generate(tokenOrder(on)); err != nil {
		t.Fatal(err)
	}
}

// TestKilledOnToken kills a process at every step of making pairs on a token: whatever it left there is known by its note, and is
// deleted by it; pairs that nobody noted stay.
func TestKilledOnToken(t *testing.T) {
	h := pkitest.NewSoftHSM(t, t.TempDir(), "KAZTOKEN 1")
	d := TokenDriver{Storage: "AKKaztokenStore", Program: pkitest.TokenProgram(t, t.TempDir()), Module: h.Module}
	objects := func() int {
		list, err := filepath.Glob(filepath.Join(filepath.Dir(os.Getenv("SOFTHSM2_CONF")), "tokens", "*", "*.object"))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	tok, err := token.Open(token.Config{Program: d.Program, Module: d.Module, Label: h.Label, PIN: []byte(tokenPIN)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Generate(t.Context(), token.NameOf([]byte("somebody else's")), 2048); err != nil {
		t.Fatal(err)
	}
	if err := tok.Close(); err != nil {
		t.Fatal(err)
	}
	before := objects()
	step, most := 1, 0
	for ; ; step++ {
		dir := t.TempDir()
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestKilledOnTokenHelper$")
		c.Env = append(os.Environ(), actVariable+"=token", stepVariable+"="+strconv.Itoa(step), dirVariable+"="+dir, "SENIM_TEST_PROGRAM="+d.Program, "SENIM_TEST_MODULE="+d.Module)
		out, err := c.CombinedOutput()
		if ended, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || ended.Exited()) {
			t.Fatalf("step %d: %v\n%s", step, err, out)
		}
		most = max(most, objects()-before)
		k, openErr := Open(Config{Dir: dir, Now: then})
		if openErr != nil {
			t.Fatal(openErr)
		}
		left, waiting := k.OnTokens(), k.Unfinished()
		if err == nil { // it came to its end
			if len(left) != 0 || len(waiting) != 2 {
				t.Errorf("%d left, %d wait", len(left), len(waiting))
			}
		} else if len(left)+len(waiting) != 2 || len(waiting) != 0 && len(left) != 0 {
			t.Errorf("step %d: %d left, %d wait", step, len(left), len(waiting))
		}
		on := placeOn(t, d)
		for _, n := range append(left, waiting...) {
			id := n.Name
			if n.State == Pending {
				id = n.KeyID
			}
			if err := k.DiscardOnToken(id, on); err != nil {
				t.Errorf("step %d: %v", step, err)
			}
			if err := k.DiscardOnToken(id, on); err == nil {
				t.Errorf("step %d: deleted twice", step)
			}
		}
		if len(k.OnTokens()) != 0 || len(k.Unfinished()) != 0 || objects() != before {
			t.Errorf("step %d: %d objects, before %d", step, objects(), before)
		}
		if closed := on.Close(); closed != nil {
			t.Fatal(closed)
		}
		if err == nil {
			break
		}
	}
	if step < 4 || most != 4 {
		t.Errorf("killed at %d steps, at most %d objects were left", step-1, most)
	}
}

// TestDiscardKeepsCertified: a pair that got its certificate is not deleted, whatever the note says.
func TestDiscardKeepsCertified(t *testing.T) {
	h := pkitest.NewSoftHSM(t, t.TempDir(), "KAZTOKEN 1")
	d := TokenDriver{Storage: "AKKaztokenStore", Program: pkitest.TokenProgram(t, t.TempDir()), Module: h.Module}
	k, err := Open(Config{Dir: t.TempDir(), Now: then})
	if err != nil {
		t.Fatal(err)
	}
	on := placeOn(t, d)
	defer func() { _ = on.Close() }()
	notes, err := k.Generate(tokenOrder(on))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := on.t.Certify(t.Context(), notes[0].Name, pkitest.New(t).Individual().Certificate.Raw); err != nil {
		t.Fatal(err)
	}
	if err := k.DiscardOnToken(notes[0].KeyID, on); err == nil || len(k.Unfinished()) != 2 {
		t.Errorf("%v, %d wait", err, len(k.Unfinished()))
	}
	for _, id := range []string{"", "id:00", notes[1].Name} {
		if err := k.DiscardOnToken(id, on); err == nil {
			t.Errorf("%q is deleted", id)
		}
	}
	if err := k.Discard(notes[1].KeyID); err != nil || len(k.Unfinished()) != 1 {
		t.Errorf("%v", err)
	}
	if _, err := on.t.Key(t.Context(), notes[1].Name); err != nil {
		t.Errorf("who takes the note away takes the key away: %v", err)
	}
}

// TestNoPINIsNoTry: a token is not asked when no PIN was typed: here there is not even a driver to ask.
func TestNoPINIsNoTry(t *testing.T) {
	if _, err := (PluggedToken{}).Open(""); !errors.Is(err, ErrNoPIN) {
		t.Errorf("%v", err)
	}
}

package ceremony

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/ca"
)

const example = `version: 1
title: Two
participants: [custodian, witness]
root: {keys: r, new: true, passphrase-file: w}
authorities:
  - {name: root, algorithm: GOST512, common-name: R}
  - {name: upper, parent: root, algorithm: GOST512, common-name: U, path-length: 1, years: 3}
`

func TestParse(t *testing.T) {
	p, err := Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	all, err := p.authorities()
	if err != nil || len(all) != 2 || all[0].PathLength != ca.Unlimited || all[1].PathLength != 1 || all[1].Years != 3 || all[1].Issuing() {
		t.Errorf("%+v %v", all, err)
	}
	if len(p.Digest()) != 64 || string(p.Text()) != example {
		t.Error("digest or text")
	}
	err = p.placed(&ca.PlanError{Authority: "upper", Field: "years", Why: "taken", Exists: true})
	if !errors.Is(err, ca.ErrExists) || !strings.HasPrefix(err.Error(), "line 7: authorities[1].years") {
		t.Errorf("%v", err)
	}
}

func TestTranscriptIsOnlyAddedTo(t *testing.T) {
	dir, now := t.TempDir(), func() time.Time { return time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC) }
	for _, line := range []string{"one", "two\nforged line"} {
		tr, err := OpenTranscript(dir, now)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(tr.Note(line), tr.Close()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(filepath.Join(dir, "TRANSCRIPT-2026-09-01.txt"))
	if want := "2026-09-01T10:00:00Z  one\n2026-09-01T10:00:00Z  two forged line\n"; err != nil || string(got) != want {
		t.Errorf("%q %v", got, err)
	}
}

// What lies in a folder by a link or by dots lies in it.
func TestWithin(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := errors.Join(os.MkdirAll(filepath.Join(data, "x"), 0o700), os.Symlink(filepath.Join(data, "x"), filepath.Join(dir, "medium"))); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"data": true, "data/new/root": true, "medium": true, "medium/new": true, "other/../data/y": true, "data2": false, "other": false, "..": false} {
		if got := within(dir+"/"+path, data); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("version: 1\nsign: [{request: x, name: y}]\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data)
		if err != nil {
			if p != nil {
				t.Error("a plan and an error")
			}
			return
		}
		again, err := p.written()
		if err != nil {
			t.Fatalf("what was read is refused when it is written: %v", err)
		}
		third, err := again.written()
		if err != nil || string(third.Text()) != string(again.Text()) {
			t.Fatalf("%v", err)
		}
	})
}

package mailbox

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLettersAreThereAfterAStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "letters.json")
	first, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{"one", "two"} {
		if err := first.add(Letter{To: []string{"a@example.kz"}, Subject: subject}); err != nil {
			t.Fatal(err)
		}
	}
	second, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.add(Letter{To: []string{"a@example.kz"}, Subject: "three"}); err != nil {
		t.Fatal(err)
	}
	got := second.Letters("a@example.kz")
	if len(got) != 3 || got[0].Subject != "three" || got[0].ID != 3 || got[2].Subject != "one" {
		t.Errorf("after a second start: %+v", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file of letters: %v %v", info.Mode(), err)
	}
}

func TestABrokenFileIsSaidAndNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "letters.json")
	if err := os.WriteFile(path, []byte("{half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, nil); err == nil {
		t.Error("half a file was taken")
	}
}

func TestALetterThatCannotBeKeptIsNotTaken(t *testing.T) {
	b, err := Open(filepath.Join(t.TempDir(), "none", "letters.json"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.add(Letter{Subject: "lost"}); err == nil || len(b.Letters("")) != 0 {
		t.Errorf("a letter that could not be kept was taken: %v", err)
	}
}

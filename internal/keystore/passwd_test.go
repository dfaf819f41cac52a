package keystore

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

func TestChangePassword(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Individual()
	for name, form := range map[string]pfx.Form{"nca": pfx.NCA, "modern": pfx.Modern} {
		path := filepath.Join(t.TempDir(), name+".p12")
		before, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate, Others: []*pki.Certificate{a.CA}, Alias: "mine"}, password, form)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, before, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			old, new string
			want     error
		}{
			{"wrong", "Another12", ErrPassword}, {password, password, ErrSamePassword}, {password, "short", pfx.ErrPasswordLength},
		} {
			if err := ChangePassword(path, c.old, c.new); !errors.Is(err, c.want) {
				t.Errorf("%s to %s: %v", c.old, c.new, err)
			}
		}
		if got := names(t, filepath.Dir(path)); len(got) != 1 {
			t.Fatalf("a refusal left %v", got)
		}
		if err := ChangePassword(path, password, "Another12"); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := pfx.Decode(after, "Another12")
		if err != nil || string(f.Certificate.Raw) != string(leaf.Certificate.Raw) || f.Alias != "mine" || len(f.Others) != 1 {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
		if formOf(after) != form {
			t.Errorf("%s: the form changed", name)
		}
		private(t, path)
		if kept, err := os.ReadFile(OldName(path)); err != nil || string(kept) != string(before) {
			t.Errorf("%s: the old file is not kept: %v", name, err)
		}
		if err := ChangePassword(path, "Another12", "Third3333"); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: over an old file: %v", name, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != string(after) {
			t.Errorf("%s: a refusal changed the file: %v", name, err)
		}
	}
}

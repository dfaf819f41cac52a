package keystore

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

const password = "Qwerty12"

func place(t *testing.T, dir, name string, leaf *pkitest.Leaf) string {
	t.Helper()
	b, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, password, pfx.NCA)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestScan(t *testing.T) {
	dir, authority := t.TempDir(), pkitest.New(t)
	path := place(t, dir, "GOST512_x.p12", authority.Individual())
	deep := filepath.Join(dir, "1", "2", "3")
	if err := os.MkdirAll(filepath.Join(deep, "4"), 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{filepath.Join(deep, "copy.pfx"), filepath.Join(deep, "4", "toodeep.p12"), filepath.Join(dir, "note.txt")} {
		if err := os.WriteFile(p, append(b, p[len(p)-len("x.p12"):]...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(deep, "same.p12"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	symlink(t, path, filepath.Join(dir, "link.p12"))
	if err := os.WriteFile(filepath.Join(dir, "big.p12"), make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	files := Scan([]string{dir, filepath.Join(dir, "absent")})
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	if len(files) != 2 {
		t.Fatalf("found %v", names)
	}
	for _, f := range files {
		if len(f.Copies) == 1 {
			if _, err := Unlock(f, "wrong"); !errors.Is(err, ErrPassword) {
				t.Errorf("wrong password: %v", err)
			}
			if key, err := Unlock(f, password); err != nil || key.Certificate == nil {
				t.Errorf("right password: %v", err)
			}
			f.ID = "00"
			if _, err := Unlock(f, password); !errors.Is(err, ErrChanged) {
				t.Errorf("changed file: %v", err)
			}
		}
	}
}

func TestKindOf(t *testing.T) {
	for name, want := range map[string]Kind{
		"GOST512_ab.p12": Combined, "RSA256_ab.p12": Signing, "RSA_ab.p12": Signing, "AUTH_RSA256_ab.p12": SignIn, "AUTH_RSA_a.p12": SignIn,
		"GOSTKNCA_a.p12": OldGOST, "GOSTGT_a.p12": OldGOST, "mine.p12": Unknown,
	} {
		if got := KindOf(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func order(folder string) Order {
	person := pkitest.Person()
	person.Email = "t@example.kz"
	person.Roles = nil
	return Order{
		Origin: "https://a.kz", RequestID: "R-1", Subject: person, Folder: folder,
		Profiles: []Profile{{"GOST512", "SIGNATURE"}, {"RSA2048", "AUTHENTICATION"}},
	}
}

// certify issues a certificate for every request.
func certify(t *testing.T, a *pkitest.Authority, notes []Note) []*pki.Certificate {
	t.Helper()
	var out []*pki.Certificate
	for _, n := range notes {
		r, err := pki.ParseRequest(n.Request)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.CheckSignature(); err != nil {
			t.Fatal(err)
		}
		out = append(out, a.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }}).Certificate)
	}
	return out
}

func open(t *testing.T, dir string, now time.Time, fault func(string)) *Keeper {
	t.Helper()
	k, err := Open(Config{Dir: dir, Now: func() time.Time { return now }, Form: pfx.NCA, fault: fault})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func count(list []string, prefix, suffix string) int {
	n := 0
	for _, s := range list {
		if strings.HasPrefix(s, prefix) && strings.HasSuffix(s, suffix) {
			n++
		}
	}
	return n
}

func reason(err error) string {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f.Reason
	}
	return fmt.Sprint(err)
}

func TestGenerateInstall(t *testing.T) {
	authority := pkitest.New(t)
	data, folder := t.TempDir(), t.TempDir()
	k := open(t, data, authority.Now, nil)
	notes, err := k.Generate(order(folder))
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, folder); len(notes) != 2 || count(got, "PENDING_", ".p8") != 2 {
		t.Fatalf("files %v", got)
	}
	for _, f := range names(t, folder) {
		private(t, filepath.Join(folder, f))
	}
	again, err := k.Generate(order(folder))
	if err != nil || string(again[0].Request) != string(notes[0].Request) {
		t.Errorf("the same order gives other requests: %v", err)
	}
	other := order(folder)
	other.Subject.Email = "u@example.kz"
	if _, err := k.Generate(other); reason(err) != "request_id_used" {
		t.Errorf("other arguments: %v", err)
	}
	certs := certify(t, authority, notes)
	k = open(t, data, authority.Now, nil) // days later
	if _, err := k.Install(certs, "short"); reason(err) != "password" {
		t.Errorf("weak password: %v", err)
	}
	if _, err := k.Match([]*pki.Certificate{authority.Individual().Certificate}); reason(err) != "no_pending_key" {
		t.Errorf("foreign certificate: %v", err)
	}
	if _, err := k.Match([]*pki.Certificate{certs[0], certs[0]}); reason(err) != "duplicate" {
		t.Errorf("twice the same: %v", err)
	}
	installed, err := k.Install(certs, password)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range installed {
		content, err := os.ReadFile(f.Path)
		if err != nil || !f.Created {
			t.Fatal(err, f.Created)
		}
		file, err := pfx.Decode(content, password)
		if err != nil || string(file.Certificate.Raw) != string(certs[i].Raw) || file.Alias != notes[i].KeyID {
			t.Errorf("finished file: %v alias %s", err, file.Alias)
		}
	}
	if got := names(t, folder); len(got) != 2 {
		t.Errorf("left behind: %v", got)
	}
	installed, err = k.Install(certs, "Another1")
	if err != nil || installed[0].Created || installed[1].Created {
		t.Errorf("repeated: %+v, %v", installed, err)
	}
}

// Nothing else asked for, a finished file is in the strong form: PBES2, no 3DES.
func TestDefaultForm(t *testing.T) {
	authority := pkitest.New(t)
	k, err := Open(Config{Dir: t.TempDir(), Now: func() time.Time { return authority.Now }})
	if err != nil {
		t.Fatal(err)
	}
	notes, err := k.Generate(order(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	installed, err := k.Install(certify(t, authority, notes), password)
	if err != nil {
		t.Fatal(err)
	}
	pbes2, tripleDES := []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13}, []byte{6, 10, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1, 3}
	for _, f := range installed {
		content, err := os.ReadFile(f.Path)
		if err != nil || !bytes.Contains(content, pbes2) || bytes.Contains(content, tripleDES) {
			t.Errorf("%s: %v", f.Path, err)
		}
	}
}

func TestInstallNeverOverwrites(t *testing.T) {
	authority := pkitest.New(t)
	folder := t.TempDir()
	k := open(t, t.TempDir(), authority.Now, nil)
	notes, err := k.Generate(order(folder))
	if err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(folder, "AUTH_RSA256_"+notes[1].KeyID+".p12")
	if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	certs := certify(t, authority, notes)
	if _, err := k.Install(certs, password); reason(err) != "file_exists" {
		t.Fatalf("existing file: %v", err)
	}
	if b, _ := os.ReadFile(taken); string(b) != "mine" {
		t.Error("the existing file was changed")
	}
	if got := names(t, folder); count(got, "PENDING_", "") != 2 || count(got, "GOST512_", "") != 0 || len(got) != 3 {
		t.Errorf("not all or none: %v", got)
	}
	// A file that appears between the look and the link.
	_ = os.Remove(taken)
	k.fault = func(step string) {
		if step == "install noted" {
			_ = os.WriteFile(taken, []byte("late"), 0o600)
		}
	}
	if _, err := k.Install(certs, password); reason(err) != "file_exists" {
		t.Fatalf("late file: %v", err)
	}
	if b, _ := os.ReadFile(taken); string(b) != "late" {
		t.Error("the late file was changed")
	}
	if got := names(t, folder); count(got, "PENDING_", "") != 2 || count(got, "GOST512_", "") != 0 {
		t.Errorf("not all or none: %v", got)
	}
}

// TestKilled kills the keeper at every step of making and finishing keys, and repeats.
func TestKilled(t *testing.T) {
	authority := pkitest.New(t)
	for stop := 1; ; stop++ {
		data, folder := t.TempDir(), t.TempDir()
		steps, where := 0, ""
		fault := func(step string) {
			if steps++; steps == stop {
				where = step
				panic("killed")
			}
		}
		survive := func(f func()) (killed bool) {
			defer func() {
				if r := recover(); r != nil {
					if r != "killed" {
						panic(r)
					}
					killed = true
				}
			}()
			f()
			return false
		}
		var notes []Note
		var err error
		killed := survive(func() { notes, err = open(t, data, authority.Now, fault).Generate(order(folder)) })
		if err != nil {
			t.Fatal(err)
		}
		if killed {
			if notes, err = open(t, data, authority.Now, nil).Generate(order(folder)); err != nil {
				t.Fatalf("killed at %q, repeated: %v", where, err)
			}
			if got := names(t, folder); len(got) != 2 {
				t.Errorf("killed at %q: %v", where, got)
			}
		}
		certs := certify(t, authority, notes)
		if !killed {
			killed = survive(func() { _, err = open(t, data, authority.Now, fault).Install(certs, password) })
			if err != nil {
				t.Fatal(err)
			}
			got := names(t, folder)
			if killed && count(got, "PENDING_", "") < 2 && count(got, "", ".p12") < 2 {
				t.Errorf("killed at %q: neither pending nor finished: %v", where, got)
			}
		}
		installed, err := open(t, data, authority.Now, nil).Install(certs, password)
		if err != nil || len(installed) != 2 {
			t.Fatalf("killed at %q, repeated: %v", where, err)
		}
		if got := names(t, folder); len(got) != 2 || count(got, "", ".p12") != 2 {
			t.Errorf("killed at %q, in the end: %v", where, got)
		}
		if !killed {
			if stop < 8 {
				t.Errorf("only %d steps", stop)
			}
			return
		}
	}
}

func TestTooManyPending(t *testing.T) {
	k := open(t, t.TempDir(), time.Now(), nil)
	for range MaxPendingOrigin {
		k.notes = append(k.notes, Note{Origin: "https://a.kz", State: Pending, RequestID: "old"})
	}
	if _, err := k.Generate(order(t.TempDir())); reason(err) != "too_many_pending" {
		t.Errorf("%v", err)
	}
	o := order(filepath.Join(t.TempDir(), "absent"))
	o.Origin = "https://b.kz"
	if _, err := k.Generate(o); reason(err) != "folder_unavailable" {
		t.Errorf("%v", err)
	}
	// What the person agreed to beyond that has a bound of its own, and takes nothing from the others.
	o = order(filepath.Join(t.TempDir(), "absent"))
	o.Many = true
	if _, err := k.Generate(o); reason(err) != "folder_unavailable" {
		t.Errorf("%v", err)
	}
	for range MaxPendingMany {
		k.notes = append(k.notes, Note{Origin: "https://c.kz", State: Pending, RequestID: "many", Many: true})
	}
	o.Folder = t.TempDir()
	if _, err := k.Generate(o); reason(err) != "too_many_pending" {
		t.Errorf("%v", err)
	}
	if k.Room("https://a.kz", 1) || !k.Room("https://b.kz", MaxPendingOrigin) || k.Room("https://b.kz", MaxPendingOrigin+1) {
		t.Error("the room of an origin")
	}
	for range MaxPending - MaxPendingOrigin {
		k.notes = append(k.notes, Note{Origin: "https://" + rand.Text() + ".kz", State: Finishing})
	}
	if k.Room("https://b.kz", 1) {
		t.Error("a 65th key")
	}
}

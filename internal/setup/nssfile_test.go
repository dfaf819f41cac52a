package setup

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/agent"
	"senim/internal/lang"
)

// recorded is a database that Firefox 153 made when a policy told it to import an authority of ours: the note of its
// trust is of the kind of PKCS #11 3.2.
func recorded(t testing.TB) []byte {
	t.Helper()
	f, err := os.Open("testdata/firefox153-cert9.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestReadsDatabase: what certutil lists, and nothing else, is read from the file: many certificates, on pages below
// others, and one that needs pages of its own.
func TestReadsDatabase(t *testing.T) {
	certutil(t)
	m := machine(t)
	dir := m.profile(t, "profile")
	var want []string
	path := filepath.Join(m.Home, "c.pem")
	for i := range 40 {
		c := changed(t, func(c *x509.Certificate) {
			c.Subject.CommonName = fmt.Sprint("Root ", i)
			if i == 7 {
				for n := range 2000 {
					c.PermittedDNSDomains = append(c.PermittedDNSDomains, fmt.Sprintf("host-%d.example.kz", n))
				}
			}
		})
		write(t, path, text(c))
		name := fmt.Sprintf("a root, number %d", i)
		if out, err := exec.Command("certutil", "-A", "-t", "C,,", "-n", name, "-i", path, "-d", "sql:"+dir).CombinedOutput(); err != nil {
			t.Fatalf("%s %v", out, err)
		}
		want = append(want, name+" "+thumbprint(c.Raw))
	}
	objects, err := nssObjects(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	notes := 0
	for _, o := range objects {
		switch o.class {
		case nssCertificate:
			got = append(got, o.label+" "+thumbprint(o.value))
		case nssTrust, nssOldTrust:
			if notes++; !o.servers {
				t.Errorf("a note of trust says none: %+v", o)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || notes != 40 {
		t.Errorf("%d notes, and\n%s", notes, strings.Join(got, "\n"))
	}
	// While it is written nothing is said of it.
	write(t, filepath.Join(dir, "cert9.db-journal"), "x")
	if s, err := (nssStore{m, dir, "firefox"}).State(t.Context()); s != Unknown || err == nil {
		t.Errorf("%s %v", s, err)
	}
}

// TestNoteOfFirefox: what Firefox imported by its policy is trusted by a note that an older certutil does not know. It
// is not deleted by that one, for the note alone would be trust still; Put says so and puts the present authority.
func TestNoteOfFirefox(t *testing.T) {
	certutil(t)
	m := machine(t)
	s := nssStore{m, m.profile(t, ".mozilla/firefox/a.default"), "firefox"}
	file := filepath.Join(s.dir, "cert9.db")
	b := recorded(t)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	names, err := s.found()
	if err != nil || len(names) != 1 || !names[0].trusted || len(names[0].ours) != 1 {
		t.Fatalf("%+v %v", names, err)
	}
	if s, err := s.State(t.Context()); s != Old || err != nil {
		t.Errorf("%s %v", s, err)
	}
	err = s.Take(t.Context())
	if !errors.Is(err, errNote) {
		if n, _ := s.notes(names); err == nil && n == 0 {
			t.Skip("certutil here is new enough to delete the note")
		}
		t.Fatalf("%v", err)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(b) {
		t.Errorf("the database changed: %v", err)
	}
	if err := s.Put(t.Context()); !errors.Is(err, errNote) {
		t.Errorf("%v", err)
	}
	cert, err := m.authority()
	if err != nil {
		t.Fatal(err)
	}
	names, err = s.found()
	if err != nil || !slices.ContainsFunc(names, func(n named) bool { return n.trusted && slices.ContainsFunc(n.ours, cert.Equal) }) {
		t.Errorf("the present authority is not trusted: %+v %v", names, err)
	}
	if i := slices.IndexFunc(m.lookStores(t.Context()), func(f Finding) bool { return f.ID == "store-more" && f.Level == Warning && f.Where == s.dir }); i < 0 {
		t.Errorf("the doctor says %+v", m.lookStores(t.Context()))
	}
	// The one that Firefox imported is the present one: it needs nothing, and no tool.
	write(t, filepath.Join(m.Data, agent.AuthorityFile), text(names[slices.IndexFunc(names, func(n named) bool { return !slices.ContainsFunc(n.ours, cert.Equal) })].ours[0]))
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	m.Find = func(string) (string, error) { return "", exec.ErrNotFound }
	if s, err := s.State(t.Context()); s != Present || err != nil {
		t.Errorf("%s %v", s, err)
	}
}

// TestFirefoxPolicyBroughtIt: with a real Firefox under a real policy. What it imports is found when the policy is gone,
// and is never half deleted. As root, for Firefox reads one place: it is mounted over for this test alone.
func TestFirefoxPolicyBroughtIt(t *testing.T) {
	certutil(t)
	firefox, err := exec.LookPath("firefox-esr")
	if err != nil || os.Getenv("SENIM_LONG") == "" || os.Getuid() != 0 {
		t.Skip("needs Firefox, root and SENIM_LONG=1")
	}
	m := machine(t)
	m.Find = func(string) (string, error) { return "", exec.ErrNotFound } // a machine without the tool
	dir := filepath.Join(m.Home, ".mozilla/firefox/a.default")
	if err := errors.Join(os.MkdirAll(dir, 0o700), (firefoxPolicy{m}).Put(t.Context())); err != nil {
		t.Fatal(err)
	}
	open := func(until func() bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := exec.CommandContext(ctx, "unshare", "--mount", "--kill-child", "--fork", "sh", "-c",
			`mount -t overlay overlay -o lowerdir="$0/etc:/etc" /etc && exec "$1" --headless --no-remote --profile "$2"`, m.Root, firefox, dir)
		c.Env = append(os.Environ(), "HOME="+m.Home)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for ctx.Err() == nil && !until() {
			time.Sleep(100 * time.Millisecond) //nolint:forbidigo // there is no signal, it is looked at again
		}
		if ctx.Err() != nil {
			t.Error("Firefox did nothing within a minute")
		}
		cancel()
		_ = c.Wait()
	}
	s := nssStore{m, dir, "firefox"}
	open(func() bool { state, _ := s.State(t.Context()); return state == Present })
	if err := (firefoxPolicy{m}).Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	if state, err := s.State(t.Context()); state != Present || err != nil {
		t.Errorf("without the policy: %s %v", state, err)
	}
	if err := s.Take(t.Context()); !errors.Is(err, errNoTool) {
		t.Errorf("without the tool: %v", err)
	}
	m.Find = exec.LookPath
	if err := s.Take(t.Context()); err != nil && !errors.Is(err, errNote) {
		t.Errorf("%v", err)
	} else if state, _ := s.State(t.Context()); (state == Absent) != (err == nil) {
		t.Errorf("%s %v", state, err)
	}
}

// TestFailuresInWords: what a person can do something about is said in that person's language.
func TestFailuresInWords(t *testing.T) {
	for _, tag := range lang.All() {
		for _, err := range []error{errNote, errNoTool} {
			var b strings.Builder
			Line(&b, tag)(keychain{&Machine{}}, Unknown, err)
			if said := b.String(); !strings.Contains(said, "Senim agent on") || strings.Contains(said, "setup.") || tag != lang.EN && strings.Contains(said, err.Error()) {
				t.Errorf("%s: %s", tag, said)
			}
		}
	}
}

func FuzzNSS(f *testing.F) {
	f.Add(recorded(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseNSS(b)
		size := 0
		for _, o := range list {
			size += len(o.value)
		}
		if err == nil && size > len(b) {
			t.Errorf("%d bytes out of %d", size, len(b))
		}
	})
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/archive"
	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/ra"
	"senim/internal/restore"
	"senim/pki"
)

// reconcile does what `senim ca reconcile --apply` does.
func reconcile(t *testing.T, s *server) restore.Done {
	t.Helper()
	ctx := t.Context()
	places, err := s.places()
	if err != nil {
		t.Fatal(err)
	}
	found, err := restore.Read(ctx, s.store, places)
	if err != nil {
		t.Fatal(err)
	}
	done, err := found.Apply(ctx, s.store, s.ca, "tester")
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// say asks the responder of a server.
func say(t *testing.T, s *server, path string) (int, string) {
	t.Helper()
	a, err := http.Get(s.c.responder.origin + path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(a.Body)
	if err = errors.Join(err, a.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(b)
}

// live is the serials of the demo's certificates that are in force.
func live(t *testing.T, s *server) (all []*ca.Info) {
	t.Helper()
	for _, p := range s.people {
		infos, err := s.ca.ByHolder(t.Context(), p.IIN, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range infos {
			if i.Live(time.Now()) {
				all = append(all, &i)
			}
		}
	}
	return all
}

// copyFolder copies a data folder as a backup would, for its owner only.
func copyFolder(t *testing.T, to, from string) {
	t.Helper()
	err := os.CopyFS(to, os.DirFS(from))
	if err == nil {
		err = filepath.WalkDir(to, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return os.Chmod(path, 0o600)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Yesterday's folder is put back: the server stands still until it is reconciled, and nothing is un-revoked.
func TestSec10YesterdaysFolderIsSuspended(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	dir, out, lists, copied := filepath.Join(base, "data"), filepath.Join(base, "audit"), filepath.Join(base, "lists"), filepath.Join(base, "copy")
	if err := os.Mkdir(out, 0o700); err != nil {
		t.Fatal(err)
	}
	flags := []string{"-node", "n1", "-audit.export", out, "-publish", lists, "-log", "none"}
	first := mustOpen(t, dir, flags...)
	worse := live(t, first)[0].Serial
	during(t, first, func() {
		if _, err := first.ca.Revoke(t.Context(), worse, ca.Superseded, "tester", time.Time{}); err != nil {
			t.Fatal(err)
		}
	})
	instance := instanceOf(t, first)
	waits := ra.Application{Number: "260901000014", Revision: 1, Kind: ra.Employee, State: ra.AwaitingDirector, Role: ra.RoleEmployee,
		Subject: ra.Subject{IIN: first.people[0].IIN}, Created: time.Now(), Changed: time.Now(), SignedAt: time.Now()}
	if err := first.store.RA().Update(t.Context(), func(tx ra.Tx) error { return tx.Put(t.Context(), waits) }); err != nil {
		t.Fatal(err)
	}
	first.close()
	copyFolder(t, copied, dir)

	second := mustOpen(t, dir, flags...)
	known := live(t, second)
	if len(known) == 0 {
		t.Fatal("the demo has nobody")
	}
	gone := known[0].Serial
	var number int64
	var lost *ca.Info
	during(t, second, func() {
		if second.suspended() {
			t.Fatalf("suspended: %s", second.ca.Suspended())
		}
		if _, err := second.ca.Revoke(t.Context(), gone, ca.KeyCompromise, "tester", time.Time{}); err != nil {
			t.Error(err)
		}
		if _, err := second.ca.Revoke(t.Context(), worse, ca.KeyCompromise, "tester", time.Time{}); err != nil {
			t.Error(err)
		}
		if _, err := second.office.Withdraw(t.Context(), waits.Subject.IIN, waits.Number); err != nil {
			t.Error(err)
		}
		if err := second.ca.Publish(t.Context(), known[0].CA); err != nil {
			t.Error(err)
		}
		if _, err := second.seedKey(t.Context(), cast()[0], cast()[0].keys[0], "late-k0", filepath.Join(base, "late"), time.Now()); err != nil {
			t.Fatal(err)
		}
		for _, i := range live(t, second) {
			if !slices.ContainsFunc(known, func(k *ca.Info) bool { return k.Serial == i.Serial }) {
				lost = i
			}
		}
		l, err := second.ca.CRL(t.Context(), known[0].CA, false)
		if err != nil {
			t.Fatal(err)
		}
		number = l.Number
	})
	second.close()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	copyFolder(t, dir, copied)

	third := mustOpen(t, dir, flags...)
	during(t, third, func() {
		if !strings.Contains(third.ca.Suspended(), "senim ca reconcile") {
			t.Fatalf("suspended: %q", third.ca.Suspended())
		}
		if code, text := say(t, third, "/health"); code != http.StatusServiceUnavailable || !strings.Contains(text, "suspended") {
			t.Errorf("health: %d %s", code, text)
		}
		if code, _ := say(t, third, "/crl/"+known[0].CA+".crl"); code != http.StatusServiceUnavailable {
			t.Errorf("list: %d", code)
		}
		if _, err := third.ca.Certificate(t.Context(), gone); !errors.Is(err, ca.ErrSuspended) {
			t.Errorf("status from an older copy: %v", err)
		}
	})
	third.close()

	fourth := mustOpen(t, dir, flags...)
	if d := reconcile(t, fourth); len(d.Revoked) != 2 || len(d.Lost) != 1 || d.Lost[0].Serial != lost.Serial {
		t.Errorf("difference: %+v", d)
	} else if d.Work.Applications != 1 {
		t.Errorf("applications: %+v", d.Work)
	}
	fourth.close()

	fifth := mustOpen(t, dir, flags...)
	during(t, fifth, func() {
		if why := fifth.ca.Suspended(); why != "" {
			t.Fatalf("still suspended: %s", why)
		}
		for _, serial := range []string{gone, worse} {
			i, err := fifth.ca.Certificate(t.Context(), serial)
			if err != nil || i.Revoked == nil || i.Revoked.Reason != ca.KeyCompromise {
				t.Errorf("after all: %+v %v", i, err)
			}
		}
		if a, err := fifth.office.Case(t.Context(), waits.Number); err != nil || a.State != ra.Withdrawn {
			t.Errorf("what was withdrawn: %s, %v", a.State, err)
		}
		if now := instanceOf(t, fifth); now <= instance {
			t.Errorf("random serials begin with %d, and did with %d before the copy was put back", now, instance)
		}
		if b, err := fifth.ca.CRL(t.Context(), lost.CA, false); err != nil || !listed(t, b.Raw, lost.Serial) {
			t.Errorf("the lost certificate is on no list: %v", err)
		}
		if i, err := fifth.ca.Return(t.Context(), lost.Raw, "tester"); err != nil || i.Revoked != nil {
			t.Errorf("brought back: %+v %v", i, err)
		}
		if _, err := fifth.ca.Certificate(t.Context(), lost.Serial); err != nil {
			t.Errorf("brought back: %v", err)
		}
		l, err := fifth.ca.CRL(t.Context(), known[0].CA, false)
		if err != nil || l.Number <= number {
			t.Errorf("list number after %d: %+v %v", number, l, err)
		}
		if code, text := say(t, fifth, "/health"); code != http.StatusOK {
			t.Errorf("health: %d %s", code, text)
		}
	})
	fifth.close()
	wholeExport(t, out)
}

// instanceOf is the byte of this node's random serials.
func instanceOf(t *testing.T, s *server) byte {
	t.Helper()
	b, err := s.store.Instance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// listed reports that a serial stands on a list.
func listed(t *testing.T, raw []byte, serial string) bool {
	t.Helper()
	l, err := pki.ParseRevocationList(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range l.Entries {
		if pki.SerialHex(e.Serial) == serial {
			return true
		}
	}
	return false
}

// wholeExport checks every chain in an export from its first record.
func wholeExport(t *testing.T, dir string) {
	t.Helper()
	f, err := archive.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range f.Nodes() {
		key, err := f.Key(node)
		if err != nil {
			t.Fatal(err)
		}
		trail, err := audit.NewTrail(node, key)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range f.Segments(node) {
			p, err := f.Read(node, n, trail.Add)
			if err == nil {
				err = trail.Mark(p)
			}
			if err != nil {
				t.Fatalf("%s: %v", node, err)
			}
		}
	}
}

// A place that cannot be read is no place where nothing is missing.
func TestSec10UnreadPlaceSuspends(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustOpen(t, dir, "-cast=false").close()
	s := mustOpen(t, dir, "-cast=false", "-published", filepath.Join(dir, "none"))
	defer s.close()
	if !strings.Contains(s.ca.Suspended(), "could not be checked") {
		t.Errorf("suspended: %q", s.ca.Suspended())
	}
}

// Where nothing outside the machine is read, nobody could tell an older copy: the operator hears of it.
func TestSec10NothingToCompareIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustOpen(t, dir, "-cast=false").close()
	for _, c := range []struct {
		flags  []string
		warned bool
	}{
		{nil, true},
		{[]string{"-audit.export", "https://127.0.0.1:1/audit"}, true}, // it takes, and cannot be read
		{[]string{"-published", t.TempDir()}, false},
		{[]string{"-audit.export", t.TempDir()}, false},
	} {
		s := mustOpen(t, dir, append([]string{"-cast=false", "-tsa.clock", "trust"}, c.flags...)...)
		during(t, s, func() {
			code, text := say(t, s, "/health")
			if code != http.StatusOK || strings.Contains(text, "older copy") != c.warned {
				t.Errorf("%v: health %d %q", c.flags, code, text)
			}
		})
		s.close()
	}
}

// Whatever has ended, the server starts and says so, and signs nothing with an ended authority.
func TestSec10EverythingExpired(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustOpen(t, dir, "-cast=false").close()
	_, c, err := parse([]string{"-data", dir, "-cabinet", "127.0.0.1:0", "-portal", "127.0.0.1:0", "-responder", "127.0.0.1:0",
		"-mailbox", "127.0.0.1:0", "-mailbox.smtp", "127.0.0.1:0", "-cast=false", "-tsa.clock", "trust"}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	for _, years := range []int{5, 25} {
		now := func() time.Time { return time.Now().AddDate(years, 0, 0) }
		s, err := open(context.Background(), c, now, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatalf("%d years: %v", years, err)
		}
		during(t, s, func() {
			ended := false
			for _, a := range s.ca.Authorities() {
				ended = ended || !now().Before(a.Certificate.NotAfter)
				l, err := s.ca.CRL(t.Context(), a.Name, false)
				if err == nil && a.Issuing && l.ThisUpdate.After(a.Certificate.NotAfter) {
					t.Errorf("%d years: %s signed a list after its end", years, a.Name)
				}
			}
			if ended != (years == 25) {
				t.Errorf("%d years: ended %t", years, ended)
			}
			code, text := say(t, s, "/health")
			var signer ca.SignerRecord // made today, for the first one has ended
			err := s.store.CA().View(t.Context(), func(tx ca.Tx) (err error) {
				signer, err = tx.Signer(t.Context(), "gost", ca.SignerOCSP)
				return err
			})
			if want := fmt.Sprintf("%02x", instanceOf(t, s)); !ended && (err != nil || signer.Serial[2:4] != want || want == "00") {
				t.Errorf("%d years: the responder's serial is %s, %v; want its second byte to be %s", years, signer.Serial, err, want)
			}
			if want := http.StatusServiceUnavailable; ended && (code != want || !strings.Contains(text, "senim ca rescue")) {
				t.Errorf("%d years: health %d %s", years, code, text)
			}
			if code, _ := say(t, s, "/"); code != http.StatusOK {
				t.Errorf("%d years: page %d", years, code)
			}
		})
		s.close()
	}
}

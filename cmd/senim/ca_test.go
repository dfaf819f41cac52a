package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/access"
	"senim/internal/ca"
	"senim/internal/caapi"
	"senim/internal/pkitest"
	"senim/internal/store"
	"senim/internal/store/storetest"
)

// TestAuthorityByCommands: clients are registered on the authority's data, and the commands then have a
// certificate issued, suspended, released by two, revoked and found.
func TestAuthorityByCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := bytes.Repeat([]byte{7}, 32)
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	call := func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		p := program{Args: args, Dir: dir, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Now: time.Now}
		return p.Run(context.Background()), out.String(), errs.String() //nolint:usetesting // as the program has it
	}
	if status, _, errs := call("ca", "client", "list", "--data", "."); status != statusMisuse || !strings.Contains(errs, "no installation") {
		t.Errorf("a folder of nothing: %d %s", status, errs)
	}
	put("installation.json", []byte("{}"))
	put("installation.key", []byte(hex.EncodeToString(key)))
	s := storetest.Open(t, store.Config{URL: filepath.Join(dir, "senim.db"), Key: key})
	keys := &storetest.Keys{}
	if err := ca.Create(t.Context(), ca.Ceremony{Store: s.CA(), Keys: keys, By: "tester", Plans: []ca.Plan{{
		Name: "gost", Algorithm: algid.GOST512, RootName: "ROOT", IssuingName: "ISSUING", Address: "http://localhost:8082"}}}); err != nil {
		t.Fatal(err)
	}
	service, err := ca.Open(t.Context(), ca.Config{Store: s.CA(), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	gate, err := access.New(access.Config{Store: s.Access()})
	if err != nil {
		t.Fatal(err)
	}
	api, err := caapi.New(caapi.Config{Authority: service, Gate: gate})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api)
	defer server.Close()
	put("me.p10", pkitest.Request(t, pkitest.NewKey(t, algid.GOST512), pkitest.Person()))
	put("open.key", []byte("a.b"))
	if err := os.Chmod(filepath.Join(dir, "open.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	as := func(file string, args ...string) []string {
		return append([]string{"ca", args[0], "--url", server.URL, "--key-file", file}, args[1:]...)
	}
	issue := []string{"issue", "--profile", "individual", "--csr", "me.p10", "--surname", "ТЕСТОВ", "--name", "ТЕСТОВ ТЕСТ", "--iin", "123456789011"}
	for _, tt := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"ca", "client", "add", "--data", ".", "--rights", "issue,renew,revoke,hold,release,read,search", "--out", "ra.key", "ra-1"}, 0, "ra.key"},
		{[]string{"ca", "client", "add", "--data", ".", "--rights", "release", "--out", "officer.key", "officer-2"}, 0, "officer.key"},
		{[]string{"ca", "client", "add", "--data", ".", "--rights", "issue", "ra-1"}, 2, "already exists"},
		{[]string{"ca", "client", "add", "--data", ".", "--rights", "king", "ra-3"}, 2, `no right "king"`},
		{[]string{"ca", "client", "list", "--data", ".", "--json"}, 0, `"name": "officer-2"`},
		{as("open.key", "offered"), 2, "chmod 600"},
		{as("ra.key", append(issue, "--order", "A-1", "--out", "me.pem")...), 0, "The certificate is in me.pem"},
		{as("ra.key", append(issue, "--order", "A-1", "--out", "again.pem")...), 0, "The certificate is in again.pem"},
		{as("ra.key", append(issue, "--order", "A-2", "--out", "other.pem")...), 1, "KEY_REUSED"},
		{as("ra.key", "status", "me.pem"), 0, "valid  individual"},
		{as("ra.key", "hold", "--comment", "SEARCHING", "me.pem"), 0, "certificateHold"},
		{as("ra.key", "status", "--json", "me.pem"), 1, `"state": "hold"`},
		{as("ra.key", "release", "me.pem"), 1, "Another client must confirm"},
		{as("officer.key", "release", "me.pem"), 0, "in force again"},
		{as("officer.key", "revoke", "--reason", "superseded", "me.pem"), 1, "RIGHT_MISSING"},
		{as("ra.key", "revoke", "--reason", "superseded", "--order", "V-1", "me.pem"), 0, "superseded"},
		{as("ra.key", "status", strings.Repeat("0", 40)), 1, "NOT_FOUND"},
		{as("ra.key", "search", "--iin", "123456789011", "--state", "revoked"), 0, "revoked superseded since"},
		{as("ra.key", "search", "--iin", "123456789011", "--state", "valid", "--json"), 0, "[]"},
		{as("ra.key", "offered"), 0, "individual-sign"},
		{[]string{"ca", "client", "rotate", "--data", ".", "--out", "new.key", "ra-1"}, 0, "new.key"},
		{as("ra.key", "offered"), 1, "UNAUTHENTICATED"},
		{as("new.key", "offered"), 0, "individual"},
		{[]string{"ca", "client", "disable", "--data", ".", "ra-1"}, 0, "shut out"},
		{as("new.key", "offered"), 1, "CLIENT_DISABLED"},
		{[]string{"ca", "client", "disable", "--data", ".", "nobody"}, 2, "senim ca client list"},
	} {
		status, out, errs := call(tt.args...)
		if status != tt.status || !strings.Contains(out+errs, tt.want) {
			t.Errorf("%s: %d, want %d with %q:\n%s%s", strings.Join(tt.args, " "), status, tt.status, tt.want, out, errs)
		}
	}
	first, _ := os.ReadFile(filepath.Join(dir, "me.pem"))
	again, _ := os.ReadFile(filepath.Join(dir, "again.pem"))
	if len(first) == 0 || !bytes.Equal(first, again) {
		t.Error("one order gave two certificates")
	}
}

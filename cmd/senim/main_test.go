package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"

	"github.com/rogpeppe/go-internal/testscript"
)

// now is the moment of the tests, that of pkitest.
var now = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

// TestScripts runs testdata/*.txtar. Commands: "senim …" must exit with 0, "exits N …" runs senim and
// wants that status, "issue REQUEST CERTIFICATE" is the authority at work, "serve PATH QUESTION ANSWER"
// carries a question to a server by hand, "code KIND" puts a portal's QR code into $CODE, "mode MODE FILE" wants the mode of a file. $NET is where the
// servers are.
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("makes authorities and key files")
	}
	material := t.TempDir()
	servers := prepare(t, material)
	portal := newCodes(t, servers.a)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("NET", servers.URL)
			return os.CopyFS(e.WorkDir, os.DirFS(material))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"senim": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg {
					ts.Fatalf("write exits N instead of ! senim")
				}
				expect(ts, 0, args)
			},
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				status, err := strconv.Atoi(args[0])
				ts.Check(err)
				expect(ts, status, args[1:])
			},
			"issue": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(servers.issue(t, ts.MkAbs(args[0]), ts.MkAbs(args[1])))
			},
			"code": func(ts *testscript.TestScript, _ bool, args []string) {
				text, _, err := portal.code(args[0])
				ts.Check(err)
				ts.Setenv("CODE", text)
			},
			"serve": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(servers.serve(args[0], ts.MkAbs(args[1]), ts.MkAbs(args[2])))
			},
			"mode": func(ts *testscript.TestScript, _ bool, args []string) {
				info, err := os.Stat(ts.MkAbs(args[1]))
				ts.Check(err)
				if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
					ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
				}
			},
		},
	})
}

func expect(ts *testscript.TestScript, want int, args []string) {
	p := &program{Args: args, Dir: ts.MkAbs("."), Stdin: strings.NewReader(""), Stdout: ts.Stdout(), Stderr: ts.Stderr(), Now: func() time.Time { return now }}
	if got := p.Run(context.Background()); got != want {
		ts.Fatalf("senim %s exits with %d, want %d", strings.Join(args, " "), got, want)
	}
}

// prepare writes what the scripts work with: an authority, its lists, and key files of every kind.
func prepare(t *testing.T, dir string) *network {
	t.Helper()
	a := pkitest.New(t, pkitest.Config{Now: now})
	write := func(name string, data []byte) {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("trust/root.cer", a.Root.Raw)
	write("trust/nca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.CA.Raw}))
	write("pw.txt", []byte("Qwerty12\r\n"))
	write("wrong.txt", []byte("Qwerty13\n"))
	write("doc.txt", []byte("Қазақстан Республикасы\n"))
	write("doc.pdf", document())
	write("abc", []byte("abc"))
	write("doc.xml", []byte("<?xml version=\"1.0\"?><order><n>1</n></order>"))

	individual, revoked := a.Individual(), a.SignRight()
	_, signIn := a.ClassicPair(pkitest.Person())
	leaves := map[string]*pkitest.Leaf{
		"individual": individual, "head": a.Head(), "revoked": revoked, "expired": a.Expired(),
		"early": a.NotYetValid(), "foreign": a.Foreign(), "signin": signIn,
	}
	for name, leaf := range leaves {
		der, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, "Qwerty12", pfx.NCA)
		if err != nil {
			t.Fatal(err)
		}
		write(name+".p12", der)
		write(name+".cer", leaf.Certificate.Raw)
	}
	request, err := pki.CreateRequest(rand.Reader, individual.Key, pki.RequestTemplate{Subject: individual.Certificate.Subject, Emails: []string{"a@example.kz"}})
	if err != nil {
		t.Fatal(err)
	}
	prepareText(t, a, individual, write)
	write("individual.b64", []byte(base64.StdEncoding.EncodeToString(individual.Certificate.Raw)+"\r\n"))
	write("request.p10", request)
	write("list.crl", a.List(a.Revoked(revoked.Certificate, pki.KeyCompromise)))
	prepareStamped(t, a, individual, write)
	write("stale.crl", a.ListOf(pki.ListTemplate{Number: individual.Certificate.Serial, ThisUpdate: now.AddDate(0, -2, 0), NextUpdate: now.AddDate(0, -1, 0)}))
	return newNetwork(t, a, revoked.Certificate)
}

// run runs the program on real files at a fixed time.
func run(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := &program{Args: args, Stdin: strings.NewReader("Qwerty12\n"), Stdout: &out, Stderr: &errs, Now: func() time.Time { return now }}
	status = p.Run(t.Context())
	return status, out.String(), errs.String()
}

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/ca"
	"senim/internal/store"
	"senim/internal/vault"
	"senim/pki"
)

// site is a folder in which an operator works.
type site struct {
	t   *testing.T
	dir string
	now time.Time
}

func newSite(t *testing.T) *site {
	t.Helper()
	t.Parallel()
	if testing.Short() {
		t.Skip("makes authorities")
	}
	s := &site{t: t, dir: t.TempDir(), now: now}
	for name, text := range map[string]string{"words.root": "the words of the root", "words.online": "the words of the online keys"} {
		s.write(name, text+"\n", 0o600)
	}
	return s
}

func (s *site) write(name, text string, mode os.FileMode) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) read(name string) string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

func (s *site) call(ctx context.Context, stderr *bytes.Buffer, args ...string) (status int, stdout string) {
	var out bytes.Buffer
	p := &program{Args: args, Dir: s.dir, Stdin: strings.NewReader(""), Stdout: &out, Stderr: stderr, Now: func() time.Time { return s.now }}
	return p.Run(ctx), out.String()
}

func (s *site) good(args ...string) string {
	s.t.Helper()
	var errs bytes.Buffer
	status, out := s.call(s.t.Context(), &errs, args...)
	if status != statusGood {
		s.t.Fatalf("senim %s: %d\n%s", strings.Join(args, " "), status, errs.String())
	}
	return out
}

// bad wants a refusal that says something.
func (s *site) bad(words string, args ...string) {
	s.t.Helper()
	var errs bytes.Buffer
	status, _ := s.call(s.t.Context(), &errs, args...)
	if status == statusGood || !strings.Contains(errs.String(), words) {
		s.t.Errorf("senim %s: %d, want %q:\n%s", strings.Join(args, " "), status, words, errs.String())
	}
}

const rootPlan = `version: 1
title: The root of the test
participants: [key-custodian, witness]
root:
  keys: medium
  new: true
  passphrase-file: words.root
authorities:
  - name: root_rsa
    algorithm: RSA
    bits: 2048
    common-name: TEST ROOT (RSA)
    years: 20
    address: http://root.example.kz
  - name: root_gost
    algorithm: GOST512
    common-name: TEST ROOT (GOST)
`

const bothPlan = `version: 1
title: A root and an installation
participants: [key-custodian, witness]
root: {keys: medium, new: true, passphrase-file: words.root}
online: {data: data, new: true, passphrase-file: words.online}
authorities:
  - {name: root_rsa, algorithm: RSA, bits: 2048, common-name: FIRST ROOT (RSA)}
  - {name: rsa, parent: root_rsa, algorithm: RSA, bits: 2048, common-name: FIRST ISSUING (RSA), organization: TEST, address: 'http://pki.example.kz'}
`

const onlinePlan = `version: 1
title: The issuing authority of the test
participants: [operator]
online:
  data: data
  passphrase-file: words.online
authorities:
  - name: rsa2
    parent: root_rsa
    algorithm: RSA
    bits: 2048
    common-name: TEST ISSUING (RSA) 2
    organization: TEST
    address: http://pki.example.kz
    follows: rsa
`

const signPlan = `version: 1
title: The root certifies
participants: [key-custodian, witness]
root:
  keys: medium
  passphrase-file: words.root
sign:
  - request: rsa2.p10
    name: rsa2
    parent: root_rsa
    algorithm: RSA
    bits: 2048
    common-name: TEST ISSUING (RSA) 2
    address: http://pki.example.kz
`

// work opens the installation as senimd does.
func (s *site) work() (*ca.Service, func()) {
	s.t.Helper()
	keys, err := vault.Open(filepath.Join(s.dir, "data/vault"), []byte("the words of the online keys"))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.workWith(keys)
}

func (s *site) workWith(keys ca.Keys) (*ca.Service, func()) {
	s.t.Helper()
	key, err := hex.DecodeString(strings.TrimSpace(s.read("data/installation.key")))
	if err != nil {
		s.t.Fatal(err)
	}
	db, err := store.Open(s.t.Context(), store.Config{URL: filepath.Join(s.dir, "data/senim.db"), Now: func() time.Time { return s.now }, Node: "senimd", Key: key, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	service, err := ca.Open(s.t.Context(), ca.Config{Store: db.CA(), Keys: keys, Now: func() time.Time { return s.now }})
	if err != nil {
		s.t.Fatal(err)
	}
	return service, func() {
		if _, err := db.VerifyAudit(s.t.Context()); err != nil {
			s.t.Errorf("audit: %v", err)
		}
		if err := db.Close(); err != nil {
			s.t.Error(err)
		}
	}
}

// leaf has the service issue an RSA certificate and lays it, its issuer's and the list as PEM.
func (s *site) leaf(service *ca.Service, order string) *ca.Issued {
	s.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		s.t.Fatal(err)
	}
	csr, err := pki.CreateRequest(rand.Reader, key, pki.RequestTemplate{Subject: pki.Name{pki.NewAttribute(pki.OIDCommonName, "X")}})
	if err != nil {
		s.t.Fatal(err)
	}
	issued, err := service.Issue(s.t.Context(), ca.Order{ID: order, Profile: "individual-sign", CSR: csr, By: "tester",
		Subject: ca.Subject{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", IIN: "123456789011"}})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := service.Publish(s.t.Context(), issued.CA); err != nil {
		s.t.Fatal(err)
	}
	l, err := service.CRL(s.t.Context(), issued.CA, false)
	if err != nil {
		s.t.Fatal(err)
	}
	s.pem(order+".pem", "CERTIFICATE", issued.Raw)
	s.pem(issued.CA+".crl.pem", "X509 CRL", l.Raw)
	return issued
}

func (s *site) pem(name, kind string, der []byte) {
	s.write(name, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})), 0o600)
}

// openssl verifies a chain with all lists, and says whether it is good.
func (s *site) openssl(leaf, root string, through, lists []string) (bool, string) {
	s.t.Helper()
	args := []string{"verify", "-attime", fmt.Sprint(s.now.Unix()), "-CAfile", root, "-crl_check_all", "-x509_strict"}
	for _, name := range through {
		args = append(args, "-untrusted", name)
	}
	for _, name := range lists {
		args = append(args, "-CRLfile", name)
	}
	cmd := exec.CommandContext(s.t.Context(), "openssl", append(args, leaf)...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	return err == nil, string(out)
}

func (s *site) certificate(name string) *pki.Certificate {
	s.t.Helper()
	c, err := pki.ParseCertificate([]byte(s.read(name)))
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// goVerifies has Go's own x509 build the path.
func (s *site) goVerifies(leaf []byte, root string, through ...string) error {
	s.t.Helper()
	parse := func(der []byte) *x509.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			s.t.Fatal(err)
		}
		return c
	}
	roots, middle := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(parse(s.certificate(root).Raw))
	for _, name := range through {
		middle.AddCert(parse(s.certificate(name).Raw))
	}
	_, err := parse(leaf).Verify(x509.VerifyOptions{Roots: roots, Intermediates: middle, CurrentTime: s.now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}

// TestOfflineRoot goes the whole way: an installation, an offline root that certifies a further issuing
// authority by request, the root's list and its revocation, judged by openssl and by Go.
func TestOfflineRoot(t *testing.T) {
	s := newSite(t)
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	s.good("ca", "ceremony", s.plan(strings.Replace(bothPlan, "keys: medium", "keys: first", 1)))
	if _, err := os.Stat(filepath.Join(s.dir, "data/vault/root_rsa.key")); err == nil {
		t.Error("a root's key lies in the online folder")
	}
	service, done := s.work()
	s.leaf(service, "first")
	done()
	s.pem("first-root.pem", "CERTIFICATE", s.certificate("first/publish/root_rsa.cer").Raw)
	s.pem("first-rsa.pem", "CERTIFICATE", s.certificate("data/trust/senim_rsa.cer").Raw)
	s.pem("first-root.crl.pem", "X509 CRL", []byte(s.read("first/publish/root_rsa.crl")))
	if ok, out := s.openssl("first.pem", "first-root.pem", []string{"first-rsa.pem"}, []string{"first-root.crl.pem", "rsa.crl.pem"}); !ok {
		t.Errorf("openssl: %s", out)
	}

	// Another root, elsewhere, takes over: its names must differ from those that are known.
	root := strings.ReplaceAll(rootPlan, "root_rsa", "root_rsa2")
	online, sign := strings.ReplaceAll(onlinePlan, "root_rsa", "root_rsa2"), strings.ReplaceAll(signPlan, "root_rsa", "root_rsa2")
	s.write("root.yaml", root, 0o600)
	s.write("online.yaml", online, 0o600)
	s.write("sign.yaml", sign, 0o600)
	if out := s.good("ca", "ceremony", "--check", "root.yaml"); !strings.Contains(out, "make root_rsa2: root, RSA") {
		t.Errorf("--check says %s", out)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "medium")); err == nil {
		t.Fatal("--check made a folder")
	}
	s.good("ca", "ceremony", "root.yaml")
	s.bad("is not empty", "ca", "ceremony", "root.yaml")
	s.bad("sign[0].request", "ca", "ceremony", "--check", "sign.yaml")
	s.good("ca", "request", "online.yaml")
	s.bad("exists", "ca", "request", "online.yaml")
	s.good("ca", "ceremony", "--check", "sign.yaml")
	if _, err := os.Stat(filepath.Join(s.dir, "medium/publish/rsa2.cer")); err == nil {
		t.Fatal("--check signed")
	}
	s.good("ca", "ceremony", "sign.yaml")
	carried := []string{"medium/publish/rsa2.cer", "medium/publish/root_rsa2.cer", "medium/publish/root_rsa2.crl"}
	take := append([]string{"ca", "install", "--data", "data", "--passphrase-file", "words.online"}, carried...)
	s.bad("compare it with the root's transcript", take...)
	sum := s.certificate("medium/publish/root_rsa2.cer").Fingerprint()
	pin := hex.EncodeToString(sum[:])
	if !strings.Contains(s.read("medium/TRANSCRIPT-2026-09-01.txt"), pin) {
		t.Error("the root's transcript does not have its fingerprint")
	}
	s.good(append(take, "--root", pin)...)
	transcript := s.read("data/TRANSCRIPT-2026-09-01.txt")
	for _, words := range []string{"participants: operator", "check rsa2: lints clean, the key opens and signs, chain of 2 to TEST ROOT (RSA)", "check rsa2_tsa_1", "every record reads back equal", "=== completed"} {
		if !strings.Contains(transcript, words) {
			t.Errorf("the transcript does not say %q", words)
		}
	}

	service, done = s.work()
	second := s.leaf(service, "second")
	done()
	if second.CA != "rsa2" {
		t.Errorf("issued by %s", second.CA)
	}
	s.pem("root.pem", "CERTIFICATE", s.certificate("medium/publish/root_rsa2.cer").Raw)
	s.pem("rsa2.pem", "CERTIFICATE", s.certificate("medium/publish/rsa2.cer").Raw)
	s.pem("root.crl.pem", "X509 CRL", []byte(s.read("medium/publish/root_rsa2.crl")))
	if ok, out := s.openssl("second.pem", "root.pem", []string{"rsa2.pem"}, []string{"root.crl.pem", "rsa2.crl.pem"}); !ok {
		t.Errorf("openssl: %s", out)
	}
	if err := s.goVerifies(second.Raw, "medium/publish/root_rsa2.cer", "medium/publish/rsa2.cer"); err != nil {
		t.Errorf("Go: %v", err)
	}

	// The root publishes a list on its day, and then revokes.
	s.now = s.now.AddDate(0, 1, 0)
	s.bad("participants[1]", "ca", "root-list", "root_rsa2", "--root", "medium", "--root-passphrase-file", "words.root", "--participant", "witness", "--participant", "witness")
	s.good("ca", "root-list", "root_rsa2", "--root", "medium", "--root-passphrase-file", "words.root", "--participant", "custodian", "--participant", "witness")
	list, err := pki.ParseRevocationList([]byte(s.read("medium/publish/root_rsa2.crl")))
	if err != nil || list.Number.Int64() != 2 || list.Len() != 0 {
		t.Fatalf("list %+v: %v", list, err)
	}
	s.write("revoke.yaml", `version: 1
title: The end of rsa2
participants: [key-custodian, witness]
root: {keys: medium, passphrase-file: words.root}
revoke:
  - by: root_rsa2
    certificate: medium/publish/rsa2.cer
    reason: cessationOfOperation
`, 0o600)
	s.good("ca", "ceremony", "revoke.yaml")
	s.bad("revoked before", "ca", "ceremony", "revoke.yaml")
	s.good("ca", "install", "--data", "data", "--passphrase-file", "words.online", "medium/publish/root_rsa2.crl")
	s.pem("root.crl.pem", "X509 CRL", []byte(s.read("medium/publish/root_rsa2.crl")))
	if ok, out := s.openssl("second.pem", "root.pem", []string{"rsa2.pem"}, []string{"root.crl.pem", "rsa2.crl.pem"}); ok || !strings.Contains(out, "revoked") {
		t.Errorf("openssl takes what a revoked authority signed: %s", out)
	}
	service, done = s.work()
	defer done()
	for _, a := range service.Authorities() {
		if a.Name == "rsa2" && !a.Retired {
			t.Error("a revoked authority is not retired")
		}
	}
}

// TestCeremonyRefusesWrongFolders: creating is not opening, and a root is apart.
func TestCeremonyRefusesWrongFolders(t *testing.T) {
	s := newSite(t)
	full := filepath.Join(s.dir, "full")
	if err := os.Mkdir(full, 0o700); err != nil {
		t.Fatal(err)
	}
	s.write("full/letters.txt", "somebody's", 0o600)
	s.write("loose", "the words of all\n", 0o644)
	plain := []string{"ca", "init", "--address", "http://pki.example.kz", "--rsa-bits", "2048"}
	with := func(more ...string) []string { return append(plain[:len(plain):len(plain)], more...) }
	apart := []string{"--participant", "a-custodian", "--participant", "witness"}
	s.bad("found letters.txt", with("--data", "full")...)
	s.bad("within each other", with(append(apart, "--data", "data", "--root", "data/root", "--root-passphrase-file", "words.root")...)...)
	s.bad("within each other", with(append(apart, "--data", "root/data", "--root", "root", "--root-passphrase-file", "words.root")...)...)
	s.bad("not kept in the online folder", with(append(apart, "--data", "data", "--root", "root", "--root-passphrase-file", "data/words")...)...)
	s.bad("passphrase of its own", with(append(apart, "--data", "data", "--passphrase-file", "words.root", "--root", "root", "--root-passphrase-file", "words.root")...)...)
	s.write("words.same", "the words of the root\n", 0o600)
	s.bad("that of the online keys", with(append(apart, "--data", "data", "--passphrase-file", "words.same", "--root", "root", "--root-passphrase-file", "words.root")...)...)
	s.bad("passphrase of its own", with(append(apart, "--data", "data", "--root", "root")...)...)
	s.bad("two at least", with("--data", "data", "--root", "root", "--root-passphrase-file", "words.root")...)
	s.bad("chmod 600", with("--data", "data", "--passphrase-file", "loose")...)
	s.bad("line 5", "ca", "ceremony", s.plan(strings.Replace(onlinePlan, "data: data", "data: none", 1)))
	s.bad("opening makes nothing", "ca", "request", s.plan(strings.Replace(onlinePlan, "data: data", "data: none", 1)))
	s.bad("opening makes nothing", "ca", "root-list", "root_rsa", "--root", "none", "--root-passphrase-file", "words.root", "--participant", "one", "--participant", "two")
	if left, err := filepath.Glob(filepath.Join(s.dir, "*")); err != nil || len(left) != 6 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func (s *site) plan(text string) string {
	s.t.Helper()
	s.write("plan.yaml", text, 0o600)
	return "plan.yaml"
}

// TestPlanMistakes has every kind of mistake refused with the line and the name of the place.
func TestPlanMistakes(t *testing.T) {
	s := newSite(t)
	for i, tt := range []struct{ from, to, want string }{
		{"version: 1", "version: 2", "line 1: version"},
		{"version: 1", "version: one", "line 1"},
		{"title: The root of the test", "title: ''", "line 2: title"},
		{"[key-custodian, witness]", "[witness]", "line 3: participants"},
		{"[key-custodian, witness]", "[key-custodian, Иван Тестов]", "line 3: participants[1]"},
		{"[key-custodian, witness]", "[witness, witness]", "line 3: participants[1]"},
		{"  keys: medium\n", "", "root.keys"},
		{"  keys: medium", "  key: medium", "line 5: field key not found"},
		{"  passphrase-file: words.root\n", "", "root.passphrase-file"},
		{"name: root_rsa\n", "name: Root RSA\n", "line 9: authorities[0].name"},
		{"name: root_rsa\n", "name: root_gost\n", "authorities[0].name"},
		{"name: root_rsa\n", "name: rsa_d\n", "line 9: authorities[0].name"},
		{"algorithm: RSA", "algorithm: DSA", "line 10: authorities[0].algorithm"},
		{"bits: 2048", "bits: 1024", "line 11: authorities[0].bits"},
		{"bits: 2048", "bits: many", "line 11"},
		{"common-name: TEST ROOT (RSA)", "common-name: ''", "line 12: authorities[0].common-name"},
		{"common-name: TEST ROOT (RSA)", "common-name: TEST ROOT (GOST)", "line 17: authorities[1].common-name"},
		{"years: 20", "years: 0", "line 13: authorities[0].years"},
		{"years: 20", "years: 41", "line 13: authorities[0].years"},
		{"years: 20", "path-length: 0", "line 13: authorities[0].path-length"},
		{"years: 20", "path-length: -1", "line 13: authorities[0].path-length"},
		{"years: 20", "policy: 1.x", "line 13: authorities[0].policy"},
		{"years: 20", "policy: 1.2.398.3.3.2.1abc", "line 13: authorities[0].policy"},
		{"years: 20", "policy: 1. 2.3", "line 13: authorities[0].policy"},
		{"years: 20", "policy: 1.+2", "line 13: authorities[0].policy"},
		{"years: 20", "policy: 9.99.1", "line 13: authorities[0].policy"},
		{"years: 20", "cps: somewhere", "line 13: authorities[0].cps"},
		{"years: 20", "follows: none", "line 13: authorities[0].follows"},
		{"years: 20", "services: [ocsp]", "line 13: authorities[0].services"},
		{"years: 20", "services: [http]", "line 13: authorities[0].services"},
		{"years: 20", "parent: none", "line 13: authorities[0].parent"},
		{"http://root.example.kz", "root.example.kz", "line 14: authorities[0].address"},
		{"    algorithm: GOST512", "    algorithm: GOST512\n    parent: root_rsa\n    path-length: 1", "authorities[1].algorithm"},
		{"    algorithm: GOST512", "    algorithm: RSA\n    bits: 2048\n    parent: root_rsa\n    address: http://x.kz", "authorities[1].parent"},
		{"authorities:", "lists: [none]\nauthorities:", "lists[0]"},
		{"authorities:", "revoke: [{by: root_rsa, serial: ab, reason: superseded}]\nauthorities:", "revoke[0].serial"},
		{"authorities:", "revoke: [{by: root_rsa, serial: '1000000000000000000000000000000000000000', reason: certificateHold}]\nauthorities:", "revoke[0].reason"},
		{"authorities:", "revoke: [{by: root_rsa, serial: '1000000000000000000000000000000000000000', reason: superseded}]\nauthorities:", "revoke[0].by"},
		{"authorities:", "sign: [{name: x}]\nauthorities:", "sign[0].request"},
		{"authorities:", "x: &a [1]\nauthorities:", "line 8"},
		{"authorities:", "title: again\nauthorities:", "line 8"},
		{"authorities:", "authorities: []\nnothing:", "line 9"},
		{rootPlan, rootPlan + "---\nversion: 1\n", "something follows"},
		{rootPlan, "", "empty"},
		{rootPlan, rootPlan + strings.Repeat("#", 64<<10), "more than"},
		{rootPlan, "[", "line 1"},
	} {
		text := strings.Replace(rootPlan, tt.from, tt.to, 1)
		if text == rootPlan {
			t.Fatalf("%q is not in the plan", tt.from)
		}
		args := []string{"ca", "ceremony", s.plan(text)}
		if i%4 == 0 {
			args = append(args, "--check")
		}
		s.bad(tt.want, args...)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "medium")); err == nil {
		t.Error("a plan with a mistake made a folder")
	}
}

// stopper ends a ceremony when a line is written.
type stopper struct {
	bytes.Buffer
	at   string
	stop func()
}

func (w *stopper) Write(b []byte) (int, error) {
	if strings.Contains(string(b), w.at) {
		w.stop()
	}
	return w.Buffer.Write(b)
}

// TestInterruptedCeremony stops a ceremony at its lines: nothing of it is opened, it says how to go on,
// and that works.
func TestInterruptedCeremony(t *testing.T) {
	s := newSite(t)
	s.write("root.yaml", rootPlan, 0o600)
	for _, line := range []string{"key root_rsa: made", "certificate root of root_rsa", "revocation list 1 of root_gost", "check root_gost"} {
		ctx, stop := context.WithCancel(t.Context())
		w := &stopper{at: line, stop: stop}
		p := &program{Args: []string{"ca", "ceremony", "root.yaml"}, Dir: s.dir, Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: w, Now: func() time.Time { return s.now }}
		if status := p.Run(ctx); status == statusGood {
			t.Fatalf("stopped at %q and good:\n%s", line, w.String())
		}
		stop()
		text := s.read("medium/TRANSCRIPT-2026-09-01.txt")
		if !strings.Contains(text, "=== FAILED") || !strings.Contains(text, "empty the folder, start again") {
			t.Errorf("stopped at %q: the transcript ends with %s", line, text[max(0, len(text)-300):])
		}
		s.bad("unfinished ceremony", "ca", "ceremony", "root.yaml")
		s.bad("opening makes nothing", "ca", "root-list", "root_rsa", "--root", "medium", "--root-passphrase-file", "words.root", "--participant", "one", "--participant", "two")
		if err := os.RemoveAll(filepath.Join(s.dir, "medium")); err != nil {
			t.Fatal(err)
		}
	}
	s.good("ca", "ceremony", "root.yaml")
	// A further act that fails names the key that it left over.
	more := strings.Replace(rootPlan[:strings.Index(rootPlan, "authorities:")], "  new: true\n", "", 1) + "authorities:\n  - {name: root_x, algorithm: GOST512, common-name: X}\n"
	s.write("more.yaml", more, 0o600)
	ctx, stop := context.WithCancel(t.Context())
	w := &stopper{at: "key root_x: made", stop: stop}
	p := &program{Args: []string{"ca", "ceremony", "more.yaml"}, Dir: s.dir, Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: w, Now: func() time.Time { return s.now }}
	if p.Run(ctx) == statusGood || !strings.Contains(w.String(), "used by nothing: root_x.key") {
		t.Errorf("%s", w.String())
	}
	stop()
	s.bad("keep key root_x", "ca", "ceremony", "more.yaml")
	if err := os.Remove(filepath.Join(s.dir, "medium/vault/root_x.key")); err != nil {
		t.Fatal(err)
	}
	s.good("ca", "ceremony", "more.yaml")
}

// TestRolloverCommand makes the next generation and has openssl and Go build paths from either root.
func TestRolloverCommand(t *testing.T) {
	s := newSite(t)
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	online := []string{"--data", "data", "--passphrase-file", "words.online"}
	root := []string{"--root", "medium", "--root-passphrase-file", "words.root", "--participant", "key-custodian", "--participant", "witness"}
	s.good("ca", "ceremony", s.plan(bothPlan))
	service, done := s.work()
	before := s.leaf(service, "before")
	done()
	s.now = s.now.AddDate(0, 2, 0)
	s.good(append(append([]string{"ca", "rollover", "rsa", "--out", "next.yaml"}, online...), root...)...)
	plan := s.read("next.yaml")
	for _, words := range []string{"name: root_rsa2", "follows: root_rsa", "name: rsa2", "ISSUING (RSA) G2"} {
		if !strings.Contains(plan, words) {
			t.Errorf("the plan does not say %q:\n%s", words, plan)
		}
	}
	s.good("ca", "ceremony", "next.yaml")
	s.bad("the name is taken", append(append([]string{"ca", "rollover", "rsa", "--same-root"}, online...), root...)...)
	service, done = s.work()
	defer done()
	after := s.leaf(service, "after")
	if err := service.Publish(t.Context(), "rsa"); err != nil {
		t.Fatal(err)
	}
	l, err := service.CRL(t.Context(), "rsa", false)
	if err != nil {
		t.Fatal(err)
	}
	s.pem("rsa.crl.pem", "X509 CRL", l.Raw)
	if before.CA != "rsa" || after.CA != "rsa2" {
		t.Errorf("issued by %s and %s", before.CA, after.CA)
	}
	var through, lists []string
	for _, name := range []string{"rsa", "rsa2", "root_rsa_by_root_rsa2", "root_rsa2_by_root_rsa"} {
		s.pem(name+".pem", "CERTIFICATE", s.certificate("data/trust/senim_"+name+".cer").Raw)
		through = append(through, name+".pem")
	}
	for _, name := range []string{"root_rsa", "root_rsa2"} {
		s.pem(name+".pem", "CERTIFICATE", s.certificate("medium/publish/"+name+".cer").Raw)
		s.good("ca", "root-list", name, "--root", "medium", "--root-passphrase-file", "words.root", "--participant", "one", "--participant", "two")
		s.pem(name+".crl.pem", "X509 CRL", []byte(s.read("medium/publish/"+name+".crl")))
		lists = append(lists, name+".crl.pem")
	}
	lists = append(lists, "rsa.crl.pem", "rsa2.crl.pem")
	for _, trusted := range []string{"root_rsa", "root_rsa2"} {
		for name, raw := range map[string][]byte{"before": before.Raw, "after": after.Raw} {
			if ok, out := s.openssl(name+".pem", trusted+".pem", through, lists); !ok {
				t.Errorf("openssl, %s from %s: %s", name, trusted, out)
			}
			err := s.goVerifies(raw, "medium/publish/"+trusted+".cer", "data/trust/senim_rsa.cer", "data/trust/senim_rsa2.cer",
				"data/trust/senim_root_rsa_by_root_rsa2.cer", "data/trust/senim_root_rsa2_by_root_rsa.cer")
			if err != nil {
				t.Errorf("Go, %s from %s: %v", name, trusted, err)
			}
		}
	}
}

// TestFirstAuthorityByRequest begins an installation with a request: the two sides never share a folder.
func TestFirstAuthorityByRequest(t *testing.T) {
	s := newSite(t)
	const gost = "algorithm: GOST512, common-name: "
	s.write("root.yaml", rootPlan[:strings.Index(rootPlan, "  - name: root_rsa")]+"  - {name: root_gost, "+gost+"ROOT}\n", 0o600)
	issuing := "name: gost, parent: root_gost, " + gost + "ISSUING, address: 'http://pki.example.kz'}\n"
	s.write("online.yaml", strings.Replace(onlinePlan[:strings.Index(onlinePlan, "  - name")], "  data:", "  new: true\n  data:", 1)+"  - {"+issuing, 0o600)
	s.write("sign.yaml", signPlan[:strings.Index(signPlan, "  - request")]+"  - {request: gost.p10, "+issuing, 0o600)
	s.good("ca", "ceremony", "root.yaml")
	s.good("ca", "request", "online.yaml")
	s.good("ca", "ceremony", "sign.yaml")
	sum := s.certificate("medium/publish/root_gost.cer").Fingerprint()
	s.good("ca", "install", "--data", "data", "--passphrase-file", "words.online", "--root", hex.EncodeToString(sum[:]),
		"medium/publish/gost.cer", "medium/publish/root_gost.cer", "medium/publish/root_gost.crl")
	service, done := s.work()
	defer done()
	if err := service.Tend(t.Context()); err != nil {
		t.Error(err)
	}
	if all := service.Authorities(); len(all) != 2 || !all[0].Issuing || all[1].Issuing {
		t.Errorf("%+v", all)
	}
}

// TestInit makes the plain installation in one folder; a root kept there publishes at once.
func TestInit(t *testing.T) {
	s := newSite(t)
	s.good("ca", "init", "--data", "data", "--passphrase-file", "words.online", "--address", "http://pki.example.kz", "--rsa-bits", "2048")
	s.bad("are made once", "ca", "init", "--data", "data", "--passphrase-file", "words.online", "--address", "http://pki.example.kz", "--rsa-bits", "2048")
	service, done := s.work()
	defer done()
	if all := service.Authorities(); len(all) != 4 {
		t.Errorf("%d authorities", len(all))
	}
	s.good("ca", "root-list", "root_gost", "--data", "data", "--passphrase-file", "words.online", "--participant", "operator")
	if l, err := service.CRL(t.Context(), "root_gost", false); err != nil || l.Number != 2 {
		t.Errorf("list %+v: %v", l, err)
	}
}

// TestShares divides the root's passphrase, and its ceremony is opened by three of five.
func TestShares(t *testing.T) {
	s := newSite(t)
	s.write("root.yaml", rootPlan[:strings.Index(rootPlan, "  - name: root_rsa")]+"  - {name: root_gost, algorithm: GOST512, common-name: ROOT}\n", 0o600)
	s.good("ca", "ceremony", "root.yaml")
	files := strings.Fields(s.good("ca", "split", "words.root", "--shares", "5", "--threshold", "3", "--out", "."))
	others := strings.Fields(s.good("ca", "split", "words.root", "--shares", "5", "--threshold", "3", "--out", "."))
	if len(files) != 5 || len(others) != 5 {
		t.Fatalf("%v %v", files, others)
	}
	for _, name := range files {
		if info, err := os.Stat(filepath.Join(s.dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", name, err)
		}
	}
	printed := s.good("ca", "split", "words.root", "--shares", "3", "--threshold", "2")
	if strings.Count(printed, "SENIM-SHARE-1-") != 3 || strings.Contains(printed, "words") {
		t.Errorf("printed %s", printed)
	}
	s.good("ca", "combine", files[0], files[2], files[4])
	s.bad("too few shares", "ca", "combine", files[0], files[1])
	s.bad("different sets", "ca", "combine", files[0], files[1], others[2])
	damaged := s.read(files[3])
	end := "AA\n"
	if damaged[len(damaged)-3] == 'A' {
		end = "BA\n"
	}
	s.write("damaged.txt", damaged[:len(damaged)-3]+end, 0o600)
	s.bad("damaged.txt", "ca", "combine", files[0], files[1], "damaged.txt")
	s.good("ca", "combine", files[1], files[2], files[3], files[4], "--out", "again")
	if s.read("again") != s.read("words.root") {
		t.Error("another passphrase came back")
	}
	for _, wrong := range [][]string{{"--shares", "5", "--threshold", "1"}, {"--shares", "2", "--threshold", "3"}, {"--shares", "99", "--threshold", "3"}} {
		s.bad("split", append([]string{"ca", "split", "words.root"}, wrong...)...)
	}
	if err := os.Remove(filepath.Join(s.dir, "words.root")); err != nil {
		t.Fatal(err)
	}
	list := []string{"ca", "root-list", "root_gost", "--root", "medium", "--root-passphrase-file", "words.root", "--participant", "one", "--participant", "two"}
	s.bad("no such file", list...)
	s.bad("too few", append(list, "--root-share", files[0], "--root-share", files[1])...)
	s.good(append(list, "--root-share", files[0], "--root-share", files[1], "--root-share", files[4])...)
}

//go:build !race

// New key files are millions of rounds of a key derivation; tools/test.sh runs these tests without the race detector.

package main

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"senim/cms"
	"senim/internal/agent"
	"senim/internal/lang"
	"senim/internal/robot"
	"senim/internal/store/storetest"
	"senim/internal/web"
	"senim/pfx"
)

// A person renews with the agent at a whole server, on both engines: the new key's first signature is kept, stamped, with the
// responder's answer, and `senim verify` finds it good by the files of the archive alone.
func TestFirstSignatureVerifies(t *testing.T) {
	if testing.Short() {
		t.Skip("builds senim")
	}
	senim := filepath.Join(t.TempDir(), "senim")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", senim, "senim/cmd/senim").CombinedOutput(); err != nil {
		t.Fatalf("build senim: %v\n%s", err, out)
	}
	for name, flags := range map[string]func(t *testing.T) []string{
		"sqlite":   func(*testing.T) []string { return nil },
		"postgres": func(t *testing.T) []string { return []string{"-db", storetest.PostgresURL(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			s := mustOpen(t, t.TempDir(), append(flags(t), "-second_factor.kinds", "none")...)
			t.Cleanup(s.close)
			served(t, s)
			who := s.people[0]
			for _, p := range s.people { // the one whose key ends soon
				if p.IIN == "123456789013" {
					who = p
				}
			}
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			folder := t.TempDir()
			old, err := os.ReadFile(filepath.Join(s.c.data, who.Keys["personal"]))
			if err != nil {
				old, err = os.ReadFile(who.Keys["personal"])
			}
			must(err)
			must(os.WriteFile(filepath.Join(folder, filepath.Base(who.Keys["personal"])), old, 0o600))
			windows := make(chan string, 4)
			at, err := agent.New(agent.Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Folders: []string{folder}, Pool: s.trust.Pool, OldKeyFiles: true,
				Cabinet: s.c.cabinet.origin, Browser: func(url string) (func(), error) { windows <- url; return nil, nil }})
			must(err)
			acted := make(chan error, 1)
			go func() {
				acted <- robot.NewAgent("", windows).Window(t.Context(), robot.Choice{Password: who.Password, NewPassword: "Novoe42"}, nil)
			}()
			done, ok, err := at.Renew(t.Context(), lang.RU)
			must(<-acted)
			if must(err); !ok || done.Done != 1 {
				t.Fatalf("renewed %+v", done)
			}

			var key *pfx.File
			files, err := filepath.Glob(filepath.Join(folder, "*.p12"))
			must(err)
			for _, f := range files {
				content, err := os.ReadFile(f)
				must(err)
				if k, err := pfx.Decode(content, "Novoe42"); err == nil {
					key = k
				}
			}
			if key == nil {
				t.Fatalf("no new key among %v", files)
			}
			jar, err := cookiejar.New(nil)
			must(err)
			c := &http.Client{Jar: jar}
			ask := func(method, path string, form url.Values) []byte {
				t.Helper()
				req, err := http.NewRequestWithContext(t.Context(), method, s.c.cabinet.origin+path, strings.NewReader(form.Encode()))
				must(err)
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				res, err := c.Do(req)
				must(err)
				defer res.Body.Close()
				b, err := io.ReadAll(res.Body)
				if must(err); res.StatusCode != http.StatusOK {
					t.Fatalf("%s: %s\n%s", path, res.Status, b)
				}
				return b
			}
			var challenge struct{ Challenge []byte }
			must(json.Unmarshal(ask("POST", "/api/renewals/challenge", nil), &challenge))
			signed, err := cms.Sign(rand.Reader, cms.Options{Key: key.Key, Certificate: key.Certificate, Content: challenge.Challenge, Detached: true, SigningTime: time.Now()})
			must(err)
			answer, err := json.Marshal([]string{base64.StdEncoding.EncodeToString(signed)})
			must(err)
			ask("POST", "/api/renewals/signin", url.Values{"answer": {string(answer)}})
			application := regexp.MustCompile(`/applications/\d{12}`).Find(ask("GET", "/applications", nil))
			if application == nil {
				t.Fatal("no application is listed")
			}

			// The time-stamp and the answer come by a job.
			dir, trusted := "", t.TempDir()
			again := time.NewTicker(50 * time.Millisecond)
			defer again.Stop()
			for deadline := time.Now().Add(time.Minute); ; <-again.C {
				raw := ask("GET", string(application)+"/first/"+key.Certificate.SerialHex(), nil)
				z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
				must(err)
				dir = t.TempDir()
				must(os.CopyFS(dir, z))
				if _, err := os.Stat(filepath.Join(dir, "answer-1.ocsp")); err == nil {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("no proof was gathered")
				}
			}
			for _, a := range s.ca.Authorities() {
				must(os.WriteFile(filepath.Join(trusted, a.Name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate.Raw}), 0o600))
			}
			raw, err := os.ReadFile(filepath.Join(dir, web.VerifyFile))
			must(err)
			words := strings.Fields(strings.Replace(string(raw), "AUTHORITIES", trusted, 1))
			verify := func(want int, at time.Time) {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), senim, append([]string{"verify", "--at", at.UTC().Format(time.RFC3339)}, words[2:]...)...)
				cmd.Dir = dir
				out, _ := cmd.CombinedOutput()
				if got := cmd.ProcessState.ExitCode(); got != want {
					t.Errorf("%v as of %v exits with %d, want %d\n%s", words, at, got, want, out)
				}
			}
			verify(0, time.Now().Add(time.Hour))
			text, err := os.ReadFile(filepath.Join(dir, web.ContentFile))
			must(err)
			if !strings.Contains(string(text), "purpose: install-keys\n") || !strings.Contains(string(text), "origin: "+s.c.cabinet.origin+"\n") {
				t.Errorf("%s", text)
			}
			must(os.WriteFile(filepath.Join(dir, web.ContentFile), append(text, '\n'), 0o600))
			verify(1, time.Now().Add(time.Hour))
		})
	}
}

package setup

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"senim/internal/agent"
)

// chromiumAt runs a headless browser whose home is the machine's.
func chromiumAt(t *testing.T, m *Machine, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on this machine: the browser test did not run")
	}
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(filepath.Join(t.TempDir(), "profile")), chromedp.Env("HOME="+m.Home),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewExecAllocator(ctx, append(opts, flags...)...)
	t.Cleanup(end)
	ctx, done := chromedp.NewContext(ctx)
	t.Cleanup(done)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return ctx
}

// leaf is a certificate of the machine's authority for names of our choice.
func (m *Machine) leaf(t *testing.T, names []string, ips ...net.IP) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(m.Data, agent.AuthorityFile), filepath.Join(m.Data, agent.AuthorityKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: names, IPAddresses: ips,
	}, pair.Leaf, key.Public(), pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// served is a TLS server that tells how each visit ended: with the page fetched, or with the
// certificate refused.
func served(t *testing.T, cert tls.Certificate) (port string, ends chan string) {
	t.Helper()
	ends = make(chan string, 16)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		ended(ends, "fetched")
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>reached</title>"))
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = log.New(complaints{ends}, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, ends
}

func ended(ends chan string, how string) {
	select {
	case ends <- how:
	default:
	}
}

// complaints hears the server complain of a handshake.
type complaints struct{ ends chan string }

func (e complaints) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "certificate") {
		ended(e.ends, "refused")
	}
	return len(b), nil
}

// TestPain03Chromium: Chromium refuses the agent's certificate before installing and takes it after;
// what the authority signs for another site it refuses all the same.
func TestPain03Chromium(t *testing.T) {
	certutil(t)
	m := machine(t)
	address := running(t, m)
	evil, _ := served(t, m.leaf(t, []string{"egov.kz"}))
	visit := func(ctx context.Context, url string) error {
		return chromedp.Do(ctx, chromedp.Navigate(url))
	}
	before, end := context.WithCancel(chromiumAt(t, m))
	if err := visit(before, "https://"+address+"/"); err == nil || !strings.Contains(err.Error(), "ERR_CERT_AUTHORITY_INVALID") {
		t.Errorf("before: %v", err)
	}
	end()
	if err := Put(t.Context(), m.ownStores(), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	after := chromiumAt(t, m, chromedp.Flag("host-resolver-rules", "MAP egov.kz 127.0.0.1"))
	for _, url := range []string{"https://" + address + "/", "https://localhost:" + address[strings.LastIndex(address, ":")+1:] + "/"} {
		if err := visit(after, url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	if err := visit(after, "https://egov.kz:"+evil+"/"); err == nil || !strings.Contains(err.Error(), "ERR_CERT") {
		t.Errorf("a certificate for another site: %v", err)
	}
}

// TestPain03ChromiumInUse: a profile that was used before installing trusts the agent after, and no more once it is taken
// away.
func TestPain03ChromiumInUse(t *testing.T) {
	certutil(t)
	m := machine(t)
	address := running(t, m)
	dir := filepath.Join(m.Config, "chromium")
	profile := chromedp.UserDataDir(dir)
	visit := func() error {
		ctx, end := context.WithCancel(chromiumAt(t, m, profile))
		defer end()
		err := chromedp.Do(ctx, chromedp.Navigate("https://"+address+"/"))
		if closed := chromedp.Cancel(ctx); closed != nil {
			t.Log(closed)
		}
		return err
	}
	if err := visit(); err == nil || !strings.Contains(err.Error(), "ERR_CERT_AUTHORITY_INVALID") {
		t.Errorf("before: %v", err)
	}
	if err := Put(t.Context(), m.ownStores(), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	if err := visit(); err != nil {
		t.Errorf("after: %v", err)
	}
	// A person may tell the browser to leave such certificates alone: it does, and the doctor says so.
	preferences := filepath.Join(dir, "Default", "Preferences")
	b, err := os.ReadFile(preferences)
	all := map[string]any{}
	if err = errors.Join(err, json.Unmarshal(b, &all)); err != nil {
		t.Fatal(err)
	}
	all["certificates"] = map[string]any{"ca_platform_integration_enabled": false}
	if b, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	write(t, preferences, string(b))
	if err := visit(); err == nil || !strings.Contains(err.Error(), "ERR_CERT_AUTHORITY_INVALID") {
		t.Errorf("told not to: %v", err)
	}
	finds(t, m.lookBrowsers(), "chromium-roots-off", Bad, preferences)
	delete(all, "certificates")
	if b, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	write(t, preferences, string(b))
	lacks(t, m.lookBrowsers(), "chromium-roots-off")
	if err := Take(t.Context(), m.ownStores(), quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	if err := visit(); err == nil || !strings.Contains(err.Error(), "ERR_CERT_AUTHORITY_INVALID") {
		t.Errorf("taken away: %v", err)
	}
}

// TestPain03Firefox: the same with Firefox. It starts four times, so it runs when asked for.
func TestPain03Firefox(t *testing.T) {
	certutil(t)
	firefox, err := exec.LookPath("firefox-esr")
	if err != nil {
		firefox, err = exec.LookPath("firefox")
	}
	if err != nil || os.Getenv("SENIM_LONG") == "" {
		t.Skip("needs Firefox and SENIM_LONG=1")
	}
	m := machine(t)
	dir := m.profile(t, ".mozilla/firefox/a.default")
	good, ends := served(t, m.leaf(t, []string{"localhost"}, net.IPv4(127, 0, 0, 1)))
	evil, stolen := served(t, m.leaf(t, []string{"egov.localhost.kz"}))
	write(t, filepath.Join(dir, "user.js"), `user_pref("network.dns.localDomains", "egov.localhost.kz");`+"\n"+`user_pref("browser.shell.checkDefaultBrowser", false);`+"\n")
	visit := func(url string, ends chan string) string {
		for len(ends) > 0 {
			<-ends
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := exec.CommandContext(ctx, firefox, "--headless", "--no-remote", "--profile", dir, "--screenshot", filepath.Join(t.TempDir(), "x.png"), url)
		c.Env = append(os.Environ(), "HOME="+m.Home)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { cancel(); _ = c.Wait() }()
		select {
		case how := <-ends:
			return how
		case <-ctx.Done():
			return "nothing"
		}
	}
	if got := visit("https://127.0.0.1:"+good+"/", ends); got != "refused" {
		t.Errorf("before installing: %s", got)
	}
	if err := Put(t.Context(), m.ownStores(), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	if got := visit("https://127.0.0.1:"+good+"/", ends); got != "fetched" {
		t.Errorf("after installing: %s", got)
	}
	if got := visit("https://egov.localhost.kz:"+evil+"/", stolen); got != "refused" {
		t.Errorf("a certificate for another site: %s", got)
	}
	// What the tool put, it takes away: a Firefox that used it made no note of its own.
	if err := Take(t.Context(), m.ownStores(), quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	if got := visit("https://127.0.0.1:"+good+"/", ends); got != "refused" {
		t.Errorf("taken away: %s", got)
	}
}

// TestPain04Permission: a page of the public internet reaches the agent when the browser lets it and
// not when the person said no; the page tells "denied" from "not running".
func TestPain04Permission(t *testing.T) {
	certutil(t)
	m := machine(t)
	if err := Put(t.Context(), m.ownStores(), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	address := running(t, m)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>portal</title>"))
	}))
	defer page.Close()
	at := strings.TrimPrefix(page.URL, "http://")
	const script = `(async () => {
		const state = (await navigator.permissions.query({name: "loopback-network"})).state;
		const greeting = await new Promise(done => {
			const s = new WebSocket("wss://ADDRESS/");
			s.onmessage = e => done(e.data);
			s.onerror = () => done("error");
		});
		return state + " " + greeting;
	})()`
	ctx := chromiumAt(t, m, chromedp.Flag("ip-address-space-overrides", at+"=public"))
	for _, c := range []struct{ setting, want string }{{"granted", `granted {"result":{"version":"1.4"}}`}, {"denied", "denied error"}} {
		got := ""
		err := chromedp.Do(ctx,
			chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				_, err := chromedp.Call(ctx, browser.SetPermission, browser.SetPermissionParams{
					Permission: &browser.PermissionDescriptor{Name: "loopback-network"}, Setting: browser.PermissionSetting(c.setting), Origin: page.URL,
				})
				return err
			}),
			chromedp.Navigate(page.URL+"/"),
			chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				answer, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{
					Expression: strings.ReplaceAll(script, "ADDRESS", address), AwaitPromise: new(true), ReturnByValue: new(true),
				})
				if err == nil {
					err = json.Unmarshal(answer.Result.Value, &got)
				}
				return err
			}))
		if err != nil {
			t.Fatalf("%s: %v", c.setting, err)
		}
		if got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

package setup

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"senim/internal/agent"
	"senim/internal/lang"
)

// running starts an agent over the machine's data.
func running(t *testing.T, m *Machine) string {
	t.Helper()
	return runningAt(t, m, "127.0.0.1:0")
}

func runningAt(t *testing.T, m *Machine, listen string) string {
	t.Helper()
	a, err := agent.New(agent.Config{Listen: listen, Data: m.Data, Version: "1.2.3", Browser: func(string) (func(), error) { return nil, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return a.Addr()
}

// sockets is a program that answers upgrades in its own way.
func sockets(t *testing.T, greeting string, answer func(request string) string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		if c.Write(r.Context(), websocket.MessageText, []byte(greeting)) != nil {
			return
		}
		_, b, err := c.Read(r.Context())
		if err == nil {
			_ = c.Write(r.Context(), websocket.MessageText, []byte(answer(string(b))))
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func ids(found []Finding) string {
	var list []string
	for _, f := range found {
		list = append(list, f.ID)
	}
	return strings.Join(list, " ")
}

// TestPain15FourCauses: what pages show as one "start the program" has four causes, and the doctor names each.
func TestPain15FourCauses(t *testing.T) {
	certutil(t)
	m := machine(t)
	ctx := t.Context()

	// 1. Nothing runs.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := ids(m.Agent(ctx, Question{free, "1.2.3"})); got != "agent-absent" {
		t.Errorf("nothing runs: %s", got)
	}

	// 2. It runs, and the browser does not trust it.
	q := Question{running(t, m), "1.2.3"}
	found := m.Doctor(ctx, q)
	if found[0].ID != "store-absent" || found[0].Level != Bad || Sound(found) {
		t.Errorf("not trusted: %+v", found)
	}
	if err := m.Repair(ctx, quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	if found = m.Doctor(ctx, q); !Sound(found) {
		t.Errorf("repaired: %+v", found)
	}

	// 3. The browser was told once to keep the site away.
	write(t, filepath.Join(m.Config, "google-chrome/Profile 1/Preferences"),
		`{"profile":{"content_settings":{"exceptions":{"local_network_access":{"https://zakup.gov.kz:443,*":{"setting":2},"https://egov.kz:443,*":{"setting":1}},"loopback_network":{"https://[*.]salyk.kz:443,*":{"setting":2}}}}}}`)
	found = m.Doctor(ctx, q)
	if found[0].ID != "permission" || !strings.Contains(found[0].Found(lang.EN), "zakup.gov.kz") || strings.Contains(found[0].Found(lang.EN), "egov.kz") || !strings.Contains(found[0].Found(lang.EN), "salyk.kz") {
		t.Errorf("denied: %+v", found[0])
	}

	// 4. Another program has the port.
	other := sockets(t, `{"result":{"version":"1.3"}}`, func(string) string { return `{"success":false,"errorCode":"MODULE_NOT_FOUND"}` })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := m.Agent(ctx, Question{other, "1.2.3"})[0]
	if f.ID != "port-taken" || !strings.Contains(f.Found(lang.RU), filepath.Base(self)) || !strings.Contains(f.Found(lang.RU), strconv.Itoa(os.Getpid())) {
		t.Errorf("another program: %s", f.Found(lang.RU))
	}
}

// TestLocalhostTaken: another program on ::1 with the agent's port is told; one that is not there is not.
func TestLocalhostTaken(t *testing.T) {
	m := machine(t)
	var six net.Listener
	var address string
	for range 20 { // until the same port is free on both
		l, err := net.Listen("tcp6", "[::1]:0")
		if err != nil {
			t.Skip(err)
		}
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		address = net.JoinHostPort("127.0.0.1", port)
		if four, err := net.Listen("tcp", address); err == nil {
			six = l
			if err := four.Close(); err != nil {
				t.Fatal(err)
			}
			break
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if six == nil {
		t.Skip("no port is free on both addresses")
	}
	go func() {
		for {
			c, err := six.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	q := Question{runningAt(t, m, address), "1.2.3"}
	if got := ids(m.Agent(t.Context(), q)); !strings.Contains(got, "agent-runs") || !strings.Contains(got, "localhost-taken") {
		t.Errorf("%s", got)
	}
	if err := six.Close(); err != nil {
		t.Fatal(err)
	}
	if got := ids(m.Agent(t.Context(), q)); strings.Contains(got, "localhost-taken") {
		t.Errorf("%s", got)
	}
}

// ending puts an authority of ours in the place of the machine's, with so much left of it.
func ending(t *testing.T, m *Machine, left time.Duration) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := m.authority()
	if err != nil {
		t.Fatal(err)
	}
	template := *cert
	template.NotBefore, template.NotAfter = time.Now().Add(-24*time.Hour), time.Now().Add(left)
	template.AuthorityKeyId, template.SubjectKeyId, template.PublicKey = nil, nil, nil
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(m.Data, agent.AuthorityKeyFile), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	write(t, filepath.Join(m.Data, agent.AuthorityFile), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

// TestAuthorityRenewed: before its end the authority is made anew by what the doctor is told to repair, and every
// browser's store has the new one, and it alone; until then nothing changes.
func TestAuthorityRenewed(t *testing.T) {
	certutil(t)
	m := machine(t)
	m.profile(t, ".pki/nssdb")
	m.profile(t, ".mozilla/firefox/a.default")
	for _, c := range []struct {
		left    time.Duration
		renewed bool
	}{{agent.AuthorityRenew + time.Hour, false}, {agent.AuthorityRenew - time.Minute, true}, {time.Minute, true}} {
		ending(t, m, c.left)
		if err := m.Repair(t.Context(), quiet(t, Present)); err != nil {
			t.Fatal(err)
		}
		before, err := m.authority()
		if err != nil {
			t.Fatal(err)
		}
		renewed, err := agent.RenewAuthority(m.Data)
		if err != nil || renewed != c.renewed {
			t.Fatalf("%v left: %v %v", c.left, renewed, err)
		}
		after, err := m.authority()
		if err != nil || after.Equal(before) == renewed || renewed && time.Until(after.NotAfter) < 9*365*24*time.Hour {
			t.Fatalf("%v left: %v", c.left, err)
		}
		if found := ids(m.lookStores(t.Context())); strings.Contains(found, "store-old") != renewed {
			t.Errorf("%v left: %s", c.left, found)
		}
		if err := m.Repair(t.Context(), quiet(t, Present)); err != nil {
			t.Fatal(err)
		}
		if found := ids(m.lookStores(t.Context())); strings.Contains(found, "store-") {
			t.Errorf("%v left, repaired: %s", c.left, found)
		}
	}
}

// TestDoctorFinds breaks one thing at a time.
func TestDoctorFinds(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes no call
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer refusing.Close()
	elsewhere := machine(t)
	for _, c := range []struct {
		want  string
		level Level
		do    func(t *testing.T, m *Machine) []Finding
	}{
		{"agent-old", Warning, func(t *testing.T, m *Machine) []Finding {
			return m.Agent(t.Context(), Question{running(t, m), "9"})
		}},
		{"tls-bad", Bad, func(t *testing.T, m *Machine) []Finding {
			return m.Agent(t.Context(), Question{running(t, elsewhere), "1.2.3"})
		}},
		{"agent-refuses", Bad, func(t *testing.T, m *Machine) []Finding {
			return m.Agent(t.Context(), Question{refusing.Listener.Addr().String(), ""})
		}},
		{"port-taken", Bad, func(t *testing.T, m *Machine) []Finding {
			return m.Agent(t.Context(), Question{sockets(t, "hello", func(string) string { return "" }), ""})
		}},
		{"port-taken", Bad, func(t *testing.T, m *Machine) []Finding {
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // as after the three seconds of waiting
			return m.Agent(ctx, Question{silent.Addr().String(), ""})
		}},
		{"authority-absent", Bad, func(t *testing.T, m *Machine) []Finding {
			m.Data = t.TempDir()
			return m.lookAuthority()
		}},
		{"authority-broken", Bad, func(t *testing.T, m *Machine) []Finding {
			write(t, filepath.Join(m.Data, agent.AuthorityFile), "x")
			return m.lookAuthority()
		}},
		{"authority-broken", Bad, func(t *testing.T, m *Machine) []Finding {
			b, err := os.ReadFile(filepath.Join(elsewhere.Data, agent.AuthorityKeyFile))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(m.Data, agent.AuthorityKeyFile), string(b)) // another machine's key
			return m.lookAuthority()
		}},
		{"authority-expired", Bad, func(t *testing.T, m *Machine) []Finding {
			ending(t, m, -time.Minute)
			return m.lookAuthority()
		}},
		{"authority-ends", Warning, func(t *testing.T, m *Machine) []Finding {
			ending(t, m, agent.AuthorityRenew-time.Minute)
			return m.lookAuthority()
		}},
		{"authority", Good, func(t *testing.T, m *Machine) []Finding {
			ending(t, m, agent.AuthorityRenew+time.Hour)
			return m.lookAuthority()
		}},
		{"broken-settings", Warning, func(t *testing.T, m *Machine) []Finding {
			m.Data = t.TempDir()
			write(t, filepath.Join(m.Data, "settings.json.broken"), "{")
			return m.lookBroken()
		}},
		{"broken-remembered", Warning, func(t *testing.T, m *Machine) []Finding {
			m.Data = t.TempDir()
			write(t, filepath.Join(m.Data, "remembered.json"), "{")
			return m.lookBroken()
		}},
		{"broken-pending", Warning, func(t *testing.T, m *Machine) []Finding {
			m.Data = t.TempDir()
			write(t, filepath.Join(m.Data, "pending/pending.json.broken-2"), "{")
			return m.lookBroken()
		}},
		{"broken-authority", Warning, func(t *testing.T, m *Machine) []Finding {
			m.Data = t.TempDir()
			write(t, filepath.Join(m.Data, "authority.key.broken"), "{")
			return m.lookBroken()
		}},
		{"data-open", Bad, func(t *testing.T, m *Machine) []Finding {
			unix(t)
			if err := os.Chmod(filepath.Join(m.Data, agent.AuthorityKeyFile), 0o640); err != nil {
				t.Fatal(err)
			}
			return m.lookAuthority()
		}},
		{"permission-all", Bad, func(t *testing.T, m *Machine) []Finding {
			write(t, filepath.Join(m.Config, "chromium/Default/Preferences"), `{"profile":{"default_content_setting_values":{"loopback_network":2}}}`)
			return m.lookBrowsers()
		}},
		{"permission-unknown", Unsure, func(t *testing.T, m *Machine) []Finding {
			write(t, filepath.Join(m.Config, "chromium/Default/Preferences"), `{"profile":`)
			return m.lookBrowsers()
		}},
		{"policy-blocks", Bad, func(t *testing.T, m *Machine) []Finding {
			write(t, m.path("/etc/opt/chrome/policies/managed/x.json"), `{"LocalNetworkAccessBlockedForUrls":["[*.]kz"]}`)
			return m.lookBrowsers()
		}},
		{"chromium-policy-off", Bad, func(t *testing.T, m *Machine) []Finding {
			write(t, m.path("/etc/opt/yandex/browser/policies/managed/x.json"), `{"CAPlatformIntegrationEnabled":false}`)
			return m.lookBrowsers()
		}},
		{"no-browser", Bad, func(_ *testing.T, m *Machine) []Finding {
			m.Find = func(string) (string, error) { return "", exec.ErrNotFound }
			return m.lookBrowsers()
		}},
		{"autostart-absent", Warning, func(t *testing.T, m *Machine) []Finding { return m.lookStart(t.Context()) }},
		{"autostart-old", Warning, func(t *testing.T, m *Machine) []Finding {
			wanted, _ := m.starts()
			if err := wanted[0].Put(t.Context()); err != nil {
				t.Fatal(err)
			}
			m.Program = "/moved/senim-agent"
			return m.lookStart(t.Context())
		}},
		{"autostart", Good, func(t *testing.T, m *Machine) []Finding {
			wanted, _ := m.starts()
			if err := wanted[0].Put(t.Context()); err != nil {
				t.Fatal(err)
			}
			return m.lookStart(t.Context())
		}},
		{"record-broken", Warning, func(t *testing.T, m *Machine) []Finding {
			write(t, m.recordPath(), "x")
			return m.lookStart(t.Context())
		}},
		{"rival", Warning, func(t *testing.T, m *Machine) []Finding {
			write(t, m.path("/etc/xdg/autostart/NCALayer.desktop"), "")
			return m.lookStart(t.Context())
		}},
		{"proxy", Warning, func(t *testing.T, m *Machine) []Finding {
			t.Setenv("HTTPS_PROXY", "http://u:secret@proxy")
			t.Setenv("no_proxy", "")
			t.Setenv("NO_PROXY", "")
			return m.lookNetwork(t.Context())
		}},
	} {
		t.Run(c.want, func(t *testing.T) {
			m := machine(t)
			found := c.do(t, m)
			i := slices.IndexFunc(found, func(f Finding) bool { return f.ID == c.want })
			if i < 0 || found[i].Level != c.level {
				t.Fatalf("%s, want %s %s", ids(found), c.level, c.want)
			}
			b, err := json.Marshal(found)
			if err != nil || strings.Contains(string(b), "secret") || strings.Contains(found[i].Found(lang.RU), "secret") {
				t.Errorf("%s %v", b, err)
			}
		})
	}
}

// TestDoctorSpeaks: every finding in the code has its texts in every language, and a remedy unless it is good.
func TestDoctorSpeaks(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	speaks := func(id string) {
		if !lang.Has("setup.found." + id) {
			t.Errorf("%s: nothing to say", id)
		}
		if good := []string{"agent-runs", "authority", "store", "store-policy", "autostart", "policy-allows", "browser-shows"}; !slices.Contains(good, id) && !lang.Has("setup.do."+id) {
			t.Errorf("%s: nothing to do", id)
		}
	}
	for _, id := range troubleIDs {
		speaks(id)
	}
	seen := len(troubleIDs)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		check := func(e ast.Expr) {
			lit, ok := e.(*ast.BasicLit)
			if !ok {
				return
			}
			id, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			speaks(id)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if k, ok := n.Key.(*ast.Ident); ok && k.Name == "ID" {
					check(n.Value)
				}
			case *ast.AssignStmt:
				if s, ok := n.Lhs[0].(*ast.SelectorExpr); ok && s.Sel.Name == "ID" {
					check(n.Rhs[0])
				}
			}
			return true
		})
	}
	if seen < 30 {
		t.Errorf("only %d findings were seen", seen)
	}
	for _, p := range append(machine(t).Own(), firefoxPolicy{}, bundle{}, policyFile{}, policyKey{}, rootStore{}, keychain{&Machine{}}, macProfile{}) {
		if !lang.Has("setup.part." + p.Kind()) {
			t.Errorf("%s has no name", p.Kind())
		}
	}
	// What a text asks for is given: no {name} is left in what people read.
	var b strings.Builder
	for _, tag := range lang.All() {
		if err := Report(&b, tag, []Finding{PortTaken(1), {ID: "permission", Level: Bad, Where: "p", Vars: []any{"sites", "a.kz"}}, {ID: "agent-old", Level: Warning, Vars: []any{"version", "1", "here", "2"}}}); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(b.String(), "{") || strings.Contains(b.String(), "[setup.") {
		t.Errorf("%s", b.String())
	}
}

// TestServedName: the leaf is for loopback names and short-lived enough for browsers.
func TestServedName(t *testing.T) {
	m := machine(t)
	if err := m.Served(t.Context(), running(t, m)); err != nil {
		t.Error(err)
	}
	cert, err := m.authority()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := cert.PublicKey.(*ecdsa.PublicKey); !ok || cert.NotAfter.Sub(cert.NotBefore).Hours() > 10*366*24 {
		t.Errorf("%v until %v", cert.PublicKeyAlgorithm, cert.NotAfter)
	}
}

// TestWorks: an agent is told by what it has of a folder, also when its authority is over; of another folder, or of none, it is not.
func TestWorks(t *testing.T) {
	m, other, none := machine(t), machine(t), machine(t)
	address := running(t, m)
	none.Data = filepath.Join(t.TempDir(), "none")
	if !m.Works(t.Context(), address) || other.Works(t.Context(), address) || none.Works(t.Context(), address) {
		t.Errorf("its own: %v, another: %v, none: %v", m.Works(t.Context(), address), other.Works(t.Context(), address), none.Works(t.Context(), address))
	}
	over := machine(t)
	ending(t, over, -time.Minute)
	address = running(t, over)
	if err := over.Served(t.Context(), address); err == nil {
		t.Error("a browser would connect")
	}
	if !over.Works(t.Context(), address) || m.Works(t.Context(), address) {
		t.Error("with an authority that is over it is not known, or taken for another")
	}
}

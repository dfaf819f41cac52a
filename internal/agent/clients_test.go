package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"senim/internal/headless"
	"senim/internal/pkitest"
)

// packages installs the clients of a list in testdata, other people's, into the checkout's own cache, once for all runs, and gives the folder.
func packages(t *testing.T, list string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("short: other people's clients did not run")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("no npm on this machine: other people's clients did not run")
	}
	cache, err := filepath.Abs(filepath.Join("..", "..", ".cache"))
	if err != nil {
		t.Fatal(err)
	}
	sum, content := sha256.New(), map[string]string{}
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := os.ReadFile(filepath.Join("testdata", list, name))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = sum.Write(b)
		content[name] = string(b)
	}
	dir := filepath.Join(cache, "clients", hex.EncodeToString(sum.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	made, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(made) }() // gone when it was installed
	for name, text := range content {
		write(t, filepath.Join(made, name), text)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", filepath.Join(cache, "npm"))
	c.Dir = made
	if out, err := c.CombinedOutput(); err != nil {
		t.Skipf("npm cannot install other people's clients, they did not run: %v: %.300s", err, out)
	}
	if err := os.Rename(made, dir); err != nil {
		if _, err := os.Stat(dir); err != nil { // else another run was faster
			t.Fatal(err)
		}
	}
	return dir
}

// player is a page or a program with somebody else's client in it: see testdata/npm/driver.js.
type player struct {
	*bench
	pages *httptest.Server
	next  chan string
	done  chan played
}

// played is what came of one expression.
type played struct {
	Value    json.RawMessage
	Error    string
	Canceled bool
}

// today brings an agent that lives now, as programs beside it do, and knows a time-stamping authority.
func today(t *testing.T, more ...func(*Config)) *bench {
	t.Helper()
	authority := pkitest.New(t, pkitest.Config{Now: time.Now()})
	service := &stamper{signer: authority.TSA()}
	service.Server = httptest.NewServer(http.HandlerFunc(service.answer))
	t.Cleanup(service.Close)
	b := bring(t, append(more, func(c *Config) {
		c.Now, c.Pool = time.Now, authority.Pool()
		c.Stamps = map[string]string{hex.EncodeToString(authority.CA.SubjectKeyID): service.URL}
	})...)
	b.authority, b.now, service.b = authority, time.Now(), b
	return b
}

func (b *bench) player(folder string) *player {
	p := &player{bench: b, next: make(chan string), done: make(chan played, 1)}
	file := func(path string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) }
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/client.js", file(filepath.Join(folder, "node_modules", "ncalayer-js-client", "ncalayer-client.js")))
	mux.HandleFunc("/driver.js", file(filepath.Join("testdata", "npm", "driver.js")))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<!doctype html><title>A portal</title><script src="/client.js"></script><script src="/driver.js"></script>`)
	})
	mux.HandleFunc("/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case expression := <-p.next:
			_, _ = io.WriteString(w, expression)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/done", func(_ http.ResponseWriter, r *http.Request) {
		var answer played
		if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
			answer.Error = err.Error()
		}
		p.done <- answer
	})
	p.pages = httptest.NewServer(mux)
	return p
}

// begin starts the program; it ends with the test.
func (p *player) begin(c *exec.Cmd) {
	p.Helper()
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	c.WaitDelay = 5 * time.Second // its own processes may hold what it writes to
	if err := c.Start(); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		close(p.next) // the driver ends at an empty expression
		_ = c.Process.Kill()
		_ = c.Wait()
		p.pages.CloseClientConnections()
		p.pages.Close()
		if p.Failed() {
			p.Logf("%s: %.2000s", c.Path, said.String())
		}
	})
}

// inNode runs the client as a program that checks the agent's TLS certificate.
func (b *bench) inNode(folder string) *player {
	b.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		b.Skip("no node on this machine: other people's clients did not run in it")
	}
	driver, err := filepath.Abs(filepath.Join("testdata", "npm", "driver.js"))
	if err != nil {
		b.Fatal(err)
	}
	p := b.player(folder)
	c := exec.Command(node, driver, p.pages.URL)
	c.Dir = folder
	c.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+filepath.Join(b.agent.config.Data, "authority.crt"))
	p.begin(c)
	return p
}

// inChromium runs the client in a page.
func (b *bench) inChromium(folder string) *player {
	b.Helper()
	chromium, err := headless.Path()
	if err != nil {
		b.Skip(err.Error() + ": other people's clients did not run in it")
	}
	leaf, err := b.agent.authority.certificate()
	if err != nil {
		b.Fatal(err)
	}
	known := sha256.Sum256(leaf.Leaf.RawSubjectPublicKeyInfo)
	profile, err := os.MkdirTemp("", "senim-agent-client-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(profile) }) // the browser may still be writing
	p := b.player(folder)
	p.begin(exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir="+profile, "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
		"--ignore-certificate-errors-spki-list="+base64.StdEncoding.EncodeToString(known[:]), p.pages.URL+"/"))
	return p
}

// start hands an expression over.
func (p *player) start(expression string) {
	p.Helper()
	select {
	case p.next <- expression:
	case <-time.After(time.Minute):
		p.Fatalf("%s: nobody takes it", expression)
	}
}

func (p *player) end() played {
	p.Helper()
	select {
	case answer := <-p.done:
		return answer
	case <-time.After(time.Minute):
		p.Fatal("the client does not come back")
	}
	return played{}
}

// call evaluates what needs no window.
func (p *player) call(expression string) played {
	p.Helper()
	p.start(expression)
	return p.end()
}

// sign evaluates an expression and signs with a key in the window that comes.
func (p *player) sign(expression, key string) played {
	p.Helper()
	p.start(expression)
	h := p.window()
	id := h.unlock(key)
	if row := h.row(key); !row.Fits {
		p.Fatalf("%s: %s does not fit: %+v", expression, key, row.Reasons)
	}
	h.decide(Decision{Key: id})
	return p.end()
}

// refuse evaluates an expression and cancels the window that comes.
func (p *player) refuse(expression string) played {
	p.Helper()
	p.start(expression)
	p.window().cancel()
	return p.end()
}

// value takes the value out of what came.
func value[T any](t *testing.T, a played) T {
	t.Helper()
	var out T
	if a.Error != "" {
		t.Fatal(a.Error)
	}
	if len(a.Value) == 0 {
		return out
	}
	if err := json.Unmarshal(a.Value, &out); err != nil {
		t.Fatalf("%s: %v", a.Value, err)
	}
	return out
}

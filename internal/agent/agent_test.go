package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"senim/internal/pkitest"
	"senim/internal/trust"
	"senim/pfx"
	"senim/pki"
)

const (
	password = "Qwerty12"
	page     = "https://portal.example.kz"
)

// bench is an agent with a person and a page around it.
type bench struct {
	*testing.T
	agent     *Agent
	authority *pkitest.Authority
	folder    string
	windows   chan string
	log       *buffer
	now       time.Time // read through clock
	mu        sync.Mutex
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// statuses answers for certificates by their fingerprint; others are not known.
type statuses map[[32]byte]trust.Status

func (s statuses) Status(_ context.Context, cert, _ *pki.Certificate, _ time.Time) trust.Status {
	if answer, ok := s[cert.Fingerprint()]; ok {
		return answer
	}
	return trust.Status{State: trust.StateUnknown}
}

// served ends the agents that run, by their data folders.
var served sync.Map

// bring runs an agent on a free port until the test ends.
func bring(t *testing.T, change ...func(*Config)) *bench {
	t.Helper()
	b := &bench{T: t, authority: pkitest.New(t), folder: t.TempDir(), windows: make(chan string, 16), log: &buffer{}}
	b.now = b.authority.Now
	c := Config{
		Listen: "127.0.0.1:0", Data: t.TempDir(), Folders: []string{b.folder}, Pool: b.authority.Pool(),
		Browser: func(url string) (func(), error) { b.windows <- url; return nil, nil },
		Now:     b.clock, Log: slog.New(slog.NewTextHandler(b.log, nil)),
	}
	for _, f := range change {
		f(&c)
	}
	if stop, ok := served.LoadAndDelete(c.Data); ok { // a start over the same folder is a restart
		stop.(func())()
	}
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	a.lookKept = 0                 // tests pull tokens out
	a.lookFirst = 30 * time.Second // and see them at once, on a slow machine too
	if err := a.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	served.Store(c.Data, stop)
	t.Cleanup(stop)
	b.agent = a
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// wait moves the clock.
func (b *bench) wait(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// key lays a key file into the folder.
func (b *bench) key(name string, leaf *pkitest.Leaf) {
	b.Helper()
	der, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, password, pfx.NCA)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.folder, name), der, 0o600); err != nil {
		b.Fatal(err)
	}
}

// socket is a page's connection.
type socket struct {
	b *bench
	c *websocket.Conn
}

func (b *bench) dial(origin string) *socket {
	b.Helper()
	s, err := b.try(origin)
	if err != nil {
		b.Fatal(err)
	}
	if greeting := s.read(); greeting != `{"result":{"version":"1.4"}}` {
		b.Fatalf("greeting %q", greeting)
	}
	return s
}

func (b *bench) try(origin string) (*socket, error) {
	o := &websocket.DialOptions{HTTPHeader: http.Header{}}
	if origin != "" {
		o.HTTPHeader.Set("Origin", origin)
	}
	o.HTTPHeader.Set("Accept-Language", "ru")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+b.agent.Addr()+"/any/path", o) //nolint:bodyclose // the package closes it
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(-1)
	b.Cleanup(func() { _ = c.CloseNow() })
	return &socket{b, c}, nil
}

func (s *socket) send(text string) {
	s.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		s.b.Fatal(err)
	}
}

func (s *socket) read() string {
	s.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, frame, err := s.c.Read(ctx)
	if err != nil {
		s.b.Fatalf("read: %v", err)
	}
	return string(frame)
}

func (s *socket) ask(text string) string {
	s.b.Helper()
	s.send(text)
	return s.read()
}

// hand is a person at the window.
type hand struct {
	b     *bench
	url   string
	token string
	key   string
	view  View
}

// window waits for the next window and opens it.
func (b *bench) window() *hand {
	b.Helper()
	h := b.unopened()
	token := h.url[strings.IndexByte(h.url, '#')+1:]
	h.token = token
	h.url = h.url[:strings.IndexByte(h.url, '#')]
	var out struct {
		Key  string
		View View
	}
	if status := h.post("/open", map[string]any{"token": token}, &out); status != 200 {
		b.Fatalf("open: %d", status)
	}
	h.key, h.view = out.Key, out.View
	return h
}

func (b *bench) unopened() *hand {
	b.Helper()
	select {
	case url := <-b.windows:
		return &hand{b: b, url: url}
	case <-time.After(20 * time.Second):
		b.Fatal("no window")
	}
	return nil
}

func (b *bench) noWindow() {
	b.Helper()
	select {
	case <-b.windows:
		b.Error("a window was opened")
	default:
	}
}

func (h *hand) post(path string, body, out any) int {
	h.b.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		h.b.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, strings.TrimSuffix(h.url, "/")+path, bytes.NewReader(text))
	if err != nil {
		h.b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Window-Key", h.key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		h.b.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		h.b.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(got, out); err != nil {
			h.b.Fatalf("%s: %s: %v", path, got, err)
		}
	}
	return answer.StatusCode
}

// refusal is the answer to what the person did wrong.
type refusal struct{ Error Problem }

// unlock opens the only key file, or the one of this name.
func (h *hand) unlock(name string) string {
	h.b.Helper()
	id := h.row(name).ID
	var out struct{ View View }
	if status := h.post("/unlock", map[string]any{"id": id, "password": password}, &out); status != 200 {
		h.b.Fatalf("unlock %s: %d", name, status)
	}
	h.view = out.View
	return id
}

func (h *hand) row(name string) KeyRow {
	h.b.Helper()
	for _, k := range h.view.Keys {
		if name == "" || k.File == name {
			return k
		}
	}
	h.b.Fatalf("no key %q in the window", name)
	return KeyRow{}
}

// decide sends a decision until the window is over: several documents have steps.
func (h *hand) decide(d Decision) ending {
	h.b.Helper()
	for {
		var out ending
		if status := h.post("/decide", d, &out); status != 200 || !out.Done && out.At >= out.Of {
			h.b.Fatalf("decide: %d %+v", status, out)
		}
		if out.Done {
			return out
		}
	}
}

func (h *hand) problem(path string, body any) Problem {
	h.b.Helper()
	var out refusal
	if status := h.post(path, body, &out); status < 400 {
		h.b.Fatalf("%s: %d, expected a problem", path, status)
	}
	return out.Error
}

func (h *hand) cancel() {
	h.b.Helper()
	if status := h.post("/cancel", map[string]any{}, nil); status != 200 {
		h.b.Fatalf("cancel: %d", status)
	}
}

// sign asks, unlocks the key of this name and signs.
func (b *bench) sign(s *socket, request, name string) string {
	b.Helper()
	s.send(request)
	h := b.window()
	h.decide(Decision{Key: h.unlock(name)})
	return s.read()
}

// result takes basics' result out of a reply.
func result[T any](t *testing.T, reply string) T {
	t.Helper()
	var out struct {
		Body struct{ Result T }
	}
	if err := json.Unmarshal([]byte(reply), &out); err != nil || !strings.HasSuffix(reply, `"status":true}`) {
		t.Fatalf("%s: %v", reply, err)
	}
	return out.Body.Result
}

// object takes commonUtils' answer out of a reply.
func object[T any](t *testing.T, reply string) T {
	t.Helper()
	var out struct {
		ResponseObject T
		Code           string
	}
	if err := json.Unmarshal([]byte(reply), &out); err != nil || out.Code != "200" {
		t.Fatalf("%s: %v", reply, err)
	}
	return out.ResponseObject
}

func trusting(b *bench) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(b.agent.authority.cert)
	return &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", Time: b.clock}
}

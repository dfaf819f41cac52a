package courier

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"senim/internal/freeport"
	"senim/internal/gsm"
	"senim/internal/notice"
)

const fakesmsc = "/usr/lib/kannel/test/fakesmsc" // where Debian's kannel-extras has it

// output keeps what a program says.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// program runs until the test ends.
func program(t *testing.T, name string, args ...string) *output {
	t.Helper()
	o := &output{}
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = o, o
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 3 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); _ = cmd.Wait() })
	return o
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := freeport.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// kannel starts a real Kannel with its fake message centre; what the centre says, and the address to
// send by.
func kannel(t *testing.T) (*output, string) {
	t.Helper()
	bearerbox, err := exec.LookPath("/usr/sbin/bearerbox")
	if err != nil {
		t.Skip("Kannel is not installed (tools/need.sh): the gateway is checked against our own server only")
	}
	smsbox, err := exec.LookPath("/usr/sbin/smsbox")
	if err != nil {
		t.Skip("Kannel's smsbox is not installed (tools/need.sh)")
	}
	if _, err := os.Stat(fakesmsc); err != nil {
		t.Skip("Kannel's fake message centre is not installed (kannel-extras, tools/need.sh)")
	}
	admin, boxes, smsc, send := freePort(t), freePort(t), freePort(t), freePort(t)
	conf := filepath.Join(t.TempDir(), "kannel.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, `group = core
admin-port = %s
smsbox-port = %s
admin-password = none
box-allow-ip = 127.0.0.1
box-deny-ip = *.*.*.*

group = smsc
smsc = fake
smsc-id = FAKE
port = %s
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %s

group = sendsms-user
username = senim
password = s3cret
max-messages = 2
concatenation = true

group = sms-service
keyword = default
max-messages = 0
text = none
`, admin, boxes, smsc, send), 0o600); err != nil {
		t.Fatal(err)
	}
	log := program(t, bearerbox, "-v", "1", conf)
	until(t, "Kannel there", func() bool { return strings.Contains(log.String(), "Start-up done") })
	said := program(t, fakesmsc, "-H", "127.0.0.1", "-r", smsc, "-m", "0", "1 2 text x")
	until(t, "Kannel's centre there", func() bool { return strings.Contains(log.String(), "Fakesmsc client connected") })
	box := program(t, smsbox, "-v", "1", conf)
	until(t, "Kannel ready to send", func() bool { return strings.Contains(box.String(), "Connected to bearerbox") })
	return said, "http://127.0.0.1:" + send + "/cgi-bin/sendsms"
}

var fakeMessage = regexp.MustCompile(`Got message \d+: <SENIM \+77011234567 (?:udh (\S+) data|(\S+)) (.*)>`)

// shown is what phones got, by Kannel's fake centre.
func shown(said string) (all []string) {
	for _, m := range fakeMessage.FindAllStringSubmatch(said, -1) {
		if m[2] == "text" {
			all = append(all, m[3])
			continue
		}
		raw, err := url.QueryUnescape(m[3])
		if err != nil {
			continue
		}
		text := decode(gsm.Shaped{Coding: 8, Parts: [][]byte{[]byte(raw)}})
		if m[1] != "" && strings.HasSuffix(m[1], "%02%02") { // the second of two
			all[len(all)-1] += text
			continue
		}
		all = append(all, text)
	}
	return all
}

// The real gateway: texts come whole by both methods, receipts come back signed, and a wrong
// password is a refusal. NT-16, NT-17, NT-27.
func TestNT17TextsComeWholeThroughKannel(t *testing.T) {
	said, address := kannel(t)
	var mu sync.Mutex
	states, calls := map[string]State{}, 0
	c := GatewayConfig{URL: address, Tokens: testTokens(t), OnReceipt: func(_ context.Context, r Receipt) error {
		mu.Lock()
		defer mu.Unlock()
		calls++
		if next, changed := notice.Advance(states[r.Ref], r.State); changed {
			states[r.Ref] = next
		}
		return nil
	}}
	var handler http.Handler
	callbacks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(callbacks.Close)
	c.Callback = callbacks.URL + "/sms"
	handler = gateway(t, c).Receipts()
	var want []string
	for i, get := range []bool{false, true} {
		c.Get = get
		g := gateway(t, c)
		for k, text := range []string{"ЭЦҚ кілті", "Senim: code 1234 @ [x]", strings.Repeat("Кілт ", 20) + "01.05.2026"} {
			m := SMS{Ref: fmt.Sprintf("ref0000000000000%d%d", i, k), To: message.To, Text: text}
			mu.Lock()
			states[m.Ref] = Accepted
			mu.Unlock()
			if _, o := g.Send(t.Context(), m); o.State != Accepted {
				t.Fatalf("%q: %+v", text, o)
			}
			want = append(want, text)
			until(t, "shown and delivered: "+text, func() bool {
				mu.Lock()
				defer mu.Unlock()
				return slices.Equal(shown(said.String()), want) && states[m.Ref] == Delivered
			})
		}
	}
	mu.Lock()
	if calls < len(want) {
		t.Errorf("%d callbacks for %d messages", calls, len(want))
	}
	mu.Unlock()
	c.User, c.Password, c.From = "senim", "wrong", "SENIM"
	g, err := NewGateway(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, o := g.Send(t.Context(), message); o.State != Failed || o.Code != http.StatusForbidden {
		t.Errorf("a wrong password: %+v", o)
	}
}

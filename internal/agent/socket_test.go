package agent

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"senim/internal/keystore"
	"senim/internal/lang"
)

const upgrade = "GET / HTTP/1.1\r\nHost: %HOST%\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: https://a.kz\r\n\r\n"

// TestGreeting: the greeting comes in the same write as the answer to the upgrade, plain and over TLS.
func TestGreeting(t *testing.T) {
	b := bring(t)
	plain, err := net.Dial("tcp", b.agent.Addr())
	if err != nil {
		t.Fatal(err)
	}
	secure, err := tls.Dial("tcp", b.agent.Addr(), trusting(b))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]net.Conn{"ws": plain, "wss": secure} {
		defer c.Close()
		if _, err := io.WriteString(c, strings.ReplaceAll(upgrade, "%HOST%", b.agent.Addr())); err != nil {
			t.Fatal(err)
		}
		if name == "wss" { // records are read one by one; what matters is what the wire carried
			text, err := bufio.NewReader(c).ReadString('}')
			if err != nil || !strings.HasSuffix(text, `{"result":{"version":"1.4"}`) {
				t.Errorf("%s: %q, %v", name, text, err)
			}
			continue
		}
		piece := make([]byte, 4096)
		n, err := c.Read(piece)
		if err != nil {
			t.Fatal(err)
		}
		got := string(piece[:n])
		if !strings.HasPrefix(got, "HTTP/1.1 101 ") || !strings.HasSuffix(got, "\r\n\r\n\x81\x1c"+`{"result":{"version":"1.4"}}`) {
			t.Errorf("%s: %q", name, got)
		}
		if strings.Contains(got, "Sec-WebSocket-Extensions") {
			t.Error("an extension was agreed on")
		}
	}
}

func TestAuthority(t *testing.T) {
	b := bring(t)
	c := b.agent.authority.cert
	if !c.PermittedDNSDomainsCritical || len(c.PermittedDNSDomains) != 1 || len(c.PermittedIPRanges) != 2 || !c.MaxPathLenZero {
		t.Errorf("the authority is not limited: %+v", c.PermittedDNSDomains)
	}
	for _, f := range []string{"authority.key", "authority.crt"} {
		if private, err := keystore.Private(filepath.Join(b.agent.config.Data, f)); err != nil || !private {
			t.Errorf("%s may be read by others: %v", f, err)
		}
	}
	leaf, err := b.agent.authority.certificate()
	if err != nil {
		t.Fatal(err)
	}
	if life := leaf.Leaf.NotAfter.Sub(leaf.Leaf.NotBefore); life > 398*24*time.Hour {
		t.Errorf("leaf lives %v", life)
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: trusting(b).RootCAs, DNSName: name, CurrentTime: b.now}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	same, _ := b.agent.authority.certificate()
	b.wait(380 * 24 * time.Hour)
	other, _ := b.agent.authority.certificate()
	if same != leaf || other == leaf {
		t.Error("the leaf is not renewed as it should be")
	}
}

// TestAuthorityMadeAnew: an authority that was made anew is served under from the next connection on, without a restart;
// what it gave never outlives the old one.
func TestAuthorityMadeAnew(t *testing.T) {
	b := bring(t)
	data, a := b.agent.config.Data, b.agent.authority
	old := trusting(b)
	connect := func(c *tls.Config) error {
		conn, err := tls.Dial("tcp", b.agent.Addr(), c)
		if err == nil {
			err = conn.Close()
		}
		return err
	}
	b.wait(authorityLife - AuthorityRenew - 24*time.Hour)
	if renewed, err := renewAuthority(data, b.clock); err != nil || renewed {
		t.Errorf("sixty-one days before the end: %v %v", renewed, err)
	}
	leaf, err := a.certificate()
	if err != nil || leaf.Leaf.NotAfter.After(a.cert.NotAfter) {
		t.Errorf("%v, after %v: %v", leaf.Leaf.NotAfter, a.cert.NotAfter, err)
	}
	if again, _ := a.certificate(); again != leaf {
		t.Error("the last leaf is made for every connection")
	}
	if err := connect(old); err != nil {
		t.Error(err)
	}
	b.wait(48 * time.Hour)
	if renewed, err := renewAuthority(data, b.clock); err != nil || !renewed {
		t.Fatalf("fifty-nine days before the end: %v %v", renewed, err)
	}
	if err := connect(old); err == nil {
		t.Error("still under the old authority")
	}
	if err := connect(trusting(b)); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(data, AuthorityKeyFile), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := connect(trusting(b)); err != nil {
		t.Errorf("a broken file: %v", err)
	}
	b.wait(2 * authorityLife)
	if leaf, err := a.certificate(); err != nil || leaf.Leaf.NotAfter.After(a.cert.NotAfter) {
		t.Errorf("after the end: %v", err)
	}
}

func TestHeartbeat(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	if got := s.ask("--heartbeat--"); got != "--heartbeat--" {
		t.Errorf("%q", got)
	}
	s.send(`{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["PKCS12"]}`)
	h := b.window()
	s.send(`{"module":"x"}`)
	for range 3 { // with a window open, ahead of the queued reply
		if got := s.ask("--heartbeat--"); got != "--heartbeat--" {
			t.Errorf("%q", got)
		}
	}
	h.cancel()
	if got := s.read(); got != `{"code":"500","message":"action.canceled"}` {
		t.Errorf("%s", got)
	}
	if got := s.read(); got != `{"success":false,"errorCode":"MODULE_NOT_FOUND"}` {
		t.Errorf("%s", got)
	}
}

// TestHeartbeatInTime: 19 of 20 heartbeats are answered within 100 ms while a window is open, another connection sends 64 MiB
// and has them read, and the same one has a long request waiting behind the window. What else runs on the machine may slow
// one round down; an agent that is late by itself is late in every one.
func TestHeartbeatInTime(t *testing.T) {
	b := bring(t)
	s, other := b.dial(page), b.dial("https://another.example.kz")
	s.send(`{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["PKCS12"]}`)
	h := b.window()
	s.send(`{"module":"x","data":"` + strings.Repeat("A", 8<<20) + `"}`)
	const before, after = `{"module":"x","data":"`, `"}`
	long := []byte(before + strings.Repeat("A", maxMessage-len(before)-len(after)) + after)
	const limit, rounds = 100 * time.Millisecond, 8
	var late time.Duration
	for range rounds {
		over := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			w, err := other.c.Writer(ctx, websocket.MessageText)
			for rest := long; err == nil && len(rest) > 0; { // in pieces, so that it takes its time
				n := min(len(rest), 256<<10)
				_, err = w.Write(rest[:n])
				rest = rest[n:]
				time.Sleep(time.Millisecond) //nolint:forbidigo // it is slow itself
			}
			if err == nil {
				err = w.Close()
			}
			if err == nil {
				_, _, err = other.c.Read(ctx)
			}
			over <- err
		}()
		var took []time.Duration
		for done := false; !done || len(took) < 40; {
			begin := time.Now()
			if got := s.ask("--heartbeat--"); got != "--heartbeat--" {
				t.Fatalf("%q", got)
			}
			took = append(took, time.Since(begin))
			select {
			case err := <-over:
				if err != nil {
					t.Fatal(err)
				}
				done = true
			case <-time.After(2 * time.Millisecond):
			}
		}
		slices.Sort(took)
		late = took[len(took)*19/20]
		t.Logf("%d heartbeats: half within %v, 19 of 20 within %v", len(took), took[len(took)/2], late)
		if late <= limit {
			break
		}
	}
	if late > limit {
		t.Errorf("in each of %d rounds heartbeats were answered after more than %v: %v", rounds, limit, late)
	}
	h.cancel()
	if got := s.read(); got != `{"code":"500","message":"action.canceled"}` {
		t.Errorf("%s", got)
	}
}

// TestExchanges replays what needs no window: recorded replies with PKCS12 in place of a token, and
// the tables of the protocol.
func TestExchanges(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	const common, notFound = `{"module":"kz.gov.pki.knca.commonUtils",`, `{"success":false,"errorCode":"MODULE_NOT_FOUND"}`
	for _, c := range []struct{ request, want string }{
		{`{"module":"kz.digiflow.mobile.extensions","method":"getVersion"}`, notFound},
		{`{"module":"nca","version":"2.3"}`, notFound},
		{`{"module":"kz.gov.pki.knca.applet.Applet","method":"none"}`, `{"result":"","errorCode":"COMMON"}`},
		{common + `"method":"getActiveTokens"}`, `{"responseObject":[],"code":"200"}`},
		{common + `"method":"getActiveTokens","uuid":"7"}`, `{"responseObject":[],"code":"200","uuid":"7"}`},
		{common + `"method":"changeLocale","args":["en"]}`, `{"code":"200"}`},
		{common + `"method":"changeLocale","args":["kz"]}`, `{"code":"200"}`},
		{common + `"method":"signXml","args":["PKCS12","123","<this>is not a valid XML","",""]}`, `{"code":"500","message":"org.xml.sax.SAXParseException; lineNumber: 1; columnNumber: 25; XML document structures must start and end within the same entity."}`},
		{common + `"method":"createCAdESFromBase64","args":["PKCS12","","M*EK",false]}`, `{"code":"500","message":"Illegal base64 character 2a"}`},
		{common + `"method":"createCAdESFromBase64Hash","args":["PKCS12","123",""]}`, `{"code":"500"}`},
		{common + `"method":"createCAdESFromFile","args":["PKCS12","","/etc/passwd"]}`, `{"code":"500","message":"NoSuchMethodException createCAdESFromFile"}`},
		{common + `"method":"applyCAdEST","args":["PKCS12","","M*EK"]}`, `{"code":"500","message":"Illegal base64 character 2a"}`},
		{common + `"method":"showFileChooser","args":["ALL",null]}`, `{"code":"500","message":"java.lang.IllegalArgumentException: argument type mismatch. Method: showFileChooser"}`},
		{`{"module":"kz.gov.pki.knca.basics","method":"sign","args":{"format":"pdf","data":"x","signingParams":{},"signerParams":{"extKeyUsageOids":[]}}}`, `{"code":"INVALID_SIGNING_PARAMS","details":"format: cms, xml or raw is supported","message":"Invalid signing parameters.","status":false}`},
		{`{"module":"kz.senim.keys","method":"steal","args":{}}`, `{"code":"GENERAL_ERROR","details":"undefined_method: steal is not defined in kz.senim.keys","message":"General error.","status":false}`},
		{`{"module":"kz.gov.pki.ncalayerservices.accessory","method":"getServices"}`, `{"services":["kz.gov.pki.ncalayerservices.accessory","kz.gov.pki.knca.applet.Applet","kz.gov.pki.knca.basics","kz.gov.pki.cms.CMSSignUtil","kz.gov.pki.knca.commonUtils","kz.senim.keys","kz.inessoft.kgd.knp.ncalayer.KNPModuleService","NURSign"]}`},
		{`{"module":"kz.gov.pki.ncalayerservices.accessory","method":"getBundles"}`, `{"kz.ecc.NurSignBundle":"5.1.2","kz.gov.pki.api.layer.NCALayerServices":"0.7.3","kz.gov.pki.cms.NLDocSignerModule":"1.1.0","kz.gov.pki.knca.applet.knca_applet":"0.4.10","kz.gov.pki.osgi.layer.common":"0.3.4","kz.gov.pki.osgi.layer.websocket":"0.4.1","kz.inessoft.kgd.knp.sono_knp_ncalayer_module":"1.2.0","kz.senim.agent":"0"}`},
		{`{"module":"kz.gov.pki.ncalayerservices.accessory","method":"installBundle","symname":"kz.ecc.NurSignBundle"}`, `{"success":true}`},
		{`{"module":"kz.gov.pki.ncalayerservices.accessory","method":"none"}`, notFound},
	} {
		s.send(`{}`) // never answered
		if got := s.ask(c.request); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.request, got, c.want)
		}
	}
	for text, want := range map[string]string{
		"not JSON": "A JSONObject text must begin with '{' at character 1", "[1]": "A JSONObject text must begin with '{' at character 1", " \t": "A JSONObject text must begin with '{' at character 1",
		`"x"`: "A JSONObject text must begin with '{' at character 1", `{"a":`: "",
	} {
		if got := s.ask(text); !strings.HasPrefix(got, `{"code":"500","message":"`+want) || strings.Contains(got, "read message") {
			t.Errorf("%q: %s", text, got)
		}
	}
	b.noWindow()
}

func TestOrder(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	for _, u := range []string{"1", "2", "3"} {
		s.send(`{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens","uuid":"` + u + `"}`)
	}
	for _, u := range []string{"1", "2", "3"} {
		if got := s.read(); !strings.Contains(got, `"uuid":"`+u+`"`) {
			t.Errorf("%s, want %s", got, u)
		}
	}
}

func TestTooLarge(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	// A frame of exactly 64 MiB is read (and is not JSON); one byte more closes the socket.
	if got := s.ask(strings.Repeat(" ", maxMessage)); !strings.Contains(got, `"500"`) {
		t.Errorf("%s", got)
	}
	_ = s.c.Write(ctx, websocket.MessageBinary, make([]byte, maxMessage+1))
	_, _, err := s.c.Read(ctx)
	if said, ok := errors.AsType[websocket.CloseError](err); !ok || said.Code != websocket.StatusMessageTooBig || said.Reason != "a message has at most 64 MiB" {
		t.Errorf("%v", err)
	}
}

func TestBinaryFrame(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	if err := s.c.Write(context.Background(), websocket.MessageBinary, []byte(`{"module":"x"}`)); err != nil {
		t.Fatal(err)
	}
	if got := s.read(); !strings.Contains(got, "MODULE_NOT_FOUND") {
		t.Errorf("%s", got)
	}
}

func TestPlainVisit(t *testing.T) {
	b := bring(t)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusting(b)}}
	for _, url := range []string{"http://" + b.agent.Addr(), "https://" + b.agent.Addr(), "https://localhost:" + b.agent.port} {
		r, err := client.Get(url + "/")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.StatusCode != 200 || strings.Contains(string(text), "<script") || r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %s", url, r.StatusCode, text)
		}
		// Only who came over TLS had the certificate recognised; others are led there.
		secure := strings.HasPrefix(url, "https:")
		if trusted, led := strings.Contains(string(text), lang.RU.Text("agent.alive.text")), strings.Contains(string(text), `<a href="https://`+b.agent.Addr()+`/">`); trusted != secure || led == secure {
			t.Errorf("%s: %s", url, text)
		}
		if r, err = client.Get(url + "/other"); err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != 404 {
			t.Errorf("%s/other: %d", url, r.StatusCode)
		}
	}
}

// TestPeerGone: a page that closes its socket withdraws its window, and the next one gets its turn.
func TestPeerGone(t *testing.T) {
	b := bring(t)
	first, second := b.dial(page), b.dial("https://b.kz")
	const ask = `{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["PKCS12"]}`
	first.send(ask)
	h := b.window()
	second.send(ask)
	_ = first.c.CloseNow()
	next := b.window()
	if next.view.Site.Origin != "https://b.kz" {
		t.Errorf("window of %s", next.view.Site.Origin)
	}
	if reachable(h.url) {
		t.Error("the withdrawn window is still served")
	}
	next.cancel()
	if got := second.read(); !strings.Contains(got, "action.canceled") {
		t.Errorf("%s", got)
	}
}

// TestBrowser: a page that no browser shows is said.
func TestBrowser(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	commands := []string{self + " -no-such-flag"}
	if runtime.GOOS != "windows" {
		blanks := filepath.Join(t.TempDir(), "a browser of mine")
		if err := os.WriteFile(blanks, []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		commands = append(commands, blanks)
	}
	for _, command := range commands {
		if err := ShowFile(t.Context(), Ways(command, t.TempDir()), "http://127.0.0.1:1/#x"); err == nil {
			t.Errorf("%s shows it", command)
		}
	}
	if err := ShowFile(t.Context(), Ways("/no/such/browser", t.TempDir()), "x"); err == nil {
		t.Error("a browser that is not there shows windows")
	}
}

// FuzzSite: whatever a page calls itself, and whatever it sends to be shown.
func FuzzSite(f *testing.F) {
	f.Add("https://xn--b1aew.kz:1", "<a><b/></a>")
	f.Add("null", "senim-challenge 1\norigin: x")
	f.Fuzz(func(t *testing.T, origin, text string) {
		s := siteOf(origin)
		if s.Class == "" {
			t.Errorf("%q has no class", origin)
		}
		bare := strings.NewReplacer(" ", "", "\n", "", "\t", "", "\r", "")
		shown, _ := wholeText(pretty(text, ""))
		stripped, original := bare.Replace(shown), bare.Replace(text)
		if stripped != original {
			t.Errorf("%q is shown as %q", text, stripped)
		}
		relayed([]byte(text), s)
	})
}

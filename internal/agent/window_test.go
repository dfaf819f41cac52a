package agent

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// TestWindowIdle: a window nobody opens goes after a minute, one nobody touches after ten.
func TestWindowIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{door: &door{touch: make(chan struct{}, 1)}, end: make(chan outcome, 1)}
		begin := time.Now()
		if out := w.wait(context.Background()); out.done || out.err != nil || time.Since(begin) != time.Minute {
			t.Errorf("unopened: %+v after %v", out, time.Since(begin))
		}
		begin = time.Now()
		w.touch <- struct{}{}
		if out := w.wait(context.Background()); out.done || out.err != nil || time.Since(begin) != 10*time.Minute {
			t.Errorf("untouched: %+v after %v", out, time.Since(begin))
		}
		begin = time.Now()
		w.touch <- struct{}{}
		ends := w.begins()                                   // a decision that takes long is not a person who went
		go func() { time.Sleep(25 * time.Minute); ends() }() //nolint:forbidigo // of the bubble's own clock
		if out := w.wait(context.Background()); out.done || out.err != nil || time.Since(begin) != 30*time.Minute {
			t.Errorf("busy: %+v after %v", out, time.Since(begin))
		}
	})
}

// TestPain15HeartbeatsGoOn: a page of the official SDK pings every two seconds and gives up after three
// silences. It does not, however long the window is open: here for as many pings as five minutes have.
func TestPain15HeartbeatsGoOn(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	s.send(basicsCall("cms", `"MTEK"`, `{}`, anyKey))
	h := b.window()
	var took []time.Duration
	for i := range 150 {
		begin := time.Now()
		if got := s.ask("--heartbeat--"); got != "--heartbeat--" {
			t.Fatalf("ping %d: %s", i, got)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	if late := took[len(took)/2]; late > 100*time.Millisecond { // of the rest see TestHeartbeatInTime
		t.Errorf("half of the pings were answered after more than %v", late)
	}
	h.decide(Decision{Key: h.unlock("")})
	if list := result[[]string](t, s.read()); len(list) != 1 {
		t.Errorf("%d signatures", len(list))
	}
}

// TestSamplePage does what the official sample page does on one socket: booleans as words, a list on and
// off, every format, what expired on.
func TestSamplePage(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Expired())
	s := b.dial(page)
	for _, format := range []string{"cms", "xml", "raw"} {
		for _, many := range []bool{false, true} {
			for _, decode := range []string{"true", "false"} {
				text := "<a>MTEK</a>"
				data := quote(text)
				if decode == "true" {
					data = `"PGE+TVRFSzwvYT4="`
				}
				want := 1
				if many {
					data, want = "["+data+","+data+"]", 2
				}
				request := fmt.Sprintf(`{"module":"kz.gov.pki.knca.basics","method":"sign","args":{"allowedStorages":["PKCS12"],"format":%q,"data":%s,`+
					`"signingParams":{"decode":%q,"encapsulate":"true","digested":"false","allowExpired":true,"allowRevoked":"false","outputCert":"true"},`+
					`"signerParams":{"extKeyUsageOids":[],"iin":"","bin":"","serialNumber":"","chain":[]},"locale":"ru","logo":"iVBORw0KGgo="}}`, format, data, decode)
				s.send(request)
				h := b.window()
				if d := h.view.Documents; len(d) != want || d[0].Kind != "xml" || !strings.Contains(d[0].Text, "MTEK") || h.view.Logo == "" {
					t.Errorf("%s: %+v", request, h.view)
				}
				h.decide(Decision{Key: h.unlock("")})
				reply := s.read()
				if format != "raw" {
					if list := result[[]string](t, reply); len(list) != want {
						t.Errorf("%s: %d signatures", request, len(list))
					}
					continue
				}
				type bare struct {
					Signatures  []string
					Certificate string
				}
				if r := result[bare](t, reply); len(r.Signatures) != want || !strings.HasPrefix(r.Certificate, "-----BEGIN CERTIFICATE-----\n") {
					t.Errorf("%s: %+v", request, r)
				}
			}
		}
	}
	if got := s.ask(`{"module":"kz.gov.pki.knca.basics","method":"generateCsr","args":{}}`); got != `{"code":"GENERAL_ERROR","details":"java.lang.IllegalArgumentException: generateCsr is not defined in Basics","message":"General error.","status":false}` {
		t.Errorf("%s", got)
	}
	if h := b.window(); h.view.Kind != "notice" || !strings.Contains(h.view.Refusal, "NCALayer") {
		t.Errorf("%+v", h.view)
	}
}

// TestLogo: a picture of at most 50 000 characters is shown; a larger one, or another kind, is not, and
// the site still gets its signature.
func TestLogo(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	picture := "iVBORw0KGgoA" + strings.Repeat("A", 50_000-12)
	for name, c := range map[string]struct {
		logo  string
		shown bool
	}{"largest": {picture, true}, "too large": {picture + "AAAA", false}, "not a picture": {"PHN2Zz4=", false}, "not base64": {"***", false}, "none": {"", false}} {
		s.send(strings.Replace(basicsCall("cms", `"x"`, `{}`, anyKey), `"locale"`, `"logo":`+quote(c.logo)+`,"locale"`, 1))
		h := b.window()
		if (h.view.Logo != "") != c.shown {
			t.Errorf("%s: shown %v", name, !c.shown)
		}
		h.decide(Decision{Key: h.unlock("")})
		result[[]string](t, s.read())
	}
}

// TestStorages: the storages a page names are the only ones offered.
func TestStorages(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	if got := s.ask(commonCall("getKeyInfo", `"AKKZIDCardStore"`)); got != storageEmpty {
		t.Errorf("%s", got)
	}
	b.driverMissed()
	for storage, fits := range map[string]bool{"PKCS12": true, "JKS": false} {
		for _, request := range []string{
			commonCall("signXml", quote(storage)+`,"","<a/>","",""`),
			strings.Replace(basicsCall("xml", `"<a/>"`, `{}`, anyKey), `"format"`, `"allowedStorages":[`+quote(storage)+`],"format"`, 1),
		} {
			s.send(request)
			h := b.window()
			if row := h.row(""); row.Fits != fits || !fits && row.Reasons[0].Code != "storage" {
				t.Errorf("%s: %+v", request, row)
			}
			id := h.unlock("")
			if !fits {
				if p := h.problem("/decide", Decision{Key: id}); p.Code != "does_not_fit" {
					t.Errorf("%s: %+v", storage, p)
				}
			}
			h.cancel()
			s.read()
		}
	}
}

// TestLenient: what old pages send is read as they mean it; what could be read in two ways is not, and
// the socket stays open.
func TestLenient(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	const tokens = `{"responseObject":[],"code":"200"}`
	for _, text := range []string{
		"{\n module: \"kz.gov.pki.knca.commonUtils\", \n method: \"getActiveTokens\", \n args: []\n}",
		`{'module':'kz.gov.pki.knca.commonUtils','method':'getActiveTokens',}`,
		"\ufeff{\"module\" :\t\"kz.gov.pki.knca.commonUtils\",\r\n\"method\":\"getActiveTokens\",\"args\":[ ],}",
		`{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens","args":null,"origin":"Name","unknown":{"a":[1,2,]}}`,
		`{"module":"kz.gov.pki.knca.common\u0055tils","method":"getActiveTokens"}`,
	} {
		if got := s.ask(text); got != tokens {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, text := range []string{
		`{"module":"kz.gov.pki.knca.commonUtils","method":"changeLocale","method":"getActiveTokens"}`, `{"a":"\ud800"}`, `{"a":1`, `[1,2`, `"x" "y"`, "",
		strings.Repeat("[", 65) + strings.Repeat("]", 65),
	} {
		got := s.ask(text)
		var reply struct{ Code, Message string }
		if err := json.Unmarshal([]byte(got), &reply); err != nil || reply.Code != "500" || reply.Message == "" {
			t.Errorf("%q: %s", text, got)
		}
	}
	if got := s.ask(`{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens"}`); got != tokens {
		t.Errorf("afterwards: %s", got)
	}
	b.noWindow()
	if r, err := http.Get("http://" + b.agent.Addr() + "/"); err != nil || r.Body.Close() != nil || r.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %v", err)
	}
}

// TestFragments: a message may come in pieces, and a heartbeat between two messages is no piece of one.
func TestFragments(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	w, err := s.c.Writer(context.Background(), websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{`{"module":"kz.gov.pki.knca.commonUtils","pad":"`, strings.Repeat("а", 100_000), strings.Repeat("б", 100_000), `","method":"getActive`, `Tokens"}`} {
		if _, err := w.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := s.read(); got != `{"responseObject":[],"code":"200"}` {
		t.Errorf("%s", got)
	}
	if got := s.ask("--heartbeat--"); got != "--heartbeat--" {
		t.Errorf("%s", got)
	}
}

// TestPagesHaveAPicture: the agent's pages name a picture for the tab, and it is there.
func TestPagesHaveAPicture(t *testing.T) {
	b := bring(t)
	b.dial(page).send(commonCall("getKeyInfo", `"PKCS12"`))
	for _, url := range []string{b.window().url, b.home().url} {
		get := func(path string) (string, string) {
			r, err := http.Get(strings.TrimSuffix(url, "/") + path)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			body, err := io.ReadAll(r.Body)
			if err != nil || r.StatusCode != 200 {
				t.Fatalf("%s: %d %v", path, r.StatusCode, err)
			}
			return string(body), r.Header.Get("Content-Type")
		}
		html, _ := get("/")
		_, rest, there := strings.Cut(html, `<link rel="icon" type="image/svg+xml" href="`)
		path, _, _ := strings.Cut(rest, `"`)
		if !there {
			t.Fatalf("%s: no picture is named", url)
		}
		picture, kind := get(path)
		if err := xml.Unmarshal([]byte(picture), new(struct {
			XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		})); err != nil || kind != "image/svg+xml" {
			t.Errorf("%s: %s: %v", url, kind, err)
		}
	}
}

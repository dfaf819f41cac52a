package agent

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"senim/cms"
	"senim/internal/pkitest"
)

// largePage is a page that sends large documents.
type largePage struct {
	b      *bench
	client *http.Client
	origin string
	cookie *http.Cookie
}

func largeOn(c *Config) { c.LargeDocuments = "127.0.0.1:0" }

// largeAddr is the address for large documents; "" while that is off.
func (a *Agent) largeAddr() string {
	a.doors.Lock()
	defer a.doors.Unlock()
	if a.large == nil {
		return ""
	}
	return a.large.listener.Addr().String()
}

func (b *bench) largePage() *largePage {
	return &largePage{b: b, origin: page, client: &http.Client{Transport: &http.Transport{TLSClientConfig: trusting(b)}}}
}

func (d *largePage) do(method, path string, body io.Reader, change ...func(*http.Request)) (int, []byte, http.Header) {
	r, err := http.NewRequest(method, "https://"+d.b.agent.largeAddr()+path, body)
	if err != nil {
		d.b.Error(err)
		return 0, nil, nil
	}
	r.Header.Set("Origin", d.origin)
	if d.cookie != nil {
		r.AddCookie(d.cookie)
	}
	for _, f := range change {
		f(r)
	}
	answer, err := d.client.Do(r)
	if err != nil {
		d.b.Error(err)
		return 0, nil, nil
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		d.b.Error(err)
	}
	for _, c := range answer.Cookies() {
		d.cookie = c
	}
	return answer.StatusCode, got, answer.Header
}

// begin opens an operation: the person picks the key, agrees, and the page of the window goes on asking.
func (d *largePage) begin(args, name string) (id string, ended chan ending, h *hand) {
	d.b.Helper()
	got := make(chan []byte, 1)
	go func() {
		status, text, _ := d.do("POST", "/", strings.NewReader(args))
		if status != 200 {
			d.b.Errorf("begin: %d %s", status, text)
		}
		got <- text
	}()
	h = d.b.window()
	if h.view.Kind != "large" || h.view.Warnings[0].Level != "red" {
		d.b.Errorf("%+v", h.view)
	}
	key := h.unlock(name)
	ended = make(chan ending, 1)
	go func() { ended <- h.goOn(key) }()
	return "/" + string(<-got), ended, h
}

// goOn is the page of the window, which asks for the next step until there is none or the window is gone.
func (h *hand) goOn(key string) (out ending) {
	for {
		r, err := http.NewRequest("POST", strings.TrimSuffix(h.url, "/")+"/decide", strings.NewReader(`{"key":"`+key+`"}`))
		if err != nil {
			return out
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Window-Key", h.key)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return out
		}
		err = json.NewDecoder(answer.Body).Decode(&out)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != 200 || out.Done {
			return out
		}
	}
}

// TestKaztoken signs documents of an operation, attached and not, as text and as bytes.
func TestKaztoken(t *testing.T) {
	b := bring(t, largeOn)
	b.jks("GOST512_a.jks", b.authority.Individual()) // whatever storage the key is in
	d := b.largePage()
	status, _, header := d.do("GET", "/", nil)
	if status != 200 || header.Get("Access-Control-Allow-Origin") != page || header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("%d %v", status, header)
	}
	for _, size := range []int{0, 1, 127, 128, 70000} {
		content := bytes.Repeat([]byte("x"), size)
		for _, c := range []struct {
			args                string
			base64, encapsulate bool
		}{
			{`{"numberOfDocuments":1,"base64":true,"encapsulateContent":true}`, true, true},
			{`{"numberOfDocuments":1,"base64":false,"encapsulateContent":false}`, false, false},
			{`{"numberOfDocuments":1,"base64":false}`, false, true},
		} {
			if size != 70000 && !c.encapsulate {
				continue
			}
			id, ended, _ := d.begin(c.args, "")
			body := content
			if c.base64 {
				body = []byte(base64.StdEncoding.EncodeToString(content))
			}
			status, out, _ := d.do("POST", id, bytes.NewReader(body))
			if status != 200 {
				t.Fatalf("%s: %d %s", c.args, status, out)
			}
			if c.base64 {
				out = unbase(t, string(out))
			}
			outer := content
			if c.encapsulate {
				outer = nil
			}
			sd := good(t, out, outer)
			if sd.Detached() == c.encapsulate || c.encapsulate && !bytes.Equal(sd.Content(), content) {
				t.Errorf("%s: %d bytes", c.args, len(sd.Content()))
			}
			if !bytes.Equal(sd.Raw(), out) {
				t.Error("not DER to the end")
			}
			if e := <-ended; !e.Done || e.Failed {
				t.Errorf("%+v", e)
			}
			if status, _, _ := d.do("POST", id, strings.NewReader("one more")); status != 401 {
				t.Errorf("one more than agreed: %d", status)
			}
		}
	}
	left, err := os.ReadDir(b.agent.config.Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if strings.HasPrefix(f.Name(), ".large") {
			t.Errorf("%s is left", f.Name())
		}
	}
}

// TestKaztokenCanceled: 409 at the start, 401 later.
func TestKaztokenCanceled(t *testing.T) {
	b := bring(t, largeOn)
	b.key("GOST512_a.p12", b.authority.Individual())
	_, auth := b.authority.ClassicPair(pkitest.Person())
	b.key("AUTH_RSA256_b.p12", auth)
	d := b.largePage()
	got := make(chan int, 1)
	go func() {
		status, _, _ := d.do("POST", "/", strings.NewReader(`{"numberOfDocuments":2}`))
		got <- status
	}()
	h := b.window()
	// A key that only signs in signs nothing unseen.
	id := h.unlock("AUTH_RSA256_b.p12")
	if p := h.problem("/decide", Decision{Key: id}); p.Code != "does_not_fit" {
		t.Errorf("%+v", p)
	}
	h.cancel()
	if status := <-got; status != 409 {
		t.Errorf("%d", status)
	}
	path, ended, h := d.begin(`{"numberOfDocuments":2,"base64":false,"encapsulateContent":false}`, "GOST512_a.p12")
	if status, _, _ := d.do("POST", path, strings.NewReader("one")); status != 200 {
		t.Errorf("%d", status)
	}
	h.cancel()
	<-ended
	if status, _, _ := d.do("POST", path, strings.NewReader("two")); status != 401 {
		t.Errorf("%d", status)
	}
	for _, bad := range []string{"", "{}", `{"numberOfDocuments":0}`, `{"numberOfDocuments":-1}`} {
		if status, _, _ := d.do("POST", "/", strings.NewReader(bad)); status != 400 {
			t.Errorf("%q: %d", bad, status)
		}
	}
	b.noWindow()
}

// TestHostileKaztoken: off by default; no other page, host or thief of an id gets anything, and no
// sign-in challenge of another site is signed.
func TestHostileKaztoken(t *testing.T) {
	if off := bring(t); off.agent.largeAddr() != "" {
		t.Error("the door is open without being asked for")
	}
	b := bring(t, largeOn)
	b.key("GOST512_a.p12", b.authority.Individual())
	d := b.largePage()
	for name, change := range map[string]func(*http.Request){
		"421 another host": func(r *http.Request) { r.Host = "evil.example:" + b.agent.large.port },
		"421 another port": func(r *http.Request) { r.Host = "127.0.0.1:1" },
		"403 no origin":    func(r *http.Request) { r.Header.Del("Origin") },
		"403 null":         func(r *http.Request) { r.Header.Set("Origin", "null") },
		"403 plain http":   func(r *http.Request) { r.Header.Set("Origin", "http://portal.example.kz") },
		"403 two origins":  func(r *http.Request) { r.Header.Add("Origin", "https://evil.example") },
	} {
		status, _, header := d.do("POST", "/", strings.NewReader(`{"numberOfDocuments":1}`), change)
		if fmt.Sprint(status) != name[:3] || header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", name, status, header)
		}
	}
	b.noWindow()
	if status, _, header := d.do("OPTIONS", "/", nil, func(r *http.Request) { r.Header.Set("Access-Control-Request-Private-Network", "true") }); status != 204 || header.Get("Access-Control-Allow-Private-Network") != "true" || header.Get("Access-Control-Allow-Origin") != page {
		t.Errorf("%d %v", status, header)
	}
	id, ended, _ := d.begin(`{"numberOfDocuments":5,"base64":false,"encapsulateContent":false}`, "")
	for name, change := range map[string]func(*http.Request){
		"another page": func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"no cookie":    func(r *http.Request) { r.Header.Del("Cookie") },
		"wrong cookie": func(r *http.Request) { r.Header.Set("Cookie", largeCookie+"=x") },
		"another id":   func(r *http.Request) { r.URL.Path = "/x" },
	} {
		if status, out, _ := d.do("POST", id, strings.NewReader("x"), change); status != 401 {
			t.Errorf("%s: %d %s", name, status, out)
		}
	}
	if status, _, _ := d.do("POST", id, strings.NewReader(challenge("https://victim.kz"))); status != 500 {
		t.Errorf("a challenge: %d", status)
	}
	if end := <-ended; !end.Failed {
		t.Errorf("a challenge: %+v", end)
	}
}

// zeros is a document of many bytes.
type zeros struct{ left int64 }

func (z *zeros) Read(b []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), z.left))
	clear(b[:n])
	z.left -= int64(n)
	return n, nil
}

func rsaSigner(b *bench) *pkitest.Leaf {
	sign, _ := b.authority.ClassicPair(pkitest.Person())
	return sign
}

// TestKaztokenMemory: three large documents go through in little memory; of 100 MiB each with SENIM_LONG.
func TestKaztokenMemory(t *testing.T) {
	size := int64(24 << 20)
	if os.Getenv("SENIM_LONG") != "" {
		size = 100 << 20
	}
	b := bring(t, largeOn)
	b.key("RSA256_a.p12", rsaSigner(b))
	d := b.largePage()
	id, ended, _ := d.begin(`{"numberOfDocuments":3,"base64":false,"encapsulateContent":false}`, "")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range 3 {
		status, out, _ := d.do("POST", id, &zeros{size})
		if status != 200 {
			t.Fatalf("%d", status)
		}
		if i < 2 {
			continue
		}
		sd, err := cms.Parse(out)
		if err != nil || !sd.Detached() {
			t.Fatal(err)
		}
		if verdicts, err := sd.VerifyReader(&zeros{size}); err != nil || len(verdicts) != 1 || verdicts[0].Err != nil {
			t.Fatal(verdicts, err)
		}
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > uint64(2*size) { // of three documents, each of which passes the test's own hands once
		t.Errorf("%d MiB were allocated for three of %d", used>>20, size>>20)
	}
	<-ended
}

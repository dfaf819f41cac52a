package agent

import (
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"senim/cms"
	"senim/internal/ask"
)

// nurSize is more than a message of the socket may have; the most there may be with SENIM_LONG.
func nurSize() int64 {
	if os.Getenv("SENIM_LONG") != "" {
		return maxNamed
	}
	return maxMessage + 1<<20
}

// blank is a file of so many zeros.
func blank(t *testing.T, path string, size int64) string {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, size)); err != nil {
		t.Fatal(err)
	}
	return path
}

// spools counts the agent's files of documents, which have no names where the system allows that.
func (b *bench) spools() int {
	b.Helper()
	n := 0
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, l := range links {
		if at, err := os.Readlink(l); err == nil && strings.HasPrefix(at, filepath.Join(b.agent.config.Data, ".large-")) {
			n++
		}
	}
	return n
}

// TestNURSignLargeFile: a file larger than any message is signed and sent in little memory; one above 256 MiB is not read.
func TestNURSignLargeFile(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	size := nurSize()
	doc := blank(t, filepath.Join(b.folder, "смета.bin"), size)
	var got int64
	var verdicts []cms.Verified
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		var sd *cms.SignedData
		for {
			part, err := form.NextPart()
			if err != nil {
				break
			}
			switch part.FormName() {
			case "signature":
				text, _ := io.ReadAll(part)
				der, err := base64.StdEncoding.DecodeString(string(text))
				if err == nil {
					sd, err = cms.Parse(der)
				}
				if err != nil {
					t.Error(err)
				}
			case "file":
				counted := &counter{r: part}
				if sd != nil {
					verdicts, err = sd.VerifyReader(counted)
				}
				if got = counted.n; err != nil {
					t.Error(err)
				}
			}
		}
		_, _ = w.Write([]byte(`{"file_id":17}`))
	}))
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = ask.Public().CheckRedirect
	b.agent.downloader = client
	s := b.dial(server.URL)
	request := `{"module":"NURSign","type":"file","data":{"token":"t","url_upload":` + quote(server.URL+"/upload") + `}}`
	s.send(request)
	h := b.window()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	h.decide(Decision{File: doc})
	h = b.window()
	if d := h.view.Documents[0]; d.Name != doc || int64(d.Size) != size || d.Kind != "binary" || len(d.Digest) != 64 {
		t.Errorf("%+v", d)
	}
	if e := h.decide(Decision{Key: h.unlock("GOST512_a.p12")}); e.Failed {
		t.Errorf("%+v", e)
	}
	if reply := s.read(); reply != `{"result":{"file_id":17,"file_name":"смета.bin","file_size":`+strconv.FormatInt(size, 10)+`},"errorCode":"NONE"}` && !strings.Contains(reply, `"file_size":`+strconv.FormatInt(size, 10)) {
		t.Errorf("%s", reply)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > uint64(size/2) {
		t.Errorf("%d MiB were allocated for a file of %d", used>>20, size>>20)
	}
	if got != size || len(verdicts) != 1 || verdicts[0].Err != nil {
		t.Errorf("%d bytes came, %v", got, verdicts)
	}
	s.send(request)
	b.window().decide(Decision{File: blank(t, filepath.Join(b.folder, "more.bin"), maxNamed+1)})
	if h = b.window(); h.view.Kind != "refused" || !strings.HasSuffix(h.view.Named, "more.bin") {
		t.Errorf("%+v", h.view)
	}
	h.decide(Decision{})
	if reply := s.read(); reply != `{"errorCode":2}` {
		t.Errorf("%s", reply)
	}
	s.ask(`{"module":"NURSign","type":"version"}`) // what was handled before is over
	if n := b.spools(); n != 0 {
		t.Errorf("%d copies are left", n)
	}
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// TestNURSignLargeBinary: a document of the page's own host is fetched, signed and given back inside its message in little memory; above
// 256 MiB, with a length or without, it is too big; a page that goes away leaves nothing.
func TestNURSignLargeBinary(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	size, told := nurSize(), true
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if told {
			w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		}
		_, _ = io.Copy(w, &zeros{size})
	}))
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = ask.Public().CheckRedirect
	b.agent.downloader = client
	s := b.dial(server.URL)
	request := `{"module":"NURSign","type":"binary","source":"remote","upload_url":` + quote(server.URL+"/document") + `}`
	s.send(request)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.window().decide(Decision{})
	h := b.window()
	if d := h.view.Documents[0]; int64(d.Size) != size || d.Name != server.URL+"/document" {
		t.Errorf("%+v", d)
	}
	h.decide(Decision{Key: h.unlock("")})
	runtime.ReadMemStats(&after) // before the reply is read by the test's own hands
	if used := after.TotalAlloc - before.TotalAlloc; used > uint64(size/2) {
		t.Errorf("%d MiB were allocated for a document of %d", used>>20, size>>20)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	_, frame, err := s.c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ Result, ErrorCode, MD5, SHA256 string }
	if err := json.Unmarshal(frame, &out); err != nil || out.ErrorCode != "NONE" || out.SHA256 != h.view.Documents[0].Digest || len(out.MD5) != 32 {
		t.Fatalf("%v %s %s %s", err, out.ErrorCode, out.MD5, out.SHA256)
	}
	der, err := base64.StdEncoding.DecodeString(out.Result)
	if err != nil {
		t.Fatal(err)
	}
	detached, inside := withoutContent(t, der)
	sd, err := cms.Parse(detached)
	if err != nil || inside != size {
		t.Fatalf("%v, %d bytes inside", err, inside)
	}
	if verdicts, err := sd.VerifyReader(&zeros{size}); err != nil || len(verdicts) != 1 || verdicts[0].Err != nil {
		t.Errorf("%v %v", verdicts, err)
	}

	size = maxNamed + 1
	for _, told = range []bool{true, false} {
		s.send(request)
		b.window().decide(Decision{})
		if got := s.read(); got != `{"errorCode":2}` {
			t.Errorf("with a length %v: %s", told, got)
		}
	}
	size = maxWhole + 1
	s.send(request)
	b.window().decide(Decision{})
	b.window()
	_ = s.c.CloseNow()
	becomes(t, func() bool { return b.spools() == 0 })
}

// withoutContent takes the content, which is of zeros, out of a message: ours are not parsed above 64 MiB.
func withoutContent(t *testing.T, der []byte) (detached []byte, size int64) {
	t.Helper()
	var info struct {
		Type   asn1.ObjectIdentifier
		Signed struct {
			Version int
			Digests asn1.RawValue
			Content struct {
				Type    asn1.ObjectIdentifier
				Content []byte `asn1:"explicit,optional,tag:0"`
			}
			Certificates asn1.RawValue
			Signers      asn1.RawValue
		} `asn1:"explicit,tag:0"`
	}
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		t.Fatal(err)
	}
	size = int64(len(info.Signed.Content.Content))
	if i := bytes.IndexFunc(info.Signed.Content.Content, func(r rune) bool { return r != 0 }); i >= 0 {
		t.Errorf("another byte at %d", i)
	}
	info.Signed.Content.Content = nil
	detached, err := asn1.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	return detached, size
}

// TestNURSignUnread: what is too long to be read whole shows its beginning, and no sign-in is signed that way.
func TestNURSignUnread(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	content := strings.Repeat("әріп ", maxWhole/8)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, content) }))
	defer server.Close()
	b.agent.downloader = server.Client()
	s := b.dial(server.URL)
	request := `{"module":"NURSign","type":"binary","source":"remote","upload_url":` + quote(server.URL+"/") + `}`
	s.send(request)
	b.window().decide(Decision{})
	h := b.window()
	if d := h.view.Documents[0]; d.Kind != "text" || !d.Cut || !strings.HasPrefix(d.Text, "әріп әріп") || strings.ContainsRune(d.Text, '�') || len(d.Text) > maxShown {
		t.Errorf("%s %v %d", d.Kind, d.Cut, len(d.Text))
	}
	h.cancel()
	if got := s.read(); got != `{"errorCode":1}` {
		t.Errorf("%s", got)
	}
	for _, content = range []string{challenge(server.URL) + strings.Repeat("\n", maxWhole+1), challenge("https://victim.kz")} {
		s.send(request)
		b.window().decide(Decision{})
		if h = b.window(); h.view.Kind != "refused" {
			t.Errorf("%+v", h.view)
		}
		h.decide(Decision{})
		if got := s.read(); got != `{"errorCode":10}` {
			t.Errorf("%s", got)
		}
	}
	// A message gets one more signature, up to what memory is given to it.
	content = "\x30\x84\x10\x00\x00\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" + strings.Repeat("x", maxCosign)
	s.send(request)
	b.window().decide(Decision{})
	if got := s.read(); got != `{"errorCode":2}` {
		t.Errorf("%s", got)
	}
}

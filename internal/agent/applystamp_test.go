package agent

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestStampManyCanBeCanceled: many messages are time-stamped in steps; the window says how far it is, answers
// meanwhile, and ends at once when the person cancels, though a service is silent.
func TestStampManyCanBeCanceled(t *testing.T) {
	b, service := bringStamping(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	var asked atomic.Int32
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 3 {
			service.answer(w, r)
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			<-r.Context().Done() // silent
		}
	}))
	defer slow.Close()
	s := b.dial(page)
	plain := object[string](t, b.sign(s, commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",`+quote(base64.StdEncoding.EncodeToString([]byte("договор")))+`,true`), ""))
	b.agent.config.Stamps[hex.EncodeToString(b.authority.CA.SubjectKeyID)] = slow.URL
	const all = maxDocuments + 2
	s.send(commonCall("applyCAdEST", `"PKCS12","SIGNATURE",[`+strings.TrimSuffix(strings.Repeat(quote(plain)+",", all), ",")+`]`))
	h := b.window()
	if h.view.Count != all || h.view.More == "" || len(h.view.Documents) != all || h.view.Documents[all-1].Digest == "" {
		t.Errorf("%d of %d are shown, %q", len(h.view.Documents), h.view.Count, h.view.More)
	}
	var so ending
	for so.At < 2 {
		if status := h.post("/decide", Decision{}, &so); status != 200 || so.Done || so.Of != all {
			t.Fatalf("%d %+v", status, so)
		}
	}
	from := time.Now()
	if status := h.post("/alive", map[string]any{}, nil); status != 200 {
		t.Errorf("alive: %d", status)
	}
	h.cancel()
	if got := s.read(); got != canceledReply {
		t.Errorf("%s", got)
	}
	if took := time.Since(from); took > stampTime/2 {
		t.Errorf("canceled after %v", took)
	}
}

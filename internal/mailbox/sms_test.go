package mailbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"senim/internal/ident"
	"senim/internal/notice"
)

// Short messages have a list of their own, newest first, also after a start.
func TestShortMessagesAreShown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "letters.json")
	b, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for phone, text := range map[ident.Phone]string{"+77011234567": "Senim: код 123456 для <входа>. Никому не сообщайте."} {
		for range 2 {
			if _, o := b.Send(t.Context(), notice.Short{Ref: "0123456789abcdef", To: phone, Text: text}); o.State != notice.Sent {
				t.Fatalf("%+v", o)
			}
		}
	}
	if b, err = Open(path, nil); err != nil {
		t.Fatal(err)
	}
	if _, o := b.Send(t.Context(), notice.Short{To: "+77017654321", Text: "another"}); o.State != notice.Sent {
		t.Fatalf("%+v", o)
	}
	get := func(path, tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("Accept-Language", tag)
		w := httptest.NewRecorder()
		b.Handler().ServeHTTP(w, r)
		return w
	}
	for _, tag := range []string{"kk", "ru", "en"} {
		body := get("/sms", tag).Body.String()
		if first, second := strings.Index(body, "another"), strings.Index(body, "код 123456 для &lt;входа&gt;"); first < 0 || second < first || !strings.Contains(body, "77011234567") {
			t.Errorf("%s: %s", tag, body)
		}
		if !strings.Contains(get("/", tag).Body.String(), `href="/sms"`) {
			t.Errorf("%s: the letters do not lead to the short messages", tag)
		}
	}
	var all []SMS
	if err := json.Unmarshal(get("/sms.json?to=%2B77011234567", "").Body.Bytes(), &all); err != nil || len(all) != 2 || all[0].ID != 2 || all[0].To != "+77011234567" {
		t.Errorf("%v %+v", err, all)
	}
	if info, err := os.Stat(filepath.Join(filepath.Dir(path), "sms.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	b.path = filepath.Join(t.TempDir(), "none", "letters.json")
	if _, o := b.Send(t.Context(), notice.Short{To: "+77017654321", Text: "lost"}); o.State != notice.Throttled || len(b.Texts("")) != 3 {
		t.Errorf("one that cannot be kept: %+v", o)
	}
}

package ask

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestPost(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != TSP.Question || r.Header.Get("Accept") != TSP.Answer:
			w.WriteHeader(http.StatusBadRequest)
		case r.URL.Path == "/elsewhere":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case r.URL.Path == "/echo":
			_, _ = w.Write(body)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer server.Close()
	for _, tt := range []struct {
		path  string
		size  int
		fails string
	}{
		{"/echo", 10, ""},
		{"/echo", 0, ""},
		{"/echo", 11, "more than 10 bytes"},
		{"/echo", 1 << 20, "more than 10 bytes"},
		{"/nothing", 1, "answers 204"},
		{"/elsewhere", 1, "answers 307"},
	} {
		question := bytes.Repeat([]byte("q"), tt.size)
		got, err := Post(t.Context(), Client(), server.URL+tt.path, TSP, question, 10)
		if tt.fails == "" {
			if err != nil || !bytes.Equal(got, question) {
				t.Errorf("%s: %q, %v", tt.path, got, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%s of %d: %v, want %s", tt.path, tt.size, err, tt.fails)
		}
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Post(ended, Client(), server.URL+"/echo", TSP, nil, 10); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "Post") {
		t.Errorf("an ended context: %v", err)
	}
}

package caapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/access"
	"senim/internal/caapi/client"
)

func everything(name string) access.Client { return access.Client{Name: name, Rights: access.Rights()} }

// TestLostAnswer: the connection is cut after the authority did what was asked; the client asks again
// and there is one certificate, one revocation, one voice.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	_, key := s.client(t, access.Client{})
	api := s.Config.Handler
	var lost atomic.Int64
	cutting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && lost.Add(1)%3 != 0 { // two answers of three are lost
			api.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		api.ServeHTTP(w, r)
	}))
	defer cutting.Close()
	open := func(tries int) *client.Client {
		c, err := client.New(client.Config{URL: cutting.URL, Key: key, Tries: tries, Pause: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	o, _ := order(t)
	made, err := open(3).Issue(t.Context(), "A-1", o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(1).Issue(t.Context(), "A-1", o); err == nil {
		t.Fatal("an answer that was cut off was read")
	} else if _, ok := errors.AsType[*client.Problem](err); ok {
		t.Errorf("a lost answer is told as a refusal: %v", err)
	}
	lost.Store(0)
	if _, err := open(3).Revoke(t.Context(), made.Serial, "V-1", client.RevokeRequest{Reason: "superseded"}); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	records, err := s.store.AuditRecords(t.Context(), "test", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		counts[r.Action]++
	}
	if counts["ca.issued"] != 1 || counts["ca.revoked"] != 1 {
		t.Errorf("%v", counts)
	}
	if got := s.do(t, "POST", "/ca/v1/certificates", key, o, "Idempotency-Key", "A-1"); got.StatusCode != http.StatusOK || got.Header.Get("Idempotent-Replayed") == "" {
		t.Errorf("again: %s", got.Status)
	}
}

// TestWhatTheClientTries: it waits as it is told, gives refusals back at once, and keeps its key from a
// network in the open.
func TestWhatTheClientTries(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	answers := []func(w http.ResponseWriter){
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) },
		func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(http.StatusFound)
		},
	}
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answers[min(int(calls.Add(1))-1, 1)](w) }))
	defer busy.Close()
	c, err := client.New(client.Config{URL: busy.URL, Key: "k", Tries: 5, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Profiles(t.Context())
	if p, ok := errors.AsType[*client.Problem](err); !ok || p.Code != "HTTP_302" || calls.Load() != 2 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
	for _, address := range []string{"http://ca.example.kz", "ca.example.kz", "https://ca.example.kz/path", "ftp://ca", ""} {
		if _, err := client.New(client.Config{URL: address, Key: "k"}); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}

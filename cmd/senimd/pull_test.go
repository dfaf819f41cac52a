package main

import (
	"bytes"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"senim/internal/registry"
)

// TestServerPullsByItself: the server fetches a signed batch from an https address when its clock passes a slot of the
// calendar, and the portal's page of the sources says that it was late until then.
func TestServerPullsByItself(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	signer := batchSigner(t, dir)
	var asked atomic.Int32
	var files atomic.Pointer[http.Handler]
	place := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if f := files.Load(); f != nil {
			(*f).ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(place.Close)
	settings := t.TempDir()
	trusted, roots := filepath.Join(settings, "signer.cer"), filepath.Join(settings, "roots.pem")
	for name, b := range map[string][]byte{trusted: signer.Certificate.Raw, roots: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: place.Certificate().Raw})} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pulling := []string{"-registry.pull", "kgd=" + place.URL + "/manifest.json", "-registry.pull_roots", roots}
	if _, err := try(t, dir, pulling...); err == nil || !strings.Contains(err.Error(), "-registry.trusted_signers") {
		t.Errorf("batches are fetched and nobody may sign: %v", err)
	}
	_, c, err := parse(append([]string{"-data", dir, "-cabinet", "127.0.0.1:0", "-portal", "127.0.0.1:0", "-responder", "127.0.0.1:0", "-mailbox", "127.0.0.1:0",
		"-mailbox.smtp", "127.0.0.1:0", "-registry.trusted_signers", trusted, "-registry.guard.ended", "100", "-registry.load_days", "sun,mon,tue,wed,thu,fri,sat"}, pulling...), &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	var ahead atomic.Int64
	s, err := open(t.Context(), c, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	ahead.Store(int64(24 * time.Hour)) // a slot has passed since the cast was loaded
	delayed := func() bool {
		t.Helper()
		answer := httptest.NewRecorder()
		for _, one := range s.sites {
			if one.name == "portal" {
				one.handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.c.portal.origin+"/registry-status", nil))
			}
		}
		_, rest, found := strings.Cut(answer.Body.String(), `data-source="kgd"`)
		section, _, _ := strings.Cut(rest, "</section>")
		if !found {
			t.Fatalf("%d: the page does not name the source", answer.Code)
		}
		return strings.Contains(section, "задерживается")
	}
	taken := func() bool {
		return s.book.Taxpayer(t.Context(), "123456789011").Value.NameRU == "ИП ПО РАСПИСАНИЮ"
	}
	if err := s.pulls.Try(t.Context(), registry.SourceTax); err != nil {
		t.Fatal(err)
	}
	if asked.Load() != 1 || taken() || !delayed() {
		t.Errorf("nothing lies at the address; it was asked %d times, and the page says that the load is late: %t", asked.Load(), delayed())
	}
	const csv = "tin;type;name_ru;ip_from\n123456789011;INDIVIDUAL_ENTREPRENEUR;ИП ПО РАСПИСАНИЮ;2024-01-10\n"
	batch := http.FileServer(http.Dir(writeBatch(t, signer, time.Now().Add(-time.Minute), csv)))
	files.Store(&batch)
	ahead.Add(int64(2 * time.Minute))
	served(t, s)
	for begin, tick := time.Now(), time.NewTicker(50*time.Millisecond); !taken(); <-tick.C {
		if time.Since(begin) > 20*time.Second {
			t.Fatal("the server does not fetch by itself")
		}
	}
	if delayed() {
		t.Error("the load came, and the page says that it is late")
	}
}

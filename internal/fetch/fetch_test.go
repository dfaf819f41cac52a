package fetch

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const manifest = `{"format":"senim-registry/1","source":"kgd","kind":"full","as_of":"2026-03-02T05:30:00+05:00","files":[{"name":"banks.csv","rows":0,` +
	`"sha256":"0000000000000000000000000000000000000000000000000000000000000000"}],"signature":"manifest.p7s"}`

func TestPlaces(t *testing.T) {
	for _, place := range []string{"", "relative", "http://a.kz/manifest.json", "ftp://a.kz/manifest.json", "https:///manifest.json", "https://a.kz/", "https://a.kz/batch.zip",
		"https://u:p@a.kz/manifest.json", "https://a.kz/manifest.json?token=1", "https://a.kz/manifest.json#x"} {
		if _, err := New(place, Config{}); err == nil {
			t.Errorf("%q is taken for a place", place)
		} else if strings.Contains(err.Error(), "u:p") {
			t.Errorf("the error repeats what stands in the address")
		}
	}
}

// served is a server over TLS, and a place that trusts it.
func served(t *testing.T, c Config, f http.HandlerFunc) (*httptest.Server, func() (*offer, error)) {
	t.Helper()
	server := httptest.NewTLSServer(f)
	t.Cleanup(server.Close)
	if c.Roots == nil {
		c.Roots = x509.NewCertPool()
		c.Roots.AddCert(server.Certificate())
	}
	return server, func() (*offer, error) {
		origin, err := New(server.URL+"/kgd/manifest.json", c)
		if err != nil {
			t.Fatal(err)
		}
		o, err := origin.Open(t.Context())
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { _ = o.Close() })
		return o.(*offer), nil
	}
}

func TestSiteBounds(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	var file http.HandlerFunc
	_, open := served(t, Config{File: 1000, Silence: 200 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/kgd/manifest.json":
			_, _ = io.WriteString(w, manifest)
		case "/kgd/manifest.p7s":
			_, _ = io.WriteString(w, "signature")
		case "/kgd/banks.csv":
			file(w, r)
		default:
			t.Errorf("asked for %s", r.URL.Path)
		}
	})
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		ok     bool
		passes bool // the trouble is not the file's
	}{
		"whole":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1000)) }, true, false},
		"too long":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1001)) }, false, false},
		"not there": {http.NotFound, false, false},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, false, true},
		"trouble":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, false, true},
		"broken off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "900")
			_, _ = w.Write(make([]byte, 800))
		}, false, true},
		"silent": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(make([]byte, 10))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			file = tt.answer
			o, err := open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := fs.ReadFile(o, "banks.csv")
			if (err == nil) != tt.ok || (o.Err() != nil) != tt.passes || tt.ok && len(b) != 1000 {
				t.Errorf("%d bytes, %v, passing: %v", len(b), err, o.Err())
			}
			for _, name := range []string{"../other", "/etc/passwd", "a/b", "%2e%2e"} {
				if _, err := o.Open(name); !errors.Is(err, fs.ErrInvalid) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// The manifest stays what it was when the batch was opened.
func TestSiteManifestStays(t *testing.T) {
	var asked atomic.Int32
	_, open := served(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); _, _ = io.WriteString(w, manifest) })
	o, err := open()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if b, err := fs.ReadFile(o, "manifest.json"); err != nil || string(b) != manifest {
			t.Errorf("%q %v", b, err)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times, not for the manifest and its signature once", asked.Load())
	}
}

func TestSiteOpens(t *testing.T) {
	_, open := served(t, Config{}, http.NotFound)
	if _, err := open(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no manifest: %v", err)
	}
	_, open = served(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "p7s") {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, manifest)
	})
	if _, err := open(); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no signature where the manifest names one: %v", err)
	}
	_, open = served(t, Config{Manifest: 10}, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, manifest) })
	if _, err := open(); err == nil {
		t.Error("a manifest beyond the bound is taken")
	}
	_, open = served(t, Config{Roots: x509.NewCertPool()}, func(http.ResponseWriter, *http.Request) { t.Error("a stranger was asked") })
	if _, err := open(); err == nil {
		t.Error("a server of an unknown authority is trusted")
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret")
	origin, err := New(dir, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := origin.Open(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	for path, text := range map[string]string{secret: "x", filepath.Join(dir, "manifest.json"): manifest} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(secret, filepath.Join(dir, "banks.csv")); err != nil {
		t.Fatal(err)
	}
	o, err := origin.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := fs.ReadFile(o, "manifest.json"); err != nil || string(b) != manifest || o.Err() != nil {
		t.Errorf("%q %v", b, err)
	}
	if _, err := fs.ReadFile(o, "banks.csv"); err == nil {
		t.Error("a link leads out of the folder")
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	gone, err := New(filepath.Join(dir, "gone"), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.Open(context.Background()); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there looks like one without a batch: %v", err)
	}
}

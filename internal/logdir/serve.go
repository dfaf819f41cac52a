package logdir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"regexp"
	"strings"

	"senim/internal/tlog"
)

// Fetch reads the files of a log's folder.
func Fetch(dir string) tlog.Fetch {
	return func(name string) ([]byte, error) {
		if !public.MatchString(name) {
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		defer root.Close() //nolint:errcheck // only read
		return root.ReadFile(name)
	}
}

// public are the paths of a log; nothing else is read, however it is asked for.
var public = regexp.MustCompile(`^(checkpoint|tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/(x[0-9]{3}/){0,6}[0-9]{3}(\.p/[1-9][0-9]{0,2})?)$`)

// Service is what is served beside the files.
type Service struct {
	Files tlog.Fetch
	// Key is the log's public key.
	Key string
	// Health is written as JSON; ok is false while the log does not do what it should.
	Health func() (state any, ok bool)
}

// Handler serves a log below prefix, as "/log/": its files, its key, its health. Full tiles never
// change and may be kept for ever; the checkpoint is a second old at most.
func (s Service) Handler(prefix string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"{path...}", s.file)
	mux.HandleFunc("GET "+prefix+"key", func(w http.ResponseWriter, _ *http.Request) {
		head(w, "text/plain; charset=utf-8", "public, max-age=3600")
		_, _ = fmt.Fprintln(w, s.Key)
	})
	mux.HandleFunc("GET "+prefix+"health", func(w http.ResponseWriter, _ *http.Request) {
		state, ok := s.Health()
		head(w, "application/json", "no-store")
		if !ok {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(state) // nobody to tell
	})
	return mux
}

func head(w http.ResponseWriter, kind, keep string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", keep)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*") // pages of others may check proofs: everything is public
}

func (s Service) file(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("path")
	if path.Clean(name) != name {
		http.NotFound(w, r)
		return
	}
	b, err := s.Files(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.Header().Set("Cache-Control", "no-store") // it may be there in a second
		http.NotFound(w, r)
		return
	case err != nil:
		http.Error(w, "the log cannot be read now", http.StatusServiceUnavailable)
		return
	}
	switch {
	case name == "checkpoint":
		head(w, "text/plain; charset=utf-8", "public, max-age=1")
	case strings.Contains(name, ".p/"):
		head(w, "application/octet-stream", "public, max-age=3600") // its content is fixed, but it makes room for the full one
	default:
		head(w, "application/octet-stream", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(b) // the reader may be gone
}

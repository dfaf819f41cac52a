// Package assets holds the built style sheet, script and mark of our sites and serves them.
//
// The sources are in src (npm ci && npm run build writes dist); dist is committed and embedded.
// [Load] names every file by its content, so that browsers may keep it for ever; [Files.Path]
// gives the address of a file. Only files of dist are served, with fixed types.
package assets

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// Prefix is the path under which files are served.
const Prefix = "/assets/"

//go:embed dist
var dist embed.FS

// types are the only kinds of files served.
var types = [...]struct{ ext, mime string }{
	{".css", "text/css; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".svg", "image/svg+xml"},
}

type file struct {
	mime string
	body []byte
}

// Files serves the assets. It is immutable and safe for concurrent use.
type Files struct {
	paths map[string]string // "senim.css" to "/assets/senim.1a2b3c4d5e6f7a8b.css"
	files map[string]file   // by served path
}

// Load reads the embedded files and names them.
func Load() (*Files, error) {
	entries, err := dist.ReadDir("dist")
	if err != nil {
		return nil, fmt.Errorf("read assets: %w", err)
	}
	f := &Files{paths: map[string]string{}, files: map[string]file{}}
	for _, e := range entries {
		mime := ""
		for _, t := range types {
			if path.Ext(e.Name()) == t.ext {
				mime = t.mime
			}
		}
		if mime == "" {
			continue
		}
		body, err := dist.ReadFile("dist/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("read assets: %w", err)
		}
		sum := sha256.Sum256(body)
		base := strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
		at := Prefix + base + "." + hex.EncodeToString(sum[:8]) + path.Ext(e.Name())
		f.paths[e.Name()] = at
		f.files[at] = file{mime: mime, body: body}
	}
	return f, nil
}

// Path gives the address of a file by its name in dist; empty when there is none.
func (f *Files) Path(name string) string { return f.paths[name] }

// ServeHTTP answers with a file, which never changes under its name.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got, ok := f.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", got.mime)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(got.body) // the reader went away: nothing to do
}

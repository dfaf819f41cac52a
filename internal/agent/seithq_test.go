package agent

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"senim/internal/headless"
)

// attend is a person who does what each window asks, and counts the windows by kind.
func (b *bench) attend(ctx context.Context, key, file string, seen map[string]int) {
	for {
		select {
		case <-ctx.Done():
			return
		case url := <-b.windows:
			b.windows <- url
			h := b.window()
			seen[h.view.Kind]++
			d := Decision{}
			switch h.view.Kind {
			case "choose":
				d.File = file
				if len(h.view.Wants) > 0 {
					d.File = key
				}
			case "info", "sign":
				d.Key = h.row("").ID
				if h.row("").State != "unlocked" {
					d.Key = h.unlock("")
				}
			}
			h.decide(d)
		}
	}
}

// TestSeithq runs the whole public interface of an old, unmodified client library in a browser: twenty
// methods, each with a password argument that is junk.
func TestSeithq(t *testing.T) {
	chromium, err := headless.Path()
	if err != nil {
		t.Skip(err.Error() + ": @seithq/ncalayer did not run")
	}
	dist := filepath.Join(packages(t, "seithq"), "node_modules", "@seithq", "ncalayer", "dist")
	b := bring(t)
	person := b.authority.Individual()
	b.key("GOST512_a.p12", person)
	key, file := filepath.Join(b.folder, "GOST512_a.p12"), filepath.Join(b.folder, "договор.txt")
	if err := os.WriteFile(file, []byte("договор"), 0o600); err != nil {
		t.Fatal(err)
	}
	type answer struct {
		Method, Code string
		Result       any
		OK           bool
	}
	got := make(chan struct {
		Said  []answer
		Error string
	}, 1)
	mux := http.NewServeMux()
	mux.Handle("/dist/", http.StripPrefix("/dist/", http.FileServer(http.Dir(dist))))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<!doctype html><meta charset="utf-8"><title>An old portal</title><script src="/run.js"></script>`)
	})
	mux.HandleFunc("/run.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join("testdata", "seithq", "run.js"))
	})
	mux.HandleFunc("/setup", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"agent": "ws://" + b.agent.Addr() + "/", "folder": b.folder, "key": key, "file": file})
	})
	mux.HandleFunc("/done", func(_ http.ResponseWriter, r *http.Request) {
		var all struct {
			Said  []answer
			Error string
		}
		if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
			all.Error = err.Error()
		}
		got <- all
	})
	pages := httptest.NewServer(mux)
	defer pages.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	profile, err := os.MkdirTemp("", "senim-seithq-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // the browser may still be writing
	c := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir="+profile, "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", pages.URL+"/")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	seen := map[string]int{}
	attended := make(chan struct{})
	watch, rest := context.WithCancel(ctx)
	go func() { defer close(attended); b.attend(watch, key, file, seen) }()
	var all struct {
		Said  []answer
		Error string
	}
	select {
	case all = <-got:
	case <-ctx.Done():
		t.Fatal("the page told nothing")
	}
	rest()
	<-attended
	results := map[string]any{}
	for _, a := range all.Said {
		results[a.Method] = a.Result
		if !a.OK {
			t.Errorf("%s: %v %s", a.Method, a.Result, a.Code)
		}
	}
	if all.Error != "" || len(results) != 22 { // twenty methods, the greeting, the paths
		t.Fatalf("%s: %d of 22: %+v", all.Error, len(results), all.Said)
	}
	for _, m := range []string{"verifyPlainData", "verifyCMSSignature", "verifyCMSSignatureFromFile", "verifyXml", "verifyXmlByElementId"} {
		if results[m] != true {
			t.Errorf("%s: %v", m, results[m])
		}
	}
	if results["greeting"] != "1.4" || results["getSubjectDN"] != person.Certificate.Subject.String() {
		t.Errorf("%v", results)
	}
	if seen["choose"] != 2 || seen["info"] != 1 || seen["sign"] != 5 || len(seen) != 3 {
		t.Errorf("windows: %v", seen)
	}
}

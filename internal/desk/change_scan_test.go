package desk_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"senim/internal/audit"
	"senim/pki"
)

// A change of head carries the scan of its document: one that is no scan is refused beside its field, what was typed
// stays; the second clerk gets the very file as a download, it is recorded. A draft's is its clerk's
// own.
func TestScanOfAChange(t *testing.T) {
	w := newWorld(t)
	one, two := w.person(clerkOne, authorityBIN, pki.RoleOperator), w.person(clerkTwo, authorityBIN, pki.RoleOperator)
	one.signIn()
	two.signIn()
	one.get("/desk/registry/new").has(t, 200, `type="file"`, `enctype="multipart/form-data"`)
	for code, scan := range map[string][]byte{
		"Приложите скан": nil,
		"PDF":            []byte("<html><script>alert(1)</script>"),
		"5 МБ":           append([]byte("%PDF-"), make([]byte, 5<<20)...),
	} {
		one.upload("/desk/registry/new", form(), scan).has(t, 422, `id="scan-error"`, code, `value="№ 7"`)
	}
	paper := []byte("%PDF-1.7 решение <script>alert(1)</script> № 7")
	draft := one.upload("/desk/registry/new", form(), paper)
	draft.has(t, 200, `data-state="draft"`, draft.path+"/scan", "SHA-256 начинается с")
	two.get(draft.path+"/scan").has(t, 404)
	one.post(draft.path, url.Values{"act": {"record"}, "answer": {one.agent(draft)}}).has(t, 200, `data-state="waiting"`)
	two.get(draft.path).has(t, 200, draft.path+"/scan")
	r, err := two.client.Get(w.site.URL + draft.path + "/scan")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	got, err := io.ReadAll(r.Body)
	if err != nil || !bytes.Equal(got, paper) || r.StatusCode != http.StatusOK {
		t.Errorf("%d %q %v", r.StatusCode, got, err)
	}
	if kind, how := r.Header.Get("Content-Type"), r.Header.Get("Content-Disposition"); kind != "application/octet-stream" || !strings.HasPrefix(how, "attachment") || !strings.Contains(how, ".pdf") {
		t.Errorf("given as %q, %q", kind, how)
	}
	c, err := w.book.Change(t.Context(), strings.TrimPrefix(draft.path, "/desk/registry/"))
	if err != nil || !strings.Contains(string(c.MadeXML), "<documentScan>"+c.Scan.Hash+"</documentScan>") {
		t.Errorf("the clerk did not sign for the scan: %v", err)
	}
	records, err := w.store.AuditRecords(t.Context(), w.store.Node(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"registry.clerk.scan_read", "registry.clerk.change.made"} {
		if !slices.ContainsFunc(records, func(r audit.Record) bool { return r.Action == action && r.Detail["scan"] == c.Scan.Hash }) {
			t.Errorf("%s does not name the scan", action)
		}
	}
	two.post(draft.path, url.Values{"act": {"confirm"}, "answer": {two.agent(two.get(draft.path))}}).has(t, 200, `data-state="confirmed"`, draft.path+"/scan")
}

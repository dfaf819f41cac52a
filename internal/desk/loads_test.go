package desk_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/desk"
	"senim/internal/registry"
	"senim/pki"
)

// withLoads is a desk that takes batches.
func withLoads(t *testing.T) (*world, *registry.Importer) {
	t.Helper()
	var imp *registry.Importer
	w := newWorldOf(t, func(c *desk.Config) {
		var err error
		imp, err = registry.NewImporter(registry.ImportConfig{Book: c.Book, Judge: c.Judge, Node: "desk"})
		if err != nil {
			t.Fatal(err)
		}
		c.Imports = imp
	})
	return w, imp
}

// pack is a zip of one batch of legal entities.
func pack(t *testing.T, kind string, asOf time.Time, csv string) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(csv))
	manifest, err := json.Marshal(map[string]any{"format": "senim-registry/1", "source": "gbdul", "kind": kind, "as_of": asOf.Format(time.RFC3339),
		"files": []map[string]any{{"name": "legal_entities.csv", "rows": strings.Count(csv, "\n") - 1, "sha256": hex.EncodeToString(sum[:])}}})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string][]byte{"manifest.json": manifest, "legal_entities.csv": []byte(csv)} {
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (p *person) uploadBatch(path, field string, content []byte) page {
	p.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	f, err := form.CreateFormFile(field, "batch.zip")
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		p.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		p.t.Fatal(err)
	}
	r, err := p.client.Post(p.site.URL+path, form.FormDataContentType(), &b)
	return p.read(r, err)
}

const loadHeader = "bin;kind;name_ru;reg_status;reg_date;leader_iin;leader_surname;appointed_on\n"

// TestSourcesHaveNames: an operator reads the names of registries, and not their codes, in every language.
func TestSourcesHaveNames(t *testing.T) {
	w := newWorld(t)
	for _, source := range []string{registry.SourceTax, registry.SourceMobile} {
		if _, _, err := w.book.Load(t.Context(), registry.Batch{Source: source, Full: true, AsOf: time.Now().Add(-time.Minute), Operator: "system"}); err != nil {
			t.Fatalf("load %s: %v", source, err)
		}
	}
	one := w.person(clerkOne, authorityBIN, pki.RoleOperator)
	one.signIn()
	for tag, names := range map[string][]string{"ru": {", КГД,", ", БМГ,", ", ГБД ЮЛ,"}, "kk": {", МКК", ", МАБ"}, "en": {", State Revenue Committee", ", Mobile citizens base"}} {
		p := one.get("/desk/registry?lang=" + tag)
		p.has(t, 200, names...)
		for _, source := range registry.Sources() {
			if strings.Contains(p.body, ", "+source) {
				t.Errorf("in %s the operator reads %q", tag, source)
			}
		}
	}
}

// A batch by hand: what of it was refused and why is shown and downloaded; one that changes too much waits for
// another operator.
func TestR10LoadsByTwoOperators(t *testing.T) {
	w, imp := withLoads(t)
	one, two := w.person(clerkOne, authorityBIN, pki.RoleOperator), w.person(clerkTwo, authorityBIN, pki.RoleOperator)
	one.signIn()
	two.signIn()
	one.get("/desk/loads").has(t, 200, `type="file"`)
	one.uploadBatch("/desk/loads", "batch", []byte("no zip")).has(t, 422, "govuk-error-summary", `id="batch-error"`)
	one.post("/desk/loads", url.Values{}).has(t, 422, `id="batch-error"`)

	csv := loadHeader + fmt.Sprintf("%s;LE;АО «ТЕСТ»;ACTIVE;2012-04-05;%s;ТЕСТОВ;%s\n", company, newHead, registry.DateOf(time.Now())) +
		"12345;LE;ТОО «СЕКРЕТ»;ACTIVE;2012-04-05;;;\n"
	held := one.uploadBatch("/desk/loads", "batch", pack(t, "full", time.Now().Add(-time.Minute).UTC(), csv))
	held.has(t, 200, `data-state="waiting"`, "/refused.csv", `value="confirm"`)
	rows := two.get(held.path + "/refused.csv")
	rows.has(t, 200, "legal_entities;3;bin;ROW_BAD_NUMBER;0;")
	if strings.Contains(rows.body, "12345") || strings.Contains(rows.body, "СЕКРЕТ") {
		t.Error("what stands in a row is told")
	}
	one.post(held.path, url.Values{"act": {"confirm"}}).has(t, 422, "SAME_CLERK")
	if w.head() != oldHead {
		t.Error("what waits is in force")
	}
	two.get("/desk/loads").has(t, 200, held.path)
	two.get("/desk/registry").has(t, 200, held.path) // said on every page
	two.post(held.path, url.Values{"act": {"confirm"}}).has(t, 200, `data-state="confirmed"`)
	if n, err := imp.Tick(t.Context()); err != nil || n != 1 {
		t.Fatalf("%d %v", n, err)
	}
	one.get(held.path).has(t, 200, `data-state="accepted"`)
	if strings.Contains(two.get("/desk/registry").body, held.path) {
		t.Error("still said when it is in force")
	}
	if w.head() != newHead {
		t.Error("what was confirmed is not in force")
	}
	one.post(held.path, url.Values{"act": {"reject"}}).has(t, 422, "CHANGE_STATE")
	broken := one.uploadBatch("/desk/loads", "batch", pack(t, "full", time.Now().UTC(), strings.Replace(csv, "bin;", "bin;salary;", 1)))
	broken.has(t, 200, `data-state="refused"`, "salary")
	for _, path := range []string{"/desk/loads/99", "/desk/loads/x", "/desk/loads/99/refused.csv"} {
		one.get(path).has(t, 404)
	}
	for _, path := range []string{"/desk/loads", held.path, broken.path} {
		for _, tag := range []string{"kk", "ru", "en"} {
			p := one.get(path + "?lang=" + tag)
			p.has(t, 200, `lang="`+tag+`"`)
			if strings.Contains(p.body, "[load.") || strings.Contains(p.body, "[desk.") {
				t.Errorf("%s %s: a text is missing", path, tag)
			}
		}
	}
}

// A clerk who is himself the new head, or the old one.
func TestR24ClerkIsTheNewHead(t *testing.T) {
	w := newWorld(t)
	for _, iin := range []string{newHead, oldHead} {
		party := w.person(iin, authorityBIN, pki.RoleOperator)
		party.signIn()
		party.upload("/desk/registry/new", form(), []byte("%PDF-1.7")).has(t, 422, "CLERK_PARTY")
	}
	if w.head() != oldHead {
		t.Error("the head changed")
	}
}

// A clerk signs with a colleague's key, or with one that an operator of another organisation has: refused and recorded.
func TestR32ClerkSignsWithAnotherKey(t *testing.T) {
	w := newWorld(t)
	one, two := w.person(clerkOne, authorityBIN, pki.RoleOperator), w.person(clerkTwo, authorityBIN, pki.RoleOperator)
	elsewhere := w.person(clerkOne, company, pki.RoleOperator)
	one.signIn()
	two.signIn()
	draft := one.upload("/desk/registry/new", form(), []byte("%PDF-1.7"))
	for _, c := range []struct {
		by   *person
		code string
	}{{two, "CERT_OTHER_PERSON"}, {elsewhere, "NOT_A_CLERK"}} {
		one.post(draft.path, url.Values{"act": {"record"}, "answer": {c.by.agent(one.get(draft.path))}}).has(t, 422, c.code)
		all, err := w.store.AuditRecords(t.Context(), w.store.Node(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		last := all[len(all)-1]
		if last.Action != "registry.clerk.change.refused" || last.Result != c.code {
			t.Errorf("recorded: %s %s", last.Action, last.Result)
		}
	}
	one.get(draft.path).has(t, 200, `data-state="draft"`)
}

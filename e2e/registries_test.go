package e2e

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"senim/internal/auth"
	"senim/internal/desk"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/registry"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// TestR14LoadIsLateInBrowser: Wednesday's load is missing at noon; the page of registries says so, and of when what is
// shown is. It is looked at.
func TestR14LoadIsLateInBrowser(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, nil)
	monday := w.time().In(lang.Astana)
	for monday.Weekday() != time.Monday {
		monday = monday.AddDate(0, 0, 1)
	}
	noon := time.Date(monday.Year(), monday.Month(), monday.Day(), 12, 0, 0, 0, lang.Astana)
	date := func(n int) string { return noon.AddDate(0, 0, n).Format("02.01.2006") }
	w.set(func() { w.now = noon })
	w.heads(iinA, "")
	v := w.visitor(t).at("/registry-status")
	v.sees("принята "+date(0), "вовремя", "Следующая загрузка ср "+date(2)+", 06:00")
	w.pass(48 * time.Hour)
	v.at("/registry-status").sees("принята "+date(0), "ожидалась ср "+date(2)+", 06:00, задерживается", "Следующая загрузка пт "+date(4))
	lookingWith(t, v.tab).lookAfter("late", func() { v.at("/registry-status") })
}

// The clerks' organisation and the clerks.
const (
	binDesk        = "009940000006"
	clerk1, clerk2 = iinC, "009900000008"
	loadHeader     = "bin;kind;name_ru;reg_status;reg_date;leader_iin;leader_surname;appointed_on\n"
	loadOfX        = binX + ";LE;АО «ТЕСТ»;ACTIVE;2012-04-05;" + iinA + ";ТЕСТТОВ;2020-06-01\n"
)

// desk opens the clerks' site over the world's registry.
func (w *world) desk() (string, *registry.Importer) {
	w.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
	origin := "http://localhost:" + port
	judge, err := trust.New(trust.Config{Pool: w.authority.Pool(), Revocation: w, Now: w.time})
	w.must(err)
	signIn, err := auth.New(auth.Config{Store: w.store.Auth(), Judge: judge, Site: "cabinet", Origin: origin, Now: w.time})
	w.must(err)
	imports, err := registry.NewImporter(registry.ImportConfig{Book: w.book, Judge: judge, Node: "desk"})
	w.must(err)
	server.Config.Handler, err = desk.New(desk.Config{Site: web.Site{Name: "cabinet", Origin: origin, Rules: ident.Rules{TestIdentities: []string{iinA, iinB, binX, binY}}},
		Auth: signIn, Judge: judge, Book: w.book, Imports: imports, BIN: binDesk, Participants: w.office, Now: w.time})
	w.must(err)
	server.Start()
	w.t.Cleanup(server.Close)
	return origin, imports
}

// batch is the file of a load: a manifest and one table; its manifest tells another hash when that is to be wrong.
func batch(t *testing.T, asOf time.Time, csv string, wrong bool) string {
	t.Helper()
	sum := sha256.Sum256([]byte(csv))
	if wrong {
		sum[0] ^= 1
	}
	manifest, err := json.Marshal(map[string]any{"format": "senim-registry/1", "source": "gbdul", "kind": "full", "as_of": asOf.UTC().Format(time.RFC3339),
		"files": []map[string]any{{"name": "legal_entities.csv", "rows": strings.Count(csv, "\n") - 1, "sha256": hex.EncodeToString(sum[:])}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "batch.zip")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(out)
	for name, text := range map[string][]byte{"manifest.json": manifest, "legal_entities.csv": []byte(csv)} {
		f, err := z.Create(name)
		if err == nil {
			_, err = f.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestClerksDesk walks what clerks may do with the registry and what stops them: loads by hand, and the change of a
// head. The pages of loads are looked at with something on them.
func TestClerksDesk(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, nil)
	site, imports := w.desk()
	clerk := func(t *testing.T, iin string) *visitor {
		t.Helper()
		v := w.beside(t)
		v.site = site
		return v.at("/desk/signin").sign(w.key(iin, binDesk, pki.RoleOperator, nil))
	}
	one, two := clerk(t, clerk1), clerk(t, clerk2)
	p := lookingWith(t, one.tab)
	look := func(name, page string) {
		t.Helper()
		p.lookAfter(name, func() { one.at(page) })
	}
	upload := func(t *testing.T, file string) string {
		t.Helper()
		one.at("/desk/loads").act("the file", chromedp.SetUploadFiles(css("main input[type=file]"), []string{file}))
		one.submit("/desk/loads")
		return one.where()
	}
	const confirm = chromedp.CSS("main form:has(input[value=confirm]) button")
	state := func(v *visitor) string {
		v.t.Helper()
		return read(v.tab, "the state", chromedp.Evaluate[string](`document.querySelector("main [data-state]").dataset.state`))
	}

	t.Run("R-07 another hash than the manifest's", func(t *testing.T) {
		upload(t, batch(t, w.time(), loadHeader+loadOfX, true))
		if got := state(one); got != "refused" {
			t.Errorf("the load is %s", got)
		}
	})
	var file string
	t.Run("R-10 R-11 too much changes, and a row is broken", func(t *testing.T) {
		csv := loadHeader + strings.Replace(loadOfX, iinA, iinB, 1) + "12345;LE;ТОО «СЕКРЕТ»;ACTIVE;2012-04-05;;;\n"
		file = batch(w.t, w.time().Add(-time.Minute), csv, false)
		at := upload(t, file)
		if got := state(one); got != "waiting" {
			t.Fatalf("the load is %s", got)
		}
		one.sees("legal_entities", "ошибка в номере: 1")
		if line := read(one.tab, "the line", chromedp.Evaluate[string](`document.querySelector("main td:nth-child(2)").innerText.trim()`)); line != "3" {
			t.Errorf("the broken row is said to be line %q", line)
		}
		one.silent("СЕКРЕТ")
		look("loads", "/desk/loads")
		look("load-waiting", at)
		if a := w.book.Head(t.Context(), binX, w.time()); a.Value.Leader.IIN != iinA {
			t.Error("what waits is in force")
		}
		one.press(confirm).refused("SAME_CLERK")
		two.at(at).press(confirm)
		if got := state(two); got != "confirmed" {
			t.Errorf("the load is %s", got)
		}
		if n, err := imports.Tick(t.Context()); err != nil || n != 1 {
			t.Fatalf("%d loads worked on, %v", n, err)
		}
		if one.at(at); state(one) != "accepted" {
			t.Errorf("the load is %s", state(one))
		}
	})
	t.Run("R-06 the same manifest twice", func(t *testing.T) {
		upload(t, file)
		one.sees("Этот пакет уже загружен")
	})

	scan := filepath.Join(t.TempDir(), "order.pdf")
	if err := os.WriteFile(scan, []byte("%PDF-1.7 the order"), 0o600); err != nil {
		t.Fatal(err)
	}
	change := func(v *visitor, iin string) {
		v.t.Helper()
		v.at("/desk/registry/new").fill("bin", binX, "iin", iin, "surname", "ТЕСТОВ", "name", "ТЕСТ", "patronymic", "ТЕСТОВИЧ", "position", "Директор",
			"document", "№ 7", "appointed_on", string(registry.DateOf(w.time())))
		v.act("the scan", chromedp.SetUploadFiles(css("main input[type=file]"), []string{scan}))
		v.submit("/desk/registry/new")
	}
	t.Run("R-24 the clerk is the new head", func(t *testing.T) {
		change(one, clerk1)
		one.refused("CLERK_PARTY")
	})
	t.Run("R-32 a colleague's key and another organisation's", func(t *testing.T) {
		change(one, iinA) // who was before the load above
		draft := one.where()
		one.sign(w.key(clerk2, binDesk, pki.RoleOperator, nil)).refused("CERT_OTHER_PERSON")
		one.at(draft).sign(w.key(clerk1, binX, pki.RoleOperator, nil)).refused("NOT_A_CLERK")
		if one.at(draft); state(one) != "draft" {
			t.Errorf("the change is %s", state(one))
		}
		if n := w.recorded("registry.clerk.change.refused"); n != 2 {
			t.Errorf("%d refusals recorded", n)
		}
		look("change-draft", draft)
	})

	// A participant is found by his number, which stands in no address; his block is signed and takes effect.
	p.lookAfter("participant", func() { one.at("/desk/participants").fill("q", iinA).submit("/desk/participants") })
	one.fill("reason", "по письму").submit("/desk/participants/act")
	act := one.where()
	look("participant-draft", act)
	one.sign(w.key(clerk1, binDesk, pki.RoleOperator, nil)).sees("исполнено")
	look("participants", "/desk/participants")
}

package agent

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/pki"
)

// chest is a keychain in memory.
type chest struct {
	mu     sync.Mutex
	kept   map[string]string
	broken bool
	locked bool // until the person opens it
	asked  int  // while it was
}

// lock closes the chest, or opens it.
func (c *chest) lock(locked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.locked = locked
}

func (c *chest) Get(name string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.locked {
		c.asked++
		return "", keystore.ErrNoKeychain
	}
	if s, ok := c.kept[name]; ok {
		return s, nil
	}
	return "", keystore.ErrNoSecret
}

func (c *chest) Set(name, secret string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken || c.locked {
		return keystore.ErrNoKeychain
	}
	if c.kept == nil {
		c.kept = map[string]string{}
	}
	c.kept[name] = secret
	return nil
}

func (c *chest) Delete(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.kept, name)
	return nil
}

// homeHand is a person at the agent's own page.
type homeHand struct {
	*hand
	view HomeView
}

func (b *bench) home() *homeHand {
	b.Helper()
	b.agent.ShowHome(lang.RU)
	return b.homeShown()
}

func (b *bench) homeShown() *homeHand {
	b.Helper()
	h := &homeHand{hand: b.unopened()}
	at := strings.IndexByte(h.url, '#')
	token := h.url[at+1:]
	h.url = h.url[:at]
	var out struct {
		Key  string
		View HomeView
	}
	if status := h.post("/open", map[string]any{"token": token}, &out); status != 200 {
		b.Fatalf("open: %d", status)
	}
	h.key, h.view = out.Key, out.View
	return h
}

func (h *homeHand) act(path string, body any) {
	h.b.Helper()
	var out struct{ View HomeView }
	if status := h.post(path, body, &out); status != 200 {
		h.b.Fatalf("%s: %d", path, status)
	}
	h.view = out.View
}

// learn opens a key on the agent's page, as a person does to see whose it is.
func (h *homeHand) learn(file string) {
	h.b.Helper()
	for _, g := range h.view.Groups {
		for _, k := range g.Keys {
			if k.File == file {
				h.act("/unlock", map[string]any{"id": k.ID, "password": password})
				return
			}
		}
	}
	h.b.Fatalf("no %s on the page", file)
}

// copied is another agent's folder with the same in it, as a later start of this one would find it.
func copied(t *testing.T, data string) string {
	t.Helper()
	other := t.TempDir()
	if err := os.CopyFS(other, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	return other
}

func company(name, bin string) pki.Holder {
	h := pkitest.Member(pki.RoleFirstHead)
	h.Organization, h.BIN = name, bin
	return h
}

// issue lays a key of a company into the folder, which ends after so many days.
func (b *bench) issue(file string, holder pki.Holder, days int) *pkitest.Leaf {
	b.Helper()
	now := b.clock()
	leaf := b.authority.Issue(pkitest.Spec{Holder: holder, NotBefore: now.AddDate(-1, 0, days), NotAfter: now.AddDate(0, 0, days)})
	b.key(file, leaf)
	return leaf
}

func TestStages(t *testing.T) {
	now := time.Date(2026, 11, 28, 10, 0, 0, 0, lang.Astana)
	for days, want := range map[int]string{-1: "over", 0: "1", 1: "1", 2: "7", 7: "7", 8: "14", 14: "14", 15: "30", 30: "30", 31: "ok"} {
		if got := stage(now.AddDate(0, 0, days).Add(time.Hour), now); got != want {
			t.Errorf("%d days: %s, want %s", days, got, want)
		}
	}
}

// The line of the calendar, the card of the key and the reminder count the days that are left alike: days of Astana,
// whatever the hour.
func TestDaysLeftAreTheSameEverywhere(t *testing.T) {
	b := bring(t)
	y, m, d := b.clock().In(lang.Astana).Date()
	for i, c := range []struct {
		days, hour         int
		stage, expiry, say string
	}{
		{0, 23, "1", "soon", "осталось 0 дней"}, {1, 0, "1", "soon", "остался 1 день"}, {2, 0, "7", "soon", "осталось 2 дня"},
		{30, 0, "30", "soon", "осталось 30 дней"}, {30, 23, "30", "soon", "осталось 30 дней"}, {31, 0, "ok", "ok", "остался 31 день"},
	} {
		file, owner := fmt.Sprintf("%d.p12", i), fmt.Sprintf("ТОО «%d»", i)
		end := time.Date(y, m, d+c.days, c.hour, 30, 0, 0, lang.Astana)
		b.key(file, b.authority.Issue(pkitest.Spec{Holder: company(owner, "123456789021"), NotBefore: end.AddDate(-1, 0, 0), NotAfter: end}))
		h := b.home()
		h.learn(file)
		if i := slices.IndexFunc(h.view.Due, func(d Due) bool { return d.Owner == owner }); i < 0 {
			t.Errorf("%s is not in the calendar", end)
		} else if due := h.view.Due[i]; due.Stage != c.stage || !strings.Contains(due.Until, c.say) {
			t.Errorf("%s: the calendar says %s, %s", end, due.Stage, due.Until)
		}
		for _, g := range h.view.Groups {
			for _, k := range g.Keys {
				if k.File == file && (k.Card.Expiry != c.expiry || !strings.Contains(k.Card.Until, c.say)) {
					t.Errorf("%s: the card says %s, %s", end, k.Card.Expiry, k.Card.Until)
				}
			}
		}
		if _, said := b.agent.Reminder(); strings.Contains(said, c.say) != (c.stage != "ok") {
			t.Errorf("%s: the reminder says %s", end, said)
		}
		if err := os.Remove(filepath.Join(b.folder, file)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPain07Calendar: the agent's page says when every key ends, what to do before and after, and gives
// it to other calendars without files and numbers.
func TestPain07Calendar(t *testing.T) {
	b := bring(t)
	b.issue("a.p12", company("ТОО «Алма»", "123456789021"), 5)
	b.issue("b.p12", company("ТОО «Бастау»", "123456789034"), 200)
	b.issue("c.p12", company("ТОО «Самал»", "123456789047"), -3)
	h := b.home()
	for _, file := range []string{"a.p12", "b.p12", "c.p12"} {
		h.learn(file)
	}
	var got []string
	for _, d := range h.view.Due {
		got = append(got, d.Owner+" "+d.Stage)
		if (d.Advice == "") != (d.Stage == "ok") {
			t.Errorf("%s at stage %s: advice %q", d.Owner, d.Stage, d.Advice)
		}
	}
	if want := "ТОО «Самал» over|ТОО «Алма» 7|ТОО «Бастау» ok"; strings.Join(got, "|") != want {
		t.Errorf("%s", strings.Join(got, "|"))
	}
	count := 0
	for _, m := range h.view.Months {
		count += m.Count
	}
	if count != 2 || len(h.view.Months) != 13 {
		t.Errorf("%d keys in %d months", count, len(h.view.Months))
	}
	var file struct{ Name, Text string }
	if status := h.post("/calendar", map[string]any{}, &file); status != 200 {
		t.Fatal(status)
	}
	flat := strings.ReplaceAll(file.Text, "\r\n ", "")
	if !strings.HasSuffix(file.Name, ".ics") || strings.Count(flat, "BEGIN:VEVENT") != 2 || strings.Count(flat, "BEGIN:VALARM") != 8 ||
		!strings.Contains(flat, "ТОО «Алма»") || strings.Contains(flat, b.folder) || strings.Contains(flat, "123456789") || strings.Contains(flat, ".p12") {
		t.Errorf("%s:\n%s", file.Name, file.Text)
	}
}

// TestPain09Reminder: the agent reminds by itself, when it starts and once a day, of what it learned.
func TestPain09Reminder(t *testing.T) {
	var mu sync.Mutex
	said := make(chan string, 8)
	data := t.TempDir()
	secrets := &chest{}
	b := bring(t, func(c *Config) { c.Data, c.Keychain = data, secrets })
	b.issue("a.p12", company("ТОО «Алма»", "123456789021"), 5)
	b.issue("b.p12", company("ТОО «Бастау»", "123456789034"), 200)
	h := b.home()
	h.learn("a.p12")
	h.learn("b.p12")
	folder, now := b.folder, b.clock()

	again := func(change func(*Config)) (title, text string) {
		t.Helper()
		bring(t, func(c *Config) {
			c.Data, c.Keychain, c.Folders, c.Now = copied(t, data), secrets, []string{folder}, func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
			c.Notify = func(title, text string) { said <- title + "\n" + text }
			change(c)
		})
		select {
		case s := <-said:
			title, text, _ = strings.Cut(s, "\n")
			return title, text
		case <-time.After(20 * time.Second):
			t.Fatal("nothing was said")
		}
		return "", ""
	}
	title, text := again(func(*Config) {})
	if title == "" || !strings.HasPrefix(text, "ТОО «Алма»: ") || strings.Contains(text, "Бастау") || strings.Contains(text, "123456789") {
		t.Errorf("%s\n%s", title, text)
	}
	// A newer key of the same owner ends the reminding.
	b.issue("a2.p12", company("ТОО «Алма»", "123456789021"), 360)
	h.act("/look", map[string]any{})
	h.learn("a2.p12")
	if _, text := b.agent.Reminder(); text != "" {
		t.Errorf("reminded of a key that was renewed: %s", text)
	}
}

// TestPain11Catalogue: after one password a file has an owner, on the next start too and under another
// name; on disk none of it can be read, and what is forgotten is nowhere.
func TestPain11Catalogue(t *testing.T) {
	data, secrets := t.TempDir(), &chest{}
	b := bring(t, func(c *Config) { c.Data, c.Keychain = data, secrets })
	const owner = "ТОО «Алма»"
	b.issue("GOST512_00.p12", company(owner, "123456789021"), 90)
	h := b.home()
	if g := h.view.Groups; len(g) != 1 || g[0].Name != "" || g[0].Keys[0].Card != nil || h.view.Index != "keychain" {
		t.Fatalf("before any password: %+v, index %s", g, h.view.Index)
	}
	if p := h.problem("/unlock", map[string]any{"id": h.view.Groups[0].Keys[0].ID, "password": "wrong"}); p.Code != "wrong_password" {
		t.Errorf("%+v", p)
	}
	h.learn("GOST512_00.p12")
	if g := h.view.Groups; len(g) != 1 || g[0].Name != owner || !g[0].Company {
		t.Errorf("%+v", g)
	}
	contains := func(what string) (found []string) {
		_ = filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				if content, err := os.ReadFile(path); err == nil && bytes.Contains(content, []byte(what)) {
					found = append(found, path)
				}
				if private, err := keystore.Private(path); err != nil || !private {
					t.Errorf("%s may be read by others: %v", path, err)
				}
			}
			return nil
		})
		return found
	}
	for _, what := range []string{owner, "GOST512_00", password, b.folder} {
		if found := contains(what); len(found) > 0 {
			t.Errorf("%q can be read in %v", what, found)
		}
	}
	moved := filepath.Join(t.TempDir(), "renamed.p12")
	if err := os.Rename(filepath.Join(b.folder, "GOST512_00.p12"), moved); err != nil {
		t.Fatal(err)
	}
	next := bring(t, func(c *Config) { c.Data, c.Keychain, c.Folders = data, secrets, []string{filepath.Dir(moved)} })
	h = next.home()
	if g := h.view.Groups; len(g) != 1 || g[0].Name != owner || g[0].Keys[0].File != "renamed.p12" {
		t.Fatalf("after a start: %+v", g)
	}
	h.act("/forget", map[string]any{"id": h.view.Groups[0].Keys[0].ID})
	if g := h.view.Groups; len(g) != 1 || g[0].Name != "" {
		t.Errorf("after it was forgotten: %+v", g)
	}
	if g := bring(t, func(c *Config) { c.Data, c.Keychain, c.Folders = data, secrets, []string{filepath.Dir(moved)} }).home().view.Groups; len(g) != 1 || g[0].Name != "" {
		t.Errorf("forgotten, and there again after a start: %+v", g)
	}
}

// TestIndexPlaces: without a keychain nothing lies on disk until the person wishes it, and nothing stays
// when the wish is taken back. A list that cannot be opened is begun anew.
func TestIndexPlaces(t *testing.T) {
	data, secrets := t.TempDir(), &chest{broken: true}
	b := bring(t, func(c *Config) { c.Data, c.Keychain = data, secrets })
	b.issue("a.p12", company("ТОО «Алма»", "123456789021"), 90)
	h := b.home()
	h.learn("a.p12")
	plain, sealed := filepath.Join(data, "catalogue.json"), filepath.Join(data, "catalogue")
	stands := func(path string) bool { _, err := os.Stat(path); return err == nil }
	if h.view.Index != "memory" || stands(plain) || stands(sealed) {
		t.Errorf("index %s, %v, %v", h.view.Index, stands(plain), stands(sealed))
	}
	h.act("/set", map[string]any{"plain": true})
	if private, err := keystore.Private(plain); err != nil || !private || h.view.Index != "plain" {
		t.Errorf("index %s: private %v, %v", h.view.Index, private, err)
	}
	h.act("/set", map[string]any{"plain": false})
	if stands(plain) {
		t.Error("the plain list stays when it is not wished any more")
	}
	if err := os.WriteFile(sealed, []byte("not ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	next := bring(t, func(c *Config) { c.Data, c.Keychain, c.Folders = data, &chest{}, []string{b.folder} })
	if v := next.home().view; v.Index != "keychain" || len(v.Groups) != 1 || v.Groups[0].Name != "" {
		t.Errorf("%s %+v", v.Index, v.Groups)
	}
}

// TestPain12Leftovers: old keys still valid, the same key twice, and copies are said.
func TestPain12Leftovers(t *testing.T) {
	b := bring(t)
	old := b.issue("old.p12", company("ТОО «Алма»", "123456789021"), 60)
	b.issue("new.p12", company("ТОО «Алма»", "123456789021"), 360)
	b.key("same.p12", old) // another file of the same key: the salts differ
	content, err := os.ReadFile(filepath.Join(b.folder, "new.p12"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.folder, "copy.p12"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	h := b.home()
	for _, g := range h.view.Groups {
		for _, k := range g.Keys {
			h.act("/unlock", map[string]any{"id": k.ID, "password": password})
		}
	}
	codes := map[string]string{}
	for _, g := range h.view.Groups {
		for _, k := range g.Keys {
			for _, r := range k.Remarks {
				codes[k.File] += r.Code + " "
			}
		}
	}
	for file, want := range map[string]string{"old.p12": "twice replaced", "same.p12": "twice replaced"} {
		for _, code := range strings.Fields(want) {
			if !strings.Contains(codes[file], code) {
				t.Errorf("%s: %s, want %s", file, codes[file], code)
			}
		}
	}
	if c := codes["new.p12"] + codes["copy.p12"]; !strings.Contains(c, "copies") || strings.Contains(c, "replaced") {
		t.Errorf("the new key: %s", c)
	}
	if len(h.view.Due) != 1 { // one owner, one use: one date
		t.Errorf("%+v", h.view.Due)
	}
}

// TestKeysWithoutIdentifier: certificates that name no key are told apart by the key itself, and pages get its identifier.
func TestKeysWithoutIdentifier(t *testing.T) {
	b := bring(t)
	b.issue("one.p12", company("ТОО «Алма»", "123456789021"), 60)
	b.issue("two.p12", company("ТОО «Самал»", "123456789047"), 60)
	for _, f := range b.agent.scanner.Scan([]string{b.folder}).Files {
		key, err := keystore.Unlock(f, password)
		if err != nil {
			t.Fatal(err)
		}
		bare := *key.Certificate
		bare.SubjectKeyID = nil
		b.agent.known.learn(f, &bare)
		if id, want := b.agent.listed(&bare, "PKCS12").KeyID, keyInfo(key.Certificate).KeyID; id != want {
			t.Errorf("%s: a page gets the identifier %q, not %q", f.Name, id, want)
		}
	}
	for _, g := range b.home().view.Groups {
		for _, k := range g.Keys {
			if hasRemark(k.Remarks, "twice") {
				t.Errorf("%s: %+v", k.File, k.Remarks)
			}
		}
	}
}

// TestSitePermissions: a site is new, then known, then blocked, and what was given can be taken back;
// a site nobody can vouch for, and a program, are never remembered.
func TestSitePermissions(t *testing.T) {
	data := t.TempDir()
	b := bring(t, func(c *Config) { c.Data = data })
	b.key("a.p12", b.authority.Individual())
	s := b.dial(page)
	request := commonCall("getKeyInfo", `"PKCS12"`)
	s.send(request)
	h := b.window()
	if v := h.view.Site; v.Known == "" || v.Again {
		t.Errorf("a new site: %+v", v)
	}
	h.decide(Decision{Key: h.unlock("")})
	s.read()
	s.send(request)
	if h = b.window(); !h.view.Site.Again {
		t.Errorf("a known site: %+v", h.view.Site)
	}
	h.cancel()
	s.read()
	for _, origin := range []string{"http://insecure.kz", ""} {
		other := b.dial(origin)
		b.sign(other, request, "")
	}
	own := b.home()
	if len(own.view.Sites) != 1 || own.view.Sites[0].Origin != page || own.view.Sites[0].Permission != PermissionAllowed {
		t.Fatalf("%+v", own.view.Sites)
	}
	own.act("/site", map[string]any{"origin": page, "permission": "blocked"})
	canceled := `{"code":"500","message":"action.canceled"}`
	if got := s.ask(request); got != canceled {
		t.Errorf("a blocked site: %s", got)
	}
	b.noWindow()
	next := bring(t, func(c *Config) { c.Data = copied(t, data) })
	if got := next.dial(page).ask(request); got != canceled {
		t.Errorf("a blocked site after a start: %s", got)
	}
	own.act("/site", map[string]any{"origin": page, "permission": "ask"})
	if len(own.view.Sites) != 0 {
		t.Errorf("%+v", own.view.Sites)
	}
	s.send(request)
	if h = b.window(); h.view.Site.Again || h.view.Preselect == "" && len(h.view.Keys) == 1 {
		t.Errorf("a site whose permission was taken back: %+v", h.view.Site)
	}
	h.cancel()
	s.read()
	for _, bad := range []map[string]any{{"origin": page, "permission": "sign"}, {"origin": "http://insecure.kz", "permission": "allowed"}} {
		if p := own.problem("/site", bad); p.Code != "bad_request" {
			t.Errorf("%v: %+v", bad, p)
		}
	}
}

// TestPausedSite: the ten minutes are seen, and taken back, on the page.
func TestPausedSite(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.window()
	h.post("/cancel", map[string]any{"block": true}, nil)
	s.read()
	own := b.home()
	if len(own.view.Sites) != 1 || own.view.Sites[0].Text == "" {
		t.Fatalf("%+v", own.view.Sites)
	}
	own.act("/site", map[string]any{"origin": page, "permission": "ask"})
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	b.window().cancel()
	s.read()
}

// TestHomeDoor: the page is opened by a site, a program or the person; it is as closed as a window, and
// signs nothing.
func TestHomeDoor(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	show := `{"module":"kz.gov.pki.ncalayerservices.accessory","method":"showSettings"}`
	if got := s.ask(show); got != `{"success":true}` {
		t.Fatal(got)
	}
	h := b.homeShown()
	for range 5 { // it is open: sites cannot make more of it
		s.ask(show)
	}
	b.noWindow()
	for _, path := range []string{"/decide", "/cancel", "/nonsense"} {
		if status := h.post(path, map[string]any{}, nil); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
	stranger := *h.hand
	stranger.key = "x"
	if p := stranger.problem("/look", map[string]any{}); p.Code != "no_key" {
		t.Errorf("%+v", p)
	}
	for name, headers := range map[string]map[string]string{
		"another origin": {"Origin": "https://evil.example", "Content-Type": "application/json"},
		"another site":   {"Origin": strings.TrimSuffix(h.url, "/"), "Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"},
		"a form":         {"Content-Type": "text/plain"},
	} {
		if status, _ := h.get(http.MethodPost, "/look", headers); status != http.StatusForbidden && status != http.StatusUnsupportedMediaType {
			t.Errorf("%s: %d", name, status)
		}
	}
	if _, err := b.try(strings.TrimSuffix(h.url, "/")); err == nil {
		t.Error("the page's own origin may speak to the socket")
	}
	b.dial("").ask(show) // the person's own program opens it anew; the former one ends
	next := b.homeShown()
	if status := next.post("/close", map[string]any{}, nil); status != 200 {
		t.Errorf("close: %d", status)
	}
	s.ask(show) // too soon
	b.agent.ShowHome(lang.RU)
	b.homeShown()
	b.noWindow()
	b.agent.block(siteOf(page))
	b.wait(time.Minute)
	s.ask(show)
	b.noWindow()
}

// TestHomeToken: the link of the page works once. One that comes again closes the page, which learns why, and so does whoever brought it.
func TestHomeToken(t *testing.T) {
	b := bring(t)
	b.agent.ShowHome(lang.RU)
	h := b.unopened()
	url, token, _ := strings.Cut(h.url, "#")
	h.url = url
	var opened struct{ Key string }
	if status := h.post("/open", map[string]any{"token": token}, &opened); status != 200 {
		t.Fatal(status)
	}
	text := lang.RU.Text("home.token_twice")
	second := &hand{b: b, url: url}
	if p := second.problem("/open", map[string]any{"token": token}); p.Code != "token_twice" || p.Text != text {
		t.Errorf("%+v", p)
	}
	if p := second.problem("/alive", map[string]any{}); p.Code != "over" {
		t.Errorf("a page without the key is told more: %+v", p)
	}
	h.key = opened.Key
	if p := h.problem("/site", map[string]any{"origin": page, "permission": "allowed"}); p.Code != "token_twice" || p.Text != text {
		t.Errorf("the first page: %+v", p)
	}
	if len(b.agent.settings.get().Sites) != 0 {
		t.Error("a page that is over still sets something")
	}
	for told := time.Now(); reachable(url); time.Sleep(10 * time.Millisecond) { //nolint:forbidigo // its end has no signal
		if time.Since(told) > tellTwice/2 {
			t.Fatal("the page is still served to who was told")
		}
	}

	// One that does not ask is not waited for when the person wishes the page.
	b.agent.ShowHome(lang.RU)
	silent := b.unopened()
	silent.url, token, _ = strings.Cut(silent.url, "#")
	for range 2 {
		silent.post("/open", map[string]any{"token": token}, nil)
	}
	begin := time.Now()
	b.agent.ShowHome(lang.RU)
	b.unopened()
	if took := time.Since(begin); took >= tellTwice {
		t.Errorf("the next page came after %v", took)
	}
}

// TestFolders: a folder named in the window is looked into at once and stays; what is no folder is said.
func TestFolders(t *testing.T) {
	data := t.TempDir()
	b := bring(t, func(c *Config) { c.Data, c.Folders = data, nil })
	b.key("a.p12", b.authority.Individual())
	s := b.dial(page)
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.window()
	if len(h.view.Keys) != 0 {
		t.Fatalf("%+v", h.view.Keys)
	}
	for folder, code := range map[string]string{"relative": "no_folder", "/no/such/folder": "no_folder", t.TempDir(): "no_keys_there"} {
		if p := h.problem("/watch", map[string]any{"folder": folder}); p.Code != code || p.Field != "other-folder" {
			t.Errorf("%s: %+v", folder, p)
		}
	}
	var out struct{ View View }
	if status := h.post("/watch", map[string]any{"folder": `"` + b.folder + `"`}, &out); status != 200 || len(out.View.Keys) != 1 {
		t.Fatalf("%d %+v", status, out.View.Keys)
	}
	h.cancel()
	s.read()
	own := bring(t, func(c *Config) { c.Data, c.Folders = data, nil }).home()
	if f := own.view.Folders; len(f) != 2 || f[1].Path != b.folder && f[0].Path != b.folder {
		t.Errorf("%+v", f)
	}
	own.act("/folder", map[string]any{"folder": b.folder, "remove": true})
	if len(own.view.Groups) != 0 {
		t.Errorf("%+v", own.view.Groups)
	}
}

// TestPluggedMedia: a stick that is plugged in while the window is open brings its keys into it.
func TestPluggedMedia(t *testing.T) {
	var mu sync.Mutex
	var media []string
	b := bring(t, func(c *Config) {
		c.Folders = nil
		c.Media = func() []string { mu.Lock(); defer mu.Unlock(); return media }
	})
	b.key("a.p12", b.authority.Individual())
	s := b.dial(page)
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.window()
	alive := func() bool {
		var out struct{ Changed bool }
		if status := h.post("/alive", map[string]any{}, &out); status != 200 {
			t.Fatal(status)
		}
		return out.Changed
	}
	if alive() || len(h.view.Keys) != 0 {
		t.Errorf("%+v", h.view.Keys)
	}
	mu.Lock()
	media = []string{b.folder}
	mu.Unlock()
	if !alive() || alive() {
		t.Error("the stick is not noticed once")
	}
	if h.look(); len(h.view.Keys) != 1 {
		t.Errorf("%+v", h.view.Keys)
	}
	h.cancel()
	s.read()
	own := b.home()
	if f := own.view.Folders; len(f) != 1 || f[0].Kind != "media" {
		t.Errorf("%+v", f)
	}
	if own.act("/set", map[string]any{"media": false}); len(own.view.Folders) != 0 || len(own.view.Groups) != 0 {
		t.Errorf("%+v", own.view.Folders)
	}
}

// TestPain08RenewButton: an act of the agent's own is one button on the page; what the agent cannot do
// is not offered and not done.
func TestPain08RenewButton(t *testing.T) {
	b := bring(t)
	if h := b.home(); slices.Contains(h.view.Acts, "renew") { // no cabinet to renew in
		t.Errorf("%v", h.view.Acts)
	}
	next := bring(t)
	done := make(chan lang.Tag, 1)
	next.agent.acts["renew"] = func(_ context.Context, tag lang.Tag) { done <- tag }
	h := next.home()
	if len(h.view.Acts) == 0 || h.view.Acts[0] != "renew" {
		t.Errorf("%v", h.view.Acts)
	}
	h.act("/act", map[string]any{"act": "renew"})
	select {
	case tag := <-done:
		if tag != lang.RU {
			t.Errorf("in %q", tag)
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing was done")
	}
	if p := b.home().problem("/act", map[string]any{"act": "renew"}); p.Code != "bad_request" {
		t.Errorf("%+v", p)
	}
}

// TestPain10Hints: a wrong password is said at once, the window stays, and its words point at what people
// mistype by; how the hints at the field look is in TestWindowInBrowser.
func TestPain10Hints(t *testing.T) {
	b := bring(t)
	b.key("a.p12", b.authority.Individual())
	s := b.dial(page)
	for _, tag := range lang.All() {
		s.ask(commonCall("changeLocale", `"`+string(tag)+`"`))
		s.send(commonCall("getKeyInfo", `"PKCS12"`))
		h := b.window()
		for range 5 { // as often as it takes
			if p := h.problem("/unlock", map[string]any{"id": h.row("").ID, "password": "Йцукен12"}); p.Code != "wrong_password" || p.Field != "password" || !strings.Contains(p.Text, "Caps Lock") {
				t.Errorf("%s: %+v", tag, p)
			}
		}
		for _, word := range []string{"caps", "layout", "once"} {
			if h.view.Texts[word] == "" {
				t.Errorf("%s: the window has no words for %s", tag, word)
			}
		}
		h.decide(Decision{Key: h.unlock("")})
		s.read()
	}
	for _, tag := range lang.All() {
		if text := homeTexts(tag)["nobody-recovers"]; text == "" {
			t.Errorf("%s: nobody says that a password cannot be recovered", tag)
		}
	}
}

// TestLastChoice: the key a site was answered with is chosen for it beforehand, after a start too, and
// its company's keys come first; other sites learn nothing of it.
func TestLastChoice(t *testing.T) {
	data, secrets := t.TempDir(), &chest{}
	b := bring(t, func(c *Config) { c.Data, c.Keychain = data, secrets })
	b.issue("z.p12", company("ТОО «Яблоко»", "123456789021"), 90)
	b.issue("y.p12", company("ТОО «Яблоко»", "123456789021"), 80)
	b.issue("a.p12", company("ТОО «Алма»", "123456789034"), 90)
	h := b.home()
	for _, f := range []string{"a.p12", "y.p12", "z.p12"} {
		h.learn(f)
	}
	request := commonCall("getKeyInfo", `"PKCS12"`)
	b.sign(b.dial(page), request, "z.p12")
	next := bring(t, func(c *Config) { c.Data, c.Keychain, c.Folders = data, secrets, []string{b.folder} })
	for origin, want := range map[string]string{page: "z.p12 y.p12 a.p12", "https://other.kz": "a.p12"} {
		s := next.dial(origin)
		s.send(request)
		w := next.window()
		var got []string
		for _, k := range w.view.Keys {
			got = append(got, k.File)
		}
		if chosen := w.view.Preselect != ""; !strings.HasPrefix(strings.Join(got, " "), want) || chosen != (origin == page) {
			t.Errorf("%s: %v, preselected %v", origin, got, chosen)
		}
		w.cancel()
		s.read()
	}
}

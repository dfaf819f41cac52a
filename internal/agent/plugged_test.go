package agent

import (
	"errors"
	"io"
	"io/fs"
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
)

// port is where SoftHSM2's tokens lie: whoever takes them away pulls the tokens out.
type port struct {
	t     *testing.T
	there string
	away  string
}

func newPort(t *testing.T) port {
	there := filepath.Join(filepath.Dir(os.Getenv("SOFTHSM2_CONF")), "tokens")
	return port{t, there, there + "-away"}
}

func (p port) pull() {
	p.t.Helper()
	if err := errors.Join(os.Rename(p.there, p.away), os.Mkdir(p.there, 0o700)); err != nil {
		p.t.Fatal(err)
	}
}

func (p port) plug() {
	p.t.Helper()
	if err := errors.Join(os.RemoveAll(p.there), os.Rename(p.away, p.there)); err != nil {
		p.t.Fatal(err)
	}
}

// until asks whether a page has news, a minute at most.
func (h *hand) until(what string, news func() bool) {
	h.b.Helper()
	for range 600 {
		if news() {
			return
		}
		time.Sleep(100 * time.Millisecond) //nolint:forbidigo // there is no signal, it is looked at again
	}
	h.b.Fatalf("not within a minute: %s", what)
}

func (h *hand) changed() bool {
	h.b.Helper()
	var out struct{ Changed bool }
	if status := h.post("/alive", map[string]any{}, &out); status != 200 {
		h.b.Fatal(status)
	}
	return out.Changed
}

// TestTokenComesAndGoes: a token that is plugged in while a window is open brings its keys into it; one that is pulled out leaves them
// greyed, with the reason and closed; plugged in anew it signs.
func TestTokenComesAndGoes(t *testing.T) {
	driver := softhsm(t, pkitest.New(t))
	p := newPort(t)
	p.pull()
	b := bring(t, func(o *Config) { o.Tokens = []keystore.TokenDriver{driver} })
	b.agent.lookEvery = 50 * time.Millisecond
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	s.send(strings.Replace(signRequest, `"args":{`, `"args":{"allowedStorages":null,`, 1))
	h := b.window()
	if len(h.view.Keys) != 1 {
		t.Fatalf("%+v", h.view.Keys)
	}
	p.plug()
	h.until("the token is noticed", h.changed)
	h.look()
	row := h.row("KAZTOKEN 1")
	if !row.Pin || !row.Fits || len(h.view.Keys) != 2 {
		t.Fatalf("%+v", h.view.Keys)
	}
	if status := h.post("/unlock", map[string]any{"id": row.ID, "password": pin}, nil); status != 200 {
		t.Fatal(status)
	}
	p.pull()
	h.until("the token is missed", h.changed)
	h.look()
	if row := h.row("KAZTOKEN 1"); row.Fits || row.State == "unlocked" || len(row.Reasons) != 1 || row.Reasons[0].Code != "token-away" || !strings.Contains(row.Reasons[0].Text, "KAZTOKEN 1") {
		t.Errorf("%+v", row)
	}
	if p := h.problem("/unlock", map[string]any{"id": row.ID, "password": pin}); p.Code != "token_gone" || p.Text == "" {
		t.Errorf("%+v", p)
	}
	h.problem("/decide", Decision{Key: row.ID})
	p.plug()
	h.until("the token is noticed again", h.changed)
	h.look()
	if status := h.post("/unlock", map[string]any{"id": row.ID, "password": pin}, nil); status != 200 {
		t.Fatal(status)
	}
	h.decide(Decision{Key: row.ID})
	if reply := s.read(); !strings.Contains(reply, "BEGIN CMS") {
		t.Error(reply)
	}
	if n := strings.Count(b.log.String(), "level=WARN"); n > 2 {
		t.Errorf("%d warnings:\n%s", n, b.log)
	}
}

// TestTokenKeysAreRemembered: a key on a token that was plugged in once is on the agent's page, in the calendar, its .ics and the
// reminders, also when it is not plugged in and after a restart; what is forgotten comes back when it is plugged in anew.
func TestTokenKeysAreRemembered(t *testing.T) {
	authority := pkitest.New(t)
	driver := softhsm(t, authority)
	p := newPort(t)
	data := t.TempDir()
	change := func(o *Config) { o.Tokens, o.Data, o.Remember = []keystore.TokenDriver{driver}, data, true }
	soon := func(b *bench) { b.wait(355 * 24 * time.Hour) }
	b := bring(t, change)
	soon(b)
	keys := func(h *homeHand) []KeyRow {
		var list []KeyRow
		for _, g := range h.view.Groups {
			list = append(list, g.Keys...)
		}
		return list
	}
	h := b.home()
	if k := keys(h); len(k) != 1 || k[0].State != "known" || k[0].Card == nil || k[0].On != "KAZTOKEN 1" || !strings.Contains(k[0].About, "KAZTOKEN") {
		t.Fatalf("%+v", k)
	}
	if d := h.view.Due; len(d) != 1 || d[0].Stage != "14" || d[0].Where != lang.RU.Text("home.where.token", "token", "KAZTOKEN 1") {
		t.Fatalf("%+v", d)
	}

	p.pull()
	b = bring(t, change) // a restart
	b.agent.lookEvery = 50 * time.Millisecond
	soon(b)
	away := lang.RU.Text("home.where.token-away", "token", "KAZTOKEN 1")
	h = b.home()
	k := keys(h)
	if len(k) != 1 || k[0].State != "away" || !slices.ContainsFunc(k[0].Remarks, func(r Remark) bool { return r.Code == "token-away" && r.Text == away }) {
		t.Fatalf("%+v", k)
	}
	if d := h.view.Due; len(d) != 1 || d[0].Where != away {
		t.Errorf("%+v", d)
	}
	if title, text := b.agent.Reminder(); title == "" || !strings.Contains(text, away) {
		t.Errorf("%s %s", title, text)
	}
	var file struct{ Text string }
	if status := h.post("/calendar", map[string]any{}, &file); status != 200 {
		t.Fatal(status)
	}
	flat := strings.ReplaceAll(file.Text, "\r\n ", "")
	if strings.Count(flat, "BEGIN:VEVENT") != 1 || !strings.Contains(flat, lang.RU.Text("home.calendar.token")) || strings.Contains(flat, "KAZTOKEN 1") {
		t.Errorf("%s", flat)
	}

	h.act("/forget", map[string]any{"id": k[0].ID})
	if len(keys(h)) != 0 || len(h.view.Due) != 0 {
		t.Errorf("%+v %+v", keys(h), h.view.Due)
	}
	if content, err := os.ReadFile(filepath.Join(data, "catalogue.json")); err != nil || strings.Contains(string(content), "KAZTOKEN") {
		t.Errorf("%s %v", content, err)
	}
	p.plug() // a page that is open sees it
	h = b.home()
	if len(keys(h)) != 1 {
		t.Errorf("%+v", keys(h))
	}
	h.act("/forget", map[string]any{"id": keys(h)[0].ID})
	b.agent.onTokens() // it is plugged in still, and stays forgotten
	if h.act("/look", map[string]any{}); len(keys(h)) != 0 {
		t.Errorf("%+v", keys(h))
	}
	turn := h.view.Turn
	p.pull()
	next := func() bool {
		var out struct{ Turn int }
		if status := h.post("/alive", map[string]any{}, &out); status != 200 {
			t.Fatal(status)
		}
		return out.Turn != turn
	}
	h.until("the page misses the token", next)
	h.act("/look", map[string]any{})
	turn = h.view.Turn
	p.plug()
	h.until("the page notices the token", next)
	if h.act("/look", map[string]any{}); len(keys(h)) != 1 {
		t.Errorf("%+v", keys(h))
	}
	if h.act("/forget", map[string]any{}); len(keys(h)) != 0 {
		t.Errorf("%+v", keys(h))
	}
}

// TestDrivers: drivers are found where they are known to be, and added by the person who was told what a driver is; a file that
// somebody else can change, or that is no driver, is named in words and not loaded.
func TestDrivers(t *testing.T) {
	driver := softhsm(t, pkitest.New(t))
	open, dir := filepath.Join(t.TempDir(), "open.so"), t.TempDir()
	copyTo(t, driver.Module, open, 0o666)
	b := bring(t, func(o *Config) {
		o.TokenProgram = driver.Program
		o.KnownDrivers = []keystore.TokenDriver{
			{Storage: "AKJaCartaStore", Module: driver.Module}, {Storage: "AKAKEYStore", Module: open}, {Storage: "AKAKEYStore", Module: "/usr/lib/no-such-driver.so"},
		}
	})
	s := b.dial(page)
	active := func(want ...string) {
		t.Helper()
		if got := object[[]string](t, s.ask(`{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens"}`)); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	active("AKJaCartaStore")
	h := b.home()
	if d := h.view.Drivers; len(d) != 2 || d[0].Kind != "known" || d[0].Problem != "" || !strings.Contains(d[0].Text, "KAZTOKEN 1") ||
		d[1].Problem != lang.RU.Text("home.driver.problem.others") {
		t.Errorf("%+v", d)
	}

	mine, text := filepath.Join(dir, "mine.so"), filepath.Join(dir, "text.so")
	copyTo(t, driver.Module, mine, 0o600)
	needPrivate(t, mine)
	if err := os.WriteFile(text, []byte("no driver"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code, storage, path string
		sure                bool
	}{
		{"driver_sure", "AKKaztokenStore", mine, false}, {"bad_request", "PKCS12", mine, true}, {"driver_path", "AKKaztokenStore", "mine.so", true},
		{"driver_path", "AKKaztokenStore", dir, true}, {"driver_away", "AKKaztokenStore", filepath.Join(dir, "none.so"), true},
		{"driver_others", "AKKaztokenStore", open, true}, {"driver_failed", "AKKaztokenStore", text, true},
	} {
		if p := h.problem("/driver", map[string]any{"storage": c.storage, "path": c.path, "sure": c.sure}); p.Code != c.code || p.Text == "" || strings.HasPrefix(p.Text, "agent.") {
			t.Errorf("%s: %+v", c.path, p)
		}
	}
	if len(h.view.Drivers) != 2 {
		t.Errorf("%+v", h.view.Drivers)
	}
	var listed struct{ View HomeView }
	if status := h.post("/files", map[string]any{"folder": dir}, &listed); status != 200 || listed.View.Chooser == nil || len(listed.View.Chooser.Entries) != 2 {
		t.Errorf("%d %+v", status, listed.View.Chooser)
	}
	h.act("/driver", map[string]any{"storage": "AKEToken72KStore", "path": mine, "sure": true})
	if d := h.view.Drivers; len(d) != 3 || d[0].Kind != "own" || d[0].Path != mine || d[0].Problem != "" || h.view.Chooser != nil {
		t.Errorf("%+v", d)
	}
	// One driver serves both of SafeNet's storages.
	active("AKEToken5110Store", "AKEToken72KStore", "AKJaCartaStore")
	s.send(`{"module":"kz.gov.pki.knca.commonUtils","method":"createCAdESFromBase64","args":["AKEToken5110Store","","aGVsbG8=",true]}`)
	w := b.window()
	fits := ""
	for _, k := range w.view.Keys {
		if k.Fits {
			fits = k.ID
		}
	}
	if status := w.post("/unlock", map[string]any{"id": fits, "password": pin}, nil); status != 200 {
		t.Fatal(status)
	}
	w.decide(Decision{Key: fits})
	good(t, unbase(t, object[string](t, s.read())), []byte("hello"))

	// A driver that became another's to change is not loaded any more; it is not forgotten.
	if err := os.Chmod(mine, 0o666); err != nil {
		t.Fatal(err)
	}
	active("AKJaCartaStore")
	if h.act("/look", map[string]any{}); h.view.Drivers[0].Problem != lang.RU.Text("home.driver.problem.others") {
		t.Errorf("%+v", h.view.Drivers[0])
	}
	if h.act("/driver", map[string]any{"storage": "AKEToken72KStore", "path": mine, "remove": true}); len(h.view.Drivers) != 2 {
		t.Errorf("%+v", h.view.Drivers)
	}
	// Without senim-token the page says what is missing.
	if err := os.Remove(driver.Program); err != nil {
		t.Fatal(err)
	}
	if h.act("/look", map[string]any{}); h.view.Drivers[0].Problem != lang.RU.Text("home.driver.problem.program") {
		t.Errorf("%+v", h.view.Drivers)
	}
	if p := h.problem("/driver", map[string]any{"storage": "AKKaztokenStore", "path": text, "sure": true}); p.Code != "driver_program" {
		t.Errorf("%+v", p)
	}
}

func copyTo(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, in.Close(), out.Close(), os.Chmod(to, mode)); err != nil {
		t.Fatal(err)
	}
}

// TestRenewalNamesTokensAway: a key that is due on a token that is not plugged in is named in the window of renewal, and is there once
// the token is.
func TestRenewalNamesTokensAway(t *testing.T) {
	driver := softhsm(t, pkitest.New(t))
	p := newPort(t)
	b := bring(t, func(o *Config) {
		o.Tokens, o.Cabinet, o.CabinetTransport = []keystore.TokenDriver{driver}, "https://cabinet.example.kz", nowhere{}
	})
	b.agent.lookEvery = 50 * time.Millisecond
	b.home()
	b.wait(355 * 24 * time.Hour)
	p.pull()
	h, end := b.do(ActRenew)
	away := func() bool {
		return slices.ContainsFunc(h.view.Warnings, func(r Remark) bool { return r.Code == "renew-away" && strings.Contains(r.Text, "KAZTOKEN 1") })
	}
	if !away() || len(h.view.Keys) != 0 {
		t.Errorf("%+v %+v", h.view.Warnings, h.view.Keys)
	}
	p.plug()
	h.until("the token is noticed", h.changed)
	if h.look(); away() || len(h.view.Keys) != 1 || h.view.Keys[0].On == "" {
		t.Errorf("%+v %+v", h.view.Warnings, h.view.Keys)
	}
	h.cancel()
	_, _, _ = end()
}

// TestTokensAreLookedAtSparingly: what pages ask starts a driver's program only where a token is meant, one at a time, and not again
// for each of many pages.
func TestTokensAreLookedAtSparingly(t *testing.T) {
	dir := t.TempDir()
	starts, program := filepath.Join(dir, "starts"), filepath.Join(dir, "senim-token")
	script := "#!/bin/sh\n[ -e " + dir + "/now ] && echo two-at-once >>" + starts + "\n: >" + dir + "/now\necho start >>" + starts + "\nsleep 0.3\nrm " + dir + "/now\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	b := bring(t, func(c *Config) {
		c.Tokens = []keystore.TokenDriver{{Storage: "AKKaztokenStore", Program: program, Module: filepath.Join(dir, "driver")}}
	})
	said := func() string {
		content, err := os.ReadFile(starts)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return string(content)
	}
	b.agent.lookKept = time.Minute
	before := said()
	s := b.dial(page)
	for _, request := range []string{commonCall("changeLocale", `"ru"`), commonCall("getKeyInfo", `"Pocket"`), commonCall("noMethod", ``), `{"module":"kz.gov.pki.cms.CMSSignUtil","method":"x","args":[]}`} {
		s.ask(request)
	}
	if now := said(); now != before {
		t.Errorf("what means no token started a driver: %q", now)
	}
	var group sync.WaitGroup
	for range 12 {
		d := b.dial(page)
		group.Go(func() { d.ask(commonCall("getActiveTokens", ``)) })
	}
	group.Wait()
	if now := strings.TrimPrefix(said(), before); strings.Contains(now, "two-at-once") || strings.Count(now, "start") > 2 {
		t.Errorf("twelve pages: %q", now)
	}
}

// needPrivate skips where nothing in the folder of temporary files is safe from others.
func needPrivate(t *testing.T, driver string) {
	t.Helper()
	if _, err := keystore.CheckDriver(driver, true); errors.Is(err, keystore.ErrDriverOthers) {
		t.Skip("the folder of temporary files is open to all here, and not sticky: ", err)
	}
}

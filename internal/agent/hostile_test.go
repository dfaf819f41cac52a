package agent

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"senim/internal/keystore"
	"senim/internal/lang"
)

// What a hostile page tries, each in a test of its own: rebinding is TestSec8WrongHost, wrong origins
// TestSec8Origins, floods TestSec8Flood and TestSec8ThousandWindows, digests with a sign-in key
// TestSec8AuthKeyDigest, relayed challenges TestSec8RelayedChallenge and TestOldModulesRelay, the
// window's door TestSec8WindowDoor and TestSec8TokenReplay. Here: files, guesses, addresses.

// TestHostileGuessing: the Applet's password argument is no oracle. Whatever is sent, the answer of the
// page depends on the person alone, and the password is in no log.
func TestHostileGuessing(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	path := quote(filepath.Join(b.folder, "GOST512_a.p12"))
	s := b.dial(page)
	for _, guess := range []string{quote(password), `"wrong"`, `null`, `{"a":1}`, `7`} {
		s.send(appletCall("getKeys", `"PKCS12",`+path+`,`+guess+`,"ALL"`))
		h := b.window()
		if k := h.row(""); k.State != "locked" {
			t.Errorf("%s: the key is %s", guess, k.State)
		}
		h.cancel()
		if got := s.read(); got != `{"result":"","errorCode":"COMMON"}` {
			t.Errorf("%s: %s", guess, got)
		}
		b.wait(2 * time.Minute)
	}
	if strings.Contains(b.log.String(), password) || strings.Contains(b.log.String(), b.folder) {
		t.Errorf("%s", b.log)
	}
}

// TestHostilePathProbe: whether a file is there is told to the person, not to the page: both get a
// window first, and a page that named a key gets the same answer as for a file that is none.
func TestHostilePathProbe(t *testing.T) {
	b := bring(t)
	note := filepath.Join(b.folder, "note.txt")
	if err := os.WriteFile(note, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := b.dial(page)
	for _, path := range []string{note, filepath.Join(b.folder, "none.p12"), b.folder, "relative.p12", `\\evil.example\share\a.p12`, "//evil.example/a.p12", "/dev/null"} {
		s.send(appletCall("getKeys", `"PKCS12",`+quote(path)+`,"","ALL"`))
		h := b.window()
		if h.view.Kind != "refused" || h.view.Named != path || strings.Contains(h.view.Refusal, path) || len(h.view.Keys) > 0 {
			t.Errorf("%s: %+v", path, h.view)
		}
		h.decide(Decision{})
		if got := s.read(); got != `{"result":"","errorCode":"LOAD_KEYSTORE_ERROR"}` {
			t.Errorf("%s: %s", path, got)
		}
		b.wait(2 * time.Minute)
	}
}

// TestHostileFiles: what is never read as a document, whatever the person would click.
func TestHostileFiles(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	key := filepath.Join(b.folder, "GOST512_a.p12")
	secret := filepath.Join(t.TempDir(), "secret.txt")
	renamed, pem, link := filepath.Join(b.folder, "photo.jpg"), filepath.Join(b.folder, "note.txt"), filepath.Join(b.folder, "link.txt")
	content, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{renamed: string(content), pem: "-----BEGIN EC PRIVATE KEY-----\nMHc=\n", secret: "secret", filepath.Join(b.agent.config.Data, "x.txt"): "own"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	links := symlink(t, secret, link)
	paths := map[string]bool{ // true: asked first, the contents decide
		key: true, renamed: true, pem: true, link: false, b.folder: false, filepath.Join(b.folder, "none"): false, "relative": false,
		filepath.Join(b.agent.config.Data, "x.txt"): false, filepath.Join(b.agent.config.Data, "authority.key"): false,
		`\\evil.example\share\x`: false, "//evil.example/x": false, b.folder + "/../" + filepath.Base(b.folder) + "/link.txt": false,
	}
	switch runtime.GOOS {
	case "windows": // other names of what is not read, and what is no file
		for _, odd := range []string{key + "::$DATA", key + ".", key + " ", pem + ":x.txt", b.agent.config.Data + `.\x.txt`, b.agent.config.Data + `::$INDEX_ALLOCATION\x.txt`, b.folder + `\NUL`, b.folder + `\com1.txt`} {
			paths[odd] = false
		}
	default:
		paths["/dev/zero"] = false
	}
	s := b.dial(page)
	for path, asked := range paths {
		for _, request := range []string{cmsSignCall("checkCMS", quote(path)), appletCall("verifyCMSSignatureFromFile", `"MIIA",`+quote(path))} {
			s.send(request)
			h := b.window()
			if asked != (h.view.Kind == "read") {
				t.Errorf("%s: %s first", path, h.view.Kind)
			}
			if h.view.Kind == "read" {
				h.decide(Decision{})
				h = b.window()
			}
			if h.view.Kind != "refused" || strings.Contains(h.view.Refusal, "[") {
				t.Errorf("%s: %+v", path, h.view)
			}
			h.decide(Decision{})
			if got := s.read(); !strings.Contains(got, "file.not_found") && !strings.Contains(got, "FILE_READ_ERROR") {
				t.Errorf("%s: %s", path, got)
			}
		}
	}
	// A file that was changed for another between the look and the read is not read.
	l, err := b.agent.locate(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(secret, secret+".before"); err != nil { // so that the other one has another number
		t.Fatal(err)
	}
	if !links || !symlink(t, pem, secret) {
		if err := os.WriteFile(secret, []byte("another"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.document(); !errors.Is(err, errNotPlain) {
		t.Errorf("another file is read: %v", err)
	}
	// The chooser does not show the agent's own folder.
	if b.agent.list(b.agent.config.Data, &choosing{}, "ru") != nil || b.agent.list(`\\evil\x`, &choosing{}, "ru") != nil {
		t.Error("the chooser shows what it must not")
	}
}

// TestHugeFolderInChooser: of a folder with very many files a part is shown, and that is said.
func TestHugeFolderInChooser(t *testing.T) {
	b := bring(t)
	for i := range maxRead + 1 {
		if err := os.WriteFile(filepath.Join(b.folder, strconv.Itoa(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := b.dial(page)
	s.send(appletCall("showFileChooser", `"ALL",`+quote(b.folder)))
	h := b.window()
	if l := h.view.Chooser; len(l.Entries) != maxEntries || l.More != lang.RU.Text("agent.file.many") || l.Entries[0].Name > l.Entries[1].Name {
		t.Errorf("%d entries, %q", len(l.Entries), l.More)
	}
	if err := errors.Join(os.Remove(filepath.Join(b.folder, "0")), os.Remove(filepath.Join(b.folder, "1"))); err != nil {
		t.Fatal(err)
	}
	var out struct{ Chooser Listing }
	if status := h.post("/chooser", map[string]any{"folder": b.folder}, &out); status != 200 || out.Chooser.More != lang.RU.Text("agent.file.more", "n", maxRead-1-maxEntries) {
		t.Errorf("%d %q", status, out.Chooser.More)
	}
	empty := t.TempDir()
	if status := h.post("/chooser", map[string]any{"folder": empty}, &out); status != 200 || len(out.Chooser.Entries) != 0 || out.Chooser.Folder != empty {
		t.Errorf("an empty folder: %d %+v", status, out.Chooser)
	}
	h.cancel()
	s.read()
}

// symlink makes a link, and tells whether the system did: Windows lets few make one.
func symlink(t *testing.T, to, link string) bool {
	t.Helper()
	err := os.Symlink(to, link)
	info, unseen := os.Lstat(link)
	made := err == nil && unseen == nil && info.Mode().Type() == os.ModeSymlink
	if !made && runtime.GOOS != "windows" {
		t.Fatal(err, unseen)
	}
	if !made {
		t.Log("no link was made here: what becomes of one was not looked at")
	}
	return made
}

// TestHostileChooser: only the window of a chooser tells what is in folders, and only to itself.
func TestHostileChooser(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.window()
	if status := h.post("/chooser", map[string]any{"folder": b.folder}, nil); status != 404 {
		t.Errorf("another window lists folders: %d", status)
	}
	h.cancel()
	s.read()
	s.send(appletCall("showFileChooser", `"ALL",""`))
	h = b.window()
	thief := &hand{b: b, url: h.url, key: "guess"}
	if status := thief.post("/chooser", map[string]any{"folder": b.folder}, nil); status != 403 {
		t.Errorf("without the window's key: %d", status)
	}
	var out struct{ Chooser Listing }
	if status := h.post("/chooser", map[string]any{"folder": b.folder}, &out); status != 200 || out.Chooser.Folder != b.folder {
		t.Errorf("%d %+v", status, out)
	}
	for _, folder := range otherNames(t, b.agent.config.Data) {
		if p := h.problem("/chooser", map[string]any{"folder": folder}); p.Code != "no_folder" {
			t.Errorf("%s is the agent's own: %+v", folder, p)
		}
	}
	h.cancel()
	if got := s.read(); got != appletOK(`""`) {
		t.Errorf("%s", got)
	}
}

// otherNames are names of the agent's folder, and of one in it: its own, one with a link on the way, and where the disk ignores
// the case of letters another writing.
func otherNames(t *testing.T, data string) []string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(data, "pending"), 0o700); err != nil {
		t.Fatal(err)
	}
	list := []string{data, filepath.Join(data, "pending")}
	link := filepath.Join(t.TempDir(), "link")
	if symlink(t, data, link) {
		list = append(list, link, filepath.Join(link, "pending"))
	}
	if other := strings.ToUpper(data); other != data && sameFolder(data, other) {
		list = append(list, other, filepath.Join(other, "PENDING"))
	}
	return list
}

// TestOwnFolderByAnyName: what the agent's folder is called says nothing; whether a folder is in it, the disk says.
func TestOwnFolderByAnyName(t *testing.T) {
	data, beside := t.TempDir(), t.TempDir()
	info, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range otherNames(t, data) {
		for _, folder := range []string{folder, filepath.Join(folder, "not", "there")} {
			if !under(folder, info) {
				t.Errorf("%s is not in %s", folder, data)
			}
		}
	}
	for _, folder := range []string{beside, filepath.Dir(data), data + "x", filepath.VolumeName(data) + string(filepath.Separator)} {
		if under(folder, info) {
			t.Errorf("%s is in %s", folder, data)
		}
	}
	b := bring(t)
	for _, folder := range otherNames(t, b.agent.config.Data) {
		file := filepath.Join(folder, "one.txt")
		if err := os.WriteFile(file, []byte("one"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := b.agent.locate(file); !errors.Is(err, errOwnData) {
			t.Errorf("%s: %v", folder, err)
		}
		if _, p := b.agent.target(filepath.Join(folder, "new.cms")); p == nil {
			t.Errorf("a file may be written into %s", folder)
		}
	}
}

// TestHostileSSRF: NURSign fetches from the page's own host only, over https, and from no address that is
// not the internet's, whatever the name resolves to; and it follows nobody elsewhere.
func TestHostileSSRF(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	ask := func(s *socket, url string) *hand {
		s.send(`{"module":"NURSign","type":"binary","source":"remote","upload_url":` + quote(url) + `}`)
		return b.window()
	}
	s := b.dial(page)
	for _, url := range []string{
		"http://portal.example.kz/a", "https://other.example.kz/a", "https://portal.example.kz:8443/a", "https://portal.example.kz@evil.example/a",
		"https://u:p@portal.example.kz/a", "https://portal.example.kz.evil.example/", "https://169.254.169.254/", "file:///etc/passwd", "//portal.example.kz/a", "ftp://portal.example.kz/", "::",
		"https://127.0.0.1:13579/",
	} {
		if got := s.ask(`{"module":"NURSign","type":"binary","source":"remote","upload_url":` + quote(url) + `}`); got != `{"errorCode":14}` {
			t.Errorf("%s: %s", url, got)
		}
	}
	if h := b.window(); h.view.Kind != "notice" || h.view.Named != "http://portal.example.kz/a" {
		t.Errorf("%+v", h.view)
	}
	b.noWindow() // said once
	// The page is served from this machine under a name: the name is right, the address is not.
	touched := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		touched = true
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/document", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte("документ"))
	}))
	defer server.Close()
	local := b.dial(server.URL)
	h := ask(local, server.URL+"/document")
	if h.view.Kind != "fetch" || h.view.Facts[0].Value != server.URL+"/document" {
		t.Fatalf("%+v", h.view)
	}
	h.decide(Decision{})
	if got := local.read(); got != `{"errorCode":14}` || touched {
		t.Errorf("%s, touched %v", got, touched)
	}
	// Where the address is allowed, the document is fetched after one consent and shown before another.
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.agent.downloader = client
	h = ask(local, server.URL+"/document")
	h.decide(Decision{})
	h = b.window()
	if d := h.view.Documents[0]; d.Text != "документ" || d.Name != server.URL+"/document" {
		t.Errorf("%+v", d)
	}
	h.decide(Decision{Key: h.unlock("")})
	if got := local.read(); !strings.HasPrefix(got, `{"result":"MII`) {
		t.Errorf("%s", got)
	}
	ask(local, server.URL+"/away").decide(Decision{})
	if got := local.read(); got != `{"errorCode":997}` {
		t.Errorf("a redirect is followed: %s", got)
	}
	ask(local, server.URL+"/document").cancel()
	if got := local.read(); got != `{"errorCode":1}` {
		t.Errorf("%s", got)
	}
}

// TestHostileLongPrefix: the inner bytes of an XML signature stay inner bytes under the longest name.
func TestHostileLongPrefix(t *testing.T) {
	long := strings.Repeat("p", 5000)
	for content, want := range map[string]bool{
		"<" + long + ":SignedInfo xmlns:" + long + "=\"http://www.w3.org/2000/09/xmldsig#\">": true,
		"<SignedInfo>": true, "<ds:SignedInfo/>": true, "<" + long + ":Other>": false, "SignedInfo": false,
	} {
		if inner([]byte(content)) != want {
			t.Errorf("%.20s…: inner is %t", content, !want)
		}
	}
}

// TestHostileDecoy: what only looks like the element that is signed is not shown as it.
func TestHostileDecoy(t *testing.T) {
	const wsu = `xmlns:w="` + spaceWSU + `"`
	for text, want := range map[string]string{
		`<r xmlns:x="u"><a x:id="v">no</a><a iD="v">no</a><b Id="v">yes</b></r>`: `<b Id="v">yes</b>`,
		`<r ` + wsu + `><a w:id="v">no</a><b w:Id="v">yes</b></r>`:               `<b w:Id="v">yes</b>`,
		`<r ` + wsu + `><a xmlns:w="u" w:Id="v">no</a><b Id="v">yes</b></r>`:     `<b Id="v">yes</b>`,
	} {
		shown := ""
		for _, p := range pretty(text, "v") {
			if p.Signed {
				shown += p.Text
			}
		}
		if strings.TrimSpace(shown) != want {
			t.Errorf("%s: %q", text, shown)
		}
	}
}

// TestHostileForeignPaths: paths that may be another computer's, however they are written.
func TestHostileForeignPaths(t *testing.T) {
	for path, want := range map[string]bool{`\\evil\s`: true, `//evil/s`: true, `\/evil/s`: true, `/\evil/s`: true, `\??\UNC\evil\s`: true, `\\?\UNC\evil`: true,
		`/home/a`: false, `D:\keys`: false, `/`: false, ``: false} {
		if keystore.Foreign(path) != want {
			t.Errorf("%q: %t", path, !want)
		}
	}
}

// TestHostileQueueAfterBlock: who is blocked at the first of his windows gets none of those that wait.
func TestHostileQueueAfterBlock(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	first, second := b.dial(page), b.dial(page)
	first.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.window()
	second.send(commonCall("getKeyInfo", `"PKCS12"`))
	for b.agent.desk.queue() < 1 {
		runtime.Gosched()
	}
	if status := h.post("/cancel", map[string]any{"block": true}, nil); status != 200 {
		t.Fatal(status)
	}
	first.read()
	if got := second.read(); !strings.Contains(got, "action.canceled") {
		t.Errorf("%s", got)
	}
	b.noWindow()
	// Blocked, a page learns nothing of files either.
	for _, path := range []string{filepath.Join(b.folder, "GOST512_a.p12"), filepath.Join(b.folder, "nothing")} {
		if got := second.ask(commonCall("createCAdESFromFile", `"PKCS12","SIGNATURE",`+quote(path)+`,true`)); !strings.Contains(got, "action.canceled") {
			t.Errorf("%s", got)
		}
	}
	b.noWindow()
}

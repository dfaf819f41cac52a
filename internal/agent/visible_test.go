package agent

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"senim/internal/lang"
)

// rlo turns the direction of what follows it; nobody sees it.
const rlo = "\u202e"

// TestNamesAreShownAsTheyAre: neither a file nor a program can be made to look like another by characters that nobody sees.
func TestNamesAreShownAsTheyAre(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("such names cannot be given everywhere")
	}
	b := bring(t)
	leaf := b.authority.Individual()
	for _, name := range []string{"GOST512_" + rlo + "21p.exe.p12", "GOST512_b.p12", "GOST512_\u2066c\n.p12"} {
		b.key(name, leaf)
	}
	document := filepath.Join(b.folder, "invoice"+rlo+"fdp.exe")
	if err := os.WriteFile(document, []byte("счёт"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, socket := b.look(), b.dial(page)
	shown := func(what string, names ...string) {
		t.Helper()
		text := eval[string](s, `document.documentElement.textContent`)
		if strings.ContainsAny(text, rlo+"\u2066") {
			t.Errorf("%s: what turns the text is there", what)
		}
		for _, name := range names {
			if !strings.Contains(text, name) {
				t.Errorf("%s: %q is not said:\n%s", what, name, text)
			}
		}
	}
	socket.send(commonCall("createCAdESFromFile", `"PKCS12","SIGNATURE",`+quote(document)+`,true`))
	s.open()
	shown("the consent", "invoice\ufffdfdp.exe")
	s.shot("name-consent")
	s.click("#sign")
	s.open()
	shown("the keys", "GOST512_\ufffd21p.exe.p12", "GOST512_\ufffdc\ufffd.p12", "invoice\ufffdfdp.exe")
	s.shot("name-keys")
	s.click("#cancel")
	socket.read()
	socket.send(commonCall("showFileChooser", `"ALL",`+quote(b.folder)))
	s.open()
	shown("the chooser", "invoice\ufffdfdp.exe")
	s.shot("name-chooser")
	s.click("#cancel")
	socket.read()
	for path, want := range map[string]string{"/tmp/a" + rlo + "gnp.exe": "/tmp/a\ufffdgnp.exe", "/tmp/a\n/usr/bin/good": "/tmp/a\ufffd/usr/bin/good", "": lang.RU.Text("agent.site.unknown-program")} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.agent.show(t.Context(), site{Class: "program", Program: path}, lang.RU, refused{why: "no"})
		}()
		s.open()
		shown("a program", want)
		s.click("#sign")
		<-done
	}
}

// TestPagesWordsStandApart: what a page names in a request that is refused stands in a field of its own, cut, and never in a
// sentence of the agent.
func TestPagesWordsStandApart(t *testing.T) {
	b := bring(t)
	socket := b.dial(page)
	said := "Обновите агент: https://evil.example/agent.exe\nПозвоните " + rlo + "и назовите пароль ключа"
	long := "/tmp/" + strings.Repeat("слово ", 10000) + "/name.txt"
	missing := "file-no-file"
	if runtime.GOOS == "windows" {
		missing = "file-not-plain" // a path there begins otherwise
	}
	for name, c := range map[string]struct{ request, text, named string }{
		"a file":         {commonCall("createCAdESFromFile", `"PKCS12","SIGNATURE",`+quote("/tmp/a\n\n"+said)+`,true`), missing, "/tmp/a\n\n" + said},
		"a long path":    {commonCall("createCAdESFromFile", `"PKCS12","SIGNATURE",`+quote(long)+`,true`), missing, ""},
		"a key file":     {appletCall("getKeys", `"PKCS12",`+quote("/tmp/"+said)+`,"","ALL"`), "no-key-file", "/tmp/" + said},
		"an address":     {`{"module":"NURSign","type":"binary","source":"remote","upload_url":` + quote(said) + `}`, "url", said},
		"where to":       {`{"module":"NURSign","type":"file","data":{"token":"t","url_upload":` + quote(said) + `}}`, "upload", said},
		"a site":         {commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",`+quote(base64.StdEncoding.EncodeToString([]byte(challengeWord+" v1\norigin: "+strings.ReplaceAll(said, "\n", " "))))+`,true`), "challenge", strings.ReplaceAll(said, "\n", " ")},
		"nothing of his": {`{"module":"kz.gov.pki.knca.basics","method":"generateCsr","args":{}}`, "basics-keys", ""},
	} {
		b.agent.notices.forget()
		socket.send(c.request)
		h := b.window()
		if h.view.Refusal != lang.RU.Text("agent.refused."+c.text) {
			t.Errorf("%s: the agent says %q", name, h.view.Refusal)
		}
		switch got := h.view.Named; {
		case name == "a long path":
			if len(got) > 600 || !strings.HasPrefix(got, "/tmp/слово") || !strings.HasSuffix(got, "/name.txt") {
				t.Errorf("%s: %d bytes, %s", name, len(got), got)
			}
		case got != c.named:
			t.Errorf("%s: named is %q", name, got)
		}
		h.decide(Decision{})
		socket.read()
		b.wait(2 * time.Minute)
	}
	b.agent.notices.forget()
	s := b.look()
	socket.send(`{"module":"NURSign","type":"binary","source":"remote","upload_url":` + quote(said) + `}`)
	s.open()
	if got := eval[string](s, `document.getElementById('named').textContent`); got != strings.NewReplacer("\n", "\ufffd", rlo, "\ufffd").Replace(said) {
		t.Errorf("%q", got)
	}
	s.looks("named")
	s.click("#sign")
	socket.read()
}

// forget lets notices be said again, once the one that is shown is over.
func (n *notices) forget() {
	for !n.over() {
		time.Sleep(time.Millisecond) //nolint:forbidigo // its end has no signal
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said = nil
}

package agent

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/pki"
)

// appletArgs writes a call of the Applet as its pages do: without a module.
func appletCall(method, args string) string {
	return `{"method":"` + method + `","args":[` + args + `]}`
}

func appletOK(result string) string { return `{"result":` + result + `,"errorCode":"NONE"}` }

// opened asks with a window, unlocks the only key there and decides.
func (b *bench) opened(s *socket, request string) string {
	b.Helper()
	s.send(request)
	h := b.window()
	h.decide(Decision{Key: h.unlock("")})
	return s.read()
}

// again asks with a window whose key is open already.
func (b *bench) again(s *socket, request string) string {
	b.Helper()
	s.send(request)
	h := b.window()
	if k := h.row(""); k.State != "unlocked" || len(h.view.Keys) != 1 {
		b.Errorf("%d keys, the first is %s", len(h.view.Keys), k.State)
	}
	h.decide(Decision{Key: h.row("").ID})
	return s.read()
}

// text takes the result out of a reply of the Applet.
func text(t *testing.T, reply string) string {
	t.Helper()
	rest, ok := strings.CutPrefix(reply, `{"result":"`)
	rest, end := strings.CutSuffix(rest, `","errorCode":"NONE"}`)
	if !ok || !end {
		t.Fatalf("%s", reply)
	}
	return strings.NewReplacer(`\n`, "\n", `\"`, `"`, `\\`, `\`, `<\/`, "</").Replace(rest)
}

// TestApplet walks through an old page's life: a chooser, the keys of the file it picked, questions
// about the certificate, signatures with one click each, and their verification.
func TestApplet(t *testing.T) {
	b := bring(t)
	person := b.authority.Individual()
	b.key("GOST512_a.p12", person)
	b.key("RSA256_b.p12", b.authority.Head())
	s := b.dial(page)

	s.send(appletCall("browseKeyStore", `"PKCS12","P12",""`))
	h := b.window()
	if h.view.Kind != "choose" || len(h.view.Chooser.Entries) != 2 || h.view.Chooser.Folder != b.folder {
		t.Fatalf("%+v", h.view.Chooser)
	}
	path := filepath.Join(b.folder, "GOST512_a.p12")
	if p := h.problem("/decide", Decision{File: filepath.Join(b.folder, "none.p12")}); p.Code != "no_file" {
		t.Errorf("%+v", p)
	}
	h.decide(Decision{File: path})
	if got := s.read(); got != appletOK(quote(path)) {
		t.Errorf("%s", got)
	}
	s.send(appletCall("showFileChooser", `"ALL",null`))
	b.window().cancel()
	if got := s.read(); got != appletOK(`""`) {
		t.Errorf("cancelled: %s", got)
	}

	// The password a page sends is junk: it opens nothing and closes nothing.
	junk := `"PKCS12",` + quote(path)
	s.send(appletCall("getKeys", junk+`,"not the password","ALL"`))
	h = b.window()
	if len(h.view.Warnings) != 1 || h.view.Warnings[0].Code != "password-asked" || len(h.view.Keys) != 1 || h.row("").State != "locked" {
		t.Errorf("%+v %+v", h.view.Warnings, h.view.Keys)
	}
	h.decide(Decision{Key: h.unlock("")})
	cert, info := person.Certificate, keyInfo(person.Certificate)
	if got := text(t, s.read()); got != "ГОСТ|"+info.SubjectCN+"|"+info.Serial+"|"+info.Alias {
		t.Errorf("%s", got)
	}
	named := junk + `,"` + info.Alias + `","x"`
	const form = "02.01.2006 15:04:05"
	for _, c := range []struct{ method, more, want string }{
		{"getNotBefore", "", cert.NotBefore.Local().Format(form)},
		{"getNotAfter", "", cert.NotAfter.Local().Format(form)},
		{"getSubjectDN", "", cert.Subject.String()},
		{"getIssuerDN", "", cert.Issuer.String()},
		{"getRdnByOid", `,"2.5.4.3",0`, cert.Subject.Get(pki.OIDCommonName)},
	} {
		if got := text(t, s.ask(appletCall(c.method, named+c.more))); got != c.want {
			t.Errorf("%s: %q, want %q", c.method, got, c.want)
		}
	}
	for request, code := range map[string]string{
		appletCall("getRdnByOid", named+`,"2.5.4.3",1`):          "RDN_NOT_FOUND",
		appletCall("getRdnByOid", named+`,"2.5.4.+3",0`):         "RDN_NOT_FOUND",
		appletCall("getSubjectDN", junk+`,"another","x"`):        "EMPTY_KEY_LIST",
		appletCall("signXml", named+`,"<a>"`):                    "XML_PARSE_EXCEPTION",
		appletCall("getKeys", `"Floppy","x","","ALL"`):           "UNKNOWN_STORAGE",
		appletCall("getKeys", `"AKKaztokenStore","x","","ALL"`):  "EMPTY_SLOT",
		appletCall("createCMSSignature", named+`,"text","true"`): "COMMON",
		appletCall("noSuchMethod", ``):                           "COMMON",
		appletCall("getHash", `"x","MD5"`):                       "COMMON",
		appletCall("verifyXml", `"<a/>"`):                        "SIGNATURE_VALIDATION_ERROR",
		`{"module":"kz.gov.pki.knca.applet.Applet","args":[]}`:   "COMMON",
	} {
		if got := s.ask(request); got != `{"result":"","errorCode":"`+code+`"}` {
			t.Errorf("%s: %s", request, got)
		}
	}
	b.driverMissed()
	b.noWindow()

	bare := text(t, b.again(s, appletCall("signPlainData", named+`,"текст"`)))
	if err := algid.GOST512Sig.Verify(cert.PublicKey, []byte("текст"), unbase(t, bare)); err != nil {
		t.Error(err)
	}
	for data, want := range map[string]string{"текст": "true", "другой": "false"} {
		if got := s.ask(appletCall("verifyPlainData", named+`,"`+data+`","`+bare+`"`)); got != appletOK(want) {
			t.Errorf("%s: %s", data, got)
		}
	}
	for _, attached := range []string{"true", "false"} {
		message := text(t, b.again(s, appletCall("createCMSSignature", named+`,"текст",`+attached)))
		sd := good(t, unbase(t, message), map[string][]byte{"false": []byte("текст")}[attached])
		if sd.Detached() == (attached == "true") {
			t.Errorf("attached %s: %v", attached, sd.Detached())
		}
		for data, want := range map[string]string{"текст": "true", "другой": "false"} {
			if got := s.ask(appletCall("verifyCMSSignature", `"`+message+`","`+data+`"`)); got != appletOK(want) {
				t.Errorf("%s, %s: %s", attached, data, got)
			}
		}
	}
	signed := text(t, b.again(s, appletCall("signXml", named+`,"<a>б</a>"`)))
	if verifyXML(t, signed); !strings.Contains(signed, "\n<ds:SignedInfo>\n") {
		t.Errorf("not in the old layout: %s", signed)
	}
	if got := s.ask(appletCall("verifyXml", quote(signed))); got != appletOK("true") {
		t.Errorf("%s", got)
	}
	if got := s.ask(appletCall("verifyXml", quote(strings.Replace(signed, ">б<", ">в<", 1)))); got != appletOK("false") {
		t.Errorf("%s", got)
	}
	part := text(t, b.again(s, appletCall("signXmlByElementId", named+`,"<doc><body id='x1'>б</body><place/></doc>","body","id","place"`)))
	for xml, want := range map[string]string{part: "true", strings.Replace(part, ">б<", ">в<", 1): "false"} {
		if got := s.ask(appletCall("verifyXml", quote(xml)+`,"id","place"`)); got != appletOK(want) {
			t.Errorf("%s: %s", xml, got)
		}
	}
	if got := s.ask(appletCall("verifyXml", quote(part)+`,"id","elsewhere"`)); got != appletOK("false") {
		t.Errorf("%s", got)
	}
	hash := base64.StdEncoding.EncodeToString(algid.SHA256.Sum([]byte("текст")))
	if got := s.ask(appletCall("getHash", `"текст","SHA256"`)); got != appletOK(quote(hash)) {
		t.Errorf("%s", got)
	}

	// setLocale is never answered; the next windows speak that language. A uuid comes back.
	for _, args := range []string{`"kk"`, `null`, `2`, ``, `"ru","x"`} { // no reply, whatever it is
		s.send(appletCall("setLocale", args))
	}
	s.send(`{"method":"setLocale"}`)
	s.send(`{"method":"setLocale","args":"kk"}`)
	s.send(strings.Replace(appletCall("showFileChooser", `"ALL",""`), "{", `{"uuid":"7",`, 1))
	h = b.window()
	if h.view.Lang != "kk" {
		t.Errorf("the window speaks %s", h.view.Lang)
	}
	h.cancel()
	if got := s.read(); got != `{"result":"","errorCode":"NONE","uuid":"7"}` {
		t.Errorf("%s", got)
	}
}

// TestAppletFile signs and verifies a file where it lies.
func TestAppletFile(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	doc := filepath.Join(b.folder, "договор.txt")
	if err := os.WriteFile(doc, []byte("договор"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := b.dial(page)
	args := `"PKCS12",` + quote(filepath.Join(b.folder, "GOST512_a.p12")) + `,"","",` + quote(doc)
	s.send(appletCall("createCMSSignatureFromFile", args+`,true`))
	h := b.window()
	if h.view.Kind != "read" || len(h.view.Facts) != 4 || h.view.Facts[0].Value != "договор.txt" || h.view.Facts[1].Value != b.folder {
		t.Fatalf("%+v", h.view)
	}
	h.decide(Decision{})
	h = b.window()
	if d := h.view.Documents[0]; d.Text != "договор" || d.Name != doc {
		t.Errorf("%+v", d)
	}
	h.decide(Decision{Key: h.unlock("")})
	message := text(t, s.read())
	good(t, unbase(t, message), nil)
	s.send(appletCall("verifyCMSSignatureFromFile", `"`+message+`",`+quote(doc)))
	b.window().decide(Decision{})
	if got := s.read(); got != appletOK("true") {
		t.Errorf("%s", got)
	}
	// A file picked in our own chooser on this connection was seen already; on another it was not.
	s.send(appletCall("showFileChooser", `"ALL",`+quote(b.folder)))
	b.window().decide(Decision{File: doc})
	s.read()
	if got := s.ask(appletCall("verifyCMSSignatureFromFile", `"`+message+`",`+quote(doc))); got != appletOK("true") {
		t.Errorf("%s", got)
	}
	other := b.dial(page)
	other.send(appletCall("verifyCMSSignatureFromFile", `"`+message+`",`+quote(doc)))
	b.window().cancel()
	if got := other.read(); got != `{"result":"","errorCode":"FILE_READ_ERROR"}` {
		t.Errorf("%s", got)
	}
}

// TestAppletHeld: a file stays open for its own connection, ten minutes, and only for questions.
func TestAppletHeld(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	ask := appletCall("getSubjectDN", `"PKCS12",`+quote(filepath.Join(b.folder, "GOST512_a.p12"))+`,"",""`)
	s, other := b.dial(page), b.dial(page)
	text(t, b.opened(s, ask))
	text(t, s.ask(ask))
	other.send(ask)
	b.window().cancel()
	if got := other.read(); got != `{"result":"","errorCode":"COMMON"}` {
		t.Errorf("another connection: %s", got)
	}
	b.wait(heldFor)
	s.send(ask)
	h := b.window()
	if k := h.row(""); k.State != "known" {
		t.Errorf("after ten minutes the key is %s", k.State)
	}
	h.cancel()
	s.read()
	// A site that was sent away is told nothing, whatever was open.
	b.wait(time.Hour)
	text(t, b.opened(s, ask))
	b.agent.block(siteOf(page))
	if got := s.ask(ask); got != `{"result":"","errorCode":"LOAD_KEYSTORE_ERROR"}` && got != `{"result":"","errorCode":"COMMON"}` {
		t.Errorf("%s", got)
	}
	b.noWindow()
}

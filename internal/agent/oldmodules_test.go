package agent

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"senim/internal/ask"
	"senim/internal/lang"
	"senim/pki"
)

const (
	knpModule = `{"module":"kz.inessoft.kgd.knp.ncalayer.KNPModuleService",`
	notFound  = `{"success":false,"errorCode":"MODULE_NOT_FOUND"}`
)

func cmsSignCall(method, args string) string {
	return `{"module":"kz.gov.pki.cms.CMSSignUtil","lang":"ru","method":"` + method + `","args":[` + args + `]}`
}

func accessoryCall(rest string) string {
	return `{"module":"kz.gov.pki.ncalayerservices.accessory","method":` + rest + `}`
}

// TestPain06Modules: the modules portals look for are built in; one that is not is named to the person,
// with the site, while the page has its answer already. Once, and it makes way for real work.
func TestPain06Modules(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	for _, request := range []string{
		`{"module":"NURSign","type":"version"}`, knpModule + `"command":"info"}`, appletCall("getHash", `"x","SHA1"`),
		commonCall("getActiveTokens", ""), accessoryCall(`"getServices"`),
	} {
		if got := s.ask(request); strings.Contains(got, "MODULE_NOT_FOUND") {
			t.Errorf("%s: %s", request, got)
		}
	}
	// Probes are no wish.
	for _, m := range []string{"kz.digiflow.mobile.extensions", "nca", "", "<b>", strings.Repeat("x", 81), "kz.a b.c"} {
		if got := s.ask(`{"module":` + quote(m) + `,"method":"getVersion"}`); got != notFound {
			t.Errorf("%q: %s", m, got)
		}
	}
	b.noWindow()
	if got := s.ask("{\n module: \"kz.uchet.signUtil.commonUtils\", \n method: \"getVersion\", \n args: [\"\"]\n}"); got != notFound {
		t.Errorf("%s", got)
	}
	h := b.window()
	if v := h.view; v.Kind != "notice" || !strings.Contains(v.Refusal, "kz.uchet.signUtil.commonUtils") || v.Site.Origin != page || len(v.Keys) > 0 {
		t.Errorf("%+v", v)
	}
	// Another module while it is shown, and real work.
	if got := s.ask(accessoryCall(`"installBundle","symname":"kz.osdkz.esf"`)); got != notFound {
		t.Errorf("%s", got)
	}
	b.noWindow()
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	next := b.window()
	if next.view.Kind != "info" || reachable(h.url) {
		t.Errorf("the notice did not make way: %s", next.view.Kind)
	}
	next.cancel()
	s.read()
	s.ask(`{"module":"kz.uchet.signUtil.commonUtils"}`)
	b.noWindow() // said once
	s.ask(`{"module":"com.osdkz.esf.signer"}`)
	if e := b.window().decideSeen(); e.Failed {
		t.Errorf("%+v", e)
	}
	// A page that invents modules is silent soon; another site is not.
	for i := range maxNotices - 2 { // two were said
		b.said()
		s.ask(`{"module":"kz.invented.n` + strconv.Itoa(i) + `"}`)
		b.window().decideSeen()
	}
	b.said()
	s.ask(`{"module":"kz.invented.more"}`)
	b.noWindow()
	b.dial("https://other.kz").ask(`{"module":"kz.invented.more"}`)
	b.window().decideSeen()
}

func (h *hand) decideSeen() ending { h.b.Helper(); return h.decide(Decision{}) }

// TestAccessorySettings: a page that wishes the settings has its answer at once.
func TestAccessorySettings(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	for _, method := range []string{`"showSettings"`, `"showBundleManager"`} {
		if got := s.ask(accessoryCall(method)); got != `{"success":true}` {
			t.Errorf("%s", got)
		}
	}
}

// TestNURSign starts as the procurement portal does, and signs each of its kinds.
func TestNURSign(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	if got := s.ask(`{"module":"NURSign","type":"version"}`); got != `{"result":{"version":"1.0.0"},"errorCode":"NONE"}` {
		t.Errorf("%s", got)
	}
	for request, code := range map[string]string{
		`{"module":"NURSign"}`: "999", `{"module":"NURSign","type":"file","data":{}}`: "999", `{"module":"NURSign","type":"file","data":{"token":"t"}}`: "14", `{"module":"NURSign","type":"text","data":7}`: "999",
		`{"module":"NURSign","type":"multitext","data":{}}`: "999", `{"module":"NURSign","type":"xml","data":"<a>"}`: "9",
		`{"module":"NURSign","type":"binary","data":"*"}`: "11", `{"module":"NURSign","type":"binary","source":"remote"}`: "14",
	} {
		if got := s.ask(request); got != `{"errorCode":`+code+`}` {
			t.Errorf("%s: %s", request, got)
		}
	}
	b.noWindow()
	xml := text(t, b.opened(s, `{"module":"NURSign","type":"xml","data":"<root/>"}`))
	if verifyXML(t, xml); !strings.Contains(xml, "<ds:X509Certificate>") {
		t.Errorf("%s", xml)
	}
	var list struct{ Result []string }
	if err := json.Unmarshal([]byte(b.opened(s, `{"module":"NURSign","type":"multixml","data":["<a/>","<b/>"]}`)), &list); err != nil || len(list.Result) != 2 {
		t.Fatalf("%v %v", list, err)
	}
	verifyXML(t, list.Result[1])

	// A text is never signed without the time-stamp that belongs to it.
	const many = `{"module":"NURSign","type":"multitext","data":{"17":"текст","2":"другой"},"source":"local"}`
	s.send(many)
	h := b.window()
	if e := h.decide(Decision{Key: h.unlock("")}); !e.Failed {
		t.Errorf("%+v", e)
	}
	if got := s.read(); got != `{"errorCode":10}` {
		t.Errorf("%s", got)
	}
	stamped := 0
	b.agent.stamper = func(_ context.Context, message []byte, _ *pki.Certificate) ([]byte, error) {
		stamped++
		return message, nil
	}
	reply := b.opened(s, many)
	var items struct {
		Result struct{ Items map[string]string }
	}
	if err := json.Unmarshal([]byte(reply), &items); err != nil || !strings.HasPrefix(reply, `{"result":{"items":{"17":"`) || stamped != 2 {
		t.Fatalf("%s %v", reply, err)
	}
	if sd := good(t, unbase(t, items.Result.Items["17"]), nil); string(sd.Content()) != "текст" {
		t.Errorf("%q", sd.Content())
	}
	good(t, unbase(t, text(t, b.opened(s, `{"module":"NURSign","type":"text","data":"один"}`))), nil)

	var bin struct{ Result, MD5, SHA256 string }
	if err := json.Unmarshal([]byte(b.opened(s, `{"module":"NURSign","type":"binary","data":"MTEK"}`)), &bin); err != nil {
		t.Fatal(err)
	}
	good(t, unbase(t, bin.Result), nil)
	if sum := sha256.Sum256([]byte("11\n")); bin.SHA256 != hex.EncodeToString(sum[:]) || len(bin.MD5) != 32 {
		t.Errorf("%+v", bin)
	}
	s.send(`{"module":"NURSign","type":"xml","data":"<a/>"}`)
	b.window().cancel()
	if got := s.read(); got != `{"errorCode":1}` {
		t.Errorf("%s", got)
	}
}

// TestNURSignFile: the person picks a file, sees where it goes, signs; file, signature and the page's token go to the
// page's own host and nowhere else, and what the site says of them comes back.
func TestNURSignFile(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	doc := filepath.Join(b.folder, "смета.txt")
	if err := os.WriteFile(doc, []byte("смета"), 0o600); err != nil {
		t.Fatal(err)
	}
	answer, status, sent := `{"file_id":17,"error":null}`, http.StatusOK, 0
	var token, name string
	var content, signature []byte
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent++
		if status == http.StatusFound {
			http.Redirect(w, r, "https://other.example.kz/", status)
			return
		}
		token, name = r.FormValue("token"), ""
		signature = unbase(t, r.FormValue("signature"))
		if f, h, err := r.FormFile("file"); err == nil {
			name = h.Filename
			content, _ = io.ReadAll(f)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	defer server.Close()
	s := b.dial(server.URL)
	request := `{"module":"NURSign","type":"file","data":{"token":"секрет","url_upload":` + quote(server.URL+"/upload") + `}}`
	send := func() (ending, string) {
		t.Helper()
		s.send(request)
		h := b.window()
		if h.view.Kind != "choose" {
			t.Fatalf("%+v", h.view)
		}
		h.decide(Decision{File: doc})
		h = b.window()
		if v := h.view; v.Kind != "sign" || v.Title != lang.RU.Text("agent.title.send") || v.Warnings[0].Code != "sent" || v.Named != server.URL+"/upload" || v.Documents[0].Name != doc {
			t.Errorf("%+v", v)
		}
		e := h.decide(Decision{Key: h.unlock("GOST512_a.p12")})
		return e, s.read()
	}
	// As it is, nothing is sent to an address that is not the internet's.
	if e, got := send(); got != `{"errorCode":14}` || !e.Failed || !strings.Contains(e.Text, lang.RU.Text("agent.problem.not_sent")) || sent > 0 {
		t.Errorf("%+v %s", e, got)
	}
	client := server.Client()
	client.CheckRedirect = ask.Public().CheckRedirect
	b.agent.downloader = client
	if e, got := send(); e.Failed || got != `{"result":{"file_id":17,"file_name":"смета.txt","file_size":10,"error":null},"errorCode":"NONE"}` {
		t.Errorf("%+v %s", e, got)
	}
	if token != "секрет" || name != "смета.txt" || string(content) != "смета" {
		t.Errorf("%q %q %q", token, name, content)
	}
	good(t, signature, []byte("смета"))
	for _, c := range []struct {
		answer string
		status int
		want   string
	}{{`{}`, 200, `{"errorCode":5}`}, {`<html>`, 200, `{"errorCode":5}`}, {`{}`, 500, `{"errorCode":3}`}, {`{}`, http.StatusFound, `{"errorCode":3}`},
		{strings.Repeat(" ", maxTaken+1), 200, `{"errorCode":3}`}, {`{"error":"no place"}`, 200, `{"result":{"file_id":null,"file_name":"смета.txt","file_size":10,"error":"no place"},"errorCode":"NONE"}`}} {
		answer, status = c.answer, c.status
		if _, got := send(); got != c.want {
			t.Errorf("%d %.20s: %s, want %s", c.status, c.answer, got, c.want)
		}
	}
	server.Close()
	if _, got := send(); got != `{"errorCode":997}` {
		t.Errorf("%s", got)
	}
	// Another host, a key file, another site's challenge, and no.
	if got := s.ask(strings.Replace(request, server.URL, "https://other.example.kz", 1)); got != `{"errorCode":14}` {
		t.Errorf("%s", got)
	}
	if h := b.window(); h.view.Kind != "notice" || h.view.Title != lang.RU.Text("agent.title.refused") || !strings.Contains(h.view.Named, "other.example.kz") {
		t.Errorf("%+v", h.view)
	} else {
		h.decideSeen()
	}
	if err := os.WriteFile(filepath.Join(b.folder, "challenge.txt"), []byte(challenge("https://victim.kz")), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"GOST512_a.p12": `{"errorCode":11}`, "challenge.txt": `{"errorCode":10}`} {
		s.send(request)
		b.window().decide(Decision{File: filepath.Join(b.folder, file)})
		if h := b.window(); h.view.Kind != "refused" {
			t.Errorf("%+v", h.view)
		} else {
			h.decide(Decision{})
		}
		if got := s.read(); got != want {
			t.Errorf("%s: %s", file, got)
		}
	}
	s.send(request)
	b.window().cancel()
	if got := s.read(); got != `{"errorCode":1}` {
		t.Errorf("%s", got)
	}
	if strings.Contains(b.log.String(), "секрет") || strings.Contains(b.log.String(), "/upload") {
		t.Error("the token or the address is in the log")
	}
}

// TestKNP starts as the tax portal does.
func TestKNP(t *testing.T) {
	b := bring(t)
	person := b.authority.Individual()
	b.key("GOST512_a.p12", person)
	s := b.dial(page)
	for request, want := range map[string]string{
		`"command":"info","requestId":1}`:                                 `{"type":"personal","version":"1.1.0","status":"READY","resultStatus":{"resultCode":"OK"},"requestId":1}`,
		`"command":"getStorageType","requestId":"2"}`:                     `{"storages":[{"name":"PKCS12","token":false},{"name":"KAZTOKEN","token":true},{"name":"KZIDCARD","token":true},{"name":"ETOKEN_72K","token":true},{"name":"JACARTA","token":true}],"resultStatus":{"resultCode":"OK"},"requestId":"2"}`,
		`"command":"getStorageDevicesByType","storage":"KAZTOKEN"}`:       `{"tokenTerminals":[],"resultStatus":{"resultCode":"OK"}}`,
		`"command":"none","requestId":"3"}`:                               `{"resultStatus":{"resultCode":"ERROR","resultText":"unknown command"},"requestId":"3"}`,
		`"requestId":"4"}`:                                                `{"resultStatus":{"resultCode":"INVALID_INPUT_DATA","resultText":"command is missing"},"requestId":"4"}`,
		`"command":"signDocument","requestId":{}}`:                        `{"resultStatus":{"resultCode":"INVALID_INPUT_DATA","resultText":"xml is missing"}}`,
		`"command":"signDocument","storageType":"KAZTOKEN","xml":"<a/>"}`: `{"error":{"cryptoError":"TOKEN_NOT_AVAILABLE"},"resultStatus":{"resultCode":"ERROR"}}`,
	} {
		if got := s.ask(knpModule + request); got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	b.driverMissed()
	b.noWindow()
	for _, name := range []string{"xml", "xmlToSign", "data"} {
		reply := b.opened(s, knpModule+`"command":"signDocument","requestId":"7","storageType":"PKCS12","`+name+`":"<a/>"}`)
		var out struct{ SignedXML string }
		if err := json.Unmarshal([]byte(reply), &out); err != nil || !strings.HasSuffix(reply, `"resultStatus":{"resultCode":"OK"},"requestId":"7"}`) {
			t.Fatalf("%s %v", reply, err)
		}
		verifyXML(t, out.SignedXML)
	}
	s.send(knpModule + `"command":"getCertificates","requestId":"8"}`)
	h := b.window()
	if h.view.Kind != "list" {
		t.Errorf("%s", h.view.Kind)
	}
	h.decide(Decision{Keys: []string{h.row("").ID}})
	info := keyInfo(person.Certificate)
	if got := s.read(); !strings.HasPrefix(got, `{"certificates":[{"alias":"`+info.Alias+`","serialNumber":"`+info.Serial+`","subjectCn":"`) || strings.Contains(got, b.folder) {
		t.Errorf("%s", got)
	}
	s.send(knpModule + `"command":"signDocument","xml":"<a/>"}`)
	b.window().cancel()
	if got := s.read(); got != `{"resultStatus":{"resultCode":"ERROR","resultText":"action.canceled"}}` {
		t.Errorf("%s", got)
	}
}

// TestCMSSignUtil signs a file, checks the message and takes the content out again: no file is replaced.
func TestCMSSignUtil(t *testing.T) {
	b := bring(t)
	person := b.authority.Individual()
	b.key("GOST512_a.p12", person)
	doc := filepath.Join(b.folder, "отчёт.txt")
	if err := os.WriteFile(doc, []byte("отчёт"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := b.dial(page)
	s.send(cmsSignCall("getFilePath", `"all",`+quote(b.folder)))
	b.window().decide(Decision{File: doc})
	if got := s.read(); got != `{"responseObject":{"path":`+quote(doc)+`,"filename":"отчёт.txt","filedir":`+quote(b.folder)+`},"code":"200"}` {
		t.Errorf("%s", got)
	}
	s.send(cmsSignCall("getFilePath", `"cms",null`))
	b.window().cancel()
	if got := s.read(); got != `{"code":"500","message":"action.canceled"}` {
		t.Errorf("%s", got)
	}
	sign := cmsSignCall("signFilePath", quote(doc)+`,`+quote(b.folder)+`,"PKCS12"`)
	s.send(sign)
	h := b.window()
	if h.view.SaveAs != doc+".cms" || h.view.Documents[0].Name != doc {
		t.Errorf("%q %+v", h.view.SaveAs, h.view.Documents)
	}
	id := h.unlock("")
	for path, code := range map[string]string{doc: "file_there", "relative.cms": "no_folder", filepath.Join(b.folder, "none", "x.cms"): "no_folder", filepath.Join(b.agent.config.Data, "x.cms"): "no_folder"} {
		if p := h.problem("/decide", Decision{Key: id, SaveAs: path}); p.Code != code || p.Field != "save-as" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	h.decide(Decision{Key: id, SaveAs: h.view.SaveAs})
	if got := s.read(); got != `{"responseObject":"отчёт.txt.cms","code":"200"}` {
		t.Errorf("%s", got)
	}
	message, err := os.ReadFile(doc + ".cms")
	if err != nil {
		t.Fatal(err)
	}
	if sd := good(t, message, nil); string(sd.Content()) != "отчёт" {
		t.Errorf("%q", sd.Content())
	}
	// The next one gets another name.
	s.send(sign)
	h = b.window()
	if h.view.SaveAs != filepath.Join(b.folder, "отчёт.txt (2).cms") {
		t.Errorf("%s", h.view.SaveAs)
	}
	h.cancel()
	s.read()
	// The message is another file: its path is shown before it is read.
	s.send(cmsSignCall("checkCMS", quote(doc+".cms")))
	if h = b.window(); h.view.Kind != "read" {
		t.Errorf("%s", h.view.Kind)
	}
	h.decide(Decision{})
	if got := s.read(); got != `{"responseObjects":[{"name":`+quote(person.Certificate.Holder().CommonName)+`,"validSignature":true}],"code":"200"}` {
		t.Errorf("%s", got)
	}
	s.send(cmsSignCall("saveCMS", quote(doc+".cms")+`,null`))
	b.window().decide(Decision{})
	h = b.window()
	if h.view.Kind != "save" || h.view.SaveAs != filepath.Join(b.folder, "отчёт (2).txt") || h.view.Documents[0].Text != "отчёт" {
		t.Errorf("%+v", h.view)
	}
	h.decide(Decision{SaveAs: h.view.SaveAs})
	s.read()
	if got, err := os.ReadFile(filepath.Join(b.folder, "отчёт (2).txt")); err != nil || string(got) != "отчёт" {
		t.Errorf("%q %v", got, err)
	}
	for request, want := range map[string]string{
		cmsSignCall("none", ``): "NoSuchMethodException none", cmsSignCall("checkCMS", `7`): "java.lang.IllegalArgumentException: argument type mismatch. Method: checkCMS",
		cmsSignCall("signFilePath", `"x","","AKKaztokenStore"`): "storage.empty", `{"module":"kz.gov.pki.cms.CMSSignUtil"}`: `JSONObject[\"method\"] not found.`,
	} {
		if got := s.ask(request); got != `{"code":"500","message":"`+want+`"}` {
			t.Errorf("%s: %s", request, got)
		}
	}
	b.driverMissed()
	b.noWindow()
}

// TestOldModulesRelay: another site's sign-in challenge is signed by none of the old modules either.
func TestOldModulesRelay(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	foreign := challenge("https://victim.kz")
	doc := filepath.Join(b.folder, "challenge.txt")
	if err := os.WriteFile(doc, []byte(foreign), 0o600); err != nil {
		t.Fatal(err)
	}
	key := `"PKCS12",` + quote(filepath.Join(b.folder, "GOST512_a.p12")) + `,"","",`
	s := b.dial(page)
	for _, request := range []string{
		appletCall("signPlainData", key+quote(foreign)), appletCall("createCMSSignature", key+quote(foreign)+`,false`),
		appletCall("createCMSSignatureFromFile", key+quote(doc)+`,false`), cmsSignCall("signFilePath", quote(doc)+`,"","PKCS12"`),
		`{"module":"NURSign","type":"text","data":` + quote(foreign) + `}`,
		`{"module":"NURSign","type":"binary","data":"` + base64.StdEncoding.EncodeToString([]byte(foreign)) + `"}`,
	} {
		s.send(request)
		h := b.window()
		if h.view.Kind == "read" {
			h.decide(Decision{})
			h = b.window()
		}
		if h.view.Kind != "refused" || !strings.Contains(h.view.Named, "victim.kz") {
			t.Errorf("%s: %+v", request, h.view)
		}
		h.decide(Decision{})
		if got := s.read(); strings.Contains(got, "MII") {
			t.Errorf("%s", got)
		}
	}
	if got := s.ask(appletCall("signPlainData", key+quote("<ds:SignedInfo/>"))); got != `{"result":"","errorCode":"COMMON"}` {
		t.Errorf("%s", got)
	}
	b.noWindow()
}

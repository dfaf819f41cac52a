package agent

import (
	"strings"
	"testing"
	"time"

	"senim/internal/keystore"
	"senim/internal/pkitest"
)

// TestAppletTokens: an old page works with a token as with a key file: it learns that one is there and nothing of its label, the password
// it sends is read past, each signature takes the PIN in our window, and only a window that was closed after a wrong one is WRONG_PASSWORD.
func TestAppletTokens(t *testing.T) {
	driver := softhsm(t, pkitest.New(t))
	p := newPort(t)
	b := bring(t, func(o *Config) { o.Tokens = []keystore.TokenDriver{driver} })
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	for request, want := range map[string]string{
		appletCall("loadSlotList", `"AKKaztokenStore"`):                                     appletOK(`"KAZTOKEN 1"`),
		appletCall("browseKeyStore", `"AKKaztokenStore","P12",""`):                          appletOK(`"KAZTOKEN 1"`),
		appletCall("loadSlotList", `"PKCS12"`):                                              appletOK(`""`),
		appletCall("loadSlotList", `"AKJaCartaStore"`):                                      `{"result":"","errorCode":"EMPTY_SLOT"}`,
		appletCall("loadSlotList", `"Floppy"`):                                              `{"result":"","errorCode":"UNKNOWN_STORAGE"}`,
		appletCall("getKeys", `"AKKaztokenStore","KAZTOKEN 2","","ALL"`):                    `{"result":"","errorCode":"EMPTY_SLOT"}`,
		appletCall("signPlainData", `"AKJaCartaStore","","","","text"`):                     `{"result":"","errorCode":"EMPTY_SLOT"}`,
		appletCall("signXml", `"AKKaztokenStore","KAZTOKEN 1","","","<a>"`):                 `{"result":"","errorCode":"XML_PARSE_EXCEPTION"}`,
		appletCall("createCMSSignature", `"AKKaztokenStore","KAZTOKEN 1","","","x","true"`): `{"result":"","errorCode":"COMMON"}`,
	} {
		if got := s.ask(request); got != want {
			t.Errorf("%s: %s", request, got)
		}
	}
	b.driverMissed()
	b.noWindow()

	named := `"AKKaztokenStore","KAZTOKEN 1"`
	// open opens the only key with its PIN and goes on.
	open := func(request string) string {
		t.Helper()
		s.send(request)
		h := b.window()
		row := h.row("")
		if len(h.view.Keys) != 1 || !row.Pin || !row.Fits || row.State == "unlocked" || len(h.view.Warnings) != 1 || h.view.Warnings[0].Code != "password-asked" {
			t.Errorf("%+v %+v", h.view.Keys, h.view.Warnings)
		}
		if status := h.post("/unlock", map[string]any{"id": row.ID, "password": pin}, nil); status != 200 {
			t.Fatal(status)
		}
		h.decide(Decision{Key: row.ID})
		return s.read()
	}
	fields := strings.Split(text(t, open(appletCall("getKeys", named+`,"`+pin+`","ALL"`))), "|")
	if len(fields) != 4 || fields[0] != "RSA" || fields[1] == "" {
		t.Fatalf("%q", fields)
	}
	key := named + `,"` + fields[3] + `","the page's own"`
	cert := b.agent.seenLast().Files[0].Certificate()
	for method, want := range map[string]string{
		"getSubjectDN": cert.Subject.String(), "getIssuerDN": cert.Issuer.String(), "getNotAfter": cert.NotAfter.Local().Format("02.01.2006 15:04:05"),
	} {
		if got := text(t, s.ask(appletCall(method, key))); got != want {
			t.Errorf("%s: %s", method, got)
		}
	}
	if got := s.ask(appletCall("getSubjectDN", named+`,"another",""`)); got != `{"result":"","errorCode":"EMPTY_KEY_LIST"}` {
		t.Errorf("%s", got)
	}
	b.noWindow()
	// No signature without a PIN, whatever was opened before.
	good(t, unbase(t, text(t, open(appletCall("createCMSSignature", key+`,"text",true`)))), nil)
	verifyXML(t, text(t, open(appletCall("signXml", key+`,"<a>b</a>"`))))
	part := text(t, open(appletCall("signXmlByElementId", key+`,"<doc><body id='x1'>б</body><place/></doc>","body","id","place"`)))
	if got := s.ask(appletCall("verifyXml", quote(part)+`,"id","place"`)); got != appletOK("true") {
		t.Errorf("%s", got)
	}
	bare := text(t, open(appletCall("signPlainData", key+`,"text"`)))
	for data, want := range map[string]string{"text": "true", "other": "false"} {
		if got := s.ask(appletCall("verifyPlainData", key+`,"`+data+`","`+bare+`"`)); got != appletOK(want) {
			t.Errorf("%s: %s", data, got)
		}
	}
	good(t, unbase(t, text(t, open(appletCall("createCMSSignature", `"AKKaztokenStore","","","","text",true`)))), nil) // no slot named, no alias

	// A wrong PIN stays in the window; when it is closed then, the page is told so.
	s.send(appletCall("createCMSSignature", key+`,"text",true`))
	h := b.window()
	if p := h.problem("/unlock", map[string]any{"id": h.row("").ID, "password": "0000"}); !strings.Contains(p.Code, "pin") {
		t.Errorf("%+v", p)
	}
	h.cancel()
	if got := s.read(); got != `{"result":-1,"errorCode":"WRONG_PASSWORD"}` && got != `{"result":1,"errorCode":"WRONG_PASSWORD"}` {
		t.Errorf("%s", got)
	}
	b.wait(time.Hour)
	s.send(appletCall("createCMSSignature", key+`,"text",true`))
	b.window().cancel()
	if got := s.read(); got != `{"result":"","errorCode":"COMMON"}` {
		t.Errorf("%s", got)
	}
	p.pull()
	b.wait(time.Hour)
	if got := s.ask(appletCall("createCMSSignature", key+`,"text",true`)); got != `{"result":"","errorCode":"EMPTY_SLOT"}` {
		t.Errorf("%s", got)
	}
	if strings.Contains(b.log.String(), pin) {
		t.Error("the PIN is in the log")
	}
}

// TestAppletTriesLeft: how many tries are left is said as far as a token tells, and not after the right PIN.
func TestAppletTriesLeft(t *testing.T) {
	for err, want := range map[error]wrongPIN{keystore.ErrPassword: -1, keystore.ErrLastTry: 1, keystore.ErrLocked: 0} {
		few := &fewKeys{}
		if few.tried(err); few.wrong == nil || *few.wrong != want {
			t.Errorf("%v: %v", err, few.wrong)
		}
		if few.tried(nil); few.wrong != nil {
			t.Errorf("after the right one: %d", *few.wrong)
		}
	}
}

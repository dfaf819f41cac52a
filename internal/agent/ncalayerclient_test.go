package agent

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
	"senim/pki"
)

// TestNCALayerClient runs the whole public API of ncalayer-js-client, unmodified, against the agent: in a
// program over TLS that it checks, and in a page.
func TestNCALayerClient(t *testing.T) {
	folder := packages(t, "npm")
	for name, begin := range map[string]func(*bench, string) *player{"node": (*bench).inNode, "chromium": (*bench).inChromium} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := today(t)
			b.cast()
			p := begin(b, folder)
			url := "wss://127.0.0.1:" + b.agent.port
			connect := fmt.Sprintf("(globalThis.c && c.wsConnection.close(), globalThis.c = new NCALayerClient(%q)).connect()", url)
			if v := value[string](t, p.call(connect)); v != "1.4" {
				t.Fatalf("version %s", v)
			}
			if v := value[[]any](t, p.call(`[c.isKmd, await c.getActiveTokens(), await new NCALayerClient(c.url).connect()]`)); v[0] != false || len(v[1].([]any)) != 0 || v[2] != "1.4" {
				t.Errorf("%v", v)
			}
			p.keyInfo(t)
			p.cades(t)
			p.xml(t)
			p.basics(t, connect, name == "node")
			p.others(t)
			p.quits(t)
		})
	}
}

// cast lays a key of every role into the folder.
func (b *bench) cast() {
	a := b.authority
	for name, leaf := range map[string]*pkitest.Leaf{
		"Person": a.Individual(), "Org": a.SignRight(), "Head": a.Head(), "Trusted": a.SignRight(), "Employee": a.Employee(),
	} {
		b.key("Sign"+name+".p12", leaf)
	}
	for name, holder := range map[string]pki.Holder{
		"Person": pkitest.Person(), "Org": pkitest.Member(pki.RoleEmployee), "Head": pkitest.Member(pki.RoleFirstHead),
		"Right": pkitest.Member(pki.RoleSignRight), "Employee": pkitest.Member(pki.RoleEmployee),
	} {
		sign, signIn := a.ClassicPair(holder)
		b.key("Auth"+name+".p12", signIn)
		if name == "Person" {
			b.key("RSA.p12", sign)
		}
	}
}

func (p *player) keyInfo(t *testing.T) {
	t.Helper()
	if info := value[map[string]string](t, p.sign(`c.getKeyInfo("PKCS12")`, "SignHead.p12")); len(info) != 12 || info["algorithm"] != "ECGOST3410-2015-512" {
		t.Errorf("%v", info)
	}
	if a := p.refuse(`c.getKeyInfo(NCALayerClient.fileStorageType)`); a.Error != "NCALayerError: 500: action.canceled" {
		t.Errorf("%+v", a)
	}
}

func (p *player) cades(t *testing.T) {
	t.Helper()
	content := []byte("11$")
	for argument, key := range map[string]string{
		`"MTEk"`: "SignPerson.p12", `"MTEk","SIGNATURE",false`: "RSA.p12", `"MTEk","AUTHENTICATION",true`: "AuthPerson.p12",
		`new TextEncoder().encode("11$").buffer,"any",true`: "AuthHead.p12", `new Blob(["11$"]),"SIGNATURE",true`: "SignHead.p12",
		`["MTEk",new Blob(["11$"])],"SIGNATURE",true`: "SignHead.p12",
	} {
		for _, method := range []string{"createCAdESFromBase64", "createCMSSignatureFromBase64"} {
			a := p.sign(`c.`+method+`("PKCS12",`+argument+`)`, key)
			list := []string{}
			if strings.HasPrefix(argument, "[") {
				if list = value[[]string](t, a); len(list) != 2 {
					t.Errorf("%s: %d signatures", argument, len(list))
				}
			} else {
				list = append(list, value[string](t, a))
			}
			for _, text := range list {
				der := unbase(t, text)
				sd := good(t, der, content)
				if sd.Detached() == strings.HasSuffix(argument, "true") {
					t.Errorf("%s: detached %v", argument, sd.Detached())
				}
				if method == "createCMSSignatureFromBase64" {
					stamped(t, sd)
				}
				t.Run("openssl", func(t *testing.T) {
					needsGOST(t)
					if !opensslTakes(t, forOpenSSL(t, der), content, !sd.Detached()) {
						t.Errorf("%s, %s: OpenSSL refuses it", argument, key)
					}
				})
			}
		}
	}
	for hash, key := range map[algid.Hash]string{algid.SHA256: "RSA.p12", algid.Streebog512: "SignPerson.p12"} {
		digest := base64.StdEncoding.EncodeToString(hash.Sum(content))
		a := p.sign(`c.createCAdESFromBase64Hash("PKCS12",`+quote(digest)+`)`, key)
		good(t, unbase(t, value[string](t, a)), content)
	}
	if a := p.call(`c.createCAdESFromBase64Hash("PKCS12","MTEk")`); a.Error == "" { // no digest
		t.Errorf("%+v", a)
	}
	if a := p.refuse(`c.createCAdESFromBase64("PKCS12","MTEk")`); a.Error != "NCALayerError: 500: action.canceled" {
		t.Errorf("%+v", a)
	}
}

func (p *player) xml(t *testing.T) {
	t.Helper()
	verifyXML(t, value[string](t, p.sign(`c.signXml("PKCS12","<tag>data</tag>")`, "SignPerson.p12")))
	verifyXML(t, value[string](t, p.sign(`c.signXml("PKCS12","<tag>data</tag>","AUTHENTICATION")`, "AuthPerson.p12")))
	part := value[string](t, p.sign(`c.signXml("PKCS12","<doc><body id='x1'>data</body><sign/></doc>","any","/doc/body","/doc/sign")`, "RSA.p12"))
	if !strings.Contains(part, `URI="#x1"`) || !strings.Contains(part, "<sign><ds:Signature") {
		t.Errorf("%s", part)
	}
	list := value[[]string](t, p.sign(`c.signXmls("PKCS12",["<a/>","<b>x</b>"],"SIGNATURE")`, "SignPerson.p12"))
	parts := value[[]string](t, p.sign(`c.signXmls("PKCS12",["<d><b id='x'/></d>","<d><b id='y'/></d>"],"","/d/b","/d")`, "SignPerson.p12"))
	if len(list) != 2 || len(parts) != 2 || !strings.Contains(parts[1], `URI="#y"`) {
		t.Errorf("%v %v", list, parts)
	}
	for _, xml := range list {
		verifyXML(t, xml)
	}
	const want = "NCALayerError: 500: org.xml.sax.SAXParseException; lineNumber: 1; columnNumber: 25; XML document structures must start and end within the same entity."
	if a := p.call(`c.signXml("PKCS12","<this>is not a valid XML")`); a.Error != want {
		t.Errorf("%+v", a)
	}
	for _, locale := range []string{"ru", "kz"} {
		if a := p.call(`c.changeLocale(` + quote(locale) + `)`); a.Error != "" {
			t.Errorf("%s: %+v", locale, a)
		}
	}
	if a := p.call(`c.changeLocale(2)`); a.Error != "NCALayerError: 500: java.lang.IllegalArgumentException: argument type mismatch. Method: changeLocale" {
		t.Errorf("%+v", a)
	}
}

// The values of the client's own constants.
var (
	clientSigners  = strings.Fields("Any SignAny SignPerson SignOrg SignHead SignTrusted SignEmployee AuthAny AuthPerson AuthOrg AuthHead AuthRight AuthEmployee TestAny")
	clientParams   = []string{"", "Detached", "DetachedNoTSP", "DetachedHash", "Attached"}
	clientStorages = strings.Fields("KAZTOKEN IDCard EToken72k EToken5110 JaCarta AKey PKCS12 JKS All Hardware")
)

// basics signs from every storage, with every set of parameters of the client, for every signer; in a page with one in
// fourteen of all, so that each value is tried.
func (p *player) basics(t *testing.T, connect string, whole bool) {
	t.Helper()
	for i, storage := range clientStorages {
		for j, params := range clientParams {
			value[string](t, p.call(connect)) // requests of one connection are counted
			for k, signer := range clientSigners {
				if !whole && (i+j+k)%14 != 0 {
					continue
				}
				p.basicsCMS(t, storage, params, signer)
			}
		}
	}
}

func (p *player) basicsCMS(t *testing.T, storage, params, signer string) {
	t.Helper()
	content := []byte("MTEk")
	data := "MTEk"
	if params != "" {
		content = []byte("11$")
	}
	digest := params == "DetachedHash"
	if digest {
		data = base64.StdEncoding.EncodeToString(algid.Streebog512.Sum(content))
	}
	expression := fmt.Sprintf("c.basicsSignCMS(NCALayerClient.basicsStorage%s,%q,NCALayerClient.basicsCMSParams%s,NCALayerClient.basicsSigner%s)", storage, data, params, signer)
	key := signer + ".p12"
	if strings.HasSuffix(signer, "Any") {
		key = strings.Replace(signer, "Any", "Person", 1) + ".p12"
		if !strings.HasPrefix(signer, "Auth") {
			key = "SignPerson.p12"
		}
	}
	if files := storage == "PKCS12" || storage == "All"; !files || digest && strings.HasPrefix(signer, "Auth") {
		p.start(expression)
		h := p.window()
		if h.row(key).State == "locked" { // else its certificate is known from before, and judged
			h.unlock(key)
		}
		if row := h.row(key); row.Fits || len(row.Reasons) == 0 || row.Reasons[0].Text == "" {
			t.Errorf("%s: %+v", expression, row)
		}
		h.cancel()
		if a := p.end(); !a.Canceled {
			t.Errorf("%s: %+v", expression, a)
		}
		return
	}
	der, err := cms.Decode([]byte(value[string](t, p.sign(expression, key))))
	if err != nil {
		t.Fatal(err)
	}
	sd := good(t, der, content)
	if sd.Detached() != strings.HasPrefix(params, "Detached") {
		t.Errorf("%s: detached %v", expression, sd.Detached())
	}
	if params == "" || params == "DetachedNoTSP" {
		if len(sd.Signers()[0].Timestamps) != 0 {
			t.Errorf("%s: a time-stamp nobody asked for", expression)
		}
		return
	}
	stamped(t, sd)
}

func (p *player) others(t *testing.T) {
	t.Helper()
	const all, signer = "NCALayerClient.basicsStorageAll", "NCALayerClient.basicsSignerAny"
	if list := value[[]string](t, p.sign(`c.basicsSignCMS(`+all+`,["MTEk","MTIk"],NCALayerClient.basicsCMSParamsAttached,`+signer+`)`, "SignPerson.p12")); len(list) != 2 {
		t.Errorf("%d signatures", len(list))
	}
	for data, want := range map[string]int{`"<a/>"`: 1, `["<a/>","<b/>"]`: 2} {
		list := value[[]string](t, p.sign(`c.basicsSignXML(`+all+`,`+data+`,NCALayerClient.basicsXMLParams,`+signer+`)`, "SignPerson.p12"))
		if len(list) != want {
			t.Errorf("%d signatures", len(list))
		}
		for _, xml := range list {
			verifyXML(t, xml)
		}
	}
	for length, shown := range map[int]bool{50_000: true, 50_001: false} {
		p.call(fmt.Sprintf(`c.setLogoForBasicsSign("iVBORw0KGgoA".padEnd(%d, "A"))`, length))
		p.start(`c.basicsSignXML(` + all + `,"<a/>",{},` + signer + `)`)
		h := p.window()
		if (h.view.Logo != "") != shown {
			t.Errorf("logo of %d characters: shown %v", length, !shown)
		}
		h.decide(Decision{Key: h.unlock("SignPerson.p12")})
		value[[]string](t, p.end())
	}
	if a := p.refuse(`c.basicsSignXML(` + all + `,"<a/>",{},` + signer + `)`); !a.Canceled || a.Error != "NCALayerError: cancelled by user" {
		t.Errorf("%+v", a)
	}
	if v := value[[]bool](t, p.call(`[await c.kmdMultisignAvailable(), c.multisignAvailable]`)); v[0] || !v[1] {
		t.Errorf("%v", v)
	}
	if a := p.call(`c.startKmdMultisign(1, true, true)`); a.Error == "" {
		t.Errorf("%+v", a)
	}
	if a := p.call(`c.kmdMultisignNext("MTEk")`); a.Error == "" {
		t.Errorf("%+v", a)
	}
}

// quits ends an agent whose window is open: the client is told.
func (p *player) quits(t *testing.T) {
	t.Helper()
	config := p.agent.config
	config.Data, config.Listen = t.TempDir(), "127.0.0.1:0"
	a, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx) }()
	value[string](t, p.call(`(globalThis.d = new NCALayerClient("ws://`+a.Addr()+`")).connect()`))
	p.start(`d.getKeyInfo("PKCS12")`)
	p.unopened()
	cancel()
	if answer := p.end(); answer.Error != "NCALayerError: NCALayer закрыл соединение." {
		t.Errorf("%+v", answer)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

package agent

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/dsig"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/internal/trust"
	"senim/pfx"
	"senim/pki"
)

// quote makes a JSON string.
func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func commonCall(method, args string) string {
	return `{"module":"kz.gov.pki.knca.commonUtils","method":"` + method + `","args":[` + args + `]}`
}

func basicsCall(format, data, signing, signer string) string {
	return `{"module":"kz.gov.pki.knca.basics","method":"sign","args":{"format":"` + format + `","data":` + data +
		`,"signingParams":` + signing + `,"signerParams":` + signer + `,"locale":"ru"}}`
}

const anyKey = `{"extKeyUsageOids":[],"chain":[]}`

// good verifies a CMS and gives its content.
func good(t *testing.T, der, content []byte) *cms.SignedData {
	t.Helper()
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	verdicts, err := sd.Verify(content)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Err != nil || !v.HasSignedAttributes {
			t.Fatal(v.Err)
		}
	}
	return sd
}

func unbase(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGetKeyInfo(t *testing.T) {
	b := bring(t)
	head := b.authority.Head()
	b.key("GOST512_head.p12", head)
	s := b.dial(page)
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.window()
	if k := h.row(""); k.State != "locked" || k.Card != nil || h.view.Preselect != k.ID || h.view.Kind != "info" {
		t.Errorf("before the password: %+v", k)
	}
	if p := h.problem("/unlock", map[string]any{"id": h.row("").ID, "password": "wrong"}); p.Code != "wrong_password" || p.Field != "password" {
		t.Errorf("%+v", p)
	}
	if p := h.problem("/unlock", map[string]any{"id": h.row("").ID, "password": ""}); p.Code != "password_needed" || p.Field != "password" || p.Text != lang.RU.Text("agent.problem.password_needed") {
		t.Errorf("%+v", p)
	}
	if p := h.problem("/decide", Decision{Key: h.row("").ID}); p.Code != "locked" {
		t.Errorf("%+v", p)
	}
	id := h.unlock("")
	if k := h.row(""); k.State != "unlocked" || k.Card == nil || k.Card.Organization == "" || len(k.Card.Roles) == 0 {
		t.Errorf("after it: %+v", k)
	}
	h.decide(Decision{Key: id})
	reply := s.read()
	order := []string{"certNotBefore", "issuerCn", "authorityKeyIdentifier", "serialNumber", "certNotAfter", "issuerDn", "keyId", "alias", "pem", "subjectCn", "algorithm", "subjectDn"}
	at := 0
	for _, name := range order {
		i := strings.Index(reply[at:], `"`+name+`":"`)
		if i < 0 {
			t.Fatalf("%s is missing or out of order in %s", name, reply)
		}
		at += i
	}
	got := object[map[string]string](t, reply)
	block, _ := pem.Decode([]byte(got["pem"]))
	if len(got) != 12 || got["algorithm"] != "ECGOST3410-2015-512" || got["serialNumber"] != head.Certificate.SerialHex() ||
		got["certNotAfter"] != millis(head.Certificate.NotAfter.UnixMilli()) || block == nil || !strings.Contains(got["pem"], "-----\r\n") {
		t.Errorf("%v", got)
	}
	// The next window knows the owner at once; the password is asked again.
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	h = b.window()
	if k := h.row(""); k.State != "known" || k.Card == nil {
		t.Errorf("second window: %+v", k)
	}
	h.cancel()
	if got := s.read(); got != `{"code":"500","message":"action.canceled"}` {
		t.Errorf("%s", got)
	}
}

func TestCommonCMS(t *testing.T) {
	b := bring(t)
	b.key("GOST512_person.p12", b.authority.Individual())
	s := b.dial(page)
	text := []byte("договор № 7")
	data := quote(base64.StdEncoding.EncodeToString(text))
	for _, keyType := range []string{"SIGNATURE", "AUTHENTICATION", "", "AUTH"} {
		sd := good(t, unbase(t, object[string](t, b.sign(s, commonCall("createCAdESFromBase64", `"PKCS12","`+keyType+`",`+data+`,true`), ""))), nil)
		if string(sd.Content()) != string(text) {
			t.Errorf("%s: content %q", keyType, sd.Content())
		}
	}
	detached := object[string](t, b.sign(s, commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",`+data+`,false`), ""))
	if sd := good(t, unbase(t, detached), text); !sd.Detached() {
		t.Error("not detached")
	}
	list := object[[]string](t, b.sign(s, commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",[`+data+`,`+data+`],true`), ""))
	if len(list) != 2 {
		t.Errorf("%d signatures", len(list))
	}
	// A CMS gets one more signer, and the window names the first.
	s.send(commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",`+quote(list[0])+`,true`))
	h := b.window()
	if d := h.view.Documents[0]; d.Text != string(text) || len(d.Signers) != 1 || d.Kind != "text" {
		t.Errorf("%+v", d)
	}
	h.decide(Decision{Key: h.unlock("")})
	if sd := good(t, unbase(t, object[string](t, s.read())), nil); len(sd.Signers()) != 2 {
		t.Errorf("%d signers", len(sd.Signers()))
	}
	digest := algid.Streebog512.Sum(text)
	hashed := object[string](t, b.sign(s, commonCall("createCAdESFromBase64Hash", `"PKCS12","SIGNATURE",`+quote(base64.StdEncoding.EncodeToString(digest))), ""))
	good(t, unbase(t, hashed), text)
	// Never a CMS without the time-stamp that was asked for.
	s.send(commonCall("createCMSSignatureFromBase64", `"PKCS12","SIGNATURE",`+data+`,true`))
	h = b.window()
	id := h.unlock("")
	if r := h.row("").Remarks; len(r) == 0 || r[len(r)-1].Code != "no-stamp" || r[len(r)-1].Level != "red" {
		t.Errorf("nothing is said of the time-stamp before: %+v", r)
	}
	if e := h.decide(Decision{Key: id}); !e.Failed {
		t.Errorf("%+v", e)
	}
	if got := s.read(); got != `{"code":"500","message":"no time-stamp service is set up for this issuer"}` {
		t.Errorf("%s", got)
	}
}

func verifyXML(t *testing.T, xml string) {
	t.Helper()
	doc, err := dsig.Parse([]byte(xml))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := doc.Verify(); err != nil {
		t.Fatalf("%s: %v", xml, err)
	}
}

func TestCommonXML(t *testing.T) {
	b := bring(t)
	b.key("GOST512_person.p12", b.authority.Individual())
	s := b.dial(page)
	reply := b.sign(s, commonCall("signXml", `"PKCS12","SIGNATURE","<tag>data</tag>","",""`), "")
	one := object[string](t, reply)
	verifyXML(t, one)
	if !strings.HasPrefix(one, `<?xml version="1.0" encoding="UTF-8" standalone="no"?><tag>data<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`+"\n<ds:SignedInfo>\n") || strings.Contains(reply, "</") {
		t.Errorf("%s", reply)
	}
	list := object[[]string](t, b.sign(s, commonCall("signXmls", `"PKCS12","SIGNATURE",["<a/>","<b>x</b>"],"",""`), ""))
	if len(list) != 2 {
		t.Fatal(list)
	}
	for _, xml := range list {
		verifyXML(t, xml)
	}
	part := object[string](t, b.sign(s, commonCall("signXml", `"PKCS12","SIGNATURE","<doc><body Id='x1'>data</body><sign/></doc>","//*[@Id='x1']","/doc/sign"`), ""))
	doc, err := dsig.Parse([]byte(part))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := doc.VerifyElement(dsig.Place{Element: "/doc/body", Parent: "/doc/sign"}); err != nil || v.ID != "x1" {
		t.Errorf("%s: %v", part, err)
	}
	if got := s.ask(commonCall("signXml", `"PKCS12","SIGNATURE","<a/>","//b",""`)); !strings.Contains(got, `"500"`) {
		t.Errorf("%s", got)
	}
}

func TestBasics(t *testing.T) {
	b := bring(t)
	person := b.authority.Individual()
	b.key("GOST512_person.p12", person)
	s := b.dial(page)
	// Without decode the letters are signed, attached.
	list := result[[]string](t, b.sign(s, basicsCall("cms", `"MTEK"`, `{}`, anyKey), ""))
	if len(list) != 1 || !strings.HasPrefix(list[0], "-----BEGIN CMS-----\n") || !strings.HasSuffix(list[0], "\n-----END CMS-----\n") {
		t.Fatalf("%q", list)
	}
	der, err := cms.Decode([]byte(list[0]))
	if err != nil {
		t.Fatal(err)
	}
	if sd := good(t, der, nil); string(sd.Content()) != "MTEK" {
		t.Errorf("%q", sd.Content())
	}
	// Booleans as words, detached.
	list = result[[]string](t, b.sign(s, basicsCall("cms", `["MTEK"]`, `{"decode":"true","encapsulate":"false","digested":"false"}`, anyKey), ""))
	if der, err = cms.Decode([]byte(list[0])); err != nil {
		t.Fatal(err)
	}
	if sd := good(t, der, []byte("11\n")); !sd.Detached() {
		t.Error("not detached")
	}
	list = result[[]string](t, b.sign(s, basicsCall("xml", `["<tag>data</tag>","<b/>"]`, `{}`, anyKey), ""))
	if len(list) != 2 || strings.Contains(list[0], "\n") {
		t.Errorf("%q", list)
	}
	verifyXML(t, list[0])
	raw := result[struct {
		Signatures  []string
		Certificate string
	}](t, b.sign(s, basicsCall("raw", `"MTEK"`, `{"decode":true,"outputCert":true}`, anyKey), ""))
	if err := algid.GOST512Sig.Verify(person.Certificate.PublicKey, []byte("11\n"), unbase(t, raw.Signatures[0])); err != nil || !strings.HasPrefix(raw.Certificate, "-----BEGIN CERTIFICATE-----") {
		t.Errorf("raw: %v %q", err, raw.Certificate)
	}
	digest := quote(base64.StdEncoding.EncodeToString(algid.Streebog512.Sum([]byte("x"))))
	list = result[[]string](t, b.sign(s, basicsCall("cms", digest, `{"decode":true,"encapsulate":false,"digested":true}`, anyKey), ""))
	if der, err = cms.Decode([]byte(list[0])); err != nil {
		t.Fatal(err)
	}
	good(t, der, []byte("x"))
	// Cancel, also with a time-stamp asked for; insisting is a failure.
	for _, signing := range []string{`{}`, `{"decode":true,"encapsulate":true,"tsaProfile":{}}`} {
		s.send(basicsCall("cms", `"MTEK"`, signing, anyKey))
		b.window().cancel()
		if got := s.read(); got != `{"body":{},"status":true}` {
			t.Errorf("%s", got)
		}
	}
	if got := b.sign(s, basicsCall("cms", `"MTEK"`, `{"tsaProfile":{}}`, anyKey), ""); !strings.HasPrefix(got, `{"code":"SIGNING_FAILURE","details":"no time-stamp`) {
		t.Errorf("%s", got)
	}
	if strings.Contains(b.log.String(), person.Certificate.Holder().IIN) {
		t.Error("the log holds an IIN")
	}
}

// TestFilters: a key that does not fit says why, and cannot be used all the same.
func TestFilters(t *testing.T) {
	status := statuses{}
	b := bring(t, func(c *Config) { c.Revocation = status })
	a := b.authority
	person, head := a.Individual(), a.Head()
	_, signIn := a.ClassicPair(pkitest.Person())
	revoked, expired, early, foreign, system := a.Individual(), a.Expired(), a.NotYetValid(), a.Foreign(), a.InfoSystem()
	status[revoked.Certificate.Fingerprint()] = trust.Status{State: trust.StateRevoked, RevokedAt: a.Now.Add(-time.Hour)}
	status[person.Certificate.Fingerprint()] = trust.Status{State: trust.StateGood}
	for name, leaf := range map[string]*pkitest.Leaf{
		"person": person, "head": head, "sign-in": signIn, "revoked": revoked, "expired": expired, "early": early, "foreign": foreign, "system": system,
	} {
		b.key(name+".p12", leaf)
	}
	s := b.dial(page)
	for _, c := range []struct{ name, signer, signing, key, reason string }{
		{"any", anyKey, `{}`, "person", ""},
		{"company", `{"extKeyUsageOids":["1.3.6.1.5.5.7.3.4","1.2.398.3.3.4.1.2"],"chain":[]}`, `{}`, "person", "usage"},
		{"company", `{"extKeyUsageOids":["1.3.6.1.5.5.7.3.4","1.2.398.3.3.4.1.2"],"chain":[]}`, `{}`, "head", ""},
		{"sign-in", `{"extKeyUsageOids":["1.3.6.1.5.5.7.3.2"],"chain":[]}`, `{}`, "person", "usage"},
		{"sign-in", `{"extKeyUsageOids":["1.3.6.1.5.5.7.3.2"],"chain":[]}`, `{}`, "sign-in", ""},
		{"iin", `{"extKeyUsageOids":[],"iin":"000000000000","chain":[]}`, `{}`, "person", "iin"},
		{"iin", `{"extKeyUsageOids":[],"iin":"` + person.Certificate.Holder().IIN + `","chain":[]}`, `{}`, "person", ""},
		{"bin", `{"extKeyUsageOids":[],"bin":"000000000000","chain":[]}`, `{}`, "head", "bin"},
		{"bin", `{"extKeyUsageOids":[],"bin":"` + head.Certificate.Holder().BIN + `","chain":[]}`, `{}`, "head", ""},
		{"serial", `{"extKeyUsageOids":[],"serialNumber":"` + strings.ToUpper(head.Certificate.SerialHex()) + `","chain":[]}`, `{}`, "head", ""},
		{"serial", `{"extKeyUsageOids":[],"serialNumber":"` + head.Certificate.SerialHex() + `","chain":[]}`, `{}`, "person", "serial"},
		{"revoked", anyKey, `{}`, "revoked", "revoked"},
		{"allow revoked", anyKey, `{"allowRevoked":"true"}`, "revoked", ""},
		{"expired", anyKey, `{}`, "expired", "expired"},
		{"allow expired", anyKey, `{"allowExpired":true}`, "expired", ""},
		{"not yet", anyKey, `{"allowExpired":true}`, "early", "not-yet"},
		{"trusted", `{"extKeyUsageOids":[]}`, `{}`, "person", ""},
		{"untrusted", `{"extKeyUsageOids":[],"chain":null}`, `{}`, "foreign", "untrusted"},
		{"untrusted, any", anyKey, `{}`, "foreign", ""},
		{"own chain", `{"extKeyUsageOids":[],"chain":[` + quote(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.CA.Raw}))) + `]}`, `{}`, "person", ""},
		{"system", anyKey, `{}`, "system", ""},
		{"system, signing", `{"extKeyUsageOids":["1.3.6.1.5.5.7.3.4"],"chain":[]}`, `{}`, "system", "usage"},
	} {
		t.Run(c.name+" "+c.key, func(t *testing.T) {
			s.send(basicsCall("cms", `"MTEK"`, c.signing, c.signer))
			h := b.window()
			id := h.unlock(c.key + ".p12")
			row := h.row(c.key + ".p12")
			if c.reason == "" {
				if !row.Fits {
					t.Fatalf("does not fit: %+v", row.Reasons)
				}
				h.decide(Decision{Key: id})
				result[[]string](t, s.read())
				return
			}
			if row.Fits || row.Reasons[0].Code != c.reason || strings.Contains(row.Reasons[0].Text, "[") {
				t.Errorf("%+v", row.Reasons)
			}
			if p := h.problem("/decide", Decision{Key: id}); p.Code != "does_not_fit" {
				t.Errorf("%+v", p)
			}
			h.cancel()
			if got := s.read(); got != `{"body":{},"status":true}` {
				t.Errorf("%s", got)
			}
		})
	}
	// Storages without files offer no key.
	s.send(`{"module":"kz.gov.pki.knca.basics","method":"sign","args":{"allowedStorages":["AKKaztokenStore"],"format":"cms","data":"x","signingParams":{},"signerParams":{"extKeyUsageOids":[]}}}`)
	h := b.window()
	for _, k := range h.view.Keys {
		if k.Fits {
			t.Errorf("%s fits a token request", k.File)
		}
	}
	if h.view.Lang != "kk" {
		t.Errorf("without a locale basics speaks %s", h.view.Lang)
	}
	h.cancel()
	s.read()
}

// TestUnchecked: what could not be checked is shown as that.
func TestUnchecked(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	s.send(basicsCall("cms", `"x"`, `{}`, anyKey))
	h := b.window()
	h.unlock("")
	found := false
	for _, r := range h.row("").Remarks {
		found = found || r.Code == "unchecked" && r.Level == "amber"
	}
	if !found {
		t.Errorf("%+v", h.row("").Remarks)
	}
	h.cancel()
	s.read()
}

// TestRealKeys signs with the public test keys of the national PKI.
func TestRealKeys(t *testing.T) {
	fixtures := pkitest.Fixtures(t)
	pool := pki.NewPool()
	pool.AddRoot(pkitest.FixtureCertificate(t, "ca/test/root_test_gost_2022.cer"))
	pool.AddIntermediate(pkitest.FixtureCertificate(t, "ca/test/nca_gost2022_test.cer"))
	status := statuses{}
	b := bring(t, func(c *Config) {
		c.Folders, c.Pool, c.Revocation = []string{filepath.Join(fixtures, "p12", "gost512-2026")}, pool, status
	})
	s := b.dial(page)
	for _, name := range []string{"individual_valid", "ceo_valid", "employee_signright_valid", "infosystem_valid"} {
		list := result[[]string](t, b.sign(s, basicsCall("cms", `"текст"`, `{}`, `{"extKeyUsageOids":[]}`), name+".p12"))
		der, err := cms.Decode([]byte(list[0]))
		if err != nil {
			t.Fatal(err)
		}
		good(t, der, nil)
		verifyXML(t, object[string](t, b.sign(s, commonCall("signXml", `"PKCS12","","<a>б</a>","",""`), name+".p12")))
	}
	file, err := os.ReadFile(filepath.Join(fixtures, "p12", "gost512-2026", "ceo_revoked.p12"))
	if err != nil {
		t.Fatal(err)
	}
	b.revoke(file, status)
	s.send(basicsCall("cms", `"x"`, `{}`, `{"extKeyUsageOids":[]}`))
	h := b.window()
	h.unlock("ceo_revoked.p12")
	if k := h.row("ceo_revoked.p12"); k.Fits || k.Reasons[0].Code != "revoked" {
		t.Errorf("%+v", k)
	}
	h.cancel()
	s.read()
	if got := b.sign(s, basicsCall("cms", `"x"`, `{"allowRevoked":true}`, `{"extKeyUsageOids":[]}`), "ceo_revoked.p12"); !strings.Contains(got, "BEGIN CMS") {
		t.Errorf("%s", got)
	}
}

// revoke makes the certificate of a key file revoked.
func (b *bench) revoke(file []byte, status statuses) {
	b.Helper()
	f, err := pfx.Decode(file, password)
	if err != nil {
		b.Fatal(err)
	}
	status[f.Certificate.Fingerprint()] = trust.Status{State: trust.StateRevoked, RevokedAt: b.now}
}

package agent

import (
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/lang"
	"senim/internal/pkitest"
)

// application is as the cabinet writes it.
func application(origin string) string {
	return `<application version="1"><number>261124000017</number><revision>1</revision><kind>reissue</kind><name>ТЕСТОВ ТЕСТ</name><iin>123456789011</iin><role>individual</role>` +
		`<requests><sha256>00</sha256></requests><signer>1</signer><replaces>1</replaces><time>2026-09-01T10:00:00Z</time><origin>` + origin + `</origin></application>`
}

// TestSec8RelayedApplication: an application of one cabinet is signed for no other site, by no method: signed, it would renew the
// person's key, with new keys that are not his. The cabinet itself gets its signature.
func TestSec8RelayedApplication(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	foreign := application("https://cabinet.victim.kz")
	list := func(xml string) map[string]string {
		return map[string]string{
			"basics":      basicsCall("xml", quote(xml), `{}`, anyKey),
			"commonUtils": commonCall("signXml", `"PKCS12","SIGNATURE",`+quote(xml)+`,"",""`),
			"many":        commonCall("signXmls", `"PKCS12","SIGNATURE",["<a/>",`+quote(xml)+`],"",""`),
			"KNP":         knpModule + `"command":"signDocument","requestId":"7","storageType":"PKCS12","xml":` + quote(xml) + `}`,
			"NURSign":     `{"module":"NURSign","type":"xml","data":` + quote(xml) + `}`,
			"signMany":    keysCall("signMany", `{"locale":"ru","documents":[{"id":"261124000017-r1","xml":`+quote(xml)+`,"serialNumber":"1"}]}`),
		}
	}
	for _, xml := range []string{foreign, strings.Replace(foreign, `<application version="1">`, "<?xml version=\"1.0\"?>\n<application\n version='1' >", 1),
		strings.Replace(foreign, "<origin>", "<origin>"+page+"</origin><origin>", 1), application(""), application(page + ".evil.kz")} {
		for name, request := range list(xml) {
			s.send(request)
			h := b.window()
			if h.view.Kind != "refused" || !strings.Contains(h.view.Refusal, "өтінім") && !strings.Contains(h.view.Refusal, "заявк") {
				t.Errorf("%s: %+v", name, h.view)
			}
			h.decide(Decision{})
			if got := s.read(); strings.Contains(got, "Signature") || strings.Contains(got, `"body":{"result"`) || strings.Contains(got, `"code":"200"`) {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
	for name, request := range list(application(page)) {
		s.send(request)
		h := b.window()
		if h.view.Kind == "refused" {
			t.Errorf("%s refuses the cabinet's own: %s", name, h.view.Refusal)
		}
		h.cancel()
		s.read()
	}
	// What is only called so is any document.
	s.send(basicsCall("xml", quote(`<application><origin>https://x.kz</origin></application>`), `{}`, anyKey))
	if h := b.window(); h.view.Kind == "refused" {
		t.Errorf("%+v", h.view)
	}
}

// TestCertificateRequestIsNamed: a certificate request to be signed as a document is told as what it is.
func TestCertificateRequestIsNamed(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	der := pkitest.Request(t, pkitest.NewKey(t, algid.GOST512), pkitest.Person())
	note := lang.RU.Text("agent.document.request")
	for name, c := range map[string]struct {
		content []byte
		want    bool
	}{"DER": {der, true}, "PEM": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), true}, "a text": {[]byte("hello"), false}, "cut": {der[:len(der)-1], false}} {
		s := b.dial(page)
		s.send(basicsCall("cms", quote(base64.StdEncoding.EncodeToString(c.content)), `{"decode":true}`, anyKey))
		h := b.window()
		if len(h.view.Documents) != 1 || (h.view.Documents[0].Note == note) != c.want {
			t.Errorf("%s: %+v", name, h.view.Documents)
		}
		h.cancel()
		s.read()
	}
}

package agent

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"

	"senim/cms"
	"senim/dsig"
	"senim/internal/pkitest"
)

// TestSignedBeforeIsProved: a certificate that lies in a message signed nothing; a name stands alone only when its
// signature is right and its authority known.
func TestSignedBeforeIsProved(t *testing.T) {
	b := bring(t)
	leaf, director := b.authority.Individual(), b.authority.Head()
	stranger := pkitest.New(t).Head()
	b.key("GOST512_a.p12", leaf)
	sign := func(l *pkitest.Leaf) []byte {
		der, err := cms.Sign(rand.Reader, cms.Options{Key: l.Key, Certificate: l.Certificate, Content: []byte("text"), SigningTime: b.now})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	// with puts another bag of certificates into a message.
	with := func(der []byte, bag ...[]byte) []byte {
		outer, err := parts(der, 2)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := parts(outer[1].Bytes, 5)
		if err != nil {
			t.Fatal(err)
		}
		certs := bytes.Join(bag, nil)
		body := bytes.Join([][]byte{signed[0].FullBytes, signed[1].FullBytes, signed[2].FullBytes, header(0xa0, int64(len(certs))), certs, signed[4].FullBytes}, nil)
		sd := append(header(0x30, int64(len(body))), body...)
		all := append(bytes.Clone(outer[0].FullBytes), append(header(0xa0, int64(len(sd))), sd...)...)
		return append(header(0x30, int64(len(all))), all...)
	}
	broken := bytes.Replace(sign(director), []byte("text"), []byte("test"), 1)
	name := func(l *pkitest.Leaf) string { return l.Certificate.Holder().CommonName }
	s := b.dial(page)
	for what, c := range map[string]struct {
		message []byte
		says    string
	}{
		"signed":               {sign(leaf), name(leaf)},
		"one that only lies":   {with(sign(leaf), leaf.Certificate.Raw, director.Certificate.Raw), name(leaf)},
		"no certificate":       {with(sign(leaf), director.Certificate.Raw), "кто-то без вложенного сертификата (подпись не проверена)"},
		"another content":      {broken, name(director) + " (подпись не подтверждена)"},
		"an unknown authority": {sign(stranger), name(stranger) + " (центр неизвестен: " + issuerName(stranger.Certificate) + ")"},
	} {
		s.send(commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE","`+base64.StdEncoding.EncodeToString(c.message)+`",true`))
		h := b.window()
		if got := strings.Join(h.view.Documents[0].Signers, "; "); got != c.says {
			t.Errorf("%s: %q, want %q", what, got, c.says)
		}
		h.cancel()
		s.read()
	}
	// Of XML the same holds.
	signedXML := object[string](t, b.sign(s, commonCall("signXml", `"PKCS12","SIGNATURE","<a>text</a>","",""`), ""))
	for what, c := range map[string]struct{ xml, says string }{
		"signed":          {signedXML, name(leaf)},
		"another content": {strings.Replace(signedXML, "<a>text", "<a>test", 1), name(leaf) + " (подпись не подтверждена)"},
	} {
		s.send(commonCall("signXml", `"PKCS12","SIGNATURE",`+quote(c.xml)+`,"",""`))
		h := b.window()
		if got := strings.Join(h.view.Documents[0].Signers, "; "); got != c.says {
			t.Errorf("XML, %s: %q, want %q", what, got, c.says)
		}
		h.cancel()
		s.read()
	}
}

// TestManySignedBefore: of more signers than a window names, and of signatures that name nobody, it says how many there are.
func TestManySignedBefore(t *testing.T) {
	b := bring(t)
	leaf := b.authority.Individual()
	b.key("GOST512_a.p12", leaf)
	s := b.dial(page)
	signed, err := dsig.SignEnveloped(rand.Reader, []byte("<a/>"), dsig.Options{Key: leaf.Key, Certificate: leaf.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	const close = "</ds:Signature>"
	x := string(signed)
	one := x[strings.Index(x, "<ds:Signature ") : strings.Index(x, close)+len(close)]
	const nobody = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`
	for _, c := range []struct {
		inside      string
		names, more int
	}{
		{strings.Repeat(one, 64), 64, 0}, {strings.Repeat(one, 65), 64, 1}, {strings.Repeat(one, 200), 64, 136}, {one + nobody, 1, 1}, {nobody, 0, 1}, {"", 0, 0},
	} {
		s.send(commonCall("signXml", `"PKCS12","SIGNATURE",`+quote("<a>"+c.inside+"</a>")+`,"",""`))
		h := b.window()
		got, want := h.view.Documents[0].Signers, c.names
		if c.more > 0 {
			want++
			if len(got) == 0 || got[len(got)-1] != h.view.Lang.Text("agent.signer.more", "n", c.more) {
				t.Errorf("%d named, %d more: %q", c.names, c.more, got)
			}
		}
		if len(got) != want {
			t.Errorf("%d lines, want %d", len(got), want)
		}
		h.cancel()
		s.read()
	}
}

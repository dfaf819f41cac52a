package cabinet

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/pki"
)

// upload posts a form with a file.
func (b *browser) upload(path, field string, content []byte) page {
	b.s.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	if content != nil {
		w, err := m.CreateFormFile(field, "request.p10")
		must(b.s.t, err)
		_, err = w.Write(content)
		must(b.s.t, err)
	}
	must(b.s.t, m.Close())
	req, err := http.NewRequestWithContext(b.s.t.Context(), http.MethodPost, b.s.server.URL+path, &body)
	must(b.s.t, err)
	req.Header.Set("Content-Type", m.FormDataContentType())
	return b.do(req)
}

// TestR8WithoutOurAgent renews a key with a request from a file, a signature that any program of
// NCALayer's protocol makes, and the certificate taken home as a file.
func TestR8WithoutOurAgent(t *testing.T) {
	s := newSite(t)
	old := s.personal("123456789013")
	b := s.browser(old)
	b.enter("p@example.kz")
	p := b.post("/keys/reissue", url.Values{"email": {"p@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}}).has(t, 200, "У меня нет агента Senim", "/upload")
	number := numberIn.FindStringSubmatch(p.path)[1]
	at := "/applications/" + number
	b.get(at+"/upload").has(t, 200, "Загрузить запрос на ключ", "senim key new --surname &#39;СЕРИКОВА&#39; --name &#39;АЙГУЛЬ&#39; --patronymic &#39;БОЛАТОВНА&#39; --iin 123456789013 --email p@example.kz --out request1.p10")

	h := pki.Holder{CommonName: "СЕРИКОВА АЙГУЛЬ", Surname: "СЕРИКОВА", Given: "БОЛАТОВНА", IIN: "123456789013", Country: "KZ"}
	key := pkitest.NewKey(t, algid.GOST512)
	request := func(key crypto.Signer, h pki.Holder) []byte { return pkitest.Request(t, key, h, "p@example.kz") }
	good := request(key, h)
	broken := bytes.Clone(good)
	broken[len(broken)-1] ^= 1
	stranger := h
	stranger.IIN = "123456789012"
	for _, c := range []struct {
		what    string
		content []byte
		words   []string
	}{
		{"no file", nil, []string{"Выберите файл"}},
		{"an empty file", []byte{}, []string{"Выберите файл"}},
		{"text", []byte("not a request"), []string{"Это не запрос PKCS #10"}},
		{"a certificate", old.Certificate.Raw, []string{"Это не запрос PKCS #10"}},
		{"too large", bytes.Repeat([]byte{0x30}, 40<<10), []string{"Это не запрос PKCS #10"}},
		{"without possession", broken, []string{`data-code="NO_POSSESSION"`}},
		{"of another person", request(key, stranger), []string{`data-code="REQUEST_OTHER_PERSON"`}},
		{"with the old key", request(old.Key, h), []string{`data-code="KEY_REUSED"`}},
		{"of another algorithm", request(pkitest.NewKey(t, algid.RSA), h), []string{`data-code="REQUEST_INVALID"`}},
	} {
		t.Run(c.what, func(t *testing.T) { b.upload(at+"/upload", "request1", c.content).has(t, 422, c.words...) })
	}
	other := s.browser(s.personal("123456789015"))
	other.enter("")
	for _, path := range []string{"/upload", "/certificate?as=p7b"} {
		other.get(at+path).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
	}
	other.upload(at+"/upload", "request1", good).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
	b.get(at+"/certificate?as=p7b").has(t, 422, `data-code="APPLICATION_STATE"`)
	b.post(at+"/received", nil).has(t, 422, `data-code="APPLICATION_STATE"`)

	p = b.upload(at+"/upload", "request1", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: good})).has(t, 200, "Подпи")
	p = b.click(p).has(t, 200, "Сертификаты выпускаются") // basics.sign: NCALayer's own call
	s.issue(p)
	b.get(at).has(t, 200, "Скачать сертификат файлом")
	a, err := s.office.Find(t.Context(), ra.Viewer{IIN: "123456789013"}, number)
	must(t, err)
	der := b.get(at+"/certificate?as=der&key=1").has(t, 200)
	if der.body != string(a.Certificates[0].DER) {
		t.Error("another certificate came")
	}
	text := b.get(at+"/certificate?as=pem&key=1").has(t, 200)
	if block, _ := pem.Decode([]byte(text.body)); block == nil || string(block.Bytes) != der.body {
		t.Error("the PEM holds another certificate")
	}
	cert, err := pki.ParseCertificate([]byte(der.body))
	must(t, err)
	want, err := cms.CertificatesOnly([]*pki.Certificate{cert})
	must(t, err)
	if all := b.get(at+"/certificate?as=p7b").has(t, 200); all.body != string(want) {
		t.Error("the p7b holds something else")
	}
	for _, q := range []string{"as=der&key=2", "as=der&key=0", "as=x&key=1", ""} {
		b.get(at+"/certificate?"+q).has(t, 404)
	}
	if a.State != ra.Issued {
		t.Errorf("taking the file changed the state: %s", a.State)
	}
	b.post(at+"/received", nil).has(t, 200, "Сертификаты успешно установлены")
	if strings.Contains(b.get(at).body, "/upload") {
		t.Error("an upload is still offered")
	}
}

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{"a.b@c-d": "a.b@c-d", "АО \"ТЕСТ\"": `'АО "ТЕСТ"'`, "a'b; rm": `'a'\''b; rm'`, "": "''"} {
		if got := quoted(in); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
}

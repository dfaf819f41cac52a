package cabinet

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"math/big"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"senim/cms"
	"senim/dsig"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/revocation"
	"senim/internal/store"
	"senim/internal/trust"
	"senim/pades"
	"senim/pki"
)

// SerialOf finds by key identifier, as the store of a real authority does.
func (a *authority) SerialOf(_ context.Context, id string) (string, error) {
	for _, k := range a.list(func(ra.Key) bool { return true }) {
		if c, err := pki.ParseCertificate(k.Raw); err == nil && fmt.Sprintf("%x", c.SubjectKeyID) == id {
			return k.Serial, nil
		}
	}
	return "", ra.ErrNoKey
}

// send posts a file, with further fields, to the check page.
func (b *browser) send(name string, file []byte, fields ...string) page {
	b.s.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		must(b.s.t, m.WriteField(fields[i], fields[i+1]))
	}
	part, err := m.CreateFormFile("file", name)
	must(b.s.t, err)
	_, err = part.Write(file)
	must(b.s.t, err)
	must(b.s.t, m.Close())
	req, err := http.NewRequestWithContext(b.s.t.Context(), http.MethodPost, b.s.server.URL+"/check", &body)
	must(b.s.t, err)
	req.Header.Set("Content-Type", m.FormDataContentType())
	return b.do(req)
}

func (b *browser) check(number string, fields ...string) page {
	form := url.Values{"serial": {number}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.post("/check", form)
}

// Every usual spelling of a number finds the same certificate, by serial and by key identifier.
func TestCheckByNumber(t *testing.T) {
	s := newSite(t)
	cert := s.personal("123456789013").Certificate
	serial := cert.SerialHex()
	var pairs []string
	for i := 0; i < len(serial); i += 2 {
		pairs = append(pairs, serial[i:i+2])
	}
	b := s.browser()
	for _, typed := range []string{serial, strings.ToUpper(serial), "0x" + serial, "0X" + strings.ToUpper(serial), "00:" + strings.Join(pairs, ":"),
		" " + strings.Join(pairs, " ") + "\t", strings.Join(pairs, "-"), fmt.Sprintf("%x", cert.SubjectKeyID), strings.TrimLeft(serial, "0")} {
		p := b.check(typed).has(t, 200, `data-verdict="valid"`, "Действителен", "СЕРИКОВА АЙГУЛЬ БОЛАТОВНА", "Физическое лицо", cert.Issuer.String(), "Кто за кого ручается",
			"Проверка онлайн (OCSP)")
		if n := strings.Count(p.body, "data-verdict="); n != 1 {
			t.Errorf("%q: %d verdicts", typed, n)
		}
	}
	for _, typed := range []string{"", "zz", "0x", "0", strings.Repeat("1", 41), strings.Repeat("1", 5000), "<b>", "қ"} {
		b.check(typed).has(t, 422, "Введите номер")
	}
}

func TestC34NeverIssued(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	for lang, word := range map[string]string{"ru": "Не выпускался", "kk": "Шығарылмаған", "en": "Never issued"} {
		b.lang = lang
		p := b.check("0123456789abcdef0123456789abcdef01234567").has(t, 200, `data-verdict="never"`, word)
		if strings.Contains(p.body, "Действителен") || strings.Contains(p.body, `data-verdict="valid"`) {
			t.Error("called valid")
		}
	}
	b.lang = "ru"
	// Our name under a certificate we did not sign.
	der := bytes.Clone(s.personal("123456789013").Certificate.Raw)
	der[len(der)-1] ^= 1
	b.send("forged.cer", der).has(t, 200, `data-verdict="never"`, "его не выпускал")
}

// Where the authority is elsewhere and finds no key identifiers, a number that is no serial may be one:
// that could not be checked, and is not called never issued.
func TestKeyIDCannotBeCheckedHere(t *testing.T) {
	s := newSite(t)
	cert := s.personal("009900000008").Certificate
	s.config.KeyIDs = nil
	h, err := New(s.config)
	must(t, err)
	s.server.Config.Handler = h
	b := s.browser()
	b.check(cert.SerialHex()).has(t, 200, `data-verdict="valid"`)
	p := b.check(fmt.Sprintf("%x", cert.SubjectKeyID)).has(t, 200, `data-verdict="unknown"`, "проверить по нему здесь нельзя")
	if strings.Contains(p.body, `data-verdict="never"`) {
		t.Error("called never issued")
	}
}

// OCSP silent and the list past its nextUpdate, both of them real: both reasons, and no other verdict.
func TestC35BothReasons(t *testing.T) {
	s := newSite(t)
	key := s.personal("123456789013")
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "old.crl"), s.ca.ListOf(pki.ListTemplate{Number: big.NewInt(1), ThisUpdate: s.now.Add(-48 * time.Hour), NextUpdate: s.now.Add(-24 * time.Hour)}), 0o600))
	silent := httptest.NewServer(http.NotFoundHandler())
	silent.Close()
	source := revocation.New(revocation.Config{Dir: dir, Responders: map[string]string{fmt.Sprintf("%x", s.ca.CA.SubjectKeyID): silent.URL}})
	judge, err := trust.New(trust.Config{Pool: s.ca.Pool(), Revocation: source, Now: func() time.Time { return s.now }})
	must(t, err)
	h, err := New(Config{Origin: origin, Auth: s.desk, Office: s.office, Judge: judge, Keys: s.ca, Now: func() time.Time { return s.now }})
	must(t, err)
	s.server.Config.Handler = h
	b := s.browser()
	for lang, words := range map[string][]string{
		"ru": {"Не удалось проверить", "OCSP): нет ответа", "CRL): срок вышел 31.08.2026 15:00"},
		"kk": {"Тексеру мүмкін болмады", "OCSP): жауап жоқ", "31.08.2026 15:00"},
		"en": {"Could not check", "OCSP): no answer", "ran out on 31.08.2026 15:00"},
	} {
		b.lang = lang
		p := b.check(key.Certificate.SerialHex()).has(t, 200, append(words, `data-verdict="unknown"`, "senim-refusal--unknown")...)
		if strings.Contains(p.body, "connection refused") || strings.Contains(p.body, silent.URL) {
			t.Error("the page shows what is inside")
		}
	}
}

func TestCheckVerdicts(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	file := func(c *pki.Certificate) page { return b.send("c.cer", c.Raw) }
	key := s.personal("123456789013").Certificate
	file(key).has(t, 200, `data-verdict="valid"`)
	b.send("c.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: key.Raw})).has(t, 200, `data-verdict="valid"`)
	file(s.ca.Authority.Expired().Certificate).has(t, 200, `data-verdict="expired"`, "Истёк")
	file(s.ca.Authority.NotYetValid().Certificate).has(t, 200, `data-verdict="not_yet"`, "Ещё не действует")
	file(s.ca.Authority.Foreign().Certificate).has(t, 200, `data-verdict="unknown"`, "нет в списке доверенных")
	file(s.ca.CA).has(t, 422, "сертификат удостоверяющего центра")
	s.ca.silent = true
	file(key).has(t, 200, `data-verdict="unknown"`, "не отвечает")
	s.ca.silent = false
	revoked := s.now
	_, err := s.ca.Revoke(t.Context(), key.SerialHex(), "superseded", time.Time{}, "")
	must(t, err)
	b.check(key.SerialHex()).has(t, 200, `data-verdict="revoked"`, "Отозван")

	// At a past moment, before and after the revocation.
	s.now = revoked.Add(72 * time.Hour)
	b.check(key.SerialHex(), "date", "2026-08-31").has(t, 200, "На 31.08.2026")
	before := b.check(key.SerialHex(), "date", "2026-09-01", "time", "14:59").has(t, 200, `data-verdict="valid"`, "На 01.09.2026 14:59", "Удержание, которое потом сняли")
	if strings.Contains(before.body, `data-verdict="revoked"`) {
		t.Error("a later revocation counts for an earlier moment")
	}
	b.check(key.SerialHex(), "date", "2026-09-01", "time", "15:00").has(t, 200, `data-verdict="revoked"`)
	b.check(key.SerialHex(), "date", "2026-09-02").has(t, 200, `data-verdict="revoked"`)
	for _, wrong := range [][]string{{"date", "2026-13-01"}, {"date", "2030-01-01"}, {"date", "01.09.2026"}, {"time", "10:00"}, {"date", "2026-09-01", "time", "25:00"}} {
		b.check(key.SerialHex(), wrong...).has(t, 422, "govuk-error-summary")
	}
}

// operator is somebody at a desk, of another company.
func (s *site) operator() *pkitest.Leaf {
	h := person("ОПЕРАТОР АННА", "ОПЕРАТОР", "", "123456789018", pki.RoleOperator)
	h.BIN, h.Organization = binY, "ЦОН"
	return s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: h}))
}

// Strangers see the ends of numbers; the owner, his head and operators the whole (like C-12: what is somebody
// else's is not told).
func TestC12MaskedForStrangers(t *testing.T) {
	s := newSite(t)
	h := person("СОТРУДНИК ПЕТР", "СОТРУДНИК", "", "123456789012", pki.RoleLegal, pki.RoleSignRight)
	h.BIN, h.Organization = binX, "АО «ТЕСТ»"
	staff := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: h}))
	s.registry[binX] = ra.HeadAnswer{Verdict: trust.Good, IIN: "123456789011", Organization: "АО «ТЕСТ»", AsOf: s.now}
	whole := func(p page) bool { return strings.Contains(p.body, "123456789012") && strings.Contains(p.body, binX) }
	masked := func(p page) bool {
		return !strings.Contains(strings.ReplaceAll(p.body, " ", ""), "123456789012") && !strings.Contains(p.body, binX)
	}
	for _, tt := range []struct {
		name string
		who  *pkitest.Leaf
		see  func(page) bool
	}{
		{"nobody signed in", nil, masked},
		{"another person", s.personal("123456789013"), masked},
		{"the head of another company", s.head("123456789011", binY), masked},
		{"the owner", staff, whole},
		{"his head", s.head("123456789011", binX), whole},
		{"an operator", s.operator(), whole},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := s.browser()
			if tt.who != nil {
				b = s.browser(tt.who)
				b.click(b.get("/signin"))
			}
			p := b.check(staff.Certificate.SerialHex()).has(t, 200, "СОТРУДНИК ПЕТР", "Сотрудник с правом подписи")
			if !tt.see(p) {
				t.Errorf("numbers: %s", text(p.body))
			}
		})
	}
}

// Every signer of every kind of document is shown with the answer about his certificate.
func TestCheckDocuments(t *testing.T) {
	s := newSite(t)
	one, two := s.personal("123456789013"), s.head("123456789011", binX)
	content := []byte("договор")
	sign := func(detached bool) []byte {
		der, err := cms.Sign(rand.Reader, cms.Options{Key: one.Key, Certificate: one.Certificate, Content: content, Detached: detached, SigningTime: s.now})
		must(t, err)
		return der
	}
	b := s.browser()
	both, err := cms.AddSigner(rand.Reader, sign(false), cms.Options{Key: two.Key, Certificate: two.Certificate, SigningTime: s.now})
	must(t, err)
	_, err = s.ca.Revoke(t.Context(), two.Certificate.SerialHex(), "superseded", time.Time{}, "")
	must(t, err)
	p := b.send("d.cms", both).has(t, 200, "В документе 2 подписи", "СЕРИКОВА", `data-sign="holds"`)
	if strings.Count(p.body, `data-verdict="valid"`) != 1 || strings.Count(p.body, `data-verdict="revoked"`) != 1 {
		t.Errorf("verdicts of two signers:\n%s", text(p.body))
	}
	b.send("d.p7s", sign(true)).has(t, 200, `data-sign="unseen"`, "самого документа нет", `data-verdict="valid"`)
	b.send("d.cms", bytes.Replace(sign(false), content[:4], []byte("abcd"), 1)).has(t, 200, `data-sign="broken"`, "Полагаться на него нельзя")

	xml, err := dsig.SignEnveloped(rand.Reader, []byte("<a>1</a>"), dsig.Options{Key: one.Key, Certificate: one.Certificate})
	must(t, err)
	b.send("d.xml", xml).has(t, 200, `data-sign="holds"`, `data-verdict="valid"`, "СЕРИКОВА")
	b.send("d.xml", bytes.Replace(xml, []byte("<a>1"), []byte("<a>2"), 1)).has(t, 200, `data-sign="broken"`, `data-verdict="unknown"`)
	b.send("d.xml", []byte("<a>1</a>")).has(t, 422, "сертификат не найден")

	signed := signedPDF(t, s, one)
	b.send("d.pdf", signed).has(t, 200, `data-sign="holds"`, `data-verdict="valid"`, "СЕРИКОВА")
	b.send("d.pdf", bytes.Replace(signed, []byte("100 tenge"), []byte("900 tenge"), 1)).has(t, 200, `data-sign="broken"`)
}

func signedPDF(t *testing.T, s *site, key *pkitest.Leaf) []byte {
	t.Helper()
	p := fpdf.New("P", "mm", "A4", "")
	p.SetCompression(false)
	p.AddPage()
	p.SetFont("Helvetica", "", 12)
	p.Text(20, 20, "100 tenge")
	var b bytes.Buffer
	must(t, p.Output(&b))
	doc, err := pades.Parse(bytes.NewReader(b.Bytes()), int64(b.Len()))
	must(t, err)
	update, err := doc.Sign(rand.Reader, pades.Options{Key: key.Key, Certificate: key.Certificate, Time: s.now.Truncate(time.Second)})
	must(t, err)
	return append(b.Bytes(), update...)
}

// What cannot be read is a page that says what to do; nothing of it is an error of ours.
func TestCheckBadInput(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	der := s.personal("123456789013").Certificate.Raw
	bomb := "%PDF-1.7\n1 0 obj\n<</Length 10/Filter[" + strings.Repeat("/FlateDecode ", 5000) + "]>>stream\n0123456789\nendstream endobj\nstartxref\n9\n%%EOF"
	for name, file := range map[string][]byte{
		"cut.cer": der[:len(der)/2], "trailing.cer": append(bytes.Clone(der), 1), "text.txt": []byte("hello"), "zero.bin": make([]byte, 4096),
		"deep.xml": []byte(strings.Repeat("<a>", 100_000)), "entity.xml": []byte(`<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`),
		"bomb.pdf": []byte(bomb), "short.pdf": []byte("%PDF-"), "deep.der": bytes.Repeat([]byte{0x30, 0x80}, 50_000), "pem.pem": []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
	} {
		t.Run(name, func(t *testing.T) { b.send(name, file).has(t, 422, "сертификат не найден") })
	}
	b.send("huge.pdf", make([]byte, maxDocument+1)).has(t, 413, `data-code="TOO_LARGE"`)
	b.send("empty.cer", nil).has(t, 422, "Введите номер")
}

// The record of the public page names what kind of thing was asked and nothing of what it was.
func TestCheckIsRecordedWithoutInput(t *testing.T) {
	s := newSite(t)
	key := s.personal("123456789013").Certificate
	b := s.browser()
	b.check(key.SerialHex()).has(t, 200)
	b.send("c.cer", key.Raw).has(t, 200)
	found, err := s.store.FindAudit(t.Context(), store.AuditQuery{Action: "check.done", Limit: 10})
	must(t, err)
	if len(found) != 2 || found[0].Detail["kind"] != "number" || found[1].Detail["kind"] != "certificate" {
		t.Fatalf("records %+v", found)
	}
	for _, r := range found {
		if all := fmt.Sprint(r.Event); strings.Contains(all, key.SerialHex()) || strings.Contains(all, "123456789013") || r.Detail["verdict"] != "valid" {
			t.Errorf("the record tells of the input: %s", all)
		}
	}
	refuse(t, s.file)
	b.check(key.SerialHex()).has(t, 503, `data-code="NOT_RECORDED"`)
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"", "0x", "0X00:AB", "12 34", strings.Repeat("f", 41), "\u00a0ab", "0x0x1"} {
		f.Add(s)
	}
	form := regexp.MustCompile(`^[0-9a-f]{40}$`)
	f.Fuzz(func(t *testing.T, typed string) {
		n, ok := numberOf(typed)
		if !ok {
			if n != "" {
				t.Errorf("%q is refused and gives %q", typed, n)
			}
			return
		}
		if !form.MatchString(n) {
			t.Errorf("%q gives %q", typed, n)
		}
		if again, ok := numberOf(n); !ok || again != n {
			t.Errorf("%q read again gives %q", n, again)
		}
	})
}

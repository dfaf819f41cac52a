package cabinet

import (
	"archive/zip"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/cms"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/web"
	"senim/pki"
)

// renewed brings the re-issue of a person's key to the page where its successor is installed.
func (b *browser) renewed(iin string) page {
	b.s.t.Helper()
	b.keys = []*pkitest.Leaf{b.s.personal(iin)}
	b.enter("p@example.kz")
	p := b.post("/keys/reissue", url.Values{"email": {"p@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}})
	p = b.click(b.click(p))
	b.s.issue(p)
	return b.get(p.path).has(b.s.t, 200, "Установите сертификаты")
}

var firstLink = regexp.MustCompile(`href="(/applications/\d{12}/first/[0-9a-f]+)"`)

// firstFiles are the files of the only first signature a page offers; nil: it offers none.
func (b *browser) firstFiles(p page) map[string]string {
	b.s.t.Helper()
	m := firstLink.FindAllStringSubmatch(p.body, -1)
	if len(m) == 0 {
		return nil
	}
	if len(m) != 1 {
		b.s.t.Fatalf("%d first signatures", len(m))
	}
	body := b.get(m[0][1]).body
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	must(b.s.t, err)
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		must(b.s.t, err)
		content, err := io.ReadAll(r)
		must(b.s.t, err)
		files[f.Name] = string(content)
	}
	return files
}

// signs holds a first signature against the new key: one signer, over the challenge that is there.
func signs(t *testing.T, files map[string]string, key *pkitest.Leaf) {
	t.Helper()
	sd, err := cms.Parse([]byte(files["signed.p7s"]))
	must(t, err)
	signers, err := sd.Verify([]byte(files[web.ContentFile]))
	if err != nil || len(signers) != 1 || !slices.Equal(signers[0].Certificate.Raw, key.Certificate.Raw) || files["certificate.cer"] != string(key.Certificate.Raw) {
		t.Errorf("the first signature: %v", err)
	}
}

// What the agent reports as installed it proves: each new key signs a challenge about this installation, of this browser,
// and the signature stays with the application.
func TestFirstSignatureIsKept(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	p := b.renewed("123456789013")
	if strings.Contains(p.body, "Первая подпись") {
		t.Error("told before anything is installed")
	}
	p = b.click(p).has(t, 200, "Сертификаты успешно установлены", "Первая подпись новым ключом", "при установке")
	files, key := b.firstFiles(p), b.keys[1]
	signs(t, files, key)
	number := numberIn.FindStringSubmatch(p.path)[1]
	a, err := s.office.Find(t.Context(), ra.Viewer{IIN: "123456789013"}, number)
	must(t, err)
	if files["installation.txt"] != ra.Installation(a) || !strings.Contains(files["installation.txt"], number+"-r1\nserial: "+key.Certificate.SerialHex()) || files["installed.txt"] != ra.Installations([]ra.Application{a}) {
		t.Errorf("%q, %q", files["installation.txt"], files["installed.txt"])
	}
	if c := files[web.ContentFile]; !strings.Contains(c, "origin: "+origin+"\npurpose: install-keys\n") || !strings.Contains(c, "digest: ") {
		t.Errorf("%q", c)
	}
	before := p.body
	b.keys = b.keys[1:]
	b.get("/signin")
	b.click(b.get("/signin")) // a later signature takes no place
	if p = b.get(p.path); firstLink.FindString(p.body) != firstLink.FindString(before) || strings.Contains(p.body, "при входе") {
		t.Error("another first signature")
	}
	other := s.browser(s.personal("123456789014"))
	other.enter("o@example.kz")
	if got := other.get(firstLink.FindStringSubmatch(before)[1]); got.status == 200 && strings.HasPrefix(got.body, "PK") {
		t.Error("another person has it")
	}
	if got := b.get("/applications/" + number + "/first/00"); got.status != 404 {
		t.Errorf("a serial that is not there: %d", got.status)
	}
}

// What is no signature of the new key over this very challenge is no proof: wrong ones are refused, late ones and none leave
// the report as it is.
func TestFirstSignatureHostile(t *testing.T) {
	for name, c := range map[string]struct {
		first func(b *browser) func(string, *pkitest.Leaf) []byte
		wait  time.Duration
		want  string // code of the refusal; empty: installed, and nothing is kept
	}{
		"of the old key": {func(b *browser) func(string, *pkitest.Leaf) []byte {
			return func(text string, _ *pkitest.Leaf) []byte { return b.firstSignature(text, b.keys[0]) }
		}, 0, "CERT_KEY_MISMATCH"},
		"over other bytes": {func(b *browser) func(string, *pkitest.Leaf) []byte {
			return func(text string, k *pkitest.Leaf) []byte {
				return b.firstSignature(strings.Replace(text, "purpose: install-keys", "purpose: sign-in", 1), k)
			}
		}, 0, "SIGNATURE_INVALID"},
		"none at all": {func(*browser) func(string, *pkitest.Leaf) []byte {
			return func(string, *pkitest.Leaf) []byte { return nil }
		}, 0, ""},
		"garbage": {func(*browser) func(string, *pkitest.Leaf) []byte {
			return func(string, *pkitest.Leaf) []byte { return []byte("no") }
		}, 0, "SIGNATURE_INVALID"},
		"late": {func(*browser) func(string, *pkitest.Leaf) []byte { return nil }, 6 * time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser()
			p := b.renewed("123456789013")
			b.first = c.first(b)
			s.now = s.now.Add(c.wait)
			done := b.click(p)
			if c.want != "" {
				done.has(t, 422, `data-code="`+c.want+`"`)
				b.get(p.path).has(t, 200, "Установите сертификаты")
				b.first, b.keys = nil, b.keys[:1]
				b.click(b.get(p.path)).has(t, 200, "Сертификаты успешно установлены", "при установке")
				return
			}
			done.has(t, 200, "Сертификаты успешно установлены", "Новым ключом ещё ничего не подписано")
			if b.firstFiles(done) != nil {
				t.Error("something is kept")
			}
		})
	}
}

// A captured signature serves nobody again: not this application, not another, not in another browser.
func TestFirstSignatureReplayed(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	p := b.renewed("123456789013")
	var captured []byte
	b.first = func(text string, k *pkitest.Leaf) []byte {
		captured = b.firstSignature(text, k)
		return nil // it never arrives
	}
	b.click(p).has(t, 200, "Новым ключом ещё ничего не подписано")
	thief := s.browser()
	q := thief.renewed("123456789014")
	thief.first = func(string, *pkitest.Leaf) []byte { return captured }
	thief.click(q).has(t, 422, `data-code="SIGNATURE_INVALID"`)
	b.get("/applications/" + numberIn.FindStringSubmatch(p.path)[1]) // no other challenge is opened for what is installed
	b.first = func(string, *pkitest.Leaf) []byte { return captured }
	to, call, form := p.agent(t)
	again := func() page {
		form.Set("answer", b.ask(call))
		return b.post(to, form)
	}
	// The challenge of the page is still open and in time: it is its own, and works once.
	again().has(t, 200, "при установке")
	must(t, s.store.RA().View(t.Context(), func(tx ra.Tx) error {
		all, err := tx.Firsts(t.Context(), numberIn.FindStringSubmatch(p.path)[1])
		if len(all) != 1 || string(all[0].Signature) != string(captured) {
			t.Errorf("%d kept", len(all))
		}
		return err
	}))
	again() // used: it is told, and nothing changes
}

// Where the agent is another program, the first sign-in with the new key is the proof; of a whole set that nobody
// reported it is the report too.
func TestFirstSignatureAtSignIn(t *testing.T) {
	for name, reported := range map[string]bool{"reported without": true, "not reported": false} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser()
			p := b.renewed("123456789013")
			b.first = func(string, *pkitest.Leaf) []byte { return nil }
			if reported {
				b.click(p).has(t, 200, "Новым ключом ещё ничего не подписано")
			} else { // the person took the certificate home
				_, call, _ := p.agent(t)
				b.ask(call)
			}
			key := b.keys[1]
			b.keys = b.keys[:1]
			b.click(b.get("/signin"))
			if b.firstFiles(b.get(p.path)) != nil {
				t.Error("the old key's signature is kept as the new one's")
			}
			b.keys = []*pkitest.Leaf{key}
			b.click(b.get("/signin"))
			now := b.get(p.path).has(t, 200, "Сертификаты успешно установлены", "при входе в кабинет")
			files := b.firstFiles(now)
			signs(t, files, key)
			if _, ok := files["installation.txt"]; ok || !strings.Contains(files[web.ContentFile], "purpose: sign-in\n") {
				t.Errorf("%q", files)
			}
		})
	}
}

// A revoked key proves nothing: the installation is a fact, its signature is not kept.
func TestFirstSignatureOfARevokedKey(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	p := b.renewed("123456789013")
	a, err := s.office.Find(t.Context(), ra.Viewer{IIN: "123456789013"}, numberIn.FindStringSubmatch(p.path)[1])
	must(t, err)
	cert, err := pki.ParseCertificate(a.Certificates[0].DER)
	must(t, err)
	_, err = s.ca.Revoke(t.Context(), cert.SerialHex(), "keyCompromise", time.Time{}, "test")
	must(t, err)
	b.click(p).has(t, 200, "Новым ключом ещё ничего не подписано")
}

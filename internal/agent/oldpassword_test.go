package agent

import (
	"encoding/base64"
	"strings"
	"testing"

	"senim/internal/ncalayer"
	"senim/internal/pkitest"
	"senim/pki"
)

// certified has the CA issue the certificates of requests, and gives them as install takes them.
func (b *bench) certified(requests ...string) string {
	b.Helper()
	var list []string
	for _, text := range requests {
		r, err := pki.ParseRequest(unbase(b.T, text))
		if err != nil {
			b.Fatal(err)
		}
		leaf := b.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }})
		list = append(list, quote(base64.StdEncoding.EncodeToString(leaf.Certificate.Raw)))
	}
	return "[" + strings.Join(list, ",") + "]"
}

// TestNewPasswordIsNotTheOld: wherever a page has a new key installed or made under a password, that of the key it replaces
// is refused, and only that: the password of another holder, or of a key of another kind, may be taken.
func TestNewPasswordIsNotTheOld(t *testing.T) {
	b := bring(t)
	holder := company("ТОО «Алма»", "123456789021")
	b.issue("GOST512_old.p12", holder, 20)
	b.issue("GOST512_other.p12", company("ТОО «Самал»", "123456789034"), 20)
	home := b.home()
	home.learn("GOST512_old.p12")
	home.learn("GOST512_other.p12")
	s := b.dial(page)
	order := func(id, algorithm, bin string) string {
		return `{"requestId":"` + id + `","storage":"PKCS12","profiles":[{"algorithm":"` + algorithm + `","usage":"SIGNATURE"}],"subject":{"commonName":"ТЕСТОВ ТЕСТ","surname":"ТЕСТОВ","iin":"` +
			holder.IIN + `","organization":"ТОО","bin":"` + bin + `","email":"t@example.kz"}}`
	}
	same := func(h *hand, d Decision) {
		t.Helper()
		d.NewPassword, d.NewPassword2 = password, password
		if p := h.problem("/decide", d); p.Code != "same_password" || p.Field != "new-password" || p.Text == "" {
			t.Errorf("%s with the old password: %+v", h.view.Kind, p)
		}
	}
	// A pending key that is to be installed elsewhere.
	s.send(keysCall("generate", order("A-1", "GOST512", holder.BIN)))
	h := b.window()
	same(h, Decision{Folder: b.folder, Confirm: true})
	h.decide(Decision{Folder: b.folder})
	gost := result[ncalayer.Generated](t, s.read()).Keys[0].CSR
	s.send(keysCall("generate", order("A-2", "RSA2048", holder.BIN)))
	b.window().decide(Decision{Folder: b.folder})
	rsa := result[ncalayer.Generated](t, s.read()).Keys[0].CSR
	// One set, and many.
	s.send(keysCall("install", `{"requestId":"A-1","certificates":`+b.certified(gost)+`}`))
	h = b.window()
	same(h, Decision{})
	h.cancel()
	s.read()
	s.send(keysCall("installMany", `{"orders":[{"requestId":"A-1","certificates":`+b.certified(gost)+`}]}`))
	h = b.window()
	same(h, Decision{})
	h.decide(Decision{NewPassword: "Another77", NewPassword2: "Another77"})
	s.read()
	// The key of another kind replaces nothing here: it may have the password of any.
	s.send(keysCall("install", `{"requestId":"A-2","certificates":`+b.certified(rsa)+`}`))
	b.window().decide(Decision{NewPassword: password, NewPassword2: password})
	if got := s.read(); !strings.Contains(got, `"created":true`) {
		t.Errorf("%s", got)
	}
}

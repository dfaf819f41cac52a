package agent

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"senim/dsig"
	"senim/internal/keystore"
	"senim/internal/ncalayer"
	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

// decideAll sends a decision until the last step is done, and counts the steps.
func (h *hand) decideAll(d Decision) (end ending, steps int) {
	h.b.Helper()
	for {
		var out ending
		if status := h.post("/decide", d, &out); status != 200 {
			h.b.Fatalf("decide: %d %+v", status, out)
		}
		steps++
		if out.Done {
			return out, steps
		}
		if out.At != steps || out.Of <= out.At {
			h.b.Fatalf("after step %d: %+v", steps, out)
		}
	}
}

// brief opens one key of many and gives its row.
func (h *hand) brief(name, password string) (row KeyRow, code string) {
	h.b.Helper()
	var out struct {
		Row   KeyRow
		Error Problem
	}
	h.post("/unlock", map[string]any{"id": h.row(name).ID, "password": password, "brief": true}, &out)
	return out.Row, out.Error.Code
}

func (h *hand) look() {
	h.b.Helper()
	var out struct{ View View }
	if status := h.post("/look", map[string]any{}, &out); status != 200 {
		h.b.Fatalf("look: %d", status)
	}
	h.view = out.View
}

func orderArgs(id, iin, bin string) string {
	return `{"requestId":"` + id + `","profiles":[{"algorithm":"GOST512","usage":"SIGNATURE"}],"subject":{"commonName":"ТЕСТОВ ТЕСТ","surname":"ТЕСТОВ","iin":"` + iin +
		`","organization":"АО \"ТЕСТ\"","bin":"` + bin + `","email":"t@example.kz"}}`
}

// TestManyGenerateInstall makes the keys of two companies in one window and installs them in another;
// a certificate that belongs to no key here stops nothing.
func TestManyGenerateInstall(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	call := keysCall("generateMany", `{"storage":"PKCS12","orders":[`+orderArgs("A-1", "123456789011", "123456789021")+","+orderArgs("A-2", "123456789012", "123456789025")+`],"locale":"ru"}`)
	s.send(call)
	h := b.window()
	if h.view.Kind != "generate-many" || len(h.view.Orders) != 2 || h.view.Orders[1].BIN == "" || h.view.Again {
		t.Errorf("%+v", h.view)
	}
	if p := h.problem("/decide", Decision{Folder: "relative"}); p.Code != "no_folder" || p.Field != "folder" {
		t.Errorf("%+v", p)
	}
	if _, steps := h.decideAll(Decision{Folder: b.folder}); steps != 2 {
		t.Errorf("%d steps", steps)
	}
	first := s.read()
	golden := regexp.MustCompile(`^\{"body":\{"result":\{"orders":\[\{"requestId":"A-1","keys":\[\{"algorithm":"GOST512","usage":"SIGNATURE","keyId":"[0-9a-f]{40}","csr":"[A-Za-z0-9+/=]+"\}\]\},` +
		`\{"requestId":"A-2","keys":\[\{[^}]*\}\]\}\]\}\},"status":true\}$`)
	if !golden.MatchString(first) || strings.Contains(first, b.folder) {
		t.Fatalf("%s", first)
	}
	made := result[ncalayer.GeneratedMany](t, first)
	// A lost reply: the same again. One order with other arguments is that order's failure.
	s.send(strings.Replace(call, `"t@example.kz"`, `"u@example.kz"`, 1))
	h = b.window()
	h.decideAll(Decision{Folder: b.folder})
	again := result[ncalayer.GeneratedMany](t, s.read())
	if again.Orders[0].Error == nil || again.Orders[0].Error.Code != "CSR_GENERATING_FAILURE" || !strings.HasPrefix(again.Orders[0].Error.Details, "request_id_used: ") ||
		again.Orders[1].Error != nil || again.Orders[1].Keys[0].CSR != made.Orders[1].Keys[0].CSR {
		t.Errorf("%+v", again)
	}

	var sets []string
	for _, o := range made.Orders {
		r, err := pki.ParseRequest(unbase(t, o.Keys[0].CSR))
		if err != nil {
			t.Fatal(err)
		}
		leaf := b.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }})
		sets = append(sets, `{"requestId":"`+o.RequestID+`","certificates":["`+base64.StdEncoding.EncodeToString(leaf.Certificate.Raw)+`"]}`)
	}
	stray := `{"requestId":"A-3","certificates":["` + base64.StdEncoding.EncodeToString(b.authority.Individual().Certificate.Raw) + `"]}`
	s.send(keysCall("installMany", `{"orders":[`+sets[0]+","+stray+","+sets[1]+`],"locale":"kk"}`))
	h = b.window()
	if h.view.Kind != "install-many" || len(h.view.Certificates) != 2 || h.view.Confirm != "" {
		t.Errorf("%+v", h.view)
	}
	if p := h.problem("/decide", Decision{NewPassword: "Secret42", NewPassword2: "Secret43"}); p.Code != "passwords_differ" {
		t.Errorf("%+v", p)
	}
	if _, steps := h.decideAll(Decision{NewPassword: "Secret42", NewPassword2: "Secret42"}); steps != 3 {
		t.Errorf("%d steps", steps)
	}
	done := result[ncalayer.InstalledMany](t, s.read())
	if e := done.Orders[1].Error; e == nil || e.Code != "INVALID_IMPORTING_CERTIFICATE" || !strings.HasPrefix(e.Details, "no_pending_key: ") {
		t.Errorf("%+v", done.Orders[1])
	}
	for _, i := range []int{0, 2} {
		content, err := os.ReadFile(filepath.Join(b.folder, done.Orders[i].Files[0].FileName))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pfx.Decode(content, "Secret42"); err != nil {
			t.Error(err)
		}
	}
	// Nothing here fits: a window says so, and the call as a whole is refused.
	s.send(keysCall("installMany", `{"orders":[`+stray+`]}`))
	h = b.window()
	h.decide(Decision{})
	if got := s.read(); h.view.Kind != "refused" || !strings.HasPrefix(got, `{"code":"INVALID_IMPORTING_CERTIFICATE","details":"no_pending_key: `) {
		t.Errorf("%s: %s", h.view.Kind, got)
	}
	// Another site's keys are finished only after the tick.
	other := b.dial("https://other.kz")
	other.send(keysCall("installMany", `{"orders":[`+sets[0]+`]}`))
	h = b.window()
	if p := h.problem("/decide", Decision{NewPassword: "Secret42", NewPassword2: "Secret42"}); p.Code != "confirm" || h.view.Confirm == "" {
		t.Errorf("%+v", p)
	}
	h.cancel()
	if got := other.read(); got != `{"body":{},"status":true}` {
		t.Errorf("%s", got)
	}
}

// TestManySign signs each document with its own key, opened by its own password.
func TestManySign(t *testing.T) {
	b := bring(t)
	one, two, late := b.authority.Individual(), b.authority.Head(), b.authority.Issue(pkitest.Spec{NotAfter: b.authority.Now.Add(time.Hour)})
	b.jks("GOST512_one.jks", one) // whatever storage the key is in
	b.key("GOST512_two.p12", two)
	b.key("GOST512_late.p12", late)
	s := b.dial(page)
	document := func(id string, leaf *pkitest.Leaf) string {
		return `{"id":"` + id + `","xml":"<a>` + id + `<\/a>","serialNumber":"` + leaf.Certificate.SerialHex() + `"}`
	}
	absent := b.authority.Individual()
	s.send(keysCall("signMany", `{"documents":[`+document("d1", one)+","+document("d2", two)+","+document("d3", late)+","+document("d4", absent)+`],"locale":"ru"}`))
	h := b.window()
	if h.view.Kind != "sign-many" || len(h.view.Missing) != 4 || len(h.view.Keys) != 3 || len(h.view.Documents) != 4 {
		t.Fatalf("%+v", h.view)
	}
	if p := h.problem("/decide", Decision{Confirm: true}); p.Code != "locked" {
		t.Errorf("nothing is open: %+v", p)
	}
	if _, code := h.brief("GOST512_two.p12", "Wrong123"); code != "wrong_password" {
		t.Errorf("a wrong password: %q", code)
	}
	for _, name := range []string{"GOST512_one.jks", "GOST512_late.p12"} {
		if row, code := h.brief(name, password); code != "" || row.State != "unlocked" || row.Card == nil {
			t.Errorf("%s: %q %+v", name, code, row)
		}
	}
	if p := h.problem("/decide", Decision{}); p.Code != "some_locked" || p.Field != "confirm" || p.Text == "" {
		t.Errorf("%+v", p)
	}
	h.look()
	if len(h.view.Missing) != 2 {
		t.Errorf("missing %v", h.view.Missing)
	}
	b.wait(2 * time.Hour) // one key ends while the window is open
	h.decideAll(Decision{Confirm: true})
	reply := s.read()
	signed := result[ncalayer.SignedMany](t, reply)
	if !regexp.MustCompile(`^\{"body":\{"result":\{"documents":\[\{"id":"d1","xml":"<\?xml [^]]*\},\{"id":"d2","error":\{"code":"SIGNING_FAILURE","details":"not_unlocked: the key was not opened"\}\},` +
		`\{"id":"d3","error":\{"code":"SIGNING_FAILURE","details":"does_not_fit: expired"\}\},\{"id":"d4","error":\{[^}]*\}\}\]\}\},"status":true\}$`).MatchString(reply) {
		t.Errorf("%s", reply)
	}
	doc, err := dsig.Parse([]byte(signed.Documents[0].XML))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := doc.VerifyOne(); err != nil || v.Certificate.SerialHex() != one.Certificate.SerialHex() {
		t.Errorf("%v", err)
	}
	// Known keys stand alone; those of others are not shown.
	s.send(keysCall("signMany", `{"documents":[`+document("d1", one)+`]}`))
	h = b.window()
	if len(h.view.Keys) != 1 || h.view.Keys[0].State != "known" || len(h.view.Missing) != 0 {
		t.Errorf("%+v", h.view.Keys)
	}
	h.cancel()
	if got := s.read(); got != `{"body":{},"status":true}` {
		t.Errorf("%s", got)
	}
}

// TestManyRefused: calls that cannot be meant, each refused before any window.
func TestManyRefused(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	order := orderArgs("A-1", "123456789011", "123456789021")
	many := strings.Repeat(`{"id":"x","xml":"<a/>","serialNumber":"1f"},`, ncalayer.MaxMany+1)
	for _, c := range []struct{ method, args, want string }{
		{"generateMany", `{"storage":"PKCS12","orders":[]}`, `{"code":"INVOCATION_ERROR","details":"wrong_type: `},
		{"generateMany", `{"storage":"PKCS12"}`, `{"code":"INVOCATION_ERROR","details":"missing_member: `},
		{"generateMany", `{"storage":"AKKaztokenStore","orders":[` + order + `]}`, `{"code":"CSR_GENERATING_FAILURE","details":"storage_unavailable: `},
		{"generateMany", `{"storage":"PKCS12","orders":[` + order + "," + order + `]}`, `{"code":"CSR_GENERATING_FAILURE","details":"invalid_request_id: `},
		{"generateMany", `{"storage":"PKCS12","orders":[` + strings.Replace(order, "123456789011", "1", 1) + `]}`, `{"code":"CSR_GENERATING_FAILURE","details":"invalid_subject: `},
		{"generateMany", `{"storage":"PKCS12","orders":[` + strings.Replace(order, "GOST512", "DSA", 1) + `]}`, `{"code":"CSR_GENERATING_FAILURE","details":"unsupported_profile: `},
		{"signMany", `{"documents":[{"id":"x","xml":"<a>","serialNumber":"1f"}]}`, `{"code":"INVALID_SIGNING_PARAMS","details":"data: org.xml.sax.SAXParseException`},
		{"signMany", `{"documents":[{"id":"x","xml":"<a/>","serialNumber":""}]}`, `{"code":"INVALID_SIGNING_PARAMS","details":"invalid_serial: `},
		{"signMany", `{"documents":[{"id":"x","xml":"<a/>","serialNumber":"1f"},{"id":"x","xml":"<a/>","serialNumber":"1f"}]}`, `{"code":"INVALID_SIGNING_PARAMS","details":"invalid_request_id: `},
		{"signMany", `{"documents":[` + strings.TrimSuffix(many, ",") + `]}`, `{"code":"INVOCATION_ERROR","details":"wrong_type: `},
		{"signMany", `{"documents":"x"}`, `{"code":"INVOCATION_ERROR","details":"wrong_type: `},
		{"installMany", `{"orders":[{"requestId":"x","certificates":["AAAA"]}]}`, `{"code":"INVALID_IMPORTING_CERTIFICATE","details":"not_a_certificate: `},
		{"installMany", `{"orders":[{"requestId":"x","certificates":[]}]}`, `{"code":"INVALID_IMPORTING_CERTIFICATE","details":"not_a_certificate: `},
		{"installMany", `{"orders":[{"requestId":"x y","certificates":["AAAA"]}]}`, `{"code":"INVALID_IMPORTING_CERTIFICATE","details":"invalid_request_id: `},
	} {
		if got := s.ask(keysCall(c.method, c.args)); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %.120s: %s", c.method, c.args, got)
		}
	}
	b.noWindow()
}

// TestListCertificate: the row of a key carries its certificate, last of its members.
func TestListCertificate(t *testing.T) {
	b := bring(t)
	leaf := b.authority.Individual()
	b.key("GOST512_a.p12", leaf)
	s := b.dial(page)
	s.send(keysCall("list", `{}`))
	h := b.window()
	h.decide(Decision{Keys: []string{h.unlock("GOST512_a.p12")}})
	reply := s.read()
	want, err := json.Marshal(leaf.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(reply, `,"certificate":`+string(want)+`}]}},"status":true}`) {
		t.Errorf("%s", reply)
	}
}

// TestManyPendingBounds: through whichever door, no more than sixteen keys wait for a site unless the person ticks just that,
// seeing how many; 256 beyond are the end of it.
func TestManyPendingBounds(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	n := 0
	many := func(count int) string {
		var orders []string
		for range count {
			n++
			orders = append(orders, orderArgs(fmt.Sprintf("B-%d", n), "123456789011", "123456789021"))
		}
		return keysCall("generateMany", `{"storage":"PKCS12","orders":[`+strings.Join(orders, ",")+`],"locale":"en"}`)
	}
	s.send(many(keystore.MaxPendingOrigin))
	h := b.window()
	if h.view.Confirm != "" {
		t.Errorf("asked to confirm what has room: %s", h.view.Confirm)
	}
	h.decideAll(Decision{Folder: b.folder})
	s.read()

	s.send(keysCall("generate", generateArgs))
	b.window().decide(Decision{Folder: b.folder})
	if got := s.read(); !strings.Contains(got, "too_many_pending") {
		t.Errorf("generate: %s", got)
	}
	s.send(many(1)) // one at a time goes no other way
	h = b.window()
	if p := h.problem("/decide", Decision{Folder: b.folder}); p.Code != "confirm" || p.Field != "confirm" || !strings.Contains(h.view.Confirm, "1 more") || !strings.Contains(h.view.Confirm, "16") {
		t.Errorf("%+v %q", p, h.view.Confirm)
	}
	if got := len(b.agent.keeper.Waiting(page)); got != keystore.MaxPendingOrigin {
		t.Errorf("%d keys wait", got)
	}
	h.decideAll(Decision{Folder: b.folder, Confirm: true})
	if got := s.read(); strings.Contains(got, "error") {
		t.Errorf("%s", got)
	}
	// What counts is the room when they are made.
	third := b.dial("https://third.kz")
	third.send(many(keystore.MaxPendingOrigin))
	h = b.window()
	if h.view.Confirm != "" {
		t.Error("a third site has no room")
	}
	if _, err := b.agent.keeper.Generate(keystore.Order{Origin: "https://third.kz", RequestID: "meanwhile", Folder: b.folder,
		Profiles: []keystore.Profile{{Algorithm: "GOST512", Usage: "SIGNATURE"}}, Subject: b.authority.Individual().Certificate.Holder()}); err != nil {
		t.Fatal(err)
	}
	if p := h.problem("/decide", Decision{Folder: b.folder}); p.Code != "confirm" {
		t.Errorf("%+v", p)
	}
	if h.look(); h.view.Confirm == "" {
		t.Error("the window has nothing to confirm")
	}
	h.decideAll(Decision{Folder: b.folder, Confirm: true})
	if got := third.read(); strings.Contains(got, "error") {
		t.Errorf("%s", got)
	}
	// What was ticked leaves other sites their own.
	other := b.dial("https://other.kz")
	other.send(many(2))
	if h = b.window(); h.view.Confirm != "" {
		t.Error("another site has no room")
	}
	h.cancel()
	other.read()
}

package agent

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/internal/pkitest"
	"senim/internal/token"
	"senim/pki"
)

const pin = "2468-user"

// emptyToken makes a SoftHSM2 token with nothing on it.
func emptyToken(t *testing.T) keystore.TokenDriver {
	t.Helper()
	dir := t.TempDir()
	h := pkitest.NewSoftHSM(t, dir, "KAZTOKEN 1")
	return keystore.TokenDriver{Storage: "AKKaztokenStore", Program: pkitest.TokenProgram(t, dir), Module: h.Module}
}

// TestKeysMadeOnAToken: the pair is made on the token the person chose, the request is signed there, the certificate
// is put beside it, and the key signs; nothing of it is in a file. What the token cannot make is refused in words.
func TestKeysMadeOnAToken(t *testing.T) {
	driver := emptyToken(t)
	b := bring(t, func(o *Config) { o.Tokens = []keystore.TokenDriver{driver} })
	s := b.dial(page)
	args := func(id, profile, rest string) string {
		return keysCall("generate", `{"requestId":"`+id+`","storage":"AKKaztokenStore",`+rest+`"profiles":[{"algorithm":"`+profile+`","usage":"SIGNATURE"}],
 "subject":{"commonName":"ТЕСТОВ ТЕСТ","surname":"ТЕСТОВ","iin":"123456789011","email":"t@example.kz"},"locale":"ru"}`)
	}
	for request, want := range map[string]string{
		args("1", "RSA2048", `"folder":"/tmp",`):                                 "folder_unavailable",
		strings.Replace(args("1", "RSA2048", ""), "AKKaztokenStore", "Other", 1): "storage_unavailable",
	} {
		if got := s.ask(request); !strings.HasPrefix(got, `{"code":"CSR_GENERATING_FAILURE","details":"`+want) {
			t.Errorf("%s", got)
		}
	}
	s.send(strings.Replace(args("1", "RSA2048", ""), "AKKaztokenStore", "AKJaCartaStore", 1)) // not plugged in
	h := b.window()
	if h.view.Kind != "refused" || h.view.Refusal != lang.RU.Text("agent.refused.storage_unavailable") {
		t.Errorf("%+v", h.view)
	}
	h.decide(Decision{})
	s.read()

	s.send(args("1", "RSA2048", `"token":"KAZTOKEN 1",`))
	h = b.window()
	if v := h.view; v.Kind != "generate" || v.Storage != "AKKaztokenStore" || len(v.Tokens) != 1 || v.Tokens[0].Label != "KAZTOKEN 1" || v.Folder != "" || len(v.Warnings) > 0 {
		t.Fatalf("%+v", v)
	}
	id := h.view.Tokens[0].ID
	for code, d := range map[string]Decision{"choose_token": {Password: pin}, "wrong_pin": {Token: id, Password: "0000"}} {
		if p := h.problem("/decide", d); p.Code != code || p.Text == "" {
			t.Errorf("%+v", p)
		}
	}
	h.decide(Decision{Token: id, Password: pin})
	first := s.read()
	made := result[ncalayer.Generated](t, first)
	r, err := pki.ParseRequest(unbase(t, made.Keys[0].CSR))
	if err != nil || r.CheckSignature() != nil || !r.Storage.Equal(pki.StorageKaztoken) {
		t.Fatalf("%v %v", r, err)
	}
	// The same again: no PIN, no second key.
	s.send(args("1", "RSA2048", `"token":"KAZTOKEN 1",`))
	h = b.window()
	if !h.view.Again {
		t.Error("the window does not say that the key is there already")
	}
	h.decide(Decision{})
	if again := s.read(); again != first {
		t.Errorf("%s", again)
	}
	// In a file it would be another order.
	s.send(strings.Replace(args("1", "RSA2048", ""), "AKKaztokenStore", "PKCS12", 1))
	b.window().decide(Decision{})
	if got := s.read(); !strings.Contains(got, "request_id_used") {
		t.Errorf("%s", got)
	}

	leaf := b.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }})
	install := keysCall("install", `{"requestId":"1","certificates":["`+base64.StdEncoding.EncodeToString(leaf.Certificate.Raw)+`"],"challenge":`+quoted(t, installChallenge(page, "install-keys"))+`,"locale":"ru"}`)
	for _, created := range []bool{true, false} {
		s.send(install)
		h = b.window()
		if v := h.view; v.Kind != "install" || v.Token != "KAZTOKEN 1" || v.Folder != "" || v.Certificates[0].File != "" {
			t.Errorf("%+v", v)
		}
		if p := h.problem("/decide", Decision{NewPassword: "Secret42", NewPassword2: "Secret42", Password: "0000"}); p.Code != "wrong_pin" && p.Code != "pin_last_try" {
			t.Errorf("%+v", p)
		}
		if e := h.decide(Decision{Password: pin}); e.Failed || e.Text != lang.RU.Text("agent.done.install_token") {
			t.Errorf("%+v", e)
		}
		reply := s.read()
		if done := result[ncalayer.Installed](t, reply); len(done.Files) != 1 || done.Files[0].Created != created || strings.Contains(reply, "fileName") {
			t.Fatalf("%s", reply)
		} else {
			firstSigned(t, done.Files[0], installChallenge(page, "install-keys"), leaf.Certificate.Raw)
		}
	}
	s.send(`{"module":"kz.gov.pki.knca.commonUtils","method":"createCAdESFromBase64","args":["AKKaztokenStore","","aGVsbG8=",true]}`)
	h = b.window()
	row := h.row("KAZTOKEN 1")
	if status := h.post("/unlock", map[string]any{"id": row.ID, "password": pin}, nil); status != 200 {
		t.Fatal(status)
	}
	h.decide(Decision{Key: row.ID})
	good(t, unbase(t, object[string](t, s.read())), []byte("hello"))

	// SoftHSM2 has no GOST.
	s.send(args("2", "GOST512", ""))
	h = b.window()
	if e := h.decide(Decision{Token: h.view.Tokens[0].ID, Password: pin}); !e.Failed || !strings.Contains(e.Text, lang.RU.Text("agent.problem.token_cannot")) {
		t.Errorf("%+v", e)
	}
	if got := s.read(); got != `{"code":"CSR_GENERATING_FAILURE","details":"storage_unavailable: the token cannot make such a key","message":"Key pair was not generated.","status":false}` {
		t.Errorf("%s", got)
	}
	if len(b.agent.keeper.Unfinished()) > 0 {
		t.Errorf("%+v", b.agent.keeper.Unfinished())
	}
	if entries, err := os.ReadDir(b.folder); err != nil || len(entries) > 0 {
		t.Errorf("files: %v %v", entries, err)
	}
	if strings.Contains(b.log.String(), pin) {
		t.Error("the PIN is in the log")
	}
}

// TestTokenAllOrNothing: of an order or of certificates that cannot be finished nothing stays on the token, and what
// was there before stays.
func TestTokenAllOrNothing(t *testing.T) {
	driver := emptyToken(t)
	b := bring(t, func(o *Config) { o.Tokens = []keystore.TokenDriver{driver} })
	objects := func() int {
		t.Helper()
		list, err := filepath.Glob(filepath.Join(filepath.Dir(os.Getenv("SOFTHSM2_CONF")), "tokens", "*", "*.object"))
		if err != nil || len(list) == 0 {
			t.Fatal(list, err)
		}
		return len(list)
	}
	s := b.dial(page)
	generate := func(id, second string) string {
		t.Helper()
		s.send(keysCall("generate", `{"requestId":"`+id+`","storage":"AKKaztokenStore","profiles":[{"algorithm":"RSA2048","usage":"SIGNATURE"},`+second+`],
 "subject":{"commonName":"ТЕСТОВ ТЕСТ","surname":"ТЕСТОВ","iin":"123456789011","email":"t@example.kz"}}`))
		h := b.window()
		h.decide(Decision{Token: h.view.Tokens[0].ID, Password: pin})
		return s.read()
	}
	before := objects()
	if got := generate("1", `{"algorithm":"GOST512","usage":"SIGNATURE"}`); !strings.Contains(got, "storage_unavailable") {
		t.Errorf("%s", got)
	}
	if now := objects(); now != before {
		t.Errorf("%d objects on the token, before %d", now, before)
	}

	made := result[ncalayer.Generated](t, generate("2", `{"algorithm":"RSA2048","usage":"AUTHENTICATION"}`))
	var certs []string
	for _, k := range made.Keys {
		r, err := pki.ParseRequest(unbase(t, k.CSR))
		if err != nil {
			t.Fatal(err)
		}
		leaf := b.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }})
		certs = append(certs, base64.StdEncoding.EncodeToString(leaf.Certificate.Raw))
	}
	tok, err := token.Open(token.Config{Program: driver.Program, Module: driver.Module, Label: "KAZTOKEN 1", PIN: []byte(pin)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Certify(t.Context(), b.agent.keeper.Waiting(page)[1].Name, b.authority.Individual().Certificate.Raw); err != nil {
		t.Fatal(err)
	}
	if err := tok.Close(); err != nil {
		t.Fatal(err)
	}
	before = objects()
	s.send(keysCall("install", `{"requestId":"2","certificates":["`+strings.Join(certs, `","`)+`"]}`))
	b.window().decide(Decision{Password: pin})
	if got := s.read(); !strings.HasPrefix(got, `{"code":"CERTIFICATE_IMPORTING_FAILURE","details":"file_exists: `) {
		t.Errorf("%s", got)
	}
	if now := objects(); now != before {
		t.Errorf("%d objects on the token, before %d", now, before)
	}
	if n := len(b.agent.keeper.Waiting(page)); n != 2 {
		t.Errorf("%d keys wait", n)
	}
	// Keys in different places have no password in common.
	s.send(keysCall("generate", strings.Replace(generateArgs, "000123", "000125", 1)))
	b.window().decide(Decision{Folder: b.folder})
	file := result[ncalayer.Generated](t, s.read())
	r, err := pki.ParseRequest(unbase(t, file.Keys[0].CSR))
	if err != nil {
		t.Fatal(err)
	}
	leaf := b.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }})
	s.send(keysCall("install", `{"requestId":"2","certificates":["`+certs[0]+`","`+base64.StdEncoding.EncodeToString(leaf.Certificate.Raw)+`"]}`))
	if h := b.window(); h.view.Kind != "refused" {
		t.Errorf("%+v", h.view)
	} else {
		h.decide(Decision{})
	}
	if got := s.read(); !strings.HasPrefix(got, `{"code":"INVALID_IMPORTING_CERTIFICATE","details":"several_places: `) {
		t.Errorf("%s", got)
	}
	// Many at once are for files: the part on a token fails alone.
	s.send(keysCall("installMany", `{"orders":[{"requestId":"2","certificates":["`+certs[0]+`"]}]}`))
	if h := b.window(); h.view.Kind != "refused" || h.view.Refusal != lang.KK.Text("agent.refused.several_places") {
		t.Errorf("%+v", h.view)
	} else {
		h.decide(Decision{})
	}
	if got := s.read(); !strings.Contains(got, "several_places") {
		t.Errorf("%s", got)
	}
}

// TestOldModulesTakeTokens: the tax portal and CMSSignUtil sign with a token's key as the others do.
func TestOldModulesTakeTokens(t *testing.T) {
	driver := softhsm(t, pkitest.New(t))
	b := bring(t, func(o *Config) { o.Tokens = []keystore.TokenDriver{driver} })
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	sign := func(request string, save bool) string {
		t.Helper()
		s.send(request)
		h := b.window()
		if h.view.Kind == "read" {
			h.decide(Decision{})
			h = b.window()
		}
		row := h.row("KAZTOKEN 1")
		if !row.Fits || h.row("GOST512_a.p12").Fits {
			t.Errorf("%+v", h.view.Keys)
		}
		if status := h.post("/unlock", map[string]any{"id": row.ID, "password": pin}, nil); status != 200 {
			t.Fatal(status)
		}
		d := Decision{Key: row.ID}
		if save {
			d.SaveAs = h.view.SaveAs
		}
		h.decide(d)
		return s.read()
	}
	var out struct{ SignedXML string }
	reply := sign(knpModule+`"command":"signDocument","requestId":"7","storageType":"KAZTOKEN","xml":"<a/>"}`, false)
	if err := json.Unmarshal([]byte(reply), &out); err != nil {
		t.Fatalf("%s %v", reply, err)
	}
	verifyXML(t, out.SignedXML)
	for name, want := range map[string]string{"KAZTOKEN": `["KAZTOKEN"]`, "JACARTA": "[]", "": "[]"} {
		if got := s.ask(knpModule + `"command":"getStorageDevicesByType","storage":"` + name + `"}`); !strings.Contains(got, `{"tokenTerminals":`+want+`,`) {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, name := range []string{"JACARTA", "unknown"} {
		if got := s.ask(knpModule + `"command":"signDocument","storageType":"` + name + `","xml":"<a/>"}`); !strings.Contains(got, "TOKEN_NOT_AVAILABLE") {
			t.Errorf("%s: %s", name, got)
		}
	}
	b.driverMissed()
	// The portal's own picker is told of it, when the person ticks it.
	s.send(knpModule + `"command":"getCertificates","requestId":"8"}`)
	h := b.window()
	h.decide(Decision{Keys: []string{h.row("KAZTOKEN 1").ID}})
	if got := s.read(); !strings.HasPrefix(got, `{"certificates":[{"alias":"`) {
		t.Errorf("%s", got)
	}

	doc := filepath.Join(b.folder, "a.txt")
	if err := os.WriteFile(doc, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := sign(cmsSignCall("signFilePath", quote(doc)+`,"","AKKaztokenStore"`), true); got != `{"responseObject":"a.txt.cms","code":"200"}` {
		t.Errorf("%s", got)
	}
	message, err := os.ReadFile(doc + ".cms")
	if err != nil {
		t.Fatal(err)
	}
	if sd := good(t, message, nil); string(sd.Content()) != "text" {
		t.Errorf("%q", sd.Content())
	}
	if got := s.ask(cmsSignCall("signFilePath", quote(doc)+`,"","AKJaCartaStore"`)); got != `{"code":"500","message":"storage.empty"}` {
		t.Errorf("%s", got)
	}
	if strings.Contains(b.log.String(), pin) {
		t.Error("the PIN is in the log")
	}
}

// softhsm makes a SoftHSM2 token with a key and its certificate, as a CA hands them out.
func softhsm(t *testing.T, authority *pkitest.Authority) keystore.TokenDriver {
	t.Helper()
	dir := t.TempDir()
	h := pkitest.NewSoftHSM(t, dir, "KAZTOKEN 1")
	program := pkitest.TokenProgram(t, dir)
	tok, err := token.Open(token.Config{Program: program, Module: h.Module, Label: h.Label, PIN: []byte(pin)})
	if err != nil {
		t.Fatal(err)
	}
	key, err := tok.Generate(t.Context(), "rsa", 2048)
	if err != nil {
		t.Fatal(err)
	}
	leaf := authority.Issue(pkitest.Spec{Key: key, Holder: pkitest.Person()})
	if _, err := tok.Certify(t.Context(), "rsa", leaf.Certificate.Raw); err != nil {
		t.Fatal(err)
	}
	if err := tok.Close(); err != nil {
		t.Fatal(err)
	}
	return keystore.TokenDriver{Storage: "AKKaztokenStore", Program: program, Module: h.Module}
}

// TestPain14TokenIsAStorageLikeAnother: named when plugged in, shown with its owner before any PIN, signs
// with the PIN, and is not offered where the page wants key files; its PIN is kept nowhere.
func TestPain14TokenIsAStorageLikeAnother(t *testing.T) {
	driver := softhsm(t, pkitest.New(t))
	c := &chain{kept: map[string]string{}}
	b := bring(t, func(o *Config) { o.Tokens, o.Keychain = []keystore.TokenDriver{driver}, c })
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	if got := object[[]string](t, s.ask(`{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens"}`)); len(got) != 1 || got[0] != "AKKaztokenStore" {
		t.Fatal(got)
	}
	if reply := s.ask(`{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["AKJaCartaStore"]}`); !strings.Contains(reply, "storage.empty") {
		t.Error(reply)
	}
	b.driverMissed()
	request := `{"module":"kz.gov.pki.knca.commonUtils","method":"createCAdESFromBase64","args":["AKKaztokenStore","","aGVsbG8=",true]}`
	s.send(request)
	h := b.window()
	row := h.row("KAZTOKEN 1")
	if !row.Fits || !row.Pin || row.Card == nil || row.Card.Owner == "" || row.Folder != "" {
		t.Errorf("%+v", row)
	}
	if file := h.row("GOST512_a.p12"); file.Fits {
		t.Error("a key file fits where the page wants a token")
	}
	if p := h.problem("/unlock", map[string]any{"id": row.ID, "password": ""}); p.Code != "pin_needed" || p.Field != "password" || p.Text != lang.RU.Text("agent.problem.pin_needed") {
		t.Errorf("no PIN: %+v", p)
	}
	if p := h.problem("/unlock", map[string]any{"id": row.ID, "password": "0000"}); !strings.Contains(p.Code, "pin") || p.Text == "" {
		t.Errorf("wrong PIN: %+v", p)
	}
	if status := h.post("/unlock", map[string]any{"id": row.ID, "password": pin, "remember": true}, nil); status != 200 || c.count() != 0 {
		t.Fatalf("right PIN: %d, %d secrets kept", status, c.count())
	}
	h.decide(Decision{Key: row.ID})
	der, err := base64.StdEncoding.DecodeString(object[string](t, s.read()))
	if err != nil {
		t.Fatal(err)
	}
	good(t, der, []byte("hello"))

	// Every storage: the token fits too. Key files only: it does not, and says why.
	for storages, fits := range map[string]bool{"null": true, `["PKCS12","AKKaztokenStore"]`: true, `["PKCS12"]`: false} {
		s.send(strings.Replace(signRequest, `"args":{`, `"args":{"allowedStorages":`+storages+`,`, 1))
		h := b.window()
		if row := h.row("KAZTOKEN 1"); row.Fits != fits || !fits && (len(row.Reasons) == 0 || row.Reasons[0].Code != "storage") {
			t.Errorf("%s: %+v", storages, row)
		}
		h.cancel()
		s.read()
	}
	if strings.Contains(b.log.String(), pin) {
		t.Error("the PIN is in the log")
	}
}

// TestListTokenOnce: a page is told of a key on a token only after its PIN opened it once, though the certificate can be
// read before; that is remembered.
func TestListTokenOnce(t *testing.T) {
	driver := softhsm(t, pkitest.New(t))
	data, c := t.TempDir(), &chain{kept: map[string]string{}}
	b := bring(t, func(o *Config) { o.Tokens, o.Data, o.Keychain = []keystore.TokenDriver{driver}, data, c })
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	const nothing = `{"body":{"result":{"keys":[]}},"status":true}`
	for _, request := range []string{keysCall("list", `{}`), knpModule + `"command":"getCertificates","requestId":"7"}`} {
		s.send(request)
		h := b.window()
		if k := h.row("KAZTOKEN 1"); k.State != "locked" || !k.Pin || !k.Fits || k.Card == nil {
			t.Errorf("%+v", k)
		}
		h.decide(Decision{Keys: []string{h.row("KAZTOKEN 1").ID}})
		if got := s.read(); got != nothing && !strings.Contains(got, `"certificates":[]`) {
			t.Errorf("told before any PIN: %s", got)
		}
	}
	s.send(keysCall("list", `{}`))
	h := b.window()
	id := h.row("KAZTOKEN 1").ID
	if p := h.problem("/unlock", map[string]any{"id": id, "password": "0000"}); !strings.Contains(p.Code, "pin") {
		t.Errorf("%+v", p)
	}
	h.decide(Decision{Keys: []string{id}})
	if got := s.read(); got != nothing {
		t.Errorf("told after a wrong PIN: %s", got)
	}
	s.send(keysCall("list", `{}`))
	h = b.window()
	if status := h.post("/unlock", map[string]any{"id": id, "password": pin}, nil); status != 200 {
		t.Fatal(status)
	}
	h.decide(Decision{Keys: []string{id}})
	if got := result[ncalayer.Listed](t, s.read()); len(got.Keys) != 1 || got.Keys[0].Storage != "AKKaztokenStore" {
		t.Errorf("%+v", got)
	}
	b.agent.known.clear()
	b.agent.known.reopen(b.agent.known.index) // as at the next start
	s.send(keysCall("list", `{}`))
	h = b.window()
	if k := h.row("KAZTOKEN 1"); k.State != "known" {
		t.Errorf("%+v", k)
	}
	h.decide(Decision{Keys: []string{id}})
	if got := result[ncalayer.Listed](t, s.read()); len(got.Keys) != 1 {
		t.Errorf("%+v", got)
	}
	// The same when the keychain was locked at the start and opened later.
	restart := func(locked bool) {
		c.mu.Lock()
		c.closed = locked
		c.mu.Unlock()
		old := b.agent.known.index
		b.agent.known.clear()
		b.agent.known.reopen(&index{dir: old.dir, chain: old.chain, plain: old.plain})
	}
	restart(true)
	s.send(keysCall("list", `{}`))
	h = b.window()
	if k := h.row("KAZTOKEN 1"); k.State != "locked" {
		t.Errorf("while the keychain is locked: %+v", k)
	}
	h.cancel()
	s.read()
	c.mu.Lock()
	c.closed = false
	c.mu.Unlock()
	b.home().act("/close", map[string]any{}) // the person comes
	becomes(t, func() bool { return b.agent.known.openedOnce(id) })
	s.send(keysCall("list", `{}`))
	h = b.window()
	if k := h.row("KAZTOKEN 1"); k.State != "known" {
		t.Errorf("after the keychain opened: %+v", k)
	}
	h.cancel()
}

// TestPain14BrokenDriver: a driver that fails hides no key file.
func TestPain14BrokenDriver(t *testing.T) {
	b := bring(t, func(o *Config) {
		o.Tokens = []keystore.TokenDriver{{Storage: "AKKaztokenStore", Program: "/nowhere/senim-token", Module: "driver.so"}}
	})
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	if reply := s.ask(`{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens"}`); reply != `{"responseObject":[],"code":"200"}` {
		t.Error(reply)
	}
	if reply := b.sign(s, signRequest, "GOST512_a.p12"); !strings.Contains(reply, "BEGIN CMS") {
		t.Error(reply)
	}
	// The window of a page that takes tokens says in words what is wrong.
	s.send(strings.Replace(signRequest, `"args":{`, `"args":{"allowedStorages":null,`, 1))
	h := b.window()
	if v := h.view.Warnings; len(v) != 1 || v[0].Code != "driver" || !strings.Contains(v[0].Text, "KAZTOKEN") || !strings.Contains(v[0].Text, lang.KK.Text("home.driver.problem.failed")) {
		t.Errorf("%+v", v)
	}
	h.cancel()
	s.read()
}

// TestJKSIsAStorage: a Java key store is opened where the page allows it.
func TestJKSIsAStorage(t *testing.T) {
	b := bring(t)
	b.jks("GOST512_j.jks", b.authority.Individual())
	s := b.dial(page)
	if reply := b.sign(s, signRequest, "GOST512_j.jks"); !strings.Contains(reply, "BEGIN CMS") {
		t.Error(reply)
	}
	s.send(`{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["PKCS12"]}`)
	h := b.window()
	if h.row("GOST512_j.jks").Fits {
		t.Error("offered where the page wants PKCS #12")
	}
	h.cancel()
	s.read()
	s.send(`{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["JKS"]}`)
	h = b.window()
	h.decide(Decision{Key: h.unlock("GOST512_j.jks")})
	if reply := s.read(); !strings.Contains(reply, `"code":"200"`) {
		t.Error(reply)
	}
}

// TestNURSignAnyStorage: the procurement portal names no storage, so a key in any is offered.
func TestNURSignAnyStorage(t *testing.T) {
	b := bring(t)
	b.jks("GOST512_j.jks", b.authority.Individual())
	s := b.dial(page)
	if reply := b.sign(s, `{"module":"NURSign","type":"xml","data":"<a/>"}`, "GOST512_j.jks"); !strings.Contains(reply, "SignatureValue") || !strings.Contains(reply, `"errorCode":"NONE"`) {
		t.Error(reply)
	}
}

// TestAppletJKS: an old portal names a Java key store by its path, and signs with the key in it.
func TestAppletJKS(t *testing.T) {
	b := bring(t)
	person := b.authority.Individual()
	b.jks("GOST512_j.jks", person)
	named := `"JKS",` + quote(filepath.Join(b.folder, "GOST512_j.jks"))
	s := b.dial(page)
	s.send(appletCall("getKeys", named+`,"","ALL"`))
	h := b.window()
	h.decide(Decision{Key: h.unlock("")})
	info := keyInfo(person.Certificate)
	if got := text(t, s.read()); got != "ГОСТ|"+info.SubjectCN+"|"+info.Serial+"|"+info.Alias {
		t.Fatalf("%s", got)
	}
	s.send(appletCall("createCMSSignature", named+`,"`+info.Alias+`","","text",true`))
	h = b.window()
	h.decide(Decision{Key: h.row("").ID})
	good(t, unbase(t, text(t, s.read())), nil)
}

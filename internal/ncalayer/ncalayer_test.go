package ncalayer

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func request(t *testing.T, text string) *Request {
	t.Helper()
	r, err := ReadRequest([]byte(text))
	if err != nil {
		t.Fatalf("ReadRequest(%s): %v", text, err)
	}
	return r
}

func TestReadLenient(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"old page", "{\n module: \"kz.uchet.signUtil.commonUtils\", \n method: \"getVersion\", \n args: [\"\"]\n}", `{"module":"kz.uchet.signUtil.commonUtils","method":"getVersion","args":[""]}`},
		{"single quotes", `{'a':'it"s','b':'x\'y'}`, `{"a":"it\"s","b":"x'y"}`},
		{"trailing commas", `{"a":[1,2,],}`, `{"a":[1,2]}`},
		{"white space", "\t{\r\n\"a\" :\u00a0 true , \"b\":null}\n", `{"a":true,"b":null}`},
		{"byte order mark", "\ufeff{}", `{}`},
		{"escapes", `{"a":"\u0416\ud83d\ude00\/\n"}`, `{"a":"Ж😀/\n"}`},
		{"numbers", `{"a":-1.5e+3,"b":0}`, `{"a":-1.5e+3,"b":0}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Read([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if s := string(encode(plain(got))); s != canonical(t, c.want) {
				t.Errorf("got %s, want %s", s, c.want)
			}
		})
	}
}

// plain turns a value into what encoding/json writes.
func plain(v any) any {
	switch v := v.(type) {
	case Number:
		return json.Number(v)
	case []any:
		out := []any{}
		for _, e := range v {
			out = append(out, plain(e))
		}
		return out
	case *Object:
		out := map[string]any{}
		for _, n := range v.names {
			out[n] = plain(v.values[n])
		}
		return out
	}
	return v
}

func canonical(t *testing.T, s string) string {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return string(encode(v))
}

func TestSec3ReadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "word": "hello", "two values": "{} {}", "duplicate": `{"a":1,"a":2}`, "duplicate by escape": `{"a":1,"\u0061":2}`,
		"not UTF-8": "{\"a\":\"\xff\"}", "half a pair": `{"a":"\ud83d"}`, "wrong pair": `{"a":"\ud83d\u0041"}`, "raw line break": "{\"a\":\"x\ny\"}",
		"open string": `{"a":"x`, "open object": `{"a":1`, "no colon": `{"a" 1}`, "no value": `{"a":}`, "no name": `{:1}`, "leading zero": `[01]`,
		"too deep": strings.Repeat("[", 65) + strings.Repeat("]", 65), "unknown escape": `{"a":"\x41"}`,
	} {
		if v, err := Read([]byte(text)); err == nil {
			t.Errorf("%s: read as %v", name, v)
		}
	}
	if _, err := Read([]byte(strings.Repeat("[", 64) + strings.Repeat("]", 64))); err != nil {
		t.Errorf("depth 64: %v", err)
	}
	if _, err := Read([]byte("[" + strings.Repeat("1,", maxValues) + "1]")); err == nil {
		t.Error("more values than the bound were read")
	}
}

func TestGreeting(t *testing.T) {
	if g := Greeting(); len(g) != 28 || string(g) != `{"result":{"version":"1.4"}}` {
		t.Errorf("greeting %q", g)
	}
}

func TestCommonChecks(t *testing.T) {
	const mismatch = `{"code":"500","message":"java.lang.IllegalArgumentException: argument type mismatch. Method: `
	for _, c := range []struct{ call, want string }{
		{`"args":[]`, `{"code":"500","message":"JSONObject[\"method\"] not found."}`},
		{`"method":"nothing"`, `{"code":"500","message":"NoSuchMethodException nothing"}`},
		{`"method":"getKeyInfo"`, `{"code":"500","message":"NoSuchMethodException getKeyInfo"}`},
		{`"method":"getKeyInfo","args":[null]`, mismatch + `getKeyInfo"}`},
		{`"method":"getKeyInfo","args":[1],"uuid":"u"`, mismatch + `getKeyInfo"}`},
		{`"method":"createCAdESFromBase64","args":["PKCS12",123,"MTEK",false]`, mismatch + `createCAdESFromBase64"}`},
		{`"method":"createCAdESFromBase64","args":["PKCS12","SIGNATURE","MTEK","true"]`, mismatch + `createCAdESFromBase64"}`},
		{`"method":"createCMSSignatureFromBase64","args":["PKCS12",[7,7,7],"MTEK",false]`, mismatch + `createCMSSignatureFromBase64"}`},
		{`"method":"signXml","args":["PKCS12","123",555,"",""]`, mismatch + `signXml"}`},
		{`"method":"signXmls","args":["PKCS12","123","<tag>data</tag>","",""]`, mismatch + `signXmls"}`},
		{`"method":"changeLocale","args":[2]`, mismatch + `changeLocale"}`},
		{`"method":"getKeyInfo","args":[""]`, `{"code":"500","message":"storageName.param.empty"}`},
		{`"method":"getKeyInfo","args":["Pocket"]`, `{"code":"500","message":"storage.unknown"}`},
		{`"method":"getKeyInfo","args":["AKKaztokenStore"]`, `{"code":"500","message":"storage.empty"}`},
		{`"method":"createCAdESFromBase64Hash","args":["PKCS12","123",""]`, `{"code":"500"}`},
	} {
		call, reply := request(t, `{"module":"kz.gov.pki.knca.commonUtils",`+c.call+`}`).Common(func() []string {
			if !strings.Contains(c.call, "AKKaztokenStore") {
				t.Errorf("%s: drivers of tokens are started for it", c.call)
			}
			return nil
		})
		if told := strings.Contains(c.want, "storage"); (call != nil) != told || string(reply) != c.want { // whoever answers knows which one
			t.Errorf("%s\n got %s\nwant %s", c.call, reply, c.want)
		}
	}
}

func TestCommonCalls(t *testing.T) {
	for _, c := range []struct {
		call string
		want CommonCall
	}{
		{`"method":"getActiveTokens"`, CommonCall{Method: "getActiveTokens"}},
		{`"method":"changeLocale","args":["kz"]`, CommonCall{Method: "changeLocale", Data: []string{"kz"}}},
		{`"method":"getKeyInfo","args":["PKCS12"],"uuid":7`, CommonCall{Method: "getKeyInfo", Storage: PKCS12, UUID: "7"}},
		{`"method":"signXml","args":["PKCS12","AUTH","<root></root>","//a","//b"]`, CommonCall{Method: "signXml", Storage: PKCS12, KeyType: "AUTH", Data: []string{"<root></root>"}, TBS: "//a", Parent: "//b"}},
		{`"method":"signXmls","args":["PKCS12","",["<a/>","<b/>"],"",""]`, CommonCall{Method: "signXmls", Storage: PKCS12, Data: []string{"<a/>", "<b/>"}, Many: true}},
		{`"method":"createCAdESFromBase64","args":["PKCS12","SIGNATURE",["MTEK"],true]`, CommonCall{Method: "createCAdESFromBase64", Storage: PKCS12, KeyType: "SIGNATURE", Data: []string{"MTEK"}, Many: true, Attached: true}},
		{`"method":"createCAdESFromFile","args":["JKS","SIGNATURE","/a/b.pdf",true]`, CommonCall{Method: "createCAdESFromFile", Storage: "JKS", KeyType: "SIGNATURE", Path: "/a/b.pdf", Attached: true}},
		{`"method":"createCMSSignatureFromFile","args":["PKCS12","","C:\\a.pdf",false]`, CommonCall{Method: "createCMSSignatureFromFile", Storage: PKCS12, Path: `C:\a.pdf`}},
		{`"method":"applyCAdEST","args":["AKKaztokenStore","","MTEK"]`, CommonCall{Method: "applyCAdEST", Storage: "AKKaztokenStore", Data: []string{"MTEK"}}},
		{`"method":"showFileChooser","args":["P12","/home"]`, CommonCall{Method: "showFileChooser", Extension: "P12", Folder: "/home"}},
	} {
		call, reply := request(t, `{`+c.call+`}`).Common(func() []string { return []string{"AKKaztokenStore"} })
		if reply != nil {
			t.Errorf("%s: %s", c.call, reply)
			continue
		}
		if d := cmp.Diff(c.want, *call); d != "" {
			t.Errorf("%s: %s", c.call, d)
		}
	}
}

func TestCommonReplies(t *testing.T) {
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{CommonReply([]string{}, ""), `{"responseObject":[],"code":"200"}`},
		{CommonReply(nil, ""), `{"code":"200"}`},
		{CommonReply("<a>&б</a>", "x"), `{"responseObject":"<a>&б<\/a>","code":"200","uuid":"x"}`},
		{CommonReply("№ “7” \u0085\u2028\u00a0\u20ff\u2100\u1fff", ""), `{"responseObject":"№ \u201c7\u201d \u0085\u2028 \u20ff℀῿","code":"200"}`},
		{CommonCanceled(""), `{"code":"500","message":"action.canceled"}`},
		{CommonReply(KeyInfo{NotBefore: "1", IssuerCN: "2", AuthorityKey: "3", Serial: "4", NotAfter: "5", IssuerDN: "6", KeyID: "7", Alias: "8", PEM: "9", SubjectCN: "10", Algorithm: "11", SubjectDN: `12\"`}, ""),
			`{"responseObject":{"certNotBefore":"1","issuerCn":"2","authorityKeyIdentifier":"3","serialNumber":"4","certNotAfter":"5","issuerDn":"6","keyId":"7","alias":"8","pem":"9","subjectCn":"10","algorithm":"11","subjectDn":"12\\\""},"code":"200"}`},
		{BasicsReply([]string{"a"}), `{"body":{"result":["a"]},"status":true}`},
		{BasicsReply(RawResult{Signatures: []string{"s"}}), `{"body":{"result":{"signatures":["s"]}},"status":true}`},
		{BasicsCanceled(), `{"body":{},"status":true}`},
		{(&Refusal{CodeSigning, "why"}).Reply(), `{"code":"SIGNING_FAILURE","details":"why","message":"Data was not signed.","status":false}`},
		{ModuleNotFound(), `{"success":false,"errorCode":"MODULE_NOT_FOUND"}`},
	} {
		if string(c.got) != c.want {
			t.Errorf("\n got %s\nwant %s", c.got, c.want)
		}
	}
}

func TestBasicsChecks(t *testing.T) {
	const ok = `"format":"cms","data":"MTEK","signingParams":{},"signerParams":{"extKeyUsageOids":[]}`
	for _, c := range []struct{ call, code, details string }{
		{`"method":"foo"`, "GENERAL_ERROR", "java.lang.IllegalArgumentException: foo is not defined in Basics"},
		{`"method":"sign","class":"foo"`, "GENERAL_ERROR", "java.lang.IllegalArgumentException: foo is not found"},
		{`"method":"sign","apiVersion":3`, "GENERAL_ERROR", "java.lang.IllegalArgumentException: Supported apiVersion is 2"},
		{`"method":"sign"`, "GENERAL_ERROR", "java.lang.IllegalArgumentException: sign demands arguments"},
		{`"method":"sign","args":{"data":"x"}`, "INVOCATION_ERROR", `org.json.JSONException: JSONObject["format"] not found.`},
		{`"method":"sign","args":{"allowedStorages":null,"format":"cms","data":"MTEK","signingParams":555,"signerParams":{"extKeyUsageOids":[]},"locale":"ru"}`, "INVOCATION_ERROR", `org.json.JSONException: JSONObject["signingParams"] is not a JSONObject.`},
		{`"method":"sign","args":{"format":"cms","data":"MTEK","signingParams":{"decode":"perhaps"},"signerParams":{"extKeyUsageOids":[]}}`, "INVOCATION_ERROR", `org.json.JSONException: JSONObject["decode"] is not a Boolean.`},
		{`"method":"sign","args":{"format":"cms","data":"MTEK","signingParams":{},"signerParams":{}}`, "INVOCATION_ERROR", `org.json.JSONException: JSONObject["extKeyUsageOids"] not found.`},
	} {
		call, refusal := request(t, `{`+c.call+`}`).Sign()
		if call != nil || refusal == nil || refusal.Code != c.code || refusal.Details != c.details {
			t.Errorf("%s: %v", c.call, refusal)
		}
	}
	for _, c := range []struct{ params, data, details string }{
		{`{"decode":true}`, `"M*EK"`, "data: Illegal base64 character 2a"},
		{`{"digested":true}`, `"abc"`, "data: a digest has 32 or 64 bytes"},
		{`{}`, `[]`, "data: nothing to sign"},
	} {
		call, refusal := request(t, `{"method":"sign","args":{"format":"cms","data":`+c.data+`,"signingParams":`+c.params+`,"signerParams":{"extKeyUsageOids":[]}}}`).Sign()
		if refusal != nil {
			t.Fatal(refusal)
		}
		if _, refusal = call.Contents(); refusal == nil || refusal.Code != CodeParams || refusal.Details != c.details {
			t.Errorf("%s %s: %v", c.params, c.data, refusal)
		}
	}
	call, refusal := request(t, `{"method":"sign","args":{`+ok+`}}`).Sign()
	if refusal != nil {
		t.Fatal(refusal)
	}
	if call.Decode || !call.Encapsulate || call.AnyChain || call.Locale != "kk" || call.Stamp {
		t.Errorf("defaults: %+v", call)
	}
	if b, _ := call.Contents(); string(b[0]) != "MTEK" {
		t.Errorf("without decode the letters are signed, got %q", b[0])
	}
	call, refusal = request(t, `{"method":"sign","args":{"format":"cms","data":["MTEK","MTEK"],"signingParams":{"decode":"true","encapsulate":"false","tsaProfile":{},"outputCert":true},"signerParams":{"extKeyUsageOids":["1.2"],"chain":[],"serialNumber":"AB"},"logo":"`+strings.Repeat("A", 50_001)+`"}}`).Sign()
	if refusal != nil {
		t.Fatal(refusal)
	}
	if !call.Decode || call.Encapsulate || !call.AnyChain || !call.Stamp || call.Logo != "" || call.Serial != "ab" {
		t.Errorf("text booleans: %+v", call)
	}
	if b, _ := call.Contents(); len(b) != 2 || string(b[1]) != "11\n" {
		t.Errorf("decoded %q", b)
	}
}

func TestDecodeBase64(t *testing.T) {
	for in, want := range map[string]string{"MTEK": "11\n", " MT\r\nEK\t": "11\n", "MQ==": "1", "MQ": "1", "": ""} {
		if got, err := DecodeBase64(in); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]string{
		"MT*K": "Illegal base64 character 2a", "MTEKA": "Input byte array has wrong 4-byte ending unit", "Ж": "Illegal base64 character -30",
		"M=TE": "Input byte array has incorrect ending byte at 2", "MTEK====": "Input byte array has wrong 4-byte ending unit",
	} {
		if _, err := DecodeBase64(in); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
}

const goodGenerate = `{"requestId":"KZ-1","storage":"PKCS12","token":null,"profiles":[{"algorithm":"GOST512","usage":"SIGNATURE"}],
 "subject":{"commonName":"ТЕСТОВ ТЕСТ","surname":"ТЕСТОВ","iin":"123456789011","email":"t@example.kz"}}`

func TestKeysChecks(t *testing.T) {
	call, refusal := request(t, `{"method":"generate","args":`+goodGenerate+`}`).Generate()
	if refusal != nil || call.Subject.Country != "KZ" || call.Locale != "kk" {
		t.Fatalf("%v %+v", refusal, call)
	}
	for _, c := range []struct{ from, to, want string }{
		{goodGenerate, "5", "GENERAL_ERROR: missing_arguments"},
		{`"requestId":"KZ-1"`, `"requestId":"a b"`, "CSR_GENERATING_FAILURE: invalid_request_id"},
		{`"requestId":"KZ-1",`, ``, "INVOCATION_ERROR: missing_member"},
		{`"requestId":"KZ-1"`, `"requestId":1`, "INVOCATION_ERROR: wrong_type"},
		{`PKCS12`, `Other`, "CSR_GENERATING_FAILURE: storage_unavailable"},
		{`"PKCS12"`, `"AKKaztokenStore","folder":"/tmp"`, "CSR_GENERATING_FAILURE: folder_unavailable"},
		{`GOST512`, `GOST2004`, "CSR_GENERATING_FAILURE: unsupported_profile"},
		{`SIGNATURE`, `AUTHENTICATION`, "CSR_GENERATING_FAILURE: unsupported_profile"},
		{`123456789011`, `12345678901`, "CSR_GENERATING_FAILURE: invalid_subject"},
		{`t@example.kz`, `nobody`, "CSR_GENERATING_FAILURE: invalid_subject"},
		{`"surname":"ТЕСТОВ",`, `"surname":"ТЕСТОВ","bin":"123456789021",`, "CSR_GENERATING_FAILURE: invalid_subject"},
	} {
		_, refusal := request(t, `{"method":"generate","args":`+strings.Replace(goodGenerate, c.from, c.to, 1)+`}`).Generate()
		if refusal == nil || !strings.HasPrefix(refusal.Error(), c.want) {
			t.Errorf("%s → %s: %v, want %s", c.from, c.to, refusal, c.want)
		}
	}
	if _, refusal := request(t, `{"apiVersion":1,"method":"list","args":{}}`).List(); refusal == nil || !strings.Contains(refusal.Details, "api_version") {
		t.Errorf("apiVersion: %v", refusal)
	}
	if _, refusal := request(t, `{"method":"install","args":{"requestId":"1","certificates":["***"]}}`).Install(); refusal == nil || refusal.Code != CodeNotImportable {
		t.Errorf("install: %v", refusal)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{`{}`, `{module:'a',args:[1,"\u0041",null,],}`, `{"a":{"b":[true,false,-1e5]}}`, "{\n a : \"b\" }"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		value, err := Read(text)
		if err != nil {
			return
		}
		// What was read is said again as strict JSON and read back to the same thing.
		out := encode(plain(value))
		again, err := Read(out)
		if err != nil {
			t.Fatalf("%q was read, %q not: %v", text, out, err)
		}
		if !bytes.Equal(out, encode(plain(again))) {
			t.Fatalf("%q reads differently from %q", out, text)
		}
	})
}

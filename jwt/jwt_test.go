package jwt

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

var random = rand.Reader

// pack encodes the three parts as they are.
func pack(header, payload string, signature []byte) string {
	return encoding.EncodeToString([]byte(header)) + "." + encoding.EncodeToString([]byte(payload)) + "." + encoding.EncodeToString(signature)
}

// forge signs any header over any payload.
func forge(t testing.TB, key crypto.Signer, header, payload string) string {
	t.Helper()
	method, err := algid.SignatureFor(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	signed := strings.TrimSuffix(pack(header, payload, nil), ".")
	value, err := method.Sign(random, key, []byte(signed))
	if err != nil {
		t.Fatal(err)
	}
	return pack(header, payload, value)
}

// The token of the reference library, and the checkpoint of crypto.md §16.
func TestRealToken(t *testing.T) {
	compact := strings.TrimSpace(string(pkitest.Fixture(t, "kalkan-oracle/jwt_gg2015.txt")))
	key, err := pfx.Decode(pkitest.Fixture(t, "p12/gost512-2026/individual_valid.p12"), "Qwerty12")
	if err != nil {
		t.Fatal(err)
	}
	j, err := Parse(compact)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(algid.Streebog512.Sum([]byte(j.signed)))[:16]; got != "ad4c69d341a2dc95" {
		t.Errorf("hash of what is signed: %s", got)
	}
	if err := j.Verify(key.Certificate.PublicKey); err != nil {
		t.Error(err)
	}
	if j.Algorithm != "GG2015" || string(j.Header) != `{"alg":"GG2015","typ":"JWT"}` || !j.Names(key.Certificate) || !j.Claims.IssuedAt.Equal(time.Unix(1780000000, 0)) || !j.Claims.Expires.IsZero() {
		t.Errorf("%+v", j)
	}
	// The claims we write for this person at that time are the same bytes, and so is the header.
	claims, err := ClaimsFor(key.Certificate, j.Claims.IssuedAt, 0)
	if err != nil || !bytes.Equal(claims, j.Payload) {
		t.Errorf("our claims: %s, %v", claims, err)
	}
	ours, err := Sign(random, key.Key, claims)
	if err != nil || !strings.HasPrefix(ours, j.signed+".") {
		t.Errorf("our token: %s, %v", ours, err)
	}
	if err := j.Verify(pkitest.New(t).Individual().Certificate.PublicKey); !errors.Is(err, ErrSignature) {
		t.Errorf("another key: %v", err)
	}
}

func TestSign(t *testing.T) {
	for kind, alg := range map[algid.Key]string{algid.GOST512: "GG2015", algid.GOST2004: "GG2004", algid.RSA: "RS256"} {
		key := pkitest.NewKey(t, kind)
		token, err := Sign(random, key, []byte("{ \"b\" : [1, {\"c\":null}],\n\"a\":\"Қ<\" }"))
		if err != nil {
			t.Errorf("%v: %v", kind, err)
			continue
		}
		j, err := Parse(token)
		if err != nil {
			t.Errorf("%v: %v", kind, err)
			continue
		}
		if string(j.Payload) != `{"b":[1,{"c":null}],"a":"Қ<"}` || string(j.Header) != `{"alg":"`+alg+`","typ":"JWT"}` || j.Algorithm != alg {
			t.Errorf("%v: %s %s", kind, j.Header, j.Payload)
		}
		if err := j.Verify(key.Public()); err != nil {
			t.Errorf("%v: %v", kind, err)
		}
	}
	key := pkitest.NewKey(t, algid.GOST512)
	for name, claims := range map[string]string{
		"nothing": "", "not JSON": "{", "a list": "[]", "a text": `"x"`, "null": "null", "member twice": `{"a":1,"a":2}`, "exp as text": `{"exp":"1"}`,
		"too long": `{"a":"` + strings.Repeat("x", MaxSize) + `"}`, "too long in base64": `{"a":"` + strings.Repeat("x", MaxSize*3/4) + `"}`, "more after it": "{} {}", "not UTF-8": "{\"a\":\"\xff\"}",
	} {
		if token, err := Sign(random, key, []byte(claims)); err == nil {
			t.Errorf("%s: signed %.80s", name, token)
		}
	}
	if _, err := Sign(random, pkitest.NewKey(t, algid.GOST256), []byte("{}")); err == nil {
		t.Error("GOST256 has no name in tokens")
	}
}

// The third-party name is read and never written.
func TestAlias(t *testing.T) {
	key := pkitest.NewKey(t, algid.GOST512)
	j, err := Parse(forge(t, key, `{"typ":"jwt","alg":"GOST15"}`, "{}"))
	if err != nil || j.Algorithm != "GOST15" {
		t.Fatal(err)
	}
	if err := j.Verify(key.Public()); err != nil {
		t.Error(err)
	}
}

// A token never chooses how it is verified.
func TestSec2AlgorithmIsOfTheKey(t *testing.T) {
	keys := map[string]crypto.Signer{"GG2015": pkitest.NewKey(t, algid.GOST512), "GG2004": pkitest.NewKey(t, algid.GOST2004), "RS256": pkitest.NewKey(t, algid.RSA)}
	others := map[string]crypto.Signer{"GOST256": pkitest.NewKey(t, algid.GOST256)}
	for alg, key := range keys {
		for other, wrong := range keys {
			if other == alg {
				continue
			}
			// Signed by the wrong key under this name, shown with either key.
			j, err := Parse(forge(t, wrong, `{"alg":"`+alg+`"}`, "{}"))
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Verify(wrong.Public()); !errors.Is(err, ErrKey) {
				t.Errorf("%s by a key of %s: %v", alg, other, err)
			}
			if err := j.Verify(key.Public()); !errors.Is(err, ErrSignature) {
				t.Errorf("%s with the right kind of key: %v", alg, err)
			}
		}
		for name, wrong := range others {
			j, err := Parse(forge(t, wrong, `{"alg":"`+alg+`"}`, "{}"))
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Verify(wrong.Public()); !errors.Is(err, ErrKey) {
				t.Errorf("%s by a key of %s: %v", alg, name, err)
			}
		}
		// The public key as the secret of HMAC.
		der, err := algid.MarshalPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		for _, header := range []string{`{"alg":"HS256"}`, `{"alg":"` + alg + `"}`} {
			mac := hmac.New(sha256.New, der)
			mac.Write([]byte(strings.TrimSuffix(pack(header, "{}", nil), ".")))
			j, err := Parse(pack(header, "{}", mac.Sum(nil)))
			if err == nil {
				err = j.Verify(key.Public())
			}
			if err == nil {
				t.Errorf("HMAC under the public key passes with %s", header)
			}
		}
	}
	j, err := Parse(forge(t, keys["RS256"], `{"alg":"RS256"}`, "{}"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pub := range []crypto.PublicKey{nil, "key", &algid.GTPublicKey{}, []byte("secret")} {
		if err := j.Verify(pub); !errors.Is(err, ErrKey) {
			t.Errorf("key of type %T: %v", pub, err)
		}
	}
}

func TestSec2ParseRefuses(t *testing.T) {
	key := pkitest.NewKey(t, algid.GOST512)
	const header = `{"alg":"GG2015","typ":"JWT"}`
	good := forge(t, key, header, `{"sub":"x"}`)
	parts := strings.Split(good, ".")
	nested := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(parts[2]) - 1
	loose := parts[2][:last] + string(alphabet[strings.IndexByte(alphabet, parts[2][last])+1])
	for name, token := range map[string]string{
		"nothing": "", "dots": "..", "one part": parts[0], "two parts": parts[0] + "." + parts[1], "no signature": parts[0] + "." + parts[1] + ".",
		"four parts": good + ".", "five parts": good + "." + parts[0] + "." + parts[0], "empty header": "." + parts[1] + "." + parts[2], "empty payload": parts[0] + ".." + parts[2],
		"JSON form": `{"payload":"` + parts[1] + `"}`, "line end": good + "\n", "line end inside": good[:10] + "\n" + good[10:], "return inside": good[:10] + "\r" + good[10:], "space": " " + good,
		"padded": parts[0] + "." + parts[1] + "." + parts[2] + "=", "loose bits": parts[0] + "." + parts[1] + "." + loose, "standard alphabet": strings.NewReplacer("-", "+", "_", "/").Replace(pack(header, `{"a":"???>>>"}`, []byte{0xfb, 0xff})),
		"large":               good + strings.Repeat("A", MaxSize),
		"none":                forge(t, key, `{"alg":"none"}`, "{}"),
		"None":                forge(t, key, `{"alg":"None"}`, "{}"),
		"empty algorithm":     forge(t, key, `{"alg":""}`, "{}"),
		"HMAC":                forge(t, key, `{"alg":"HS256"}`, "{}"),
		"GOST256":             forge(t, key, `{"alg":"GG2015-256"}`, "{}"),
		"small letters":       forge(t, key, `{"alg":"gg2015"}`, "{}"),
		"ECDSA":               forge(t, key, `{"alg":"ES256"}`, "{}"),
		"algorithm in a list": forge(t, key, `{"alg":["GG2015"]}`, "{}"),
		"algorithm null":      forge(t, key, `{"alg":null}`, "{}"),
		"no algorithm":        forge(t, key, `{"typ":"JWT"}`, "{}"),
		"Alg":                 forge(t, key, `{"Alg":"GG2015"}`, "{}"),
		"algorithm twice":     forge(t, key, `{"alg":"none","alg":"GG2015"}`, "{}"),
		"twice, escaped":      forge(t, key, `{"alg":"GG2015","\u0061lg":"none"}`, "{}"),
		"crit":                forge(t, key, `{"alg":"GG2015","crit":["exp"],"exp":1}`, "{}"),
		"crit, empty":         forge(t, key, `{"alg":"GG2015","crit":[]}`, "{}"),
		"payload as it is":    forge(t, key, `{"alg":"GG2015","b64":false}`, "{}"),
		"compressed":          forge(t, key, `{"alg":"GG2015","zip":"DEF"}`, "{}"),
		"encrypted":           forge(t, key, `{"alg":"GG2015","enc":"A128GCM"}`, "{}"),
		"type":                forge(t, key, `{"alg":"GG2015","typ":"at+jwt"}`, "{}"),
		"type null":           forge(t, key, `{"alg":"GG2015","typ":null}`, "{}"),
		"header a list":       forge(t, key, `["alg"]`, "{}"),
		"header null":         forge(t, key, `null`, "{}"),
		"header, trailing":    forge(t, key, header+"{}", "{}"),
		"header, comma":       forge(t, key, `{"alg":"GG2015",}`, "{}"),
		"header not UTF-8":    forge(t, key, "{\"alg\":\"GG2015\",\"x\":\"\xff\"}", "{}"),
		"byte order mark":     forge(t, key, "\ufeff"+header, "{}"),
		"payload a text":      forge(t, key, header, `"x"`),
		"payload a list":      forge(t, key, header, `[]`),
		"payload null":        forge(t, key, header, `null`),
		"payload a token":     forge(t, key, header, good),
		"payload, trailing":   forge(t, key, header, "{}{}"),
		"member twice":        forge(t, key, header, `{"sub":"a","sub":"b"}`),
		"member twice, deep":  forge(t, key, header, `{"a":[{"b":1,"b":2}]}`),
		"deep":                forge(t, key, header, nested(17)),
		"exp a text":          forge(t, key, header, `{"exp":"1900000000"}`),
		"exp null":            forge(t, key, header, `{"exp":null}`),
		"exp negative":        forge(t, key, header, `{"exp":-1}`),
		"exp too large":       forge(t, key, header, `{"exp":1e30}`),
		"exp beyond floats":   forge(t, key, header, `{"exp":1e999}`),
		"nbf a list":          forge(t, key, header, `{"nbf":[1]}`),
		"iat true":            forge(t, key, header, `{"iat":true}`),
		"sub a number":        forge(t, key, header, `{"sub":1}`),
		"iss null":            forge(t, key, header, `{"iss":null}`),
		"jti an object":       forge(t, key, header, `{"jti":{}}`),
		"aud a number":        forge(t, key, header, `{"aud":1}`),
		"aud with a number":   forge(t, key, header, `{"aud":["a",1]}`),
		"aud null":            forge(t, key, header, `{"aud":null}`),
	} {
		if j, err := Parse(token); err == nil {
			t.Errorf("%s: parses: %s %s", name, j.Header, j.Payload)
		}
	}
	for name, payload := range map[string]string{
		"empty": "{}", "deep": nested(16), "space": " {\n} ", "same name apart": `{"a":{"a":1},"b":{"a":1}}`,
		"audience": `{"aud":"a"}`, "audiences": `{"aud":["a","b"]}`, "nobody": `{"aud":[]}`, "fraction": `{"exp":1780000000.5}`, "exponent": `{"exp":1.78e9}`, "zero": `{"nbf":0}`, "big number": `{"x":123456789012345678901234567890}`,
	} {
		if _, err := Parse(forge(t, key, header, payload)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Hints are not looked at, and a key inside a token is only a hint.
	if _, err := Parse(forge(t, key, `{"alg":"GG2015","kid":"1","jwk":{"kty":"oct"},"x5u":"http://example.kz/"}`, "{}")); err != nil {
		t.Errorf("hints: %v", err)
	}
}

func TestChanged(t *testing.T) {
	key := pkitest.NewKey(t, algid.GOST512)
	good := forge(t, key, `{"alg":"GG2015"}`, `{"sub":"a"}`)
	other := strings.Split(forge(t, key, `{"alg":"GG2015"}`, `{"sub":"b"}`), ".")
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"payload of another":   parts[0] + "." + other[1] + "." + parts[2],
		"signature of another": parts[0] + "." + parts[1] + "." + other[2],
		"header":               strings.Split(forge(t, key, `{"alg":"GOST15"}`, `{"sub":"a"}`), ".")[0] + "." + parts[1] + "." + parts[2],
		"signature cut":        parts[0] + "." + parts[1] + "." + encoding.EncodeToString(make([]byte, 127)),
		"signature of zeros":   parts[0] + "." + parts[1] + "." + encoding.EncodeToString(make([]byte, 128)),
	} {
		j, err := Parse(token)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if err := j.Verify(key.Public()); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidAt(t *testing.T) {
	const n = 1788256800
	now := time.Unix(n, 0)
	key := pkitest.NewKey(t, algid.GOST512)
	for claims, want := range map[string]error{
		"{}":                                     nil,
		fmt.Sprintf(`{"exp":%d}`, n+1):           nil,
		fmt.Sprintf(`{"exp":%d}`, n):             ErrExpired,
		fmt.Sprintf(`{"exp":%d.5}`, n):           nil,
		fmt.Sprintf(`{"exp":%d}`, n-1):           ErrExpired,
		`{"exp":0}`:                              ErrExpired,
		fmt.Sprintf(`{"nbf":%d}`, n):             nil,
		fmt.Sprintf(`{"nbf":%d}`, n+1):           ErrNotYet,
		fmt.Sprintf(`{"nbf":%d.5}`, n):           ErrNotYet,
		fmt.Sprintf(`{"iat":%d}`, n):             nil,
		fmt.Sprintf(`{"iat":%d}`, n+1):           ErrNotYet,
		fmt.Sprintf(`{"iat":%d,"exp":1}`, n-100): ErrExpired,
	} {
		j, err := Parse(forge(t, key, `{"alg":"GG2015"}`, claims))
		if err != nil {
			t.Fatal(err)
		}
		if err := j.ValidAt(now); !errors.Is(err, want) {
			t.Errorf("%s: %v", claims, err)
		}
	}
}

func TestClaims(t *testing.T) {
	a := pkitest.New(t)
	person, other := a.Individual(), a.Issue(pkitest.Spec{Holder: pki.Holder{CommonName: "X", IIN: "990101300001"}})
	claims, err := ClaimsFor(person.Certificate, a.Now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	token, err := Sign(random, person.Key, claims)
	if err != nil {
		t.Fatal(err)
	}
	j, err := Parse(token)
	if err != nil {
		t.Fatal(err)
	}
	if !j.Names(person.Certificate) || j.Names(other.Certificate) || j.Claims.Subject != "IIN"+person.Certificate.Holder().IIN {
		t.Errorf("subject %s", j.Claims.Subject)
	}
	if !j.Claims.IssuedAt.Equal(a.Now) || !j.Claims.Expires.Equal(a.Now.Add(time.Hour)) {
		t.Errorf("%+v", j.Claims)
	}
	for name, err := range map[string]error{
		"information system": second(ClaimsFor(a.InfoSystem().Certificate, a.Now, 0)),
		"no time":            second(ClaimsFor(person.Certificate, time.Time{}, 0)),
		"life backwards":     second(ClaimsFor(person.Certificate, a.Now, -1)),
	} {
		if err == nil {
			t.Errorf("%s: claims are written", name)
		}
	}
	full, err := Parse(forge(t, person.Key, `{"alg":"GG2015"}`, `{"iss":"i","sub":"s","aud":["a","b"],"jti":"j","nbf":1,"exp":2.25}`))
	if err != nil {
		t.Fatal(err)
	}
	c := full.Claims
	if c.Issuer != "i" || c.Subject != "s" || strings.Join(c.Audience, " ") != "a b" || c.ID != "j" || !c.NotBefore.Equal(time.Unix(1, 0)) || !c.Expires.Equal(time.Unix(2, 250_000_000)) || !c.IssuedAt.IsZero() {
		t.Errorf("%+v", c)
	}
	nobody, err := Parse(forge(t, person.Key, `{"alg":"GG2015"}`, "{}"))
	if err != nil {
		t.Fatal(err)
	}
	if full.Names(a.InfoSystem().Certificate) || nobody.Names(a.InfoSystem().Certificate) {
		t.Error("a token names a certificate without a person")
	}
}

func second(_ []byte, err error) error { return err }

func FuzzParse(f *testing.F) {
	key := pkitest.NewKey(f, algid.GOST2004)
	for _, s := range []string{forge(f, key, `{"alg":"GG2004","typ":"JWT"}`, `{"sub":"x","exp":1.5,"aud":["a"]}`), "a.b.c", pack(`{"alg":"GG2015"}`, "{}", []byte{1})} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		j, err := Parse(in)
		if err != nil {
			return
		}
		if out := pack(string(j.Header), string(j.Payload), j.signature); out != in {
			t.Fatalf("read %q, wrote %q", in, out)
		}
		if signed, err := Sign(random, key, j.Payload); err == nil {
			again, err := Parse(signed)
			if err != nil || again.Claims.Subject != j.Claims.Subject || !again.Claims.Expires.Equal(j.Claims.Expires) {
				t.Fatalf("%q signed by us reads otherwise: %v", j.Payload, err)
			}
		}
	})
}

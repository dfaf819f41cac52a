package portal

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"html"
	"regexp"
	"testing"
)

// authenticator is a passkey in software, as the specification of WebAuthn describes one: P-256, no
// attestation.
type authenticator struct {
	t      testing.TB
	id     []byte
	key    *ecdsa.PrivateKey
	handle string // what the site called its person
	count  uint32
	origin string
	flags  byte // present and verified, unless a test says otherwise
}

func newAuthenticator(t testing.TB) *authenticator {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 16)
	rand.Read(id)
	return &authenticator{t: t, id: id, key: key, origin: "http://localhost:8081", flags: 0x05}
}

var raw64 = base64.RawURLEncoding

// options are the fields of a question that it reads.
type options struct {
	Challenge string
	RPID      string `json:"rpId"`
	RP        struct{ ID string }
	User      struct{ ID string }
}

var passkeyQuestion = regexp.MustCompile(`data-passkey="(get|create)" data-passkey-options="([^"]*)"`)

// question reads the form of a page.
func (b *browser) question() options {
	b.w.t.Helper()
	m := passkeyQuestion.FindStringSubmatch(b.page)
	if m == nil {
		b.w.t.Fatalf("%s asks for no passkey:\n%s", b.path, text(b.page))
	}
	var o options
	b.w.must(json.Unmarshal([]byte(html.UnescapeString(m[2])), &o))
	return o
}

func (a *authenticator) clientData(act, challenge string) []byte {
	data, err := json.Marshal(map[string]any{"type": "webauthn." + act, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	if err != nil {
		a.t.Fatal(err)
	}
	return data
}

func (a *authenticator) data(rp string, flags byte) []byte {
	sum := sha256.Sum256([]byte(rp))
	return binary.BigEndian.AppendUint32(append(sum[:], flags), a.count)
}

// create answers the question for a new credential.
func (a *authenticator) create(o options) string {
	a.handle = o.User.ID
	data := append(a.data(o.RP.ID, a.flags|0x40), make([]byte, 16)...) // no maker
	data = append(binary.BigEndian.AppendUint16(data, uint16(len(a.id))), a.id...)
	x, y := make([]byte, 32), make([]byte, 32)
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		a.t.Fatal(err)
	}
	copy(x, point[1:33])
	copy(y, point[33:])
	data = append(data, 0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20)
	data = append(append(append(data, x...), 0x22, 0x58, 0x20), y...)
	object := append([]byte{0xa3, 0x63}, "fmt"...)
	object = append(append(object, 0x64), "none"...)
	object = append(append(append(object, 0x67), "attStmt"...), 0xa0, 0x68)
	object = append(append(object, "authData"...), 0x58, byte(len(data)))
	object = append(object, data...)
	return a.answer(map[string]string{"clientDataJSON": raw64.EncodeToString(a.clientData("create", o.Challenge)), "attestationObject": raw64.EncodeToString(object)})
}

// get answers the question at sign-in.
func (a *authenticator) get(o options) string {
	a.count++
	data, client := a.data(o.RPID, a.flags), a.clientData("get", o.Challenge)
	clientSum := sha256.Sum256(client)
	sum := sha256.Sum256(append(data[:len(data):len(data)], clientSum[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, sum[:])
	if err != nil {
		a.t.Fatal(err)
	}
	return a.answer(map[string]string{"clientDataJSON": raw64.EncodeToString(client), "authenticatorData": raw64.EncodeToString(data),
		"signature": raw64.EncodeToString(signature), "userHandle": a.handle})
}

func (a *authenticator) answer(response map[string]string) string {
	id := raw64.EncodeToString(a.id)
	out, err := json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	if err != nil {
		a.t.Fatal(err)
	}
	return string(out)
}

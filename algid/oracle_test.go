package algid_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pfx"
)

// The digest of the message of crypto.md §16, between the message and its signature.
func TestReferenceDigest(t *testing.T) {
	const want = "7d2b8e1c32c116aba0e4c14a021d459206b6174d201cddfed0b256da91729cf169199a9ff12d6026c29e6acabe19c4d191954823f54fb7b2661b3b4b5cfe2179"
	if got := hex.EncodeToString(algid.Streebog512.Sum([]byte(vectors[0].message))); got != want {
		t.Errorf("%s", got)
	}
}

// The self-signed certificate of the throw-away key, made by somebody else's program.
func TestFixtureVectors(t *testing.T) {
	values := map[string][]byte{}
	for line := range strings.Lines(string(pkitest.Fixture(t, "kalkan-oracle/test_gost512.vectors"))) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if b, err := hex.DecodeString(value); ok && err == nil {
			values[name] = b
		}
	}
	pub, kind, err := algid.ParsePublicKey(unhex(t, vectors[0].spki))
	if err != nil || kind != algid.GOST512 {
		t.Fatal(err)
	}
	if err := algid.GOST512Sig.VerifyDigest(pub, values["digest"], values["sig"]); err != nil {
		t.Error(err)
	}
	if !bytes.Contains(values["cert_tbs"], unhex(t, vectors[0].spki)) {
		t.Error("the certificate is of another key")
	}
	if err := algid.GOST512Sig.Verify(pub, values["cert_tbs"], values["cert_sig"]); err != nil {
		t.Errorf("self-signed certificate: %v", err)
	}
}

// A JWT of the reference library: its signature is the raw r‖s over the ASCII before the last dot.
func TestFixtureJWT(t *testing.T) {
	jwt := strings.TrimSpace(string(pkitest.Fixture(t, "kalkan-oracle/jwt_gg2015.txt")))
	dot := strings.LastIndexByte(jwt, '.')
	signed, value := []byte(jwt[:dot]), jwt[dot+1:]
	if got := hex.EncodeToString(algid.Streebog512.Sum(signed)); !strings.HasPrefix(got, "ad4c69d341a2dc95") {
		t.Errorf("hash %s", got)
	}
	sig, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		t.Fatal(err)
	}
	file, err := pfx.Decode(pkitest.Fixture(t, "p12/gost512-2026/individual_valid.p12"), "Qwerty12")
	if err != nil {
		t.Fatal(err)
	}
	checkSignatures(t, algid.GOST512Sig, file.Certificate.PublicKey, signed, sig)
}

package pfx

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/internal/pkitest"
)

// pbes2Of writes any PBES2 identifier, with numbers a test can wait for.
func pbes2Of(cipher, prf asn1.ObjectIdentifier, keyLength, iterations int, salt []byte) []byte {
	n := 16
	if cipher.Equal(oidDESEDE3CBC) {
		n = 8
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidPBES2)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidPBKDF2)
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1OctetString(salt)
					b.AddASN1Int64(int64(iterations))
					if keyLength > 0 {
						b.AddASN1Int64(int64(keyLength))
					}
					if prf != nil {
						b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddASN1ObjectIdentifier(prf)
							b.AddASN1NULL()
						})
					}
				})
			})
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(cipher)
				b.AddASN1OctetString(make([]byte, n))
			})
		})
	})
	return b.BytesOrPanic()
}

// pkcs12Of writes the identifier of an old scheme.
func pkcs12Of(scheme asn1.ObjectIdentifier, iterations int, salt []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(scheme)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(salt)
			b.AddASN1Int64(int64(iterations))
		})
	})
	return b.BytesOrPanic()
}

// encryptAs encrypts with any identifier.
func (s *secret) encryptAs(t testing.TB, algorithm, data []byte) []byte {
	t.Helper()
	block, iv, err := s.blockOf(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	pad := block.BlockSize() - len(data)%block.BlockSize()
	data = append(bytes.Clone(data), bytes.Repeat([]byte{byte(pad)}, pad)...)
	for i := 0; i < len(data); i += block.BlockSize() {
		for j := range iv {
			data[i+j] ^= iv[j]
		}
		block.Encrypt(data[i:], data[i:])
		iv = data[i : i+block.BlockSize()]
	}
	return data
}

// indefinite writes content in BER, with a constructed string where NCA has one.
func indefinite(tag byte, content ...[]byte) []byte {
	out := []byte{tag, 0x80}
	for _, c := range content {
		out = append(out, c...)
	}
	return append(out, 0, 0)
}

// Everything the reference library reads (crypto.md §5, §18): ciphers of key and certificate, MAC,
// BER as NCA writes it, several certificates, a plain certificate bag, no attributes, both forms of a
// GOST512 key.
func TestDecodeVariants(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	s := newSecret("Qwerty12")
	salt := bytes.Repeat([]byte{7}, 20)
	schemes := map[string][]byte{
		"RC2-40": pkcs12Of(oidSHA1AndRC240, 1024, salt), "3DES": pkcs12Of(oidSHA1And3DES, 1024, salt),
		"no salt": pkcs12Of(oidSHA1And3DES, 1, nil),
	}
	for name, cipher := range map[string]asn1.ObjectIdentifier{"AES-128": oidAES128CBC, "AES-256": oidAES256CBC, "PBES2 3DES": oidDESEDE3CBC} {
		length := map[string]int{"AES-128": 16, "AES-256": 32, "PBES2 3DES": 24}[name]
		for prf, oid := range map[string]asn1.ObjectIdentifier{"HMAC-SHA1": oidHMACSHA1, "HMAC-SHA256": oidHMACSHA256, "default PRF": nil} {
			schemes[name+", "+prf] = pbes2Of(cipher, oid, 0, 1000, salt)
			schemes[name+", "+prf+", key length"] = pbes2Of(cipher, oid, length, 1000, salt)
		}
	}
	plain, err := algid.MarshalPrivateKey(l.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert := func(der []byte) []byte {
		value, err := sequence(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidX509Certificate) }, inTag0(octets(der)))
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	certs, err := sequence(bag(oidCertBag, cert(a.CA.Raw), nil), bag(oidCertBag, cert(l.Certificate.Raw), nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, algorithm := range schemes {
		for _, mac := range []protection{{mac: sha1.New, macOID: oidSHA1, iterations: 1024}, {mac: sha256.New, macOID: oidSHA256, iterations: 1}} {
			s.left = maxTotal
			shrouded, err := sequence(rawBytes(algorithm), octets(s.encryptAs(t, algorithm, plain)))
			if err != nil {
				t.Fatal(err)
			}
			authSafe, err := sequence(dataContent(sequenceOf(bag(oidShroudedKeyBag, shrouded, nil))), encryptedContent(algorithm, s.encryptAs(t, algorithm, certs)))
			if err != nil {
				t.Fatal(err)
			}
			file, err := s.seal(rand.Reader, mac, authSafe)
			if err != nil {
				t.Fatal(err)
			}
			f, err := Decode(file, "Qwerty12")
			if err != nil || !samePublicKey(f.Key, l.Certificate) || !bytes.Equal(f.Certificate.Raw, l.Certificate.Raw) || len(f.Others) != 1 || f.Alias != "" {
				t.Errorf("%s, MAC %v: %v", name, mac.macOID, err)
			}
		}
	}
	scheme := schemes["3DES"]
	inner, err := asn1.Marshal(struct {
		Algorithm asn1.RawValue
		Key       []byte
	}{asn1.RawValue{FullBytes: scheme}, s.encryptAs(t, scheme, plain)})
	if err != nil {
		t.Fatal(err)
	}
	oid := func(o asn1.ObjectIdentifier) []byte {
		der, err := asn1.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	keyBag := indefinite(0x30, indefinite(0x30, oid(oidShroudedKeyBag), indefinite(0xa0, inner)))
	half := len(keyBag) / 2
	pieces := indefinite(0x24, octetString(keyBag[:half]), indefinite(0x24, octetString(keyBag[half:])))
	cipherText := s.encryptAs(t, scheme, certs)
	national := indefinite(0x30,
		indefinite(0x30, oid(oidData), indefinite(0xa0, pieces)),
		indefinite(0x30, oid(oidEncryptedData), indefinite(0xa0, indefinite(0x30, []byte{2, 1, 0},
			indefinite(0x30, oid(oidData), scheme, indefinite(0xa0, octetString(cipherText[:8]), octetString(cipherText[8:])))))))
	file, err := s.seal(rand.Reader, protection{mac: sha1.New, macOID: oidSHA1, iterations: 1024}, national)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := Decode(file, "Qwerty12"); err != nil || !samePublicKey(f.Key, l.Certificate) {
		t.Errorf("BER with pieces: %v", err)
	}
	integer := integerKey(t, plain)
	shrouded, err := sequence(rawBytes(scheme), octets(s.encryptAs(t, scheme, integer)))
	if err != nil {
		t.Fatal(err)
	}
	authSafe, err := sequence(dataContent(sequenceOf(bag(oidShroudedKeyBag, shrouded, nil), bag(oidCertBag, cert(l.Certificate.Raw), nil))))
	if err != nil {
		t.Fatal(err)
	}
	if file, err = s.seal(rand.Reader, protection{mac: sha1.New, macOID: oidSHA1, iterations: 1024}, authSafe); err != nil {
		t.Fatal(err)
	}
	if f, err := Decode(file, "Qwerty12"); err != nil || !samePublicKey(f.Key, l.Certificate) {
		t.Errorf("INTEGER inside, certificate in plain: %v", err)
	}
}

func octetString(b []byte) []byte {
	var out cryptobyte.Builder
	out.AddASN1OctetString(b)
	return out.BytesOrPanic()
}

// integerKey turns the OCTET STRING of a GOST512 key into an INTEGER.
func integerKey(t *testing.T, pkcs8 []byte) []byte {
	t.Helper()
	var info struct {
		Version   int
		Algorithm asn1.RawValue
		Key       []byte
	}
	if rest, err := asn1.Unmarshal(pkcs8, &info); err != nil || len(rest) > 0 {
		t.Fatal(err)
	}
	be := bytes.Clone(info.Key[2:])
	for i, j := 0, len(be)-1; i < j; i, j = i+1, j-1 {
		be[i], be[j] = be[j], be[i]
	}
	for len(be) > 1 && be[0] == 0 {
		be = be[1:]
	}
	if be[0]&0x80 != 0 {
		be = append([]byte{0}, be...)
	}
	info.Key = append([]byte{2, byte(len(be))}, be...)
	der, err := asn1.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// The bounds of security.md §3 on what a file may ask of us, each crossed by one.
func TestSec3FileBounds(t *testing.T) {
	key := pkitest.NewKey(t, algid.GOST512)
	plain, err := algid.MarshalPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	salt := func(n int) []byte { return bytes.Repeat([]byte{1}, n) }
	for _, c := range []struct {
		name string
		good []byte
		bad  []byte
	}{
		{"salt of PBKDF2", pbes2Of(oidAES256CBC, oidHMACSHA256, 0, 1, salt(maxSalt)), pbes2Of(oidAES256CBC, oidHMACSHA256, 0, 1, salt(maxSalt+1))},
		{"salt of PKCS #12", pkcs12Of(oidSHA1And3DES, 1, salt(maxSalt)), pkcs12Of(oidSHA1And3DES, 1, salt(maxSalt+1))},
		{"iterations above", pbes2Of(oidAES256CBC, oidHMACSHA256, 0, 1000, salt(8)), pbes2Of(oidAES256CBC, oidHMACSHA256, 0, MaxIterations+1, salt(8))},
		{"iterations zero", pbes2Of(oidAES256CBC, oidHMACSHA256, 0, 1, salt(8)), pbes2Of(oidAES256CBC, oidHMACSHA256, 0, 0, salt(8))},
		{"iterations of PKCS #12", pkcs12Of(oidSHA1And3DES, 1000, salt(8)), pkcs12Of(oidSHA1And3DES, MaxIterations+1, salt(8))},
		{"key length", pbes2Of(oidAES256CBC, nil, 32, 1, salt(8)), pbes2Of(oidAES256CBC, nil, 16, 1, salt(8))},
	} {
		s := newSecret("x")
		if _, err := s.decrypt(c.good, s.encryptAs(t, c.good, plain)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := s.decrypt(c.bad, make([]byte, 32)); !errors.Is(err, errParameters) && !errors.Is(err, errIterations) {
			t.Errorf("%s: crossed: %v", c.name, err)
		}
	}
	for _, n := range []int{MaxSize, MaxSize + 1} {
		_, err := Decode(make([]byte, n), "x")
		if large := strings.Contains(fmt.Sprint(err), "larger"); err == nil || large != (n > MaxSize) {
			t.Errorf("%d bytes: %v", n, err)
		}
		if _, err := DecryptPrivateKey(make([]byte, n), nil); err == nil || strings.Contains(err.Error(), "larger") != (n > MaxSize) {
			t.Errorf("%d bytes of a private key: %v", n, err)
		}
	}
}

func TestChangePassword(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	old, err := Encode(random, File{Key: l.Key, Certificate: l.Certificate, Alias: "мой"}, "Qwerty12", NCA)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := ChangePassword(random, old, "Qwerty12", "Another1", NCA)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := Decode(fresh, "Another1"); err != nil || !samePublicKey(f.Key, l.Certificate) || f.Alias != "мой" {
		t.Errorf("new file: %v", err)
	}
	if _, err := Decode(fresh, "Qwerty12"); !errors.Is(err, ErrPassword) {
		t.Errorf("the old password opens the new file: %v", err)
	}
	for name, c := range map[string]struct {
		from, to string
		want     error
	}{
		"wrong": {"Qwerty13", "Another1", ErrPassword}, "the same": {"Qwerty12", "Qwerty12", ErrPasswordSame}, "weak": {"Qwerty12", "another", ErrPasswordClasses},
	} {
		if out, err := ChangePassword(random, old, c.from, c.to, NCA); !errors.Is(err, c.want) || out != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

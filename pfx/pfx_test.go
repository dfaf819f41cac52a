package pfx

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"senim/algid"
	"senim/internal/ber"
	"senim/internal/pkitest"
	"senim/pki"
)

var random = rand.Reader

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The vectors of crypto.md §16.
func TestDeriveVectors(t *testing.T) {
	for _, c := range []struct {
		salt string
		id   byte
		want string
	}{
		{"4077acd03d41567e9a6d659fbc2dc17c696e5e5e", idMAC, "b1b3885320f446ccf7e113b7ccdefa576ed4a48b"},
		{"b6afcf56afd0739d31cec67eb0eb4f5a9bc42c9b", idKey, "b554b169f926bb0005399ffbcdee41cd0b826fc92cf5c854"},
		{"b6afcf56afd0739d31cec67eb0eb4f5a9bc42c9b", idIV, "80e9538c3fdad82a"},
		{"581baeffd4d5145074ecdca2cffdcc767164016e", idKey, "d9aeeff419"},
		{"581baeffd4d5145074ecdca2cffdcc767164016e", idIV, "b7765d8b18384f00"},
	} {
		got := derive(sha1.New, bmpPassword("Qwerty12"), unhex(t, c.salt), 1024, c.id, len(c.want)/2)
		if hex.EncodeToString(got) != c.want {
			t.Errorf("id %d: %x, want %s", c.id, got, c.want)
		}
	}
}

func TestRC2Vector(t *testing.T) {
	block, iv := newRC2(unhex(t, "0102030405")), unhex(t, "0001020304050607")
	padded := append([]byte("RC2 with 40 bits"), bytes.Repeat([]byte{8}, 8)...)
	want := "641a061af4c3310edd94ff65447412a2f58193d229f461e5"
	var out []byte
	for i := 0; i < len(padded); i += 8 {
		for j := range iv {
			iv[j] ^= padded[i+j]
		}
		block.Encrypt(iv, iv)
		out = append(out, iv...)
	}
	if hex.EncodeToString(out) != want {
		t.Errorf("%x, want %s", out, want)
	}
	// RFC 2268 §5, the vector with 64 bits of key.
	full := newRC2(unhex(t, "ffffffffffffffff"))
	b := make([]byte, 8)
	full.Encrypt(b, unhex(t, "ffffffffffffffff"))
	if hex.EncodeToString(b) != "278b27e42e2f0d49" {
		t.Errorf("RFC vector: %x", b)
	}
	full.Decrypt(b, b)
	if hex.EncodeToString(b) != "ffffffffffffffff" {
		t.Errorf("RFC vector back: %x", b)
	}
}

func TestEncodeDecode(t *testing.T) {
	a := pkitest.New(t)
	for _, kind := range []algid.Key{algid.GOST512, algid.GOST256, algid.GOST2004, algid.RSA} {
		l := a.Issue(pkitest.Spec{Kind: kind})
		forms := []Form{NCA}
		if kind == algid.GOST512 || kind == algid.RSA {
			forms = append(forms, Modern) // slow by design: two kinds are enough
		}
		for _, form := range forms {
			f := File{Key: l.Key, Certificate: l.Certificate}
			der, err := Encode(random, f, "Пароль1", form)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := ber.Normalize(der); err != nil || !bytes.Equal(again, der) {
				t.Errorf("%v: file is not DER: %v", kind, err)
			}
			got, err := Decode(der, "Пароль1")
			if err != nil {
				t.Fatal(err)
			}
			if !samePublicKey(got.Key, l.Certificate) || got.Alias != hex.EncodeToString(l.Certificate.SubjectKeyID) {
				t.Errorf("%v: alias %q", kind, got.Alias)
			}
			if _, err := Decode(der, "Пароль2"); !errors.Is(err, ErrPassword) {
				t.Errorf("wrong password: %v", err)
			}
		}
	}
}

// Several certificates: the one of the key is chosen wherever it stands.
func TestDecodeChoosesCertificate(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	der, err := Encode(random, File{Key: l.Key, Certificate: l.Certificate, Others: []*pki.Certificate{a.CA, a.Root}, Alias: "мой ключ"}, "x", NCA)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Decode(der, "x")
	if err != nil || len(f.Others) != 2 || !bytes.Equal(f.Certificate.Raw, l.Certificate.Raw) || f.Alias != "мой ключ" {
		t.Fatalf("%v: %+v", err, f)
	}
	b := bags{key: l.Key, certs: []*pki.Certificate{a.CA, l.Certificate}, names: []string{"ca", "leaf"}}
	if f, err := b.file(); err != nil || f.Alias != "leaf" || !bytes.Equal(f.Certificate.Raw, l.Certificate.Raw) {
		t.Errorf("leaf second: %v", err)
	}
	b.certs, b.names = b.certs[:1], b.names[:1]
	if _, err := b.file(); !errors.Is(err, ErrKeyMismatch) {
		t.Errorf("foreign certificate: %v", err)
	}
	if _, err := Encode(random, File{Key: l.Key, Certificate: a.CA}, "x", NCA); !errors.Is(err, ErrKeyMismatch) {
		t.Errorf("writing a foreign certificate: %v", err)
	}
}

func TestSec3Refuses(t *testing.T) {
	l := pkitest.New(t).Individual()
	good, err := Encode(random, File{Key: l.Key, Certificate: l.Certificate}, "x", NCA)
	if err != nil {
		t.Fatal(err)
	}
	rounds := []byte{2, 2, 4, 0} // INTEGER 1024, as the file has it; as many bytes as INTEGER 0x7fff…
	for name, bad := range map[string][]byte{
		"nothing":  nil,
		"trailing": append(slices.Clone(good), 0),
		"cut":      good[:len(good)-1],
		"large":    make([]byte, MaxSize+1),
		"text":     []byte("-----BEGIN CERTIFICATE-----"),
		"zero":     bytes.ReplaceAll(good, rounds, []byte{2, 2, 0, 0}),
	} {
		if _, err := Decode(bad, "x"); err == nil || errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 1
		if f, err := Decode(bad, "x"); err == nil && !samePublicKey(f.Key, l.Certificate) {
			t.Errorf("byte %d changed unnoticed", i)
		}
	}
}

func TestSec3Iterations(t *testing.T) {
	s := newSecret("x")
	for _, n := range []int{0, -1, MaxIterations + 1} {
		if err := s.spend(n); err == nil {
			t.Errorf("%d iterations allowed", n)
		}
	}
	for range 3 {
		if err := s.spend(MaxIterations); err != nil {
			t.Error(err)
		}
	}
	if err := s.spend(1); err == nil {
		t.Error("a file may ask for any number of full rounds")
	}
}

// What a file may hold, past the MAC: security.md §3.
func TestSec3Contents(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	s := newSecret("x")
	shrouded, err := s.shroud(random, oidSHA1And3DES, l.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := sequence(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidX509Certificate) }, inTag0(octets(l.Certificate.Raw)))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := algid.MarshalPrivateKey(l.Key)
	if err != nil {
		t.Fatal(err)
	}
	key, leaf := bag(oidShroudedKeyBag, shrouded, nil), bag(oidCertBag, cert, nil)
	for name, c := range map[string]struct {
		list []builder
		good bool
	}{
		"usual":        {[]builder{key, leaf}, true},
		"other order":  {[]builder{leaf, key}, true},
		"64 bags":      {append([]builder{key}, slices.Repeat([]builder{leaf}, 63)...), true},
		"65 bags":      {append([]builder{key}, slices.Repeat([]builder{leaf}, 64)...), false},
		"two keys":     {[]builder{key, leaf, key}, false},
		"no key":       {[]builder{leaf}, false},
		"no leaf":      {[]builder{key}, false},
		"bare key":     {[]builder{bag(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}, plain, nil), leaf}, false},
		"unknown bag":  {[]builder{key, leaf, bag(oidPBES2, nil, nil)}, false},
		"broken leaf":  {[]builder{key, bag(oidCertBag, cert[:len(cert)-1], nil)}, false},
		"odd friendly": {[]builder{bag(oidShroudedKeyBag, shrouded, unhex(t, "301006092a864886f70d01091431031e0141")), leaf}, false},
	} {
		authSafe, err := sequence(dataContent(sequenceOf(c.list...)))
		if err != nil {
			t.Fatal(err)
		}
		p, err := NCA.protection()
		if err != nil {
			t.Fatal(err)
		}
		file, err := s.seal(random, p, authSafe)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(file, "x"); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
		if name != "usual" {
			continue
		}
		p.iterations = MaxIterations + 1
		s.left = 1 << 30
		if file, err = s.seal(zeros{}, p, authSafe); err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(file, "x"); !errors.Is(err, errIterations) {
			t.Errorf("too many rounds of the MAC: %v", err)
		}
		s.left = maxTotal
	}
}

// zeros is a source of salt that is no secret.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A file without MAC is refused: nothing would tell a wrong password or a changed file.
func TestRefusesWithoutMAC(t *testing.T) {
	bare, err := sequence(func(b *cryptobyte.Builder) { b.AddASN1Int64(3) }, dataContent(sequenceOf()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(bare, ""); err == nil || !strings.Contains(err.Error(), "MAC") {
		t.Errorf("%v", err)
	}
}

func TestPrivateKeyFile(t *testing.T) {
	secret := make([]byte, 32)
	if _, err := random.Read(secret); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []algid.Key{algid.GOST512, algid.RSA} {
		key := pkitest.NewKey(t, kind)
		der, err := EncryptPrivateKey(random, key, secret)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecryptPrivateKey(der, secret)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := algid.MarshalPublicKey(key.Public())
		b, _ := algid.MarshalPublicKey(back.Public())
		if !bytes.Equal(a, b) {
			t.Error("another key came back")
		}
		if _, err := DecryptPrivateKey(der, secret[1:]); !errors.Is(err, ErrPassword) {
			t.Errorf("wrong password: %v", err)
		}
		if _, err := DecryptPrivateKey(append(der, 0), secret); err == nil || errors.Is(err, ErrPassword) {
			t.Errorf("trailing byte: %v", err)
		}
		if _, ok := back.(*rsa.PrivateKey); ok != (kind == algid.RSA) {
			t.Errorf("%v came back as %T", kind, back)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	for p, want := range map[string]error{
		"Qwerty12": nil, "aA1.?#": nil, "aA1" + strings.Repeat("$", 29): nil, "^+=!*()@%&_-aA1": nil,
		"aA1..": ErrPasswordLength, "aA1" + strings.Repeat("$", 30): ErrPasswordLength, "": ErrPasswordLength,
		"qwerty12": ErrPasswordClasses, "QWERTY12": ErrPasswordClasses, "QwertyQw": ErrPasswordClasses, "abcdef": ErrPasswordClasses,
		"12345678": ErrPasswordDefault, "1234567890": ErrPasswordDefault,
		"Пароль12aA": ErrPasswordCharset, "Qwerty 12": ErrPasswordCharset, "Qwerty12\n": ErrPasswordCharset, "Qwerty12\"": ErrPasswordCharset,
	} {
		if err := CheckPassword(p); !errors.Is(err, want) || err == nil != (want == nil) {
			t.Errorf("%q: %v, want %v", p, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	l := pkitest.New(f).Individual()
	der, err := Encode(random, File{Key: l.Key, Certificate: l.Certificate}, "x", NCA)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, in []byte) {
		file, err := Decode(in, "x")
		if err != nil {
			return
		}
		if !samePublicKey(file.Key, file.Certificate) {
			t.Fatal("key of another certificate")
		}
		again, err := Encode(random, *file, "y", NCA)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decode(again, "y"); err != nil || !bytes.Equal(back.Certificate.Raw, file.Certificate.Raw) || back.Alias == "" || len(back.Others) != len(file.Others) {
			t.Fatalf("written otherwise: %v", err)
		}
	})
}

// FuzzBags goes past the MAC, which random changes never do.
func FuzzBags(f *testing.F) {
	f.Add(unhex(f, "30800000"))
	f.Fuzz(func(t *testing.T, in []byte) {
		b := bags{secret: newSecret("x")}
		b.secret.left = 4096
		if b.readSafe(in) == nil && b.seen > maxBags {
			t.Fatal("bounds crossed")
		}
	})
}

// FuzzDecrypt reads an encrypted key whose scheme costs nothing to try. What opens is a key that can be
// written again.
func FuzzDecrypt(f *testing.F) {
	plain, err := algid.MarshalPrivateKey(pkitest.NewKey(f, algid.GOST512))
	if err != nil {
		f.Fatal(err)
	}
	scheme := pbes2Of(oidAES128CBC, oidHMACSHA256, 16, 1, []byte("salt"))
	s := newSecret("x")
	info, err := sequence(rawBytes(scheme), octets(s.encryptAs(f, scheme, plain)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(info)
	f.Fuzz(func(t *testing.T, der []byte) {
		s := newSecret("x")
		s.left = 4096
		key, err := s.unshroud(cryptobyte.String(der))
		if err != nil {
			return
		}
		if _, err := algid.MarshalPrivateKey(key); err != nil {
			t.Error(err)
		}
	})
}

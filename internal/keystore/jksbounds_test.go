package keystore

import (
	"crypto/sha1"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"senim/internal/pkitest"
)

// sealed adds the digest of a Java key store.
func sealed(body []byte, word string) []byte {
	h := sha1.New()
	for _, u := range utf16.Encode([]rune(word)) {
		h.Write([]byte{byte(u >> 8), byte(u)})
	}
	h.Write([]byte("Mighty Aphrodite"))
	h.Write(body)
	return h.Sum(body)
}

// TestHostileJavaKeyStore: a store that says it holds gigabytes takes no memory, a broken key ends nobody, and a key
// with another's certificate is not used as that person's.
func TestHostileJavaKeyStore(t *testing.T) {
	head := func(tag uint32) []byte {
		b := append([]byte{}, jksMagic...)
		b = binary.BigEndian.AppendUint32(b, 2)
		b = binary.BigEndian.AppendUint32(b, 1)
		b = binary.BigEndian.AppendUint32(b, tag)
		b = append(b, 0, 1, 'a')
		return append(b, make([]byte, 8)...)
	}
	huge := binary.BigEndian.AppendUint32(nil, 0xfffffff0)
	// EncryptedPrivateKeyInfo of Java's own cipher, with three bytes in it.
	short := []byte{0x30, 0x13, 0x30, 0x0c, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02, 0x11, 0x01, 0x01, 0x04, 0x03, 1, 2, 3}
	key := append(binary.BigEndian.AppendUint32(head(1), uint32(len(short))), short...)
	for name, body := range map[string][]byte{
		"a key of gigabytes":         append(head(1), huge...),
		"billions of certificates":   append(append(head(1), 0, 0, 0, 0), huge...),
		"a certificate of gigabytes": append(append(head(2), 0, 0), huge...),
		"a short key":                append(key, 0, 0, 0, 0),
		"another version":            {0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 9, 0, 0, 0, 0},
		"something that follows":     append(append([]byte{}, jksMagic...), 0, 0, 0, 2, 0, 0, 0, 0, 1),
	} {
		if _, err := decode(sealed(body, password), password); err == nil {
			t.Errorf("%s: it opens", name)
		}
	}
	a := pkitest.New(t)
	one, two := a.Individual(), a.Individual()
	mixed := *one
	mixed.Certificate = two.Certificate
	path := filepath.Join(t.TempDir(), "mixed.jks")
	jks(t, path, password, password, &mixed)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decode(content, password); err == nil || !strings.Contains(err.Error(), "of another") {
		t.Errorf("a key with another's certificate: %v", err)
	}
}

// FuzzJavaKeyStore: whatever a file says, opening it ends, in little memory.
func FuzzJavaKeyStore(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 'a'})
	f.Fuzz(func(_ *testing.T, body []byte) {
		_, _ = decodeJKS(sealed(append(append([]byte{}, jksMagic...), body...), password), password, "")
	})
}

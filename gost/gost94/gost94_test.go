package gost94_test

import (
	"bytes"
	"encoding/hex"
	"hash"
	"strings"
	"testing"

	"senim/gost/gost94"
)

func TestVectors(t *testing.T) {
	for _, v := range []struct{ name, message, want string }{
		{"empty", "", "ce85b99cc46752fffee35cab9a7b0278abb4c2d2055cff685af4912c49490f8d"},
		{"abc", "abc", "f3134348c44fb1b2a277729e2285ebb5cb5e0f29c975bc753b70497c06a4d51d"},
		{"test", "test", "a6e1acdd0cc7e00d02b90bccb2e21892289d1e93f622b8760cb0e076def1f42b"},
		{"digest", "message digest", "ad4434ecb18f2c99b60cbe59ec3d2469582b65273f48de72db2fde16a4889a4d"},
		{"one block", "This is message, length=32 bytes", "b1c466d37519b82e8319819ff32595e047a28cb6f83eff1c6916a815a637fffa"},
		{"two blocks", "Suppose the original message has length = 50 bytes", "471aba57a60a770d3a76130635c1fbea4ef14de51f78b4ae57dd893b62f55208"},
		{"whole blocks", strings.Repeat("U", 128), "53a3a3ed25180cef0c1d85a074273e551c25660a87062a52d926a9e8fe5733a4"},
	} {
		t.Run(v.name, func(t *testing.T) {
			if got := gost94.Sum([]byte(v.message)); hex.EncodeToString(got[:]) != v.want {
				t.Errorf("Sum = %x, want %s", got, v.want)
			}
		})
	}
}

// TestNotCryptoPro keeps the trap shut: the other common S-box gives this for "test".
func TestNotCryptoPro(t *testing.T) {
	if got := gost94.Sum([]byte("test")); hex.EncodeToString(got[:]) == "ee67303696d205ddd2b2363e8e01b4b7199a80957d94d7678eaad3fc834c5a27" {
		t.Error("the S-box is CryptoPro's, it must be the test one")
	}
}

func TestHash(t *testing.T) {
	message := bytes.Repeat([]byte("0123456789 "), 40)
	for n := range len(message) {
		want := gost94.Sum(message[:n])
		h := gost94.New()
		for rest := message[:n]; len(rest) > 0; {
			k := min(len(rest), 1+(n*5+len(rest))%70)
			h.Write(rest[:k])
			rest = rest[k:]
		}
		first := h.Sum([]byte("kept"))
		if !bytes.Equal(first, append([]byte("kept"), want[:]...)) {
			t.Fatalf("%d bytes in pieces: %x, want %x", n, first, want)
		}
		if !bytes.Equal(h.Sum([]byte("kept")), first) {
			t.Fatal("a second Sum differs from the first")
		}
		clone, err := h.(hash.Cloner).Clone()
		if err != nil {
			t.Fatal(err)
		}
		clone.Write([]byte("tail"))
		h.Write([]byte("tail"))
		if !bytes.Equal(h.Sum(nil), clone.Sum(nil)) {
			t.Fatal("a clone goes another way")
		}
		h.Reset()
		if empty := gost94.Sum(nil); !bytes.Equal(h.Sum(nil), empty[:]) {
			t.Fatal("Reset does not give the empty hash")
		}
	}
	if h := gost94.New(); h.Size() != gost94.Size || h.BlockSize() != gost94.BlockSize {
		t.Error("sizes are wrong")
	}
}

func FuzzPieces(f *testing.F) {
	f.Add([]byte("This is message, length=32 bytes"), uint16(7))
	f.Fuzz(func(t *testing.T, message []byte, cut uint16) {
		k := min(len(message), int(cut))
		h := gost94.New()
		h.Write(message[:k])
		h.Write(message[k:])
		if want := gost94.Sum(message); !bytes.Equal(h.Sum(nil), want[:]) {
			t.Error("two pieces give another hash")
		}
	})
}

func BenchmarkSum(b *testing.B) {
	message := make([]byte, 1024)
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		gost94.Sum(message)
	}
}

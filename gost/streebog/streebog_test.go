package streebog_test

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"hash"
	"io"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"senim/gost/streebog"
)

// Messages M1 and M2 of GOST R 34.11-2012, annex A (RFC 6986, section 10), in memory order.
const (
	m1 = "012345678901234567890123456789012345678901234567890123456789012"
	m2 = "d1e520e2e5f2f0e82c20d1f2f0e8e1eee6e820e2edf3f6e82c20e2e5fef2fa20f120eceef0ff20" +
		"f1f2f0e5ebe0ece820ede020f5f0e0e1f0fbff20efebfaeafb20c8e3eef0e5e2fb"
)

func TestVectors(t *testing.T) { eachWay(t, testVectors) }

func testVectors(t *testing.T) {
	annex, err := hex.DecodeString(m2)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct{ name, message, want512, want256 string }{
		{"empty", "", "8e945da209aa869f0455928529bcae4679e9873ab707b55315f56ceb98bef0a7362f715528356ee83cda5f2aac4c6ad2ba3a715c1bcd81cb8e9f90bf4c1c1a8a", "3f539a213e97c802cc229d474c6aa32a825a360b2a933a949fd925208d9ce1bb"},
		{"abc", "abc", "28156e28317da7c98f4fe2bed6b542d0dab85bb224445fcedaf75d46e26d7eb8d5997f3e0915dd6b7f0aab08d9c8beb0d8c64bae2ab8b3c8c6bc53b3bf0db728", "4e2919cf137ed41ec4fb6270c61826cc4fffb660341e0af3688cd0626d23b481"},
		{"test", "test", "7200bf5dea560f0d7960d07fdc8874ad9f3b86ece2e45f5502ae2e176f2c928e0e581152281f5aee818318bed7cbe6aa69999589234723ceb33175598365b5c8", "12a50838191b5504f1e5f2fd078714cf6b592b9d29af99d0b10d8d02881c3857"},
		{"M1", m1, "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48", "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500"},
		{"M2", string(annex), "1e88e62226bfca6f9994f1f2d51569e0daf8475a3b0fe61a5300eee46d961376035fe83549ada2b8620fcd7c496ce5b33f0cb9dddc2b6460143b03dabac9fb28", ""},
	} {
		t.Run(v.name, func(t *testing.T) {
			got := streebog.Sum512([]byte(v.message))
			if hex.EncodeToString(got[:]) != v.want512 {
				t.Errorf("Sum512 = %x, want %s", got, v.want512)
			}
			short := streebog.Sum256([]byte(v.message))
			if v.want256 != "" && hex.EncodeToString(short[:]) != v.want256 {
				t.Errorf("Sum256 = %x, want %s", short, v.want256)
			}
		})
	}
}

// sizes are both hashes; each suite below runs on both, in every way.
var sizes = map[string]func() hash.Hash{"512": streebog.New512, "256": streebog.New256}

func eachSize(t *testing.T, f func(t *testing.T, make func() hash.Hash)) {
	eachWay(t, func(t *testing.T) {
		for name, make := range sizes {
			t.Run(name, func(t *testing.T) { f(t, make) })
		}
	})
}

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	r.Read(b)
	return b
}

func sum(h hash.Hash, b []byte) []byte { h.Reset(); h.Write(b); return h.Sum(nil) }

func TestPiecesEqualWhole(t *testing.T) {
	eachSize(t, func(t *testing.T, make func() hash.Hash) {
		message := random(1000)
		for n := range len(message) {
			if n > 200 && n%64 > 2 {
				continue
			}
			want := sum(make(), message[:n])
			h := make()
			for rest := message[:n]; len(rest) > 0; {
				k := min(len(rest), 1+(n*7+len(rest)*13)%130)
				h.Write(rest[:k])
				rest = rest[k:]
			}
			if got := h.Sum(nil); !bytes.Equal(got, want) {
				t.Fatalf("%d bytes in pieces: %x, want %x", n, got, want)
			}
		}
	})
}

func TestSumChangesNothing(t *testing.T) {
	eachSize(t, func(t *testing.T, make func() hash.Hash) {
		h := make()
		h.Write(random(70))
		first := h.Sum([]byte("kept"))
		if !bytes.HasPrefix(first, []byte("kept")) || len(first) != 4+h.Size() {
			t.Fatalf("Sum does not append: %x", first)
		}
		if again := h.Sum([]byte("kept")); !bytes.Equal(first, again) {
			t.Error("a second Sum differs from the first")
		}
		h.Write([]byte("more"))
		if want := sum(make(), append(random(70), "more"...)); !bytes.Equal(h.Sum(nil), want) {
			t.Error("writing after Sum gives another hash")
		}
		h.Reset()
		if !bytes.Equal(h.Sum(nil), sum(make(), nil)) {
			t.Error("Reset does not give the empty hash")
		}
		if n, err := h.Write(nil); n != 0 || err != nil {
			t.Errorf("Write(nil) = %d, %v", n, err)
		}
	})
}

func TestInputIsNotChanged(t *testing.T) {
	eachSize(t, func(t *testing.T, make func() hash.Hash) {
		message := random(200)
		sum(make(), message)
		if !bytes.Equal(message, random(200)) {
			t.Error("hashing changed its input")
		}
	})
}

func TestStateTravels(t *testing.T) {
	eachSize(t, func(t *testing.T, make func() hash.Hash) {
		for _, n := range []int{0, 1, 63, 64, 65, 130} {
			h := make()
			h.Write(random(n))
			state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			clone, err := h.(hash.Cloner).Clone()
			if err != nil {
				t.Fatal(err)
			}
			other := make()
			if err := other.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
				t.Fatal(err)
			}
			for _, x := range []hash.Hash{h, clone, other} {
				x.Write([]byte("tail"))
			}
			if !bytes.Equal(h.Sum(nil), other.Sum(nil)) || !bytes.Equal(h.Sum(nil), clone.Sum(nil)) {
				t.Errorf("after %d bytes the copied states go another way", n)
			}
			for _, bad := range [][]byte{nil, state[:len(state)-1], append(bytes.Clone(state), 0), append(state[:len(state)-1], 64)} {
				if other.(encoding.BinaryUnmarshaler).UnmarshalBinary(bad) == nil {
					t.Errorf("a damaged state of %d bytes was taken", len(bad))
				}
			}
		}
	})
	state, _ := streebog.New512().(encoding.BinaryMarshaler).MarshalBinary()
	if streebog.New256().(encoding.BinaryUnmarshaler).UnmarshalBinary(state) == nil {
		t.Error("the 256-bit hash took a state of the 512-bit one")
	}
}

// TestCarries writes blocks of ones, so that the sum and the counter carry through all words.
func TestCarries(t *testing.T) { eachWay(t, testCarries) }

func testCarries(t *testing.T) {
	got := streebog.Sum512(bytes.Repeat([]byte{0xff}, 64*5))
	h := streebog.New512()
	for range 64 * 5 {
		h.Write([]byte{0xff})
	}
	if !bytes.Equal(h.Sum(nil), got[:]) {
		t.Error("byte by byte differs from the whole")
	}
}

func TestNoAllocations(t *testing.T) { eachWay(t, testNoAllocations) }

func testNoAllocations(t *testing.T) {
	message := random(300)
	streebog.Sum512(message)
	if n := testing.AllocsPerRun(20, func() { streebog.Sum512(message); streebog.Sum256(message) }); n != 0 {
		t.Errorf("Sum512 and Sum256 allocate %v times", n)
	}
	h, out := streebog.New512(), make([]byte, 0, 64)
	if n := testing.AllocsPerRun(20, func() { h.Reset(); h.Write(message); out = h.Sum(out[:0]) }); n != 0 {
		t.Errorf("Reset, Write, Sum allocate %v times", n)
	}
}

// TestOpenSSL compares with an independent implementation, the gost engine of OpenSSL.
func TestOpenSSL(t *testing.T) {
	if out, err := exec.Command("openssl", "engine", "-t", "gost").CombinedOutput(); err != nil || !strings.Contains(string(out), "[ available ]") {
		t.Skip("no OpenSSL with the gost engine on this machine (Debian: libengine-gost-openssl): nothing to compare with")
	}
	for name, make := range sizes {
		for _, n := range []int{0, 1, 31, 32, 33, 62, 63, 64, 65, 127, 128, 129, 1000, 100_000} {
			message := random(n)
			cmd := exec.Command("openssl", "dgst", "-engine", "gost", "-md_gost12_"+name, "-binary")
			cmd.Stdin = bytes.NewReader(message)
			want, err := cmd.Output()
			if err != nil {
				t.Fatalf("openssl dgst: %v", err)
			}
			for i, got := range inEachWay(func() []byte { return sum(make(), message) }) {
				if !bytes.Equal(got, want) {
					t.Errorf("%s, %s bits of %d bytes: %x, OpenSSL says %x", streebog.Ways()[i], name, n, got, want)
				}
			}
		}
	}
}

func FuzzPieces(f *testing.F) {
	f.Add([]byte(m1), uint8(3))
	f.Fuzz(func(t *testing.T, message []byte, cut uint8) {
		h := streebog.New512()
		if _, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{bytes.NewReader(message)}, make([]byte, int(cut)+1)); err != nil {
			t.Fatal(err)
		}
		want := inEachWay(func() []byte { full := streebog.Sum512(message); return full[:] })
		wantEqual(t, want, "%d bytes", len(message))
		if !bytes.Equal(h.Sum(nil), want[0]) {
			t.Errorf("in pieces of %d: another hash", int(cut)+1)
		}
	})
}

func Benchmark512(b *testing.B) { benchmark(b, streebog.New512()) }
func Benchmark256(b *testing.B) { benchmark(b, streebog.New256()) }

func benchmark(b *testing.B, h hash.Hash) {
	for _, n := range []int{64, 1024, 1 << 20} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			message, out := make([]byte, n), make([]byte, 0, 64)
			b.SetBytes(int64(n))
			for b.Loop() {
				h.Reset()
				h.Write(message)
				out = h.Sum(out[:0])
			}
		})
	}
}

package streebog_test

import (
	"bytes"
	"encoding"
	"fmt"
	"hash"
	"math/rand/v2"
	"strings"
	"testing"

	"senim/gost/streebog"
)

// eachWay runs f with every implementation the processor has.
func eachWay(t *testing.T, f func(t *testing.T)) {
	ways := streebog.Ways()
	defer streebog.Use(len(ways) - 1)
	for i, name := range ways {
		t.Run(name, func(t *testing.T) {
			streebog.Use(i)
			f(t)
		})
	}
}

// inEachWay returns what f gives in every way; the portable one is first.
func inEachWay(f func() []byte) (got [][]byte) {
	ways := streebog.Ways()
	defer streebog.Use(len(ways) - 1)
	for i := range ways {
		streebog.Use(i)
		got = append(got, f())
	}
	return got
}

func wantEqual(t *testing.T, got [][]byte, format string, args ...any) {
	t.Helper()
	for i, b := range got {
		if !bytes.Equal(b, got[0]) {
			t.Fatalf("%s: %s gives %x, portable gives %x", fmt.Sprintf(format, args...), streebog.Ways()[i], b, got[0])
		}
	}
}

// TestWays says in the log which implementations the tests below ran with.
func TestWays(t *testing.T) {
	ways := streebog.Ways()
	t.Logf("implementations on this processor: %s", strings.Join(ways, ", "))
	if ways[0] != "portable" {
		t.Errorf("the first way is %q: nothing to compare with", ways[0])
	}
}

func TestWaysAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(34, 11))
	for name, make := range sizes {
		for range 300 {
			message := random(r.IntN(2000))
			offset := r.IntN(min(64, len(message)+1))
			message = message[offset:]
			seed := r.Uint64()
			got := inEachWay(func() []byte {
				h, cut := make(), rand.New(rand.NewPCG(seed, 0))
				for rest := message; len(rest) > 0; {
					k := min(len(rest), 1+cut.IntN(1+cut.IntN(700)))
					h.Write(rest[:k])
					rest = rest[k:]
				}
				return h.Sum(nil)
			})
			wantEqual(t, got, "%s bits of %d bytes", name, len(message))
			whole := inEachWay(func() []byte { return sum(make(), message) })
			wantEqual(t, whole, "%s bits of %d bytes at once", name, len(message))
			if !bytes.Equal(got[0], whole[0]) {
				t.Fatalf("%s bits of %d bytes in pieces: %x, want %x", name, len(message), got[0], whole[0])
			}
		}
	}
}

// TestWaysAgreeInChains hashes the hash, so that every byte of the state takes every value.
func TestWaysAgreeInChains(t *testing.T) {
	wantEqual(t, inEachWay(func() []byte {
		var long [streebog.Size512]byte
		var short [streebog.Size256]byte
		for range 500 {
			long = streebog.Sum512(append(long[:], short[:]...))
			short = streebog.Sum256(append(short[:], long[:]...))
		}
		return append(long[:], short[:]...)
	}), "500 hashes of hashes")
}

// TestWaysAgreeFromAnyState starts from states no short message reaches: the counter and the sum
// carry through all words.
func TestWaysAgreeFromAnyState(t *testing.T) {
	state, err := streebog.New512().(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	// h, N and Σ are the 192 bytes before the waiting ones and their number.
	numbers := state[len(state)-65-192 : len(state)-65]
	for i := range 100 {
		copy(numbers, random(1000 + i)[:192])
		for j := 64; j < 192; j++ {
			if i%4 == 0 || i%4 == 1 && j%64 < 8 || i%4 == 2 && j%64 != 63 {
				numbers[j] = 0xff
			}
		}
		message := bytes.Repeat([]byte{0xff}, 64*i/10)
		got := inEachWay(func() []byte {
			h := streebog.New512()
			if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
				t.Fatal(err)
			}
			h.Write(message)
			next, err := h.(encoding.BinaryMarshaler).MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			return h.Sum(next)
		})
		wantEqual(t, got, "state %d", i)
	}
}

// TestStateTravelsBetweenWays marshals in one way and goes on in another.
func TestStateTravelsBetweenWays(t *testing.T) {
	message := random(500)
	want := streebog.Sum512(message)
	ways := streebog.Ways()
	defer streebog.Use(len(ways) - 1)
	for i := range ways {
		for j := range ways {
			streebog.Use(i)
			h := streebog.New512()
			h.Write(message[:200])
			state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			streebog.Use(j)
			other := streebog.New512()
			if err := other.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
				t.Fatal(err)
			}
			other.Write(message[200:])
			if got := other.Sum(nil); !bytes.Equal(got, want[:]) {
				t.Errorf("from %s to %s: %x, want %x", ways[i], ways[j], got, want)
			}
		}
	}
}

// TestOverlaps appends the hash over the message it is of.
func TestOverlaps(t *testing.T) {
	eachSize(t, func(t *testing.T, make func() hash.Hash) {
		for _, n := range []int{32, 64, 100, 640} {
			message := random(n)
			want := sum(make(), message)
			h := make()
			h.Write(message)
			if got := h.Sum(message[:0]); !bytes.Equal(got, want) {
				t.Errorf("over its %d bytes: %x, want %x", n, got, want)
			}
			clear(message)
			if got := h.Sum(nil); !bytes.Equal(got, want) {
				t.Errorf("the hash of %d bytes changed with the caller's buffer", n)
			}
		}
	})
}

// BenchmarkWays is Benchmark512 in every way.
func BenchmarkWays(b *testing.B) {
	ways := streebog.Ways()
	defer streebog.Use(len(ways) - 1)
	for i, name := range ways {
		b.Run(name, func(b *testing.B) {
			streebog.Use(i)
			benchmark(b, streebog.New512())
		})
	}
}

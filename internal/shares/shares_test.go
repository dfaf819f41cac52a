package shares

import (
	"bytes"
	"crypto/rand"
	"errors"
	"math/bits"
	"strings"
	"testing"
)

func split(t testing.TB, secret string, n, k int) []Share {
	t.Helper()
	all, err := Split(rand.Reader, []byte(secret), n, k)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// subset are the shares whose bit is set.
func subset(all []Share, mask int) (some []Share) {
	for i, s := range all {
		if mask>>i&1 == 1 {
			some = append(some, s)
		}
	}
	return some
}

// Every k of five give the secret, by way of text; every k−1 are refused, and so are they when their
// threshold is forged down to their number.
func TestEverySubset(t *testing.T) {
	for k := MinThreshold; k <= 5; k++ {
		for _, secret := range []string{"x", "correct horse battery staple", strings.Repeat("0123456789abcdef", 4), strings.Repeat("я", MaxSecret/2)} {
			all := split(t, secret, 5, k)
			for i, s := range all {
				back, err := Parse(strings.ToLower(s.String()) + "\r\n")
				if err != nil {
					t.Fatal(err)
				}
				all[i] = back
			}
			for mask := range 1 << 5 {
				some := subset(all, mask)
				got, err := Combine(some)
				switch n := bits.OnesCount(uint(mask)); {
				case n >= k && (err != nil || string(got) != secret):
					t.Fatalf("%d of 5, threshold %d: %v", n, k, err)
				case n < k && (!errors.Is(err, ErrTooFew) || got != nil):
					t.Fatalf("%d of 5, threshold %d: %v", n, k, err)
				case n == k-1 && n >= MinThreshold:
					for i := range some {
						some[i].threshold = byte(n)
					}
					if got, err := Combine(some); !errors.Is(err, ErrWrong) || got != nil {
						t.Fatalf("%d shares of threshold %d said to be enough: %v", n, k, err)
					}
				}
			}
		}
	}
}

func TestWrongSharesAreNamed(t *testing.T) {
	all, other := split(t, "one secret phrase", 5, 3), split(t, "one secret phrase", 5, 3)
	if _, err := Combine([]Share{all[0], all[1], other[2]}); !errors.Is(err, ErrMixed) || !strings.Contains(err.Error(), other[2].Set()) {
		t.Errorf("mixed sets: %v", err)
	}
	if _, err := Combine([]Share{all[0], all[1], all[1], all[0]}); !errors.Is(err, ErrTooFew) {
		t.Errorf("the same share twice: %v", err)
	}
	for i := range all[1].value {
		forged := all[1]
		forged.value = bytes.Clone(forged.value)
		forged.value[i] ^= 1
		if _, err := Combine([]Share{all[0], forged, all[2]}); !errors.Is(err, ErrWrong) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, err := Combine([]Share{all[0], all[2], all[3], forged}); !errors.Is(err, ErrWrong) {
			t.Fatalf("byte %d changed in a share more than needed: %v", i, err)
		}
		if _, err := Combine([]Share{all[0], all[1], all[2], forged}); !errors.Is(err, ErrWrong) {
			t.Fatalf("byte %d changed in a second copy: %v", i, err)
		}
	}
	if _, err := Combine(nil); !errors.Is(err, ErrTooFew) {
		t.Errorf("none: %v", err)
	}
}

// Any one letter changed is seen.
func TestMistypedShare(t *testing.T) {
	text := split(t, "one secret phrase", 5, 3)[3].String()
	for i := range text {
		for _, c := range "A7" {
			wrong := text[:i] + string(c) + text[i+1:]
			if wrong == text || text[i] == '-' {
				continue
			}
			if _, err := Parse(wrong); !errors.Is(err, ErrDamaged) || strings.Contains(err.Error(), text[20:28]) {
				t.Fatalf("letter %d: %v", i, err)
			}
		}
	}
	for _, wrong := range []string{"", heading, text[:len(text)-5], text + "-AAAA", "X" + text, strings.Repeat("A", maxText+1)} {
		if _, err := Parse(wrong); !errors.Is(err, ErrDamaged) {
			t.Errorf("%.30q: %v", wrong, err)
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	for _, tt := range []struct {
		secret string
		n, k   int
	}{{"", 5, 3}, {strings.Repeat("x", MaxSecret+1), 5, 3}, {"x", 5, 1}, {"x", 5, 0}, {"x", 2, 3}, {"x", MaxShares + 1, 3}} {
		if _, err := Split(rand.Reader, []byte(tt.secret), tt.n, tt.k); err == nil {
			t.Errorf("%d of %d", tt.k, tt.n)
		}
	}
	if _, err := Split(strings.NewReader("short"), []byte("secret"), 3, 2); err == nil {
		t.Error("without randomness")
	}
}

// Secrets of different lengths have shares of one length, and k−1 shares fit every secret: whatever
// byte is put in the missing place, there is a polynomial through it.
func TestFewerSharesSayNothing(t *testing.T) {
	if a, b := split(t, "twelve bytes", 3, 2)[0], split(t, "thirty bytes and that is the end", 3, 2)[0]; len(split(t, "a much longer one", 3, 2)[0].String()) != len(a.String()) || len(a.String()) >= len(b.String()) {
		t.Error("the length shows")
	}
	all := split(t, "secret", 3, 3)
	seen := map[byte]bool{}
	for v := range 256 {
		guess := all[2]
		guess.value = bytes.Clone(guess.value)
		guess.value[2] = byte(v)
		seen[interpolate([]Share{all[0], all[1], guess}, 0)[2]] = true
	}
	if len(seen) != 256 {
		t.Errorf("two of three shares leave %d values of a byte of the secret", len(seen))
	}
}

// The field against its definition: multiplication of polynomials and long division.
func TestField(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			wide := 0
			for i := range 8 {
				if b>>i&1 == 1 {
					wide ^= a << i
				}
			}
			for i := 15; i >= 8; i-- {
				if wide>>i&1 == 1 {
					wide ^= 0x11b << (i - 8)
				}
			}
			if got := mul(byte(a), byte(b)); int(got) != wide {
				t.Fatalf("%d·%d = %d, want %d", a, b, got, wide)
			}
		}
		if a != 0 && mul(byte(a), inverse(byte(a))) != 1 {
			t.Fatalf("inverse of %d", a)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(split(f, "one secret phrase", 5, 3)[1].String())
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		back, err := Parse(s.String())
		if err != nil || back.String() != s.String() {
			t.Fatalf("%v", err)
		}
	})
}

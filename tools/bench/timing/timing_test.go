package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// noisy makes n measurements around 1000 ns with a tail of interrupts; the fixed class is slower by more.
func noisy(n int, more float64) *sample {
	r := rand.New(rand.NewPCG(1, 2))
	s := &sample{}
	for range n {
		fixed := r.IntN(2) == 0
		x := 1000 + 20*r.NormFloat64()
		if fixed {
			x += more
		}
		if r.IntN(50) == 0 {
			x += 50_000 * r.ExpFloat64()
		}
		s.add(fixed, x)
	}
	return s
}

// Two classes of 1, 2, 3 and of 3, 4, 5, each value many times: the means differ by 2, the sum of squares
// about each mean is 2 for every three values, and t follows from its formula.
func TestWelch(t *testing.T) {
	s := &sample{}
	for range fewest {
		for _, x := range []float64{1, 2, 3} {
			s.add(true, x)
			s.add(false, x+2)
		}
	}
	n := 3 * float64(fewest)
	variance := float64(2*fewest) / (n - 1)
	want := -2 / math.Sqrt(2*variance/n)
	if got := s.welch(math.MaxFloat64); math.Abs(got-want) > 1e-9 {
		t.Errorf("t is %v, want %v", got, want)
	}
	if got := s.welch(3); math.Abs(got) < certain {
		t.Errorf("t is %v where only 1, 2, 3 and 3 are left", got)
	}
	if got := s.welch(2); got != 0 {
		t.Errorf("t is %v with one class empty", got)
	}
}

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		more float64
		want string
	}{{0, "no evidence of a leak"}, {5, "leak"}, {-5, "leak"}} {
		s := noisy(20_000, c.more)
		if all := math.Abs(s.welch(math.MaxFloat64)); c.more != 0 && all > suspicious {
			t.Errorf("%v ns: the tail hides nothing (t %v), so cropping is not tested", c.more, all)
		}
		if got, share := s.worst(); verdict(got) != c.want {
			t.Errorf("%v ns: t is %v at %v: %s", c.more, got, share, verdict(got))
		}
	}
}

// A function that really leaks, really measured.
func TestMeasureFindsALeak(t *testing.T) {
	ones := make([]byte, 4096)
	for i := range ones {
		ones[i] = 0xff
	}
	none := make([]byte, len(ones))
	s, err := measure(experiment{"spill", "leak", func(fixed bool) (func() error, error) {
		d := ones
		if fixed {
			d = none
		}
		return func() error { spill(d); return nil }, nil
	}}, 2000)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := s.worst(); got < certain {
		t.Errorf("t is %v", got)
	}
}

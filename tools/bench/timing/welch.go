package main

import (
	"math"
	"slices"
)

// Thresholds of dudect: below the first there is no evidence of a leak, above the second no doubt.
const (
	suspicious = 4.5
	certain    = 10
)

func verdict(t float64) string {
	switch {
	case t < suspicious:
		return "no evidence of a leak"
	case t <= certain:
		return "suspicious"
	}
	return "leak"
}

// kept are the shares of the samples, fastest first, that are tested: interrupts and other programs only
// ever make a measurement slower, so the slow tail hides what the rest would show.
var kept = []float64{1, 0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1}

// fewest samples in each class for a test to count.
const fewest = 200

// sample holds the times of one experiment.
type sample struct {
	times []float64 // nanoseconds
	fixed []bool    // the class of each
}

func (s *sample) add(fixed bool, nanos float64) {
	s.times = append(s.times, nanos)
	s.fixed = append(s.fixed, fixed)
}

// worst returns the largest |t| over all shares, and the share it was found at.
func (s *sample) worst() (t, share float64) {
	sorted := slices.Sorted(slices.Values(s.times))
	for _, part := range kept {
		limit := sorted[max(0, int(math.Ceil(part*float64(len(sorted))))-1)]
		if at := math.Abs(s.welch(limit)); at > t || share == 0 {
			t, share = at, part
		}
	}
	return t, share
}

// welch is Welch's t over the measurements up to the limit; 0 when they are too few to say.
func (s *sample) welch(limit float64) float64 {
	var a, b moments
	for i, x := range s.times {
		switch {
		case x > limit:
		case s.fixed[i]:
			a.add(x)
		default:
			b.add(x)
		}
	}
	if a.n < fewest || b.n < fewest {
		return 0
	}
	spread := a.variance()/a.n + b.variance()/b.n
	if spread == 0 {
		if a.mean == b.mean {
			return 0
		}
		return math.MaxFloat64 // JSON has no infinity
	}
	return (a.mean - b.mean) / math.Sqrt(spread)
}

func (s *sample) median() float64 {
	sorted := slices.Sorted(slices.Values(s.times))
	return sorted[len(sorted)/2]
}

// moments are mean and variance by Welford's method.
type moments struct{ n, mean, m2 float64 }

func (m *moments) add(x float64) {
	m.n++
	d := x - m.mean
	m.mean += d / m.n
	m.m2 += d * (x - m.mean)
}

func (m *moments) variance() float64 { return m.m2 / (m.n - 1) }

package main

import (
	"math"
	"slices"
	"strconv"
)

// results is doc/benchmarks.json. Numbers that are not known are null.
type results struct {
	Machine string            `json:"machine"`
	Date    string            `json:"date"`
	Commit  string            `json:"commit"`
	Rounds  int               `json:"rounds"`
	Core    string            `json:"core"`  // which core everything ran on, or that it was not pinned
	Quiet   string            `json:"quiet"` // how far other programs disturbed the run
	Peers   map[string]string `json:"peers"` // version, or why it is missing
	Rows    []result          `json:"rows"`
}

type result struct {
	Name      string   `json:"name"`
	Value     *float64 `json:"value"`
	Unit      string   `json:"unit"`
	Peer      string   `json:"peer"` // empty: the target is absolute
	PeerValue *float64 `json:"peer_value"`
	Ratio     *float64 `json:"ratio"`  // value over peer's value
	Target    *float64 `json:"target"` // of the ratio or the rate, at least; of allocations, at most
	Met       *bool    `json:"met"`    // null without a target; false also when it could not be measured
	Note      string   `json:"note,omitempty"`
	Text      string   `json:"text"`
}

// least reports whether more is better: of rates it is, of what is used up it is not.
func (w wanted) least() bool {
	switch w.unit {
	case allocations, seconds, cpuSeconds, mebibytes:
		return false
	}
	return true
}

// judge makes the row of what was measured; nil means that there is no figure, for the reason given.
func judge(w wanted, ours, peers *float64, why string) result {
	r := result{Name: w.name, Text: w.text, Unit: w.unit, Peer: w.peer.peer, Value: round(ours), PeerValue: round(peers), Note: why}
	if ours != nil && peers != nil && *peers > 0 {
		q := *ours / *peers
		r.Ratio = &q // compared as it is, not as it is rounded for reading
	}
	if w.must {
		met := r.Ratio != nil && *r.Ratio >= w.target
		if w.peer.peer == nobody {
			met = ours != nil && (w.least() && *ours >= w.target || !w.least() && *ours <= w.target)
		}
		r.Target, r.Met = &w.target, &met
	}
	r.Ratio = round(r.Ratio)
	return r
}

// round keeps four digits: more is noise, and would change with every run.
func round(x *float64) *float64 {
	if x == nil || *x == 0 {
		return x
	}
	scale := math.Pow(10, math.Floor(math.Log10(math.Abs(*x)))-3)
	y := math.Round(*x/scale) * scale
	if scale < 1 { // multiplying back leaves a tail of binary digits
		y = math.Round(*x/scale) / math.Round(1/scale)
	}
	return &y
}

func median(x []float64) *float64 {
	if len(x) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(x))
	m := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		m = (m + sorted[len(sorted)/2-1]) / 2
	}
	return &m
}

func itoa(n int) string { return strconv.Itoa(n) }

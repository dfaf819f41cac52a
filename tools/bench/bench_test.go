package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseBenchmark(t *testing.T) {
	out := []byte("goos: linux\ncpu: something\nBenchmarkSign512 \t 1782\t    250000 ns/op\t 608 B/op\t 5 allocs/op\n" +
		"BenchmarkBatch \t 10\t    8000 ns/op\t 1000000 op/s\nBenchmark512/1024 \t 10\t 500 ns/op\nPASS\n")
	for _, c := range []struct {
		name         string
		perSecond, n float64
	}{{"BenchmarkSign512", 4000, 5}, {"BenchmarkBatch", 1e6, 0}, {"Benchmark512/1024", 2e6, 0}} {
		units, ok := parseBenchmark(out, c.name)
		if !ok || units[opsPerSecond] != c.perSecond || units[allocations] != c.n {
			t.Errorf("%s: %v, %v", c.name, units, ok)
		}
	}
	for _, name := range []string{"BenchmarkSign51", "BenchmarkOther", ""} {
		if units, ok := parseBenchmark(out, name); ok {
			t.Errorf("%q: %v", name, units)
		}
	}
	if _, ok := parseBenchmark([]byte("BenchmarkX 1 fast ns/op"), "BenchmarkX"); ok {
		t.Error("a figure that is no number")
	}
}

func TestJudge(t *testing.T) {
	at := func(x float64) *float64 { return &x }
	three := ratio("a", "a", gost("A"), nettle, "a", 3)
	none := fewer("b", "b", gost("B"), 0)
	for name, c := range map[string]struct {
		w           wanted
		ours, peers *float64
		met         bool
	}{
		"just met":      {three, at(300), at(100), true},
		"just not":      {three, at(299.999999), at(100), false}, // and reads as 3.00
		"no peer":       {three, at(1e9), nil, false},
		"no figure":     {three, nil, at(100), false},
		"peer stands":   {three, at(300), at(0), false},
		"no allocation": {none, at(0), nil, true},
		"allocates":     {none, at(1), nil, false},
		"not counted":   {none, nil, nil, false},
	} {
		if r := judge(c.w, c.ours, c.peers, ""); r.Met == nil || *r.Met != c.met {
			t.Errorf("%s: met %v, want %v", name, r.Met != nil && *r.Met, c.met)
		}
	}
	large := atMost("l", "l", stored("L"), mebibytes, 512)
	for used, met := range map[float64]bool{512: true, 513: false} {
		if r := judge(large, at(used), nil, ""); *r.Met != met {
			t.Errorf("%v MiB of 512: met %t", used, *r.Met)
		}
	}
	for rate, met := range map[float64]bool{999: false, 1000: true} {
		if r := judge(more("m", "m", gost("M"), 1000), at(rate), nil, ""); *r.Met != met || r.wanted() != "≥ 1,000 op/s" {
			t.Errorf("a rate of %v: met %t, wanted %s", rate, *r.Met, r.wanted())
		}
	}
	if r := judge(beside("c", "c", gost("C"), nettle, "c"), at(1), at(2), ""); r.Met != nil || r.Target != nil || *r.Ratio != 0.5 {
		t.Errorf("without a target: %+v", r)
	}
}

// A peer that is missing, or a benchmark that is not there, is a row all the same: no ratio, a reason, not met.
func TestMissing(t *testing.T) {
	w := ratio("a", "a", gost("A"), nettle, "a", 1)
	p := &project{names: map[binary][]string{{normal, "gost"}: {"BenchmarkA"}}}
	ours := figures[goBenchmark]{w.of: {{opsPerSecond: 5}}}
	gone := map[string]*harness{nettle: {missing: os.ErrNotExist}}
	if r := rowOf(w, p, gone, ours, nil); *r.Met || r.Ratio != nil || r.PeerValue != nil || *r.Value != 5 || !strings.Contains(r.Note, "no peer") {
		t.Errorf("no peer: %+v", r)
	}
	w.of.name = "BenchmarkZ"
	here := map[string]*harness{nettle: {}}
	if r := rowOf(w, p, here, ours, nil); *r.Met || r.Ratio != nil || r.Value != nil || !strings.Contains(r.Note, "not built") {
		t.Errorf("no benchmark: %+v", r)
	}
}

func TestRound(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 3.14159: "3.142", 12345.678: "12350", 0.0123456: "0.01235", 99.999: "100", 2: "2"} {
		if out, _ := json.Marshal(round(&x)); string(out) != want {
			t.Errorf("%v is rounded to %s, want %s", x, out, want)
		}
	}
}

// Running one of the two leaves the other's results on the page.
func TestRenderKeepsBoth(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "doc"), 0o755); err != nil {
		t.Fatal(err)
	}
	page := func() string {
		t.Helper()
		if err := render(root); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(root, benchmarksMD))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	write := func(name string, v any) {
		t.Helper()
		if err := writeJSON(root, name, v); err != nil {
			t.Fatal(err)
		}
	}
	if p := page(); strings.Count(p, "Not measured yet") != 2 {
		t.Errorf("an empty page: %s", p)
	}
	write(timingJSON, timings{Commit: "aaaa", Builds: []timingBuild{{"default", []timingRow{{Name: "secret question", Kind: "secret", T: 20, Verdict: leak}}}}})
	value, target, met := 5.0, 2.0, false
	write(benchmarksJSON, results{Commit: "bbbb", Rows: []result{{Text: "sign it", Value: &value, Unit: opsPerSecond, Peer: nettle, Target: &target, Met: &met, Note: "no peer: gone"}}})
	p := page()
	for _, want := range []string{"aaaa", "bbbb", "secret question", "**Not clean**: default build: secret question: leak", "0 of 1 targets met", "**not met**: no peer: gone"} {
		if !strings.Contains(p, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestTimingJudge(t *testing.T) {
	for name, c := range map[string]struct {
		row  timingRow
		good bool
	}{
		"nothing found":      {timingRow{Kind: "secret", Verdict: noEvidence}, true},
		"suspicious":         {timingRow{Kind: "secret", Verdict: "suspicious"}, false},
		"a leak":             {timingRow{Kind: "secret", Verdict: leak}, false},
		"found on purpose":   {timingRow{Kind: "leak", Verdict: leak}, true},
		"missed on purpose":  {timingRow{Kind: "leak", Verdict: noEvidence}, false},
		"nothing in nothing": {timingRow{Kind: "control", Verdict: noEvidence}, true},
		"noise":              {timingRow{Kind: "control", Verdict: "suspicious"}, false},
	} {
		all := timings{Builds: []timingBuild{{"default", []timingRow{c.row}}}}
		if err := all.judge(); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFigure(t *testing.T) {
	for x, want := range map[float64]string{0: "0 u", 7.5: "7.5 u", 123.4: "123 u", 1234: "1,234 u", 1234567: "1,234,567 u"} {
		if got := figure(&x, "u"); got != want {
			t.Errorf("%v: %q, want %q", x, got, want)
		}
	}
	if got := figure(nil, "u"); got != "–" {
		t.Errorf("nothing: %q", got)
	}
}

func TestTicks(t *testing.T) {
	const before = "cpu  9 9 9 9 9 9 9 9\ncpu0 10 0 10 100 0 0 0 0 0 0\ncpu1 500 0 0 0 0 0 0 0 0 0\nintr 5\n"
	const after = "cpu  9 9 9 9 9 9 9 9\ncpu0 40 0 20 150 0 0 0 10 0 0\ncpu1 900 0 0 0 0 0 0 0 0 0\nintr 9\n"
	if busy, stolen := parseTicks(after, "1").since(parseTicks(before, "1")); busy != 0.5 || stolen != 0.1 {
		t.Errorf("%v busy, %v stolen", busy, stolen)
	}
	if busy, stolen := (ticks{}).since(ticks{}); busy != 0 || stolen != 0 {
		t.Errorf("nothing to read: %v busy, %v stolen", busy, stolen)
	}
}

// A program that only waits did not have its core: it is run again, and told of.
func TestRunnerRepeatsDisturbed(t *testing.T) {
	r := newRunner()
	if out, share, err := r.output(t.Context(), "", attempts, "sh", "-c", "echo ran; sleep 0.1"); err != nil || string(out) != "ran\n" || share <= 0 || share > 0.5 {
		t.Fatalf("%q, share %v, %v", out, share, err)
	}
	if r.runs != 1 || r.again != 1 || r.crowded != 1 {
		t.Errorf("%d runs, %d again, %d crowded", r.runs, r.again, r.crowded)
	}
	if _, _, err := r.output(t.Context(), "", attempts, "sh", "-c", "echo why; exit 3"); err == nil || !strings.Contains(err.Error(), "why") {
		t.Errorf("a program that fails: %v", err)
	}
}

// A harness that cannot be built is missing, with the compiler's reason; it stops nothing.
func TestHarnessThatDoesNotBuild(t *testing.T) {
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("no C compiler on this machine: harnesses cannot be built")
	}
	root := t.TempDir()
	peer := filepath.Join(root, "tools", "bench", "peer")
	if err := os.MkdirAll(peer, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(peer, "nettle.c"), []byte("#include <no/such/header.h>\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	h := buildHarness(t.Context(), root, root, nettle)
	if h.missing == nil || !strings.Contains(h.String(), "no/such/header.h") || !strings.Contains(h.String(), "nettle-dev") {
		t.Errorf("%v", h)
	}
}

func TestParseCPU(t *testing.T) {
	const stat = "42 (a name) with) S 1 42 42 0 -1 4194560 900 0 0 0 123 45 0 0 20 0 9 0 100 1 2 3\n"
	if got := parseCPU(stat); got != 1680*time.Millisecond {
		t.Errorf("%v", got)
	}
	if got := parseCPU("42 (short) S 1"); got != 0 {
		t.Errorf("nothing to read: %v", got)
	}
}

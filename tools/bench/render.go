package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Where results are kept, from the root of the checkout. Speed and timing have a file each, so that
// running one leaves the other's results alone; the page is made of both.
const (
	benchmarksJSON = "doc/benchmarks.json"
	timingJSON     = "doc/timing.json"
	benchmarksMD   = "doc/benchmarks.md"
)

func writeJSON(root, name string, v any) error {
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), append(out, '\n'), 0o644) //nolint:gosec // a page for everybody
}

// readJSON reports false when there is no such file yet.
func readJSON(root, name string, v any) (bool, error) {
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}

// render writes the page from what is kept.
func render(root string) error {
	var speeds results
	var secrets timings
	measured, err := readJSON(root, benchmarksJSON, &speeds)
	if err != nil {
		return err
	}
	timed, err := readJSON(root, timingJSON, &secrets)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	fmt.Fprint(&page, "# Speed and timing, measured\n\nMade by `make bench` and `make timing`; do not edit. ",
		"The same figures stand in `benchmarks.json` and `timing.json`.\n\n## Speed beside the peers\n\n")
	if measured {
		writeSpeed(&page, &speeds)
	} else {
		fmt.Fprint(&page, "Not measured yet: `make bench`.\n")
	}
	fmt.Fprint(&page, "\n## Does the time depend on secrets\n\n")
	if timed {
		writeTiming(&page, &secrets)
	} else {
		fmt.Fprint(&page, "Not measured yet: `make timing`.\n")
	}
	fmt.Fprint(&page, howto)
	return os.WriteFile(filepath.Join(root, filepath.FromSlash(benchmarksMD)), page.Bytes(), 0o644) //nolint:gosec // a page for everybody
}

func writeSpeed(w *bytes.Buffer, r *results) {
	fmt.Fprintf(w, "- machine: %s\n- %s; %s; commit %s; medians of %d rounds\n- %s\n", r.Machine, r.Date, r.Core, r.Commit, r.Rounds, r.Quiet)
	for _, name := range slices.Sorted(maps.Keys(r.Peers)) {
		fmt.Fprintf(w, "- %s: %s\n", name, r.Peers[name])
	}
	var met, all int
	for _, row := range r.Rows {
		if row.Met != nil {
			all++
			if *row.Met {
				met++
			}
		}
	}
	fmt.Fprintf(w, "\n**%d of %d targets met.** A figure that could not be measured is a target not met. Project and peers ran in turn on "+
		"the same core, one thread. Figures are per second of the core's time, not of the clock, so that other programs take little away; "+
		"they still take caches and the clock's rate: compare ratios, not figures of different runs.\n\n", met, all)
	fmt.Fprint(w, "| target | project | peer | peer's figure | ratio | wanted | |\n|---|---:|---|---:|---:|---:|---|\n")
	for _, row := range r.Rows {
		if row.Met != nil {
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s |\n", row.Text, figure(row.Value, row.Unit), peerName(row.Peer),
				figure(row.PeerValue, row.Unit), times(row.Ratio), row.wanted(), row.verdict())
		}
	}
	fmt.Fprint(w, "\nFor orientation, without a target:\n\n| | project | peer | peer's figure | ratio | |\n|---|---:|---|---:|---:|---|\n")
	for _, row := range r.Rows {
		if row.Met == nil {
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", row.Text, figure(row.Value, row.Unit), peerName(row.Peer),
				figure(row.PeerValue, row.Unit), times(row.Ratio), row.Note)
		}
	}
}

func (r *result) wanted() string {
	switch {
	case r.Peer == nobody && r.Unit != allocations:
		sign := "≥ "
		if costs(r.Unit) {
			sign = "≤ "
		}
		return sign + figure(r.Target, r.Unit)
	case r.Peer == nobody:
		return "≤ " + strconv.FormatFloat(*r.Target, 'f', -1, 64)
	}
	return "≥ " + strconv.FormatFloat(*r.Target, 'f', -1, 64) + " ×"
}

func (r *result) verdict() string {
	switch {
	case *r.Met:
		return "met"
	case r.Note != "":
		return "**not met**: " + r.Note
	}
	return "**not met**"
}

func peerName(name string) string {
	if name == nobody {
		return "–"
	}
	return name
}

func times(x *float64) string {
	if x == nil {
		return "–"
	}
	return strconv.FormatFloat(*x, 'f', 2, 64)
}

// figure writes a number with its unit, thousands apart.
func figure(x *float64, unit string) string {
	if x == nil {
		return "–"
	}
	if *x < 100 {
		return strings.TrimSpace(strconv.FormatFloat(*x, 'f', -1, 64) + " " + unit)
	}
	digits := strconv.FormatFloat(*x, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return strings.TrimSpace(digits + " " + unit)
}

func writeTiming(w *bytes.Buffer, t *timings) {
	fmt.Fprintf(w, "- machine: %s\n- %s; %s; commit %s\n\n", t.Machine, t.Date, t.Core, t.Commit)
	fmt.Fprint(w, "In the way of dudect: a fixed special secret against random ones, in random order, Welch's t over all measurements and over the\n",
		"fastest 99 to 10 % of them; the largest |t| counts. Below 4.5 there is no evidence of a leak; above 10 there is one; between them the\n",
		"question is open. What is not below 4.5 is asked again with four times the samples, and only that answer stands here. The check is\n",
		"checked: a leak made on purpose must be found, and random keys against random keys must give nothing.\n\n")
	if err := t.judge(); err != nil {
		fmt.Fprintf(w, "**Not clean**: %s.\n\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	} else {
		fmt.Fprint(w, "**No evidence of a leak in either build.**\n\n")
	}
	fmt.Fprint(w, "| build | what is compared | measurements | median | max \\|t\\| | at the fastest | |\n|---|---|---:|---:|---:|---:|---|\n")
	for _, b := range t.Builds {
		for _, r := range b.Rows {
			verdict := r.Verdict
			if r.Kind == leak {
				verdict = map[bool]string{true: "found, as it must be", false: "**not found**"}[verdict == leak]
			}
			fmt.Fprintf(w, "| %s | %s | %s | %.1f µs | %.2f | %.0f %% | %s |\n", b.Build, r.Name, figure(new(float64(r.Samples)), ""), r.Nanos/1000, r.T, 100*r.Kept, verdict)
		}
	}
}

const howto = `
## Run it again

` + "```" + `
make bench     # some minutes; says which peer is missing, on Debian as root installs it
make timing    # some minutes; fails when it finds a leak, or not the one made on purpose
go test -run '^$' -bench 512 -benchmem ./gost        # the project alone
go test -run '^$' -bench 512 -tags purego ./gost     # its portable Go
` + "```" + `

The peers' harnesses are ` + "`tools/bench/peer/*.c`" + `, the table of targets is ` + "`tools/bench/rows.go`" + `, the experiments on timing are
` + "`tools/bench/timing/experiments.go`" + `. The benchmarks go through distinct random digests and distinct messages. Randomness costs the peers
nothing in nettle's harness and is OpenSSL's own in the other; ours is the operating system's.
`

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// speed measures the whole table and writes it.
func speed(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "senim-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r := newRunner()
	project, err := buildProject(ctx, o.root, dir)
	if err != nil {
		return err
	}
	harnesses := map[string]*harness{}
	for _, name := range []string{nettle, engine, stepca} {
		harnesses[name] = buildHarness(ctx, o.root, dir, name)
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, harnesses[name])
	}
	ours, peers := figures[goBenchmark]{}, figures[peerOperation]{}
	for round := range o.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d, %s\n", round+1, o.rounds, r)
		if err := oneRound(ctx, o, r, project, harnesses, ours, peers, round); err != nil {
			return err
		}
	}
	out, err := about(ctx, o, r)
	if err != nil {
		return err
	}
	for name, h := range harnesses {
		out.Peers[name] = h.String()
	}
	for _, w := range table {
		out.Rows = append(out.Rows, rowOf(w, project, harnesses, ours, peers))
	}
	rows, err := serverRows(ctx, o, r, dir)
	if err != nil {
		return err
	}
	out.Rows = append(out.Rows, rows...)
	if err := writeJSON(o.root, benchmarksJSON, out); err != nil {
		return err
	}
	return render(o.root)
}

// figures are what was measured, round by round, unit by unit.
type figures[K comparable] map[K][]map[string]float64

// oneRound measures each row's benchmark and, right after it, its peer; what several rows share is
// measured once.
func oneRound(ctx context.Context, o options, r *runner, project *project, harnesses map[string]*harness,
	ours figures[goBenchmark], peers figures[peerOperation], round int) error {
	for _, w := range table {
		if len(ours[w.of]) == round && project.has(w.of) && (round == 0 || !w.once) {
			most := attempts
			if w.once { // it says its own seconds, and waits for the disk
				most = 1
			}
			units, err := project.run(ctx, r, w.of, o, most)
			if err != nil {
				return err
			}
			ours[w.of] = append(ours[w.of], units)
		}
		if w.peer.peer == argon && len(peers[w.peer]) == round {
			units, err := project.run(ctx, r, goBenchmark{w.of.build, w.of.pkg, w.peer.name}, o, attempts)
			if err != nil {
				return err
			}
			peers[w.peer] = append(peers[w.peer], units)
		}
		h := harnesses[w.peer.peer]
		if h != nil && h.missing == nil && len(peers[w.peer]) == round {
			perSecond, err := h.run(ctx, r, w.peer.name, o)
			if err != nil {
				return err
			}
			peers[w.peer] = append(peers[w.peer], map[string]float64{opsPerSecond: perSecond})
		}
	}
	return nil
}

// rowOf makes one row of the medians, in the row's unit.
func rowOf(w wanted, project *project, harnesses map[string]*harness, ours figures[goBenchmark], peers figures[peerOperation]) result {
	unit, factor := w.unit, 1.0
	if unit == megabytes {
		unit, factor = opsPerSecond, float64(w.size)/1e6
	}
	var why error
	if !project.has(w.of) {
		why = errors.New("not built: there is no " + w.of.name + " in " + w.of.pkg)
	} else if h := harnesses[w.peer.peer]; h != nil && h.missing != nil {
		why = fmt.Errorf("no peer: %w", h.missing)
	}
	note := ""
	if why != nil {
		note = why.Error()
	}
	return judge(w, medianOf(ours[w.of], unit, factor), medianOf(peers[w.peer], unit, factor), note)
}

func medianOf(rounds []map[string]float64, unit string, factor float64) *float64 {
	var x []float64
	for _, units := range rounds {
		if v, ok := units[unit]; ok {
			x = append(x, v*factor)
		}
	}
	return median(x)
}

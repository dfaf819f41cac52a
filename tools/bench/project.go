package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// project is the test binaries of the packages that have benchmarks, each built once for each build.
type project struct {
	root     string
	binaries map[binary]string
	names    map[binary][]string // top-level benchmarks in it
}

type binary struct{ build, pkg string }

func buildProject(ctx context.Context, root, dir string) (*project, error) {
	p := &project{root, map[binary]string{}, map[binary][]string{}}
	for _, w := range table {
		b := binary{w.of.build, w.of.pkg}
		if p.binaries[b] != "" {
			continue
		}
		path := filepath.Join(dir, fmt.Sprintf("project-%d.test", len(p.binaries)))
		cmd := exec.CommandContext(ctx, "go", "test", "-c", "-tags", b.build, "-o", path, "./"+b.pkg) //nolint:gosec // our own programs and arguments
		cmd.Dir, cmd.Stderr = root, os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("build the benchmarks of %s: %w", b.pkg, err)
		}
		p.binaries[b] = path
		list := exec.CommandContext(ctx, path, "-test.list", "^Benchmark") //nolint:gosec // our own programs and arguments
		list.Dir, list.Stderr = filepath.Join(root, b.pkg), os.Stderr
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("list the benchmarks of %s: %w", b.pkg, err)
		}
		p.names[b] = strings.Fields(string(out))
	}
	return p, nil
}

// has reports whether the project has the benchmark; of name/sub only the name can be looked up.
func (p *project) has(g goBenchmark) bool {
	name, _, _ := strings.Cut(g.name, "/")
	return slices.Contains(p.names[binary{g.build, g.pkg}], name)
}

// run runs one benchmark once and returns its figures by unit, with operations per second among them.
func (p *project) run(ctx context.Context, r *runner, g goBenchmark, o options, most int) (map[string]float64, error) {
	pattern := "^" + strings.ReplaceAll(g.name, "/", "$/^") + "$"
	out, share, err := r.output(ctx, filepath.Join(p.root, g.pkg), most, p.binaries[binary{g.build, g.pkg}], "-test.run", "^$", "-test.bench", pattern,
		"-test.benchtime", o.each.String(), "-test.count", "1", "-test.benchmem")
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", g.name, g.pkg, err)
	}
	units, ok := parseBenchmark(out, g.name)
	if !ok {
		return nil, fmt.Errorf("%s of %s: no result in %q", g.name, g.pkg, out)
	}
	if rate, said := units[perProcessor]; said {
		units[opsPerSecond] = rate
	} else {
		units[opsPerSecond] /= share
	}
	return units, nil
}

// parseBenchmark finds the line of the benchmark, "name runs value unit value unit …". A benchmark that
// does several operations at a time says op/s itself; for others it is worked out.
func parseBenchmark(out []byte, name string) (map[string]float64, bool) {
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 4 || f[0] != name {
			continue
		}
		units := map[string]float64{}
		for i := 2; i+1 < len(f); i += 2 {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil {
				return nil, false
			}
			units[f[i+1]] = v
		}
		ns := units["ns/op"]
		if _, said := units[opsPerSecond]; !said && ns > 0 {
			units[opsPerSecond] = 1e9 / ns
		}
		return units, units[opsPerSecond] > 0
	}
	return nil, false
}

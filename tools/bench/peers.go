package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// harness is a peer's program in peer/, or why there is none.
type harness struct {
	path, version string
	own           bool // its figures are by processor time already
	missing       error
}

// String is the version, or the reason why the peer is missing.
func (h *harness) String() string {
	if h.missing != nil {
		return "missing: " + h.missing.Error()
	}
	return h.version
}

// sources says from what each harness is built, and the packages of Debian it takes; the first has the
// version that counts.
var sources = map[string]struct {
	file      string
	packages  []string
	libraries []string
}{
	nettle: {"nettle.c", []string{"nettle-dev"}, []string{"-lhogweed", "-lnettle", "-lgmp"}},
	engine: {"engine.c", []string{"libengine-gost-openssl", "libssl-dev"}, []string{"-lcrypto"}},
}

// modules are the harnesses written in Go, each a module of its own in a folder here. They say themselves
// how often a second of processor time their operation is done.
var modules = map[string]string{stepca: "stepca"}

// buildModule builds a harness written in Go.
func buildModule(ctx context.Context, root, dir, name string) *harness {
	h := &harness{path: filepath.Join(dir, modules[name]), own: true}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", h.path, ".") //nolint:gosec // our own programs and arguments
	cmd.Dir = filepath.Join(root, "tools", "bench", modules[name])
	if out, err := cmd.CombinedOutput(); err != nil {
		return &harness{missing: fmt.Errorf("it does not build: %s", firstLine(out))}
	}
	out, err := exec.CommandContext(ctx, h.path, "version").CombinedOutput() //nolint:gosec // our own programs and arguments
	if err != nil {
		return &harness{missing: fmt.Errorf("it does not run: %s", firstLine(out))}
	}
	h.version = firstLine(out)
	return h
}

// buildHarness compiles a harness and asks it for its version, which shows that it works.
func buildHarness(ctx context.Context, root, dir, name string) *harness {
	if modules[name] != "" {
		return buildModule(ctx, root, dir, name)
	}
	s := sources[name]
	compiler, err := exec.LookPath("cc")
	if err != nil {
		return &harness{missing: errors.New("there is no C compiler (Debian: gcc)")}
	}
	h := &harness{path: filepath.Join(dir, name)}
	args := append([]string{"-O2", "-o", h.path, filepath.Join(root, "tools", "bench", "peer", s.file)}, s.libraries...)
	if out, err := exec.CommandContext(ctx, compiler, args...).CombinedOutput(); err != nil { //nolint:gosec // our own programs and arguments
		return &harness{missing: fmt.Errorf("it does not build (Debian: %s): %s", strings.Join(s.packages, ", "), firstLine(out))}
	}
	out, err := exec.CommandContext(ctx, h.path, "version").CombinedOutput() //nolint:gosec // our own programs and arguments
	if err != nil {
		return &harness{missing: fmt.Errorf("it does not run (Debian: %s): %s", strings.Join(s.packages, ", "), firstLine(out))}
	}
	h.version = firstLine(out)
	if v, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${Package} ${Version}", s.packages[0]).Output(); err == nil { //nolint:gosec // our own programs and arguments
		h.version += ", Debian's " + string(v)
	}
	return h
}

// run measures one operation and returns operations per second of the core's time.
func (h *harness) run(ctx context.Context, r *runner, operation string, o options) (float64, error) {
	out, share, err := r.output(ctx, "", attempts, h.path, strconv.FormatFloat(o.each.Seconds(), 'f', -1, 64), operation)
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", filepath.Base(h.path), operation, err)
	}
	name, value, _ := strings.Cut(strings.TrimSpace(string(out)), "\t")
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || name != operation || v <= 0 {
		return 0, fmt.Errorf("%s %s: says %q", filepath.Base(h.path), operation, out)
	}
	if h.own {
		return v, nil
	}
	return v / share, nil
}

// firstLine is the first line that says something wrong, or else the first.
func firstLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, l := range lines {
		if _, after, ok := strings.Cut(l, "error: "); ok {
			return strings.TrimSpace(after)
		}
	}
	return strings.TrimSpace(lines[0])
}

package senim

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents reads what is written for people.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"README.md", "doc/*.md", "doc/decision/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all[name] = string(text)
		}
	}
	return all
}

// TestDocumentsNameTests: what a document says is proved by a test is proved by one that exists. A name
// that ends in … stands for all with this beginning.
func TestDocumentsNameTests(t *testing.T) {
	t.Parallel()
	var there []string
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range function.FindAllStringSubmatch(string(text), -1) {
			there = append(there, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(there)
	named := regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*…?`)
	example := regexp.MustCompile(`-run \w+`)
	for file, text := range documents(t) {
		for _, name := range named.FindAllString(example.ReplaceAllString(text, ""), -1) {
			beginning, all := strings.CutSuffix(name, "…")
			at, exact := slices.BinarySearch(there, beginning)
			if !exact && (!all || at == len(there) || !strings.HasPrefix(there[at], beginning)) {
				t.Errorf("%s names %s, and there is no such test", file, name)
			}
		}
	}
}

// TestDecisionsAreNumbered: each decision has a number of its own, in its name and in its title, and
// what refers to a number finds it.
func TestDecisionsAreNumbered(t *testing.T) {
	t.Parallel()
	docs := documents(t)
	known := map[string]string{}
	for file, text := range docs {
		if filepath.Dir(file) != "doc/decision" {
			continue
		}
		number := filepath.Base(file)[:4]
		if other, taken := known[number]; taken {
			t.Errorf("%s and %s have one number", file, other)
		}
		known[number] = file
		if !strings.HasPrefix(text, "# "+number+". ") {
			t.Errorf("%s: its title does not begin with %q", file, "# "+number+". ")
		}
	}
	refers := regexp.MustCompile(`decision/(\d+)`)
	for file, text := range docs {
		for _, m := range refers.FindAllStringSubmatch(text, -1) {
			if known[m[1]] == "" {
				t.Errorf("%s refers to decision %s, and there is none", file, m[1])
			}
		}
	}
}

// TestNothingIsSaidTwice: two lines of one document that begin alike are one fact written twice, and one of them is old.
func TestNothingIsSaidTwice(t *testing.T) {
	t.Parallel()
	const enough = 60
	for file, text := range documents(t) {
		if file == "doc/benchmarks.md" { // Made by a program: a machine is named with each run.
			continue
		}
		first := map[string]int{}
		for i, line := range strings.Split(text, "\n") {
			if len(line) < enough {
				continue
			}
			if before := first[line[:enough]]; before != 0 {
				t.Errorf("%s: line %d begins as line %d does: %s…", file, i+1, before, line[:enough])
			}
			first[line[:enough]] = i + 1
		}
	}
}

// TestDocumentsNameWhatIsThere: a path of the project that a document names exists, and the design names every
// package: a newcomer looks for both.
func TestDocumentsNameWhatIsThere(t *testing.T) {
	t.Parallel()
	docs := documents(t)
	path := regexp.MustCompile("`((?:internal|cmd|doc|tools|tour|load|e2e|examples)/[^`\\s]*)`")
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	exists := func(file, path string) {
		if there, err := filepath.Glob(filepath.FromSlash(path)); err != nil || len(there) == 0 {
			t.Errorf("%s names %s, and there is none (%v)", file, path, err)
		}
	}
	for file, text := range docs {
		for _, m := range path.FindAllStringSubmatch(text, -1) {
			exists(file, m[1])
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			exists(file, filepath.Join(filepath.Dir(file), m[1]))
		}
	}
	words := regexp.MustCompile(`[a-z0-9]+`).FindAllString(docs["doc/design.md"], -1)
	for dir := range tree {
		name := strings.TrimPrefix(dir, "internal/")
		if name != dir && !strings.Contains(name, "/") && !slices.Contains(words, name) {
			t.Errorf("doc/design.md does not say what %s is", dir)
		}
	}
}

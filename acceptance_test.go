package senim

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// example finds the examples a test names: TestC08Head, TestC01C02Renewal, TestNT13Hard.
var example = regexp.MustCompile(`(C|NT|Pain|P|R|Q)([0-9]{2})`)

// Every acceptance example of the cabinet (C-01 … C-41), of the notifications (NT-01 … NT-32), of the portal
// (P-01 … P-34; there is no P-22), of the registries (R-01 … R-33) and of signing by QR (Q-01 … Q-08), and every row of the pains that the agent ends (Pain-01 … Pain-15), is a
// test that carries its number in its name.
func TestEveryExampleIsATest(t *testing.T) {
	named := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != "." {
			if d != nil && d.IsDir() && path != "." {
				return fs.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			rest, ok := strings.CutPrefix(fn.Name.Name, "Test")
			for ok {
				at := example.FindStringSubmatchIndex(rest)
				if at == nil || at[0] != 0 {
					break
				}
				id := rest[at[2]:at[3]] + "-" + rest[at[4]:at[5]]
				named[id] = append(named[id], path)
				rest = rest[at[1]:]
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, area := range []struct {
		name string
		last int
	}{{"C", 41}, {"NT", 32}, {"P", 34}, {"R", 33}, {"Q", 8}, {"Pain", 15}} {
		for n := 1; n <= area.last; n++ {
			if id := fmt.Sprintf("%s-%02d", area.name, n); len(named[id]) == 0 && id != "P-22" {
				missing = append(missing, id)
			}
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		t.Errorf("no test names %s", strings.Join(missing, " "))
	}
}

// inBrowser are the examples that are about a page: a person at the portal's pages, the page of registries and the clerks'
// desk, and a page that waits for a phone. What the others are about no page shows: the mathematics of numbers, the
// start of a server, loads by the inbox, and the answers of state services.
var inBrowser = []string{"P-01", "P-02", "P-03", "P-04", "P-05", "P-06", "P-07", "P-08", "P-09", "P-10", "P-11", "P-12", "P-13", "P-14", "P-15", "P-16", "P-17", "P-18", "P-19",
	"P-20", "P-21", "P-23", "P-24", "P-25", "P-26", "P-27", "P-28", "P-29", "P-30", "P-31", "P-32", "P-33", "P-34",
	"R-06", "R-07", "R-10", "R-11", "R-14", "R-15", "R-24", "R-32", "Q-01", "Q-02", "Q-03", "Q-04", "Q-05", "Q-06", "Q-07", "Q-08"}

// named finds the examples at the start of a sub-test's name: "P-01 P-02 the new head completes".
var named = regexp.MustCompile(`^([PRQ]-[0-9]{2} )+`)

// TestPagesAreTestedInBrowser: every example about a page is a test of e2e, where a browser opens it, or a sub-test there,
// that carries its number.
func TestPagesAreTestedInBrowser(t *testing.T) {
	files, err := filepath.Glob("e2e/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && strings.HasPrefix(n.Name.Name, "Test") {
					for _, m := range example.FindAllStringSubmatch(n.Name.Name, -1) {
						found[m[1]+"-"+m[2]] = true
					}
				}
			case *ast.CallExpr:
				called, ok := n.Fun.(*ast.SelectorExpr)
				if !ok || called.Sel.Name != "Run" || len(n.Args) != 2 {
					break
				}
				if name, ok := n.Args[0].(*ast.BasicLit); ok && name.Kind == token.STRING {
					for id := range strings.FieldsSeq(named.FindString(strings.Trim(name.Value, `"`))) {
						found[id] = true
					}
				}
			}
			return true
		})
	}
	for _, id := range inBrowser {
		if !found[id] {
			t.Errorf("%s is about a page, and no test of e2e carries it in its name", id)
		}
	}
}

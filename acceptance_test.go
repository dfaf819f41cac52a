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

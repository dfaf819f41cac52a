// Command streebog writes stages 2 and 3 of gost/streebog for amd64, once with AVX-512, VBMI and GFNI
// and once for every processor. It is run in tools/asm:
//
//	go run ./streebog          writes the assembly and its declarations
//	go run ./streebog -check   fails if a file would change
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"
)

// dir is the package the files are for, seen from tools/asm.
const dir = "../../gost/streebog"

func main() {
	check := flag.Bool("check", false, "compare instead of writing")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "tools/asm/streebog:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	c := build.NewContext()
	c.ConstraintExpr("!purego")
	g := generator{Context: c}
	g.vectorAbsorb()
	g.vectorFinish()
	g.scalarAbsorb()
	g.scalarFinish()
	file, err := c.Result()
	if err != nil {
		return err
	}
	if err := pass.Compile.Execute(file); err != nil {
		return err
	}
	made := printer.Config{Name: "tools/asm/streebog", Pkg: "streebog"}
	assembly, err := printer.NewGoAsm(made).Print(file)
	if err != nil {
		return err
	}
	declarations, err := printer.NewStubs(made).Print(file)
	if err != nil {
		return err
	}
	return errors.Join(
		keep("streebog_amd64.s", assembly, check),
		keep("streebog_amd64.go", declarations, check))
}

func keep(name string, text []byte, check bool) error {
	name = filepath.Join(dir, name)
	if !check {
		return os.WriteFile(name, text, 0o644)
	}
	have, err := os.ReadFile(name)
	if err == nil && !bytes.Equal(have, text) {
		err = fmt.Errorf("%s is not what this program makes: run go generate ./gost/streebog", name)
	}
	return err
}

// generator has avo's instructions as methods.
type generator struct{ *build.Context }

func (g generator) function(name, signature string, doc ...string) {
	g.Function(name)
	g.Attributes(attr.NOSPLIT)
	g.SignatureExpr(signature)
	g.Doc(doc...)
	g.Pragma("noescape")
}

// count adds bits to the counter at n and the block at p to the sum at sigma. Registers are those of
// integers, so it costs the vectors nothing.
func (g generator) count(n, bits, sigma, p, free reg.Register) {
	g.ADDQ(bits, Mem{Base: n})
	for i := 1; i < 8; i++ {
		g.ADCQ(U8(0), Mem{Base: n, Disp: 8 * i})
	}
	for i := range 8 {
		g.MOVQ(Mem{Base: p, Disp: 8 * i}, free)
		add := g.ADCQ
		if i == 0 {
			add = g.ADDQ
		}
		add(free, Mem{Base: sigma, Disp: 8 * i})
	}
}

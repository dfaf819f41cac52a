//go:build !purego

package group

import (
	"golang.org/x/sys/cpu"

	"senim/gost/internal/field"
)

// useADX says that the processor has all that the assembly here is written with.
var useADX = cpu.X86.HasADX && cpu.X86.HasBMI2 && cpu.X86.HasAVX2

// add… set r to p + q, which must not be equal, opposite or neutral; double… set r to 2·p; r may be p.
// lookup… set r to table[index]. All are in constant time.

//go:noescape
func addADX512(r, p *Point512, q *affine512)

//go:noescape
func addADX256(r, p *Point256, q *affine256)

//go:noescape
func doubleADX512(r, p *Point512)

//go:noescape
func doubleADX256(r, p *Point256, a *field.Element256)

//go:noescape
func lookupAVX512(r *affine512, table *[entries]affine512, index uint64)

//go:noescape
func lookupAVX256(r *affine256, table *[entries]affine256, index uint64)

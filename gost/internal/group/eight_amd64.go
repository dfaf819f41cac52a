//go:build !purego

package group

import "golang.org/x/sys/cpu"

// useIFMA says that the processor has all that the assembly of eight lanes is written with.
var useIFMA = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL &&
	cpu.X86.HasAVX512IFMA

// mul… sets z to x·y, square… to x²; double… sets p to 2·p; add… adds q to p, or subtracts it in lanes whose bit of
// negative is set: in those that are equal or opposite, z becomes 0. transpose… sets q to eight points side by
// side. Arguments of a product may be the same.

//go:noescape
func mulIFMA(z, x, y *lanes)

//go:noescape
func squareIFMA(z, x *lanes)

//go:noescape
func doubleIFMA(p *eightPoints)

//go:noescape
func addIFMA(p *eightPoints, q *eightAffine, negative uint64)

//go:noescape
func transposeIFMA(q *eightAffine, rows *[8]*row)

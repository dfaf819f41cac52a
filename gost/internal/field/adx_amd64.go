//go:build !purego

package field

import "golang.org/x/sys/cpu"

// useADX says that the processor has what the assembly here is written with.
var useADX = cpu.X86.HasADX && cpu.X86.HasBMI2

// mul… set z to x·y, square… to x², montgomery… to x·y/R modulo the order, of which it reads the first two fields.
// Arguments may be the same. All are in constant time.

//go:noescape
func mulADX512(z, x, y *Element512)

//go:noescape
func squareADX512(z, x *Element512)

//go:noescape
func mulADX256(z, x, y *Element256)

//go:noescape
func squareADX256(z, x *Element256)

//go:noescape
func montgomeryADX512(z, x, y *Scalar512, o *Order512)

//go:noescape
func montgomeryADX256(z, x, y *Scalar256, o *Order256)

//go:build !amd64 || purego

package field

// useADX is false: there is no assembly here, and nothing calls what stands for it.
const useADX = false

func mulADX512(_, _, _ *Element512) {}
func squareADX512(_, _ *Element512) {}
func mulADX256(_, _, _ *Element256) {}
func squareADX256(_, _ *Element256) {}

func montgomeryADX512(_, _, _ *Scalar512, _ *Order512) {}
func montgomeryADX256(_, _, _ *Scalar256, _ *Order256) {}

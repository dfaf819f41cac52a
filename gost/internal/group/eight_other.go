//go:build !amd64 || purego

package group

// useIFMA is false: there is no assembly here, and nothing calls what stands for it.
const useIFMA = false

func mulIFMA(_, _, _ *lanes)                           {}
func squareIFMA(_, _ *lanes)                           {}
func doubleIFMA(_ *eightPoints)                        {}
func addIFMA(_ *eightPoints, _ *eightAffine, _ uint64) {}
func transposeIFMA(_ *eightAffine, _ *[8]*row)         {}

//go:build !purego

package group

import "testing"

// implementations runs a test with the assembly, where the processor has what it needs, and without.
func implementations(t *testing.T, f func(t *testing.T)) {
	if useADX {
		t.Run("ADX", f)
		useADX = false
		defer func() { useADX = true }()
	} else {
		t.Log("this processor has no ADX, BMI2 or AVX2: the assembly is not tested")
	}
	t.Run("Go", f)
}

// TestWithoutIFMA: there are no eight lanes on a processor that has none.
func TestWithoutIFMA(t *testing.T) {
	defer func(before bool) { useIFMA = before }(useIFMA)
	useIFMA = false
	if _, c := eightCurve(); NewEight512(c) != nil {
		t.Error("eight lanes without the instructions for them")
	}
}

//go:build !purego

package field

import "testing"

// implementations runs a test with the assembly, where the processor has what it needs, and without.
func implementations(t *testing.T, f func(t *testing.T)) {
	if useADX {
		t.Run("ADX", f)
		useADX = false
		defer func() { useADX = true }()
	} else {
		t.Log("this processor has no ADX or BMI2: the assembly is not tested")
	}
	t.Run("Go", f)
}

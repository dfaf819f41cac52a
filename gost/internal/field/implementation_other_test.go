//go:build !amd64 || purego

package field

import "testing"

func implementations(t *testing.T, f func(t *testing.T)) { t.Run("Go", f) }

//go:build !amd64 || purego

package group

import "testing"

func implementations(t *testing.T, f func(t *testing.T)) { t.Run("Go", f) }

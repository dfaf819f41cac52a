//go:build !linux && !darwin && !windows

package keystore

import "errors"

// moveExclusive is not known on this system.
func moveExclusive(_, _ string) error { return errors.ErrUnsupported }

//go:build windows

package lint

import "errors"

// Outside reports that zlint is part of this build. Where it is not, RSA certificates are refused.
const Outside = false

// zlint does not build for Windows. What could not be checked is not good: an authority that runs
// there issues GOST512 certificates only.
func zlint([]byte, bool) error {
	return errors.New("RSA certificates are not issued on this system: zlint does not run here")
}

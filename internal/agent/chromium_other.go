//go:build !windows && !darwin

package agent

import "os/exec"

// installedHere is empty: here browsers are in the path.
func installedHere() installed { return installed{} }

// opener is what shows an address in the default browser, "" when there is nothing that does.
func opener() (program string, args []string) {
	path, err := exec.LookPath("xdg-open")
	if err != nil {
		return "", nil
	}
	return path, nil
}

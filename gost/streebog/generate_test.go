package streebog_test

import (
	"os"
	"os/exec"
	"testing"
)

// TestGeneratedFilesAreCurrent runs the generator and compares.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the generator")
	}
	const dir = "../../tools/asm"
	list := exec.Command("go", "-C", dir, "list", "-deps", "./streebog")
	list.Env = append(os.Environ(), "GOPROXY=off")
	if out, err := list.CombinedOutput(); err != nil {
		t.Skipf("the generator's modules are not on this machine (go -C tools/asm mod download): nothing to compare with\n%s", out)
	}
	if out, err := exec.Command("go", "-C", dir, "run", "./streebog", "-check").CombinedOutput(); err != nil {
		t.Errorf("go -C tools/asm run ./streebog -check: %v\n%s", err, out)
	}
}

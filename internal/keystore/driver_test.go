//go:build unix

package keystore

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestCheckDriver: a driver is a file named by its full path, that nobody else can change or put another in the place of.
func TestCheckDriver(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.so", 0o755)
	if _, err := CheckDriver(good, true); errors.Is(err, ErrDriverOthers) {
		t.Skip("the folder of temporary files is open to all here, and not sticky: ", err)
	}
	link := filepath.Join(dir, "link.so")
	inOpen := file("open/driver.so", 0o644)
	if err := errors.Join(os.Symlink(good, link), os.Symlink(inOpen, filepath.Join(dir, "to-open.so")), os.Chmod(filepath.Dir(inOpen), 0o777)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		good: nil, link: nil, "good.so": ErrDriverPath, "": ErrDriverPath, dir: ErrDriverPath, filepath.Join(dir, "none.so"): ErrDriverAway,
		file("all.so", 0o666): ErrDriverOthers, file("group.so", 0o664): ErrDriverOthers, inOpen: ErrDriverOthers, filepath.Join(dir, "to-open.so"): ErrDriverOthers,
	} {
		at, err := CheckDriver(path, true)
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v", path, err)
		}
		if real, _ := filepath.EvalSymlinks(good); err == nil && at != real {
			t.Errorf("%s is at %s", path, at)
		}
	}
	// One of a person's own is no administrator's.
	if os.Geteuid() == 0 {
		if err := os.Chown(good, 1000, -1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := CheckDriver(good, false); !errors.Is(err, ErrDriverOthers) {
		t.Errorf("a person's file is taken for an administrator's: %v", err)
	}
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, d := range KnownDrivers(system) {
			if abs := d.Module[0] == '/' || d.Module[1] == ':'; !abs || d.Storage == "" {
				t.Errorf("%s: %+v", system, d)
			}
		}
	}
}

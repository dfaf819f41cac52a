package agent

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows/registry"
)

// TestAppPaths: the registry of this Windows is read: a note of the person's is found, with a variable in it, and the
// window is shown by what it names.
func TestAppPaths(t *testing.T) {
	const key = `SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\brave.exe`
	if paths := chromiums(); len(paths) > 0 {
		t.Skipf("this machine has %s, taken first", paths)
	}
	dir := filepath.Join(t.TempDir(), "Мой браузер")
	program := filepath.Join(dir, "brave.exe")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte("not a program"), 0o700); err != nil {
		t.Fatal(err)
	}
	k, existed, err := registry.CreateKey(registry.CURRENT_USER, key, registry.ALL_ACCESS)
	if err != nil || existed {
		t.Fatal(err, existed)
	}
	t.Cleanup(func() { _ = k.Close(); _ = registry.DeleteKey(registry.CURRENT_USER, key) })
	t.Setenv("SENIM_TEST_FOLDER", dir)
	for _, set := range []func() error{
		func() error { return k.SetStringValue("", program) },
		func() error { return k.SetStringValue("", `"`+program+`"`) },
		func() error { return k.SetExpandStringValue("", `%SENIM_TEST_FOLDER%\brave.exe`) },
	} {
		if err := set(); err != nil {
			t.Fatal(err)
		}
		if got := chromiums(); len(got) != 1 || got[0] != program {
			t.Errorf("%q, want %q", got, program)
		}
	}
	if err := k.SetStringValue("", `brave.exe`); err != nil {
		t.Fatal(err)
	}
	if got := chromiums(); len(got) > 0 {
		t.Errorf("%q is taken", got)
	}
	here := installedHere()
	if len(here.folders) < 2 || filepath.VolumeName(here.folders[0]) == "" {
		t.Errorf("folders of programs: %v", here.folders)
	}
	if opener, args := opener(); !isFile(opener) || len(args) != 1 {
		t.Errorf("nothing opens an address: %s %v", opener, args)
	}
}

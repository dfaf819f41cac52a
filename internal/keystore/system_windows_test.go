package keystore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// TestHeldFile: a file that a virus scanner or an index has open for a moment is replaced and removed after it, and
// one that is held for long is told as that.
func TestHeldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for name, act := range map[string]func() error{"replace": func() error { return Replace(path, []byte("new")) }, "remove": func() error { return remove(path) }} {
		if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		held, err := os.Open(path) // as most programs do: nobody may delete it meanwhile
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); !errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
			t.Fatalf("%s: an open file can be removed here: %v", name, err)
		}
		let := time.AfterFunc(200*time.Millisecond, func() { _ = held.Close() })
		if err := act(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if let.Stop() {
			t.Errorf("%s: not waited", name)
		}
	}
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	if err := Replace(path, []byte("new")); err == nil {
		t.Error("an open file was replaced")
	}
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

// TestReadOnlyMark: a key file that came from a disc can be given another password, and goes.
func TestReadOnlyMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("old"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "new" {
		t.Errorf("%q, %v", b, err)
	}
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if err := remove(path); err != nil {
		t.Error(err)
	}
}

// TestLongNames: keys lie in folders of any depth, of Cyrillic and blanks, beyond what the system's calls take by themselves.
func TestLongNames(t *testing.T) {
	link, move := linkFile, moveFile
	t.Cleanup(func() { linkFile, moveFile = link, move })
	unsupported := func(string, string) error { return errors.ErrUnsupported }
	dir := t.TempDir()
	for _, name := range []string{"Мои ключи ЭЦП", "ТОО «Ақ Жол» үшін", strings.Repeat("Папка бухгалтера ", 7) + "1", strings.Repeat("очень длинное имя ", 7) + "2"} {
		dir = filepath.Join(dir, name)
	}
	if err := MakeFolder(dir); err != nil {
		t.Fatal(err)
	}
	if len([]rune(dir)) < 300 {
		t.Fatalf("%d letters are not long", len([]rune(dir)))
	}
	for name, ways := range map[string][2]func(string, string) error{"link": {link, unsupported}, "move": {unsupported, move}, "copy": {unsupported, unsupported}} {
		linkFile, moveFile = ways[0], ways[1]
		path := filepath.Join(dir, name+".p12")
		if err := Create(path, []byte("first"), 0o600); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := Replace(path, []byte("second")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		private(t, path)
	}
	if found := Scan([]string{dir}); len(found) != 1 || len(found[0].Copies) != 2 {
		t.Errorf("%+v", found)
	}
}

// TestOddNames: a name that Windows reads otherwise than it is written is not looked at.
func TestOddNames(t *testing.T) {
	for path, want := range map[string]bool{
		`C:\Keys\GOST512_a.p12`: false, `C:\Мои ключи\а б.txt`: false, `C:\`: false, `C:\a..b\.hidden`: false, `C:/Keys/x.txt`: false, `C:\Keys\..\x.txt`: false,
		`C:\Keys\a.p8::$DATA`: true, `C:\Keys\x.txt:a.p12`: true, `C:\Keys\a.p8.`: true, `C:\Keys\a.p8 `: true, `C:\Keys.\a.txt`: true,
		`C:\Keys::$INDEX_ALLOCATION\a.txt`: true, `C:\Keys\NUL`: true, `C:\Keys\com1.txt`: true, `C:\CON\x`: true, `C:\Keys\CONIN$`: true,
		`\\?\C:\Keys\a.txt`: true, `\\.\COM1`: true, `\??\C:\a`: true,
	} {
		if Foreign(path) != want {
			t.Errorf("%q: %v", path, !want)
		}
	}
}

// TestOnlyThePersons: what the agent makes is the person's alone wherever it lies, and so is what others' programs, as
// the window's browser, make in its folder.
func TestOnlyThePersons(t *testing.T) {
	open, err := windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;WD)")
	if err != nil {
		t.Fatal(err)
	}
	everybody, _, err := open.DACL()
	if err != nil {
		t.Fatal(err)
	}
	shared := t.TempDir() // as a folder on a disk for everybody
	if err := windows.SetNamedSecurityInfo(shared, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, everybody, nil); err != nil {
		t.Fatal(err)
	}
	if is, err := Private(shared); is || err != nil {
		t.Errorf("everybody's folder is called private: %v", err)
	}
	plain := filepath.Join(shared, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if is, err := Private(plain); is || err != nil {
		t.Errorf("a file that everybody inherits is called private: %v", err)
	}
	data := filepath.Join(shared, "agent", "data")
	if err := errors.Join(MakeFolder(data), Replace(filepath.Join(shared, "replaced"), nil), Create(filepath.Join(shared, "created"), nil, 0o600),
		os.WriteFile(filepath.Join(data, "of the browser"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{data, filepath.Join(shared, "replaced"), filepath.Join(shared, "created")} {
		private(t, path)
	}
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		t.Log("Wine hands no list down to what is made in a folder: what others make there was not looked at")
	} else {
		private(t, filepath.Join(data, "of the browser"))
	}
	if err := os.Remove(filepath.Join(data, "of the browser")); err != nil {
		t.Error(err)
	}
}

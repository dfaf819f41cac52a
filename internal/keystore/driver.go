package keystore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Storages of SafeNet's tokens. One driver serves both and does not tell them apart, so a key on one is taken where a
// page names the other.
const (
	eToken72K  = "AKEToken72KStore"
	eToken5110 = "AKEToken5110Store"
)

// SameStorage tells whether the keys of two storages are reached in the same way.
func SameStorage(a, b string) bool {
	if a == eToken72K {
		a = eToken5110
	}
	if b == eToken72K {
		b = eToken5110
	}
	return a == b
}

// KnownDrivers are the drivers of tokens where their makers' packages put them, by system (runtime.GOOS), the likelier place
// first. Only places that public texts tell are here: for KAZTOKEN, aKEY and the identity card there are none.
func KnownDrivers(system string) []TokenDriver {
	const jacarta = "AKJaCartaStore"
	switch system {
	case "linux":
		return []TokenDriver{
			{Storage: eToken5110, Module: "/usr/lib/libeTPkcs11.so"},
			{Storage: eToken5110, Module: "/usr/lib64/libeTPkcs11.so"},
			{Storage: eToken5110, Module: "/usr/lib/libeToken.so"},
			{Storage: jacarta, Module: "/usr/lib/libjcPKCS11-2.so"},
			{Storage: jacarta, Module: "/usr/lib64/libjcPKCS11-2.so"},
			{Storage: jacarta, Module: "/usr/lib64/pkcs11/libjcPKCS11-2.so"},
		}
	case "darwin":
		return []TokenDriver{
			{Storage: eToken5110, Module: "/usr/local/lib/libeTPkcs11.dylib"},
			{Storage: eToken5110, Module: "/Library/Frameworks/eToken.framework/Versions/Current/libeToken.dylib"},
			{Storage: jacarta, Module: "/Library/Frameworks/jcPKCS11-2.framework/jcPKCS11-2"},
		}
	case "windows":
		return []TokenDriver{
			{Storage: eToken5110, Module: `C:\Windows\System32\eTPKCS11.dll`},
			{Storage: jacarta, Module: `C:\Windows\System32\jcPKCS11-2.dll`},
		}
	}
	return nil
}

// Why a file is not loaded as a driver.
var (
	// ErrDriverPath: it is not named by its full path, or is no file.
	ErrDriverPath = errors.New("not the full path of a file")
	// ErrDriverAway: there is no such file.
	ErrDriverAway = errors.New("there is no such file")
	// ErrDriverOthers: somebody else could put another program in its place.
	ErrDriverOthers = errors.New("somebody else could change it")
)

// CheckDriver gives the file a driver is loaded from, links followed: an administrator's, which nobody else may change, in
// folders that nobody else may change. With own, what belongs to who runs this will do, too.
func CheckDriver(path string, own bool) (string, error) {
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("driver %s: %w", path, ErrDriverPath)
	}
	// What is loaded is the place the links lead to: nobody can lead them elsewhere meanwhile.
	at, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("driver %s: %w", path, ErrDriverAway)
	}
	if err != nil {
		return "", fmt.Errorf("driver %s: %w", path, err)
	}
	info, err := os.Stat(at)
	if err != nil {
		return "", fmt.Errorf("driver %s: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("driver %s: %w", path, ErrDriverPath)
	}
	for part := at; ; part = filepath.Dir(part) {
		firm, err := unchanged(part, part == at, own)
		if err != nil {
			return "", fmt.Errorf("driver %s: %w", path, err)
		}
		if !firm {
			return "", fmt.Errorf("driver %s: %s: %w", path, part, ErrDriverOthers)
		}
		if part == filepath.Dir(part) {
			return at, nil
		}
	}
}

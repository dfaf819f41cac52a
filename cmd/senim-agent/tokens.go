package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"senim/internal/keystore"
	"senim/internal/ncalayer"
)

// tokenDrivers reads the drivers of tokens. They are C code of their makers' and run in senim-token.
func tokenDrivers(flags []string, program string) ([]keystore.TokenDriver, error) {
	if len(flags) == 0 {
		return nil, nil
	}
	if program == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find senim-token: %w", err)
		}
		program = filepath.Join(filepath.Dir(self), "senim-token")
		if runtime.GOOS == "windows" {
			program += ".exe"
		}
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("tokens need senim-token: %w", err)
	}
	var drivers []keystore.TokenDriver
	for _, f := range flags {
		storage, module, ok := strings.Cut(f, "=")
		if _, token := ncalayer.Storage(storage); !ok || !token || module == "" {
			return nil, fmt.Errorf("--token %s: STORAGE=DRIVER is expected, as AKKaztokenStore=/usr/lib/driver.so", f)
		}
		drivers = append(drivers, keystore.TokenDriver{Storage: storage, Program: program, Module: module})
	}
	return drivers, nil
}

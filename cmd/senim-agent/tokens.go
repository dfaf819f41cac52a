package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"senim/internal/agent"
	"senim/internal/keystore"
)

// tokenProgram is the path of senim-token: the one that is named, else beside this program. One that is named is there.
func tokenProgram(named string) (string, error) {
	if named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", refuse("command.token-program", "path", named).because(err)
		}
		return named, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find senim-token: %w", err)
	}
	program := filepath.Join(filepath.Dir(self), "senim-token")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	return program, nil
}

// tokenDrivers reads the drivers of tokens that are named by flags. They are C code of their makers' and run in senim-token.
func tokenDrivers(flags []string, program string) ([]keystore.TokenDriver, error) {
	if len(flags) == 0 {
		return nil, nil
	}
	if _, err := os.Stat(program); err != nil {
		return nil, refuse("command.token-program", "path", program).because(err)
	}
	var drivers []keystore.TokenDriver
	for _, f := range flags {
		storage, module, _ := strings.Cut(f, "=")
		if err := agent.CheckTokenFlag(storage, module); err != nil {
			return nil, refuse("command.token", "value", f).because(err)
		}
		drivers = append(drivers, keystore.TokenDriver{Storage: storage, Program: program, Module: module})
	}
	return drivers, nil
}

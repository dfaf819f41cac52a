package agent

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"senim/internal/keystore"
	"senim/internal/pkitest"
)

// closedKeychain is one that does not open; silent is one that asks the person, who does not answer.
type closedKeychain struct{ silent chan struct{} }

func (k closedKeychain) Get(string) (string, error) {
	if k.silent != nil {
		<-k.silent
	}
	return "", keystore.ErrNoKeychain
}
func (k closedKeychain) Set(string, string) error { return keystore.ErrNoKeychain }
func (k closedKeychain) Delete(string) error      { return keystore.ErrNoKeychain }

// TestExamine: each thing that an agent cannot use is found by itself, with nothing found where all is well; nothing is written.
func TestExamine(t *testing.T) {
	authority := pkitest.New(t)
	asked := 0
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer service.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	issuer := hex.EncodeToString(authority.Pool().Certificates()[0].SubjectKeyID)
	silent := make(chan struct{})
	t.Cleanup(func() { close(silent) })
	file := filepath.Join(t.TempDir(), "none.so")
	for name, c := range map[string]struct {
		change   func(c *Config)
		settings string
		online   bool
		services []string
		want     []Trouble
	}{
		"all is well":            {change: func(*Config) {}},
		"no authority":           {change: func(c *Config) { c.Pool = nil }, want: []Trouble{{"no-authority", ""}}},
		"no keychain":            {change: func(c *Config) { c.Keychain = closedKeychain{} }, want: []Trouble{{"keychain-absent", ""}}},
		"a keychain that asks":   {change: func(c *Config) { c.Keychain = closedKeychain{silent} }, want: []Trouble{{"keychain-locked", ""}}},
		"a folder of a flag":     {change: func(c *Config) { c.Folders = append(c.Folders, "/media/stick") }, want: []Trouble{{"folder-away", "/media/stick"}}},
		"a folder of the person": {change: func(*Config) {}, settings: `{"folders":["/media/другая"]}`, want: []Trouble{{"folder-away", "/media/другая"}}},
		"broken settings":        {change: func(*Config) {}, settings: `{"folders":["/media/a"`},
		"a driver of the person": {change: func(c *Config) { c.TokenProgram = os.Args[0] }, settings: `{"drivers":[{"storage":"AKKaztokenStore","module":"` + filepath.ToSlash(file) + `"}]}`, want: []Trouble{{"driver-refused", filepath.ToSlash(file)}}},
		"no senim-token": {change: func(c *Config) {
			c.Tokens = []keystore.TokenDriver{{Storage: "AKKaztokenStore", Module: file, Program: file}}
		}, want: []Trouble{{"token-program", file}}},
		"a senim-token that fails": {change: func(c *Config) {
			c.Tokens = []keystore.TokenDriver{{Storage: "AKKaztokenStore", Module: file, Program: failing(t)}}
		}, want: []Trouble{{"driver-fails", file}}},
		"services, not asked":  {change: func(c *Config) { c.Stamps = map[string]string{issuer: gone.URL} }, services: []string{gone.URL}},
		"services that answer": {change: func(c *Config) { c.Stamps = map[string]string{issuer: service.URL} }, services: []string{service.URL}, online: true},
		"a time-stamping authority": {change: func(c *Config) { c.Stamps = map[string]string{issuer: gone.URL} }, online: true, services: []string{service.URL},
			want: []Trouble{{"service-away", hostOf(gone.URL)}}},
		"a responder": {change: func(*Config) {}, online: true, services: []string{gone.URL}, want: []Trouble{{"service-away", hostOf(gone.URL)}}},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && strings.HasPrefix(name, "a folder") {
				t.Skip("paths of Unix")
			}
			config := Config{Data: t.TempDir(), Folders: []string{t.TempDir()}, Pool: authority.Pool()}
			c.change(&config)
			if c.settings != "" {
				if err := os.WriteFile(settingsIn(config.Data), []byte(c.settings), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := Examine(t.Context(), config, c.online, c.services)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%+v %v, want %+v", got, err, c.want)
			}
			left, err := os.ReadDir(config.Data)
			if err != nil || len(left) > 1 || len(left) == 1 && c.settings == "" {
				t.Errorf("left in the data folder: %v %v", left, err)
			}
		})
	}
	if asked != 2 { // one address under two names, once; in two of these cases
		t.Errorf("services were asked %d times", asked)
	}
	if _, err := Examine(t.Context(), Config{}, false, nil); err == nil {
		t.Error("a configuration that no agent starts with")
	}
}

// failing is a program that starts and ends badly.
func failing(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		return path // the tests themselves are no senim-token
	}
	path = filepath.Join(t.TempDir(), "senim-token")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

package main

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/ca"
	"senim/internal/ceremony"
	"senim/internal/shares"
)

// The first start makes the keys of both services and writes down what it did.
func TestTheFirstStartMakesTheServices(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir, "-cast=false")
	defer s.close()
	for _, name := range []string{"gost", "rsa"} {
		for _, kind := range []string{ca.SignerOCSP, ca.SignerTSA} {
			err := s.store.CA().View(t.Context(), func(tx ca.Tx) error {
				_, err := tx.Signer(t.Context(), name, kind)
				return err
			})
			if err != nil {
				t.Errorf("%s of %s: %v", kind, name, err)
			}
		}
	}
	found, err := filepath.Glob(filepath.Join(dir, "TRANSCRIPT-*.txt"))
	if err != nil || len(found) != 1 {
		t.Fatalf("transcripts %v: %v", found, err)
	}
	if text, err := os.ReadFile(found[0]); err != nil || !strings.Contains(string(text), "check gost_tsa_1: lints clean") {
		t.Errorf("transcript: %v", err)
	}
}

// What senim ca init made is opened, its root elsewhere, by shares of the passphrase; fewer shares open nothing.
func TestAnInstallationOfSenimIsOpenedByShares(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, words := filepath.Join(dir, "data"), filepath.Join(dir, "words")
	plan, err := ceremony.Installation(ceremony.New{Online: ceremony.Online{Data: data, PassphraseFile: words}, Root: &ceremony.Root{Keys: filepath.Join(dir, "root"), PassphraseFile: filepath.Join(dir, "root-words")},
		Name: "AUTHORITY", RootName: "ROOT", Organization: "SENIM", Address: "http://localhost:8082", Bits: 2048, Participants: []string{"custodian", "witness"}})
	if err != nil {
		t.Fatal(err)
	}
	e := &ceremony.Env{Dir: dir, Now: time.Now}
	if err := e.Run(context.Background(), plan); err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(words)
	if err != nil {
		t.Fatal(err)
	}
	all, err := shares.Split(rand.Reader, []byte(strings.TrimSpace(string(secret))), 5, 3)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for i, s := range all {
		name := filepath.Join(dir, "share"+string(rune('1'+i)))
		if err := os.WriteFile(name, []byte("# mine\n"+s.String()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	if err := os.Remove(words); err != nil {
		t.Fatal(err)
	}
	if s, err := try(t, data, "-cast=false", "-passphrase-shares", strings.Join(files[:2], ",")); err == nil {
		s.close()
		t.Fatal("two shares of three were enough")
	} else if !strings.Contains(err.Error(), "too few shares") {
		t.Error(err)
	}
	s := mustOpen(t, data, "-cast=false", "-passphrase-shares", strings.Join(files[1:4], ","))
	defer s.close()
	if err := s.ca.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, a := range s.ca.Authorities() {
		if _, err := s.ca.CRL(t.Context(), a.Name, false); err != nil || a.Issuing != (a.Parent != "") {
			t.Errorf("%s: %v", a.Name, err)
		}
	}
}

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/agent"
)

// TestDoctorRenewsAuthority: the doctor says that the machine's authority ends soon, and its repair makes a new one.
func TestDoctorRenewsAuthority(t *testing.T) {
	home(t)
	data := dataFolder()
	if _, err := agent.EnsureAuthority(data); err != nil {
		t.Fatal(err)
	}
	path, keyPath := filepath.Join(data, agent.AuthorityFile), filepath.Join(data, agent.AuthorityKeyFile)
	pair, err := tls.LoadX509KeyPair(path, keyPath)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := *pair.Leaf
	template.NotAfter, template.PublicKey, template.SubjectKeyId = time.Now().Add(59*24*time.Hour+time.Hour), nil, nil
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{path: {Type: "CERTIFICATE", Bytes: der}, keyPath: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	doctor := func(more ...string) string {
		var found strings.Builder
		if err := doctorCommand(t.Context(), append([]string{"--lang", "en", "--listen", freePort(t)}, more...), &found, io.Discard); err == nil {
			t.Error("no agent runs, and all is well")
		}
		return found.String()
	}
	if got := doctor(); !strings.Contains(got, "ends soon, days left: 59") || !strings.Contains(got, "doctor --repair") {
		t.Errorf("%s", got)
	}
	if got := doctor("--repair"); strings.Contains(got, "ends soon") || !strings.Contains(got, "is sound") {
		t.Errorf("%s", got)
	}
	pair, err = tls.LoadX509KeyPair(path, keyPath)
	if err != nil || time.Until(pair.Leaf.NotAfter) < 9*365*24*time.Hour {
		t.Errorf("%v", err)
	}
}

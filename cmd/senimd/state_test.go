package main

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/internal/registry"
	"senim/internal/state/statetest"
	"senim/pfx"
)

// A server that is told of the e-government gateway starts from any directory, trusts the certificates of the folder it
// was given and no others, and asks the gateway.
func TestAsksTheGatewayOfItsFlags(t *testing.T) {
	t.Parallel()
	a := pkitest.New(t)
	gateway := statetest.NewGateway(t, a, time.Now)
	organisation := statetest.Organisation{BIN: "180140005198", Leader: "009900000008", Appointed: "2026-02-27"}
	gateway.Put("GBDULINFO", organisation.BIN, organisation.Document())
	c, dir := gateway.Config(), t.TempDir()
	key, err := pfx.Encode(rand.Reader, pfx.File{Key: c.Key, Certificate: c.Certificate}, "Qwerty12", pfx.NCA)
	if err != nil {
		t.Fatal(err)
	}
	signers, strangers, empty := filepath.Join(dir, "signers"), filepath.Join(dir, "strangers"), filepath.Join(dir, "empty")
	for _, folder := range []string{signers, strangers, empty} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for path, data := range map[string][]byte{
		"key.p12": key, "key.pin": []byte("Qwerty12"), "password": []byte(c.Password),
		"signers/signer.cer": c.Signers[0].Raw, "strangers/signer.cer": a.InfoSystem().Certificate.Raw,
	} {
		if err := os.WriteFile(filepath.Join(dir, path), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flags := func(more ...string) []string {
		return append([]string{"-registry.ask_live", "-egp.url", c.URL, "-egp.sender", c.Sender, "-egp.password_file", filepath.Join(dir, "password"),
			"-egp.requestor", c.Requestor, "-egp.key", filepath.Join(dir, "key.p12"), "-egp.key_password_file", filepath.Join(dir, "key.pin"),
			"-egp.legal", c.Legal, "-egp.ok_codes", c.OK[0]}, more...)
	}
	data := t.TempDir()
	for name, folder := range map[string]string{"none": "", "an empty folder": empty, "a folder that is not there": filepath.Join(dir, "nowhere")} {
		if s, err := try(t, data, flags("-egp.trusted_signers", folder)...); err == nil {
			s.close()
			t.Errorf("signers from %s: it starts", name)
		} else if !strings.Contains(err.Error(), "-egp.") {
			t.Errorf("signers from %s: %v", name, err)
		}
	}
	far := flags("-egp.trusted_signers", signers, "-egp.url", "http://gateway.example.kz/SyncChannel")
	if s, err := try(t, data, far...); err == nil {
		s.close()
		t.Error("it would send the password in the clear")
	}
	mustOpen(t, data, append(far, "-egp.allow_http")...).close()
	for folder, want := range map[string]registry.Verdict{signers: registry.Good, strangers: registry.Unknown} {
		s := mustOpen(t, data, flags("-egp.trusted_signers", folder)...)
		answer := s.book.For(registry.ForRegister).Entity(t.Context(), "180140005198")
		s.close()
		if answer.Verdict != want {
			t.Errorf("signers from %s: %+v", filepath.Base(folder), answer)
		}
	}
	if gateway.Asked() == 0 {
		t.Error("the gateway was not asked")
	}
}

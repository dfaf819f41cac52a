package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"senim/internal/lang"
	"senim/internal/participant"
	"senim/pki"
)

// The settings of registration are read, and wrong ones stop the start.
func TestRegistrationSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "terms.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"version":"2.0","from":"2026-09-01","must_resign_by":"2026-12-01","text":{"kk":"ә","ru":"а","en":"a"}}`)
	_, c, err := parse([]string{"serve", "-gate.unit_roles", "first-head,sign-right", "-rereg.block_previous_at", "agreement", "-agreement", file,
		"-reg.draft_ttl", "24h", "-reg.link_ttl", "48h", "-reg.resend", "2m,4", "-reg.day_letters", "9"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	got := c.portalRules
	if !slices.Equal(got.unitRoles, []pki.Role{pki.RoleFirstHead, pki.RoleSignRight}) || got.blockPrevious != participant.AtAgreement || len(got.agreements) != 1 {
		t.Fatalf("read: %+v", got)
	}
	if want := (participant.RegisterConfig{DraftTTL: 24 * time.Hour, LinkTTL: 48 * time.Hour, ResendWait: 2 * time.Minute, MaxLetters: 4, DayLetters: 9}); got.register != want {
		t.Errorf("registrations: %+v", got.register)
	}
	if a := got.agreements[0]; a.Version != "2.0" || a.Text[lang.KK] != "ә" || lang.RU.Date(a.From) != "01.09.2026" || lang.RU.Date(a.MustResignBy) != "01.12.2026" {
		t.Errorf("agreement: %+v", a)
	}
	for _, bad := range [][]string{{"-gate.unit_roles", "boss"}, {"-gate.unit_roles", ""}, {"-rereg.block_previous_at", "now"}, {"-agreement", file + ".none"},
		{"-reg.draft_ttl", "0"}, {"-reg.link_ttl", "-1h"}, {"-reg.resend", "5"}, {"-reg.resend", "0,5"}, {"-reg.day_letters", "0"}} {
		if _, _, err := parse(append([]string{"serve"}, bad...), io.Discard); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	for _, text := range []string{`{`, `{"version":"2.0"}`, `{"from":"2026-09-01"}`, `{"version":"2.0","from":"1 September"}`, `{"version":"2.0","from":"2026-09-01","must_resign_by":"soon"}`} {
		write(text)
		if _, _, err := parse([]string{"serve", "-agreement", file}, io.Discard); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

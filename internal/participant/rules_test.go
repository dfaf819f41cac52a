package participant

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"senim/internal/registry"
	"senim/internal/trust"
)

func TestPasswordRule(t *testing.T) {
	for password, want := range map[string]string{
		"":                           "PASSWORD_SHORT",
		"ә" + strings.Repeat("б", 8): "PASSWORD_SHORT", // characters, not bytes
		strings.Repeat("aБ9", 43):    "PASSWORD_LONG",
		"1234567890":                 "PASSWORD_COMMON", // default PIN of carriers
		"1234567812345678":           "PASSWORD_COMMON", // another, twice
		"0123456789":                 "PASSWORD_COMMON",
		"1029384756":                 "PASSWORD_COMMON", // of the list
		"FKTRCFYLHF":                 "PASSWORD_COMMON",
		"aaaaaaaaaa":                 "PASSWORD_COMMON",
		"qwertyuiop":                 "PASSWORD_COMMON",
		"Password123":                "PASSWORD_COMMON",
		"Пароль2026!":                "PASSWORD_COMMON",
		"abcabcabcabc":               "PASSWORD_COMMON",
		"123456789011":               "PASSWORD_PERSONAL",
		"1234 5678 9011":             "", // not the number itself; long enough to be a phrase
		"87011234567":                "PASSWORD_PERSONAL",
		"+7 (701) 123-45-67":         "PASSWORD_PERSONAL",
		"8-701-123-45-67":            "PASSWORD_PERSONAL",
		"b@example.kz":               "PASSWORD_PERSONAL",
		"tall-birch-92":              "",
		"жылы шай ішейік":            "",
		"calm-morning-tea":           "",
	} {
		if got := PasswordCode(password, "123456789011", "123456789021", "+77011234567", "b@example.kz"); got != want {
			t.Errorf("%q: %q, want %q", password, got, want)
		}
	}
}

func TestSec9PasswordHash(t *testing.T) {
	h := NewHasher(nil)
	hash, err := h.Hash("tall-birch-92")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Errorf("parameters are not those of RFC 9106: %s", hash)
	}
	if ok, weak := h.Check(hash, "tall-birch-92"); !ok || weak {
		t.Errorf("right password: %v, weak %v", ok, weak)
	}
	if ok, _ := h.Check(hash, "tall-birch-93"); ok {
		t.Error("wrong password passes")
	}
	small, err := quick().Hash("tall-birch-92")
	if err != nil {
		t.Fatal(err)
	}
	if ok, weak := h.Check(small, "tall-birch-92"); !ok || !weak {
		t.Errorf("weaker hash: %v, weak %v", ok, weak)
	}
	for _, bad := range []string{"", "x", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" + strings.Repeat("A", 43), "$argon2id$v=19$m=999999999,t=1,p=1$c2FsdHNhbHQ$AAAA",
		"$argon2id$v=19$m=64,t=1,p=1$$", "$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHQ$" + strings.Repeat("A", 43)} {
		if ok, _ := h.Check(bad, ""); ok {
			t.Errorf("%q matches", bad)
		}
	}
}

// A hash of any text never makes Check panic or take more than its bounds.
func FuzzHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" + strings.Repeat("A", 43))
	f.Add("$argon2id$v=19$m=64,t=1,p=1junk$c2FsdHNhbHQ$" + strings.Repeat("A", 43))
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseHash(s)
		if err == nil && (p.memory > 1<<20 || p.time > 16 || p.time < 1 || p.threads < 1) {
			t.Errorf("%+v", p)
		}
		if err == nil && !strings.Contains(s, fmt.Sprintf("$m=%d,t=%d,p=%d$", p.memory, p.time, p.threads)) {
			t.Errorf("%q is read as %+v", s, p)
		}
	})
}

// P-26: five, fifteen minutes, doubling to a day; twenty in a day close the day.
func TestLockout(t *testing.T) {
	at := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	a := Account{State: AccountActive}
	for round, want := range []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour} {
		for i := range failLock {
			var locked bool
			if a, locked = a.failed(at, SignInConfig{}.complete()); locked != (i == failLock-1) {
				t.Fatalf("round %d, try %d: locked %v", round, i, locked)
			}
		}
		if got := a.LockedUntil.Sub(at); got != want {
			t.Errorf("round %d: %s, want %s", round, got, want)
		}
		at = a.LockedUntil
		if _, locked := a.Locked(at); locked {
			t.Error("still locked when the time has come")
		}
	}
	for range failLock { // the twentieth of the day
		a, _ = a.failed(at, SignInConfig{}.complete())
	}
	if got := a.LockedUntil.Sub(at); got != 24*time.Hour {
		t.Errorf("after twenty: %s", got)
	}
	if a = a.passed(); a.Failed != 0 || a.Locks != 0 || !a.LockedUntil.IsZero() {
		t.Errorf("after a right one: %+v", a)
	}
}

// However wrong passwords come, a lock lasts from a quarter of an hour to a day, and there are
// never more than five tries between two locks.
func TestLockoutLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
		a := Account{State: AccountActive}
		tries := 0
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			at = at.Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "gap")) * time.Second)
			if until, locked := a.Locked(at); locked {
				at = until
			}
			var locked bool
			a, locked = a.failed(at, SignInConfig{}.complete())
			tries++
			if tries > failLock {
				t.Fatalf("%d tries without a lock", tries)
			}
			if locked {
				tries = 0
				if d := a.LockedUntil.Sub(at); d < firstLock || d > longLock {
					t.Fatalf("locked for %s", d)
				}
			}
		}
	})
}

// Could not check is never good.
func TestEvidenceVerdict(t *testing.T) {
	good, bad, unknown := Check{Verdict: trust.Good}, Check{Verdict: trust.Bad, Code: "B"}, Check{Verdict: trust.Unknown, Code: "U"}
	for _, c := range []struct {
		checks []Check
		want   trust.Verdict
	}{
		{nil, trust.Unknown}, {[]Check{good}, trust.Good}, {[]Check{good, unknown}, trust.Unknown}, {[]Check{unknown, bad}, trust.Bad},
		{[]Check{good, {}}, trust.Unknown},
	} {
		if got := (Evidence{Checks: c.checks}).Verdict(); got != c.want {
			t.Errorf("%v: %s, want %s", c.checks, got, c.want)
		}
	}
	if got := (Evidence{Checks: []Check{unknown, good, bad}}).Codes(); len(got) != 2 || got[0] != "B" {
		t.Errorf("codes %v", got)
	}
}

// What only the load of the register of taxpayers tells is not known while there is none: practice and blocking
// cannot be checked then, which is never good and never a refusal.
func TestPartialTaxpayerIsUnknown(t *testing.T) {
	const today = registry.Date("2026-09-01")
	trader := registry.Taxpayer{IPFrom: "2020-02-03", Partial: true}
	for name, c := range map[string]struct {
		category Category
		taxpayer registry.Taxpayer
		verdict  trust.Verdict
		code     string
	}{
		"trades, blocking not known": {SoleProprietor, trader, trust.Unknown, trust.CodeUnavailable},
		"does not trade":             {SoleProprietor, registry.Taxpayer{Partial: true}, trust.Bad, "NOT_ENTREPRENEUR"},
		"practice not known":         {PrivatePractice, trader, trust.Unknown, trust.CodeUnavailable},
		"trades, by the load too":    {SoleProprietor, registry.Taxpayer{IPFrom: "2020-02-03"}, trust.Good, ""},
	} {
		a := registry.Answer[registry.Taxpayer]{Verdict: registry.Good, Source: registry.SourceTax, Value: c.taxpayer}
		if k := taxpayerCheck(a, c.category, today); k.Verdict != c.verdict || k.Code != c.code {
			t.Errorf("%s: %s %s", name, k.Verdict, k.Code)
		}
	}
}

package participant

import (
	"strings"
	"time"

	"github.com/trustelem/zxcvbn/frequency"
)

// Opens is which certificates open the profiles of an enterprise (signin.enterprise_cert).
type Opens string

// The zero Opens is SameBIN.
const (
	SameBIN Opens = "same-bin" // one with the enterprise's own BIN
	AnyBIN  Opens = "any"      // one of the person with any BIN; a personal one still opens none
)

// RegisterConfig is how long registrations wait and how many letters they send (section 15). Zero members are the
// defaults.
type RegisterConfig struct {
	// DraftTTL is reg.draft_ttl, LinkTTL reg.link_ttl; 72 hours each by default.
	DraftTTL, LinkTTL time.Duration
	// ResendWait and MaxLetters are reg.resend: the least time between two letters of a registration, and how many it
	// sends at most; a minute and 5 by default.
	ResendWait time.Duration
	MaxLetters int
	// DayLetters is reg.day_letters: how many letters go out for one person in a day, whatever the number of
	// registrations; 15 by default. The addresses are typed by him and may be anybody's.
	DayLetters int
}

func (c RegisterConfig) complete() RegisterConfig {
	if c.DraftTTL <= 0 {
		c.DraftTTL = 72 * time.Hour
	}
	if c.LinkTTL <= 0 {
		c.LinkTTL = 72 * time.Hour
	}
	if c.ResendWait <= 0 {
		c.ResendWait = time.Minute
	}
	if c.MaxLetters <= 0 {
		c.MaxLetters = 5
	}
	if c.DayLetters <= 0 {
		c.DayLetters = 15
	}
	return c
}

// SignInConfig is how people sign in (section 15). Zero members are the defaults.
type SignInConfig struct {
	// EnterpriseCert is signin.enterprise_cert; SameBIN by default.
	EnterpriseCert Opens
	// FailLock wrong passwords in a row lock for LockFor, then twice as long each time up to a day; 5 and
	// 15 minutes by default. FailDay in a day lock for a day; 20 by default.
	FailLock, FailDay int
	LockFor           time.Duration
	// MaxAge is password.max_age: an older password only sets a new one. 0 is never.
	MaxAge time.Duration
}

func (c SignInConfig) complete() SignInConfig {
	if c.EnterpriseCert == "" {
		c.EnterpriseCert = SameBIN
	}
	if c.FailLock <= 0 {
		c.FailLock = failLock
	}
	if c.FailDay <= 0 {
		c.FailDay = failPerDay
	}
	if c.LockFor <= 0 {
		c.LockFor = firstLock
	}
	return c
}

// Allowed is [Profile.Allowed] by this office's settings and clock.
func (o *Office) Allowed(p Profile, certificateBIN string) string {
	if o.c.SignIn.EnterpriseCert == AnyBIN && certificateBIN != "" && p.Type != TypeIndividual {
		certificateBIN = p.TIN
	}
	return p.Allowed(certificateBIN, o.now())
}

// expired reports whether the password is too old to sign in with (PASSWORD_EXPIRED).
func (c SignInConfig) expired(a Account, at time.Time) bool {
	return c.MaxAge > 0 && !at.Before(a.PasswordChanged.Add(c.MaxAge))
}

// isListed knows the list of passwords that people choose most.
func isListed(lower string) bool {
	for _, p := range frequency.FrequencyLists["passwords"] {
		if p == lower {
			return true
		}
	}
	return false
}

// isPIN knows what carriers of keys have when they leave the factory, typed once or several times over.
func isPIN(lower string) bool {
	for _, pin := range []string{"12345678", "1234567890", "0987654321", "87654321", "11111111", "00000000", "123456", "user", "admin", "qwerty12"} {
		if strings.ReplaceAll(lower, pin, "") == "" {
			return true
		}
	}
	return false
}

package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"senim/internal/participant"
	"senim/internal/web"
)

// signinConfig is how people sign in, and what bounds it (portal.md section 15).
type signinConfig struct {
	participant.SignInConfig
	challengeTTL, idle, most time.Duration
	limits                   web.Limits
	hash                     participant.HashCost
}

func (c *signinConfig) flags(f *flag.FlagSet) {
	f.Func("signin.enterprise_cert", "certificates that open an enterprise's profiles: same-bin (with its own BIN) or any (of the person, with any BIN) (default: same-bin)", func(v string) error {
		switch participant.Opens(v) {
		case participant.SameBIN, participant.AnyBIN:
			c.EnterpriseCert = participant.Opens(v)
			return nil
		}
		return errors.New("same-bin or any")
	})
	f.DurationVar(&c.challengeTTL, "signin.challenge_ttl", 5*time.Minute, "life of a challenge, never above five minutes")
	f.Func("signin.fail_lock", "wrong passwords in a row that lock, and for how long the first time (default: 5,15m)", func(v string) (err error) {
		count, wait, _ := strings.Cut(v, ",")
		if c.FailLock, err = positive(count); err != nil {
			return err
		}
		if c.LockFor, err = time.ParseDuration(wait); err != nil || c.LockFor <= 0 || c.LockFor > 24*time.Hour {
			return errors.New("number,time, as 5,15m; a day at most")
		}
		return nil
	})
	number(f, &c.FailDay, "signin.fail_day", "wrong passwords in a day that lock for a day (default: 20)")
	f.DurationVar(&c.idle, "session.idle", 20*time.Minute, "life of a session that nobody uses")
	f.DurationVar(&c.most, "session.max", 8*time.Hour, "life of a session at most")
	f.DurationVar(&c.limits.Recheck, "session.revocation_recheck", 15*time.Minute, "how often the certificate of a session is asked about again")
	f.DurationVar(&c.MaxAge, "password.max_age", 0, "age after which a participant's password can only set a new one; 0 is never")
	f.Func("password.hash", "cost of argon2id, never below the default (default: t=3,m=65536,p=4; m in KiB)", func(v string) error {
		var h participant.HashCost
		if n, err := fmt.Sscanf(v, "t=%d,m=%d,p=%d", &h.Time, &h.Memory, &h.Threads); n != 3 || err != nil || !h.Enough() || fmt.Sprintf("t=%d,m=%d,p=%d", h.Time, h.Memory, h.Threads) != v {
			return errors.New("t=3,m=65536,p=4 or more, up to t=16 and a gigabyte")
		}
		c.hash = h
		return nil
	})
	f.Func("rate.ip", "form posts and challenges of an address in a minute and in an hour (default: 60,600)", func(v string) (err error) {
		minute, hour, _ := strings.Cut(v, ",")
		if c.limits.PerMinute, err = positive(minute); err != nil {
			return err
		}
		c.limits.PerHour, err = positive(hour)
		return err
	})
	number(f, &c.limits.Certificate, "rate.cert", "challenges of a certificate in an hour (default: 30)")
}

// number is a flag of a whole number above zero.
func number(f *flag.FlagSet, v *int, name, usage string) {
	f.Func(name, usage, func(s string) (err error) {
		*v, err = positive(s)
		return err
	})
}

func positive(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, errors.New("a whole number above zero")
	}
	return n, nil
}

// complete refuses what would leave people without a session.
func (c *signinConfig) complete() error {
	for name, d := range map[string]time.Duration{"signin.challenge_ttl": c.challengeTTL, "session.idle": c.idle, "session.max": c.most, "session.revocation_recheck": c.limits.Recheck} {
		if d < time.Second {
			return fmt.Errorf("-%s: a second at least", name)
		}
	}
	if c.challengeTTL > 5*time.Minute {
		return errors.New("-signin.challenge_ttl: five minutes at most")
	}
	if c.MaxAge < 0 {
		return errors.New("-password.max_age: not below 0")
	}
	return nil
}

package main

import (
	"io"
	"testing"
	"time"

	"senim/internal/participant"
)

// The settings of sign-in are read as they are written, and what would shut everybody out is refused.
func TestSettingsOfSignIn(t *testing.T) {
	t.Parallel()
	_, c, err := parse([]string{"serve", "-signin.enterprise_cert", "any", "-signin.fail_lock", "3,5m", "-signin.fail_day", "9", "-session.idle", "10m", "-session.max", "4h",
		"-session.revocation_recheck", "1m", "-password.max_age", "2160h", "-password.hash", "t=4,m=131072,p=4", "-rate.ip", "30,300", "-rate.cert", "7", "-signin.challenge_ttl", "2m"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s := c.signin
	if s.EnterpriseCert != participant.AnyBIN || s.FailLock != 3 || s.LockFor != 5*time.Minute || s.FailDay != 9 || s.idle != 10*time.Minute || s.most != 4*time.Hour ||
		s.MaxAge != 90*24*time.Hour || s.hash != (participant.HashCost{Time: 4, Memory: 131072, Threads: 4}) || s.challengeTTL != 2*time.Minute ||
		s.limits.PerMinute != 30 || s.limits.PerHour != 300 || s.limits.Certificate != 7 || s.limits.Recheck != time.Minute {
		t.Errorf("read as %+v", s)
	}
	for _, bad := range [][2]string{{"-signin.enterprise_cert", "all"}, {"-signin.fail_lock", "5"}, {"-signin.fail_lock", "0,5m"}, {"-signin.fail_day", "-1"}, {"-session.idle", "0"},
		{"-signin.challenge_ttl", "6m"}, {"-password.max_age", "-1h"}, {"-password.hash", "t=1,m=65536,p=4"}, {"-password.hash", "t=3,m=1024,p=4"}, {"-password.hash", "t=3,m=65536,p=4junk"}, {"-password.hash", "t=+3,m=65536,p=4"}, {"-password.hash", "t=3,m=65536,p=260"}, {"-rate.ip", "60"}, {"-rate.cert", "x"}} {
		if _, _, err := parse([]string{"serve", bad[0], bad[1]}, io.Discard); err == nil {
			t.Errorf("%s %s was taken", bad[0], bad[1])
		}
	}
}

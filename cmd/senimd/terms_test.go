package main

import (
	"io"
	"testing"
	"time"

	"senim/internal/ra"
)

// How long things wait is the operator's to say, within bounds.
func TestTerms(t *testing.T) {
	t.Parallel()
	usual := ra.Terms{Confirm: 30 * 24 * time.Hour, Draft: 7 * 24 * time.Hour, Install: 30 * 24 * time.Hour}
	_, c, err := parse([]string{"-data", "x"}, io.Discard)
	if err != nil || c.desk.terms != usual || c.messages.keep != 180*24*time.Hour {
		t.Errorf("usual: %+v, %s, %v", c.desk.terms, c.messages.keep, err)
	}
	_, c, err = parse([]string{"-data", "x", "-application.confirm_ttl", "240h", "-draft.ttl", "24h", "-install.ttl", "48h", "-notify.keep", "336h"}, io.Discard)
	if want := (ra.Terms{Confirm: 240 * time.Hour, Draft: 24 * time.Hour, Install: 48 * time.Hour}); err != nil || c.desk.terms != want || c.messages.keep != 336*time.Hour {
		t.Errorf("set: %+v, %s, %v", c.desk.terms, c.messages.keep, err)
	}
	for _, bad := range [][]string{{"-application.confirm_ttl", "59m"}, {"-application.confirm_ttl", "9000h"}, {"-draft.ttl", "0"}, {"-draft.ttl", "-1h"}, {"-draft.ttl", "week"},
		{"-install.ttl", "23h"}, {"-notify.keep", "335h"}, {"-notify.keep", "90000h"}} {
		if _, _, err := parse(append([]string{"-data", "x"}, bad...), io.Discard); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

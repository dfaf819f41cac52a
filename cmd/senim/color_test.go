package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"senim/internal/trust"
)

// TestNoEscapesFromFiles: a name in a certificate can neither move the cursor nor write a new line.
func TestNoEscapesFromFiles(t *testing.T) {
	for _, color := range []bool{false, true} {
		var out, errs bytes.Buffer
		p := &program{Stdout: &out, Stderr: &errs, Color: color}
		k := &card{Owner: "A\x1b[2J\r\nB\u202eC\x9bD", Organization: "x\ty", to: time.Unix(1, 0)}
		k.print(p, time.Unix(0, 0))
		p.tell("senim: %s", "\x1b]0;title\a")
		text := strings.NewReplacer("\x1b[1m", "", "\x1b[0m", "").Replace(out.String())
		if strings.ContainsAny(text+errs.String(), "\x1b\r\t\a\u202e\u009b") || strings.Count(text, "\n") != 3 {
			t.Errorf("color %v: %q, %q", color, text, errs.String())
		}
	}
}

// TestFullDisk: an answer that could not be written is no success.
func TestFullDisk(t *testing.T) {
	var errs bytes.Buffer
	p := &program{Args: []string{"inspect", "-"}, Stdin: strings.NewReader("<a/>"), Stdout: full{}, Stderr: &errs, Now: time.Now}
	if status := p.Run(t.Context()); status != statusMisuse || !strings.Contains(errs.String(), "no space") {
		t.Errorf("status %d, %s", status, errs.String())
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestColors(t *testing.T) {
	plain, colored := &program{}, &program{Color: true}
	for _, v := range []trust.Verdict{trust.Good, trust.Bad, trust.Unknown, skipped} {
		if s := plain.verdict(v); strings.TrimSpace(s) != string(v) || len(s) != 8 {
			t.Errorf("without colours: %q", s)
		}
		if s := colored.verdict(v); v != skipped && s == plain.verdict(v) {
			t.Errorf("%s has no colour", v)
		}
	}
}

func TestBar(t *testing.T) {
	from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, at := range []time.Time{from.AddDate(-1, 0, 0), from, from.AddDate(0, 6, 0), to, to.AddDate(5, 0, 0)} {
		if s := bar(from, to, at); strings.Count(s, "●") != 1 || len([]rune(s)) != 25 {
			t.Errorf("at %s: %q", at, s)
		}
	}
	bar(to, from, from) // a life of negative length must not divide by zero
}

func FuzzRecognise(f *testing.F) {
	f.Add([]byte("<a/>"))
	f.Add(document())
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"))
	f.Add([]byte{0x30, 3, 2, 1, 3})
	f.Add([]byte{0x30, 0x84, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		things, err := recognise(data)
		if err == nil && len(things) == 0 {
			t.Error("nothing was found, and no error")
		}
	})
}

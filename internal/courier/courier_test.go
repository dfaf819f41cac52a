package courier

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"senim/internal/notice"
)

func TestNewRefuses(t *testing.T) {
	good := Config{URL: "smtp://mail.example:587", From: "noreply@senim.example"}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"scheme":        func(c *Config) { c.URL = "http://mail.example" },
		"no host":       func(c *Config) { c.URL = "smtp://" },
		"tls":           func(c *Config) { c.URL = "smtp://mail.example?tls=maybe" },
		"sender":        func(c *Config) { c.From = "nobody" },
		"bounce":        func(c *Config) { c.Bounce = "nobody" },
		"open password": func(c *Config) { c.URL = "smtp://u:p@mail.example:25?tls=none" },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// The headers of rule I10, and none that a value brought along.
func TestHeaders(t *testing.T) {
	s, err := New(Config{URL: "smtp://localhost?tls=none", From: "noreply@senim.example", Name: "Сенім",
		Now: func() time.Time { return time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.message(notice.Letter{ID: "ab12", To: "b@example.kz", Subject: "x\r\nBcc: all@example.kz", Text: "hi", HTML: "<p>hi</p>"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(b.String(), "\r\n\r\n")
	for _, want := range []string{"Auto-Submitted: auto-generated", "Message-ID: <ab12@senim.example>", "Reply-To: <noreply@senim.example>", "To: <b@example.kz>", "Date: Mon, 02 Mar 2026"} {
		if !strings.Contains(head, want) {
			t.Errorf("no %q in\n%s", want, head)
		}
	}
	if strings.Contains(head, "\nBcc:") {
		t.Errorf("a value made a header:\n%s", head)
	}
}

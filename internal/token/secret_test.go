package token

import (
	"bytes"
	"testing"
)

// keeping is a writer that keeps what it was given, as memory does.
type keeping struct{ given [][]byte }

func (k *keeping) Write(p []byte) (int, error) {
	k.given = append(k.given, p)
	return len(p), nil
}

// TestPINIsWiped: of the PIN nothing stays in what was sent, nor in a token that is closed.
func TestPINIsWiped(t *testing.T) {
	var k keeping
	if err := send(&k, request{Op: opOpen, PIN: []byte("12345678")}); err != nil {
		t.Fatal(err)
	}
	for _, p := range k.given {
		if len(bytes.Trim(p, "\x00")) > 0 {
			t.Errorf("%q is left", p)
		}
	}
	pin := []byte("12345678")
	token, err := Later(Config{Program: "p", Module: "m", Label: "l", PIN: pin})
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Close(); err != nil {
		t.Fatal(err)
	}
	if len(bytes.Trim(token.c.PIN, "\x00")) > 0 || string(pin) != "12345678" {
		t.Errorf("%q is left, the caller has %q", token.c.PIN, pin)
	}
}

// TestLookFits: whatever is plugged in, what it shows comes through the pipe.
func TestLookFits(t *testing.T) {
	one := Plugged{Label: "x", Serial: "1"}
	for range MaxCertificates {
		one.Certificates = append(one.Certificates, Certificate{ID: make([]byte, 64), DER: bytes.Repeat([]byte{0xff}, MaxCertificate)})
	}
	var in, out bytes.Buffer
	if err := send(&in, request{Op: opLook, Module: "m"}); err != nil {
		t.Fatal(err)
	}
	var all []Plugged
	for range MaxTokens + 1 {
		all = append(all, one)
	}
	if err := Serve(&in, &out, nil, func(string) ([]Plugged, error) { return all, nil }); err != nil {
		t.Fatal(err)
	}
	var a response
	if err := receive(&out, &a); err != nil || len(a.Plugged) != MaxTokens {
		t.Errorf("%d tokens, %v", len(a.Plugged), err)
	}
}

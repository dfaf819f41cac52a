//go:build pkcs11

package main

import (
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"senim/internal/token"
)

// A key that could be taken out of the token is not used, whoever made it there.
func TestDriverRefusesKeysThatCouldLeave(t *testing.T) {
	h := newSoftHSM(t)
	opened, err := open(token.Config{Module: h.Module, Label: h.Label, PIN: []byte(h.PIN)})
	if err != nil {
		t.Fatal(err)
	}
	d := opened.(*driver)
	defer func() { _ = d.Close() }()
	for name, c := range map[string]struct{ sensitive, extractable bool }{"extractable": {true, true}, "not sensitive": {false, false}, "both": {false, true}} {
		_, _, err := d.p.GenerateKeyPair(d.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, nil)},
			[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_LABEL, name), pkcs11.NewAttribute(pkcs11.CKA_MODULUS_BITS, 2048), pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1})},
			[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_LABEL, name), pkcs11.NewAttribute(pkcs11.CKA_SIGN, true),
				pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, c.sensitive), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, c.extractable)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Key(name); err == nil || !strings.Contains(err.Error(), "could be taken out") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

//go:build pkcs11

package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/miekg/pkcs11"

	"senim/internal/token"
)

// driver is an open session with a token.
type driver struct {
	p       *pkcs11.Ctx
	session pkcs11.SessionHandle
	slot    uint
}

// open finds the token by its label, and its serial number when one is given, and logs in as its user.
func open(at token.Config) (token.Driver, error) {
	p := pkcs11.New(at.Module)
	if p == nil {
		return nil, fmt.Errorf("%s cannot be loaded as a PKCS #11 driver", at.Module)
	}
	d := &driver{p: p}
	if err := d.login(at); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *driver) login(at token.Config) error {
	if err := d.p.Initialize(); err != nil {
		return fmt.Errorf("initialize the driver: %w", err)
	}
	slots, err := d.p.GetSlotList(true)
	if err != nil {
		return fmt.Errorf("list the slots: %w", err)
	}
	var found []uint
	for _, slot := range slots {
		info, err := d.p.GetTokenInfo(slot)
		if err == nil && info.Label == at.Label && (at.Serial == "" || strings.TrimSpace(info.SerialNumber) == at.Serial) {
			found = append(found, slot)
		}
	}
	if len(found) != 1 {
		return fmt.Errorf("%d tokens have the label %q, one is wanted", len(found), at.Label)
	}
	d.slot = found[0]
	if d.session, err = d.p.OpenSession(d.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION); err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	err = d.p.Login(d.session, pkcs11.CKU_USER, string(at.PIN))
	switch code, _ := errors.AsType[pkcs11.Error](err); code {
	case pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_LOCKED, pkcs11.CKR_PIN_EXPIRED, pkcs11.CKR_PIN_LEN_RANGE, pkcs11.CKR_PIN_INVALID:
		return token.ErrPIN
	}
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	return nil
}

// Close leaves the token and the driver.
func (d *driver) Close() error {
	_ = d.p.Finalize() // ends the session too
	d.p.Destroy()
	return nil
}

// find returns the only object of a class and name; the name may be an identifier (token.NameOf).
func (d *driver) find(class uint, name string) (pkcs11.ObjectHandle, error) {
	want := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_LABEL, name)}
	if id, ok := token.IDOf(name); ok {
		want[1] = pkcs11.NewAttribute(pkcs11.CKA_ID, id)
	}
	if err := d.p.FindObjectsInit(d.session, want); err != nil {
		return 0, fmt.Errorf("look for %s: %w", name, err)
	}
	found, _, err := d.p.FindObjects(d.session, 2)
	if err = errors.Join(err, d.p.FindObjectsFinal(d.session)); err != nil {
		return 0, fmt.Errorf("look for %s: %w", name, err)
	}
	switch len(found) {
	case 0:
		return 0, token.ErrNotFound
	case 1:
		return found[0], nil
	}
	return 0, fmt.Errorf("several keys have the name %s", name)
}

// Key returns the public half of a key, and refuses one that could leave the token.
func (d *driver) Key(name string) ([]byte, error) {
	key, err := d.find(pkcs11.CKO_PRIVATE_KEY, name)
	if err != nil {
		return nil, err
	}
	kept, err := d.p.GetAttributeValue(d.session, key, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, nil), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, nil), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, nil)})
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", name, err)
	}
	if truth(kept[0].Value) || !truth(kept[1].Value) {
		return nil, fmt.Errorf("key %s could be taken out of the token: it is not used", name)
	}
	if number(kept[2].Value) == gostKeyType {
		return d.gostKey(name)
	}
	public, err := d.find(pkcs11.CKO_PUBLIC_KEY, name)
	if err != nil {
		return nil, fmt.Errorf("public half of %s: %w", name, err)
	}
	parts, err := d.p.GetAttributeValue(d.session, public, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_MODULUS, nil), pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, nil)})
	if err != nil {
		return nil, fmt.Errorf("read the public half of %s: %w", name, err)
	}
	e := new(big.Int).SetBytes(parts[1].Value)
	if !e.IsInt64() || e.Int64() != 65537 {
		return nil, fmt.Errorf("key %s has another exponent than 65537", name)
	}
	return x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(parts[0].Value), E: 65537})
}

// truth reads a CK_BBOOL.
func truth(b []byte) bool { return len(b) == 1 && b[0] != 0 }

// Generate makes a pair that stays: sensitive, not extractable, for signing and nothing else.
func (d *driver) Generate(name string, kind token.Kind, bits int) ([]byte, error) {
	mechanism, public, private := uint(pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN), rsaTemplate(bits), []*pkcs11.Attribute(nil)
	if kind == token.GOST512 {
		mechanism, public, private = gostGenerate, gostTemplate(), gostTemplate()
	}
	if err := d.can(mechanism); err != nil {
		return nil, fmt.Errorf("generate %s: %w", name, err)
	}
	for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY} {
		switch _, err := d.find(class, name); {
		case err == nil:
			return nil, token.ErrExists
		case !errors.Is(err, token.ErrNotFound):
			return nil, err
		}
	}
	label, id := name, []byte(name)
	if given, ok := token.IDOf(name); ok {
		label, id = hex.EncodeToString(given), given
	}
	both := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label), pkcs11.NewAttribute(pkcs11.CKA_ID, id)}
	public = slices.Concat(both, public, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true)})
	private = slices.Concat(both, private, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_SIGN, true), pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, false), pkcs11.NewAttribute(pkcs11.CKA_UNWRAP, false)})
	_, _, err := d.p.GenerateKeyPair(d.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, public, private)
	if code, _ := errors.AsType[pkcs11.Error](err); code == pkcs11.CKR_MECHANISM_INVALID {
		err = token.ErrCannot
	}
	if err != nil {
		return nil, fmt.Errorf("generate %s: %w", name, err)
	}
	return d.Key(name)
}

// rsaTemplate is what of a public half is RSA's.
func rsaTemplate(bits int) []*pkcs11.Attribute {
	return []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, false), pkcs11.NewAttribute(pkcs11.CKA_WRAP, false),
		pkcs11.NewAttribute(pkcs11.CKA_MODULUS_BITS, bits), pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1})}
}

// can tells whether the token has a mechanism.
func (d *driver) can(mechanism uint) error {
	list, err := d.p.GetMechanismList(d.slot)
	if err != nil {
		return fmt.Errorf("list the mechanisms: %w", err)
	}
	if !slices.ContainsFunc(list, func(m *pkcs11.Mechanism) bool { return m.Mechanism == mechanism }) {
		return token.ErrCannot
	}
	return nil
}

// prefix is a DigestInfo without the digest (RFC 8017 section 9.2, note 1).
func prefix(h crypto.Hash) ([]byte, bool) {
	switch h {
	case crypto.SHA256:
		return []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, true
	case crypto.SHA384:
		return []byte{0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30}, true
	case crypto.SHA512:
		return []byte{0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40}, true
	default:
		return nil, false
	}
}

// Sign signs a digest; with RSA the token pads.
func (d *driver) Sign(name string, h crypto.Hash, digest []byte) ([]byte, error) {
	head, mechanism := []byte(nil), uint(gostSign)
	if h != 0 {
		var ok bool
		if head, ok = prefix(h); !ok {
			return nil, fmt.Errorf("sign with %s: digest by %s", name, h)
		}
		mechanism = pkcs11.CKM_RSA_PKCS
	}
	key, err := d.find(pkcs11.CKO_PRIVATE_KEY, name)
	if err != nil {
		return nil, err
	}
	if err := d.p.SignInit(d.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, key); err != nil {
		return nil, fmt.Errorf("sign with %s: %w", name, err)
	}
	value, err := d.p.Sign(d.session, append(head, digest...))
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", name, err)
	}
	return value, nil
}

//go:build pkcs11

package main

import (
	"encoding/binary"
	"fmt"

	"github.com/miekg/pkcs11"

	"senim/algid"
	"senim/gost"
)

// TC 26's numbers for GOST R 34.10-2012 of 512 bits; the standard itself stops at 256.
const (
	gostKeyType  = 0xd4321003
	gostGenerate = 0xd4321005
	gostSign     = 0xd4321006
)

// The curve, id-tc26-gost-3410-12-512-paramSetA, and the hash, id-tc26-gost3411-12-512, as DER.
var (
	gostCurve = []byte{0x06, 0x09, 0x2a, 0x85, 0x03, 0x07, 0x01, 0x02, 0x01, 0x02, 0x01}
	gostHash  = []byte{0x06, 0x08, 0x2a, 0x85, 0x03, 0x07, 0x01, 0x01, 0x02, 0x03}
)

// gostTemplate is what both halves of a pair say of their algorithm.
func gostTemplate() []*pkcs11.Attribute {
	return []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, uint(gostKeyType)),
		pkcs11.NewAttribute(pkcs11.CKA_GOSTR3410_PARAMS, gostCurve), pkcs11.NewAttribute(pkcs11.CKA_GOSTR3411_PARAMS, gostHash)}
}

// gostKey returns the public half of a GOST key: x‖y, each little-endian, which some drivers wrap as OCTET STRING.
func (d *driver) gostKey(name string) ([]byte, error) {
	public, err := d.find(pkcs11.CKO_PUBLIC_KEY, name)
	if err != nil {
		return nil, fmt.Errorf("public half of %s: %w", name, err)
	}
	parts, err := d.p.GetAttributeValue(d.session, public, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil), pkcs11.NewAttribute(pkcs11.CKA_GOSTR3410_PARAMS, nil)})
	if err != nil {
		return nil, fmt.Errorf("read the public half of %s: %w", name, err)
	}
	if string(parts[1].Value) != string(gostCurve) {
		return nil, fmt.Errorf("key %s is on another curve", name)
	}
	xy := parts[0].Value
	if len(xy) == 131 && xy[0] == 4 && xy[1] == 0x81 && xy[2] == 128 {
		xy = xy[3:]
	}
	key, err := gost.NewPublicKey(gost.TC26_512A(), xy)
	if err != nil {
		return nil, fmt.Errorf("read the public half of %s: %w", name, err)
	}
	return algid.MarshalPublicKey(key)
}

// number reads a CK_ULONG, in the order of this machine.
func number(b []byte) uint {
	switch len(b) {
	case 8:
		return uint(binary.NativeEndian.Uint64(b))
	case 4:
		return uint(binary.NativeEndian.Uint32(b))
	}
	return 0
}

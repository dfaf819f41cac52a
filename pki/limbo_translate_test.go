package pki_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

// translator turns a case of x509-limbo, signed with ECDSA, which is no algorithm of the national
// PKI, into the same case signed with GOST512: every ECDSA or RSA key becomes a throw-away GOST key
// (the same key the same one), and what verified before is signed again. All other bytes, among them
// key identifiers and extensions, stay. What did not verify gets a signature that does not either;
// keys of other kinds and sizes stay as they are.
type translator struct {
	t    *testing.T
	all  []*rawSigned             // of the case: who may have signed
	keys map[string]crypto.Signer // by original SubjectPublicKeyInfo
}

// rawSigned is a certificate or list cut into pieces.
type rawSigned struct {
	der        []byte
	elements   []cryptobyte.String // of the TBS
	tbs, outer []byte
	signature  []byte
	list       bool
}

// at returns the element of the TBS i places after the signature algorithm.
func (r *rawSigned) at(i int) []byte {
	for k, e := range r.elements {
		if e[0] == 0x30 { // the first SEQUENCE is the algorithm
			if k+i < len(r.elements) {
				return r.elements[k+i]
			}
			break
		}
	}
	return nil
}

func (r *rawSigned) inner() []byte   { return r.at(0) }
func (r *rawSigned) issuer() []byte  { return r.at(1) }
func (r *rawSigned) subject() []byte { return r.at(3) } // of certificates
func (r *rawSigned) spki() []byte    { return r.at(4) }

// cut takes a DER apart; nil when it is too broken for that, and so is passed on untouched.
func cut(der []byte, list bool) *rawSigned {
	r := &rawSigned{der: der, list: list}
	in := cryptobyte.String(der)
	var body, tbs, outer, inside cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Element(&tbs, cbasn1.SEQUENCE) ||
		!body.ReadASN1Element(&outer, cbasn1.SEQUENCE) || !body.ReadASN1BitStringAsBytes(&r.signature) {
		return nil
	}
	r.tbs, r.outer = tbs, outer
	if !tbs.ReadASN1(&inside, cbasn1.SEQUENCE) {
		return nil
	}
	for !inside.Empty() {
		var e cryptobyte.String
		var tag cbasn1.Tag
		if !inside.ReadAnyASN1Element(&e, &tag) {
			return nil
		}
		r.elements = append(r.elements, e)
	}
	if r.issuer() == nil || !list && r.spki() == nil {
		return nil
	}
	return r
}

// key is the GOST key that stands for the original; nil when that one stays.
func (tr *translator) key(spki []byte) crypto.Signer {
	if k, ok := tr.keys[string(spki)]; ok {
		return k
	}
	var k crypto.Signer
	switch pub, _ := x509.ParsePKIXPublicKey(spki); pub := pub.(type) {
	case *ecdsa.PublicKey:
		if pub.Curve.Params().BitSize >= 256 {
			k = pkitest.NewKey(tr.t, algid.GOST512)
		}
	case *rsa.PublicKey:
		if n := pub.N.BitLen(); n >= 2048 && n%8 == 0 {
			k = pkitest.NewKey(tr.t, algid.GOST512)
		}
	}
	tr.keys[string(spki)] = k
	return k
}

// signer returns the SubjectPublicKeyInfo whose key made the original signature, or nil.
func (tr *translator) signer(r *rawSigned) []byte {
	for _, c := range tr.all {
		if !c.list && bytes.Equal(c.subject(), r.issuer()) && verifies(c.spki(), r) {
			return c.spki()
		}
	}
	return nil
}

func verifies(spki []byte, r *rawSigned) bool {
	outer := cryptobyte.String(r.outer)
	oid, _, err := algid.ReadIdentifier(&outer)
	pub, parseErr := x509.ParsePKIXPublicKey(spki)
	hash, ok := map[string]algid.Hash{
		"1.2.840.10045.4.3.2": algid.SHA256, "1.2.840.10045.4.3.3": algid.SHA384, "1.2.840.10045.4.3.4": algid.SHA512,
		"1.2.840.113549.1.1.11": algid.SHA256, "1.2.840.113549.1.1.12": algid.SHA384, "1.2.840.113549.1.1.13": algid.SHA512,
	}[oid.String()]
	if err != nil || parseErr != nil || !ok {
		return false
	}
	switch pub := pub.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(pub, hash.Sum(r.tbs), r.signature)
	case *rsa.PublicKey:
		sig, known := algid.SignatureByOID(oid)
		return known && sig.Verify(pub, r.tbs, r.signature) == nil
	}
	return false
}

// translate returns the DER of the same thing under GOST.
func (tr *translator) translate(r *rawSigned) []byte {
	if !bytes.Equal(r.inner(), r.outer) {
		return r.der // the point of its case
	}
	spki := tr.signer(r)
	var by crypto.Signer
	if spki != nil {
		if by = tr.key(spki); by == nil {
			return r.der // signed with a key that stays
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		algorithm, key := r.inner(), r.spki()
		for _, e := range r.elements {
			switch {
			case &e[0] == &algorithm[0]:
				b.AddBytes(algid.GOST512Sig.Identifier())
			case !r.list && &e[0] == &key[0] && tr.key(key) != nil:
				der, err := algid.MarshalPublicKey(tr.key(key).Public())
				if err != nil {
					tr.t.Fatal(err)
				}
				b.AddBytes(der)
			default:
				b.AddBytes(e)
			}
		}
	})
	tbs := b.BytesOrPanic()
	value := make([]byte, 128)
	if by != nil {
		var err error
		if value, err = algid.GOST512Sig.Sign(nil, by, tbs); err != nil {
			tr.t.Fatal(err)
		}
	}
	return pki.Assemble(tbs, algid.GOST512Sig, value)
}

// translatePEM reads and translates; the order is kept.
func (tr *translator) translatePEM(texts []string, list bool) [][]byte {
	var out [][]byte
	for _, text := range texts {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			tr.t.Fatal("not PEM")
		}
		if r := cut(block.Bytes, list); r != nil {
			out = append(out, tr.translate(r))
		} else {
			out = append(out, block.Bytes)
		}
	}
	return out
}

// learn notes the certificates of the case before anything is translated.
func (tr *translator) learn(texts []string) {
	for _, text := range texts {
		if block, _ := pem.Decode([]byte(text)); block != nil {
			if r := cut(block.Bytes, false); r != nil {
				tr.all = append(tr.all, r)
			}
		}
	}
}

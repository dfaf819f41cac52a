package pki

import (
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// extensions writes every extension the template asks for, in the fixed order.
func (t *Template) extensions() ([]Extension, error) {
	var list []Extension
	var failed error
	add := func(oid asn1.ObjectIdentifier, critical, wanted bool, write func(*cryptobyte.Builder)) {
		if !wanted || failed != nil {
			return
		}
		var b cryptobyte.Builder
		write(&b)
		der, err := b.Bytes()
		if err != nil {
			failed = fmt.Errorf("extension %v: %w", oid, err)
		}
		list = append(list, Extension{OID: oid, Critical: critical, Value: der})
	}
	ski := t.SubjectKeyID
	if ski == nil {
		ski = algid.KeyID(t.PublicKey)
	}
	add(extBasicConstraints, true, t.IsCA, t.addBasicConstraints)
	add(extPolicies, false, len(t.Policies) > 0, t.addPolicies)
	add(extAuthorityInfo, false, len(t.OCSP)+len(t.Issuers) > 0, t.addAuthorityInfo)
	add(extCRLPoints, false, len(t.CRL) > 0, func(b *cryptobyte.Builder) { addPoints(b, t.CRL) })
	add(extFreshestCRL, false, len(t.DeltaCRL) > 0, func(b *cryptobyte.Builder) { addPoints(b, t.DeltaCRL) })
	add(extSubjectAltName, false, len(t.Emails)+len(t.DNSNames) > 0, func(b *cryptobyte.Builder) { addAltNames(b, t.Emails, t.DNSNames) })
	add(extExtKeyUsage, t.ExtKeyUsageCritical, len(t.ExtKeyUsage) > 0, t.addExtKeyUsage)
	add(extKeyUsage, true, t.KeyUsage != 0, func(b *cryptobyte.Builder) { b.AddBytes(keyUsageBits(t.KeyUsage)) })
	add(extSubjectKeyID, false, true, func(b *cryptobyte.Builder) { b.AddASN1OctetString(ski) })
	add(extAuthorityKeyID, false, t.AuthorityKeyID != nil, t.addAuthorityKeyID)
	add(KeyStore, false, t.Storage != nil, func(b *cryptobyte.Builder) { addKeyStore(b, t.Storage) })
	add(extOCSPNoCheck, false, t.NoCheck, func(b *cryptobyte.Builder) { b.AddASN1NULL() })
	if failed != nil {
		return nil, failed
	}
	for _, e := range t.Extra {
		if _, twice := findExtension(list, e.OID); twice {
			return nil, fmt.Errorf("extension %v twice", e.OID)
		}
		list = append(list, e)
	}
	return list, nil
}

func (t *Template) addBasicConstraints(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Boolean(true)
		if t.MaxPathLen >= 0 {
			b.AddASN1Int64(int64(t.MaxPathLen))
		}
	})
}

func (t *Template) addPolicies(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, p := range t.Policies {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(p.OID)
				if p.CPS != "" || p.Notice != "" {
					b.AddASN1(cbasn1.SEQUENCE, p.addQualifiers)
				}
			})
		}
	})
}

func (p Policy) addQualifiers(b *cryptobyte.Builder) {
	if p.CPS != "" {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(qualifierCPS)
			addASCII(b, cbasn1.IA5String, p.CPS)
		})
	}
	if p.Notice != "" {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(qualifierNotice)
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(p.Notice)) })
			})
		})
	}
}

func (t *Template) addAuthorityInfo(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		add := func(method asn1.ObjectIdentifier, urls []string) {
			for _, url := range urls {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(method)
					addASCII(b, context(6), url)
				})
			}
		}
		add(accessOCSP, t.OCSP)
		add(accessCAIssuers, t.Issuers)
	})
}

func (t *Template) addExtKeyUsage(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, oid := range t.ExtKeyUsage {
			b.AddASN1ObjectIdentifier(oid)
		}
	})
}

func (t *Template) addAuthorityKeyID(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(context(0), func(b *cryptobyte.Builder) { b.AddBytes(t.AuthorityKeyID) })
		if t.AuthorityIssuer == nil {
			return
		}
		b.AddASN1(constructed(1), func(b *cryptobyte.Builder) {
			b.AddASN1(constructed(4), func(b *cryptobyte.Builder) { b.AddBytes(t.AuthorityIssuer) })
		})
		var serial cryptobyte.Builder
		serial.AddASN1BigInt(t.AuthoritySerial)
		der := cryptobyte.String(serial.BytesOrPanic())
		var content cryptobyte.String
		if !der.ReadASN1(&content, cbasn1.INTEGER) {
			b.SetError(errDER)
		}
		b.AddASN1(context(2), func(b *cryptobyte.Builder) { b.AddBytes(content) })
	})
}

func addPoints(b *cryptobyte.Builder, urls []string) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, url := range urls {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(constructed(0), func(b *cryptobyte.Builder) {
					b.AddASN1(constructed(0), func(b *cryptobyte.Builder) { addASCII(b, context(6), url) })
				})
			})
		}
	})
}

func addAltNames(b *cryptobyte.Builder, emails, hosts []string) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, e := range emails {
			addASCII(b, context(1), e)
		}
		for _, h := range hosts {
			addASCII(b, context(2), h)
		}
	})
}

func addKeyStore(b *cryptobyte.Builder, kind asn1.ObjectIdentifier) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(kind) })
}

func addASCII(b *cryptobyte.Builder, tag cbasn1.Tag, text string) {
	if !isASCII([]byte(text)) {
		b.SetError(fmt.Errorf("%q is not ASCII", text))
	}
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
}

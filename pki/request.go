package pki

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// Request is a certificate request (PKCS #10, RFC 2986). Slices share memory with Raw: do not change them.
type Request struct {
	Raw        []byte // the whole DER, at most 16 KiB
	RawInfo    []byte // what is signed
	RawSubject []byte // DER Name
	RawSPKI    []byte // DER SubjectPublicKeyInfo

	Subject        Name
	PublicKey      crypto.PublicKey
	Key            algid.Key       // what kind PublicKey is
	Signature      algid.Signature // of that key: proof of possession, for CheckSignature
	SignatureValue []byte          // the content of the BIT STRING

	// From extensionRequest. An authority takes these and nothing else from there.
	Emails, DNSNames []string
	Storage          asn1.ObjectIdentifier // kind of key store; nil when absent
	Extensions       []Extension           // all that were asked for, as they stand
}

// RequestTemplate is what a request asks for.
type RequestTemplate struct {
	Subject Name                  // read, never kept
	Emails  []string              // SAN rfc822Name, in this order
	Storage asn1.ObjectIdentifier // nil = StoragePKCS12
}

// ParseRequest reads one DER request; nothing may follow it. The signature is not checked: see
// [Request.CheckSignature]. The path a key-store extension may carry is dropped.
func ParseRequest(der []byte) (*Request, error) {
	r, err := parseRequest(der)
	if err != nil {
		return nil, fmt.Errorf("parse certificate request: %w", err)
	}
	return r, nil
}

func parseRequest(der []byte) (*Request, error) {
	info, alg, value, err := readSigned(der, maxRequest)
	if err != nil {
		return nil, err
	}
	r := &Request{Raw: der, RawInfo: info, SignatureValue: value}
	if r.Signature, err = algid.ReadSignature(&alg); err != nil {
		return nil, err
	}
	body, err := inside(info, cbasn1.SEQUENCE)
	if err != nil {
		return nil, err
	}
	var version int
	var okSubject, okKey bool
	if !body.ReadASN1Integer(&version) || version != 0 {
		return nil, errors.New("version not known")
	}
	r.RawSubject, okSubject = readSequence(&body)
	r.RawSPKI, okKey = readSequence(&body)
	if !okSubject || !okKey {
		return nil, errDER
	}
	if r.Subject, err = ParseName(r.RawSubject); err != nil {
		return nil, err
	}
	if r.PublicKey, r.Key, err = algid.ParsePublicKey(r.RawSPKI); err != nil {
		return nil, err
	}
	return r, r.readAttributes(&body)
}

// readAttributes takes the attributes: [0] IMPLICIT SET OF, which Kalkan leaves out when empty.
func (r *Request) readAttributes(in *cryptobyte.String) error {
	var set cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&set, &present, constructed(0)) || !in.Empty() {
		return errDER
	}
	for !set.Empty() {
		var attribute, values cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !set.ReadASN1(&attribute, cbasn1.SEQUENCE) || !attribute.ReadASN1ObjectIdentifier(&oid) ||
			!attribute.ReadASN1(&values, cbasn1.SET) || !attribute.Empty() {
			return errDER
		}
		if !oid.Equal(attrExtensions) {
			continue
		}
		if r.Extensions != nil {
			return errors.New("extensionRequest twice")
		}
		var err error
		if r.Extensions, err = readExtensionList(&values); err != nil {
			return err
		}
		if !values.Empty() {
			return errDER
		}
	}
	return r.understand()
}

func (r *Request) understand() (err error) {
	for _, e := range r.Extensions {
		switch {
		case e.OID.Equal(extSubjectAltName):
			var names []generalName
			names, err = readAltNames(e.Value)
			r.Emails, r.DNSNames = texts(names, nameEmail), texts(names, nameHost)
		case e.OID.Equal(KeyStore):
			r.Storage, err = readKeyStore(e.Value)
		}
		if err != nil {
			return fmt.Errorf("extension %v: %w", e.OID, err)
		}
	}
	return nil
}

// CheckSignature verifies that whoever wrote the request holds its private key.
func (r *Request) CheckSignature() error {
	if err := r.Signature.Verify(r.PublicKey, r.RawInfo, r.SignatureValue); err != nil {
		return fmt.Errorf("certificate request: %w", err)
	}
	return nil
}

// CreateRequest writes and signs a request as agent.md §4.1 says: extensionRequest with SAN
// rfc822Name and the kind of key store, without a path.
func CreateRequest(rand io.Reader, key crypto.Signer, t RequestTemplate) ([]byte, error) {
	sig, err := algid.SignatureFor(key.Public())
	if err != nil {
		return nil, fmt.Errorf("create certificate request: %w", err)
	}
	info, err := t.info(key.Public())
	if err != nil {
		return nil, fmt.Errorf("create certificate request: %w", err)
	}
	der, err := signed(rand, key, sig, info)
	if err != nil {
		return nil, fmt.Errorf("create certificate request: %w", err)
	}
	return der, nil
}

func (t RequestTemplate) info(pub crypto.PublicKey) ([]byte, error) {
	subject, err := t.Subject.Marshal()
	if err != nil {
		return nil, err
	}
	spki, err := algid.MarshalPublicKey(pub)
	if err != nil {
		return nil, err
	}
	asked, err := t.extensions()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddBytes(subject)
		b.AddBytes(spki)
		b.AddASN1(constructed(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(attrExtensions)
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { addExtensions(b, asked) })
			})
		})
	})
	return b.Bytes()
}

func (t RequestTemplate) extensions() ([]Extension, error) {
	storage := t.Storage
	if storage == nil {
		storage = StoragePKCS12
	}
	var names, store cryptobyte.Builder
	addAltNames(&names, t.Emails, nil)
	addKeyStore(&store, storage)
	storeDER, err := store.Bytes()
	if err != nil {
		return nil, err
	}
	list := []Extension{{OID: KeyStore, Value: storeDER}}
	if len(t.Emails) == 0 {
		return list, nil
	}
	namesDER, err := names.Bytes()
	if err != nil {
		return nil, err
	}
	return append([]Extension{{OID: extSubjectAltName, Value: namesDER}}, list...), nil
}

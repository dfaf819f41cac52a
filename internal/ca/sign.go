package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"senim/algid"
	"senim/gost"
	"senim/internal/lint"
	"senim/pki"
)

// token lets an issuer sign one TBS, once. Only prepare makes it, after all lints have passed, and
// only sign spends it.
type token struct {
	issuer [32]byte // fingerprint of the issuer's certificate; all zero for a self-signed root
	tbs    [32]byte
	spent  atomic.Bool
}

// Errors of a token used for what it was not made for. They cannot happen unless the code is wrong.
var (
	errToken = errors.New("the issuance token is for another issuer or other bytes")
	errSpent = errors.New("the issuance token is spent")
)

// practice holds throw-away keys, one for each kind of key, made when first needed.
type practice struct {
	mu   sync.Mutex
	keys map[algid.Key]crypto.Signer
}

// key returns the throw-away key of a kind. It signs nothing that leaves this package.
func (p *practice) key(k algid.Key, random io.Reader) (crypto.Signer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key, ok := p.keys[k]; ok {
		return key, nil
	}
	key, err := generate(k, 2048, random)
	if err != nil {
		return nil, err
	}
	if p.keys == nil {
		p.keys = map[algid.Key]crypto.Signer{}
	}
	p.keys[k] = key
	return key, nil
}

// generate makes a key pair of a kind; bits matter to RSA only.
func generate(k algid.Key, bits int, random io.Reader) (crypto.Signer, error) {
	switch k {
	case algid.GOST512:
		return gost.GenerateKey(gost.TC26_512A(), random)
	case algid.RSA:
		return rsa.GenerateKey(random, bits)
	default:
		return nil, fmt.Errorf("generate key: kind %s is not issued", k)
	}
}

// prepare is prove for certificates that no profile is needed for: those of authorities and their
// services.
func (p *practice) prepare(random io.Reader, kind lint.Kind, issuer *pki.Certificate, tbs []byte, maxDays int, sig algid.Signature) (*token, error) {
	return p.prove(random, lint.Subject{Kind: kind, Issuer: issuer, MaxDays: maxDays}, tbs, sig)
}

// prove signs tbs with a throw-away key of the issuer's kind, lints what comes out as s says, and
// returns the token for the real signature. s has no issuer for a self-signed root.
func (p *practice) prove(random io.Reader, s lint.Subject, tbs []byte, sig algid.Signature) (*token, error) {
	key, err := p.key(sig.Key(), random)
	if err != nil {
		return nil, err
	}
	value, err := sig.Sign(random, key, tbs)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	cert, err := pki.ParseCertificate(pki.Assemble(tbs, sig, value))
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	if !bytes.Equal(cert.RawTBS, tbs) {
		return nil, errors.New("lint: the certificate does not hold the bytes it was made of")
	}
	s.Certificate = cert
	if err := lint.Certificate(s); err != nil {
		return nil, err
	}
	t := &token{tbs: sha256.Sum256(tbs)}
	if s.Issuer != nil {
		t.issuer = s.Issuer.Fingerprint()
	}
	return t, nil
}

// sign is the one place where an authority's key signs a certificate. It spends t, signs exactly
// tbs, and holds the result against the issuer's public key and against tbs before giving it out.
func sign(random io.Reader, key crypto.Signer, issuer *pki.Certificate, t *token, tbs []byte) ([]byte, error) {
	return signProved(random, key, issuer, t, tbs, (*pki.Certificate).CheckSignatureFrom)
}

// signProved is sign with another way to verify the signature.
func signProved(random io.Reader, key crypto.Signer, issuer *pki.Certificate, t *token, tbs []byte, verify func(c, issuer *pki.Certificate) error) ([]byte, error) {
	var who [32]byte
	if issuer != nil {
		who = issuer.Fingerprint()
	}
	if t == nil || t.issuer != who || t.tbs != sha256.Sum256(tbs) {
		return nil, errToken
	}
	if t.spent.Swap(true) {
		return nil, errSpent
	}
	sig, err := algid.SignatureFor(key.Public())
	if err != nil {
		return nil, err
	}
	value, err := sig.Sign(random, key, tbs)
	if err != nil {
		return nil, err
	}
	raw := pki.Assemble(tbs, sig, value)
	cert, err := pki.ParseCertificate(raw)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(cert.RawTBS, tbs) {
		return nil, errors.New("signed other bytes than intended")
	}
	if issuer == nil {
		issuer = cert
	}
	if err := verify(cert, issuer); err != nil {
		return nil, err
	}
	return raw, nil
}

// sign signs with the authority's key.
func (a *authority) sign(ctx context.Context, random io.Reader, t *token, tbs []byte) ([]byte, error) {
	key, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	return signProved(random, key, a.cert, t, tbs, a.proofs.certificate)
}

// randomSerial is 20 octets, positive, with 40 hex digits: the node and 144 random bits and more
// (crypto.md §7, serial=random).
func randomSerial(random io.Reader, node byte) ([]byte, error) {
	b := make([]byte, 20)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, fmt.Errorf("serial: %w", err)
	}
	b[0] = b[0]&0x7f | 0x10
	b[1] = node
	return b, nil
}

// keySerial is the national rule for leaf certificates: the key identifier with the top bit cleared
// and, when the first digit is then 0, with 0x10 added (crypto.md §7).
func keySerial(public crypto.PublicKey) ([]byte, error) {
	b := bytes.Clone(algid.KeyID(public))
	if len(b) != 20 {
		return nil, errors.New("serial: the key has no identifier")
	}
	b[0] &= 0x7f
	if b[0] < 0x10 {
		b[0] |= 0x10
	}
	return b, nil
}

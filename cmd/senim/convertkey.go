package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"

	"senim/algid"
	"senim/pfx"
	"senim/pki"
)

// fromKeyFile writes what a key file holds in PEM.
func (c *convert) fromKeyFile(ctx context.Context, p *program, one piece) (*result, error) {
	if c.To != "pem" && c.To != "certificate" {
		return nil, &hinted{fmt.Errorf("read %s: a %s has no form %s", one.file, one.kind, c.To), "pem, p12 and certificate go"}
	}
	f, password, err := c.unlock(ctx, p, one)
	if err != nil {
		return nil, err
	}
	all := append([]*pki.Certificate{f.Certificate}, f.Others...)
	if c.To == "certificate" {
		return certificates(" of the key", all)
	}
	out, err := certificates("", all)
	if err != nil {
		return nil, err
	}
	key, err := c.key(ctx, p, f.Key, password)
	if err != nil {
		return nil, err
	}
	out.data = append(out.data, pem.EncodeToMemory(key)...)
	clear(key.Bytes)
	out.what, out.mode = "The certificate with its encrypted key", modeSecret
	if c.Unencrypted {
		out.what = "The certificate with " + secretWarning
	}
	return out, nil
}

// unlock opens a key file and tells its password.
func (c *convert) unlock(ctx context.Context, p *program, one piece) (*pfx.File, string, error) {
	password, err := p.secret(ctx, one.file, c.PasswordFile)
	if err != nil {
		return nil, "", err
	}
	f, err := pfx.Decode(one.keyFile, password)
	if errors.Is(err, pfx.ErrPassword) {
		return nil, "", wrong(one.file, c.PasswordFile, err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("open %s: %w", one.file, err)
	}
	return f, password, nil
}

// key writes a private key: encrypted, unless the person said otherwise.
func (c *convert) key(ctx context.Context, p *program, key crypto.Signer, password string) (*pem.Block, error) {
	if c.Unencrypted {
		der, err := algid.MarshalPrivateKey(key)
		return &pem.Block{Type: labelBareKey, Bytes: der}, err
	}
	password, err := c.password(ctx, p, password)
	if err != nil {
		return nil, err
	}
	der, err := pfx.EncryptPrivateKey(rand.Reader, key, []byte(password))
	return &pem.Block{Type: labelKey, Bytes: der}, err
}

// password is that of what is written: the old one, unless another is given or there was none.
func (c *convert) password(ctx context.Context, p *program, old string) (string, error) {
	if c.NewPasswordFile == "" && old != "" {
		return old, nil
	}
	return p.newSecret(ctx, c.Out, c.NewPasswordFile)
}

// toP12 writes a key file out of another, or out of a key and certificates.
func (c *convert) toP12(ctx context.Context, p *program, pieces []piece) (*result, error) {
	var f *pfx.File
	var password string
	var err error
	if len(pieces) == 1 && pieces[0].kind == kindKeyFile {
		f, password, err = c.unlock(ctx, p, pieces[0])
	} else {
		f, password, err = c.gather(ctx, p, pieces)
	}
	if err != nil {
		return nil, err
	}
	if password, err = c.password(ctx, p, password); err != nil {
		return nil, err
	}
	form := pfx.NCA
	if c.Form == "modern" {
		form = pfx.Modern
	}
	der, err := pfx.Encode(rand.Reader, *f, password, form)
	if err != nil {
		return nil, err
	}
	return &result{der, "The key file", modeSecret}, nil
}

// gather puts a key together with its certificate. It is found by the key, not by the order.
func (c *convert) gather(ctx context.Context, p *program, pieces []piece) (*pfx.File, string, error) {
	f, password := &pfx.File{}, ""
	var certs []*pki.Certificate
	for _, one := range pieces {
		switch one.kind {
		case kindCertificate:
			certs = append(certs, one.certificate)
		case kindKey, kindBareKey:
			if f.Key != nil {
				return nil, "", errors.New("two private keys: a key file holds one")
			}
			var err error
			if f.Key, password, err = c.private(ctx, p, one); err != nil {
				return nil, "", err
			}
		default:
			return nil, "", &hinted{fmt.Errorf("read %s: a %s does not go into a key file", one.file, one.kind), "one key and its certificate, in PEM"}
		}
	}
	if f.Key == nil {
		return nil, "", &hinted{errors.New("there is no private key"), "give the PEM file with " + labelKey + " too"}
	}
	for _, cert := range certs {
		if pub, ok := f.Key.Public().(interface{ Equal(crypto.PublicKey) bool }); ok && f.Certificate == nil && pub.Equal(cert.PublicKey) {
			f.Certificate = cert
		} else {
			f.Others = append(f.Others, cert)
		}
	}
	if f.Certificate == nil {
		return nil, "", &hinted{errors.New("no certificate is of the key"), "give the file with the certificate of this key too"}
	}
	return f, password, nil
}

// private opens a private key in PEM.
func (c *convert) private(ctx context.Context, p *program, one piece) (crypto.Signer, string, error) {
	if one.kind == kindBareKey {
		if !c.Unencrypted {
			return nil, "", &hinted{fmt.Errorf("read %s: %s", one.file, secretWarning), "--unencrypted reads it all the same; then destroy that file"}
		}
		key, err := algid.ParsePrivateKey(one.DER)
		if err != nil {
			return nil, "", fmt.Errorf("read %s: %w", one.file, err)
		}
		return key, "", nil
	}
	password, err := p.secret(ctx, one.file, c.PasswordFile)
	if err != nil {
		return nil, "", err
	}
	key, err := pfx.DecryptPrivateKey(one.DER, []byte(password))
	if errors.Is(err, pfx.ErrPassword) {
		return nil, "", wrong(one.file, c.PasswordFile, err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("open %s: %w", one.file, err)
	}
	return key, password, nil
}

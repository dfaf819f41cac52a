//go:build pkcs11

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/pkcs11"

	"senim/internal/token"
	"senim/pki"
)

// look lists the tokens that are plugged in and their public certificates. Nobody logs in.
func look(module string) ([]token.Plugged, error) {
	p := pkcs11.New(module)
	if p == nil {
		return nil, fmt.Errorf("%s cannot be loaded as a PKCS #11 driver", module)
	}
	d := &driver{p: p}
	defer func() { _ = d.Close() }() // the process ends with it
	if err := p.Initialize(); err != nil {
		return nil, fmt.Errorf("initialize the driver: %w", err)
	}
	slots, err := p.GetSlotList(true)
	if err != nil {
		return nil, fmt.Errorf("list the slots: %w", err)
	}
	var all []token.Plugged
	for _, slot := range slots {
		info, err := p.GetTokenInfo(slot)
		if err != nil || info.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			continue // pulled out meanwhile, or empty
		}
		one := token.Plugged{Label: info.Label, Serial: strings.TrimSpace(info.SerialNumber), Low: info.Flags&pkcs11.CKF_USER_PIN_COUNT_LOW != 0,
			Final: info.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0, Locked: info.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0}
		if one.Certificates, err = certificates(p, slot); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// Certify puts a certificate on the token, public, with the identifier of its key.
func (d *driver) Certify(name string, der []byte) error {
	key, err := d.find(pkcs11.CKO_PRIVATE_KEY, name)
	if err != nil {
		return err
	}
	parts, err := d.p.GetAttributeValue(d.session, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_ID, nil), pkcs11.NewAttribute(pkcs11.CKA_LABEL, nil)})
	if err != nil {
		return fmt.Errorf("read key %s: %w", name, err)
	}
	cert, err := pki.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("certificate of %s: %w", name, err)
	}
	_, err = d.p.CreateObject(d.session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), pkcs11.NewAttribute(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, false),
		pkcs11.NewAttribute(pkcs11.CKA_ID, parts[0].Value), pkcs11.NewAttribute(pkcs11.CKA_LABEL, parts[1].Value),
		pkcs11.NewAttribute(pkcs11.CKA_SUBJECT, cert.RawSubject), pkcs11.NewAttribute(pkcs11.CKA_ISSUER, cert.RawIssuer),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE, der)})
	if err != nil {
		return fmt.Errorf("write the certificate of %s: %w", name, err)
	}
	return nil
}

func certificates(p *pkcs11.Ctx, slot uint) (list []token.Certificate, err error) {
	session, err := p.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		return nil, fmt.Errorf("open a session: %w", err)
	}
	defer func() { err = errors.Join(err, p.CloseSession(session)) }()
	want := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), pkcs11.NewAttribute(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509)}
	if err := p.FindObjectsInit(session, want); err != nil {
		return nil, fmt.Errorf("look for certificates: %w", err)
	}
	found, _, err := p.FindObjects(session, token.MaxCertificates)
	if err = errors.Join(err, p.FindObjectsFinal(session)); err != nil {
		return nil, fmt.Errorf("look for certificates: %w", err)
	}
	for _, object := range found {
		parts, err := p.GetAttributeValue(session, object, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_ID, nil), pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
		if err != nil {
			return nil, fmt.Errorf("read a certificate: %w", err)
		}
		if id, der := parts[0].Value, parts[1].Value; len(id) > 0 && len(id) <= 64 && len(der) <= token.MaxCertificate {
			list = append(list, token.Certificate{ID: id, DER: der})
		}
	}
	return list, nil
}

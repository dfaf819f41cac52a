//go:build pkcs11

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/pkcs11"

	"senim/internal/token"
	"senim/pki"
)

// look lists the tokens that are plugged in and their public certificates; one that cannot be read says so, and the
// others are read. Nobody logs in.
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
		if code, _ := errors.AsType[pkcs11.Error](err); code == pkcs11.CKR_TOKEN_NOT_PRESENT || code == pkcs11.CKR_DEVICE_REMOVED {
			continue // pulled out meanwhile
		}
		if err != nil {
			all = append(all, token.Plugged{Problem: err.Error()})
			continue
		}
		if info.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			continue // empty
		}
		one := token.Plugged{Label: info.Label, Serial: strings.TrimSpace(info.SerialNumber), Low: info.Flags&pkcs11.CKF_USER_PIN_COUNT_LOW != 0,
			Final: info.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0, Locked: info.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0}
		if one.Certificates, err = certificates(p, slot); err != nil {
			one.Problem = err.Error()
		}
		all = append(all, one)
	}
	return all, nil
}

// Certify puts a certificate on the token, public, with the identifier of its key. Nothing that is there is replaced.
func (d *driver) Certify(name string, der []byte) (made bool, err error) {
	key, err := d.find(pkcs11.CKO_PRIVATE_KEY, name)
	if err != nil {
		return false, err
	}
	parts, err := d.p.GetAttributeValue(d.session, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_ID, nil), pkcs11.NewAttribute(pkcs11.CKA_LABEL, nil)})
	if err != nil {
		return false, fmt.Errorf("read key %s: %w", name, err)
	}
	cert, err := pki.ParseCertificate(der)
	if err != nil {
		return false, fmt.Errorf("certificate of %s: %w", name, err)
	}
	there, err := d.beside(parts[0].Value)
	if err != nil {
		return false, fmt.Errorf("look for certificates of %s: %w", name, err)
	}
	for _, c := range there {
		if !bytes.Equal(c.der, der) {
			return false, fmt.Errorf("another certificate of %s: %w", name, token.ErrExists)
		}
	}
	if len(there) > 0 {
		return false, nil
	}
	_, err = d.p.CreateObject(d.session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), pkcs11.NewAttribute(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, false),
		pkcs11.NewAttribute(pkcs11.CKA_ID, parts[0].Value), pkcs11.NewAttribute(pkcs11.CKA_LABEL, parts[1].Value),
		pkcs11.NewAttribute(pkcs11.CKA_SUBJECT, cert.RawSubject), pkcs11.NewAttribute(pkcs11.CKA_ISSUER, cert.RawIssuer),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE, der)})
	if err != nil {
		return false, fmt.Errorf("write the certificate of %s: %w", name, err)
	}
	return true, nil
}

// kept is a certificate object.
type kept struct {
	object pkcs11.ObjectHandle
	der    []byte
}

// beside lists the certificates that have an identifier.
func (d *driver) beside(id []byte) (list []kept, err error) {
	want := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), pkcs11.NewAttribute(pkcs11.CKA_ID, id)}
	if err := d.p.FindObjectsInit(d.session, want); err != nil {
		return nil, err
	}
	found, _, err := d.p.FindObjects(d.session, token.MaxCertificates)
	if err = errors.Join(err, d.p.FindObjectsFinal(d.session)); err != nil {
		return nil, err
	}
	for _, object := range found {
		value, err := d.p.GetAttributeValue(d.session, object, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
		if err != nil {
			return nil, err
		}
		list = append(list, kept{object, value[0].Value})
	}
	return list, nil
}

// Undo takes away one certificate, or a pair that has none: what the caller made itself a moment ago.
func (d *driver) Undo(name string, der []byte) error {
	id, ok := token.IDOf(name)
	if !ok {
		return fmt.Errorf("undo %s: only what has an identifier", name)
	}
	there, err := d.beside(id)
	if err != nil {
		return fmt.Errorf("undo %s: %w", name, err)
	}
	if der != nil {
		for _, c := range there {
			if bytes.Equal(c.der, der) {
				return d.p.DestroyObject(d.session, c.object)
			}
		}
		return token.ErrNotFound
	}
	if len(there) > 0 {
		return fmt.Errorf("undo %s: it has a certificate", name)
	}
	gone := 0
	for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY} { // of what a kill left there may be half
		object, err := d.find(class, name)
		if errors.Is(err, token.ErrNotFound) {
			continue
		}
		if err == nil {
			err = d.p.DestroyObject(d.session, object)
		}
		if err != nil {
			return fmt.Errorf("undo %s: %w", name, err)
		}
		gone++
	}
	if gone == 0 {
		return token.ErrNotFound
	}
	return nil
}

// certificates lists those a token shows; with an error, those that could be read.
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
	var bad error
	for _, object := range found {
		parts, err := p.GetAttributeValue(session, object, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_ID, nil), pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
		if err != nil {
			bad = errors.Join(bad, fmt.Errorf("read a certificate: %w", err))
			continue
		}
		if id, der := parts[0].Value, parts[1].Value; len(id) > 0 && len(id) <= 64 && len(der) <= token.MaxCertificate {
			list = append(list, token.Certificate{ID: id, DER: der})
		}
	}
	return list, bad
}

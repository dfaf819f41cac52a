package setup

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// theRoots is the person's store, by the calls that certutil.exe uses too. Windows shows its question at both changes.
type theRoots struct{}

func thisRoots() Roots { return theRoots{} }

// in opens the store for an act.
func (r theRoots) in(act func(store windows.Handle) error) error {
	return r.within(func(name *uint16) (windows.Handle, error) { return windows.CertOpenSystemStore(0, name) }, act)
}

func (theRoots) within(open func(name *uint16) (windows.Handle, error), act func(store windows.Handle) error) (err error) {
	name, err := windows.UTF16PtrFromString("ROOT")
	if err != nil {
		return err
	}
	store, err := open(name)
	if err != nil {
		return fmt.Errorf("open the store of roots: %w", err)
	}
	defer func() { err = errors.Join(err, windows.CertCloseStore(store, 0)) }()
	return act(store)
}

// each calls for every certificate of the store until one is taken, which then is the caller's to free.
func each(store windows.Handle, take func(cert *windows.CertContext) bool) error {
	var cert *windows.CertContext
	for {
		var err error
		if cert, err = windows.CertEnumCertificatesInStore(store, cert); cert == nil { // it frees the one before
			if errors.Is(err, syscall.Errno(windows.CRYPT_E_NOT_FOUND)) {
				err = nil // there are no more
			}
			return err
		}
		if take(cert) {
			return nil
		}
	}
}

func encoded(cert *windows.CertContext) []byte { return unsafe.Slice(cert.EncodedCert, cert.Length) }

func (r theRoots) List() (list [][]byte, err error) {
	err = r.in(func(store windows.Handle) error {
		return each(store, func(cert *windows.CertContext) bool { list = append(list, bytes.Clone(encoded(cert))); return false })
	})
	return list, err
}

func (r theRoots) Add(der []byte) error {
	return r.in(func(store windows.Handle) error {
		cert, err := windows.CertCreateCertificateContext(windows.X509_ASN_ENCODING|windows.PKCS_7_ASN_ENCODING, &der[0], uint32(len(der))) //nolint:gosec // a certificate of ours is short
		if err != nil {
			return fmt.Errorf("put into the store of roots: %w", err)
		}
		defer func() { _ = windows.CertFreeCertificateContext(cert) }()
		if err := windows.CertAddCertificateContextToStore(store, cert, windows.CERT_STORE_ADD_REPLACE_EXISTING, nil); err != nil {
			return fmt.Errorf("put into the store of roots: %w", err)
		}
		return nil
	})
}

// Delete asks the joined store, which is Windows' way. Wine deletes only in the person's own part of it, which is asked when
// the certificate is still there.
func (r theRoots) Delete(der []byte) error {
	if err := r.in(drop(der)); err != nil {
		return err
	}
	left, err := r.List()
	if err != nil || !slices.ContainsFunc(left, func(c []byte) bool { return bytes.Equal(c, der) }) {
		return err
	}
	const inRegistry = 13 // CERT_STORE_PROV_SYSTEM_REGISTRY_W
	return r.within(func(name *uint16) (windows.Handle, error) {
		return windows.CertOpenStore(inRegistry, 0, 0, windows.CERT_SYSTEM_STORE_CURRENT_USER, uintptr(unsafe.Pointer(name))) //nolint:gosec // a call of the system takes addresses
	}, drop(der))
}

// drop deletes a certificate from a store, when it is there.
func drop(der []byte) func(store windows.Handle) error {
	return func(store windows.Handle) error {
		var found *windows.CertContext
		err := each(store, func(cert *windows.CertContext) bool {
			if !bytes.Equal(encoded(cert), der) {
				return false
			}
			found = cert
			return true
		})
		if err != nil || found == nil {
			return err
		}
		if err := windows.CertDeleteCertificateFromStore(found); err != nil { // it frees the certificate, also when it fails
			return fmt.Errorf("take out of the store of roots: %w", err)
		}
		return nil
	}
}

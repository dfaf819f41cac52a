package setup

import (
	"bytes"
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// windowsRoots gives the certificates of the person's store of roots, in which Windows shows the machine's too.
func windowsRoots() (list [][]byte, err error) {
	name, err := windows.UTF16PtrFromString("ROOT")
	if err != nil {
		return nil, err
	}
	store, err := windows.CertOpenSystemStore(0, name)
	if err != nil {
		return nil, fmt.Errorf("open the store of roots: %w", err)
	}
	defer func() { err = errors.Join(err, windows.CertCloseStore(store, 0)) }()
	var cert *windows.CertContext
	for {
		if cert, err = windows.CertEnumCertificatesInStore(store, cert); cert == nil { // it frees the one before
			if errors.Is(err, syscall.Errno(windows.CRYPT_E_NOT_FOUND)) {
				err = nil // there are no more
			}
			return list, err
		}
		list = append(list, bytes.Clone(unsafe.Slice(cert.EncodedCert, cert.Length)))
	}
}

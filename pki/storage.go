package pki

import "encoding/asn1"

// StorageOf is the kind of key store that a name of the national CA's programs stands for, as AKKaztokenStore; nil
// when there is none of that name.
func StorageOf(name string) asn1.ObjectIdentifier {
	switch name {
	case "PKCS12":
		return StoragePKCS12
	case "JKS":
		return StorageJKS
	case "AKKZIDCardStore":
		return StorageIDCard
	case "AKKaztokenStore":
		return StorageKaztoken
	case "AKEToken72KStore":
		return StorageEToken
	case "AKEToken5110Store":
		return StorageEToken510
	case "AKJaCartaStore":
		return StorageJaCarta
	case "AKAKEYStore":
		return StorageAKey
	}
	return nil
}

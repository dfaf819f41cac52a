package ca

import "senim/pki"

// Key usages of crypto.md §9, as tests expect them.
const (
	combined = pki.DigitalSignature | pki.NonRepudiation | pki.KeyAgreement
	signing  = pki.DigitalSignature | pki.NonRepudiation
	signIn   = pki.DigitalSignature | pki.KeyEncipherment
)

package auth

import (
	"bytes"
	"errors"
	"fmt"

	"senim/algid"
	"senim/cms"
	"senim/pki"
)

// Signer gives the certificate whose key signed exactly content: a CMS in DER or BER with one signer and
// signed attributes, detached or with the content inside. The certificate is not judged.
func Signer(content, answer []byte) (cert *pki.Certificate, attached bool, err error) {
	return signer(content, answer, nil)
}

// signer is [Signer], with the signature verified by v.
func signer(content, answer []byte, v *algid.Verifier) (cert *pki.Certificate, attached bool, err error) {
	sd, err := cms.Parse(answer)
	if err != nil {
		return nil, false, err
	}
	signers := sd.Signers()
	if len(signers) != 1 {
		return nil, false, fmt.Errorf("%d signers in the answer", len(signers))
	}
	if !signers[0].HasSignedAttributes {
		return nil, false, errors.New("no signed attributes")
	}
	inside := sd.Content()
	if inside != nil && !bytes.Equal(inside, content) {
		return nil, false, errors.New("another text was signed")
	}
	verdicts, err := sd.WithVerifier(v).Verify(content)
	if err != nil {
		return nil, false, err
	}
	if len(verdicts) != 1 {
		return nil, false, errors.New("not one verdict")
	}
	if v := verdicts[0]; v.Err != nil || v.Certificate == nil {
		return nil, false, errors.Join(errors.New("the signature does not hold"), v.Err)
	}
	return verdicts[0].Certificate, inside != nil, nil
}

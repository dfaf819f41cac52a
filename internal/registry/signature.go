package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"senim/cms"
	"senim/internal/batchfile"
	"senim/internal/trust"
	"senim/pki"
)

// Judge decides about certificates. [trust.Judge] is one.
type Judge interface {
	Certificate(ctx context.Context, cert *pki.Certificate, p trust.Purpose) trust.Report
}

// Signer names a key that may sign batches: the SHA-256 of its SubjectPublicKeyInfo, in hex, so that a renewed
// certificate of the same key stays trusted.
type Signer string

// SignerOf names the key of a certificate.
func SignerOf(c *pki.Certificate) Signer {
	sum := sha256.Sum256(c.RawSPKI)
	return Signer(hex.EncodeToString(sum[:]))
}

// verify looks at the signature of a manifest. A code with Unknown says that it must be looked at again.
func (m *Importer) verify(ctx context.Context, manifest, signature []byte) (serial string, v trust.Verdict, code string, evidence map[string]string) {
	if len(signature) == 0 {
		return "", trust.Bad, LoadUnsigned, nil
	}
	der, err := cms.Decode(signature)
	if err != nil {
		return "", trust.Bad, LoadSignature, nil
	}
	sd, err := cms.Parse(der)
	if err != nil || !sd.Detached() {
		return "", trust.Bad, LoadSignature, nil
	}
	signed, err := sd.Verify(manifest)
	if err != nil || len(signed) != 1 || signed[0].Err != nil {
		return "", trust.Bad, LoadSignature, nil
	}
	cert := signed[0].Certificate
	serial = cert.SerialHex()
	if !m.signers[SignerOf(cert)] {
		return serial, trust.Bad, LoadSigner, nil
	}
	report := m.c.Judge.Certificate(ctx, cert, trust.Signing)
	first, wrong := report.First()
	if report.Verdict() == trust.Good && !wrong {
		return serial, trust.Good, "", nil
	}
	code = first.Code
	if code == "" {
		code = trust.CodeUnavailable
	}
	if report.Verdict() == trust.Bad {
		return serial, trust.Bad, code, first.Evidence
	}
	return serial, trust.Unknown, code, first.Evidence
}

// allowed refuses a batch whose files its source does not bring.
func allowed(b *batchfile.Batch) bool {
	for _, f := range b.Files {
		if !brings(b.Source, f.Kind()) {
			return false
		}
	}
	return true
}

package agent

import (
	"bytes"
	"os"
	"path/filepath"

	java "github.com/pavlo-v-chernykh/keystore-go/v4"

	"senim/algid"
	"senim/internal/pkitest"
)

// jks lays a Java key store into the folder.
func (b *bench) jks(name string, leaf *pkitest.Leaf) {
	b.Helper()
	store := java.New()
	der, err := algid.MarshalPrivateKey(leaf.Key)
	if err == nil {
		err = store.SetPrivateKeyEntry("key", java.PrivateKeyEntry{PrivateKey: der, CertificateChain: []java.Certificate{{Type: "X509", Content: leaf.Certificate.Raw}}}, []byte(password))
	}
	var content bytes.Buffer
	if err == nil {
		err = store.Store(&content, []byte(password))
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(b.folder, name), content.Bytes(), 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
}

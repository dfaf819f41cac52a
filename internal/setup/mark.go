package setup

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"senim/internal/agent"
)

// ours tells whether a certificate is an authority that an agent made, of whatever version, on a machine of whatever
// name, also one that has ended: by what is in it, for stores and earlier builds gave it other names. It is never
// another program's: who made one of this shape made what can vouch for nothing but this machine.
func ours(c *x509.Certificate) bool {
	return strings.HasPrefix(c.Subject.CommonName, agent.AuthorityPrefix) && len(c.Subject.Names) == 1 &&
		bytes.Equal(c.RawSubject, c.RawIssuer) && confined(c) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// oursIn gives the authorities of ours in a text of PEM, and how many other certificates are in it.
func oursIn(text []byte) (list []*x509.Certificate, others int) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && ours(c) {
			list = append(list, c)
		} else {
			others++
		}
	}
	return list, others
}

// ourFile tells whether a file is one authority of ours and nothing else.
func ourFile(path string) bool {
	b, err := readLimited(path, 64<<10)
	if err != nil {
		return false
	}
	list, others := oursIn(b)
	return len(list) == 1 && others == 0
}

// installed is the name of a file that an installation put among the machine's, with which one it was.
var installed = regexp.MustCompile(`^senim-agent-([0-9a-f]{12})\.(?:crt|pem)$`)

// earlier lists the files of a folder of the machine that hold an authority of ours and are not to stay there: those of
// builds that named them otherwise, and with [Machine.Everyone] every installation's. Another person's stays.
func (m *Machine) earlier(dir, own string) (list []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		path, ext := filepath.Join(dir, e.Name()), filepath.Ext(e.Name())
		if path == own || !e.Type().IsRegular() || ext != ".crt" && ext != ".pem" {
			continue
		}
		match := installed.FindStringSubmatch(e.Name())
		if match != nil && match[1] != m.installation() && !m.Everyone {
			continue
		}
		if ourFile(path) {
			list = append(list, path)
		}
	}
	return list
}

package agent

import (
	"bytes"
	"encoding/asn1"
	"errors"
)

// errInner is the refusal of [inner].
var errInner = errors.New("these are the inner bytes of a signature, not a document: ask for cms or xml")

// inner tells whether content is what a signature covers inside its own format: the signed attributes
// of a CMS, or the SignedInfo of an XML signature. They hold only digests, so a bare signature over
// them is a signature over something nobody was shown: another site's challenge, or an application.
func inner(content []byte) bool {
	if len(content) > 0 && content[0] == asn1.TagSet|0x20 {
		return bytes.Contains(content, []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04")) // messageDigest, RFC 5652 section 11.2
	}
	rest, ok := bytes.CutPrefix(content, []byte("<"))
	if !ok {
		return false
	}
	if end := bytes.IndexAny(rest, " \t\r\n/>"); end >= 0 { // a name has no end that it could be cut at
		rest = rest[:end]
	}
	return string(rest) == "SignedInfo" || bytes.HasSuffix(rest, []byte(":SignedInfo"))
}

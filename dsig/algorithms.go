package dsig

import "senim/algid"

// Identifiers of XML Signature and of the national profile, crypto.md §15.
const (
	spaceDS   = "http://www.w3.org/2000/09/xmldsig#"
	spaceWSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"

	uriInclusive         = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	uriInclusiveComments = uriInclusive + "#WithComments"
	uriExclusive         = "http://www.w3.org/2001/10/xml-exc-c14n#"
	uriExclusiveComments = uriExclusive + "WithComments"
	uriEnveloped         = spaceDS + "enveloped-signature"

	uriNational = "urn:ietf:params:xml:ns:pkigovkz:xmlsec:algorithms:"
	uriMore     = "http://www.w3.org/2001/04/xmldsig-more#"
)

// methods is the table of algorithms: what a signature is called and the digest that goes with it.
var methods = [...]struct {
	signature algid.Signature
	uri       string
	digestURI string
}{
	{algid.GOST512Sig, uriNational + "gostr34102015-gostr34112015-512", uriNational + "gostr34112015-512"},
	{algid.GOST256Sig, uriNational + "gostr34102015-gostr34112015-256", uriNational + "gostr34112015-256"},
	{algid.GOST2004Sig, uriMore + "gost34310-gost34311", uriMore + "gost34311"},
	{algid.SHA256WithRSA, uriMore + "rsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256"},
	{algid.SHA1WithRSA, uriMore + "rsa-sha1", uriMore + "sha1"}, // so spelled in old documents
}

// digests is the table of what may name a certificate in SigningCertificateV2. More than signatures
// use: a digest there is only compared.
var digests = [...]struct {
	hash algid.Hash
	uri  string
}{
	{algid.Streebog512, uriNational + "gostr34112015-512"},
	{algid.Streebog256, uriNational + "gostr34112015-256"},
	{algid.GOST34311, uriMore + "gost34311"},
	{algid.SHA256, "http://www.w3.org/2001/04/xmlenc#sha256"},
	{algid.SHA384, uriMore + "sha384"},
	{algid.SHA512, "http://www.w3.org/2001/04/xmlenc#sha512"},
	{algid.SHA1, spaceDS + "sha1"},
}

// readMethod reads a CanonicalizationMethod, or a Transform that is one. The exclusive form may
// carry a prefix list (RFC 3741 §4), as SOAP stacks write it; nothing else may.
func readMethod(n *node) (method, error) {
	uri, inner, err := algorithmWith(n)
	if err != nil {
		return method{}, err
	}
	m, ok := canonicalization(uri)
	switch {
	case !ok:
		return method{}, profile("canonical form is not allowed")
	case len(inner) == 0:
		return m, nil
	case !m.exclusive || len(inner) > 1 || !inner[0].is(uriExclusive, "InclusiveNamespaces") || len(inner[0].children) > 0:
		return method{}, profile("parameters of a canonical form are not allowed")
	}
	if err := onlyAttributes(inner[0], "PrefixList"); err != nil {
		return method{}, err
	}
	m.prefixes, _ = attributeOf(inner[0], "PrefixList")
	return m, nil
}

// canonicalization finds the method of a URI. A same-document reference selects nodes without
// comments, whatever the transform says after it (XML Signature §4.4.3.3), and comments inside a
// signature are refused, so that both forms of each are one here.
func canonicalization(uri string) (m method, ok bool) {
	switch uri {
	case uriInclusive, uriInclusiveComments:
		return method{}, true
	case uriExclusive, uriExclusiveComments:
		return method{exclusive: true}, true
	}
	return method{}, false
}

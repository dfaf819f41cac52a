package dsig

import "senim/pki"

// Envelopes of SOAP 1.1 and 1.2.
const (
	spaceSOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
	spaceSOAP12 = "http://www.w3.org/2003/05/soap-envelope"
)

// How the certificate is written in a key identifier (WSS X.509 Token Profile 1.1.1 §3.1.2).
const (
	oasis        = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
	typeX509v3   = oasis + "x509-token-profile-1.0#X509v3"
	base64Binary = oasis + "soap-message-security-1.0#Base64Binary"
)

// soapParts gives the parts of a SOAP envelope, each the only one of its name in any namespace;
// header and security are nil when absent.
func (d *Document) soapParts() (header, security, body *node, err error) {
	soap := d.root.space
	if d.root.local != "Envelope" || soap != spaceSOAP11 && soap != spaceSOAP12 {
		return nil, nil, nil, profile("root is not a SOAP envelope")
	}
	if header, err = atMostOne(d.root, "Header"); err != nil {
		return nil, nil, nil, err
	}
	if body, err = onlyChild(d.root, "Body"); err != nil {
		return nil, nil, nil, err
	}
	if header != nil {
		if security, err = atMostOne(header, "Security"); err != nil {
			return nil, nil, nil, err
		}
	}
	if body.space != soap || header != nil && (header.space != soap || header.start > body.start) ||
		security != nil && security.space != spaceWSSE {
		return nil, nil, nil, profile("SOAP header, body or security element of a foreign namespace, or out of order")
	}
	return header, security, body, nil
}

func (d *Document) verifyBody() (*Verified, error) {
	_, security, body, err := d.soapParts()
	if err != nil {
		return nil, err
	}
	if security == nil {
		if len(d.allSignatures()) == 0 {
			return nil, ErrUnsigned
		}
		return nil, profile("no security element in the SOAP header")
	}
	return d.verifyByID(security, body, true, (*signature).keyIdentifier)
}

// keyIdentifier reads KeyInfo/SecurityTokenReference/KeyIdentifier: the whole certificate.
func (s *signature) keyIdentifier() (*pki.Certificate, error) {
	if s.object != nil {
		return nil, profile("signature of a SOAP body holds an object")
	}
	n := s.keyInfo
	for _, local := range []string{"SecurityTokenReference", "KeyIdentifier"} {
		list, err := elementsOnly(n)
		if err != nil {
			return nil, err
		}
		if len(list) != 1 || !list[0].is(spaceWSSE, local) {
			return nil, profile("key information is not a key identifier")
		}
		n = list[0]
	}
	if v, ok := attributeOf(n, "ValueType"); ok && v != typeX509v3 {
		return nil, profile("key identifier is not a certificate")
	}
	if v, ok := attributeOf(n, "EncodingType"); ok && v != base64Binary {
		return nil, profile("key identifier is not in base64")
	}
	return readCertificate(n, "ValueType EncodingType")
}

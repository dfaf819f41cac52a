package dsig

import "senim/pki"

// Envelopes of SOAP 1.1 and 1.2.
const (
	spaceSOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
	spaceSOAP12 = "http://www.w3.org/2003/05/soap-envelope"
)

func (d *Document) verifyBody() (*Verified, error) {
	soap := d.root.space
	if d.root.local != "Envelope" || soap != spaceSOAP11 && soap != spaceSOAP12 {
		return nil, profile("root is not a SOAP envelope")
	}
	header, err := onlyChild(d.root, "Header")
	if err != nil {
		return nil, err
	}
	body, err := onlyChild(d.root, "Body")
	if err != nil {
		return nil, err
	}
	security, err := onlyChild(header, "Security")
	if err != nil {
		return nil, err
	}
	if header.space != soap || body.space != soap || security.space != spaceWSSE {
		return nil, profile("SOAP header, body or security element of a foreign namespace")
	}
	return d.verifyByID(security, body, true, (*signature).keyIdentifier)
}

// keyIdentifier reads KeyInfo/SecurityTokenReference/KeyIdentifier: the whole certificate.
func (s *signature) keyIdentifier() (*pki.Certificate, error) {
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
	return readCertificate(n, "ValueType EncodingType")
}

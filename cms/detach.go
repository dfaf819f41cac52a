package cms

import "fmt"

// Detach gives the message, in DER, without the content inside. Signatures keep holding: they are
// over a digest of the content, which [SignedData.Verify] then wants beside. A message that is
// detached already is written again as it is.
func (sd *SignedData) Detach() ([]byte, error) {
	p := sd.parts
	var err error
	if p.encap, err = encapsulated(sd.contentType, nil, true); err != nil {
		return nil, fmt.Errorf("detaching CMS: %w", err)
	}
	return p.assemble()
}

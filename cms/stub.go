package cms

import (
	"io"

	"senim/algid"
)

type parts struct{}
type essCert struct{}

func parse(ber []byte) (*SignedData, error)                      { panic("not yet") }
func (sd *SignedData) verify(content []byte) ([]Verified, error) { panic("not yet") }
func (sd *SignedData) verifyDigest(hash algid.Hash, digest []byte) ([]Verified, error) {
	panic("not yet")
}
func sign(rand io.Reader, o Options) ([]byte, error)                       { panic("not yet") }
func addSigner(rand io.Reader, existing []byte, o Options) ([]byte, error) { panic("not yet") }
func addTimestamp(existing []byte, i int, token []byte) ([]byte, error)    { panic("not yet") }

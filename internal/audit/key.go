package audit

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/note"

	"senim/algid"
)

// keyName is the name in the signature line of every checkpoint.
const keyName = "senim-audit"

// signer signs checkpoints with a key of the authority's own kinds.
type signer struct {
	*Verifier
	key    crypto.Signer
	random io.Reader
}

func newSigner(key crypto.Signer, random io.Reader) (*signer, error) {
	v, err := NewVerifier(key.Public())
	if err != nil {
		return nil, err
	}
	return &signer{v, key, random}, nil
}

// Sign implements [note.Signer].
func (s *signer) Sign(text []byte) ([]byte, error) { return s.sig.Sign(s.random, s.key, text) }

func (s *signer) statement(c Checkpoint) (Statement, error) {
	signed, err := note.Sign(&note.Note{Text: c.text()}, s)
	if err != nil {
		return Statement{}, fmt.Errorf("sign checkpoint %d: %w", c.Number, err)
	}
	return Statement{Checkpoint: c, Note: signed}, nil
}

// Verifier checks the signatures of checkpoints with the public key of the audit.
type Verifier struct {
	public crypto.PublicKey
	sig    algid.Signature
	hash   uint32
}

// NewVerifier takes a public key of a kind that signs certificates.
func NewVerifier(public crypto.PublicKey) (*Verifier, error) {
	sig, err := algid.SignatureFor(public)
	if err != nil {
		return nil, fmt.Errorf("audit key: %w", err)
	}
	spki, err := algid.MarshalPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("audit key: %w", err)
	}
	// 0xff: a kind of signature nobody registered; the SubjectPublicKeyInfo after it names its algorithm.
	sum := sha256.Sum256(append([]byte(keyName+"\n\xff"), spki...))
	return &Verifier{public, sig, binary.BigEndian.Uint32(sum[:])}, nil
}

const pemPublic = "PUBLIC KEY"

// ParsePublicKey reads the public key of the audit: one PEM block with a SubjectPublicKeyInfo.
func ParsePublicKey(text []byte) (*Verifier, error) {
	if len(text) > maxNote {
		return nil, fmt.Errorf("audit key: %d bytes, at most %d", len(text), maxNote)
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemPublic || len(bytes.TrimSpace(rest)) != 0 {
		return nil, errors.New("audit key: not one PEM block of type " + pemPublic)
	}
	public, _, err := algid.ParsePublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("audit key: %w", err)
	}
	return NewVerifier(public)
}

// EncodePublicKey is what [ParsePublicKey] reads.
func EncodePublicKey(public crypto.PublicKey) ([]byte, error) {
	spki, err := algid.MarshalPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("audit key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemPublic, Bytes: spki}), nil
}

// Name is part of [note.Verifier], as KeyHash and Verify are.
func (v *Verifier) Name() string { return keyName }

// KeyHash is the key identifier in a signature line.
func (v *Verifier) KeyHash() uint32 { return v.hash }

// Verify checks a signature over the text of a checkpoint.
func (v *Verifier) Verify(text, sig []byte) bool { return v.sig.Verify(v.public, text, sig) == nil }

// errOtherKey says whose signature is missing.
var errOtherKey = errors.New("it is not signed with the audit key given")

// Open reads the checkpoint in a signed note after checking that our key signed it.
func (v *Verifier) Open(signed []byte) (Checkpoint, error) {
	if len(signed) > maxNote {
		return Checkpoint{}, fmt.Errorf("checkpoint: %d bytes, at most %d", len(signed), maxNote)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	var unknown *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unknown):
		return Checkpoint{}, errOtherKey
	case errors.As(err, &invalid):
		return Checkpoint{}, errors.New("its signature does not fit its text")
	case err != nil:
		return Checkpoint{}, err
	}
	return parseCheckpoint(n.Text)
}

package token

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Acts of a token.
const (
	opOpen     = "open"
	opLook     = "look"
	opInfo     = "info"
	opKey      = "key"
	opGenerate = "generate"
	opSign     = "sign"
	opCertify  = "certify"
	opUndo     = "undo"
)

// request is what is asked of the program. Open comes first, once; or look, alone.
type request struct {
	Op     string `json:"op"`
	Module string `json:"module,omitempty"`
	Label  string `json:"label,omitempty"`
	Serial string `json:"serial,omitempty"`
	PIN    []byte `json:"pin,omitempty"`
	Name   string `json:"name,omitempty"`
	Kind   Kind   `json:"kind,omitempty"` // of a key to make
	Bits   int    `json:"bits,omitempty"`
	Hash   uint   `json:"hash,omitempty"` // a crypto.Hash
	Digest []byte `json:"digest,omitempty"`

	Certificate []byte `json:"certificate,omitempty"` // DER
}

// response is what it answers.
type response struct {
	Code      string    `json:"code,omitempty"` // empty: done
	Error     string    `json:"error,omitempty"`
	Public    []byte    `json:"public,omitempty"` // SubjectPublicKeyInfo
	Signature []byte    `json:"signature,omitempty"`
	Plugged   []Plugged `json:"plugged,omitempty"`
	Made      bool      `json:"made,omitempty"` // certify: it was not there before
}

// Codes of answers that callers tell apart.
const (
	codeFailed   = "failed"
	codeNotFound = "not found"
	codeExists   = "exists"
	codePIN      = "pin"
	codeCannot   = "cannot"
)

func (r response) failure() error {
	switch r.Code {
	case "":
		return nil
	case codeNotFound:
		return fmt.Errorf("token: %w", ErrNotFound)
	case codeExists:
		return fmt.Errorf("token: %w", ErrExists)
	case codePIN:
		return ErrPIN
	case codeCannot:
		return fmt.Errorf("token: %w", ErrCannot)
	default:
		return fmt.Errorf("%w: %s", ErrFailed, r.Error)
	}
}

// refused is the answer for an error.
func refused(err error) response {
	code := codeFailed
	switch {
	case errors.Is(err, ErrNotFound):
		code = codeNotFound
	case errors.Is(err, ErrExists):
		code = codeExists
	case errors.Is(err, ErrPIN):
		code = codePIN
	case errors.Is(err, ErrCannot):
		code = codeCannot
	}
	return response{Code: code, Error: err.Error()}
}

const (
	maxFrame = 4 << 20 // all that [MaxTokens] tokens show
	maxName  = 200
)

// send writes a value as JSON with its length, four octets, before it.
func send(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(b) > maxFrame {
		return fmt.Errorf("a frame of %d bytes", len(b))
	}
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	_, err = w.Write(frame)
	clear(b) // a PIN may be in it
	clear(frame)
	return err
}

// receive reads what send wrote.
func receive(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return fmt.Errorf("a frame of %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	defer clear(b)
	return json.Unmarshal(b, v)
}

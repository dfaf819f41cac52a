package token

import (
	"crypto"
	"errors"
	"fmt"
	"io"
)

// Driver is an open token on the side of the driver.
type Driver interface {
	// Key returns the SubjectPublicKeyInfo of a private key; ErrNotFound when there is none. It
	// refuses keys that could be taken out.
	Key(name string) (spki []byte, err error)
	// Generate makes a key that cannot be taken out, of so many bits when it is RSA; ErrExists when the name is
	// taken, ErrCannot when the token has no mechanism for it.
	Generate(name string, kind Kind, bits int) (spki []byte, err error)
	// Sign makes a signature over a digest: with RSA of PKCS #1 v1.5, with GOST r and s as the driver orders them.
	// The hash of GOST is 0.
	Sign(name string, h crypto.Hash, digest []byte) ([]byte, error)
	// Certify puts a certificate beside the key of this name, where everybody sees it; made is false when it is
	// there already. Another one with the key's identifier is ErrExists: nothing is replaced.
	Certify(name string, der []byte) (made bool, err error)
	// Undo takes away a certificate, or without one a pair that has none.
	Undo(name string, der []byte) error
	// Close leaves the token.
	Close() error
}

// Serve answers requests from r on w until r ends. open opens the token that the first one names, of
// the configuration it is given module, label, serial number and PIN; [ErrPIN] when the PIN was refused. look lists what is plugged in, without a PIN, and nothing follows. The error says what was wrong with the pipe, not with the token.
func Serve(r io.Reader, w io.Writer, open func(at Config) (Driver, error), look func(module string) ([]Plugged, error)) error {
	var first request
	if err := receive(r, &first); err != nil {
		return fmt.Errorf("serve token: %w", err)
	}
	if first.Op == opLook {
		all, err := look(first.Module)
		if err != nil {
			return send(w, refused(err))
		}
		return send(w, response{Plugged: all[:min(len(all), MaxTokens)]})
	}
	if first.Op != opOpen {
		return errors.New("serve token: the first request opens")
	}
	d, err := open(Config{Module: first.Module, Label: first.Label, Serial: first.Serial, PIN: first.PIN})
	clear(first.PIN)
	if err != nil {
		return send(w, refused(err))
	}
	defer func() { _ = d.Close() }() // the process ends with it
	if err := send(w, response{}); err != nil {
		return err
	}
	for {
		var q request
		if err := receive(r, &q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("serve token: %w", err)
		}
		if err := send(w, serveOne(d, q)); err != nil {
			return fmt.Errorf("serve token: %w", err)
		}
	}
}

func serveOne(d Driver, q request) response {
	var a response
	var err error
	switch {
	case q.Op == opInfo:
	case q.Name == "" || len(q.Name) > maxName:
		err = errors.New("no name of a key")
	case q.Op == opKey:
		a.Public, err = d.Key(q.Name)
	case q.Op == opCertify && len(q.Certificate) > 0:
		a.Made, err = d.Certify(q.Name, q.Certificate)
	case q.Op == opUndo:
		err = d.Undo(q.Name, q.Certificate)
	case q.Op == opGenerate && (q.Kind == RSA && q.Bits >= 2048 && q.Bits <= 8192 || q.Kind == GOST512 && q.Bits == 0):
		a.Public, err = d.Generate(q.Name, q.Kind, q.Bits)
	case q.Op == opSign && digestOf(crypto.Hash(q.Hash), q.Digest):
		a.Signature, err = d.Sign(q.Name, crypto.Hash(q.Hash), q.Digest)
	default:
		err = errors.New("not a request")
	}
	if err != nil {
		return refused(err)
	}
	return a
}

// digestOf reports a digest of SHA-256, SHA-384 or SHA-512, or without a hash one of Streebog-512: nothing else is
// signed.
func digestOf(h crypto.Hash, digest []byte) bool {
	switch h {
	case 0:
		return len(digest) == gostDigest
	case crypto.SHA256, crypto.SHA384, crypto.SHA512:
		return len(digest) == h.Size()
	default:
		return false
	}
}

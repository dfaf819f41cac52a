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
	// Generate makes an RSA key that cannot be taken out; ErrExists when the name is taken.
	Generate(name string, bits int) (spki []byte, err error)
	// Sign makes a PKCS #1 v1.5 signature over a digest.
	Sign(name string, h crypto.Hash, digest []byte) ([]byte, error)
	// Certify puts a certificate beside the key of this name, where everybody sees it.
	Certify(name string, der []byte) error
	// Close leaves the token.
	Close() error
}

// Serve answers requests from r on w until r ends. open opens the token that the first one names;
// [ErrPIN] when the PIN was refused. look lists what is plugged in, without a PIN, and nothing follows. The error says what was wrong with the pipe, not with the token.
func Serve(r io.Reader, w io.Writer, open func(module, label string, pin []byte) (Driver, error), look func(module string) ([]Plugged, error)) error {
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
	d, err := open(first.Module, first.Label, first.PIN)
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
		err = d.Certify(q.Name, q.Certificate)
	case q.Op == opGenerate && q.Bits >= 2048 && q.Bits <= 8192:
		a.Public, err = d.Generate(q.Name, q.Bits)
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

// digestOf reports a digest of SHA-256, SHA-384 or SHA-512: nothing else is signed.
func digestOf(h crypto.Hash, digest []byte) bool {
	switch h {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512:
		return len(digest) == h.Size()
	default:
		return false
	}
}

// Package token keeps private keys of authorities in a PKCS #11 token: a smart card, a hardware
// module, or a program that behaves as one.
//
// [Open] names the driver, the token and its PIN; [Token.Generate] makes a key that never leaves it,
// [Token.Key] opens one as a crypto.Signer. The driver is C code of somebody else's, so it runs in a
// process of its own, senim-token, which speaks frames of JSON over its standard input and output:
// our programs stay without cgo, and a driver that crashes takes nothing else along. [Serve] is the
// other side of that pipe. [Look] shows what is plugged in, without a PIN.
//
// It refuses: keys that could be taken out of the token, two keys of one name, answers that do not
// verify under the key's public half, and to try a wrong PIN a second time, since tokens lock. What a
// driver writes to its standard error goes into the log alone, bounded and without the PIN.
//
// Keys are RSA, and GOST R 34.10-2012 of 512 bits where the driver has the mechanisms of TC 26. No such token was at
// hand: that side is tested with drivers of our own.
package token

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"senim/algid"
	"senim/gost"
)

// Config says which token.
type Config struct {
	// Program is the path of senim-token. Args go before it speaks; none in production.
	Program string
	Args    []string
	// Module is the path of the PKCS #11 driver, Label the label of the token, both required. Serial tells two tokens
	// of one label apart; empty is any.
	Module, Label, Serial string
	// PIN is the user's. It goes to the program through the pipe, never by argument or environment.
	PIN []byte
	// Timeout bounds every act of the token; zero is 30 s. Making a key may take ten times as long.
	Timeout time.Duration
	// Log gets what the driver writes to its standard error; nil is nowhere.
	Log *slog.Logger
}

// Kind is an algorithm of keys.
type Kind string

// The kinds of keys.
const (
	RSA     Kind = "" // PKCS #1 v1.5
	GOST512 Kind = "GOST512"
)

// gostDigest is the length of a digest that GOST512 signs.
const gostDigest = 64

// Errors that callers tell apart.
var (
	// ErrNotFound: there is no key of this name.
	ErrNotFound = errors.New("not found")
	// ErrExists: the name is taken.
	ErrExists = errors.New("already exists")
	// ErrFailed: the token or its driver failed; how is for the log.
	ErrFailed = errors.New("the token failed")
	// ErrCannot: the token has no mechanism for such a key.
	ErrCannot = errors.New("the token cannot make such a key")
)

// ErrPIN says that the token refused the PIN. Nothing is tried again until the token is opened anew.
var ErrPIN = errors.New("the token refused the PIN")

// Token is an open token. Safe for concurrent use; the token does one thing at a time.
type Token struct {
	c Config

	mu   sync.Mutex      // guards what follows
	made map[string]bool // what this Token made: names, and certificates after names
	p    *process        // nil: to be started with the next act
	dead error           // set when nothing is to be tried again
	late error           // why it could not be opened the last time,
	when time.Time       // and when
}

// pause is how long a token that could not be opened is left alone: many may ask for its keys at once.
const pause = 2 * time.Second

// Open starts the program and opens the token, so that a wrong setting is told at once.
func Open(c Config) (*Token, error) {
	t, err := Later(c)
	if err != nil {
		return nil, err
	}
	if err := t.Try(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// Later is Open with the first act: a token that is not there yet may come.
func Later(c Config) (*Token, error) {
	if c.Program == "" || c.Module == "" || c.Label == "" {
		return nil, errors.New("open token: program, module and label are wanted")
	}
	c.complete()
	c.PIN = bytes.Clone(c.PIN) // it is wiped at the end
	return &Token{c: c}, nil
}

func (c *Config) complete() {
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
}

// Try opens the token when it is not open, and says whether it can be used.
func (t *Token) Try() error {
	_, err := t.do(request{Op: opInfo})
	return err
}

// Close ends the program and forgets the PIN.
func (t *Token) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.c.PIN)
	t.dead = errors.New("the token is closed")
	if t.p == nil {
		return nil
	}
	p := t.p
	t.p = nil
	return p.end()
}

// Keep refuses: a token makes its own keys.
func (t *Token) Keep(_ context.Context, name string, _ crypto.Signer) error {
	return fmt.Errorf("keep key %s: a token takes no keys from outside, it makes them", name)
}

// Generate makes an RSA key of so many bits in the token, under a name nothing has there, and opens
// it. [ErrExists] when the name is taken.
func (t *Token) Generate(ctx context.Context, name string, bits int) (crypto.Signer, error) {
	return t.open(ctx, request{Op: opGenerate, Name: name, Bits: bits})
}

// GenerateGOST makes a key of GOST R 34.10-2012, 512 bits, as [Token.Generate] does; [ErrCannot] when the token has
// no mechanism for it.
func (t *Token) GenerateGOST(ctx context.Context, name string) (crypto.Signer, error) {
	return t.open(ctx, request{Op: opGenerate, Name: name, Kind: GOST512})
}

// Certify puts a certificate (DER) beside the key of this name; made is false when it is there already. There is no
// such key: [ErrNotFound]; another certificate has its identifier: [ErrExists].
func (t *Token) Certify(ctx context.Context, name string, der []byte) (made bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	a, err := t.do(request{Op: opCertify, Name: name, Certificate: der})
	if err != nil {
		return false, fmt.Errorf("certificate of key %s: %w", name, err)
	}
	return a.Made, nil
}

// Undo takes away a certificate that this Token put beside the key of this name; without one the key it made, which
// must have no certificate yet. What it did not make itself it refuses to touch.
func (t *Token) Undo(name string, der []byte) error {
	t.mu.Lock()
	mine := t.made[name+string(der)]
	t.mu.Unlock()
	if !mine {
		return fmt.Errorf("undo key %s: it was not made here", name)
	}
	if _, err := t.do(request{Op: opUndo, Name: name, Certificate: der}); err != nil {
		return fmt.Errorf("undo key %s: %w", name, err)
	}
	return nil
}

// Discard takes away a pair that has no certificate, whoever made it: the caller knows that it is his own. A pair of which
// half is there goes, too; [ErrNotFound] when there is none.
func (t *Token) Discard(name string) error {
	if _, ok := IDOf(name); !ok {
		return fmt.Errorf("discard key %s: it has no identifier", name)
	}
	if _, err := t.do(request{Op: opUndo, Name: name}); err != nil {
		return fmt.Errorf("discard key %s: %w", name, err)
	}
	return nil
}

// NameOf is the name of the key that has this identifier on a token, whatever label it has.
func NameOf(id []byte) string { return idPrefix + hex.EncodeToString(id) }

const idPrefix = "id:"

// IDOf reads a name made by [NameOf].
func IDOf(name string) (id []byte, ok bool) {
	text, ok := strings.CutPrefix(name, idPrefix)
	if !ok {
		return nil, false
	}
	id, err := hex.DecodeString(text)
	return id, err == nil && len(id) > 0
}

// Key opens the key of this name; [ErrNotFound] when there is none.
func (t *Token) Key(ctx context.Context, name string) (crypto.Signer, error) {
	return t.open(ctx, request{Op: opKey, Name: name})
}

func (t *Token) open(ctx context.Context, q request) (crypto.Signer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if q.Name == "" || len(q.Name) > maxName {
		return nil, fmt.Errorf("token: name %q of a key: 1 to %d bytes", q.Name, maxName)
	}
	a, err := t.do(q)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", q.Name, err)
	}
	public, kind, err := algid.ParsePublicKey(a.Public)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", q.Name, err)
	}
	if kind != algid.RSA && kind != algid.GOST512 || q.Op == opGenerate && (kind == algid.GOST512) != (q.Kind == GOST512) {
		return nil, fmt.Errorf("key %s: of kind %s", q.Name, kind)
	}
	if key, ok := public.(*gost.PublicKey); ok {
		return &gostSigner{t, q.Name, key}, nil
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("key %s: of kind %s", q.Name, kind)
	}
	return &signer{t, q.Name, key}, nil
}

// signer is a key in the token.
type signer struct {
	t      *Token
	name   string
	public *rsa.PublicKey
}

func (s *signer) Public() crypto.PublicKey { return s.public }

// Sign makes a PKCS #1 v1.5 signature over a digest, and verifies it before giving it out: a token in
// error could otherwise give its key away. Randomness is the token's own.
func (s *signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if _, pss := opts.(*rsa.PSSOptions); pss {
		return nil, fmt.Errorf("sign with key %s of the token: PSS is not done", s.name)
	}
	h := opts.HashFunc()
	if !h.Available() || len(digest) != h.Size() {
		return nil, fmt.Errorf("sign with key %s of the token: digest of %d bytes", s.name, len(digest))
	}
	a, err := s.t.do(request{Op: opSign, Name: s.name, Hash: uint(h), Digest: digest})
	if err != nil {
		return nil, fmt.Errorf("sign with key %s of the token: %w", s.name, err)
	}
	if err := rsa.VerifyPKCS1v15(s.public, h, digest, a.Signature); err != nil {
		return nil, fmt.Errorf("sign with key %s of the token: %w: what it gave does not verify: %w", s.name, ErrFailed, err)
	}
	return a.Signature, nil
}

// do has one thing done. A program that died is started again for the next act, never for the same
// one: nobody knows how far it came.
func (t *Token) do(q request) (response, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dead != nil {
		return response{}, t.dead
	}
	if t.p == nil {
		if t.late != nil && time.Since(t.when) < pause {
			return response{}, t.late
		}
		p, err := start(t.c)
		if t.late, t.when = err, time.Now(); err != nil {
			if errors.Is(err, ErrPIN) {
				t.dead = err
			}
			return response{}, err
		}
		t.p = p
	}
	most := t.c.Timeout
	if q.Op == opGenerate {
		most *= 10
	}
	a, err := t.p.ask(q, most)
	if err == nil && a.Code == codeFailed {
		err = a.failure() // perhaps its session ended with a card pulled out: it is opened anew
	}
	if err != nil {
		_ = t.p.end() // the error that matters is the one above
		t.p = nil
		return response{}, err
	}
	if err := a.failure(); err != nil {
		return a, err
	}
	if t.made == nil {
		t.made = map[string]bool{}
	}
	switch {
	case q.Op == opGenerate, q.Op == opCertify && a.Made:
		t.made[q.Name+string(q.Certificate)] = true
	case q.Op == opUndo:
		delete(t.made, q.Name+string(q.Certificate))
	}
	return a, nil
}

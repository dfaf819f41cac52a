package cms

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"io"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// chunk is how much content is in memory at a time.
const chunk = 1 << 20

// maxHead is how much of a content is kept for the look at messages without signed attributes.
const maxHead = 64 << 10

// errBare refuses what [SignedData.Verify] looks into, when it is too long to be kept.
var errBare = errors.New("content looks like a set of signed attributes")

// VerifyReader is [SignedData.Verify] of content that is read from r once, to its end, and never
// stands in memory as a whole: every hash the signers used is computed in the same pass. A nil r is
// no content, right for attached messages; beside an attached content, r must give the same bytes,
// or the error is ErrContentTwice. An error of r is returned as it is, under what was being done.
func (sd *SignedData) VerifyReader(r io.Reader) ([]Verified, error) {
	out, _, err := sd.VerifyAndDigest(r)
	return out, err
}

// VerifyAndDigest is [SignedData.VerifyReader] that computes further hashes in the same pass and gives the
// digests of all, for callers who have more to compare than the signatures. Of content inside the message there
// are none: it is at hand.
func (sd *SignedData) VerifyAndDigest(r io.Reader, more ...algid.Hash) ([]Verified, map[algid.Hash][]byte, error) {
	if r == nil {
		out, err := sd.verify(nil)
		return out, nil, err
	}
	if sd.attached {
		same, err := reads(r, sd.content)
		if err != nil {
			return nil, nil, fmt.Errorf("verifying CMS: read the content: %w", err)
		}
		if !same {
			return nil, nil, fmt.Errorf("verifying CMS: %w", ErrContentTwice)
		}
		out, err := sd.verify(nil)
		return out, nil, err
	}
	for _, s := range sd.signers {
		more = append(more, s.Hash)
	}
	digests, head, err := digestAll(r, more)
	if err != nil {
		return nil, nil, fmt.Errorf("verifying CMS: read the content: %w", err)
	}
	out := sd.verifyEach(head.kept, func(h algid.Hash) ([]byte, bool) { return digests[h], true })
	for i := range out {
		if v := &out[i]; v.Err == nil && !v.HasSignedAttributes && head.longSet() {
			v.Err = fmt.Errorf("signer %d: %w", i+1, errBare)
		}
	}
	return out, digests, nil
}

// digestAll reads r to its end once.
func digestAll(r io.Reader, hashes []algid.Hash) (map[algid.Hash][]byte, *headWriter, error) {
	running, head := map[algid.Hash]hash.Hash{}, &headWriter{}
	into := []io.Writer{head}
	for _, h := range hashes {
		if running[h] == nil {
			running[h] = h.New()
			into = append(into, running[h])
		}
	}
	if err := drain(io.MultiWriter(into...), r); err != nil {
		return nil, nil, err
	}
	digests := map[algid.Hash][]byte{}
	for h, sum := range running {
		digests[h] = sum.Sum(nil)
	}
	return digests, head, nil
}

// SignReader is [Sign] of a detached message over content that is read from r once, to its end, and
// never stands in memory as a whole. Content and Digest of the options must be empty. Key and
// certificate are checked before the first byte is read.
func SignReader(rand io.Reader, o Options, r io.Reader) ([]byte, error) {
	if o.Content != nil || o.Digest != nil {
		return nil, errors.New("signing CMS: content is given beside a reader")
	}
	sig, err := o.check()
	if err != nil {
		return nil, fmt.Errorf("signing CMS: %w", err)
	}
	h := sig.Hash().New()
	if err := drain(h, r); err != nil {
		return nil, fmt.Errorf("signing CMS: read the content: %w", err)
	}
	o.Digest = h.Sum(nil)
	return sign(rand, o)
}

// drain copies to the end without the shortcuts of io.Copy, which may take larger buffers.
func drain(to io.Writer, from io.Reader) error {
	_, err := io.CopyBuffer(to, struct{ io.Reader }{from}, make([]byte, chunk))
	return err
}

// reads reports whether r gives exactly these bytes.
func reads(r io.Reader, want []byte) (bool, error) {
	c := &comparer{want: want}
	err := drain(c, r)
	if errors.Is(err, errDiffers) {
		return false, nil
	}
	return len(c.want) == 0, err
}

var errDiffers = errors.New("differs")

// comparer takes what is written off want, and stops at a difference.
type comparer struct{ want []byte }

func (c *comparer) Write(b []byte) (int, error) {
	if !bytes.HasPrefix(c.want, b) {
		return 0, errDiffers
	}
	c.want = c.want[len(b):]
	return len(b), nil
}

// headWriter keeps the beginning of a content and its length.
type headWriter struct {
	kept []byte
	size uint64
}

func (h *headWriter) Write(b []byte) (int, error) {
	h.kept = append(h.kept, b[:min(len(b), maxHead-len(h.kept))]...)
	h.size += uint64(len(b))
	return len(b), nil
}

// longSet reports whether a content longer than what was kept is one SET in DER from its first byte
// to its last: by its header alone, so that a doubt refuses.
func (h *headWriter) longSet() bool {
	if h.size <= maxHead {
		return false // it was looked into as a whole
	}
	in := cryptobyte.String(h.kept)
	var tag, first uint8
	if !in.ReadUint8(&tag) || tag != byte(cbasn1.SET) || !in.ReadUint8(&first) || first <= 0x80 || first > 0x88 {
		return false
	}
	var octets []byte
	if !in.ReadBytes(&octets, int(first&0x7f)) {
		return false
	}
	var length uint64
	for _, o := range octets {
		length = length<<8 | uint64(o)
	}
	return length == h.size-uint64(2+len(octets))
}

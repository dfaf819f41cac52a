package agent

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"senim/cms"
	"senim/internal/keystore"
	"senim/internal/lang"
)

func acceptLanguage(r *http.Request) lang.Tag { return lang.Accept(r.Header.Get("Accept-Language")) }

// largeTask is the window of an operation. It stays open while the documents come: closing it ends the
// operation, and shows how many are signed.
type largeTask struct {
	op      *operation
	started chan struct{} // closed when the person agrees

	mu     sync.Mutex
	key    *keystore.Key // under mu: the person's, from then on
	taken  int           // under mu: documents begun
	failed int           // under mu: of them, those that were not signed
	closed bool          // under mu: the window is over
	theft  bool          // under mu: a document was a challenge of another site
	signed int           // under mu
	last   time.Time     // under mu: when the last one came
}

func newLargeTask(op *operation) *largeTask {
	t := &largeTask{op: op, started: make(chan struct{})}
	op.signer = t
	return t
}

func (*largeTask) kind() string { return "large" }

// wish excludes keys that only sign in: what they sign must be seen.
func (*largeTask) wish() wish { return wish{files: true, others: []string{"*"}, keyType: "SIGNATURE"} }

func (t *largeTask) show(w *window, v *View) {
	v.Warnings = []Remark{{"large", "red", w.lang.Text("agent.warning.large", "n", t.op.of)}}
	v.Wants = wantsType("SIGNATURE", w.lang)
	w.rows(v)
}

func (t *largeTask) decide(ctx context.Context, w *window, d Decision) (outcome, *Problem) {
	t.mu.Lock()
	begun := t.key != nil
	t.mu.Unlock()
	if !begun {
		key := w.opened[d.Key]
		if key == nil {
			return outcome{}, &Problem{Code: "locked", Field: "password"}
		}
		if f := w.agent.fit(key.Certificate, t.wish(), w.lang); len(f.Reasons) > 0 {
			return outcome{}, &Problem{Code: "does_not_fit", Text: f.Reasons[0].Text}
		}
		t.mu.Lock()
		t.key, t.last = key, time.Now()
		t.mu.Unlock()
		close(t.started)
	}
	timer := time.NewTimer(200 * time.Millisecond) // the page asks again at once
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.theft:
		return outcome{err: errOrigin}, nil
	case t.signed == t.op.of:
		return outcome{done: true, result: t.signed}, nil
	case t.taken == t.signed+t.failed && time.Since(t.last) > largeRest:
		return outcome{err: errors.New("the site sent no more documents")}, nil
	}
	return outcome{at: t.signed, of: t.op.of}, nil
}

// take counts a document that begins; never more than the person agreed to.
func (t *largeTask) take() (*keystore.Key, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.key == nil || t.closed || t.taken >= t.op.of {
		return nil, false
	}
	t.taken++
	return t.key, true
}

// over ends the consent, at once: what is being signed goes to nobody.
func (t *largeTask) over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

// wanted reports whether a document that was signed may go out.
func (t *largeTask) wanted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.closed
}

// lost counts a document that was not signed.
func (t *largeTask) lost() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed++
	t.last = time.Now()
}

func (t *largeTask) finished() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.signed++
	t.last = time.Now()
}

// while stops reading when the operation ends.
type while struct {
	ctx context.Context //nolint:containedctx // io.Reader has no place for it
	io.Reader
}

func (w while) Read(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Reader.Read(b)
}

// sign reads one document to its end, in little memory, and makes its message.
func (t *largeTask) sign(a *Agent, body io.Reader) (*largeMessage, error) {
	key, ok := t.take()
	if !ok {
		return nil, errNotWanted
	}
	var content io.Reader = while{t.op.ctx, body}
	if t.op.base64 {
		content = base64.NewDecoder(base64.StdEncoding, content)
	}
	in := bufio.NewReaderSize(content, 64<<10)
	if err := t.challenge(in); err != nil {
		return nil, err
	}
	out := &largeMessage{}
	read, err := io.Reader(in), error(nil)
	if t.op.encapsulate {
		if out.content, err = spool(a.config.Data); err != nil {
			return nil, err
		}
		read = io.TeeReader(in, out.content)
	}
	der, err := cms.SignReader(rand.Reader, cms.Options{Key: key.Signer, Certificate: key.Certificate, SigningTime: a.now(), Detached: true}, read)
	if err == nil {
		err = out.frame(der)
	}
	if err != nil {
		out.close()
		return nil, err
	}
	return out, nil
}

// challenge looks at the beginning of a document. A sign-in challenge of another site ends the operation, and the person
// is told why; one is small, so that what is too long to be looked at is none to be believed.
func (t *largeTask) challenge(in *bufio.Reader) error {
	begin, err := in.Peek(len(challengeWord))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(begin) != challengeWord {
		return nil
	}
	whole, err := in.Peek(in.Size())
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	_, bad := relayed(whole, t.op.site)
	if !bad && err != nil { // its end was seen
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.theft, t.closed = true, true
	return errOrigin
}

// spool is a file for the content of one message, which goes into it after its signature is known.
func spool(dir string) (*os.File, error) { return keystore.Nameless(dir) }

// sweep takes away what a kill left of spools of earlier builds, where a file in use cannot be removed: documents in clear.
func sweep(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, ".large-*")) // the pattern is right
	for _, path := range left {
		_ = os.Remove(path) // tried again at the next start
	}
}

// largeMessage is a CMS message with its content in a file, or none.
type largeMessage struct {
	head, tail []byte
	content    *os.File // nil: detached
}

func (m *largeMessage) close() {
	if m.content != nil {
		_ = m.content.Close() // and it is gone
	}
}

func (m *largeMessage) writeTo(w io.Writer, text bool) error {
	parts := []io.Reader{bytes.NewReader(m.head)}
	if m.content != nil {
		if _, err := m.content.Seek(0, io.SeekStart); err != nil {
			return err
		}
		parts = append(parts, m.content)
	}
	all := io.MultiReader(append(parts, bytes.NewReader(m.tail))...)
	if !text {
		_, err := io.Copy(w, all)
		return err
	}
	e := base64.NewEncoder(base64.StdEncoding, w)
	if _, err := io.Copy(e, all); err != nil {
		return err
	}
	return e.Close()
}

// frame cuts a detached message at the place of its content. Of an attached one every length around
// the content is written anew.
func (m *largeMessage) frame(der []byte) error {
	if m.content == nil {
		m.head = der
		return nil
	}
	size, err := m.content.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	// ContentInfo { type, [0] { SignedData { version, digests, { type }, certificates and signers
	outer, err := parts(der, 2)
	if err != nil {
		return err
	}
	signed, err := parts(outer[1].Bytes, 4)
	if err != nil {
		return err
	}
	encapsulated, err := parts(signed[2].FullBytes, 1)
	if err != nil {
		return err
	}
	contentType, version, digests, innerType := outer[0].FullBytes, signed[0].FullBytes, signed[1].FullBytes, encapsulated[0].FullBytes
	for _, part := range signed[3:] {
		m.tail = append(m.tail, part.FullBytes...)
	}
	octets := header(asn1.TagOctetString, size)
	at0 := header(0xa0, int64(len(octets))+size)
	encap := header(0x30, int64(len(innerType)+len(at0)+len(octets))+size)
	body := int64(len(version)+len(digests)+len(encap)+len(innerType)+len(at0)+len(octets)+len(m.tail)) + size
	sd := header(0x30, body)
	wrap := header(0xa0, int64(len(sd))+body)
	whole := header(0x30, int64(len(contentType)+len(wrap)+len(sd))+body)
	m.head = bytes.Join([][]byte{whole, contentType, wrap, sd, version, digests, encap, innerType, at0, octets}, nil)
	return nil
}

// parts gives what stands in a SEQUENCE, at least so many.
func parts(der []byte, least int) ([]asn1.RawValue, error) {
	var out []asn1.RawValue
	rest, err := asn1.Unmarshal(der, &out)
	if err != nil || len(rest) > 0 || len(out) < least {
		return nil, errors.New("message is not as it was made")
	}
	return out, nil
}

// header is a DER tag with the length of what follows.
func header(tag byte, length int64) []byte {
	if length < 0x80 {
		return []byte{tag, byte(length)}
	}
	var digits []byte
	for n := length; n > 0; n >>= 8 {
		digits = append([]byte{byte(n)}, digits...)
	}
	return append([]byte{tag, 0x80 | byte(len(digits))}, digits...)
}

package agent

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"senim/cms"
	"senim/internal/keystore"
	"senim/internal/lang"
)

// Bounds of a document that a page names instead of sending it.
const (
	maxNamed  = 256 << 20 // of all
	maxWhole  = 8 << 20   // of those read into memory, to be shown and signed as a message would be
	maxCosign = 64 << 20  // of those that are messages themselves, which get one more signature in memory
)

// spooled is such a document, copied to a file of the agent's own: what is shown, signed and sent are the same bytes, and
// memory does not depend on how many they are.
type spooled struct {
	file        *os.File
	size        int64
	head        []byte // its beginning
	md5, sha256 string
}

// spoolDocument copies a document; [errTooLarge] when it is more than may be, [errNotCopied] when it is
// not the document that fails.
func (a *Agent) spoolDocument(ctx context.Context, r io.Reader) (*spooled, error) {
	f, err := spool(a.config.Data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotCopied, err)
	}
	p := &spooled{file: f}
	short, long := md5.New(), sha256.New()
	if p.size, err = io.Copy(io.MultiWriter(copying{f}, short, long), io.LimitReader(while{ctx, r}, maxNamed+1)); err == nil && p.size > maxNamed {
		err = errTooLarge
	}
	if err == nil {
		p.head = make([]byte, min(p.size, maxShown))
		_, err = f.ReadAt(p.head, 0)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	p.md5, p.sha256 = hex.EncodeToString(short.Sum(nil)), hex.EncodeToString(long.Sum(nil))
	return p, nil
}

// copying tells a failure to write the copy from one to read the document.
type copying struct{ io.Writer }

func (c copying) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	if err != nil {
		err = fmt.Errorf("%w: %w", errNotCopied, err)
	}
	return n, err
}

func (p *spooled) close() { (&largeMessage{content: p.file}).close() }

func (p *spooled) reader() io.Reader { return io.NewSectionReader(p.file, 0, p.size) }

// message tells a signed message by its beginning: ContentInfo { signedData, …
func (p *spooled) message() bool {
	return bytes.Contains(p.head[:min(len(p.head), 32)], []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"))
}

// signs makes the message of such a document with a key.
type signs func(key *keystore.Key, detached bool) (*largeMessage, error)

// signSpooled shows one in the window of a task and gives the way to sign it. free gives back the memory it takes.
func (t *talk) signSpooled(ctx context.Context, task *signing, p *spooled, window lang.Tag) (sign signs, free func(), err error) {
	most := int64(maxWhole)
	if p.message() {
		if most = maxCosign; p.size > most {
			return nil, nil, errTooLarge
		}
	}
	if p.size > most {
		if err := t.unread(task, p, window); err != nil {
			return nil, nil, err
		}
		return func(key *keystore.Key, detached bool) (*largeMessage, error) {
			return t.agent.signUnread(key, p, detached)
		}, func() {}, nil
	}
	var m message
	free, err = t.inMemory(ctx, p, func(content []byte) (err error) {
		m, err = t.message(task, content, window)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return func(key *keystore.Key, detached bool) (*largeMessage, error) {
		der, err := t.agent.sign(key, m, detached)
		return &largeMessage{head: der}, err
	}, free, nil
}

// wholeSpooled shows one that is signed as it is, also when it is a message. free gives back the memory it takes.
func (t *talk) wholeSpooled(ctx context.Context, task *signing, p *spooled, window lang.Tag) (free func(), err error) {
	if p.size > maxWhole {
		return func() {}, t.unread(task, p, window)
	}
	return t.inMemory(ctx, p, func(content []byte) error { return t.whole(task, content, window) })
}

// unread shows one that is too large to be read into memory. No challenge is: a sign-in is short, whosever it is.
func (t *talk) unread(task *signing, p *spooled, window lang.Tag) error {
	if bytes.HasPrefix(p.head, []byte(challengeWord)) {
		another, _ := relayed(p.head, t.site)
		task.wants = []string{another}
		return errOrigin
	}
	return task.add(showSpooled(p, window))
}

// inMemory reads one into memory that the budget has, to be looked at; free gives that back.
func (t *talk) inMemory(ctx context.Context, p *spooled, look func(content []byte) error) (free func(), err error) {
	if err := t.agent.budget.take(ctx, &t.share, p.size); err != nil {
		return nil, err
	}
	free = func() { t.agent.budget.give(&t.share, p.size) }
	content, err := io.ReadAll(p.reader())
	if err == nil {
		err = look(content)
	}
	if err != nil {
		free()
		return nil, err
	}
	return free, nil
}

// signUnread makes the message of such a document that is read once, from end to end.
func (a *Agent) signUnread(key *keystore.Key, p *spooled, detached bool) (*largeMessage, error) {
	der, err := cms.SignReader(rand.Reader, cms.Options{Key: key.Signer, Certificate: key.Certificate, SigningTime: a.now(), Detached: true}, p.reader())
	if err != nil {
		return nil, err
	}
	out := &largeMessage{}
	if !detached {
		out.content = p.file
	}
	return out, out.frame(der)
}

// showSpooled describes one that is not read into memory: its beginning, its size and its digest.
func showSpooled(p *spooled, tag lang.Tag) Document {
	d := Document{Kind: "binary", Size: int(p.size), Digest: p.sha256, Note: tag.Text("agent.document.binary")}
	head := p.head
	for i := 1; i < utf8.UTFMax && i < len(head); i++ { // a letter may be cut at the end
		if utf8.RuneStart(head[len(head)-i]) {
			if !utf8.FullRune(head[len(head)-i:]) {
				head = head[:len(head)-i]
			}
			break
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte("%PDF-")):
		d.Kind, d.Note = "pdf", tag.Text("agent.document.pdf")
	case legible(head):
		d.Kind, d.Note, d.Text, d.Cut = "text", "", string(head), true
	}
	return d
}

// outgoing is a reply that is not held in memory.
type outgoing struct {
	write func(w io.Writer) error
	close func()
}

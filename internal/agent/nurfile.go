package agent

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"senim/internal/ask"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// maxTaken bounds what the site answers.
const maxTaken = 64 << 10

// nurFile has the person choose a file, signs it, and sends file and signature to the page's own host. What is sent
// where is said before the key is asked for.
func (t *talk) nurFile(ctx context.Context, call *ncalayer.NURCall, window lang.Tag) ([]byte, string) {
	to, err := ownURL(call.URL, t.site)
	if err != nil {
		t.tell(ctx, "NURSign file", window, never(window.Text("agent.refused.upload"), call.URL))
		return ncalayer.NURError(ncalayer.NURURL), "refused"
	}
	path, ok := t.choose(ctx, window, choosing{})
	if !ok {
		return ncalayer.NURError(ncalayer.NURCanceled), "canceled"
	}
	l, err := t.agent.locate(path)
	var p *spooled
	if err == nil {
		p, err = t.agent.copyFile(ctx, l)
	}
	if err != nil {
		t.agent.show(ctx, t.site, window, refused{window.Text("agent.refused.file-" + err.Error()), path})
		return ncalayer.NURError(nurReading(err)), "refused"
	}
	defer p.close()
	task := &signing{wanted: wish{files: true, others: []string{"*"}}} // the page names no storage
	free, err := t.wholeSpooled(ctx, task, p, window)
	switch {
	case errors.Is(err, errOrigin):
		return ncalayer.NURError(ncalayer.NURSigning), t.refuseRelayed(ctx, window, task)
	case err != nil:
		return ncalayer.NURError(ncalayer.NURFile), "refused"
	}
	defer free()
	task.named(l.path)
	task.act = func(ctx context.Context, key *keystore.Key) (any, error) {
		signature, err := t.agent.signUnread(key, p, true) // the file itself is signed, also when it is a message
		if err != nil {
			return nil, err
		}
		return t.agent.upload(ctx, to, call.Token, filepath.Base(l.path), p, signature.head)
	}
	out := t.agent.show(ctx, t.site, window, sending{task, to.String()})
	code, failed := errors.AsType[nurError](out.err)
	switch {
	case failed:
		return ncalayer.NURError(int(code)), "failed"
	case out.err != nil:
		return ncalayer.NURError(ncalayer.NURSigning), "failed"
	case !out.done:
		return ncalayer.NURError(ncalayer.NURCanceled), "canceled"
	}
	return ncalayer.NURReply(out.result), "ok"
}

// copyFile copies a file of the person's; why not is one of the reasons of [local.open].
func (a *Agent) copyFile(ctx context.Context, l local) (*spooled, error) {
	f, err := l.open(maxNamed)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	p, err := a.spoolDocument(ctx, f)
	switch {
	case errors.Is(err, errNotCopied):
		a.log.Error("a file was not copied", "err", err)
		return nil, errNotCopied
	case err != nil && !errors.Is(err, errTooLarge):
		a.log.Warn("a file was not read", "err", err)
		return nil, errNoFile
	}
	return p, err
}

// nurReading is the code for a file that is not read.
func nurReading(err error) int {
	switch {
	case errors.Is(err, errTooLarge):
		return ncalayer.NURTooBig
	case errors.Is(err, errNoFile):
		return ncalayer.NURNoFile
	case errors.Is(err, errNotCopied):
		return ncalayer.NURGeneral
	}
	return ncalayer.NURFile
}

// sending signs one file that then leaves the machine.
type sending struct {
	*signing
	to string
}

func (t sending) show(w *window, v *View) {
	t.signing.show(w, v)
	v.Title, v.Button = w.lang.Text("agent.title.send"), w.lang.Text("agent.ui.send")
	v.Warnings = append([]Remark{{"sent", "amber", w.lang.Text("agent.warning.sent")}}, v.Warnings...)
	v.Named = t.to // an address of the page's own host; it has its bound
}

func (t sending) said(tag lang.Tag) string { return tag.Text("agent.done.send") }

// upload sends a file with its detached signature (base64) and the page's token as a form, and gives what the site
// answers: no redirect, no proxy, no cookie, a public address only.
func (a *Agent) upload(ctx context.Context, to *url.URL, token, name string, content *spooled, signature []byte) (ncalayer.NURUploaded, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	var head, tail bytes.Buffer
	form := multipart.NewWriter(&head)
	err := errors.Join(form.WriteField("token", token), form.WriteField("signature", base64.StdEncoding.EncodeToString(signature)))
	if err == nil {
		_, err = form.CreateFormFile("file", name)
	}
	if err != nil {
		return ncalayer.NURUploaded{}, fmt.Errorf("write a form: %w", err)
	}
	fmt.Fprintf(&tail, "\r\n--%s--\r\n", form.Boundary())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), io.MultiReader(&head, content.reader(), &tail))
	if err != nil {
		return ncalayer.NURUploaded{}, fmt.Errorf("send a file: %w", err)
	}
	r.ContentLength = int64(head.Len()+tail.Len()) + content.size
	r.Header.Set("Content-Type", form.FormDataContentType())
	answer, err := a.toPages().Do(r)
	switch {
	case errors.Is(err, ask.ErrPrivate):
		return ncalayer.NURUploaded{}, nurError(ncalayer.NURURL)
	case err != nil:
		return ncalayer.NURUploaded{}, nurError(ncalayer.NUROffline)
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxTaken+1))
	if err != nil || len(b) > maxTaken || answer.StatusCode != http.StatusOK {
		return ncalayer.NURUploaded{}, nurError(ncalayer.NURUpload)
	}
	var taken struct {
		ID    json.RawMessage `json:"file_id"` // a number or a text: it is the site's own
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(b, &taken); err != nil || taken.ID == nil && taken.Error == nil {
		return ncalayer.NURUploaded{}, nurError(ncalayer.NURServer)
	}
	return ncalayer.NURUploaded{ID: taken.ID, Name: name, Size: int(content.size), Error: taken.Error}, nil
}

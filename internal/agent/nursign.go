package agent

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// nurError is a failure of NURSign: its number.
type nurError int

func (nurError) Error() string { return "NURSign" }

// nur answers a call of the procurement portal's module.
func (t *talk) nur(ctx context.Context, r *ncalayer.Request) ([]byte, string) {
	call, code := r.NUR()
	if code != 0 {
		return ncalayer.NURError(code), "refused"
	}
	if call.Type == "version" {
		return ncalayer.NURVersion(), "ok"
	}
	window := tag(t.locale, lang.RU)
	if call.Type == "file" {
		return t.nurFile(ctx, call, window)
	}
	if call.URL != "" {
		return t.nurRemote(ctx, call, window)
	}
	task := &signing{wanted: wish{files: true, others: []string{"*"}}} // the page names no storage
	content, err := t.nurTask(ctx, task, call, window)
	if errors.Is(err, errOrigin) {
		return ncalayer.NURError(ncalayer.NURSigning), t.refuseRelayed(ctx, window, task)
	}
	if code, ok := errors.AsType[nurError](err); ok {
		return ncalayer.NURError(int(code)), "refused"
	}
	if err != nil {
		return ncalayer.NURError(ncalayer.NURGeneral), "refused"
	}
	out := t.agent.show(ctx, t.site, window, task)
	switch {
	case out.err != nil:
		return ncalayer.NURError(ncalayer.NURSigning), "failed"
	case !out.done && task.stamp != nil: // given up
		return ncalayer.NURError(ncalayer.NURSigning), "failed"
	case !out.done:
		return ncalayer.NURError(ncalayer.NURCanceled), "canceled"
	}
	if list, ok := out.result.([]string); ok && call.Type == "multitext" {
		return ncalayer.NURReply(ncalayer.NURItems{Names: call.Names, Signatures: list}), "ok"
	}
	if one, ok := out.result.(string); ok && call.Type == "binary" {
		short, long := md5.Sum(content), sha256.Sum256(content)
		return ncalayer.NURBinary(one, hex.EncodeToString(short[:]), hex.EncodeToString(long[:])), "ok"
	}
	return ncalayer.NURReply(out.result), "ok"
}

// nurRemote signs a document that the page names by its address. The reply has it inside, so it goes out as it is read.
func (t *talk) nurRemote(ctx context.Context, call *ncalayer.NURCall, window lang.Tag) ([]byte, string) {
	p, err := t.download(ctx, call.URL, window)
	if code, ok := errors.AsType[nurError](err); ok {
		return ncalayer.NURError(int(code)), "refused"
	}
	if err != nil {
		return ncalayer.NURError(ncalayer.NURGeneral), "refused"
	}
	task := &signing{wanted: wish{files: true, others: []string{"*"}}}
	sign, free, err := t.signSpooled(ctx, task, p, window)
	if err != nil {
		p.close()
		switch {
		case errors.Is(err, errOrigin):
			return ncalayer.NURError(ncalayer.NURSigning), t.refuseRelayed(ctx, window, task)
		case errors.Is(err, errTooLarge):
			return ncalayer.NURError(ncalayer.NURTooBig), "refused"
		}
		return ncalayer.NURError(ncalayer.NURGeneral), "refused"
	}
	done := func() { free(); p.close() }
	task.named(call.URL)
	task.act = func(_ context.Context, key *keystore.Key) (any, error) { return sign(key, false) }
	out := t.agent.show(ctx, t.site, window, task)
	signed, ok := out.result.(*largeMessage)
	switch {
	case out.err != nil:
		done()
		return ncalayer.NURError(ncalayer.NURSigning), "failed"
	case !out.done || !ok:
		done()
		return ncalayer.NURError(ncalayer.NURCanceled), "canceled"
	}
	t.outgoing = &outgoing{close: done, write: func(w io.Writer) error {
		before, after := ncalayer.NURBinaryAround(p.md5, p.sha256)
		if _, err := w.Write(before); err != nil {
			return err
		}
		if err := signed.writeTo(w, true); err != nil {
			return err
		}
		_, err := w.Write(after)
		return err
	}}
	return nil, "ok"
}

// nurTask checks what is to be signed and prepares its window; content is that of binary.
func (t *talk) nurTask(ctx context.Context, task *signing, call *ncalayer.NURCall, window lang.Tag) (content []byte, err error) {
	if call.Type == "xml" || call.Type == "multixml" {
		return nil, t.nurXML(ctx, task, call, window)
	}
	var items []message
	for _, text := range call.Data {
		content = []byte(text)
		if call.Type == "binary" {
			if content, err = ncalayer.DecodeBase64(text); err != nil {
				return nil, nurError(ncalayer.NURFile)
			}
		}
		m, err := t.message(task, content, window)
		if err != nil {
			return nil, err
		}
		items = append(items, m)
	}

	stamped := call.Type != "binary" // of binary no time-stamp is known
	task.wanted.stamp = stamped
	task.act = func(ctx context.Context, key *keystore.Key) (any, error) {
		return each(items, call.Type == "multitext", func(m message) (string, error) {
			der, err := t.agent.sign(key, m, false)
			if err == nil && stamped {
				der, err = t.agent.stamper(ctx, der, key.Certificate)
			}
			return base64.StdEncoding.EncodeToString(der), err
		})
	}
	return content, nil
}

func (t *talk) nurXML(ctx context.Context, task *signing, call *ncalayer.NURCall, window lang.Tag) error {
	var items []element
	for _, xml := range call.Data {
		_, shown, err := t.lookXML(ctx, task, xml, nil, window)
		if errors.Is(err, errOrigin) {
			return err
		}
		if err == nil {
			err = task.add(shown)
		}
		if err != nil {
			return nurError(ncalayer.NURXML)
		}
		items = append(items, element{xml: xml})
	}
	task.act = func(ctx context.Context, key *keystore.Key) (any, error) {
		return each(items, call.Type == "multixml", func(e element) (string, error) {
			out, err := t.agent.signXML(ctx, key, e, true)
			return string(out), err
		})
	}
	return nil
}

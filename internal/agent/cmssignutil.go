package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"senim/cms"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// cmsSign answers a call of CMSSignUtil: files that stay on the person's machine.
func (t *talk) cmsSign(ctx context.Context, r *ncalayer.Request) ([]byte, string) {
	call, reply := r.CMSSign(t.agent.plugged)
	window := tag(t.locale, lang.RU)
	if call != nil {
		window = tag(call.Locale, window)
	}
	if reply != nil {
		if call != nil {
			t.noDriver(ctx, call.Storage, window)
		}
		return reply, "refused"
	}
	if call.Method == "getFilePath" {
		path, ok := t.choose(ctx, window, choosing{suffix: suffixOf(call.Extension), start: call.Folder})
		if !ok {
			return ncalayer.CommonCanceled(""), "canceled"
		}
		return ncalayer.CommonReply(ncalayer.FilePath{Path: path, Name: filepath.Base(path), Folder: filepath.Dir(path)}, ""), "ok"
	}
	path, content, err := t.readLocal(ctx, call.Path, window)
	switch {
	case errors.Is(err, errNotWanted):
		return ncalayer.CommonCanceled(""), "canceled"
	case err != nil:
		return ncalayer.CommonError("file.not_found", ""), "refused"
	}
	switch call.Method {
	case "signFilePath":
		return t.signFile(ctx, call.Storage, path, content, window)
	case "saveCMS":
		return t.saveContent(ctx, path, content, window)
	}
	return checkFile(content)
}

// signFile signs a file and writes the message where the person says, never over another file.
func (t *talk) signFile(ctx context.Context, storage, path string, content []byte, window lang.Tag) ([]byte, string) {
	task := &signing{wanted: wish{files: storage == ncalayer.PKCS12, others: []string{storage}}}
	m, err := t.message(task, content, window)
	if errors.Is(err, errOrigin) {
		return ncalayer.CommonError(err.Error(), ""), t.refuseRelayed(ctx, window, task)
	}
	if err != nil {
		return ncalayer.CommonError(err.Error(), ""), "refused"
	}
	task.named(path)
	task.act = func(_ context.Context, key *keystore.Key) (any, error) { return t.agent.sign(key, m, false) }
	name := path + ".cms"
	if m.existing != nil {
		name = path // one more signature: the same kind of file under a free name
	}
	return t.save(ctx, window, filing{task, free(name)})
}

// saveContent takes the content out of a message and writes it where the person says.
func (t *talk) saveContent(ctx context.Context, path string, message []byte, window lang.Tag) ([]byte, string) {
	sd, err := readMessage(message)
	if err != nil {
		return ncalayer.CommonError(err.Error(), ""), "refused"
	}
	if sd.Detached() {
		return ncalayer.CommonError("the message has no content", ""), "refused"
	}
	name := strings.TrimSuffix(path, filepath.Ext(path))
	return t.save(ctx, window, saving{content: sd.Content(), document: showContent(sd.Content(), t.agent.signedBefore(sd, window), window), target: free(name)})
}

// save shows the window of a file to be written; its result is where it is.
func (t *talk) save(ctx context.Context, window lang.Tag, task task) ([]byte, string) {
	out := t.agent.show(ctx, t.site, window, task)
	path, ok := out.result.(string)
	switch {
	case out.err != nil:
		return ncalayer.CommonError(t.agent.forPage(out.err), ""), "failed"
	case !out.done || !ok:
		return ncalayer.CommonCanceled(""), "canceled"
	}
	return ncalayer.CommonReply(filepath.Base(path), ""), "ok"
}

// readMessage reads a CMS file, DER or PEM.
func readMessage(content []byte) (*cms.SignedData, error) {
	der, err := cms.Decode(content)
	if err != nil {
		return nil, errors.New("not a signed message")
	}
	sd, err := cms.Parse(der)
	if err != nil {
		return nil, errors.New("not a signed message")
	}
	return sd, nil
}

// checkFile verifies the signatures of a message. Whose content is not in it could not be checked.
func checkFile(content []byte) ([]byte, string) {
	sd, err := readMessage(content)
	if err != nil {
		return ncalayer.CommonError(err.Error(), ""), "refused"
	}
	verdicts, err := sd.Verify(nil)
	if err != nil {
		return ncalayer.CommonError("the message was not checked: "+err.Error(), ""), "refused"
	}
	list := []ncalayer.CheckedSigner{}
	for _, v := range verdicts {
		one := ncalayer.CheckedSigner{Valid: v.Err == nil}
		if v.Certificate != nil {
			one.Name = v.Certificate.Holder().CommonName
		}
		list = append(list, one)
	}
	return ncalayer.CMSChecked(list), "ok"
}

// free proposes a path that no file has, beside the file it comes from: in another folder only where the
// person writes it, a page might name one whose programs are started.
func free(path string) string {
	base := filepath.Base(path)
	dir := filepath.Dir(path)
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	for n := 1; n < 1000; n++ {
		try := filepath.Join(dir, stem+ext)
		if n > 1 {
			try = filepath.Join(dir, stem+" ("+strconv.Itoa(n)+")"+ext)
		}
		if _, err := os.Lstat(try); errors.Is(err, os.ErrNotExist) {
			return try
		}
	}
	return filepath.Join(dir, base)
}

// filing signs one document and writes the message to a file.
type filing struct {
	*signing
	target string
}

func (t filing) show(w *window, v *View) {
	t.signing.show(w, v)
	v.SaveAs = t.target
}

func (t filing) decide(ctx context.Context, w *window, d Decision) (outcome, *Problem) {
	path, p := w.agent.target(d.SaveAs)
	if p != nil {
		return outcome{}, p
	}
	out, p := t.signing.decide(ctx, w, d)
	der, ok := out.result.([]byte)
	if p != nil || !ok {
		return out, p
	}
	return fileWritten(path, der)
}

// saving writes the content of a message to a file.
type saving struct {
	content  []byte
	document Document
	target   string
}

func (saving) kind() string { return "save" }
func (saving) wish() wish   { return wish{} }

func (t saving) show(_ *window, v *View) { v.Documents, v.SaveAs = []Document{t.document}, t.target }

func (t saving) decide(_ context.Context, w *window, d Decision) (outcome, *Problem) {
	path, p := w.agent.target(d.SaveAs)
	if p != nil {
		return outcome{}, p
	}
	return fileWritten(path, t.content)
}

// target checks a path the person gave for a new file.
func (a *Agent) target(path string) (string, *Problem) {
	path = filepath.Clean(strings.TrimSpace(path))
	folder := filepath.Dir(path)
	if !filepath.IsAbs(path) {
		return "", &Problem{Code: "no_folder", Field: "save-as"}
	}
	resolved, err := filepath.EvalSymlinks(folder)
	if err != nil || a.own(resolved) {
		return "", &Problem{Code: "no_folder", Field: "save-as"}
	}
	path = filepath.Join(resolved, filepath.Base(path))
	if _, err := os.Lstat(path); err == nil {
		return "", &Problem{Code: "file_there", Field: "save-as"}
	}
	return path, nil
}

// fileWritten makes a new file, whole or not at all; one that came there meanwhile stays as it is.
func fileWritten(path string, content []byte) (outcome, *Problem) {
	switch err := keystore.Create(path, content, 0o600); {
	case errors.Is(err, os.ErrExist):
		return outcome{}, &Problem{Code: "file_there", Field: "save-as"}
	case err != nil:
		return outcome{}, &Problem{Code: "not_written", Field: "save-as"}
	}
	return outcome{done: true, result: path}, nil
}

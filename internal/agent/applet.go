package agent

import (
	"context"
	"encoding/asn1"
	"errors"
	"strconv"
	"strings"
	"time"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/pki"
)

// heldFor is how long a key file stays open for one connection of an old page.
const heldFor = 10 * time.Minute

// held is a key file that the person opened for one connection. It answers questions about the
// certificate; every signature still asks.
type held struct {
	file  keystore.File
	key   *keystore.Key
	until time.Time
}

// appletError is a failure in the Applet's own words.
type appletError string

func (e appletError) Error() string { return string(e) }

// applet answers a call of the oldest module. Its pages ask for the password of the key themselves and
// send it along; it is read past, and the person is told that it was not needed.
func (t *talk) applet(ctx context.Context, r *ncalayer.Request) ([]byte, string) {
	call, reply := r.Applet()
	if reply != nil {
		return reply, "refused"
	}
	if call.Method == "setLocale" { // never answered
		if l, ok := lang.Parse(call.Locale); ok {
			t.locale = string(l)
		}
		return nil, "ok"
	}
	result, err := t.appletCall(ctx, call, tag(t.locale, lang.RU))
	if err == nil {
		return ncalayer.AppletReply(result, call.UUID), "ok"
	}
	code := ncalayer.AppletCommon
	if e, ok := errors.AsType[appletError](err); ok {
		code = string(e)
	}
	return ncalayer.AppletError(code, call.UUID), code
}

func (t *talk) appletCall(ctx context.Context, call *ncalayer.AppletCall, window lang.Tag) (any, error) {
	switch call.Method {
	case "browseKeyStore", "showFileChooser":
		path, _ := t.choose(ctx, window, choosing{
			keys: call.Method == "browseKeyStore", suffix: suffixOf(call.Extension), start: call.Folder,
		})
		return path, nil
	case "loadSlotList":
		return "", nil // key files have no slots
	case "getHash":
		return appletHash(call)
	case "verifyXml":
		return appletVerifyXML(call)
	case "verifyCMSSignature":
		return appletVerifyCMS(call.Signature, []byte(call.Text))
	case "verifyCMSSignatureFromFile":
		_, content, err := t.readLocal(ctx, call.File, window)
		if err != nil {
			return nil, appletError(ncalayer.AppletFile)
		}
		return appletVerifyCMS(call.Signature, content)
	case "signPlainData", "createCMSSignature", "createCMSSignatureFromFile", "signXml", "signXmlByElementId":
		return t.appletSign(ctx, call, window)
	}
	key, err := t.container(ctx, call, window)
	if err != nil {
		return nil, err
	}
	if call.Method == "verifyPlainData" {
		return appletVerifyPlain(key, call)
	}
	return appletAbout(key.Certificate, call)
}

// container gives the key of the file a page names, opened before on this connection or now.
func (t *talk) container(ctx context.Context, call *ncalayer.AppletCall, window lang.Tag) (*keystore.Key, error) {
	if h, ok := t.stillOpen(call.Path); ok {
		return h.key, nil
	}
	task := &signing{info: true, wanted: wish{files: true, others: []string{keystore.JKS}, allowExpired: true, allowRevoked: true}}
	task.act = func(_ context.Context, key *keystore.Key) (any, error) { return key, nil }
	out, err := t.askContainer(ctx, call.Path, window, task)
	if err != nil {
		return nil, err
	}
	return out.(*keystore.Key), nil
}

// stillOpen finds a file opened before on this connection. A site that was sent away has none.
func (t *talk) stillOpen(path string) (held, bool) {
	h, ok := t.held[path]
	if ok && !t.agent.now().Before(h.until) || t.agent.blocked(t.site) {
		delete(t.held, path)
		return held{}, false
	}
	return h, ok
}

// askContainer shows a window with the one key file a page named. Whether there is such a file is told
// to the person, not to the page: it gets its answer after a window in either case.
func (t *talk) askContainer(ctx context.Context, path string, window lang.Tag, task *signing) (any, error) {
	h, open := t.stillOpen(path)
	if !open {
		l, err := t.agent.locate(path)
		var files []keystore.File
		if err == nil {
			files = keystore.Scan([]string{l.path})
		}
		if len(files) != 1 {
			if out := t.agent.show(ctx, t.site, window, refused{window.Text("agent.refused.no-key-file", "path", path)}); out.err == nil {
				return nil, appletError(ncalayer.AppletCommon) // as for a file whose window was not shown
			}
			return nil, appletError(ncalayer.AppletKeyStore)
		}
		h.file = files[0]
	}
	task.warnings = append(task.warnings, Remark{"password-asked", "amber", window.Text("agent.warning.password-asked")})
	one := &oneFile{signing: task, held: h}
	out := t.agent.show(ctx, t.site, window, one)
	if one.opened != nil && !open {
		if t.held == nil {
			t.held = map[string]held{}
		}
		t.held[path] = held{file: h.file, key: one.opened, until: t.agent.now().Add(heldFor)}
	}
	switch {
	case out.err != nil:
		return nil, out.err
	case !out.done:
		return nil, appletError(ncalayer.AppletCommon)
	}
	return out.result, nil
}

// oneFile is a signature, or a look, with the key of one file only.
type oneFile struct {
	*signing
	held   held
	opened *keystore.Key // set by a decision
}

func (t *oneFile) decide(ctx context.Context, w *window, d Decision) (outcome, *Problem) {
	key := w.opened[d.Key] // as it was opened, whatever the act is given
	out, p := t.signing.decide(ctx, w, d)
	if out.done {
		t.opened = key
	}
	return out, p
}

// keyFiles gives the window that file alone, open when it is open for this connection.
func (t *oneFile) keyFiles() ([]keystore.File, map[string]*keystore.Key) {
	opened := map[string]*keystore.Key{}
	if t.held.key != nil {
		opened[t.held.file.ID] = t.held.key
	}
	return []keystore.File{t.held.file}, opened
}

// alias is the name of a key inside its file, as getKeys gives it; a page that names another one
// means another key.
func alias(key *keystore.Key, named string) error {
	if named != "" && !strings.EqualFold(named, keyInfo(key.Certificate).Alias) {
		return appletError(ncalayer.AppletNoKey)
	}
	return nil
}

// appletAbout answers the questions about the certificate of an open file.
func appletAbout(c *pki.Certificate, call *ncalayer.AppletCall) (any, error) {
	if err := alias(&keystore.Key{Certificate: c}, call.Alias); err != nil {
		return nil, err
	}
	const form = "02.01.2006 15:04:05"
	switch call.Method {
	case "getKeys":
		return appletKeys(c, call.Kind)
	case "getNotBefore":
		return c.NotBefore.Local().Format(form), nil
	case "getNotAfter":
		return c.NotAfter.Local().Format(form), nil
	case "getSubjectDN":
		return c.Subject.String(), nil
	case "getIssuerDN":
		return c.Issuer.String(), nil
	}
	return rdn(c.Subject, call.OID, call.Index)
}

// appletKeys is the line of one key: algorithm, name, serial number and alias.
func appletKeys(c *pki.Certificate, kind string) (any, error) {
	signs, signsIn := c.HasUsage(pki.EmailProtection), c.HasUsage(pki.ClientAuth)
	if kind == "SIGN" && !signs || kind == "AUTH" && !signsIn && !c.HasPolicy(pki.PolicyNCA) {
		return nil, appletError(ncalayer.AppletNoKey)
	}
	info := keyInfo(c)
	algorithm := "ГОСТ"
	if info.Algorithm == "RSA" {
		algorithm = "RSA"
	}
	name := strings.NewReplacer("|", " ", "\n", " ", "\r", " ").Replace(info.SubjectCN)
	return algorithm + "|" + name + "|" + info.Serial + "|" + info.Alias, nil
}

// rdn gives the value of one part of a name, counted from 0 where there are several.
func rdn(name pki.Name, oid string, index int) (any, error) {
	var id asn1.ObjectIdentifier
	for _, part := range strings.Split(oid, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, appletError(ncalayer.AppletNoRDN)
		}
		id = append(id, n)
	}
	for _, a := range name {
		if !a.OID.Equal(id) {
			continue
		}
		if index == 0 {
			return a.Value, nil
		}
		index--
	}
	return nil, appletError(ncalayer.AppletNoRDN)
}

package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"senim/algid"
	"senim/cms"
	"senim/dsig"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/pki"
)

// errOrigin is the refusal to sign a challenge of another origin, in commonUtils' words.
var errOrigin = errors.New("origin.mismatch")

// common answers a call of commonUtils.
func (t *talk) common(ctx context.Context, r *ncalayer.Request) ([]byte, string) {
	call, reply := r.Common(t.agent.plugged)
	if reply != nil {
		if call != nil {
			t.noDriver(ctx, call.Storage, tag(t.locale, lang.RU))
		}
		return reply, "refused"
	}
	switch call.Method {
	case "getActiveTokens":
		return ncalayer.CommonReply(t.agent.plugged(), call.UUID), "ok"
	case "changeLocale":
		if l, ok := lang.Parse(call.Data[0]); ok {
			t.locale = string(l)
		}
		return ncalayer.CommonReply(nil, call.UUID), "ok"
	}
	window := tag(t.locale, lang.RU)
	switch call.Method {
	case "showFileChooser":
		path, ok := t.choose(ctx, window, choosing{keys: isKeys(call.Extension), suffix: suffixOf(call.Extension), start: call.Folder})
		if !ok {
			return ncalayer.CommonCanceled(call.UUID), "canceled"
		}
		return ncalayer.CommonReply(path, call.UUID), "ok"
	case "applyCAdEST":
		return t.applyStamp(ctx, call, window)
	}
	task, err := t.commonTask(ctx, call, window)
	if errors.Is(err, errNotWanted) {
		return ncalayer.CommonCanceled(call.UUID), "canceled"
	}
	if errors.Is(err, errOrigin) {
		return ncalayer.CommonError(err.Error(), call.UUID), t.refuseRelayed(ctx, window, task)
	}
	if err != nil {
		return ncalayer.CommonError(err.Error(), call.UUID), "refused"
	}
	out := t.agent.show(ctx, t.site, window, task)
	switch {
	case out.err != nil:
		return ncalayer.CommonError(t.agent.forPage(out.err), call.UUID), "failed"
	case !out.done && task.stamp != nil: // given up
		return ncalayer.CommonError(t.agent.forPage(task.stamp), call.UUID), "failed"
	case !out.done:
		return ncalayer.CommonCanceled(call.UUID), "canceled"
	}
	return ncalayer.CommonReply(out.result, call.UUID), "ok"
}

// isKeys tells whether the chooser is for key files.
func isKeys(extension string) bool {
	switch suffixOf(extension) {
	case ".p12", ".pfx", ".jks":
		return true
	}
	return false
}

// refuseRelayed tells the person why a challenge is not signed.
func (t *talk) refuseRelayed(ctx context.Context, window lang.Tag, task *signing) string {
	t.agent.show(ctx, t.site, window, refused{window.Text("agent.refused." + cmp.Or(task.relayed, "challenge")), task.wants[0]})
	return "origin_mismatch"
}

// commonTask checks the contents of a call and prepares its window.
func (t *talk) commonTask(ctx context.Context, call *ncalayer.CommonCall, window lang.Tag) (*signing, error) {
	task := &signing{wanted: wish{files: call.Storage == ncalayer.PKCS12, others: []string{call.Storage}, keyType: call.KeyType}, wants: wantsType(call.KeyType, window)}
	var err error
	switch call.Method {
	case "getKeyInfo":
		task.info = true
		task.act = func(_ context.Context, key *keystore.Key) (any, error) { return keyInfo(key.Certificate), nil }
		return task, nil
	case "signXml", "signXmls":
		err = t.commonXML(ctx, task, call, window)
	case "createCAdESFromBase64Hash":
		err = t.commonDigests(task, call, window)
	case "createCAdESFromFile", "createCMSSignatureFromFile":
		err = t.commonFile(ctx, task, call, window)
	default:
		err = t.commonCMS(task, call, window)
	}
	return task, err
}

func wantsType(keyType string, window lang.Tag) []string {
	switch keyType {
	case "SIGNATURE", "AUTHENTICATION":
		return []string{window.Text("agent.wants." + keyType)}
	}
	return nil
}

// each runs a signature over every document: a list for a list, one text for one.
func each[T any](items []T, many bool, sign func(T) (string, error)) (any, error) {
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, err := sign(item)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	if many {
		return out, nil
	}
	return out[0], nil
}

// errCrowd: nobody can consent to so many documents one by one.
var errCrowd = fmt.Errorf("more than %d documents", maxListed)

// add shows one more document: the first ones whole, the others by what they are, size and digest.
func (t *signing) add(d Document) error {
	if t.count++; t.count > maxListed {
		return errCrowd
	}
	if t.count > maxDocuments && (d.Text != "" || d.Parts != nil) {
		d.Text, d.Parts, d.Cut = "", nil, true
	}
	t.documents = append(t.documents, d)
	return nil
}

func (t *talk) commonCMS(task *signing, call *ncalayer.CommonCall, window lang.Tag) error {
	var contents [][]byte
	for _, text := range call.Data {
		content, err := ncalayer.DecodeBase64(text)
		if err != nil {
			return err
		}
		contents = append(contents, content)
	}
	return t.commonContents(task, call, contents, window)
}

// commonFile signs a file that the page names and the person lets it have.
func (t *talk) commonFile(ctx context.Context, task *signing, call *ncalayer.CommonCall, window lang.Tag) error {
	path, content, err := t.readLocal(ctx, call.Path, window)
	if errors.Is(err, errNotWanted) {
		return err
	}
	if err != nil {
		return errors.New("file.not_found") // which of the reasons it was is for the person only
	}
	if err := t.commonContents(task, call, [][]byte{content}, window); err != nil {
		return err
	}
	task.documents[0].Name = path
	return nil
}

func (t *talk) commonContents(task *signing, call *ncalayer.CommonCall, contents [][]byte, window lang.Tag) error {
	var items []message
	for _, content := range contents {
		item, err := t.message(task, content, window)
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	stamped := strings.HasPrefix(call.Method, "createCMSSignature")
	task.wanted.stamp = stamped
	task.act = func(ctx context.Context, key *keystore.Key) (any, error) {
		return each(items, call.Many, func(m message) (string, error) {
			der, err := t.agent.sign(key, m, !call.Attached)
			if err == nil && stamped {
				der, err = t.agent.stamper(ctx, der, key.Certificate)
			}
			return base64.StdEncoding.EncodeToString(der), err
		})
	}
	return nil
}

// message is one thing to sign as CMS.
type message struct {
	content  []byte
	existing []byte // the CMS that gets one more signer, nil for a new one
}

// whole looks at a document that is signed as it is, also when it is a CMS: what is shown is what is signed. A challenge of
// another origin is refused, also inside a CMS.
func (t *talk) whole(task *signing, content []byte, window lang.Tag) error {
	inside := [][]byte{content}
	if sd, err := cms.Parse(content); err == nil {
		inside = append(inside, sd.Content())
	}
	for _, c := range inside {
		if another, bad := relayed(c, t.site); bad {
			task.wants = []string{another}
			return errOrigin
		}
	}
	return task.add(showContent(content, nil, window))
}

// message looks at a document: a CMS gets one more signature, anything else a first one. A challenge
// of another origin is refused, also inside a CMS.
func (t *talk) message(task *signing, content []byte, window lang.Tag) (message, error) {
	m := message{content: content}
	var signed *cms.SignedData
	if sd, err := cms.Parse(content); err == nil {
		if sd.Detached() {
			return m, errors.New("the content of a detached CMS is not here to be shown")
		}
		m.existing, m.content, signed = content, sd.Content(), sd
	}
	if another, bad := relayed(m.content, t.site); bad {
		task.wants = []string{another}
		return m, errOrigin
	}
	var before []string
	if signed != nil {
		before = t.agent.signedBefore(signed, window)
	}
	return m, task.add(showContent(m.content, before, window))
}

// sign makes one CAdES-BES message.
func (a *Agent) sign(key *keystore.Key, m message, detached bool) ([]byte, error) {
	o := cms.Options{Key: key.Signer, Certificate: key.Certificate, SigningTime: a.now()}
	if m.existing != nil {
		return cms.AddSigner(rand.Reader, m.existing, o)
	}
	o.Content, o.Detached = m.content, detached
	return cms.Sign(rand.Reader, o)
}

func (t *talk) commonDigests(task *signing, call *ncalayer.CommonCall, window lang.Tag) error {
	var digests [][]byte
	for _, text := range call.Data {
		digest, err := ncalayer.DecodeBase64(text)
		if err != nil {
			return err
		}
		if len(digest) != 32 && len(digest) != 64 {
			return errors.New("a digest has 32 or 64 bytes")
		}
		if task.wanted.digest != 0 && task.wanted.digest != len(digest) {
			return errors.New("digests of different lengths")
		}
		task.wanted.digest = len(digest)
		digests = append(digests, digest)
		if err := task.add(showDigest(digest, window)); err != nil {
			return err
		}
	}
	task.act = func(_ context.Context, key *keystore.Key) (any, error) {
		return each(digests, call.Many, func(digest []byte) (string, error) {
			der, err := t.agent.signDigest(key, digest)
			return base64.StdEncoding.EncodeToString(der), err
		})
	}
	return nil
}

func (a *Agent) signDigest(key *keystore.Key, digest []byte) ([]byte, error) {
	return cms.Sign(rand.Reader, cms.Options{
		Key: key.Signer, Certificate: key.Certificate, Digest: digest, Detached: true, SigningTime: a.now(),
	})
}

// element is what part of an XML document is signed: all of it when id is empty.
type element struct{ xml, id, parent string }

func (t *talk) commonXML(ctx context.Context, task *signing, call *ncalayer.CommonCall, window lang.Tag) error {
	var items []element
	for _, xml := range call.Data {
		var part func(*dsig.Document) (string, error)
		if call.TBS != "" {
			part = func(doc *dsig.Document) (string, error) { return idAt(doc, call.TBS) }
		}
		id, shown, err := t.lookXML(ctx, task, xml, part, window)
		if err != nil {
			return err
		}
		items = append(items, element{xml: xml, id: id, parent: call.Parent})
		if err := task.add(shown); err != nil {
			return err
		}
	}
	if len(items) == 0 {
		return errors.New("nothing to sign")
	}
	task.act = func(ctx context.Context, key *keystore.Key) (any, error) {
		return each(items, call.Many, func(e element) (string, error) {
			out, err := t.agent.signXML(ctx, key, e, true)
			return string(out), err
		})
	}
	return nil
}

func idAt(doc *dsig.Document, path string) (string, error) {
	found, err := doc.Find(path)
	if err != nil {
		return "", err
	}
	if len(found) != 1 || found[0].ID() == "" {
		return "", fmt.Errorf("%d elements with an Id at the path of the part to sign", len(found))
	}
	return found[0].ID(), nil
}

// signXML signs a document; one of many nodes waits for its turn, no longer than ctx.
func (a *Agent) signXML(ctx context.Context, key *keystore.Key, e element, wrapped bool) ([]byte, error) {
	leave, err := a.crowd.take(ctx, e.xml)
	if err != nil {
		return nil, err
	}
	defer leave()
	return signXML(key, e, wrapped)
}

// signXML signs a document that was parsed before.
func signXML(key *keystore.Key, e element, wrapped bool) ([]byte, error) {
	o := dsig.Options{Key: key.Signer, Certificate: key.Certificate, Wrapped: wrapped, Bounds: xmlBounds}
	if e.id != "" {
		return dsig.SignElement(rand.Reader, []byte(e.xml), e.id, e.parent, o)
	}
	return dsig.SignEnveloped(rand.Reader, []byte(e.xml), o)
}

// keyID is the identifier of a key in lower hex: that of its certificate, or, where there is none, that of the key itself.
func keyID(c *pki.Certificate) string {
	if len(c.SubjectKeyID) > 0 {
		return hex.EncodeToString(c.SubjectKeyID)
	}
	return hex.EncodeToString(algid.KeyID(c.PublicKey))
}

// keyInfo is the answer of getKeyInfo.
func keyInfo(c *pki.Certificate) ncalayer.KeyInfo {
	id := keyID(c)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	return ncalayer.KeyInfo{
		NotBefore: millis(c.NotBefore.UnixMilli()), NotAfter: millis(c.NotAfter.UnixMilli()),
		IssuerCN: c.Issuer.Get(pki.OIDCommonName), IssuerDN: c.Issuer.String(),
		AuthorityKey: hex.EncodeToString(c.AuthorityKeyID), Serial: c.SerialHex(), KeyID: id, Alias: id,
		PEM:       strings.ReplaceAll(string(text), "\n", "\r\n"),
		SubjectCN: c.Subject.Get(pki.OIDCommonName), SubjectDN: c.Subject.String(), Algorithm: algorithm(c.Key),
	}
}

func millis(ms int64) string { return strconv.FormatInt(ms, 10) }

// algorithm names a key as NCALayer does.
func algorithm(k algid.Key) string {
	switch k {
	case algid.RSA:
		return "RSA"
	case algid.GOST512:
		return "ECGOST3410-2015-512"
	case algid.GOST256:
		return "ECGOST3410-2015-256"
	default:
		return "ECGOST34310"
	}
}

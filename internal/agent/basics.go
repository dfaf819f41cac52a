package agent

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"

	"senim/algid"
	"senim/cms"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/pki"
)

// basics answers a call of basics: sign is the only method.
func (t *talk) basics(ctx context.Context, r *ncalayer.Request) ([]byte, string) {
	call, refusal := r.Sign()
	if refusal != nil {
		if r.Method == "generateCsr" || r.Method == "importCertificate" { // nobody outside knows their arguments
			window := tag(t.locale, lang.RU)
			t.tell(ctx, r.Method, window, never(window.Text("agent.refused.basics-keys"), ""))
		}
		return refusal.Reply(), refusal.Code
	}
	window := tag(call.Locale, lang.KK)
	task, err := t.basicsTask(ctx, call, window)
	if errors.Is(err, errOrigin) {
		t.refuseRelayed(ctx, window, task)
		refusal := &ncalayer.Refusal{Code: ncalayer.CodeSigning, Details: "origin.mismatch: the challenge is of another site"}
		return refusal.Reply(), "origin_mismatch"
	}
	if err != nil {
		refusal, ok := errors.AsType[*ncalayer.Refusal](err)
		if !ok {
			refusal = &ncalayer.Refusal{Code: ncalayer.CodeParams, Details: "data: " + err.Error()}
		}
		return refusal.Reply(), refusal.Code
	}
	out := t.agent.show(ctx, t.site, window, task)
	switch {
	case out.err != nil:
		refusal := &ncalayer.Refusal{Code: ncalayer.CodeSigning, Details: t.agent.forPage(out.err)}
		return refusal.Reply(), refusal.Code
	case !out.done && task.stamp != nil: // given up
		refusal := &ncalayer.Refusal{Code: ncalayer.CodeSigning, Details: t.agent.forPage(task.stamp)}
		return refusal.Reply(), refusal.Code
	case !out.done:
		return ncalayer.BasicsCanceled(), "canceled"
	}
	return ncalayer.BasicsReply(out.result), "ok"
}

func (t *talk) basicsTask(ctx context.Context, call *ncalayer.SignCall, window lang.Tag) (*signing, error) {
	contents, refusal := call.Contents()
	if refusal != nil {
		return nil, refusal
	}
	chain, err := t.agent.chainFor(call)
	if err != nil {
		return nil, err
	}
	task := &signing{logo: logo(call.Logo), wanted: wish{
		files: call.Storages == nil, eku: call.EKU, iin: call.IIN, bin: call.BIN, serial: call.Serial, chain: chain,
		allowExpired: call.AllowExpired, allowRevoked: call.AllowRevoked, stamp: call.Stamp && call.Format == "cms",
	}}
	if task.wanted.others = call.Storages; call.Storages == nil {
		task.wanted.others = []string{"*"}
	}
	for _, s := range call.Storages {
		task.wanted.files = task.wanted.files || s == ncalayer.PKCS12
	}
	for _, oid := range call.EKU {
		task.wants = append(task.wants, usageName(oid, window))
	}
	task.warn(call, window)
	if call.Digested {
		return task, t.basicsDigests(task, call, contents, window)
	}
	switch call.Format {
	case "xml":
		err = t.basicsXML(ctx, task, contents, window)
	case "raw":
		err = t.basicsRaw(task, call, contents, window)
	default:
		err = t.basicsCMS(task, call, contents, window)
	}
	return task, err
}

// warn says in red what the site asks beyond the usual.
func (t *signing) warn(call *ncalayer.SignCall, window lang.Tag) {
	if call.AllowExpired {
		t.warnings = append(t.warnings, Remark{"allow-expired", "red", window.Text("agent.warning.allow-expired")})
	}
	if call.AllowRevoked {
		t.warnings = append(t.warnings, Remark{"allow-revoked", "red", window.Text("agent.warning.allow-revoked")})
	}
}

// chainFor is what paths must build to: nothing, what the page names, or the authorities known here.
func (a *Agent) chainFor(call *ncalayer.SignCall) (*pki.Pool, error) {
	if call.AnyChain {
		return nil, nil
	}
	if call.Chain == nil {
		return a.trust.pool(), nil
	}
	pool := pki.NewPool()
	for _, text := range call.Chain {
		blocks, err := pki.Decode([]byte(text))
		if err != nil || len(blocks) == 0 {
			return nil, &ncalayer.Refusal{Code: ncalayer.CodeParams, Details: "chain: not a certificate"}
		}
		for _, b := range blocks {
			cert, err := pki.ParseCertificate(b.DER)
			if err != nil {
				return nil, &ncalayer.Refusal{Code: ncalayer.CodeParams, Details: "chain: not a certificate"}
			}
			pool.AddRoot(cert)
		}
	}
	return pool, nil
}

// logo gives a site's picture only when it is a PNG.
func logo(text string) string {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) < 8 || string(b[:8]) != "\x89PNG\r\n\x1a\n" {
		return ""
	}
	return text
}

func (t *talk) basicsCMS(task *signing, call *ncalayer.SignCall, contents [][]byte, window lang.Tag) error {
	var items []message
	for _, content := range contents {
		if der, err := cms.Decode(content); err == nil {
			if _, err := cms.Parse(der); err == nil {
				content = der // PEM, as basics itself gives it
			}
		}
		item, err := t.message(task, content, window)
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	task.act = func(ctx context.Context, key *keystore.Key) (any, error) {
		return each(items, true, func(m message) (string, error) {
			der, err := t.agent.sign(key, m, !call.Encapsulate)
			if err == nil && call.Stamp {
				der, err = t.agent.stamper(ctx, der, key.Certificate)
			}
			return string(cms.EncodePEM(der)), err
		})
	}
	return nil
}

func (t *talk) basicsXML(ctx context.Context, task *signing, contents [][]byte, window lang.Tag) error {
	var items []element
	for _, content := range contents {
		_, shown, err := t.lookXML(ctx, task, string(content), nil, window)
		if err == nil {
			err = task.add(shown)
		}
		if err != nil {
			return err
		}
		items = append(items, element{xml: string(content)})
	}
	task.act = func(ctx context.Context, key *keystore.Key) (any, error) {
		return each(items, true, func(e element) (string, error) {
			out, err := t.agent.signXML(ctx, key, e, false)
			return string(out), err
		})
	}
	return nil
}

func (t *talk) basicsRaw(task *signing, call *ncalayer.SignCall, contents [][]byte, window lang.Tag) error {
	for _, content := range contents {
		if another, bad := relayed(content, t.site); bad {
			task.wants = []string{another}
			return errOrigin
		}
		if inner(content) {
			return errInner
		}
		if err := task.add(showContent(content, nil, window)); err != nil {
			return err
		}
	}
	task.act = func(_ context.Context, key *keystore.Key) (any, error) {
		return raw(key, call, contents, algid.Signature.Sign)
	}
	return nil
}

// raw signs contents or digests and gives bare signatures.
func raw(key *keystore.Key, call *ncalayer.SignCall, items [][]byte, sign func(algid.Signature, io.Reader, crypto.Signer, []byte) ([]byte, error)) (any, error) {
	algorithm, err := algid.SignatureFor(key.Certificate.PublicKey)
	if err != nil {
		return nil, err
	}
	var out ncalayer.RawResult
	for _, item := range items {
		b, err := sign(algorithm, rand.Reader, key.Signer, item)
		if err != nil {
			return nil, err
		}
		out.Signatures = append(out.Signatures, base64.StdEncoding.EncodeToString(b))
	}
	if call.OutputCert {
		out.Certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: key.Certificate.Raw}))
	}
	return out, nil
}

func (t *talk) basicsDigests(task *signing, call *ncalayer.SignCall, digests [][]byte, window lang.Tag) error {
	task.wanted.digest = len(digests[0])
	for _, digest := range digests {
		if len(digest) != task.wanted.digest {
			return &ncalayer.Refusal{Code: ncalayer.CodeParams, Details: "data: digests of different lengths"}
		}
		if err := task.add(showDigest(digest, window)); err != nil {
			return err
		}
	}
	task.act = func(ctx context.Context, key *keystore.Key) (any, error) {
		if call.Format == "raw" {
			return raw(key, call, digests, algid.Signature.SignDigest)
		}
		return each(digests, true, func(digest []byte) (string, error) {
			der, err := t.agent.signDigest(key, digest)
			if err == nil && call.Stamp {
				der, err = t.agent.stamper(ctx, der, key.Certificate)
			}
			return string(cms.EncodePEM(der)), err
		})
	}
	return nil
}

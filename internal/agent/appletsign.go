package agent

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"

	"senim/algid"
	"senim/dsig"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// appletSign makes one signature with the key of the file the page names: one window, one click.
func (t *talk) appletSign(ctx context.Context, call *ncalayer.AppletCall, window lang.Tag) (any, error) {
	task := &signing{wanted: wishOf(call)}
	sign, err := t.appletTask(ctx, task, call, window)
	if errors.Is(err, errOrigin) {
		t.refuseRelayed(ctx, window, task)
		return nil, appletError(ncalayer.AppletCommon)
	}
	if err != nil {
		return nil, err
	}
	task.act = func(ctx context.Context, key *keystore.Key) (any, error) {
		if err := alias(key, call.Alias); err != nil {
			return nil, err
		}
		return sign(ctx, key)
	}
	return t.askContainer(ctx, call, window, task)
}

// appletTask checks what is to be signed, shows it, and gives the way to sign it.
func (t *talk) appletTask(ctx context.Context, task *signing, call *ncalayer.AppletCall, window lang.Tag) (func(context.Context, *keystore.Key) (any, error), error) {
	content := []byte(call.Text)
	switch call.Method {
	case "signXml", "signXmlByElementId":
		return t.appletXML(ctx, task, call, window)
	case "signPlainData":
		if another, bad := relayed(content, t.site); bad {
			task.wants = []string{another}
			return nil, errOrigin
		}
		if inner(content) {
			return nil, errInner
		}
		if err := task.add(showContent(content, nil, window)); err != nil {
			return nil, err
		}
		return func(_ context.Context, key *keystore.Key) (any, error) {
			algorithm, err := algid.SignatureFor(key.Certificate.PublicKey)
			if err != nil {
				return nil, err
			}
			b, err := algorithm.Sign(rand.Reader, key.Signer, content)
			return base64.StdEncoding.EncodeToString(b), err
		}, nil
	case "createCMSSignatureFromFile":
		path, read, err := t.readLocal(ctx, call.File, window)
		if err != nil {
			return nil, appletError(ncalayer.AppletFile)
		}
		content = read
		defer func() { task.named(path) }()
	}
	m, err := t.message(task, content, window)
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, key *keystore.Key) (any, error) {
		der, err := t.agent.sign(key, m, !call.Attached)
		return base64.StdEncoding.EncodeToString(der), err
	}, nil
}

// named says which file the last document is.
func (t *signing) named(path string) {
	if n := len(t.documents); n > 0 {
		t.documents[n-1].Name = path
	}
}

func (t *talk) appletXML(ctx context.Context, task *signing, call *ncalayer.AppletCall, window lang.Tag) (func(context.Context, *keystore.Key) (any, error), error) {
	item := element{xml: call.Text}
	var part func(*dsig.Document) (string, error)
	var unnamed error
	if call.Method == "signXmlByElementId" {
		part = func(doc *dsig.Document) (id string, err error) {
			id, unnamed = idNamed(doc, call.Element, call.IDAttribute)
			return id, unnamed
		}
		if call.Parent != "" {
			item.parent = "//" + call.Parent
		}
	}
	id, shown, err := t.lookXML(ctx, task, call.Text, part, window)
	switch {
	case errors.Is(err, errOrigin):
		return nil, err
	case unnamed != nil:
		return nil, unnamed
	case err != nil:
		return nil, appletError(ncalayer.AppletXML)
	}
	item.id = id
	if err := task.add(shown); err != nil {
		return nil, err
	}
	return func(ctx context.Context, key *keystore.Key) (any, error) {
		out, err := t.agent.signXML(ctx, key, item, true)
		return string(out), err
	}, nil
}

// idNamed gives the id of the only element of a name; the attribute must be one that names elements.
func idNamed(doc *dsig.Document, name, attribute string) (string, error) {
	found, err := doc.Find("//" + name)
	if err != nil {
		return "", err
	}
	if len(found) != 1 || found[0].ID() == "" || found[0].Attr(attribute) != found[0].ID() {
		return "", errors.New("not one element of that name with that attribute")
	}
	return found[0].ID(), nil
}

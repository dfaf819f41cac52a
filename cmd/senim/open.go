package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"senim/cms"
	"senim/dsig"
	"senim/jwt"
	"senim/pades"
	"senim/pki"
)

// maxFile bounds what is read into memory.
const maxFile = 64 << 20

var errLong = errors.New("too long")

// Kinds of things a file can hold, as the JSON names them.
const (
	kindCertificate = "certificate"
	kindList        = "revocation list"
	kindRequest     = "certificate request"
	kindKeyFile     = "key file"
	kindCMS         = "CMS"
	kindXML         = "XML"
	kindPDF         = "PDF"
)

// thing is one object found in a file: exactly the field of its kind is set.
type thing struct {
	kind        string
	certificate *pki.Certificate
	list        *pki.RevocationList
	request     *pki.Request
	keyFile     []byte // DER, locked
	cms         *cms.SignedData
	xml         *dsig.Document
	token       *jwt.Token
	pdf         *pades.Document
}

// read reads a whole file of bounded size; "-" is standard input.
func (p *program) read(name string) ([]byte, error) {
	return p.readUpTo(name, maxFile)
}

func (p *program) readUpTo(name string, limit int64) ([]byte, error) {
	in := p.Stdin
	if name != "-" {
		f, err := os.Open(p.path(name))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, plain(err))
		}
		defer func() { _ = f.Close() }() // only read
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > limit {
			return nil, tooLong(name, limit)
		}
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, plain(err))
	}
	if int64(len(data)) > limit {
		return nil, tooLong(name, limit)
	}
	return data, nil
}

func tooLong(name string, limit int64) error {
	return &hinted{fmt.Errorf("read %s: %w: more than %d MiB", name, errLong, limit>>20), "senim hash and detached signatures (sign --detached, verify --content) take files of any size"}
}

// plain leaves the operation and the path out of an error of the file system: they were said.
func plain(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

// open reads a file and recognises everything in it.
func (p *program) open(name string) ([]thing, error) {
	data, err := p.readUpTo(name, pades.MaxSize)
	if err != nil {
		return nil, err
	}
	things, err := recognise(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return things, nil
}

// keyFile reads a file that is to be a key file, and gives its DER, locked; or says why it is none.
func (p *program) keyFile(name string) ([]byte, error) {
	data, err := p.read(name)
	if err != nil {
		return nil, err
	}
	no := func(why, hint string) ([]byte, error) {
		return nil, &hinted{fmt.Errorf("read %s: %s", name, why), hint}
	}
	const another = "--key takes a PKCS #12 file, as GOST512_….p12"
	things, err := recognise(data)
	switch {
	case len(data) == 0:
		return no("not a key file: it is empty", "copy it again from where it was made, or take its back-up")
	case err != nil && data[0] == 0x30: // begins as they do
		return no("not a key file: damaged or cut short", "copy it again from where it was made, or take its back-up")
	case err != nil && bytes.Contains(data, []byte("PRIVATE KEY-----")):
		return nil, fmt.Errorf("read %s: not a key file: %w", name, err)
	case err != nil:
		return no("not a key file", another)
	case len(things) != 1 || things[0].kind != kindKeyFile:
		return no("a "+things[0].kind+", not a key file", another)
	}
	return things[0].keyFile, nil
}

func recognise(data []byte) ([]thing, error) {
	if bytes.HasPrefix(data, []byte("%PDF-")) {
		return recognisePDF(data)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("more than %d MiB", maxFile>>20)
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
	if bytes.HasPrefix(text, []byte("<")) {
		d, err := dsig.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("XML: %w", err)
		}
		return []thing{{kind: kindXML, xml: d}}, nil
	}
	if t, ok, err := recogniseToken(text); ok {
		return []thing{t}, err
	}
	blocks, err := pki.Decode(data)
	if err != nil {
		return nil, &hinted{errors.New("not a certificate, revocation list, request, key file, CMS, XML or PDF"),
			"files in DER, PEM and base64 are read"}
	}
	var things []thing
	for i, b := range blocks {
		t, err := recogniseDER(b)
		if err != nil {
			if len(blocks) > 1 {
				err = fmt.Errorf("block %d of %d: %w", i+1, len(blocks), err)
			}
			return nil, err
		}
		things = append(things, t)
	}
	return things, nil
}

// recogniseDER tries all kinds. If none fits, the error is that of the kind whose look it has.
func recogniseDER(b pki.Block) (t thing, err error) {
	if strings.Contains(b.Type, "PRIVATE KEY") {
		return t, &hinted{errors.New("a bare private key: nothing to show"), "senim convert --to p12 makes a key file of it and its certificate"}
	}
	var certErr, listErr, requestErr, cmsErr error
	if t.certificate, certErr = pki.ParseCertificate(b.DER); certErr == nil {
		t.kind = kindCertificate
		return t, nil
	}
	if t.list, listErr = pki.ParseRevocationList(b.DER); listErr == nil {
		return thing{kind: kindList, list: t.list}, nil
	}
	if t.request, requestErr = pki.ParseRequest(b.DER); requestErr == nil {
		return thing{kind: kindRequest, request: t.request}, nil
	}
	body := content(b.DER)
	if bytes.HasPrefix(body, []byte{2, 1, 3}) { // PFX: version 3
		return thing{kind: kindKeyFile, keyFile: b.DER}, nil
	}
	if t.cms, cmsErr = cms.Parse(b.DER); cmsErr == nil {
		return thing{kind: kindCMS, cms: t.cms}, nil
	}
	signedData := []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0xd, 1, 7, 2}
	version3 := []byte{0xa0, 3, 2, 1, 2}
	switch {
	case bytes.HasPrefix(body, signedData):
		return t, fmt.Errorf("CMS: %w", cmsErr)
	case bytes.HasPrefix(content(body), version3) || b.Type == "CERTIFICATE":
		return t, fmt.Errorf("certificate: %w", certErr)
	case b.Type == "X509 CRL":
		return t, fmt.Errorf("revocation list: %w", listErr)
	case strings.HasSuffix(b.Type, "CERTIFICATE REQUEST"):
		return t, fmt.Errorf("certificate request: %w", requestErr)
	}
	return t, &hinted{errors.New("not a certificate, revocation list, request, key file, CMS or XML"),
		"answers of servers go to senim timestamp --response and senim ocsp --response"}
}

// content skips the tag and the length of an element; nil when there is none.
func content(der []byte) []byte {
	if len(der) < 2 || der[0] != 0x30 {
		return nil
	}
	if der[1] < 0x80 {
		return der[2:]
	}
	return der[min(len(der), 2+int(der[1]&0x7f)):]
}

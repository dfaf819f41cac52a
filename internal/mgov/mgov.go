// Package mgov is the messages of signing by QR in eGov Mobile, and the addresses that carry them.
//
// A page shows [Text] of the address of API 1 as a QR code, or [MobileLink] on the phone itself. API 1
// answers with an [Invitation], API 2 with a [Package] of documents; the phone puts the same package
// back with the signed content in place. [Address] is the reverse of the three ways to write an address.
//
// It refuses ([ReadPackage], [ReadInvitation]) messages over their bound, packages without documents or
// with more than fifty, and documents whose content is not of their method. It knows no signatures.
package mgov

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Version is the version of packages made here.
const Version = 2

// Bounds of messages.
const (
	maxInvitation = 64 << 10
	MaxPackage    = 4 << 20
	maxDocuments  = 50
)

// Auth says how a phone shows at API 2 that it came from API 1.
type Auth string

// The ways: a bearer token; XML with the address, signed by the phone's key; nothing.
const (
	Token Auth = "Token"
	Eds   Auth = "Eds"
	None  Auth = "None"
)

// Method says what the phone makes of a document.
type Method string

// The methods. Mix stands for a package whose documents have methods of their own.
const (
	XML         Method = "XML"
	CMSWithData Method = "CMS_WITH_DATA"
	CMSSignOnly Method = "CMS_SIGN_ONLY"
	Mix         Method = "MIX_SIGN"
)

// Organisation is who asks.
type Organisation struct {
	RU  string `json:"nameRu"`
	KK  string `json:"nameKz"`
	EN  string `json:"nameEn"`
	BIN string `json:"bin"`
}

// Invitation is the answer of API 1.
type Invitation struct {
	Description  string       `json:"description"`
	Expires      Time         `json:"expiry_date"`
	Organisation Organisation `json:"organisation"`
	Document     Where        `json:"document"`
}

// Where is API 2 and how to come to it.
type Where struct {
	URI   string `json:"uri"`
	Auth  Auth   `json:"auth_type"`
	Token string `json:"auth_token,omitempty"`
}

// Package is the answer of API 2, and what the phone puts back.
type Package struct {
	Method    Method     `json:"signMethod"`
	Version   int        `json:"version"`
	Documents []Document `json:"documentsToSign"`
}

// Document is one document: XML, or a file.
type Document struct {
	ID       int       `json:"id"`
	Method   Method    `json:"signMethod,omitempty"` // of Mix only
	RU       string    `json:"nameRu"`
	KK       string    `json:"nameKz"`
	EN       string    `json:"nameEn"`
	Meta     []Meta    `json:"meta"`
	XML      string    `json:"documentXml,omitempty"`
	Document *Attached `json:"document,omitempty"`
}

// Meta is one line the phone shows about a document.
type Meta struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Attached is a document that is a file.
type Attached struct {
	File File `json:"file"`
}

// File is a file: what is signed, or the CMS made of it.
type File struct {
	Mime string `json:"mime"`
	Data []byte `json:"data"`
}

// Done is the answer to a package that was taken.
type Done struct {
	Success bool   `json:"success"`
	BackURL string `json:"backUrl,omitempty"`
}

// Trouble is the answer to everything that was not, in the phone's language.
type Trouble struct {
	Message string `json:"message"`
}

// Time is a moment as these messages write it.
type Time struct{ time.Time }

const timeForm = "2006-01-02T15:04:05.000-0700"

// MarshalJSON writes the moment with its zone.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.Format(timeForm)) }

// UnmarshalJSON reads a moment with any number of digits after the seconds, its zone with or without a colon.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read a moment: %w", err)
	}
	at, err := time.Parse("2006-01-02T15:04:05-0700", s)
	if err != nil {
		at, err = time.Parse(time.RFC3339, s)
	}
	if err != nil {
		return fmt.Errorf("read a moment: %w", err)
	}
	t.Time = at
	return nil
}

// MethodOf is the method of a document of the package.
func (p Package) MethodOf(d Document) Method {
	if p.Method == Mix {
		return d.Method
	}
	return p.Method
}

// Content is what stands in the document: to be signed, or signed.
func (d Document) Content() []byte {
	if d.Document != nil {
		return d.Document.File.Data
	}
	return []byte(d.XML)
}

// With is the document with other content in the same place.
func (d Document) With(content []byte) Document {
	if d.Document != nil {
		d.Document = &Attached{File: File{Mime: d.Document.File.Mime, Data: content}}
		return d
	}
	d.XML = string(content)
	return d
}

// ErrMessage says that a message is not of this protocol.
var ErrMessage = errors.New("not a message of signing by QR")

// ReadInvitation reads an answer of API 1.
func ReadInvitation(b []byte) (Invitation, error) {
	var i Invitation
	if len(b) > maxInvitation {
		return i, fmt.Errorf("%w: %d bytes", ErrMessage, len(b))
	}
	if err := json.Unmarshal(b, &i); err != nil {
		return i, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if i.Document.URI == "" {
		return i, fmt.Errorf("%w: no address of documents", ErrMessage)
	}
	return i, nil
}

// ReadPackage reads an answer of API 2, or what was put there.
func ReadPackage(b []byte) (Package, error) {
	var p Package
	if len(b) > MaxPackage {
		return p, fmt.Errorf("%w: %d bytes", ErrMessage, len(b))
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	return p, p.check()
}

func (p Package) check() error {
	if len(p.Documents) == 0 || len(p.Documents) > maxDocuments {
		return fmt.Errorf("%w: %d documents", ErrMessage, len(p.Documents))
	}
	seen := map[int]bool{}
	for _, d := range p.Documents {
		file := d.Document != nil
		switch p.MethodOf(d) {
		case XML:
			file = !file
		case CMSWithData, CMSSignOnly:
		default:
			return fmt.Errorf("%w: method %q", ErrMessage, p.MethodOf(d))
		}
		if !file || len(d.Content()) == 0 || seen[d.ID] {
			return fmt.Errorf("%w: document %d", ErrMessage, d.ID)
		}
		seen[d.ID] = true
	}
	return nil
}

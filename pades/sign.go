package pades

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"senim/algid"
	"senim/cms"
	"senim/internal/pdf"
	"senim/tsp"
)

const (
	usualRoom = 16 << 10 // for time-stamps
	bareRoom  = 1 << 10  // for everything in a message but certificate, its issuer's name and signature
	largest   = 1 << 10  // signature, of RSA-8192
	maxRoom   = 1 << 20
)

func (d *Document) sign(rand io.Reader, o Options) ([]byte, error) {
	update, err := d.signed(rand, o)
	if err != nil {
		return nil, fmt.Errorf("sign PDF: %w", err)
	}
	return update, nil
}

func (d *Document) signed(rand io.Reader, o Options) ([]byte, error) {
	if err := d.permitted(&o); err != nil {
		return nil, err
	}
	sig, err := algid.SignatureFor(o.Key.Public())
	if err != nil {
		return nil, err
	}
	u, err := d.newUpdate()
	if err != nil {
		return nil, err
	}
	hole, err := d.write(rand, u, &o)
	if err != nil {
		return nil, err
	}
	out := u.buf.Bytes()
	hash := sig.Hash().New()
	if n, err := io.Copy(hash, io.NewSectionReader(d.r, 0, d.Size())); err != nil || n != d.Size() {
		return nil, fmt.Errorf("read PDF: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	hash.Write(out[:hole.From])
	hash.Write(out[hole.To:])
	message, err := cms.Sign(rand, cms.Options{Key: o.Key, Certificate: o.Certificate, Digest: hash.Sum(nil), SigningTime: o.Time})
	if err != nil {
		return nil, err
	}
	if o.Timestamp != nil {
		if message, err = stamped(message, o.Timestamp); err != nil {
			return nil, err
		}
	}
	if need := int64(hex.EncodedLen(len(message))); need > hole.To-hole.From-2 {
		return nil, fmt.Errorf("%w: %d bytes are %d too many", ErrRoom, len(message), (need-(hole.To-hole.From-2))/2)
	}
	hex.Encode(out[hole.From+1:], message)
	return out, nil
}

// permitted looks at the options and at what the document permits, before anything is written.
func (d *Document) permitted(o *Options) error {
	switch {
	case o.Key == nil || o.Certificate == nil:
		return errors.New("key and certificate are both needed")
	case o.Time.IsZero():
		return errors.New("time of signing is not set")
	case o.Room < 0 || o.Room > maxRoom:
		return fmt.Errorf("room for time-stamps is not between 0 and %d bytes", maxRoom)
	case strings.Contains(o.Field, "."):
		return errors.New("name of the field has a point in it")
	case d.taken(o.Field) && o.Field != "":
		return fmt.Errorf("a field %q is there already", o.Field)
	case d.form.Get("XFA") != nil:
		return fmt.Errorf("%w: an XFA form", ErrKind)
	case len(d.signatures) == MaxSignatures:
		return fmt.Errorf("%w: the document has %d signatures", ErrTooMuch, MaxSignatures)
	}
	for n := 1; o.Field == ""; n++ {
		if name := fmt.Sprintf("Signature%d", n); !d.taken(name) {
			o.Field = name
		}
	}
	for _, s := range d.signatures {
		if s.Certification == 1 {
			return ErrLocked
		}
	}
	return nil
}

// stamped asks for a time-stamp over the signature and puts it in.
func stamped(message []byte, ask func(tsp.Imprint) ([]byte, error)) ([]byte, error) {
	m, err := cms.Parse(message)
	if err != nil {
		return nil, err
	}
	signer := m.Signers()[0]
	raw, err := ask(tsp.NewImprint(signer.Hash, signer.SignatureValue))
	if err != nil {
		return nil, fmt.Errorf("time-stamp: %w", err)
	}
	if stamp := checkStamp(raw, signer.SignatureValue); stamp.Err != nil {
		return nil, fmt.Errorf("time-stamp: %w", stamp.Err)
	}
	return cms.AddTimestamp(message, 0, raw)
}

// write puts everything but the signature itself into the update. The hole, which the signature goes
// into, is counted from the beginning of the update.
func (d *Document) write(rand io.Reader, u *update, o *Options) (hole pdf.Span, err error) {
	page, err := d.firstPage()
	if err != nil {
		return hole, err
	}
	id, err := d.newID(rand)
	if err != nil {
		return hole, err
	}
	value, widget := u.number(), u.number()
	dictionary := pdf.New(
		pdf.Name("Type"), pdf.Name("Annot"), pdf.Name("Subtype"), pdf.Name("Widget"), pdf.Name("FT"), pdf.Name("Sig"),
		pdf.Name("T"), pdf.Text(o.Field), pdf.Name("V"), value, pdf.Name("P"), page,
		pdf.Name("F"), 132, // Print and Locked
		pdf.Name("Rect"), pdf.Array{0, 0, 0, 0},
	)
	u.put(widget, dictionary)
	if err := d.addWidget(u, page, widget); err != nil {
		return hole, err
	}
	if err := d.addField(u, widget); err != nil {
		return hole, err
	}
	ranges := u.dictionary(value, o, &hole)
	u.finish(d, id)
	from, to := u.base+hole.From, u.base+hole.To
	// The numbers come last, into spaces: each is known only when all is written.
	text := fmt.Appendf(nil, "0 %d %d %d", from, to, u.at()-to)
	copy(u.buf.Bytes()[ranges:], append(text, ']'))
	return hole, nil
}

// dictionary writes the signature dictionary with spaces for ByteRange, which begin at the offset it
// gives, and a Contents of zeros.
func (u *update) dictionary(ref pdf.Ref, o *Options, hole *pdf.Span) (ranges int) {
	u.begin(ref)
	u.buf.WriteString("<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached\n/ByteRange [")
	ranges = u.buf.Len()
	u.buf.WriteString(strings.Repeat(" ", len("0 ")+3*len("4294967295 ")))
	u.buf.WriteString("\n/Contents ")
	room := o.Room
	if room == 0 {
		room = usualRoom
	}
	room += bareRoom + largest + len(o.Certificate.Raw) + len(o.Certificate.RawIssuer)
	hole.From = int64(u.buf.Len())
	u.buf.WriteByte('<')
	u.buf.Write(bytes.Repeat([]byte{'0'}, 2*room))
	u.buf.WriteByte('>')
	hole.To = int64(u.buf.Len())
	fmt.Fprintf(&u.buf, "\n/M (%s)", date(o.Time))
	for _, e := range []struct {
		key  pdf.Name
		text string
	}{{"Name", o.Name}, {"Reason", o.Reason}, {"Location", o.Location}, {"ContactInfo", o.Contact}} {
		if e.text != "" {
			u.buf.Write(pdf.Append(fmt.Appendf(nil, "\n/%s ", e.key), pdf.Text(e.text)))
		}
	}
	u.buf.WriteString(" >>\nendobj\n")
	return ranges
}

// newID keeps the first half of the identity of the document and renews the second, ISO 32000-1 14.4.
func (d *Document) newID(rand io.Reader) (pdf.Object, error) {
	o, err := d.file.Array(d.file.Trailer().Get("ID"))
	if err != nil || len(o) != 2 {
		return nil, err
	}
	first, ok := o[0].(*pdf.String)
	if !ok {
		return nil, nil
	}
	fresh := make([]byte, 16)
	if _, err := io.ReadFull(rand, fresh); err != nil {
		return nil, err
	}
	return pdf.Array{first, &pdf.String{Bytes: fresh}}, nil
}

// firstPage goes down the tree of pages, ISO 32000-1 7.7.3.
func (d *Document) firstPage() (pdf.Ref, error) {
	top, ok := d.catalog.Get("Pages").(pdf.Ref)
	for todo, seen := []pdf.Ref{top}, map[pdf.Ref]bool{}; ok && len(todo) > 0; {
		ref := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[ref] {
			break
		}
		seen[ref] = true
		node, err := d.once(ref, "page")
		if err != nil {
			return ref, err
		}
		if node.Get("Type") == pdf.Name("Page") {
			return ref, nil
		}
		kids, err := d.file.Array(node.Get("Kids"))
		if err != nil {
			return ref, err
		}
		for _, kid := range slices.Backward(kids) {
			if ref, ok := kid.(pdf.Ref); ok {
				todo = append(todo, ref)
			}
		}
	}
	return pdf.Ref{}, fmt.Errorf("%w: no first page", ErrDamaged)
}

// addWidget puts the widget among the annotations of a page.
func (d *Document) addWidget(u *update, page, widget pdf.Ref) error {
	dict, err := d.once(page, "page")
	if err != nil {
		return err
	}
	return d.extend(u, page, dict, "Annots", widget)
}

// extend adds to a list in a dictionary: the list alone is written again when it has a number of its
// own, otherwise the dictionary is.
func (d *Document) extend(u *update, owner pdf.Ref, dict *pdf.Dict, key pdf.Name, more pdf.Ref) error {
	list, err := d.file.Array(dict.Get(key))
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	longer := append(slices.Clone(list), more)
	if ref, ok := dict.Get(key).(pdf.Ref); ok && list != nil {
		u.put(ref, longer)
		return nil
	}
	u.put(owner, dict.With(key, longer))
	return nil
}

// addField puts the field into the form, and makes the form when there is none.
func (d *Document) addField(u *update, widget pdf.Ref) error {
	const flags = 3 // SignaturesExist, AppendOnly
	if d.form == nil {
		form := u.number()
		u.put(form, pdf.New(pdf.Name("Fields"), pdf.Array{widget}, pdf.Name("SigFlags"), flags))
		u.put(d.root, d.catalog.With("AcroForm", form))
		return nil
	}
	form := d.form
	if form.Get("SigFlags") != int64(flags) {
		form = form.With("SigFlags", flags)
	}
	fields, err := d.file.Array(form.Get("Fields"))
	if err != nil {
		return err
	}
	longer := append(slices.Clone(fields), widget)
	if ref, ok := form.Get("Fields").(pdf.Ref); ok && fields != nil {
		u.put(ref, longer)
		if form == d.form {
			return nil
		}
	} else {
		form = form.With("Fields", longer)
	}
	if ref, ok := d.catalog.Get("AcroForm").(pdf.Ref); ok {
		u.put(ref, form)
		return nil
	}
	u.put(d.root, d.catalog.With("AcroForm", form))
	return nil
}

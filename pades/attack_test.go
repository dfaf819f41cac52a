package pades

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
)

// refused checks that the first signature of a file does not pass, for this reason.
func refused(t *testing.T, file []byte, outcome Outcome, why error, words string) {
	t.Helper()
	list, err := open(t, file).Verify()
	if err != nil {
		t.Fatal(err)
	}
	v := list[0]
	if v.Outcome != outcome || !errors.Is(v.Err, why) || !strings.Contains(v.Err.Error(), words) {
		t.Errorf("%v: %v; want %v: %v … %q", v.Outcome, v.Err, outcome, why, words)
	}
}

// One byte of the document changed.
func TestSec2PDFTampered(t *testing.T) {
	file := signed(t, classic(body(), ""), rsaLeaf(authority(t)))
	refused(t, bytes.Replace(file, []byte("Pay 100"), []byte("Pay 900"), 1), Invalid, cms.ErrDigest, "")
}

// Universal signature forgery: the dictionary is spoiled so that a careless program checks nothing.
func TestSec2PDFSpoiledDictionary(t *testing.T) {
	file := signed(t, classic(body(), ""), rsaLeaf(authority(t)))
	num, dict := dictionaryOf(file)
	contents := regexp.MustCompile(`/Contents <[0-9a-f]*>`)
	ranges := regexp.MustCompile(`/ByteRange \[[^\]]*\]`)
	for _, with := range []string{
		"", "/Contents null", "/Contents <>", "/Contents <00>", "/Contents ()", "/Contents 12 0 R", "/Contents [<00>]", "/Contents <3000>", "/Contents 0", "/Contents /None",
	} {
		refused(t, grow(file, map[int]string{num: contents.ReplaceAllString(dict, with)}), Invalid, ErrByteRange, "")
	}
	for _, with := range []string{
		"", "/ByteRange null", "/ByteRange []", "/ByteRange [0]", "/ByteRange [0 0 0 0]", "/ByteRange [0 -1 -1 0]", "/ByteRange [-1 1 2 3]", "/ByteRange 12 0 R",
		"/ByteRange [0.0 1 2 3]", "/ByteRange [0 99999999999999999999 1 1]", "/ByteRange [0 9223372036854775807 9223372036854775807 9223372036854775807]",
		"/ByteRange [0 10 20 30 40 50]", "/ByteRange (0 1 2 3)",
	} {
		refused(t, grow(file, map[int]string{num: ranges.ReplaceAllString(dict, with)}), Invalid, ErrByteRange, "")
	}
	for _, with := range []string{"", "/SubFilter null", "/SubFilter /None", "/SubFilter (ETSI.CAdES.detached)", "/SubFilter /adbe.x509.rsa_sha1", "/SubFilter /adbe.pkcs7.sha1"} {
		refused(t, grow(file, map[int]string{num: strings.Replace(dict, "/SubFilter /ETSI.CAdES.detached", with, 1)}), CannotSay, ErrKind, "")
	}
	for _, value := range []string{"null", "[]", "(x)", "<< >>"} {
		list, err := open(t, grow(file, map[int]string{num: value})).Verify()
		if err == nil && list[0].Outcome == Valid || err != nil && !errors.Is(err, ErrUnsigned) {
			t.Errorf("value %s: %v %v", value, list, err)
		}
	}
}

// The right bytes are signed and only the form of the signature is wrong.
func TestSec2PDFForm(t *testing.T) {
	a := authority(t)
	l := rsaLeaf(a)
	file := classic(body(), "")
	if v := verdicts(t, forge{}.sign(t, file, l))[0]; v.Outcome != Valid {
		t.Fatal("the forger cannot even sign well:", v.Err)
	}
	if v := verdicts(t, forge{dict: strings.Replace(usualDict, "ETSI.CAdES", "adbe.pkcs7", 1)}.sign(t, file, l))[0]; v.Outcome != Valid {
		t.Error("adbe.pkcs7.detached:", v.Err)
	}
	bare := func(t *testing.T, digest []byte) []byte { return withoutAttributes(t, l, digest) }
	two := func(t *testing.T, digest []byte) []byte {
		der, err := cms.AddSigner(random, sealed(t, l, digest), cms.Options{Key: l.Key, Certificate: l.Certificate, Digest: digest, SigningTime: moment})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	attached := func(t *testing.T, digest []byte) []byte {
		der, err := cms.Sign(random, cms.Options{Key: l.Key, Certificate: l.Certificate, Content: []byte("%PDF"), SigningTime: moment})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	typed := func(t *testing.T, digest []byte) []byte {
		der, err := cms.Sign(random, cms.Options{Key: l.Key, Certificate: l.Certificate, Digest: digest, SigningTime: moment, ContentType: []int{1, 2, 3}})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	nobody := func(t *testing.T, digest []byte) []byte {
		der, err := cms.Sign(random, cms.Options{Key: l.Key, Certificate: l.Certificate, Digest: digest, SigningTime: moment, OmitCertificate: true})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for name, test := range map[string]struct {
		forge
		outcome Outcome
		why     error
		words   string
	}{
		"Contents twice, right last":    {forge{dict: strings.Replace(usualDict, "/ByteRange", "/Contents <00> /ByteRange", 1)}, Invalid, ErrContents, "twice"},
		"ByteRange twice":               {forge{dict: strings.Replace(usualDict, "/ByteRange", "/ByteRange [0 1 2 3] /ByteRange", 1)}, Invalid, ErrContents, "twice"},
		"ByteRange beside":              {forge{dict: strings.Replace(usualDict, "@RANGE", "12 0 R", 1), objects: beside("[0 %d %d %d]")}, Invalid, ErrByteRange, "four numbers"},
		"garbage after the message":     {forge{padding: "01"}, Invalid, ErrContents, "follows"},
		"no signed attributes":          {forge{message: bare}, Invalid, ErrContents, "attributes"},
		"two signers":                   {forge{message: two}, Invalid, ErrContents, "2 signers"},
		"content inside":                {forge{message: attached}, Invalid, ErrContents, "inside"},
		"content of another type":       {forge{message: typed}, Invalid, ErrContents, "type"},
		"certificate missing":           {forge{message: nobody}, CannotSay, cms.ErrNoCertificate, ""},
		"no message":                    {forge{message: func(*testing.T, []byte) []byte { return nil }}, Invalid, ErrContents, ""},
		"SubFilter unknown":             {forge{dict: strings.Replace(usualDict, "ETSI.CAdES.detached", "x", 1)}, CannotSay, ErrKind, "\"x\""},
		"Contents with white space":     {forge{dict: strings.Replace(usualDict, "@HEX >>", "@HEX >> %", 1), padding: "  "}, Invalid, ErrByteRange, "hexadecimal"},
		"a time-stamp over nothing":     {forge{dict: strings.Replace(usualDict, "ETSI.CAdES.detached", "ETSI.RFC3161", 1)}, Invalid, ErrContents, "TSTInfo"},
		"the form forgets who is in it": {forge{field: "<< /FT /Sig /T (x) /T (y) /V 10 0 R >>"}, 0, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			made := test.sign(t, file, l)
			if test.why == nil { // the document as a whole is refused
				if _, err := Parse(bytes.NewReader(made), int64(len(made))); !errors.Is(err, ErrDamaged) {
					t.Error(err)
				}
				return
			}
			refused(t, made, test.outcome, test.why, test.words)
		})
	}
}

// A literal string of escapes is as long as one of hexadecimal digits, and not what readers expect.
func TestSec2PDFLiteral(t *testing.T) {
	file := forge{}.sign(t, classic(body(), ""), rsaLeaf(authority(t)))
	r := verdicts(t, file)[0].ByteRange
	copy(file[r[1]:r[2]], "("+strings.Repeat(`\n`, int(r[2]-r[1]-2)/2)+")")
	refused(t, file, Invalid, ErrByteRange, "hexadecimal")
}

// The dictionary goes on after the end of what it covers, which looks like the end of a file.
func TestSec2PDFStraddle(t *testing.T) {
	l := rsaLeaf(authority(t))
	objects := body()
	objects[1] = form(objects[1], "<< /Fields [11 0 R] /SigFlags 3 >>")
	objects[11] = "<< /FT /Sig /T (x) /V 10 0 R >>"
	objects[10] = "(here)"
	file := classic(objects, "")
	table := bytes.LastIndex(file, []byte("xref\n0 1"))
	file = file[:bytes.LastIndex(file, []byte("startxref"))]
	file = regexp.MustCompile(`\n10 1\n\d{10}`).ReplaceAll(file, fmt.Appendf(nil, "\n10 1\n%010d", len(file)))
	end := fmt.Sprintf("\nstartxref\n%d\n%%%%EOF\n", table)
	blank, spaces := "<"+strings.Repeat("0", 16000)+">", "[0 "+strings.Repeat(" ", 30)+"]"
	head := "10 0 obj\n" + strings.NewReplacer("@RANGE", spaces, "@HEX >>", blank+" /X ("+end).Replace(usualDict)
	file = forge{}.seal(t, append(bytes.Replace(file, []byte("10 0 obj\n(here)"), []byte("12 0 obj\n(here)"), 1), head...), blank, spaces, l)
	file = append(file, ") /Reason (whatever) >>\nendobj"+end...)
	refused(t, file, Invalid, ErrByteRange, "not in what it covers")
}

// beside gives the usual objects of a forger, and the range as an object of its own (with numbers
// that cannot be right: those of its own text would be needed).
func beside(text string) map[int]string {
	return map[int]string{
		1:  "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [11 0 R] /SigFlags 3 >> >>",
		12: fmt.Sprintf(text, 1, 2, 3),
	}
}

// withoutAttributes signs the content itself, as CMS permits and PAdES does not.
func withoutAttributes(t *testing.T, l *pkitest.Leaf, digest []byte) []byte {
	t.Helper()
	der := sealed(t, l, digest)
	m, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	// The attributes are cut out and every length above them is written anew. That the value does not
	// verify is of no interest: the message must be refused before.
	return cutAttributes(t, der, m.Signers()[0].SignedAttributes)
}

func cutAttributes(t *testing.T, der, set []byte) []byte {
	t.Helper()
	implicit := append([]byte{0xa0}, set[1:]...)
	at := bytes.Index(der, implicit)
	if at < 0 {
		t.Fatal("no signed attributes")
	}
	var shorten func(b []byte, at int) []byte
	shorten = func(b []byte, at int) []byte {
		if at == 0 {
			return b[len(implicit):]
		}
		var out []byte
		for len(b) > 0 {
			head, size := 2, int(b[1])
			if size&0x80 != 0 {
				head += size & 0x7f
				size = 0
				for _, c := range b[2:head] {
					size = size<<8 | int(c)
				}
			}
			element := b[:head+size]
			if at == 0 {
				return append(append(out, element[:0]...), b[len(implicit):]...)
			}
			if at > 0 && at < len(element) {
				inner := shorten(element[head:], at-head)
				out = append(out, element[0], 0x82, byte(len(inner)>>8), byte(len(inner)))
				out = append(out, inner...)
			} else {
				out = append(out, element...)
			}
			at -= len(element)
			b = b[len(element):]
		}
		return out
	}
	return shorten(der, at)
}

// Incremental saving attack: something is added to the signed file, and every reader shows that.
func TestSec2PDFIncrementalSaving(t *testing.T) {
	file := signed(t, classic(body(), "/Info 6 0 R"), rsaLeaf(authority(t)))
	page := regexp.MustCompile(`(?s)3 0 obj\n(<< /Type /Page.*?>>)\nendobj`).FindAllSubmatch(file, -1)[1][1]
	catalog := regexp.MustCompile(`(?s)1 0 obj\n(<< /Type /Catalog.*?>>)\nendobj`).FindAllSubmatch(file, -1)[1][1]
	note := "<< /Type /Annot /Subtype /FreeText /Rect [0 0 300 144] /Contents (900) /DA (/F1 24 Tf) >>"
	annotated := regexp.MustCompile(`/Annots \[([^\]]*)\]`).ReplaceAllString(string(page), "/Annots [$1 20 0 R]")
	for name, test := range map[string]struct {
		objects map[int]string
		words   string
	}{
		"contents":        {map[int]string{4: content("BT (Pay 900 tenge) Tj ET")}, "contents was changed (object 4)"},
		"font":            {map[int]string{5: "<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"}, "a font was changed"},
		"page":            {map[int]string{3: body()[3]}, "a page was changed"},
		"page size":       {map[int]string{3: strings.Replace(string(page), "300 144", "300 14", 1)}, "a page was changed"},
		"another page":    {map[int]string{2: "<< /Type /Pages /Kids [20 0 R 3 0 R] /Count 2 >>", 20: body()[3]}, "a page was"},
		"annotation":      {map[int]string{3: annotated, 20: note}, "a page was changed"},
		"script":          {map[int]string{1: strings.Replace(string(catalog), "<<", "<< /OpenAction << /S /JavaScript /JS (x) >>", 1)}, "the catalog"},
		"another form":    {map[int]string{1: strings.Replace(string(catalog), "/AcroForm ", "/AcroForm << /NeedAppearances true >> /Was ", 1)}, ""},
		"taken away":      {map[int]string{4: ""}, "contents was taken away (object 4)"},
		"key twice":       {map[int]string{3: strings.Replace(string(page), "<<", "<< /Contents 4 0 R /Contents 4 0 R", 1)}, "a page was changed"},
		"what was no use": {map[int]string{1: strings.Replace(string(catalog), "<<", "<< /DSS << /More 20 0 R >>", 1), 20: "(hello)"}, "something was added (object 20)"},
	} {
		t.Run(name, func(t *testing.T) {
			made := grow(file, test.objects)
			if name == "another form" { // it drops the signature with the form
				if _, err := open(t, made).Verify(); !errors.Is(err, ErrUnsigned) {
					t.Error(err)
				}
				return
			}
			refused(t, made, Invalid, ErrChanged, test.words)
			if v := verdicts(t, made)[0]; v.Signed != int64(len(file)) || v.Later.Bytes != int64(len(made)-len(file)) || v.Certificate == nil {
				t.Errorf("report: %d %d", v.Signed, v.Later.Bytes)
			}
		})
	}

	// The form moved to where contents were; an object hidden in another.
	form, _ := formOf(file)
	moved := regexp.MustCompile(`(?s)\n` + fmt.Sprint(form) + ` 0 obj\n(.*?)\nendobj`).FindSubmatch(file)[1]
	refused(t, grow(file, map[int]string{1: strings.Replace(string(catalog), fmt.Sprintf("/AcroForm %d", form), "/AcroForm 4", 1), 4: string(moved)}), Invalid, ErrChanged, "object 4")
	nested := grow(file, map[int]string{20: content("21 0 obj\n(x)\nendobj"), 21: "(y)"})
	inside := bytes.Index(nested, []byte("21 0 obj\n(x)"))
	nested = regexp.MustCompile(`\n21 1\n\d{10}`).ReplaceAll(nested, fmt.Appendf(nil, "\n21 1\n%010d", inside))
	refused(t, nested, Invalid, ErrChanged, "belong to no object")

	// The same object of another generation: what pointed to it points to nothing.
	anew := grow(file, map[int]string{4: body()[4]})
	if v := verdicts(t, anew)[0]; v.Outcome != Valid {
		t.Error("said again:", v.Err)
	}
	cut := bytes.LastIndex(anew, []byte("4 0 obj"))
	anew = append(anew[:cut:cut], bytes.Replace(bytes.Replace(anew[cut:], []byte("4 0 obj"), []byte("4 1 obj"), 1), []byte(" 00000 n"), []byte(" 00001 n"), 1)...)
	refused(t, anew, Invalid, ErrChanged, "object 4")
	// The signature once more, under another name.
	num, _ := dictionaryOf(file)
	_, fields := formOf(file)
	refused(t, grow(file, map[int]string{form: "<< /Fields [" + fields + " 20 0 R] /SigFlags 3 >>", 20: fmt.Sprintf("<< /FT /Sig /T (Head) /V %d 0 R >>", num)}),
		Invalid, ErrChanged, "form")

	// What nothing refers to shows nowhere.
	if v := verdicts(t, grow(file, map[int]string{20: "[21 0 R]", 21: "[20 0 R]"}))[0]; v.Outcome != Valid || v.Later.Unused != 2 {
		t.Error(v.Err, v.Later)
	}

	// Variants for programs that repair: objects without cross-references, and the old ones repeated.
	evil := "4 0 obj\n" + content("BT (Pay 900 tenge) Tj ET") + "\nendobj\n"
	again := fmt.Sprintf("startxref\n%d\n%%%%EOF\n", startxref(file))
	refused(t, append(slices.Clone(file), evil+again...), Invalid, ErrChanged, "belong to no object")
	refused(t, append(slices.Clone(file), evil...), Invalid, ErrChanged, "belong to no object")
	refused(t, append(slices.Clone(file), evil+"trailer << /Root 1 0 R >>\n"+again...), Invalid, ErrChanged, "belong to no object")
	refused(t, append(slices.Clone(file), "% 4 0 obj\n"+again...), Invalid, ErrChanged, "belong to no object")
	// Nothing but a line end or a remark is no change.
	for _, tail := range []string{"\n", "\r\n\x00 ", "% made by hand\n"} {
		if v := verdicts(t, append(slices.Clone(file), tail...))[0]; v.Outcome != Valid {
			t.Errorf("%q: %v", tail, v.Err)
		}
	}
}

// Signature wrapping: the signed bytes are moved apart and the hole between them filled.
func TestSec2PDFWrapping(t *testing.T) {
	file := signed(t, classic(body(), ""), rsaLeaf(authority(t)))
	v := verdicts(t, file)[0]
	head, hole, rest := file[:v.ByteRange[1]], string(file[v.ByteRange[1]:v.ByteRange[2]]), file[v.ByteRange[2]:]
	num, dict := dictionaryOf(file)
	ranges := regexp.MustCompile(`/ByteRange \[[^\]]*\] *`)

	build := func(wide int) []byte {
		// The end of the file says where its cross-references are: that place is in the hole now.
		at := startxref(file)
		inside := hole + fmt.Sprintf(" >>\nendobj\n%d 0 obj\n%s\nendobj\n", num,
			ranges.ReplaceAllString(dict, fmt.Sprintf("/ByteRange [0 %d %d %d]", len(head), len(head)+wide, len(rest))))
		evil := len(head) + len(inside)
		inside += "4 0 obj\n" + content("BT (Pay 900 tenge) Tj ET") + "\nendobj\n"
		second := len(head) + strings.LastIndex(inside, fmt.Sprintf("\n%d 0 obj", num)) + 1
		section := fmt.Sprintf("xref\n4 1\n%010d 00000 n \n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root 1 0 R /Prev %d >>\n", evil, num, second, highest(file), len(head)+wide+at-int(v.ByteRange[2]))
		body := inside + strings.Repeat(" ", at-len(head)-len(inside)) + section
		body += strings.Repeat(" ", wide-len(body))
		return slices.Concat(head, []byte(body), rest)
	}
	// The copies of the dictionary go without the padding, to make room in the hole.
	short := strings.TrimRight(strings.TrimSuffix(hole, ">"), "0")
	short += strings.Repeat("0", len(short)%2)
	dict = strings.Replace(dict, hole, short+">", 1)
	hole = short + ">"
	made := build(startxref(file) - len(head) + 2000)
	d := open(t, made)
	list, err := d.Verify()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := d.digest(algid.SHA256, list[0].ByteRange)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := list[0].Message.VerifyDigest(algid.SHA256, digest); err != nil || got[0].Err != nil {
		t.Fatal("the attack is not well made: the moved bytes do not verify:", err, got)
	}
	refused(t, made, Invalid, ErrByteRange, "leaves out")
}

// Shadow attacks: the trap is laid before the signer signs.
func TestSec2PDFShadow(t *testing.T) {
	l := rsaLeaf(authority(t))

	// Hide: a picture over the text is taken away afterwards.
	covered := body()
	covered[3] = strings.Replace(covered[3], "/Resources << ", "/Resources << /XObject << /Im 6 0 R >> ", 1)
	covered[6] = "<< /Type /XObject /Subtype /Form /BBox [0 0 300 144] /Length 0 >>\nstream\n\nendstream"
	file := signed(t, classic(covered, ""), l)
	refused(t, grow(file, map[int]string{6: ""}), Invalid, ErrChanged, "a picture was taken away")

	// Replace: the value of a form field.
	form := body()
	form[1] = "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] >> >>"
	form[6] = "<< /FT /Tx /T (sum) /V (100) /Type /Annot /Subtype /Widget /Rect [0 0 9 9] >>"
	file = signed(t, classic(form, ""), l)
	refused(t, grow(file, map[int]string{6: strings.Replace(form[6], "100", "900", 1)}), Invalid, ErrChanged, "a form field was changed")

	// Hide and replace: both versions are signed, and the update has nothing but cross-references.
	plain := classic(body(), "")
	hidden := len(plain)
	file = slices.Concat(plain, []byte("4 0 obj\n"+content("BT (Pay 900 tenge) Tj ET")+"\nendobj\n"))
	file = append(file, fmt.Sprintf("startxref\n%d\n%%%%EOF\n", startxref(plain))...)
	file = signed(t, file, l)
	if v := verdicts(t, file)[0]; v.Outcome != Valid {
		t.Fatal(v.Err)
	}
	made := fmt.Appendf(slices.Clone(file), "xref\n4 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n",
		hidden, highest(file), startxref(file), len(file))
	refused(t, made, Invalid, ErrChanged, "")
	v := verdicts(t, made)[0]
	if !slices.ContainsFunc(v.Later.Changed, func(s string) bool { return strings.Contains(s, "object 4") }) {
		t.Errorf("changed: %q", v.Later.Changed)
	}

	// The update goes on from another revision than the signed one.
	made = fmt.Appendf(slices.Clone(file), "xref\n0 0\ntrailer\n<< /Size %d /Root 1 0 R /AcroForm 9 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", highest(file), startxref(plain), len(file))
	if _, err := open(t, made).Verify(); !errors.Is(err, ErrUnsigned) {
		t.Error(err)
	}
	// The same, with the signature taken along.
	_, dict := dictionaryOf(file)
	num, _ := dictionaryOf(file)
	place := bytes.Index(file, fmt.Appendf(nil, "\n%d 0 obj\n%s", num, dict)) + 1
	extra := map[int]string{1: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [30 0 R] >> >>", 30: fmt.Sprintf("<< /FT /Sig /T (Signature1) /V %d 0 R >>", num)}
	made = table(slices.Clone(file), extra, fmt.Sprintf("/Prev %d /Root 1 0 R", startxref(plain)), highest(file))
	made = bytes.Replace(made, []byte("\n30 1\n"), fmt.Appendf(nil, "\n%d 1\n%010d 00000 n \n30 1\n", num, place), 1)
	refused(t, made, Invalid, ErrChanged, "does not go on")

	// Even the cross-references are signed, and the update only points to them.
	lay := func(prev int) (file []byte, at int) {
		file = append(slices.Clone(plain), "4 0 obj\n"+content("BT (Pay 900 tenge) Tj ET")+"\nendobj\n"...)
		at = len(file)
		file = fmt.Appendf(file, "xref\n4 1\n%010d 00000 n \ntrailer\n<< /Size 90 /Root 1 0 R /Prev %010d >>\nstartxref\n%d\n%%%%EOF\n", hidden, prev, startxref(plain))
		return signed(t, file, l), at
	}
	file, _ = lay(0)
	file, at := lay(startxref(file))
	if v := verdicts(t, file)[0]; v.Outcome != Valid {
		t.Fatal(v.Err)
	}
	refused(t, fmt.Appendf(slices.Clone(file), "startxref\n%d\n%%%%EOF\n", at), Invalid, ErrChanged, "overlap")

	// A trap: the signed page points to an object that is not there yet.
	trap := body()
	trap[3] = strings.Replace(trap[3], "/Contents 4 0 R", "/Contents [4 0 R 40 0 R]", 1)
	file = signed(t, classic(trap, ""), l)
	refused(t, grow(file, map[int]string{40: content("BT (and 800 more) Tj ET")}), Invalid, ErrChanged, "object 40, to which the signed part pointed, came later")
	// The same behind what looks like the look of a second signature.
	second := forge{
		dict:  strings.Replace(usualDict, "/Type /Sig", "/Type /Sig /Prop_Build << /App 40 0 R >>", 1),
		field: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature2) /V 10 0 R /P 3 0 R /F 132 /Rect [0 0 0 0] >>",
	}
	objects := map[int]string{40: content("BT (and 800 more) Tj ET")}
	formNum := regexp.MustCompile(`/AcroForm (\d+) 0 R`).FindSubmatch(file)[1]
	fields := regexp.MustCompile(`/Fields \[(\d+) 0 R\]`).FindSubmatch(file)[1]
	var n int
	_, _ = fmt.Sscan(string(formNum), &n)
	objects[n] = fmt.Sprintf("<< /Fields [%s 0 R 51 0 R] /SigFlags 3 >>", fields)
	second.objects = objects
	second.field = strings.Replace(second.field, "10 0 R", "50 0 R", 1)
	made = renumbered(t, second, file, l)
	list := verdicts(t, made)
	if len(list) != 2 || list[1].Outcome != Valid {
		t.Fatal("second signature:", list)
	}
	refused(t, made, Invalid, ErrChanged, "object 40, to which the signed part pointed, came later")
	// Without the trap the same update is only a second signature.
	delete(objects, 40)
	second.dict = usualDict
	made = renumbered(t, second, signed(t, classic(body(), ""), l), l)
	for _, v := range verdicts(t, made) {
		if v.Outcome != Valid {
			t.Error(v.Field, v.Err)
		}
	}
}

// renumbered forges with dictionary 50 and field 51.
func renumbered(t *testing.T, f forge, file []byte, l *pkitest.Leaf) []byte {
	t.Helper()
	objects := maps.Clone(f.objects)
	objects[50], objects[51] = f.dict, f.field
	blank := "<" + strings.Repeat("0", 16000) + ">"
	spaces := "[0 " + strings.Repeat(" ", 30) + "]"
	objects[50] = strings.NewReplacer("@RANGE", spaces, "@HEX", blank).Replace(objects[50])
	return f.seal(t, grow(file, objects), blank, spaces, l)
}

// Cross-references that programs may read differently, or without end.
func TestSec2PDFCrossReferences(t *testing.T) {
	file := classic(body(), "")
	twice := bytes.Replace(file, []byte("\n5 1\n"), fmt.Appendf(nil, "\n4 1\n%010d 00000 n \n5 1\n", 20), 1)
	circle := grow(file, map[int]string{20: "1"})
	circle = bytes.Replace(circle, fmt.Appendf(nil, "/Prev %d", startxref(file)), fmt.Appendf(nil, "/Prev %d", startxref(circle)), 1)
	for name, bad := range map[string][]byte{
		"object twice":   twice,
		"circle":         circle,
		"Prev outside":   growWith(file, map[int]string{20: "1"}, "/Root 1 0 R /Prev 99999999"),
		"Prev negative":  bytes.Replace(grow(file, map[int]string{20: "1"}), []byte("/Prev "), []byte("/Prev -"), 1),
		"no startxref":   bytes.ReplaceAll(file, []byte("startxref"), []byte("startXref")),
		"wrong offset":   bytes.Replace(file, []byte("trailer"), []byte("traiIer"), 1),
		"wrong place":    bytes.Replace(file, []byte("startxref\n"), []byte("startxref\n1"), 1),
		"wrong object":   bytes.Replace(file, []byte("1 0 obj"), []byte("9 0 obj"), 1),
		"not at all":     []byte("%PDF-1.7\nhello, world, this is no document"),
		"something else": []byte("hello"),
		"nothing":        nil,
	} {
		if _, err := Parse(bytes.NewReader(bad), int64(len(bad))); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	encrypted := growWith(file, map[int]string{}, "/Root 1 0 R /Encrypt << /Filter /Standard >>")
	if _, err := Parse(bytes.NewReader(encrypted), int64(len(encrypted))); !errors.Is(err, ErrEncrypted) {
		t.Error(err)
	}
	if _, err := Parse(bytes.NewReader(nil), MaxSize+1); !errors.Is(err, ErrTooMuch) {
		t.Error(err)
	}
}

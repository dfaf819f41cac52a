package pades

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
	"senim/tsp"
)

// Forms and lists in every place they may stand; signatures one after another leave all good.
func TestManySignatures(t *testing.T) {
	a := authority(t)
	leaves := []*pkitest.Leaf{a.Individual(), rsaLeaf(a), a.Head()}
	text := "<< /FT /Tx /T (Signature1) /V (100) /Kids [] >>" // the name is taken
	for name, change := range map[string]func(map[int]string){
		"no form":         func(map[int]string) {},
		"form in catalog": func(o map[int]string) { o[1] = form(o[1], "<< /Fields [6 0 R] /DA (/F1 0 Tf) >>"); o[6] = text },
		"form of its own": func(o map[int]string) {
			o[1] = form(o[1], "7 0 R")
			o[7] = "<< /Fields [6 0 R] /SigFlags 1 >>"
			o[6] = text
		},
		"fields of its own": func(o map[int]string) { o[1] = form(o[1], "<< /Fields 7 0 R >>"); o[7] = "[6 0 R]"; o[6] = text },
		"all of their own": func(o map[int]string) {
			o[1] = form(o[1], "8 0 R")
			o[8] = "<< /Fields 7 0 R /SigFlags 3 >>"
			o[7] = "[6 0 R]"
			o[6] = text
		},
		"form without list": func(o map[int]string) { o[1] = form(o[1], "<< >>") },
		"list that is not":  func(o map[int]string) { o[1] = form(o[1], "<< /Fields 99 0 R >>") },
		"annotations": func(o map[int]string) {
			o[3] = annots(o[3], "[6 0 R]")
			o[6] = "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] >>"
		},
		"annotations apart":  func(o map[int]string) { o[3] = annots(o[3], "7 0 R"); o[7] = "[]" },
		"annotations absent": func(o map[int]string) { o[3] = annots(o[3], "99 0 R") },
		"deep pages": func(o map[int]string) {
			o[2] = "<< /Type /Pages /Kids [6 0 R 7 0 R 3 0 R] /Count 1 >>"
			o[6] = "<< /Type /Pages /Kids [] /Count 0 >>"
			o[7] = "null"
		},
		"odd strings": func(o map[int]string) {
			o[3] = strings.Replace(o[3], "/Contents", `/LastModified (D:2026\)\(\\\0628) /X#20Y <00ff> /PieceInfo << /A.B << /Private [true false null -1.50 .5 +7 (a
b)] >> >> /Contents`, 1)
		},
	} {
		for style, write := range map[string]func(map[int]string) []byte{
			"table": func(o map[int]string) []byte { return classic(o, "") }, "streams": modern,
		} {
			t.Run(name+", "+style, func(t *testing.T) {
				objects := body()
				change(objects)
				file := write(objects)
				for i, l := range leaves {
					before := file
					file = signed(t, file, l, func(o *Options) { o.Room = 1 })
					if !bytes.HasPrefix(file, before) {
						t.Fatal("the document was touched")
					}
					list := verdicts(t, file)
					if len(list) != i+1 {
						t.Fatalf("%d signatures", len(list))
					}
					for j, v := range list {
						if v.Outcome != Valid || len(v.Later.Signatures) != i-j || v.Later.Visible || v.Later.ValidationData || v.Later.Description ||
							!bytes.Equal(v.Certificate.Raw, leaves[j].Certificate.Raw) || (v.Later.Bytes == 0) != (i == j) {
							t.Errorf("after %d, signature %d: %v %+v", i+1, j+1, v.Err, v.Later)
						}
					}
				}
			})
		}
	}
}

func form(catalog, form string) string {
	return strings.TrimSuffix(catalog, ">>") + "/AcroForm " + form + " >>"
}

func annots(page, list string) string {
	return strings.TrimSuffix(page, ">>") + "/Annots " + list + " >>"
}

// tokenOf stamps an imprint.
func tokenOf(t *testing.T, a *pkitest.Authority, tsa *pkitest.Leaf, i tsp.Imprint) []byte {
	t.Helper()
	q := &tsp.Request{Imprint: i, Policy: tsp.PolicyGOST512, Certificate: true}
	der, err := tsp.CreateResponse(random, tsa.Key, tsa.Certificate, q, tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(7), Time: a.Now.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := tsp.ParseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	return r.Token.Raw()
}

func TestTimestamp(t *testing.T) {
	a := authority(t)
	tsa := a.TSA()
	ask := func(i tsp.Imprint) ([]byte, error) { return tokenOf(t, a, tsa, i), nil }
	for _, l := range []*pkitest.Leaf{a.Individual(), rsaLeaf(a)} {
		v := verdicts(t, signed(t, modern(body()), l, func(o *Options) { o.Timestamp = ask }))[0]
		if v.Outcome != Valid || len(v.Warnings) != 0 || len(v.Timestamps) != 1 || v.Timestamps[0].Err != nil ||
			!v.Timestamps[0].Token.Time.Equal(moment.Add(time.Minute)) || !bytes.Equal(v.Timestamps[0].Certificate.Raw, tsa.Certificate.Raw) {
			t.Errorf("%v %v %+v", v.Err, v.Warnings, v.Timestamps)
		}
	}

	// A token that is not over this signature, or no token, or none at all: nothing is signed.
	l := a.Individual()
	d := open(t, classic(body(), ""))
	down := errors.New("no connection")
	for name, test := range map[string]struct {
		ask  func(tsp.Imprint) ([]byte, error)
		room int
		want error
	}{
		"other bytes": {func(i tsp.Imprint) ([]byte, error) { return ask(tsp.NewImprint(i.Hash, []byte("x"))) }, 0, tsp.ErrImprint},
		"no token":    {func(tsp.Imprint) ([]byte, error) { return []byte{0x30, 0}, nil }, 0, nil},
		"nobody":      {func(tsp.Imprint) ([]byte, error) { return nil, down }, 0, down},
		"no room":     {ask, 1, ErrRoom},
	} {
		out, err := d.Sign(random, Options{Key: l.Key, Certificate: l.Certificate, Time: moment, Timestamp: test.ask, Room: test.room})
		if err == nil || out != nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}

	// In a file that somebody else made, a bad time-stamp is told and the signature stands.
	r := rsaLeaf(a)
	file := forge{message: func(t *testing.T, digest []byte) []byte {
		der, err := cms.AddTimestamp(sealed(t, r, digest), 0, tokenOf(t, a, tsa, tsp.NewImprint(algid.SHA256, []byte("x"))))
		if err != nil {
			t.Fatal(err)
		}
		return der
	}}.sign(t, classic(body(), ""), r)
	if v := verdicts(t, file)[0]; v.Outcome != Valid || !slices.Equal(v.Warnings, []Warning{WarnTimestamp}) || !errors.Is(v.Timestamps[0].Err, tsp.ErrImprint) {
		t.Errorf("%v %v %+v", v.Err, v.Warnings, v.Timestamps)
	}
}

// A time-stamp over the document (ETSI.RFC3161) and validation data (DSS) leave signatures good.
func TestLongTerm(t *testing.T) {
	a := authority(t)
	l, tsa := rsaLeaf(a), a.TSA()
	first := signed(t, classic(body(), ""), l)
	num, fields := formOf(first)
	catalog := fmt.Sprintf("<< /Type /Catalog /Pages 2 0 R /AcroForm %d 0 R /DSS 60 0 R /Extensions << /ESIC << /BaseVersion /1.7 /ExtensionLevel 5 >> >> >>", num)
	dss := map[int]string{
		1:  catalog,
		60: "<< /Type /DSS /Certs 61 0 R /OCSPs [62 0 R] /VRI << /AABB 63 0 R >> >>",
		61: "[64 0 R]",
		62: content("an answer"),
		63: "<< /Type /VRI /Cert [64 0 R] /TU (D:20260901) /TS 65 0 R >>",
		64: content("a certificate"),
		65: content("a token"),
	}
	second := grow(first, dss)
	v := verdicts(t, second)[0]
	if v.Outcome != Valid || !v.Later.ValidationData || len(v.Later.Signatures) != 0 || v.Later.Description {
		t.Fatalf("%v %+v", v.Err, v.Later)
	}
	// More of it, in the lists that are there.
	third := grow(second, map[int]string{61: "[64 0 R 66 0 R]", 66: content("another")})
	if v = verdicts(t, third)[0]; v.Outcome != Valid || !v.Later.ValidationData {
		t.Fatalf("%v %+v", v.Err, v.Later)
	}
	// A time-stamp over all.
	stamp := forge{
		dict:  "<< /Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161 /ByteRange @RANGE /Contents @HEX >>",
		field: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Stamp) /V 50 0 R /P 3 0 R /F 132 /Rect [0 0 0 0] >>",
		objects: map[int]string{
			num: fmt.Sprintf("<< /Fields [%s 51 0 R] /SigFlags 3 >>", fields),
		},
		message: func(t *testing.T, digest []byte) []byte {
			return tokenOf(t, a, tsa, tsp.Imprint{Hash: algid.SHA256, HashOID: algid.SHA256.OID(), Digest: digest})
		},
	}
	fourth := renumbered(t, stamp, third, l)
	list := verdicts(t, fourth)
	if len(list) != 2 || list[0].Outcome != Valid || list[1].Outcome != Valid {
		t.Fatal(list[0].Err, list[len(list)-1].Err)
	}
	if !slices.Equal(list[0].Later.Timestamps, []string{"Stamp"}) || len(list[0].Later.Signatures) != 0 ||
		!list[1].DocumentTimestamp || !list[1].SigningTime.Equal(moment.Add(time.Minute)) || !bytes.Equal(list[1].Certificate.Raw, tsa.Certificate.Raw) {
		t.Errorf("%+v %+v", list[0].Later, list[1])
	}
	refusedStamp := verdicts(t, bytes.Replace(fourth, []byte("Pay 100"), []byte("Pay 900"), 1))
	if refusedStamp[1].Outcome != Invalid || !errors.Is(refusedStamp[1].Err, tsp.ErrImprint) {
		t.Error(refusedStamp[1].Err)
	}
	// And a signature after it.
	for _, v := range verdicts(t, signed(t, fourth, a.Individual())) {
		if v.Outcome != Valid {
			t.Error(v.Field, v.Err)
		}
	}

	// Validation data is no cover for anything else.
	for name, change := range map[string]map[int]string{
		"a page in it":         {1: catalog, 60: "<< /Certs [3 0 R] >>", 3: body()[3]},
		"contents in it":       {1: catalog, 60: "<< /Certs [4 0 R] >>", 4: content("x")},
		"under another name":   {1: strings.Replace(catalog, "/DSS 60 0 R", "/DSS << /Certs [64 0 R] >> /Names 61 0 R", 1), 61: "<< /X 64 0 R >>", 64: content("x")},
		"more than it needs":   {1: catalog, 60: "<< /Certs [64 0 R] /Other 61 0 R >>", 61: "<< >>", 64: content("x")},
		"no stream":            {1: catalog, 60: "<< /Certs [64 0 R] >>", 64: "<< /Type /Page >>"},
		"pages called that":    {1: strings.Replace(catalog, "/DSS 60", "/DSS 2", 1), 2: "<< /Type /Pages /Kids [] /Count 0 >>"},
		"catalog with actions": {1: strings.Replace(catalog, "/DSS 60 0 R", "/AA << >>", 1)},
	} {
		t.Run(name, func(t *testing.T) { refused(t, grow(first, change), Invalid, ErrChanged, "") })
	}
}

// formOf gives the number of the form a signature made, and its fields.
func formOf(file []byte) (num int, fields string) {
	at := bytes.LastIndex(file, []byte("/AcroForm "))
	_, _ = fmt.Sscanf(string(file[at:]), "/AcroForm %d", &num)
	rest := file[bytes.LastIndex(file, []byte("/Fields ["))+len("/Fields ["):]
	return num, string(rest[:bytes.IndexByte(rest, ']')])
}

// A field that the author of the document left empty is signed by another program.
func TestEmptyField(t *testing.T) {
	a := authority(t)
	l := rsaLeaf(a)
	objects := body()
	objects[1] = form(objects[1], "<< /Fields [6 0 R] >>")
	objects[3] = annots(objects[3], "[6 0 R]")
	objects[6] = "<< /Type /Annot /Subtype /Widget /FT /Sig /T (For the head) /P 3 0 R /F 4 /Rect [10 10 90 30] >>"
	file := signed(t, classic(objects, ""), l)
	if n := len(open(t, file).Signatures()); n != 1 {
		t.Fatalf("%d signatures: the empty field is none", n)
	}
	filled := strings.Replace(objects[6], "/F 4", "/F 132 /V 50 0 R /AP << /N 52 0 R >>", 1)
	f := forge{dict: usualDict, objects: map[int]string{6: filled, 52: "<< /Type /XObject /Subtype /Form /BBox [0 0 80 20] /Length 0 >>\nstream\n\nendstream"}, field: "null"}
	made := renumbered(t, f, file, l)
	list := verdicts(t, made)
	if len(list) != 2 || list[0].Outcome != Valid || list[1].Outcome != Valid || !list[0].Later.Visible ||
		!slices.Contains(list[0].Warnings, WarnVisible) || !slices.Equal(list[0].Later.Signatures, []string{"For the head"}) {
		t.Fatalf("%v %v %+v", list[0].Err, list[0].Warnings, list[0].Later)
	}
	// Moved, it is another field.
	f.objects[6] = strings.Replace(filled, "10 10", "0 0", 1)
	refused(t, renumbered(t, f, file, l), Invalid, ErrChanged, "form field")
	// With an action, a new one is more than a signature.
	f = forge{dict: usualDict, field: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (More) /V 50 0 R /Rect [0 0 0 0] /AA << /E << >> >> >>"}
	form, have := formInCatalog(file)
	f.objects = map[int]string{1: strings.Replace(form, have, have+" 51 0 R", 1)}
	refused(t, renumbered(t, f, file, l), Invalid, ErrChanged, "")
	f.field = strings.Replace(f.field, "/AA << /E << >> >>", "", 1)
	if v := verdicts(t, renumbered(t, f, file, l))[0]; v.Outcome != Valid {
		t.Error(v.Err)
	}
}

// formInCatalog gives the last catalog and the fields in it.
func formInCatalog(file []byte) (catalog, fields string) {
	at := bytes.LastIndex(file, []byte("1 0 obj\n<< /Type /Catalog")) + len("1 0 obj\n")
	catalog = string(file[at : at+bytes.Index(file[at:], []byte("\nendobj"))])
	_, rest, _ := strings.Cut(catalog, "/Fields [")
	fields, _, _ = strings.Cut(rest, "]")
	return catalog, fields
}

// A certifying signature says what may be added.
func TestCertification(t *testing.T) {
	a := authority(t)
	l := rsaLeaf(a)
	certified := func(p string) forge {
		return forge{dict: strings.Replace(usualDict, "/Type /Sig", "/Type /Sig /Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /V /1.2 "+p+" >> >>]", 1)}
	}
	for p, want := range map[string]int{"/P 1": 1, "/P 2": 2, "": 2, "/P 3": 3, "/P 7": 3} {
		file := certified(p).sign(t, classic(body(), ""), l)
		if v := verdicts(t, file)[0]; v.Certification != want || v.Outcome != Valid {
			t.Errorf("%s: %d %v", p, v.Certification, v.Err)
		}
		_, err := open(t, file).Sign(random, Options{Key: l.Key, Certificate: l.Certificate, Time: moment})
		if errors.Is(err, ErrLocked) != (want == 1) {
			t.Errorf("%s: %v", p, err)
		}
	}
	// Somebody signs all the same.
	file := certified("/P 1").sign(t, classic(body(), ""), l)
	catalog, have := formInCatalog(file)
	more := forge{dict: usualDict, field: "<< /FT /Sig /T (More) /V 50 0 R >>", objects: map[int]string{1: strings.Replace(catalog, have, have+" 51 0 R", 1)}}
	refused(t, renumbered(t, more, file, l), Invalid, ErrChanged, "did not permit")
}

// Title and dates may change; the verdict tells.
func TestDescription(t *testing.T) {
	l := rsaLeaf(authority(t))
	objects := body()
	objects[1] = strings.Replace(objects[1], ">>", "/Metadata 7 0 R >>", 1)
	objects[6] = "<< /Title (A) /ModDate (D:2026) >>"
	objects[7] = strings.Replace(content("<x/>"), "<<", "<< /Type /Metadata /Subtype /XML", 1)
	file := signed(t, classic(objects, "/Info 6 0 R"), l)
	for name, test := range map[string]struct {
		changes map[int]string
		outcome Outcome
		tell    bool
	}{
		"date":     {map[int]string{6: "<< /Title (A) /ModDate (D:2027) >>"}, Valid, false},
		"title":    {map[int]string{6: "<< /Title (B) /ModDate (D:2026) >>"}, Valid, true},
		"metadata": {map[int]string{7: strings.Replace(objects[7], "<x/>", "<y/>", 1)}, Valid, true},
		"contents": {map[int]string{6: "<< /Title 4 0 R >>", 4: content("x")}, Invalid, false},
		"no XML":   {map[int]string{7: content("<x/>")}, Invalid, false},
	} {
		v := verdicts(t, growWith(file, test.changes, "/Root 1 0 R /Info 6 0 R"))[0]
		if v.Outcome != test.outcome || test.outcome == Valid && slices.Contains(v.Warnings, WarnDescription) != test.tell {
			t.Errorf("%s: %v %v %v", name, v.Outcome, v.Err, v.Warnings)
		}
	}
}

// No single byte of the document can change without the signature failing. (Those of the message are
// the business of package cms; its padding is ours.)
func TestEveryByte(t *testing.T) {
	file := signed(t, classic(body(), ""), rsaLeaf(authority(t)), func(o *Options) { o.Room = 1 })
	v := verdicts(t, file)[0]
	message := v.ByteRange[1] + 1 + 2*int64(len(v.Message.Raw()))
	step := int64(1)
	if testing.Short() {
		step = 13
	}
	for i := int64(0); i < int64(len(file)); i += step {
		if i > v.ByteRange[1] && i < message {
			i = message
		}
		if i > message+64 && i < v.ByteRange[2]-64 && i%37 != 0 {
			continue
		}
		file[i] ^= 1
		if d, err := Parse(bytes.NewReader(file), int64(len(file))); err == nil {
			if list, err := d.Verify(); err == nil && list[0].Outcome == Valid {
				t.Errorf("byte %d: %v", i, list[0])
			}
		}
		file[i] ^= 1
	}
	for end := int64(len(file)) - 1; end > 0; end -= 7 {
		if d, err := Parse(bytes.NewReader(file[:end]), end); err == nil {
			if list, err := d.Verify(); err == nil && list[0].Outcome == Valid && !bytes.Equal(bytes.TrimSpace(file[:end]), bytes.TrimSpace(file)) {
				t.Errorf("first %d bytes: %v", end, list[0])
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	a := authority(t)
	l, other := a.Individual(), a.Individual()
	good := Options{Key: l.Key, Certificate: l.Certificate, Time: moment}
	xfa := body()
	xfa[1] = form(xfa[1], "<< /Fields [] /XFA [] >>")
	pageless := body()
	pageless[2] = "<< /Type /Pages /Kids [2 0 R] /Count 0 >>"
	signedOnce := signed(t, classic(body(), ""), l)
	for name, test := range map[string]struct {
		file   []byte
		change func(*Options)
		want   error
	}{
		"no key":        {classic(body(), ""), func(o *Options) { o.Key = nil }, nil},
		"other key":     {classic(body(), ""), func(o *Options) { o.Key = other.Key }, nil},
		"no time":       {classic(body(), ""), func(o *Options) { o.Time = time.Time{} }, nil},
		"field taken":   {signedOnce, func(o *Options) { o.Field = "Signature1" }, nil},
		"field dotted":  {signedOnce, func(o *Options) { o.Field = "a.b" }, nil},
		"negative room": {signedOnce, func(o *Options) { o.Room = -1 }, nil},
		"XFA":           {classic(xfa, ""), func(*Options) {}, ErrKind},
		"no page":       {classic(pageless, ""), func(*Options) {}, ErrDamaged},
	} {
		o := good
		test.change(&o)
		if out, err := open(t, test.file).Sign(random, o); err == nil || out != nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := open(t, classic(body(), "")).Verify(); !errors.Is(err, ErrUnsigned) {
		t.Error(err)
	}
}

func TestDates(t *testing.T) {
	want := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	for _, text := range []string{"D:20260901100000Z", "D:20260901100000", "D:20260901100000Z00'00'", "D:20260901150000+05'00'", "D:20260901150000+05'00", "D:20260901063000-03'30'"} {
		if got := readDate(text); !got.Equal(want) {
			t.Errorf("%s: %v", text, got)
		}
	}
	if got := readDate("D:2026"); !got.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error(got)
	}
	for _, text := range []string{"", "D:", "20260901100000Z", "D:20261301000000Z", "D:202", "D:20260", "D:20260901100000+05", "D:20260901100000+xx'00'", "D:20260901100000*05'00'"} {
		if got := readDate(text); !got.IsZero() {
			t.Errorf("%s: %v", text, got)
		}
	}
	if got := readDate(date(want)); !got.Equal(want) {
		t.Error(got)
	}
}
